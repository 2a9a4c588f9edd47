//! `ipc door call`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::door::connect;
use crate::app::options::{TimeLimit, done};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::io::output::{Output, Unwritable};
use crate::io::transfer::{self, Side};
use crate::mechanism::door::{Answer, Content, Gather, HEADER, PACKET_MAX, Part};
use crate::sys::descriptor;
use crate::sys::socket::RIGHTS_MAX;

/// Call a procedure
///
/// The argument is the operands, joined by spaces, or stdin to its end. The stdout, the stderr and the
/// status of the procedure are those of this command; they arrive when the procedure has ended. Statuses
/// of the procedure look like those of 'ipc'; an error of 'ipc' has a line on stderr that begins with
/// 'ipc: door call:'.
///
/// A call whose server ends has status 3, and is never repeated: the procedure may have run. The timeout
/// is for the whole call. A call that is ended by it, or by a signal, ends the procedure.
#[derive(Debug, clap::Args, Plain)]
pub struct Call {
    /// The path of the door
    path: FilePath,
    /// The argument; stdin if there is none
    #[arg(value_name = "ARGUMENT")]
    argument: Vec<OsString>,
    /// Lend the procedure this descriptor
    ///
    /// The procedure has the first one as its descriptor 3, the next one as 4, and so on: up to 253.
    #[arg(long = "fd", value_name = "N")]
    descriptors: Vec<i32>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl Action for Call {
    const STATUSES: Statuses = Statuses::OfProcedure;

    const EXAMPLES: &'static [Example] = &[
        ("Call a procedure with an argument", "ipc door call ./double 21"),
        ("Send a file, and wait no longer than a minute", "ipc door call -t 1m ./resize <in >out"),
        ("Lend the procedure a log file", "ipc door call --fd 9 ./audit 'login' 9>>audit.log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let lent = self
            .descriptors
            .iter()
            .map(|&number| descriptor::inherited(number).about(format!("--fd {number}")));
        let lent = lent.collect::<anyhow::Result<Vec<_>>>()?;
        if lent.len() > RIGHTS_MAX {
            let count = lent.len();
            let reason =
                format!("{count} descriptors are more than a packet carries ({RIGHTS_MAX})");
            return Err(Failure::new(Exit::Usage, reason)).about("--fd");
        }
        let mut caller = connect(&self.path, self.limit)?;
        let argument = self.argument(context)?;
        if lent.len() == RIGHTS_MAX && matches!(argument, Content::File(..)) {
            let reason = "no descriptor is left for an argument that is too long for a packet";
            return Err(Failure::failed(reason)).about("--fd");
        }
        let answer = caller.call(argument, &lent).map_err(Failure::from);
        let answer = done(answer).about(&self.path)?;
        write(&answer, &mut context.output)?;
        Ok(Exit::Command(answer.status))
    }
}

impl Call {
    /// The operands, or stdin.
    fn argument(&self, context: &Context) -> anyhow::Result<Content> {
        if self.argument.is_empty() {
            return Gather::all_of(context.stdin, PACKET_MAX - HEADER).about("standard input");
        }
        let words: Vec<&[u8]> = self.argument.iter().map(|word| word.as_bytes()).collect();
        Ok(Content::Bytes(words.join(&b' ')))
    }
}

/// Writes the stdout and the stderr of the procedure.
fn write(answer: &Answer<'_>, output: &mut Output) -> anyhow::Result<()> {
    let [stdout, stderr] = &answer.contents;
    match stdout {
        Part::Bytes(bytes) => output.bytes(bytes)?,
        Part::File(file, _) => {
            let written = transfer::copy(file, output.destinations().stdout, None);
            written.map_err(|error| match error.side {
                Side::Source => anyhow::Error::from(error.errno),
                Side::Destination => Unwritable(error.errno).into(),
            })?;
        }
    }
    output.flush()?;
    let destinations = output.destinations();
    match stderr {
        Part::Bytes([]) => {}
        Part::Bytes(bytes) => destinations.complain_bytes(bytes),
        // As for every diagnostic, it is no error that it cannot be written.
        Part::File(file, _) => drop(transfer::copy(file, destinations.stderr, None)),
    }
    Ok(())
}
