//! The options of `ipc spool put` for the messages, on this machine and on a server.

use std::ffi::OsString;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::options::Framing;
use crate::base::exit::{Exit, Failure};
use crate::base::units::Timeout;
use crate::io::frame::Form;
use crate::mechanism::spool::entry::PRIORITY_MAX;
use crate::mechanism::spool::name::MessageName;
use crate::sys::time;

/// The names, the priority and the time of messages, and what one message is.
#[derive(Debug, clap::Args, Plain)]
pub struct Labels {
    /// Name of the message; it gets one if none is given
    #[arg(long, value_name = "NAME")]
    name: Option<MessageName>,
    /// Name it, and put nothing if a message of that name is there
    #[arg(long, value_name = "KEY", conflicts_with = "name")]
    dedupe: Option<MessageName>,
    /// The highest is taken first: 0 (the default) to 32767
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=32767))]
    priority: Option<u32>,
    /// Let no worker take it before this time has passed
    #[arg(long, value_name = "DURATION")]
    delay: Option<Timeout>,
    /// Make each line of the input a message
    #[arg(long)]
    each_line: bool,
}

const _: () = assert!(PRIORITY_MAX == 32767);

impl Labels {
    /// The name that is given to the message.
    pub fn name(&self) -> Option<&MessageName> {
        self.name.as_ref().or(self.dedupe.as_ref())
    }

    /// Whether a message whose name is there already is no error.
    pub fn accepts_equal_name(&self) -> bool {
        self.dedupe.is_some()
    }

    /// The priority.
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(0)
    }

    /// The time of day before which no worker takes it, in nanoseconds since 1970.
    pub fn due(&self) -> u64 {
        match self.delay {
            None | Some(Timeout::For(Duration::ZERO)) => 0,
            Some(Timeout::For(delay)) => {
                let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
                time::now().saturating_add(delay)
            }
            Some(Timeout::Forever) => u64::MAX,
        }
    }

    /// Whether each record of the input is a message.
    pub fn are_of_records(&self, framing: &Framing) -> bool {
        self.each_line || framing.is_given() && framing.form() != Form::Whole
    }

    /// Refuses one name for several messages.
    pub fn refuse_one_name_for_many(
        &self,
        files: &[OsString],
        framing: &Framing,
    ) -> Result<(), Failure> {
        let is_one = files.len() <= 1 && !self.are_of_records(framing);
        if self.name().is_none() || is_one {
            return Ok(());
        }
        Err(Failure::new(Exit::Usage, "--name and --dedupe are for one message"))
    }
}
