//! Rows of cells, in columns below their headings.

use std::borrow::Cow;

use super::medium::Medium;

/// The separator of two columns.
const GAP: &[u8] = b"  ";

/// The end of a cell that is cut, as in less(1).
const CUT: u8 = b'>';

/// The columns that become narrower for a narrow terminal, and their least widths: long texts, then
/// headers above numbers, then all texts.
const NARROWED: [(Alignment, usize); 3] =
    [(Alignment::Left, 24), (Alignment::Right, 6), (Alignment::Left, 8)];

/// The lines of a listing, with their newlines, and not wider than a terminal.
pub fn lines<'a>(
    headings: Option<Vec<Cow<'a, [u8]>>>,
    rows: Vec<Vec<Cow<'a, [u8]>>>,
    alignments: &[Alignment],
    medium: Medium,
) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let mut columns: Vec<Column> = alignments
        .iter()
        .enumerate()
        .map(|(index, &alignment)| Column::new(headings.as_deref(), &rows, index, alignment))
        .collect();
    let most = medium.width().unwrap_or(usize::MAX);
    narrow(&mut columns, most);
    headings.into_iter().chain(rows).map(move |row| line(&row, &columns, most))
}

/// A column of a listing.
struct Column {
    width: usize,
    /// The least width: a number is never cut.
    least: usize,
    alignment: Alignment,
}

impl Column {
    fn new(
        headings: Option<&[Cow<'_, [u8]>]>,
        rows: &[Vec<Cow<'_, [u8]>>],
        index: usize,
        alignment: Alignment,
    ) -> Self {
        let widest = rows.iter().map(|row| width(&row[index])).max().unwrap_or(0);
        let least = if alignment == Alignment::Right { widest } else { 0 };
        let heading = headings.map_or(0, |headings| width(&headings[index]));
        Self { width: widest.max(heading), least, alignment }
    }
}

/// Makes the widest of the [`NARROWED`] columns narrower until a line fits, or none can be
/// narrower.
fn narrow(columns: &mut [Column], most: usize) {
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    let mut total: usize = columns.iter().map(|column| column.width).sum::<usize>() + gaps;
    for (alignment, least) in NARROWED {
        while total > most {
            let mut wide: Vec<&mut Column> = columns.iter_mut().collect();
            wide.retain(|c| c.alignment == alignment && c.width > c.least.max(least));
            let Some(widest) = wide.into_iter().max_by_key(|column| column.width) else { break };
            widest.width -= 1;
            total -= 1;
        }
    }
}

/// The alignment of the cells of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alignment {
    Left,
    /// The alignment of numbers, also if some are missing.
    Right,
}

/// A row of a listing, with each cell as wide as its column.
fn line(row: &[Cow<'_, [u8]>], columns: &[Column], most: usize) -> Vec<u8> {
    let mut line = Vec::new();
    for (cell, column) in row.iter().zip(columns) {
        let cell = shortened(cell, column.width);
        let padding = vec![b' '; column.width - width(&cell)];
        let (before, after) = match column.alignment {
            Alignment::Left => (vec![], padding),
            Alignment::Right => (padding, vec![]),
        };
        line.extend([&before, &*cell, &after, GAP].concat());
    }
    line.truncate(line.trim_ascii_end().len());
    let mut line = shortened(&line, most).into_owned();
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

/// The number of columns of a text on a terminal, with one column for each character.
fn width(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
