//! Sections that the pages of nouns and of verbs have.

use super::page::Page;
use crate::app::command::{Example, Noun};

/// What holds for all verbs of a noun: variables, files and standards.
pub fn background(page: &mut Page, noun: &Noun) {
    let manual = &noun.manual;
    if !manual.environment.is_empty() {
        page.section("ENVIRONMENT");
        page.marked_terms(manual.environment);
    }
    if !manual.files.is_empty() {
        page.section("FILES");
        page.marked_terms(manual.files);
    }
    if !manual.standards.is_empty() {
        page.section("STANDARDS");
        page.marked(manual.standards);
    }
}

/// Lines of shell, each below its purpose.
pub fn examples<'a>(page: &mut Page, examples: impl Iterator<Item = &'a Example>) {
    page.section("EXAMPLES");
    for (what, line) in examples {
        page.paragraphs(&format!("{what}:"));
        page.lines(*line);
    }
}
