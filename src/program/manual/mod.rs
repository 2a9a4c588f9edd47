//! Manual pages, from the definitions of the commands: `make generate` writes them as roff, and `ipc man`
//! shows them, and those that are written by hand.

mod guide;
mod noun;
mod options;
mod overview;
mod page;
mod roff;
mod sections;
mod text;
mod verb;
mod written;

pub use self::options::word_of;
pub use self::verb::json_type;
pub use self::written::names as written_by_hand;

use self::page::Page;
use super::catalog::{COMMANDS, NOUNS};
use crate::app::command::{Noun, Verb, VerbPath};
use crate::app::context::PageForm;

/// All verbs, and the nouns that they belong to.
pub fn verbs() -> impl Iterator<Item = VerbPath> {
    let of_nouns = NOUNS
        .iter()
        .flat_map(|noun| noun.verbs.iter().map(|verb| VerbPath { noun: Some(noun), verb }));
    of_nouns.chain(COMMANDS.iter().map(|verb| VerbPath { noun: None, verb }))
}

/// Every generated page as roff, by its file name.
pub fn files() -> Vec<(String, String)> {
    let file = |page: Page| (format!("{}.{}", page.name, page.section), roff::of(&page));
    generated().map(file).collect()
}

fn generated() -> impl Iterator<Item = Page> {
    let pages = [overview::page(), guide::page()].into_iter();
    pages.chain(NOUNS.iter().map(noun::page)).chain(verbs().map(verb::page))
}

/// The page of a verb, of a noun, or of the program; `7` is the guide, and `5` before a noun its format. `None`
/// if there is none.
pub fn shown(words: &[&str], form: PageForm) -> Option<String> {
    if let [section @ ("5" | "7"), name] = *words {
        let source = written::source(section, name)?;
        return Some(match form {
            PageForm::Roff => source.to_owned(),
            PageForm::Text => text::of(&written::read(source)),
        });
    }
    let page = match *words {
        [] => overview::page(),
        ["7"] => guide::page(),
        [name] => match NOUNS.iter().find(|noun| noun.name == name) {
            Some(noun) => noun::page(noun),
            None => verb::page(find(None, name)?),
        },
        [noun, verb] => verb::page(find(Some(NOUNS.iter().find(|one| one.name == noun)?), verb)?),
        _ => return None,
    };
    Some(match form {
        PageForm::Roff => roff::of(&page),
        PageForm::Text => text::of(&page),
    })
}

fn find(noun: Option<&'static Noun>, name: &str) -> Option<VerbPath> {
    let verbs = noun.map_or(COMMANDS, |noun| noun.verbs);
    let is_called = |verb: &&Verb| verb.name == name || verb.alias == Some(name);
    verbs.iter().find(is_called).map(|verb| VerbPath { noun, verb })
}

/// The name of the page of a verb.
fn name_of(path: VerbPath) -> String {
    format!("ipc-{}", path.words().replace(' ', "-"))
}

/// A related page of a section, such as `ipc-sem(1)`.
fn reference(name: &str) -> String {
    format!("{name}(1)")
}

/// The synopsis from a usage line of clap.
fn synopsis(page: &mut Page, words: &str, mut command: clap::Command) {
    use self::page::{Block, Font, Text};
    let usage = command.render_usage().to_string();
    let rest = usage.trim_start_matches("Usage: ").trim_start_matches(words).trim();
    let rest = rest.replace("[OPTIONS]", "[<OPTION>]...");
    let rest = rest.replace("<COMMAND>...", "<COMMAND> [<ARG>]...");
    let mut text = Text::bold(words).and(Font::Plain, " ");
    // Values are in italics. Braces enclose options of which one is chosen.
    let mut open = Vec::new();
    for (at, c) in rest.char_indices() {
        match c {
            '<' if rest[at..].starts_with("<-") => {
                open.push('}');
                text = text.and(Font::Plain, "{");
            }
            '<' => {
                open.push('>');
                text = text.and(Font::Italic, "");
            }
            '>' => {
                let end = if open.pop() == Some('}') { "}" } else { "" };
                text = text.and(Font::Plain, end);
            }
            c => text.0.last_mut().expect("there is a part").1.push(c),
        }
    }
    text.0.retain(|(_, part)| !part.is_empty());
    page.section("SYNOPSIS");
    page.push(Block::Paragraph(text));
}
