//! `ipc applets`: the names that links to this program may have.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::links::{Foreign, Step, Target};
use crate::app::objects::{each, tell};
use crate::applet::APPLETS;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::io::output::{Output, escape};
use crate::sys::directory::Directory;

/// List, make or remove links
///
/// Called by the name of a noun it does as that noun: 'sem post /jobs' is 'ipc sem post /jobs'.
/// Called as flock or mkfifo it is that utility, option for option.
///
/// The links are symbolic: relative in the directory of the program, otherwise to its path. All of
/// them are made, or none. Links to another version, also hard ones, are replaced; what else is
/// there already stays, unless --force replaces it. Names of other programs in PATH are left out,
/// unless they are given as NAME.
#[derive(Debug, clap::Args, Plain)]
pub struct Applets {
    /// Make the links in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "remove")]
    install: Option<PathBuf>,
    /// Remove the links from this directory
    #[arg(long, value_name = "DIR")]
    remove: Option<PathBuf>,
    /// Path of the program when the links are used, if it is another than now
    #[arg(long, value_name = "PATH", requires = "install", conflicts_with = "remove")]
    target: Option<PathBuf>,
    /// Replace files that have one of the names
    #[arg(long, requires = "install", conflicts_with = "remove")]
    force: bool,
    /// Names of the links, instead of all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Action for Applets {
    const EXAMPLES: &'static [Example] = &[
        ("See the names", "ipc applets"),
        ("Have 'sem' and the others beside 'ipc'", "ipc applets --install ~/bin"),
        ("Have only these", "ipc applets --install ~/bin shm flock"),
        (
            "Make them in a tree that becomes the root of another system",
            "ipc applets --install pkg/usr/libexec/ipc --target /usr/bin/ipc sem shm",
        ),
        ("Remove them", "ipc applets --remove ~/bin"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let known: Vec<&'static str> = names(context.nouns).collect();
        if let Some(unknown) = self.names.iter().find(|name| !known.contains(&name.as_str())) {
            let failure = Failure::new(Exit::Usage, "no name of a link")
                .hint("'ipc applets' lists the names");
            return Err(about(failure, unknown));
        }
        match (&self.install, &self.remove) {
            (Some(directory), _) => self.install(directory, self.chosen(known), output)?,
            (_, Some(directory)) => return self.remove(directory, self.chosen(known), output),
            (None, None) => list(&self.chosen(known), output)?,
        }
        Ok(Exit::Done)
    }
}

impl Applets {
    /// The names that were given, or all.
    fn chosen(&self, mut names: Vec<&'static str>) -> Vec<&'static str> {
        let is_given =
            |name: &&str| self.names.is_empty() || self.names.iter().any(|given| given == name);
        names.retain(is_given);
        names
    }

    fn install(
        &self,
        directory: &Path,
        names: Vec<&'static str>,
        output: &Output,
    ) -> anyhow::Result<()> {
        open(directory)?;
        let target = match &self.target {
            Some(path) => Target::at(path.clone())?,
            None => Target::of(directory)?,
        };
        let foreign = if self.force { Foreign::Replace } else { Foreign::Refuse };
        let mut steps = Vec::new();
        for name in self.free(names, &target, directory, output) {
            let path = directory.join(name);
            let step = target.plan(&path, foreign).about(&path)?;
            steps.push((path, step));
        }
        target.make_all(&steps)?;
        for (path, step) in &steps {
            let what = match step {
                Step::Keep => "was there",
                Step::Make => "made",
                Step::Replace => "replaced",
            };
            output.note(format_args!("{}: {what}", escape(path.as_os_str().as_encoded_bytes())));
        }
        Ok(())
    }

    /// The names to make links for: those that were given, or those that mean no other program.
    fn free(
        &self,
        mut names: Vec<&'static str>,
        target: &Target,
        directory: &Path,
        output: &Output,
    ) -> Vec<&'static str> {
        if !self.names.is_empty() {
            return names;
        }
        let mut left_out = Vec::new();
        names.retain(|name| match target.other(name) {
            Some(path) => {
                left_out.push(escape(path.as_os_str().as_encoded_bytes()).into_owned());
                false
            }
            None => true,
        });
        if !left_out.is_empty() {
            let others = left_out.join(", ");
            let last = left_out[0].rsplit('/').next().unwrap_or_default();
            let hint = format!(
                "'ipc applets --install {} {last}' makes the link all the same",
                escape(directory.as_os_str().as_encoded_bytes())
            );
            let told = Failure::failed(format!("left out what is in PATH: {others}")).hint(hint);
            output.error(&anyhow!(told));
        }
        names
    }

    fn remove(
        &self,
        directory: &Path,
        names: Vec<&'static str>,
        output: &mut Output,
    ) -> anyhow::Result<Exit> {
        open(directory)?;
        let target = Target::of(directory)?;
        let paths: Vec<PathBuf> = names.into_iter().map(|name| directory.join(name)).collect();
        each(&paths, output, |path, output| {
            match target.remove(path)? {
                true => tell(output, path, "removed"),
                false if self.names.is_empty() => {}
                false if path.symlink_metadata().is_err() => {
                    return Err(Errno(libc::ENOENT).into());
                }
                false => return Err(Failure::new(Exit::InUse, "no link to ipc")),
            }
            Ok::<(), Failure>(())
        })
    }
}

/// Reports an error of the directory once, rather than of each name in it.
fn open(directory: &Path) -> anyhow::Result<()> {
    Directory::of(&directory.join("ipc")).map(drop).about(directory)
}

fn list(names: &[&str], output: &mut Output) -> anyhow::Result<()> {
    for name in names {
        output.line(name)?;
    }
    Ok(())
}

/// The nouns, and the utilities.
fn names(nouns: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    nouns.iter().copied().chain(APPLETS.iter().map(|applet| applet.name))
}
