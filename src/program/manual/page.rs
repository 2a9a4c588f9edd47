//! A manual page as a list of blocks, from which roff and text are written.

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its name, such as `ipc-sem-wait`.
    pub name: String,
    /// The section of the manual.
    pub section: u8,
    /// What whatis(1) shows, and apropos(1) searches.
    pub about: String,
    blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug)]
pub enum Block {
    /// The heading of a section.
    Section(String),
    /// The heading of a part of a section.
    Part(String),
    Paragraph(Text),
    /// A term, and what is indented below it.
    Term(Text, Vec<Block>),
    /// Lines that stay as they are.
    Lines(String),
}

/// Text with fonts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text(pub Vec<(Font, String)>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Font {
    Plain,
    Bold,
    Italic,
}

impl Text {
    /// Text in one font.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![(Font::Plain, text.into())])
    }

    pub fn bold(text: impl Into<String>) -> Self {
        Self(vec![(Font::Bold, text.into())])
    }

    /// Text with `‹bold›` and `«italic»` words.
    pub fn marked(text: &str) -> Self {
        let mut parts = vec![(Font::Plain, String::new())];
        for c in text.chars() {
            match c {
                '‹' => parts.push((Font::Bold, String::new())),
                '«' => parts.push((Font::Italic, String::new())),
                '›' | '»' => parts.push((Font::Plain, String::new())),
                c => parts.last_mut().expect("there is a part").1.push(c),
            }
        }
        parts.retain(|(_, text)| !text.is_empty());
        Self(parts)
    }

    pub fn and(mut self, font: Font, text: impl Into<String>) -> Self {
        self.0.push((font, text.into()));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.is_empty())
    }
}

impl Page {
    pub fn new(name: impl Into<String>, section: u8, about: impl Into<String>) -> Self {
        Self { name: name.into(), section, about: about.into(), blocks: Vec::new() }
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub fn section(&mut self, title: &str) {
        self.blocks.push(Block::Section(title.to_owned()));
    }

    pub fn part(&mut self, title: impl Into<String>) {
        self.blocks.push(Block::Part(title.into()));
    }

    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Paragraphs that empty lines separate.
    pub fn paragraphs(&mut self, text: &str) {
        self.blocks.extend(paragraphs(text));
    }

    /// A paragraph with fonts.
    pub fn marked(&mut self, text: &str) {
        self.blocks.push(Block::Paragraph(Text::marked(text)));
    }

    /// Terms in bold, with their explanations.
    pub fn terms<T: Into<String>, E: AsRef<str>>(
        &mut self,
        terms: impl IntoIterator<Item = (T, E)>,
    ) {
        let term = |(term, text): (T, E)| Block::Term(Text::bold(term), paragraphs(text.as_ref()));
        self.blocks.extend(terms.into_iter().map(term));
    }

    /// The same with fonts, in terms and explanations.
    pub fn marked_terms<'a>(&mut self, terms: impl IntoIterator<Item = &'a (&'a str, &'a str)>) {
        for (term, text) in terms {
            let text =
                text.split("\n\n").map(|text| Block::Paragraph(Text::marked(text))).collect();
            self.blocks.push(Block::Term(Text::marked(term), text));
        }
    }

    pub fn lines(&mut self, lines: impl Into<String>) {
        self.blocks.push(Block::Lines(lines.into()));
    }

    /// The section on related pages, such as `ipc-sem(1)`.
    pub fn see_also(&mut self, pages: impl IntoIterator<Item = String>) {
        self.section("SEE ALSO");
        let mut text = Text::default();
        for page in pages {
            let (name, section) = page.split_once('(').expect("a page has a section");
            if !text.is_empty() {
                text = text.and(Font::Plain, ", ");
            }
            text = text.and(Font::Bold, name).and(Font::Plain, format!("({section}"));
        }
        self.blocks.push(Block::Paragraph(text));
    }
}

/// Paragraphs that empty lines separate.
pub fn paragraphs(text: &str) -> Vec<Block> {
    let parts = text.split("\n\n").filter(|part| !part.trim().is_empty());
    parts.map(|part| Block::Paragraph(Text::plain(part))).collect()
}
