//! Verbs on objects of a server: how they are declared, the options that they share, the connection.

pub mod leased;
pub mod sending;
pub mod work;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, FromArgMatches};

use crate::app::command::{Example, Statuses, Verb};
use crate::app::context::{Context, Environment};
use crate::app::listing::Json;
use crate::app::options::{Waiting, done};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::remote::{
    Access, Creation, Engine, Error, Kind, Records, RemoteName, Server,
};

/// A verb on an object of a server.
pub(crate) trait RemoteAction: Args + Debug + 'static {
    /// Lines of shell for the help.
    const EXAMPLES: &'static [Example];
    /// The origin of the exit status.
    const STATUSES: Statuses = Statuses::Own;
    /// The output with `--json`, by kind of object.
    const JSON: &'static [Json] = &[];

    /// Runs the verb.
    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit>;
}

impl Verb {
    /// A verb of this name on objects of a server, implemented by `R`. clap alone reads its options: the
    /// way to the server takes longer.
    pub(crate) const fn remote<R: RemoteAction>(name: &'static str) -> Self {
        let parts = crate::app::command::Parts {
            examples: R::EXAMPLES,
            statuses: R::STATUSES,
            json: R::JSON,
            define: |command| R::augment_args(Authentication::augment_args(command)),
            read: |matches| {
                Box::new(move |context| {
                    let authentication = Authentication::from_arg_matches(&matches)?;
                    let remote = Remote::new(authentication, context)?;
                    R::from_arg_matches(&matches)?.run(remote, context)
                })
            },
        };
        Self::of_parts(name, parts)
    }
}

/// How a client proves who it is, and checks the server: options of every verb on a server.
#[derive(Debug, clap::Args)]
struct Authentication {
    /// File with the credentials of a user
    ///
    /// The file that 'nsc generate creds' writes. Without the option, it is the file that NATS_CREDS
    /// names. NATS_TOKEN has a token, and NATS_PASSWORD the password of the user in nats://USER@HOST/NAME.
    /// COMMANDs do not get these variables.
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Trust the certificate authorities in this file
    #[arg(long, value_name = "FILE", help_heading = "Server", hide_short_help = true)]
    ca: Option<PathBuf>,
    /// Certificate of this client
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Server",
        hide_short_help = true,
        requires = "key"
    )]
    cert: Option<PathBuf>,
    /// Key of the certificate
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Server",
        hide_short_help = true,
        requires = "cert"
    )]
    key: Option<PathBuf>,
}

impl Authentication {
    fn access(self, environment: Environment) -> Access {
        let text = |name: &str| environment.get(name)?.into_string().ok();
        let credentials = environment.get("NATS_CREDS").map(PathBuf::from);
        Access {
            credentials: self.creds.or(credentials),
            token: text("NATS_TOKEN"),
            password: text("NATS_PASSWORD"),
            authorities: self.ca,
            certificate: self.cert.zip(self.key),
        }
    }
}

/// The way to servers.
#[derive(Debug)]
pub struct Remote {
    engine: &'static dyn Engine,
    access: Access,
}

impl Remote {
    fn new(authentication: Authentication, context: &Context) -> Result<Self, Failure> {
        let engine = context.engine.ok_or(Failure::failed("this program reaches no servers"))?;
        Ok(Self { engine, access: authentication.access(context.environment) })
    }

    /// Connects to the server of a name.
    ///
    /// # Errors
    /// Those of the engine. A password in the name is refused before anything is sent.
    pub fn connect(
        &self,
        name: &RemoteName,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Server>>, Error> {
        match name.has_password() {
            true => Err(Error::Password),
            false => self.engine.connect(name, &self.access, deadline),
        }
    }

    /// Connects to the server of a name, and opens its records of a kind.
    ///
    /// # Errors
    /// Those of the engine; [`Error::NotFound`] without `creation` if there are none.
    pub fn records(
        &self,
        name: &RemoteName,
        kind: Kind,
        creation: Option<Creation>,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Records>>, Error> {
        match self.connect(name, deadline)? {
            Waited::Done(server) => server.records(kind, creation, deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }
}

impl Remote {
    /// Opens the records of a kind, and does something with them before the deadline.
    ///
    /// # Errors
    /// As [`Remote::records`]; those of `act`.
    pub fn with<T>(
        &self,
        name: &RemoteName,
        (kind, creation): (Kind, Option<Creation>),
        deadline: Deadline,
        act: impl FnOnce(&mut dyn Records) -> Result<Waited<T>, Error>,
    ) -> Result<Waited<T>, Error> {
        match self.records(name, kind, creation, deadline)? {
            Waited::Done(mut records) => act(&mut *records),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }
}

/// The result of a request to a server.
///
/// # Errors
/// The failure of the request, or of one that timed out, about the name.
pub fn answered<T>(waited: Result<Waited<T>, Error>, name: &RemoteName) -> anyhow::Result<T> {
    done(waited.map_err(Failure::from)).about(name)
}

/// The result of an operation on a server that takes a limited time.
///
/// # Errors
/// The failure of the operation, or of one that timed out, about the name.
pub fn finished<T>(
    waited: Result<Waited<T>, Error>,
    waiting: Waiting,
    name: &RemoteName,
) -> anyhow::Result<T> {
    let waited = waited.map_err(Failure::from).about(name)?;
    waiting.or_error(waited).about(name)
}

/// Where new objects are stored.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Storage {
    /// Number of servers of the cluster that store it
    #[arg(
        long,
        value_name = "N",
        help_heading = "Server",
        default_value_t = 1,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=5),
        hide_short_help = true
    )]
    replicas: usize,
}

impl From<Storage> for Creation {
    fn from(storage: Storage) -> Self {
        Self { replicas: storage.replicas }
    }
}

/// The time for which something is held after the holder was seen last.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Lifetime {
    /// How long the server waits for a holder that is gone, from 1s on
    ///
    /// 'ipc' renews it three times in that time. If it cannot, as the server or this process is stopped,
    /// COMMAND gets KILL after four fifths of the time, and the status is 125. After the whole time,
    /// others may have it.
    #[arg(long, value_name = "DURATION", help_heading = "Server", default_value = "30s")]
    ttl: Timeout,
}

impl Lifetime {
    /// The time.
    ///
    /// # Errors
    /// It is shorter than servers count, or without end.
    pub fn duration(self) -> anyhow::Result<Duration> {
        const LEAST: Duration = Duration::from_secs(1);
        const MOST: Duration = Duration::from_secs(24 * 60 * 60);
        match self.ttl {
            Timeout::For(time) if (LEAST..=MOST).contains(&time) => Ok(time),
            _ => Err(Failure::new(Exit::Usage, "not a time from 1s to 24h")).about("--ttl"),
        }
    }
}
