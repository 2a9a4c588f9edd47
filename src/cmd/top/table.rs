//! The table of the screen: which columns there are at a width, and how they are drawn.

use std::borrow::Cow;

use ratatui_core::buffer::{Buffer, CellWidth};
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::cells::{Column, cell, name};
use super::sort::Sort;
use super::state::State;
use super::view::{Arrangement, Content, Node, Row};
use crate::mechanism::survey::Fill;

/// A column and its width.
type Placed = (Column, u16);

/// The blanks between columns.
const GAP: u16 = 1;

/// The columns behind the name, with their widths and the width of the screen that they need.
const NUMBERS: [(Column, u16, u16); 9] = [
    (Column::Of(Sort::Size), 7, 46),
    (Column::Of(Sort::Count), 6, 40),
    (Column::Of(Sort::Fill), 9, 72),
    (Column::Of(Sort::Messages), 7, 54),
    (Column::Of(Sort::Bytes), 7, 62),
    (Column::Of(Sort::Waiting), 4, 0),
    (Column::Of(Sort::Users), 5, 68),
    (Column::Of(Sort::Age), 5, 96),
    (Column::Of(Sort::Owner), 8, 104),
];

/// The width of a screen that has the names of the processes, too.
const WITH_HOLDERS: u16 = 116;

/// The columns of a screen of this width.
fn columns(arrangement: Arrangement, width: u16) -> Vec<Placed> {
    let kind = (arrangement != Arrangement::Kinds).then_some((Column::Kind, 8));
    let numbers = NUMBERS.iter().filter(|(.., least)| width >= *least);
    let numbers: Vec<Placed> = numbers.map(|&(column, width, _)| (column, width)).collect();
    let taken: u16 = kind.iter().chain(&numbers).map(|(_, width)| width + GAP).sum();
    let free = width.saturating_sub(taken);
    let has_holders = width >= WITH_HOLDERS;
    let name = if has_holders { free * 3 / 5 } else { free };
    let holders = has_holders.then(|| (Column::Holders, free - name - GAP));
    // In a tree of processes the name is that of a process, too, and stands before the kind.
    let mut placed = vec![(Column::Name, name)];
    let at = if arrangement == Arrangement::List { 0 } else { 1 };
    kind.into_iter().for_each(|kind| placed.insert(at, kind));
    placed.into_iter().chain(numbers).chain(holders).collect()
}

/// Draws the headings and the rows.
pub fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let columns = columns(state.view.arrangement, area.width);
    let heading = Rect { height: 1, ..area };
    buffer.set_style(heading, state.theme.heading());
    draw_headings(state, &columns, heading, buffer);
    let shown = state.rows.iter().enumerate().skip(state.first);
    for ((index, row), y) in shown.zip(area.y + 1..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        draw_row(state, row, &columns, line, buffer);
        if index == state.selected && state.has_selection {
            // The text of the row has one colour, or it may be unreadable.
            buffer.set_style(line, Style::reset().patch(state.theme.selected()));
        }
    }
}

fn draw_headings(state: &State, columns: &[Placed], line: Rect, buffer: &mut Buffer) {
    let mut x = line.x;
    for &(column, width) in columns {
        let is_sorted = column.is_sorted(state.view.sort);
        let mut text = match (column, state.view.arrangement) {
            (Column::Holders, Arrangement::Processes) => "USE".to_owned(),
            _ => column.heading().to_owned(),
        };
        if is_sorted {
            let is_descending = state.view.sort.is_descending() != state.view.is_reversed;
            text.push_str(state.theme.signs.order[usize::from(is_descending)]);
        }
        let style = if is_sorted { state.theme.sorted() } else { state.theme.heading() };
        put(buffer, (x, line.y, width), (&text, style), column.is_right(), state);
        x += width + GAP;
    }
}

fn draw_row(state: &State, row: &Row, columns: &[Placed], line: Rect, buffer: &mut Buffer) {
    let mut x = line.x;
    for &(column, width) in columns {
        match (column, &row.content) {
            (Column::Name, _) => draw_name(state, row, (x, line.y, width), buffer),
            (Column::Of(Sort::Fill), Content::Object(index) | Content::Use(index, _)) => {
                let item = &state.frame.items[*index];
                let fill = item.object.activity.fill.filter(|_| !item.is_gone());
                draw_fill(state, fill, (x, line.y, width), buffer);
            }
            _ => {
                let (text, style) = cell(state, row, column);
                put(buffer, (x, line.y, width), (&text, style), column.is_right(), state);
            }
        }
        x += width + GAP;
    }
    if is_in_cycle(state, row) {
        buffer.set_style(line, Style::reset().patch(state.theme.alert()));
    }
}

fn is_in_cycle(state: &State, row: &Row) -> bool {
    match (&row.content, &row.node) {
        (Content::Object(index) | Content::Use(index, _), _) => {
            state.frame.items[*index].is_in_cycle
        }
        (Content::Group(_), Node::Process(pid)) => {
            state.frame.cycles.iter().flatten().any(|wait| wait.waiter == *pid)
        }
        (Content::Group(sums), _) => sums.is_in_cycle && row.is_open == Some(false),
    }
}

