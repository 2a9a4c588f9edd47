//! `ipc applets`: the names of links to this program.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::links::{Foreign, Step, Target};
use crate::app::objects::{each, report};
use crate::applet::APPLETS;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::io::output::{Output, escape};
use crate::sys::directory::Directory;

/// List, make or remove links
///
/// A link with the name of a noun runs that noun: 'sem post /jobs' is 'ipc sem post /jobs'. A link
/// with the name flock or mkfifo runs that utility, with all its options.
///
/// The links are symbolic. Their targets are relative in the directory of the program, and absolute
/// elsewhere. After an error no link has changed. Links to another version, also hard ones, are
/// replaced; another file with the name is an error, unless --force replaces it. Names of other
/// programs in PATH are left out, unless they are given as LINK.
#[derive(Debug, clap::Args, Plain)]
pub struct Applets {
    /// Make the links in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "remove")]
    install: Option<PathBuf>,
    /// Remove the links from this directory
    #[arg(long, value_name = "DIR")]
    remove: Option<PathBuf>,
    /// Path of the program when the links are used, if it differs
    #[arg(long, value_name = "PATH", requires = "install", conflicts_with = "remove")]
    target: Option<PathBuf>,
    /// Replace files with these names
    #[arg(long, requires = "install", conflicts_with = "remove")]
    force: bool,
    /// Names of the links; default all
    #[arg(value_name = "LINK")]
    names: Vec<String>,
}

impl Action for Applets {
    const EXAMPLES: &'static [Example] = &[
        ("List the names", "ipc applets"),
        ("Make links beside 'ipc', such as 'sem'", "ipc applets --install ~/bin"),
        ("Make only two links", "ipc applets --install ~/bin shm flock"),
        (
            "Make links in the tree of a package",
            "ipc applets --install pkg/usr/libexec/ipc --target /usr/bin/ipc sem shm",
        ),
        ("Remove the links", "ipc applets --remove ~/bin"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let known: Vec<&'static str> = names(context.nouns).collect();
        if let Some(unknown) = self.names.iter().find(|name| !known.contains(&name.as_str())) {
            let failure = Failure::new(Exit::Usage, "not a name of a link")
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
    /// The given names, or all.
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
                Step::Keep => "exists already",
                Step::Make => "made",
                Step::Replace => "replaced",
            };
            output.note(format_args!("{}: {what}", escape(path.as_os_str().as_encoded_bytes())));
        }
        Ok(())
    }

    /// The given names, or all that no other program in PATH has.
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
                "'ipc applets --install {} {last}' makes the link anyway",
                escape(directory.as_os_str().as_encoded_bytes())
            );
            let failure = Failure::failed(format!("left out names in PATH: {others}")).hint(hint);
            output.error(&anyhow!(failure));
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
                true => report(output, path, "removed"),
                false if self.names.is_empty() => {}
                false if path.symlink_metadata().is_err() => {
                    return Err(Errno(libc::ENOENT).into());
                }
                false => return Err(Failure::new(Exit::InUse, "not a link to ipc")),
            }
            Ok::<(), Failure>(())
        })
    }
}

/// Checks the directory, so that its error is reported once, not for each name.
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
