//! `ipc-NOUN-VERB.1`: one verb, with its options.

use super::page::{Block, Font, Page, Text, paragraphs};
use super::{name_of, options, reference, sections, synopsis};
use crate::app::command::{Effect, REAPS_NOTHING, Statuses, VerbPath};
use crate::app::listing::{Json, Shape};
use crate::base::exit;
use crate::io::output::{Key, Type};

/// The page of a verb.
pub fn page(path: VerbPath) -> Page {
    let VerbPath { noun, verb } = path;
    let words = format!("ipc {}", path.words());
    let topic = noun.map_or("", |noun| noun.manual.topic);
    let topic = if topic.is_empty() { String::new() } else { format!(" ({topic})") };
    let mut page = Page::new(name_of(path), 1, format!("{}{topic}", verb.about));
    synopsis(&mut page, &words, verb.command().bin_name(&words));
    page.section("DESCRIPTION");
    description(&mut page, &verb.command());
    options::write(&mut page, verb.command());
    json(&mut page, verb.json);
    page.section("EXIT STATUS");
    page.terms(exit::MEANINGS);
    statuses(&mut page, verb.statuses);
    if let Some(noun) = noun {
        sections::background(&mut page, noun);
    }
    if verb.effect == Effect::BecomesCommand {
        page.section("NOTES");
        page.paragraphs(REAPS_NOTHING);
    }
    sections::examples(&mut page, verb.examples.iter());
    let of_noun = noun.into_iter().flat_map(|noun| {
        let own = reference(&format!("ipc-{}", noun.name));
        [own].into_iter().chain(noun.see_also.iter().map(|&page| page.to_owned()))
    });
    page.see_also([reference("ipc")].into_iter().chain(of_noun));
    page
}

/// The long description, without the first line, which the section NAME has.
fn description(page: &mut Page, command: &clap::Command) {
    let long = command.get_long_about().or_else(|| command.get_about());
    let text = long.map(ToString::to_string).unwrap_or_default();
    let (first, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let end = if first.ends_with('.') { "" } else { "." };
    page.paragraphs(&format!("{first}{end}"));
    // A note that applies to several verbs is in the section NOTES.
    let parts = rest.split("\n\n").filter(|part| *part != REAPS_NOTHING);
    page.paragraphs(&parts.collect::<Vec<_>>().join("\n\n"));
}

fn statuses(page: &mut Page, statuses: Statuses) {
    let words = match statuses {
        Statuses::Own => return,
        Statuses::OfCommand => "Otherwise the status is the status of COMMAND:",
        Statuses::OfCommandIfAny => "With a COMMAND, the status is 1, 2, 124 or:",
        Statuses::OfProcedure => {
            let words =
                "Otherwise the status is that of the procedure, 128+N if it died of signal N.";
            return page.paragraphs(words);
        }
    };
    page.paragraphs(words);
    page.terms(exit::COMMAND_MEANINGS);
}

/// The section on the output with `--json`.
fn json(page: &mut Page, parts: &[Json]) {
    if parts.is_empty() {
        return;
    }
    page.section("JSON");
    for part in parts {
        let shape = match part.shape {
            Shape::Object => "One object with these keys",
            Shape::Array => "An array of objects with these keys",
            Shape::Lines => "A line for each message or event: an object with these keys",
            Shape::Numbers => "An array of numbers.",
        };
        let of = part.of.map_or(String::new(), |objects| format!(", for {objects}"));
        let keys = (part.keys)();
        let end = if keys.is_empty() { "" } else { ":" };
        page.paragraphs(&format!("{shape}{of}{end}"));
        for block in key_terms(keys, part.shape) {
            page.push(block);
        }
    }
}

fn key_terms(keys: Vec<&Key>, shape: Shape) -> Vec<Block> {
    let term = |key: &Key| {
        let absence = match (key.only, shape) {
            (None, _) => String::new(),
            (Some(only), Shape::Array) => format!(" It is null except for {only}."),
            (Some(only), _) => format!(" Only for {only}."),
        };
        let name = Text::bold(key.name).and(Font::Plain, " (");
        let name = name.and(Font::Italic, json_type(key, shape)).and(Font::Plain, ")");
        let mut body = paragraphs(&format!("{}.{absence}", key.meaning));
        if let Type::Objects(inner) = key.kind {
            body.extend(key_terms(inner.iter().collect(), Shape::Object));
        }
        Block::Term(name, body)
    };
    keys.into_iter().map(term).collect()
}

/// The type of a key in the words of the page.
pub fn json_type(key: &Key, shape: Shape) -> String {
    let is_optional = key.is_optional || (key.only.is_some() && shape == Shape::Array);
    format!("{}{}", key.kind.in_json(), if is_optional { ", or null" } else { "" })
}
