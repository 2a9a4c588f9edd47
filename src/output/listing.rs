//! What is known of many objects, in columns below a header.

use std::borrow::Cow;

use serde_json::Value;

use super::record::{Medium, Record};

/// The lines of a listing, each with its newline. The first record has the columns of all; without
/// one there is no header.
pub fn lines(records: &[Record], medium: Medium) -> impl Iterator<Item = Vec<u8>> {
    let header = records.first().map(|first| {
        first.readable().map(|field| Cow::from(field.key.to_uppercase().into_bytes())).collect()
    });
    let row = |record| Record::readable(record).map(|field| field.shown_on(medium)).collect();
    let rows: Vec<Vec<Cow<'_, [u8]>>> = header.into_iter().chain(records.iter().map(row)).collect();
    let columns: Vec<(usize, Alignment)> = (0..rows.first().map_or(0, Vec::len))
        .map(|column| {
            let widest = rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
            (widest, Alignment::of(records, column))
        })
        .collect();
    rows.into_iter().map(move |row| align(&row, &columns))
}

/// Where a cell stands in its column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Alignment {
    Left,
    /// As numbers do, of which some may be missing.
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

/// A row of a listing: each cell as wide as its column.
fn align(row: &[Cow<'_, [u8]>], columns: &[(usize, Alignment)]) -> Vec<u8> {
    let mut line = Vec::new();
    for (cell, &(widest, alignment)) in row.iter().zip(columns) {
        let padding = vec![b' '; widest - width(cell)];
        let (before, after) = match alignment {
            Alignment::Left => (vec![], padding),
            Alignment::Right => (padding, vec![]),
        };
        line.extend([&before, &**cell, &after, b"  "].concat());
    }
    line.truncate(line.trim_ascii_end().len());
    line.push(b'\n');
    line
}

/// The columns that a text takes on a terminal, as far as counting characters can tell.
fn width(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
