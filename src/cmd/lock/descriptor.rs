//! `ipc lock fd` and `unlock`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example};
use crate::app::context::Context;
use crate::app::options::{Conflict, Waiting};
use crate::base::exit::{Exit, Subject};
use crate::mechanism::lock_file::locked;
use crate::sys::descriptor;

use super::{Holders, LockOptions, explain};

/// Lock a descriptor of the calling shell
///
/// The lock belongs to the open file of the shell ('exec 9>file'), so it remains when this command ends,
/// until the shell and all processes that inherited the descriptor have closed it, or 'ipc lock unlock'. A
/// lock file of 'ipc lock take' counts as locked; open it with 'exec 9>>FILE' or '9<FILE', as
/// 'exec 9>FILE' empties it.
#[derive(Debug, clap::Args, Plain)]
pub struct Fd {
    /// Number of the descriptor
    #[arg(value_name = "N")]
    number: u16,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
}

impl Action for Fd {
    const EXAMPLES: &'static [Example] = &[
        ("Lock the rest of a script", "exec 9>/run/job.lock; ipc lock fd 9 -n || exit"),
        ("Lock a part of a script", "( ipc lock fd 9; ./critical ) 9>/run/job.lock"),
    ];

    const EFFECT: Effect = Effect::CallersDescriptors;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let subject = self.number.to_string();
        let wanted = self.lock.lasting_lock()?;
        let fd = descriptor::inherited(self.number.into()).about(&subject)?;
        let file = format!("/proc/self/fd/{}", self.number);
        let holders = Holders::new(file, &subject, wanted);
        let notes = output.notes();
        let locked =
            locked::descriptor(fd, wanted, deadline, |owner| holders.report_before(owner, &notes));
        let locked = locked.map_err(explain).about(&subject)?;
        match self.waiting.or_error(locked).about(&subject) {
            Ok(()) => Ok(Exit::Done),
            Err(error) => {
                holders.report_after(&error, output);
                self.conflict.or_error(error, output)
            }
        }
    }
}

/// Release the lock of a descriptor
#[derive(Debug, clap::Args, Plain)]
pub struct Unlock {
    /// Number of the descriptor
    #[arg(value_name = "N")]
    number: u16,
    #[command(flatten)]
    lock: LockOptions,
}

impl Action for Unlock {
    const EXAMPLES: &'static [Example] = &[(
        "Release the lock before the script ends",
        "exec 9>/run/job.lock; ipc lock fd 9; ./critical; ipc lock unlock 9; ./rest",
    )];

    const EFFECT: Effect = Effect::CallersDescriptors;

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let subject = self.number.to_string();
        let lock = self.lock.lasting_lock()?;
        let fd = descriptor::inherited(self.number.into()).about(&subject)?;
        lock.release(fd).about(&subject)?;
        Ok(Exit::Done)
    }
}
