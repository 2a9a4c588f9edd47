//! Rows of cells, in columns below their headings.

use std::borrow::Cow;

use super::medium::Medium;

/// The separator of two columns.
const GAP: &[u8] = b"  ";

/// The end of a cell that is cut, as in less(1).
const CUT: u8 = b'>';

/// The beginning of a path that is cut: the end of a path tells more than its beginning.
const CUT_BEFORE: u8 = b'<';

/// The columns that become narrower for a narrow terminal, and their least widths: long lists, of which the
/// beginning is enough, long texts, headers above numbers, then all lists and texts.
const NARROWED: [(Cells, usize); 5] =
    [(Cells::List, 12), (Cells::Text, 24), (Cells::Number, 6), (Cells::List, 8), (Cells::Text, 8)];

/// The lines of a listing, with their newlines, and not wider than a terminal. `rows` has the cells of one row
/// after the other.
pub fn lines<'a>(
    headings: Option<Vec<Cow<'a, [u8]>>>,
    rows: Vec<Cow<'a, [u8]>>,
    cells: &[Cells],
    medium: Medium,
) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let count = cells.len();
    let of = |index: usize| {
        let below = rows.iter().skip(index).step_by(count);
        Column::new(headings.as_ref().map(|headings| &*headings[index]), below, cells[index])
    };
    let mut columns: Vec<Column> = (0..count).map(of).collect();
    let most = medium.width().unwrap_or(usize::MAX);
    narrow(&mut columns, most);
    let above = headings.map(|headings| line(&headings, &columns, most));
    let total = rows.len().checked_div(count).unwrap_or(0);
    let below = (0..total).map(move |row| line(&rows[row * count..][..count], &columns, most));
    above.into_iter().chain(below)
}

/// A column of a listing.
struct Column {
    width: usize,
    /// The least width: a number is never cut.
    least: usize,
    cells: Cells,
}

impl Column {
    fn new<'c>(
        heading: Option<&[u8]>,
        below: impl Iterator<Item = &'c Cow<'c, [u8]>>,
        cells: Cells,
    ) -> Self {
        let widest = below.map(|cell| width(cell)).max().unwrap_or(0);
        let least = if cells == Cells::Number { widest } else { 0 };
        Self { width: widest.max(heading.map_or(0, width)), least, cells }
    }
}

/// Makes the widest of the [`NARROWED`] columns narrower until a line fits, or none can be
/// narrower.
fn narrow(columns: &mut [Column], most: usize) {
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    let mut total: usize = columns.iter().map(|column| column.width).sum::<usize>() + gaps;
    for (cells, least) in NARROWED {
        while total > most {
            let mut wide: Vec<&mut Column> = columns.iter_mut().collect();
            wide.retain(|c| c.cells == cells && c.width > c.least.max(least));
            let Some(widest) = wide.into_iter().max_by_key(|column| column.width) else { break };
            widest.width -= 1;
            total -= 1;
        }
    }
}

/// What the cells of a column have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cells {
    /// A text, or a word.
    Text,
    /// A number, aligned to the right, also if some are missing.
    Number,
    /// Several values.
    List,
}

/// A row of a listing, with each cell as wide as its column.
fn line(row: &[Cow<'_, [u8]>], columns: &[Column], most: usize) -> Vec<u8> {
    let usual: usize = columns.iter().map(|column| column.width + GAP.len()).sum();
    let mut line = Vec::with_capacity(usual.min(most));
    for (cell, column) in row.iter().zip(columns) {
        let cell = shortened_cell(cell, column.width);
        let padding = std::iter::repeat_n(b' ', column.width - width(&cell));
        if column.cells == Cells::Number {
            line.extend(padding);
            line.extend_from_slice(&cell);
        } else {
            line.extend_from_slice(&cell);
            line.extend(padding);
        }
        line.extend_from_slice(GAP);
    }
    line.truncate(line.trim_ascii_end().len());
    if width(&line) > most {
        line = shortened(&line, most).into_owned();
    }
    line.push(b'\n');
    line
}

/// A text of at most this number of columns: the whole, or its beginning and [`CUT`].
fn shortened(text: &[u8], most: usize) -> Cow<'_, [u8]> {
    if width(text) <= most {
        return text.into();
    }
    // For a terminal, bytes that are not UTF-8 are escaped already.
    let text = String::from_utf8_lossy(text);
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    [kept.as_bytes(), &[CUT]].concat().into()
}

/// The same, and of a path of several directories the end.
fn shortened_cell(text: &[u8], most: usize) -> Cow<'_, [u8]> {
    let is_path = text.first() == Some(&b'/') && text[1..].contains(&b'/');
    let width = width(text);
    if width <= most || !is_path {
        return shortened(text, most);
    }
    let text = String::from_utf8_lossy(text);
    let kept: String = text.chars().skip(width - most.saturating_sub(1)).collect();
    [&[CUT_BEFORE], kept.as_bytes()].concat().into()
}

/// The number of columns of a text on a terminal, with one column for each character.
fn width(text: &[u8]) -> usize {
    // Most texts are.
    if text.is_ascii() {
        return text.len();
    }
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
