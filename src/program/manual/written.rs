//! The pages that are written by hand, as roff: the formats of section 5, and names on servers. They are read
//! to be shown as text, where no formatter is installed.

use super::page::{Block, Font, Page, Text};

/// The words after `ipc man`, and the page.
const PAGES: [([&str; 2], &str); 6] = [
    (["5", "door"], include_str!("../../../man/ipc-door.5")),
    (["5", "lock"], include_str!("../../../man/ipc-lock.5")),
    (["5", "queue"], include_str!("../../../man/ipc-queue.5")),
    (["5", "sem"], include_str!("../../../man/ipc-sem.5")),
    (["5", "spool"], include_str!("../../../man/ipc-spool.5")),
    (["7", "remote"], include_str!("../../../man/ipc-remote.7")),
];

/// The second words that name a page of a section.
pub fn names(section: &str) -> impl Iterator<Item = &'static str> {
    PAGES.iter().filter(move |(words, _)| words[0] == section).map(|(words, _)| words[1])
}

/// The source of a page.
pub fn source(section: &str, name: &str) -> Option<&'static str> {
    PAGES.iter().find(|(words, _)| *words == [section, name]).map(|&(_, source)| source)
}

/// Reads a page with the macros of man(7) that these pages use.
pub fn read(source: &str) -> Page {
    let mut reader = Reader { levels: vec![Level::default()], ..Reader::default() };
    let mut lines = source.lines().filter(|line| !line.starts_with(".\\\"")).peekable();
    let title = words(lines.next().unwrap_or_default());
    let (name, section) = (title.get(1), title.get(2).and_then(|section| section.parse().ok()));
    // The lines below the heading NAME have the name and the description.
    lines.next();
    let about = std::iter::from_fn(|| lines.next_if(|line| !line.starts_with('.')));
    let about = plain(&inline(&about.collect::<Vec<_>>().join(" ")));
    let about = about.split_once(" - ").map_or("", |(_, about)| about).to_owned();
    let name = name.map(|name| plain(&inline(name)).to_lowercase()).unwrap_or_default();
    while let Some(line) = lines.next() {
        match line.split_whitespace().next() {
            Some(".EX" | ".nf") => {
                let is_inside = |line: &&str| !matches!(*line, ".EE" | ".fi");
                let inner = lines.by_ref().take_while(is_inside).map(|line| plain(&text(line)));
                let inner: Vec<String> = inner.collect();
                reader.push(Block::Lines(inner.join("\n")));
            }
            Some(".TP") => {
                let tag = lines.next().map(text).unwrap_or_default();
                reader.term(tag);
            }
            _ => reader.line(line),
        }
    }
    let mut page = Page::new(name, section.unwrap_or_default(), about);
    for block in reader.end() {
        page.push(block);
    }
    page
}

/// The blocks that were read, and the paragraph that is not complete.
#[derive(Default)]
struct Reader {
    /// The indents that are open, the outermost first.
    levels: Vec<Level>,
    paragraph: Text,
}

#[derive(Default)]
struct Level {
    blocks: Vec<Block>,
    /// Whether the next block belongs to the last term.
    is_below_term: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let words = words(line);
        match words.first().map(String::as_str) {
            Some(".SH") => self.heading(Block::Section(argument(&words))),
            Some(".SS") => self.heading(Block::Part(argument(&words))),
            Some(".PP") => {
                self.end_paragraph();
                self.level().is_below_term = false;
            }
            Some(".IP") => match words.get(1) {
                Some(tag) => self.term(inline(tag)),
                None => self.end_paragraph(),
            },
            Some(".br") => self.end_paragraph(),
            Some(".RS") => {
                self.end_paragraph();
                self.levels.push(Level::default());
            }
            Some(".RE") => self.end_level(),
            _ => {
                if !self.paragraph.is_empty() {
                    self.paragraph.0.push((Font::Plain, " ".to_owned()));
                }
                self.paragraph.0.extend(text(line).0);
            }
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level stays")
    }

    fn push(&mut self, block: Block) {
        self.end_paragraph();
        self.add(block);
    }

    fn add(&mut self, block: Block) {
        let level = self.level();
        match level.blocks.last_mut() {
            Some(Block::Term(_, body)) if level.is_below_term => body.push(block),
            _ => level.blocks.push(block),
        }
    }

    fn heading(&mut self, heading: Block) {
        self.end_paragraph();
        self.level().is_below_term = false;
        self.add(heading);
    }

    fn term(&mut self, tag: Text) {
        self.end_paragraph();
        let level = self.level();
        level.blocks.push(Block::Term(tag, Vec::new()));
        level.is_below_term = true;
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if !paragraph.is_empty() {
            self.add(Block::Paragraph(paragraph));
        }
    }

