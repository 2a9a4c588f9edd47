//! `ipc man`: the manual pages, which need not be installed.

use std::ffi::OsString;
use std::os::fd::AsFd;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::{Context, PageForm};
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::run::job::{Command, Job};
use crate::sys::spawn::Streams;
use crate::sys::{executable, memfd, stdio};

/// Show a manual page
///
/// Without operands, it is that of 'ipc'. The pages need not be installed.
///
/// On a terminal, man(1) or mandoc(1) formats the page, or the pager of the environment shows it as
/// text. Elsewhere the page is printed as text of 78 columns.
#[derive(Debug, clap::Args, Plain)]
pub struct Man {
    /// A noun or a command; 7 for the guide to the mechanisms, 5 before the noun of a format
    #[arg(value_name = "PAGE")]
    page: Option<String>,
    /// A verb of the noun; behind 5: door, lock, queue, sem or spool; behind 7: remote
    #[arg(value_name = "VERB")]
    verb: Option<String>,
    /// Print the source, for man(1) and other formatters
    #[arg(long)]
    roff: bool,
}

impl Action for Man {
    const EXAMPLES: &'static [Example] = &[
        ("Read about a verb", "ipc man sem run"),
        ("Search in a page", "ipc man sock serve | grep -n IPC_PEER"),
        ("Compare the mechanisms", "ipc man 7"),
        ("Read about the format of lock files", "ipc man 5 lock"),
        ("Read about names on servers", "ipc man 7 remote"),
        ("Print a page", "ipc man --roff shm | groff -man -Tpdf >shm.pdf"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let words: Vec<&str> = self.page.iter().chain(&self.verb).map(String::as_str).collect();
        let page = |form| {
            (context.manual)(&words, form).ok_or_else(|| {
                let failure = Failure::new(Exit::NotFound, "no such page")
                    .hint("'ipc --help' lists the nouns and commands, 'ipc NOUN -h' the verbs, 'ipc man -h' other pages");
                about(failure, words.join(" "))
            })
        };
        if self.roff {
            let source = page(PageForm::Roff)?;
            context.output.text(source)?;
            return Ok(Exit::Done);
        }
        let text = page(PageForm::Text)?;
        if stdio::is_terminal(context.stdout) {
            let pager = context.environment.get("PAGER").filter(|pager| !pager.is_empty());
            let source = page(PageForm::Roff)?;
            if show(FORMATTERS, &source)? || show_in(pager, &text)? || show(PAGERS, &text)? {
                return Ok(Exit::Done);
            }
        }
        context.output.text(text)?;
        Ok(Exit::Done)
    }
}

/// Programs that format a page from stdin and show it.
const FORMATTERS: &[&[&str]] = &[&["man", "-l", "-"], &["mandoc", "-a"]];

/// Programs that show text from stdin.
const PAGERS: &[&[&str]] = &[&["less"], &["more"]];

/// Shows a text in the pager of the environment, which is a line of shell.
fn show_in(pager: Option<OsString>, text: &str) -> anyhow::Result<bool> {
    let Some(pager) = pager else { return Ok(false) };
    runs(&["sh".into(), "-c".into(), pager], text)
}

/// Gives a text to the first of these programs that works; `false` if there is none.
fn show(programs: &[&[&str]], text: &str) -> anyhow::Result<bool> {
    for words in programs {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        if executable::in_path(&words[0]).is_some() && runs(&words, text)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs a program with a text as stdin; `false` if it fails, as a man(1) without the option does.
fn runs(words: &[OsString], text: &str) -> anyhow::Result<bool> {
    let input = memfd::with(text.as_bytes()).about("memfd")?;
    let mut job = Job::new(None);
    let streams = Streams { input: Some(input.as_fd()), ..Streams::default() };
    job.start(&Command::new(words)?, streams)?;
    Ok(job.finish()?.first() == Some(&Exit::Command(0)))
}
