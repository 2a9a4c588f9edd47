//! NATS as a kind of server: who may connect, and which servers keep the promises of the verbs.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions};
use ipc_suite::remote::call::Calls;
use ipc_suite::remote::queue::{QueueKind, Queues};
use ipc_suite::remote::signal::Signals;
use ipc_suite::remote::{
    Access, Creation, Deadline, Engine, Error, Kind, Records, RemoteName, Server, Waited, escape,
};

use crate::api::HINT;
use crate::calls::RemoteCalls;
use crate::connection::Connection;
use crate::queue::RemoteQueues;
use crate::records::KeyValue;
use crate::signals::RemoteSignals;

/// NATS with JetStream.
#[derive(Debug)]
pub struct Nats;

/// The first version whose messages expire: earlier ones ignore the time silently, and a lock of a
/// holder that was killed would stay for ever.
const VERSION: (u32, u32) = (2, 11);

/// The time for a connection to one of the hosts.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest pause before another attempt to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Engine for Nats {
    fn connect(
        &self,
        name: &RemoteName,
        access: &Access,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Server>>, Error> {
        let options = options(name, access)?;
        let scheme = if name.is_encrypted() { "tls" } else { "nats" };
        let hosts: Vec<_> = name.hosts().iter().map(|host| format!("{scheme}://{host}")).collect();
        let Waited::Done(connection) = Connection::open(&hosts, options, explain, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        check_version(&connection.server_version())?;
        Ok(Waited::Done(Box::new(Connected(connection))))
    }
}

/// The server at the other end of a connection.
struct Connected(Connection);

impl Server for Connected {
    fn records(
        self: Box<Self>,
        kind: Kind,
        creation: Option<Creation>,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Records>>, Error> {
        let opened = KeyValue::open(self.0, kind, creation, deadline)?;
        Ok(opened.map(|records| -> Box<dyn Records> { Box::new(records) }))
    }

    fn queues(self: Box<Self>, kind: QueueKind) -> Box<dyn Queues> {
        Box::new(RemoteQueues::new(self.0, kind))
    }

    fn calls(self: Box<Self>) -> Box<dyn Calls> {
        Box::new(RemoteCalls::new(self.0))
    }

    fn signals(self: Box<Self>) -> Box<dyn Signals> {
        Box::new(RemoteSignals::new(self.0))
    }
}

fn options(name: &RemoteName, access: &Access) -> Result<ConnectOptions, Error> {
    let mut options = ConnectOptions::new()
        .name("ipc")
        .connection_timeout(CONNECT)
        .request_timeout(None)
        .require_tls(name.is_encrypted())
        .reconnect_delay_callback(|attempts| {
            let pause = Duration::from_millis(50) * attempts.saturating_sub(1).min(100) as u32;
            pause.min(LONGEST_PAUSE)
        });
    if let Some(path) = &access.credentials {
        let credentials = read(path)?;
        options = options.credentials(&credentials).map_err(|_| {
            Error::Unusable(format!("{}: no credentials of a user are in it", shown(path)))
        })?;
    }
    if let Some(token) = &access.token {
        options = options.token(token.clone());
    }
    if let Some(user) = name.user() {
        let password = access.password.clone().unwrap_or_default();
        options = options.user_and_password(user.to_owned(), password);
    }
    if let Some(path) = &access.authorities {
        read(path)?;
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &access.certificate {
        read(certificate)?;
        read(key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// Reads a file that the command line or the environment names.
fn read(path: &Path) -> Result<String, Error> {
    let failed = |error: io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "No such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
            _ => error.to_string(),
        };
        Error::Unusable(format!("{}: {reason}", shown(path)))
    };
    fs::read_to_string(path).map_err(failed)
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// Refuses a server that is too old.
fn check_version(version: &str) -> Result<(), Error> {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found >= VERSION {
        return Ok(());
    }
    let version = escape(version.as_bytes());
    let reason = format!("nats-server {version} does not expire what a lost holder leaves");
    Err(Error::Refused { reason, hint: HINT })
}

/// Why there is no connection. The texts of the client have neither passwords nor tokens.
fn explain(error: &ConnectError) -> Error {
    let cause = std::error::Error::source(error);
    let source = cause.map(ToString::to_string).unwrap_or_default();
    let kind = cause.and_then(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    let is_of_encryption = kind == Some(io::ErrorKind::InvalidData)
        || ["certificate", "corrupt message"]
            .iter()
            .any(|words| source.to_lowercase().contains(words));
    let source = escape(source.as_bytes()).into_owned();
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            Error::Denied("the server does not accept this user".to_owned())
        }
        ConnectErrorKind::Tls => Error::Encryption(source),
        ConnectErrorKind::TimedOut => Error::Unreachable("the server does not answer".to_owned()),
        ConnectErrorKind::Dns => Error::Unreachable("the host has no address".to_owned()),
        _ if is_of_encryption => Error::Encryption(source),
        _ => Error::Unreachable(reason_of(&source)),
    }
}

/// The reason of the operating system without its number.
fn reason_of(source: &str) -> String {
    source.split(" (os error").next().unwrap_or(source).to_owned()
}
