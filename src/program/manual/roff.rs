//! Writes a page as roff, with the macros of man(7) that groff and mandoc share.

use std::fmt::Write as _;

use super::page::{Block, Font, Page, Text};
use crate::app::command::VERSION;

/// The date of the pages. It changes with the version: a page that is generated again is the same.
const DATE: &str = "2026-12-01";

/// The greatest length of a line of text in the source.
const WIDTH: usize = 78;

/// The page as roff.
pub fn of(page: &Page) -> String {
    let mut roff = Roff { text: String::new(), after: After::Heading };
    let title = page.name.to_uppercase().replace('-', "\\-");
    let _ = writeln!(
        roff.text,
        ".\\\" Written by 'make generate' from the definitions of the commands."
    );
    let _ = writeln!(roff.text, ".TH {title} {} {DATE} \"ipc {VERSION}\" ipc", page.section);
    roff.heading("SH", "NAME");
    roff.text += &filled(&Text::plain(format!("{} - {}", page.name, page.about)));
    roff.blocks(page.blocks());
    roff.text
}

struct Roff {
    text: String,
    after: After,
}

/// What the next block follows.
#[derive(Clone, Copy, PartialEq)]
enum After {
    /// The beginning of a section, or of the text of a term.
    Heading,
    /// Another block, whose end a macro has to mark.
    Block,
}

impl Roff {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Section(title) => self.heading("SH", title),
                Block::Part(title) => self.heading("SS", title),
                Block::Paragraph(text) => self.paragraph(text, ".PP\n"),
                Block::Lines(lines) => self.lines(lines),
                Block::Term(term, body) => self.term(term, body),
            }
        }
    }

    fn heading(&mut self, mac: &str, title: &str) {
        let title = escaped(title);
        let quote = if title.contains(' ') { "\"" } else { "" };
        let _ = writeln!(self.text, ".{mac} {quote}{title}{quote}");
        self.after = After::Heading;
    }

    fn paragraph(&mut self, text: &Text, begin: &str) {
        if self.after == After::Block {
            self.text += begin;
        }
        self.text += &filled(text);
        self.after = After::Block;
    }

    fn lines(&mut self, lines: &str) {
        if self.after == After::Block {
            self.text += ".PP\n";
        }
        self.text += ".RS 4\n.EX\n";
        for line in lines.trim_end().split('\n') {
            let line = escaped(line);
            let guard = if line.starts_with('.') { "\\&" } else { "" };
            let _ = writeln!(self.text, "{guard}{line}");
        }
        self.text += ".EE\n.RE\n";
        self.after = After::Block;
    }

    fn term(&mut self, term: &Text, body: &[Block]) {
        let _ = write!(self.text, ".TP\n{}\n", inline(term));
        self.after = After::Heading;
        let (text, inner) = body.split_at(body.iter().take_while(|block| is_text(block)).count());
        for block in text {
            if let Block::Paragraph(text) = block {
                self.paragraph(text, ".IP\n");
            }
        }
        if !inner.is_empty() {
            self.text += ".RS\n";
            self.blocks(inner);
            self.text += ".RE\n";
        }
        self.after = After::Block;
    }
}

fn is_text(block: &Block) -> bool {
    matches!(block, Block::Paragraph(_))
}

/// Text on one line.
fn inline(Text(parts): &Text) -> String {
    let part = |(font, text): &(Font, String)| {
        let text = escaped(text);
        match font {
            Font::Plain => text,
            Font::Bold => format!("\\fB{text}\\fR"),
            Font::Italic => format!("\\fI{text}\\fR"),
        }
    };
    parts.iter().map(part).collect()
}

/// Text in lines that end with a sentence, or at the greatest length.
fn filled(text: &Text) -> String {
    let mut lines = String::new();
    for sentence in inline(text).replace('\n', " ").split_inclusive(". ") {
        let mut line = String::new();
        for word in sentence.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                push_line(&mut lines, &line);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        push_line(&mut lines, &line);
    }
    lines
}

fn push_line(lines: &mut String, line: &str) {
    if !line.is_empty() {
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        let _ = writeln!(lines, "{guard}{line}");
    }
}

/// Text without the characters that mean something to roff.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped += "\\e",
            '-' => escaped += "\\-",
            '`' => escaped += "\\(ga",
            '^' => escaped += "\\(ha",
            '~' => escaped += "\\(ti",
            '"' => escaped += "\\(dq",
            '\'' => escaped += "\\(aq",
            c => escaped.push(c),
        }
    }
    escaped
}
