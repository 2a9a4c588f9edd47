//! Writes a page as text, for a pipe and where no formatter is installed.

use super::page::{Block, Page, Text};
use crate::app::command::VERSION;

/// The widths of lines, and of indents.
const WIDTH: usize = 78;
const INDENT: usize = 7;

/// The page as text.
pub fn of(page: &Page) -> String {
    let title = format!("{}({})", page.name.to_uppercase(), page.section);
    let source = format!("ipc {VERSION}");
    let room = WIDTH.saturating_sub(2 * title.len() + source.len()) / 2;
    let mut text = format!("{title}{:room$}{source}{:room$}{title}\n\nNAME\n", "", "");
    fill(&mut text, INDENT, &format!("{} - {}", page.name, page.about));
    blocks(&mut text, page.blocks(), INDENT);
    text
}

fn blocks(text: &mut String, blocks_: &[Block], indent: usize) {
    for block in blocks_ {
        match block {
            Block::Section(title) => *text += &format!("\n{title}\n"),
            Block::Part(title) => *text += &format!("\n   {title}\n"),
            Block::Paragraph(paragraph) => {
                separate(text);
                fill(text, indent, &plain(paragraph));
            }
            Block::Lines(lines) => {
                separate(text);
                let margin = " ".repeat(indent + 4);
                for line in lines.trim_end().split('\n') {
                    *text += format!("{margin}{line}").trim_end();
                    text.push('\n');
                }
            }
            Block::Term(term, body) => {
                separate(text);
                *text += &format!("{:indent$}{}\n", "", plain(term));
                let (first, rest) = body.split_at(1.min(body.len()));
                if let [Block::Paragraph(paragraph)] = first {
                    fill(text, indent + INDENT, &plain(paragraph));
                    blocks(text, rest, indent + INDENT);
                } else {
                    blocks(text, body, indent + INDENT);
                }
            }
        }
    }
}

/// An empty line, unless a heading is above.
fn separate(text: &mut String) {
    let last = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    let is_heading = !last.starts_with("    ");
    if !is_heading && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

fn plain(Text(parts): &Text) -> String {
    parts.iter().map(|(_, text)| text.as_str()).collect::<String>().replace('\n', " ")
}

/// Words in lines of the width.
fn fill(text: &mut String, indent: usize, words: &str) {
    let margin = " ".repeat(indent);
    let mut line = String::new();
    for word in words.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            *text += &format!("{margin}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    *text += &format!("{margin}{line}\n");
}
