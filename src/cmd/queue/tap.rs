//! `ipc queue tap`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Json};
use crate::app::objects::report_wait;
use crate::app::options::{Framing, Waiting};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Subject};
use crate::io::frame::Writer;
use crate::io::output::Output;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{self, Outcome, Ring};

use super::message::Message;
use super::{explain, look_up, open};

/// Print the messages of a queue without taking them
///
/// The oldest message is the first, and claimed messages are included. If a consumer takes a
/// message before this command has copied it, the message is not printed, and a warning at the end
/// reports that. With --follow the status is 0 when the queue is closed and all is printed.
#[derive(Debug, clap::Args, Plain)]
pub struct Tap {
    /// Name of the queue
    name: RingName,
    /// Continue with new messages until a signal
    #[arg(short, long)]
    follow: bool,
    /// Print each message as a line of JSON
    #[arg(short, long)]
    json: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Tap {
    const EXAMPLES: &'static [Example] = &[
        ("See what is in the queue", "ipc queue tap /jobs"),
        ("Log what goes through it", "ipc queue tap -f /jobs >>log"),
    ];
    const JSON: &'static [Json] = &[Json::lines::<Message>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        look_up(&self.name, &self.waiting).about(&self.name)?;
        let ring = open(&self.name)?;
        let mut tap = ring::Tap::default();
        let printed = self.print_all(&ring, &mut tap, &mut context.output);
        if tap.has_missed() {
            context.output.warn("messages were taken before they could be printed");
        }
        printed?;
        Ok(Exit::Done)
    }
}

impl Tap {
    fn print_all(
        &self,
        ring: &Ring,
        tap: &mut ring::Tap,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let (mut message, mut writer) = (Vec::new(), Writer::new(self.framing.form()));
        let mut has_waited = false;
        loop {
            message.clear();
            let seen = match ring.tap(tap, &mut message, Deadline::PASSED) {
                Ok(Outcome::TimedOut) if self.follow => {
                    output.flush()?;
                    if !std::mem::replace(&mut has_waited, true) {
                        report_wait(output, &self.name, "for a message");
                    }
                    ring.tap(tap, &mut message, self.waiting.deadline())
                }
                seen => seen,
            };
            match seen.map_err(|error| explain(error, &self.name)).about(&self.name)? {
                Outcome::Done(()) if self.json => {
                    listing::line(&Message(message.clone()), output)?;
                }
                Outcome::Done(()) => writer.write(output, &message)?,
                Outcome::TimedOut if self.follow => {
                    let timed_out = self.waiting.or_error(Waited::<()>::TimedOut);
                    return timed_out.about(&self.name);
                }
                Outcome::TimedOut | Outcome::Closed => return Ok(()),
            }
        }
    }
}
