//! The columns of the screen: which there are at a width, and their texts.

use std::borrow::Cow;

use ratatui_core::buffer::{Buffer, CellWidth};
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::sort::Sort;
use super::state::State;
use super::view::{Arrangement, Content, Node, Row, Sums};
use crate::io::output::{escape, human};
use crate::mechanism::monitor::{Item, Presence};
use crate::mechanism::survey::relations::How;
use crate::mechanism::survey::{Fill, Traffic};

/// A column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Column {
    Kind,
    Name,
    Of(Sort),
    Holders,
}

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

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Self::Kind => "KIND",
            Self::Name => "NAME",
            Self::Holders => "PROCESSES",
            Self::Of(sort) => match sort {
                Sort::Name => "NAME",
                Sort::Size => "SIZE",
                Sort::Count => "COUNT",
                Sort::Fill => "FILL",
                Sort::Messages => "MSG/S",
                Sort::Bytes => "BYTE/S",
                Sort::Waiting => "WAIT",
                Sort::Users => "USERS",
                Sort::Owner => "OWNER",
                Sort::Age => "AGE",
            },
        }
    }

    fn is_right(self) -> bool {
        !matches!(
            self,
            Self::Kind | Self::Name | Self::Holders | Self::Of(Sort::Owner | Sort::Fill)
        )
    }

    fn is_sorted(self, sort: Sort) -> bool {
        self == Self::Of(sort) || self == Self::Name && sort == Sort::Name
    }
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

/// A text and its style.
type Cell = (String, Style);

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

fn name(state: &State, row: &Row) -> Vec<Cell> {
    let theme = state.theme;
    match (&row.content, &row.node) {
        (Content::Group(sums), Node::Class(class)) => vec![
            (class.word().to_owned(), theme.class(*class)),
            (format!("  {}", sums.objects), theme.faint()),
        ],
        (Content::Group(_), Node::Process(pid)) => {
            let command = state.frame.processes.command(*pid);
            let command = escape(command).into_owned();
            vec![(format!("{pid} "), Style::new()), (command, theme.strong())]
        }
        (Content::Group(_), _) => Vec::new(),
        (Content::Object(index) | Content::Use(index, _), _) => {
            let item = &state.frame.items[*index];
            let style = match item.presence {
                Presence::There => Style::new(),
                Presence::New => theme.new_object(),
                Presence::Gone(_) => theme.gone(),
            };
            let waits = matches!(row.content, Content::Use(_, How::Waiting))
                .then(|| ("waits for ".to_owned(), theme.waiting()));
            let name = (escape(item.id.name.as_encoded_bytes()).into_owned(), style);
            waits.into_iter().chain([name]).collect()
        }
    }
}

/// The text of a cell.
fn cell(state: &State, row: &Row, column: Column) -> Cell {
    match (&row.content, column) {
        (Content::Group(sums), Column::Of(sort)) => of_sums(state, sums, sort),
        (Content::Group(_), _) => (String::new(), Style::new()),
        (Content::Object(index), column) => of_item(state, &state.frame.items[*index], column),
        (Content::Use(_, how), Column::Holders) => (how.word().to_owned(), state.theme.faint()),
        (Content::Use(index, _), column) => of_item(state, &state.frame.items[*index], column),
    }
}

fn of_sums(state: &State, sums: &Sums, sort: Sort) -> Cell {
    let theme = state.theme;
    match sort {
        Sort::Size if sums.size > 0 => (human(sums.size), theme.faint()),
        Sort::Messages => sums.rates.messages_in.map_or_else(blank, |it| rate(it, state)),
        Sort::Bytes => sums.rates.bytes_in.map_or_else(blank, |it| byte_rate(it, state)),
        Sort::Waiting if sums.waiting > 0 => (sums.waiting.to_string(), theme.waiting()),
        _ => blank(),
    }
}

fn blank() -> Cell {
    (String::new(), Style::new())
}