/// The place of a text: column, row and width.
type Place = (u16, u16, u16);

/// Writes a text in a place, cut if it is too long.
fn put(
    buffer: &mut Buffer,
    (x, y, width): Place,
    (text, style): (&str, Style),
    is_right: bool,
    state: &State,
) {
    let length = text.cell_width();
    if length > width {
        let cut = state.theme.signs.cut;
        let (end, _) = buffer.set_stringn(x, y, text, usize::from(width.saturating_sub(1)), style);
        buffer.set_stringn(end, y, cut, usize::from(width.min(1)), style);
        return;
    }
    let x = if is_right { x + width - length } else { x };
    buffer.set_stringn(x, y, text, usize::from(width), style);
}

fn draw_name(state: &State, row: &Row, (x, y, width): Place, buffer: &mut Buffer) {
    let end = x + width;
    let mut x = x;
    let mut add = |text: &str, style: Style, buffer: &mut Buffer| {
        let text = if_path(text, end.saturating_sub(x), state.theme.signs.cut);
        put(buffer, (x, y, end.saturating_sub(x)), (&text, style), false, state);
        x = (x + text.cell_width()).min(end);
    };
    let signs = state.theme.signs;
    let is_tree = state.view.arrangement == Arrangement::Processes;
    for (depth, &is_last) in row.levels.iter().enumerate() {
        if !is_tree {
            add(INDENT, Style::new(), buffer);
            continue;
        }
        let is_own = depth + 1 == row.levels.len();
        let sign = signs.branch[usize::from(is_last) + if is_own { 0 } else { 2 }];
        add(sign, state.theme.faint(), buffer);
    }
    if let Some(is_open) = row.is_open {
        add(signs.open[usize::from(!is_open)], state.theme.faint(), buffer);
    }
    for (text, style) in name(state, row) {
        add(&text, style, buffer);
    }
}

/// The indentation of an object below its kind.
const INDENT: &str = "  ";

/// A text, of which the beginning is left out if it is a path that is too long: its end tells more.
fn if_path<'t>(text: &'t str, width: u16, cut: &str) -> Cow<'t, str> {
    let is_path = text.starts_with('/') && text.bytes().filter(|&byte| byte == b'/').count() > 1;
    if !is_path || text.cell_width() <= width {
        return Cow::from(text);
    }
    let mut rest = text.chars();
    while !rest.as_str().is_empty() && rest.as_str().cell_width() >= width {
        rest.next();
    }
    Cow::from(format!("{cut}{}", rest.as_str()))
}

/// Draws how full an object is.
fn draw_fill(state: &State, fill: Option<Fill>, (x, y, width): Place, buffer: &mut Buffer) {
    /// The columns of a percentage.
    const PERCENT: u16 = 4;
    let Some(fill) = fill else {
        let faint = state.theme.faint();
        return put(buffer, (x, y, width), ("-", faint), true, state);
    };
    let bar = width.saturating_sub(PERCENT);
    draw_bar(state, fill.share(), (x, y, bar), buffer);
    let percent = format!("{:.0}%", fill.share() * 100.0);
    put(buffer, (x + bar, y, PERCENT), (&percent, state.theme.bar(fill.share())), true, state);
}

/// Draws a bar that is filled in this share. What is not empty has a sign.
pub fn draw_bar(state: &State, share: f64, (x, y, width): Place, buffer: &mut Buffer) {
    let signs = state.theme.signs;
    let (filled, rest) = (state.theme.bar(share), state.theme.faint());
    let parts = signs.parts.len();
    let steps = (share * f64::from(width) * parts as f64).ceil() as usize;
    for (index, x) in (x..x + width).enumerate() {
        let left = steps.saturating_sub(index * parts).min(parts);
        match left {
            0 => buffer.set_stringn(x, y, signs.track, 1, rest),
            _ => buffer.set_stringn(x, y, signs.parts[left - 1], 1, filled),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_any_width_fit_it() {
        for arrangement in [Arrangement::Kinds, Arrangement::Processes, Arrangement::List] {
            for width in 20..300 {
                let columns = columns(arrangement, width);
                let taken: u16 = columns.iter().map(|(_, width)| width + GAP).sum();
                assert!(taken <= width + GAP, "{width} {columns:?}");
            }
            let usual = columns(arrangement, 80);
            let name = usual.iter().find(|(column, _)| *column == Column::Name).unwrap().1;
            assert!(name >= 18, "{usual:?}");
        }
    }

    #[test]
    fn the_end_of_a_long_path_is_shown() {
        assert_eq!(if_path("/run/lock/a", 8, "…"), "…/lock/a");
        assert_eq!(if_path("/run/lock/a", 11, "…"), "/run/lock/a");
        assert_eq!(if_path("/a-long-name", 8, "…"), "/a-long-name");
        assert_eq!(if_path("/run/lock/a", 0, "…"), "…");
    }
}
