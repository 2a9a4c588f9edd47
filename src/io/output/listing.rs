//! The properties of several objects, in columns below a header.

use std::borrow::Cow;

use serde_json::Value;

use crate::io::output::record::{Medium, Record};

/// The separator of two columns.
const GAP: &[u8] = b"  ";

/// The end of a cell that is cut, as in less(1).
const CUT: u8 = b'>';

/// The columns that become narrower for a narrow terminal, and their least widths: long texts, then
/// headers above numbers, then all texts.
const NARROWED: [(Alignment, usize); 3] =
    [(Alignment::Left, 24), (Alignment::Right, 6), (Alignment::Left, 8)];

/// The lines of a listing, with their newlines, and not wider than a terminal. All records have the
/// columns of the first one; without a record there is no header.
pub fn lines(records: &[Record], medium: Medium) -> impl Iterator<Item = Vec<u8>> {
    let header = records.first().map(|first| {
        first.readable().map(|field| Cow::from(field.key.to_uppercase().into_bytes())).collect()
    });
    let row = |record| Record::readable(record).map(|field| field.shown_on(medium)).collect();
    let rows: Vec<Vec<Cow<'_, [u8]>>> = header.into_iter().chain(records.iter().map(row)).collect();
    let count = rows.first().map_or(0, Vec::len);
    let mut columns: Vec<Column> =
        (0..count).map(|index| Column::new(&rows, index, Alignment::of(records, index))).collect();
    let most = medium.width().unwrap_or(usize::MAX);
    narrow(&mut columns, most);
    rows.into_iter().map(move |row| line(&row, &columns, most))
}

/// A column of a listing.
struct Column {
    width: usize,
    /// The least width: a number is never cut.
    least: usize,
    alignment: Alignment,
}

impl Column {
    fn new(rows: &[Vec<Cow<'_, [u8]>>], index: usize, alignment: Alignment) -> Self {
        let widest = |rows: &[Vec<Cow<'_, [u8]>>]| {
            rows.iter().map(|row| width(&row[index])).max().unwrap_or(0)
        };
        let least = if alignment == Alignment::Right { widest(&rows[1..]) } else { 0 };
        Self { width: widest(rows), least, alignment }
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
enum Alignment {
    Left,
    /// The alignment of numbers, also if some are missing.
    Right,
}

impl Alignment {
    fn of(records: &[Record], column: usize) -> Self {
        let mut cells = records.iter().filter_map(|record| record.readable().nth(column));
        let has_numbers = cells.clone().any(|cell| cell.value.is_number());
        let has_others = cells.any(|cell| !matches!(cell.value, Value::Number(_) | Value::Null));
        if has_numbers && !has_others { Self::Right } else { Self::Left }
    }
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