fn of_item(state: &State, item: &Item, column: Column) -> Cell {
    let (theme, object) = (state.theme, &item.object);
    if let Presence::Gone(since) = item.presence {
        let text = match column {
            Column::Kind => item.class().word().to_owned(),
            Column::Of(Sort::Size) => "gone".to_owned(),
            Column::Of(Sort::Count) => format!("{} s", since.as_secs()),
            _ => String::new(),
        };
        return (text, theme.faint());
    }
    let plain = |text: String| (text, Style::new());
    let dash = || ("-".to_owned(), theme.faint());
    match column {
        Column::Kind => (item.class().word().to_owned(), theme.class(item.class())),
        Column::Name => blank(),
        Column::Holders => plain(processes(state, item)),
        Column::Of(sort) => match sort {
            Sort::Size => object.size.map_or_else(dash, |size| plain(human(size))),
            Sort::Count => object.count.map_or_else(dash, |count| plain(short(count as f64))),
            Sort::Messages => messages(state, item),
            Sort::Bytes => item.rates.bytes().map_or_else(dash, |it| byte_rate(it, state)),
            Sort::Waiting => match object.activity.waiting {
                0 => dash(),
                waiting => (short(waiting.into()), theme.waiting()),
            },
            Sort::Users => match item.users().len() {
                0 => dash(),
                users => plain(users.to_string()),
            },
            Sort::Owner => object.uid.map_or_else(dash, |uid| plain(owner(state, uid))),
            Sort::Age => object.used.map_or_else(dash, |used| plain(age(state.now - used))),
            Sort::Name | Sort::Fill => blank(),
        },
    }
}

fn owner(state: &State, uid: u32) -> String {
    state
        .users
        .get(&uid)
        .map_or_else(|| uid.to_string(), |name| escape(name.as_bytes()).into_owned())
}

/// Messages per second; the change of the number of messages where nothing counts them.
fn messages(state: &State, item: &Item) -> Cell {
    match (item.rates.messages(), item.change) {
        (Some(messages), _) => rate(messages, state),
        (None, Some(change)) if change != 0 => (format!("{change:+}"), state.theme.lively()),
        _ => ("-".to_owned(), state.theme.faint()),
    }
}

fn rate(rate: f64, state: &State) -> Cell {
    (short(rate), lively(rate, state))
}

fn byte_rate(rate: f64, state: &State) -> Cell {
    (human(rate.round() as u64), lively(rate, state))
}

fn lively(rate: f64, state: &State) -> Style {
    if rate > 0.0 { state.theme.lively() } else { state.theme.faint() }
}

/// The processes that use an object, and those that wait for it.
fn processes(state: &State, item: &Item) -> String {
    let named = |pid: i32| match state.frame.processes.command(pid) {
        [] => pid.to_string(),
        command => format!("{} {pid}", escape(command)),
    };
    let users: Vec<String> = item.users().into_iter().map(named).collect();
    let waiters: Vec<String> =
        item.object.waiters.iter().flatten().map(|&pid| named(pid)).collect();
    match (users.join(", "), waiters.join(", ")) {
        (users, waiters) if waiters.is_empty() => users,
        (users, waiters) => format!("{users} < {waiters}"),
    }
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

/// A number with at most five characters.
pub fn short(number: f64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut scaled = number;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while scaled >= 999.5 && units.len() > 0 {
        scaled /= 1000.0;
        unit = units.next();
    }
    let text = if scaled < 99.95 { format!("{scaled:.1}") } else { format!("{scaled:.0}") };
    format!("{}{}", text.strip_suffix(".0").unwrap_or(&text), unit.unwrap_or(&""))
}

/// A number of seconds, in the largest unit that it has.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The rates of both directions, as words.
pub fn in_words(rates: Traffic<f64>) -> Vec<(&'static str, String)> {
    let messages = |rate: f64| format!("{} messages/s", short(rate));
    let bytes = |rate: f64| format!("{} bytes/s", human(rate.round() as u64));
    let both = |one: Option<String>, other: Option<String>| {
        let parts: Vec<String> = one.into_iter().chain(other).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let entered = both(rates.messages_in.map(messages), rates.bytes_in.map(bytes));
    let left = both(rates.messages_out.map(messages), rates.bytes_out.map(bytes));
    [("in", entered), ("out", left)]
        .into_iter()
        .filter_map(|(direction, text)| Some((direction, text?)))
        .collect()
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

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (0.25, "0.2"),
            (12.34, "12.3"),
            (99.96, "100"),
            (999.4, "999"),
            (999.6, "1k"),
            (1234.0, "1.2k"),
            (250_000.0, "250k"),
            (18e18, "18000000T"),
        ] {
            assert_eq!(short(number), text);
        }
        for (seconds, text) in [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
