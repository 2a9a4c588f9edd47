//! `ipc-NOUN.1`: the verbs of a noun, and what holds for all of them.

use clap::Command;

use super::page::{Block, Page, Text, paragraphs};
use super::{reference, sections, synopsis};
use crate::app::command::{Noun, Verb};

/// The page of a noun.
pub fn page(noun: &'static Noun) -> Page {
    let name = format!("ipc-{}", noun.name);
    let command = Command::new(noun.name).about(noun.about).subcommand_required(true);
    let command = command.disable_help_flag(true).subcommand_value_name("VERB ...");
    let command = command.subcommands(noun.verbs.iter().map(Verb::command));
    let words = format!("ipc {}", noun.name);
    let mut page = Page::new(&name, 1, format!("{}: {}", noun.about, noun.manual.topic));
    synopsis(&mut page, &words, command.bin_name(&words));
    page.section("DESCRIPTION");
    page.paragraphs(&format!("{}: {}.", noun.about, noun.manual.topic));
    page.marked("‹ipc-guide›(1) and ‹ipc›(7) compare the mechanisms, with the traps of each.");
    page.section("VERBS");
    for verb in noun.verbs {
        let reference = Text::marked(&format!("‹{name}-{}›(1)", verb.name));
        page.push(Block::Term(reference, paragraphs(verb.about)));
    }
    sections::background(&mut page, noun);
    sections::examples(&mut page, noun.verbs.iter().filter_map(|verb| verb.examples.first()));
    let verbs = noun.verbs.iter().map(|verb| reference(&format!("{name}-{}", verb.name)));
    let others = noun.see_also.iter().map(|&page| page.to_owned());
    page.see_also([reference("ipc")].into_iter().chain(verbs).chain(others));
    page
}
