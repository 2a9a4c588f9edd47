//! `ipc applets`: the names that links to this program may have.

use std::path::PathBuf;

use crate::applet::APPLETS;
use crate::cli::{Example, NOUNS, Run};
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::output::Output;
use crate::plain::Plain;
use crate::sys::directory::Directory;
use crate::sys::executable::{self, Link};

/// List the names by which links to this program are called, or make the links
///
/// Called by the name of a noun it does as that noun: 'sem post /jobs' is 'ipc sem post /jobs'.
/// Called as flock or mkfifo it is that utility, option for option. The links are hard where that is
/// possible, and otherwise symbolic. What is there already stays, unless it is a link to us or
/// --force replaces it.
#[derive(Debug, clap::Args, Plain)]
pub struct Applets {
    /// Make the links in this directory
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
    /// Replace files that have one of the names
    #[arg(long, requires = "install")]
    force: bool,
}

impl Run for Applets {
    const EXAMPLES: &'static [Example] = &[
        ("See the names", "ipc applets"),
        ("Have 'sem' and the others beside 'ipc'", "ipc applets --install ~/bin"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let Some(directory) = self.install else {
            for name in names() {
                output.line(name)?;
            }
            return Ok(Exit::Done);
        };
        let make = if self.force { executable::replace_at } else { executable::link_at };
        let paths: Vec<PathBuf> = names().map(|name| directory.join(name)).collect();
        // What is wrong with the directory is said once, rather than of each name in it.
        Directory::of(&paths[0]).about(&directory)?;
        super::each(&paths, output, |path, output| {
            let link = make(path).map_err(explain)?;
            let what = match link {
                Link::Hard => "hard link",
                Link::Symbolic => "symbolic link",
                Link::Existing => "was there",
            };
            output.note(format_args!("{}: {what}", path.display()));
            Ok::<(), Failure>(())
        })
    }
}

/// The nouns, and the utilities.
fn names() -> impl Iterator<Item = &'static str> {
    NOUNS.iter().map(|noun| noun.name).chain(APPLETS.iter().map(|applet| applet.name))
}

fn explain(errno: Errno) -> Failure {
    match errno {
        Errno(libc::EEXIST) => Failure::from(errno).hint("--force replaces it"),
        errno => errno.into(),
    }
}