    fn end_level(&mut self) {
        self.end_paragraph();
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            level.blocks.into_iter().for_each(|block| self.add(block));
        }
    }

    fn end(mut self) -> Vec<Block> {
        while self.levels.len() > 1 {
            self.end_level();
        }
        self.end_paragraph();
        self.levels.pop().map(|level| level.blocks).unwrap_or_default()
    }
}

/// The words of a line of roff. Quotes enclose a word that has spaces.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    for character in line.chars() {
        match character {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The text behind a macro such as `.SH`.
fn argument(words: &[String]) -> String {
    plain(&inline(&words[1..].join(" ")))
}

/// A line of text, or of a macro that chooses fonts: `.B`, or `.BR` and others for alternating words.
fn text(line: &str) -> Text {
    let Some(rest) = line.strip_prefix('.') else { return inline(line) };
    let words = words(rest);
    let Some((fonts, words)) = words.split_first() else { return Text::default() };
    let font = |letter| match letter {
        'B' => Font::Bold,
        'I' => Font::Italic,
        _ => Font::Plain,
    };
    let fonts: Vec<Font> = fonts.chars().map(font).collect();
    let between = if fonts.len() == 1 { " " } else { "" };
    let mut text = Text::default();
    for (index, word) in words.iter().enumerate() {
        if index > 0 && !between.is_empty() {
            text = text.and(Font::Plain, between);
        }
        let parts = inline(word).0.into_iter();
        text.0.extend(parts.map(|(_, part)| (fonts[index % fonts.len()], part)));
    }
    text
}

/// Text with escapes for fonts and for characters.
fn inline(source: &str) -> Text {
    let mut text = Text::plain("");
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        push(&mut text, &rest[..at]);
        let escape = &rest[at + 1..];
        let (length, shown) = match escape.as_bytes() {
            [b'f', b'B', ..] => (2, Err(Font::Bold)),
            [b'f', b'I', ..] => (2, Err(Font::Italic)),
            [b'f', ..] => (2, Err(Font::Plain)),
            [b'(', b'b', b'u', ..] => (3, Ok("•")),
            [b'(', b'g', b'a', ..] => (3, Ok("`")),
            [b'(', b'h', b'a', ..] => (3, Ok("^")),
            [b'(', b't', b'i', ..] => (3, Ok("~")),
            [b'(', b'd', b'q', ..] => (3, Ok("\"")),
            [b'(', b'a', b'q', ..] => (3, Ok("'")),
            [b'-', ..] => (1, Ok("-")),
            [b'e', ..] => (1, Ok("\\")),
            [b'&', ..] => (1, Ok("")),
            _ => (0, Ok("\\")),
        };
        match shown {
            Ok(shown) => push(&mut text, shown),
            Err(font) => text = text.and(font, ""),
        }
        rest = &escape[length..];
    }
    push(&mut text, rest);
    text.0.retain(|(_, part)| !part.is_empty());
    text
}

fn push(text: &mut Text, part: &str) {
    if let Some((_, last)) = text.0.last_mut() {
        last.push_str(part);
    }
}

fn plain(Text(parts): &Text) -> String {
    parts.iter().map(|(_, part)| part.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{files, generated, roff, text};
    use super::*;

    /// What a page says: the text of a page that is written and read again is the same.
    #[test]
    fn a_page_that_is_written_as_roff_and_read_has_the_same_text() {
        assert!(!files().is_empty());
        for page in generated() {
            let read = read(&roff::of(&page));
            assert_eq!(text::of(&read), text::of(&page), "{}", page.name);
        }
    }

    #[test]
    fn every_page_that_is_written_by_hand_has_its_name_and_no_macros() {
        for (words, source) in PAGES {
            let page = read(source);
            let name = format!("ipc-{}", words[1]);
            assert_eq!(
                (page.name.as_str(), page.section.to_string().as_str()),
                (name.as_str(), words[0])
            );
            assert!(!page.about.is_empty(), "{name}");
            let text = text::of(&page);
            let is_macro = |line: &&str| line.trim_start().starts_with('.');
            assert_eq!(text.lines().find(is_macro), None, "{name}");
            assert!(!text.contains("\\f") && !text.contains("\\-"), "{name}");
        }
    }

    #[test]
    fn macros_with_letters_of_fonts_alternate_between_words() {
        assert_eq!(plain(&text(".BR ipc\\-lock (1)")), "ipc-lock(1)");
        assert_eq!(plain(&text(".B mq send")), "mq send");
        assert_eq!(plain(&text(".RB ( \"pop \\-\\-exec\" )")), "(pop --exec)");
        assert_eq!(text(".BI start \" TICKS\"").0[1], (Font::Italic, " TICKS".to_owned()));
    }
}
