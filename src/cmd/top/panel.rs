//! Boxes above the rows: help, details, the choice of the order, and a question.

use ratatui_core::buffer::{Buffer, CellWidth};
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;

use super::numbers::{age, in_words};
use super::sort::Sort;
use super::state::{Mode, State};
use super::view::Node;
use crate::io::output::{escape, human};
use crate::mechanism::monitor::{Id, Item};
use crate::mechanism::survey::State as Use;
use crate::mechanism::survey::relations::{self, Relation};

/// A line of a box: its beginning, which is emphasized, and the rest.
type Line = (String, String);

/// Draws the box of the mode, if it has one.
pub fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    match &state.mode {
        Mode::Browse | Mode::Search | Mode::Filter => {}
        Mode::Sort => draw_orders(state, area, buffer),
        Mode::Question(id) => {
            let name = escape(id.name.as_encoded_bytes()).into_owned();
            let lines = [
                (format!("Remove {} {name}?", id.class.word()), String::new()),
                (String::new(), "It is removed only if no process uses it.".to_owned()),
                (String::new(), String::new()),
                ("y".to_owned(), " remove     ".to_owned() + "n or Esc: keep"),
            ];
            draw_box(state, "Remove", &lines, None, area, buffer);
        }
        Mode::Help(first) => draw_box(state, "Help", &help(), Some(*first), area, buffer),
        Mode::Details(node, first) => {
            let (title, lines) = details(state, node);
            draw_box(state, &title, &lines, Some(*first), area, buffer);
        }
    }
}

/// Draws a box with lines; with `first`, they scroll.
fn draw_box(
    state: &State,
    title: &str,
    lines: &[Line],
    first: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    const BORDERS: u16 = 2;
    const MARGIN: u16 = 2;
    let width = |line: &Line| line.0.cell_width().saturating_add(line.1.cell_width());
    let widest = lines.iter().map(width).max().unwrap_or(0).max(title.cell_width() + MARGIN);
    let width = widest.saturating_add(BORDERS + MARGIN).min(area.width);
    let height = (lines.len() as u16).saturating_add(BORDERS).min(area.height);
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let outer = Rect { x, y, width, height };
    draw_frame(state, title, outer, buffer);
    let rows = usize::from(height.saturating_sub(BORDERS));
    let first = first.unwrap_or(0).min(lines.len().saturating_sub(rows));
    for (line, y) in lines.iter().skip(first).zip(y + 1..outer.bottom().saturating_sub(1)) {
        let room = width.saturating_sub(BORDERS + MARGIN);
        let (end, _) =
            buffer.set_stringn(x + MARGIN, y, &line.0, usize::from(room), state.theme.strong());
        let left = (x + MARGIN + room).saturating_sub(end);
        buffer.set_stringn(end, y, &line.1, usize::from(left), Style::new());
    }
}

fn draw_frame(state: &State, title: &str, outer: Rect, buffer: &mut Buffer) {
    let [horizontal, vertical, top_left, top_right, bottom_left, bottom_right] =
        state.theme.signs.frame;
    let style = state.theme.faint();
    let inner = usize::from(outer.width.saturating_sub(2));
    for y in outer.y..outer.bottom() {
        let (left, fill, right) = match y {
            y if y == outer.y => (top_left, horizontal, top_right),
            y if y + 1 == outer.bottom() => (bottom_left, horizontal, bottom_right),
            _ => (vertical, " ", vertical),
        };
        let text = format!("{left}{}{right}", fill.repeat(inner));
        // What lies below has other styles.
        buffer.set_style(Rect { y, height: 1, ..outer }, Style::reset());
        buffer.set_stringn(outer.x, y, &text, usize::from(outer.width), style);
        if fill == " " {
            buffer.set_style(
                Rect { x: outer.x + 1, y, width: inner as u16, height: 1 },
                Style::reset(),
            );
        }
    }
    let title = format!(" {title} ");
    buffer.set_stringn(outer.x + 2, outer.y, &title, inner.saturating_sub(2), state.theme.strong());
}

fn draw_orders(state: &State, area: Rect, buffer: &mut Buffer) {
    let lines: Vec<Line> = Sort::ALL
        .iter()
        .map(|&sort| match sort == state.view.sort {
            true => (format!("> {}", sort.word()), String::new()),
            false => (String::new(), format!("  {}", sort.word())),
        })
        .collect();
    draw_box(state, "Sort by", &lines, None, area, buffer);
}

/// The help.
fn help() -> Vec<Line> {
    const KEYS: [(&str, &str); 19] = [
        ("arrows PgUp PgDn Home", "move"),
        ("Enter", "details: who uses it, and how"),
        ("F5 t Tab", "by kind, by process (tree), one list"),
        ("Left Right - + Space", "collapse, expand; * all"),
        ("F3 /", "search; n: next"),
        ("F4 \\", "filter by name, kind or process; Esc shows all"),
        ("F6 s < >", "sort; I: reverse; M: size, P: rate, N: name"),
        ("u", "only your objects"),
        ("w", "only what something waits for"),
        ("F9 k Del", "remove an object that no process uses"),
        ("Z p", "pause, continue"),
        ("F10 q ^C", "quit; ^L: draw again; ^Z: stop"),
        ("", ""),
        ("MSG/S", "messages per second of the busier direction; +N and"),
        ("", "-N: change of the count where nothing counts them"),
        ("BYTE/S", "bytes per second of the busier direction"),
        ("WAIT", "processes or clients that wait for it"),
        ("bold, crossed out", "new, or removed, some seconds ago"),
        ("emphasized row", "deadlock: a lock in a cycle of waits"),
    ];
    KEYS.iter().map(|(keys, meaning)| (format!("{keys:23}"), (*meaning).to_owned())).collect()
}

/// The title and the lines of the details of an object or a process.
fn details(state: &State, node: &Node) -> (String, Vec<Line>) {
    match node {
        Node::Process(pid) => {
            let command = escape(state.frame.processes.command(*pid)).into_owned();
            let found = relations::of_process(&state.frame.survey, *pid);
            (format!("{pid} {command}"), of_process(state, *pid, &found))
        }
        Node::Object(id) | Node::Use(_, id) => of_object(state, id),
        Node::Class(class) => (class.word().to_owned(), Vec::new()),
    }
}

fn of_process(state: &State, pid: i32, found: &[Relation]) -> Vec<Line> {
    let process = state.frame.processes.get(pid);
    let mut lines = Vec::new();
    if let Some(process) = process {
        let user = process.uid.map_or_else(|| "-".to_owned(), |uid| named_user(state, uid));
        lines.push(property("parent", process.parent));
        lines.push(property("user", user));
    }
    lines.push(heading(&format!("{:9} {:4} {:2} {:8} NAME", "USE", "FD", "", "KIND")));
    lines.extend(found.iter().map(|relation| {
        let (descriptor, access) = descriptor(relation);
        let name = escape(relation.name.as_encoded_bytes()).into_owned();
        let how = match relation.pid {
            Some(other) if other != pid => format!("{} {other}", relation.how.word()),
            _ => relation.how.word().to_owned(),
        };
        (String::new(), format!("{how:9} {descriptor:4} {access:2} {:8} {name}", relation.kind))
    }));
    lines
}

fn named_user(state: &State, uid: u32) -> String {
    state
        .users
        .get(&uid)
        .map_or_else(|| uid.to_string(), |name| escape(name.as_bytes()).into_owned())
}

fn property(key: &str, value: impl std::fmt::Display) -> Line {
    (format!("{key:9}"), value.to_string())
}

fn heading(text: &str) -> Line {
    (text.to_owned(), String::new())
}

fn descriptor(relation: &Relation) -> (String, &'static str) {
    let number = relation.descriptor.map_or_else(String::new, |number| number.to_string());
    (number, relation.access.unwrap_or(""))
}

fn of_object(state: &State, id: &Id) -> (String, Vec<Line>) {
    let name = escape(id.name.as_encoded_bytes()).into_owned();
    let title = format!("{} {name}", id.class.word());
    let Some(item) = state.item(id) else {
        return (title, vec![(String::new(), "It is gone.".to_owned())]);
    };
    let mut lines = properties(state, item);
    let found = relations::of(&state.frame.survey, &item.object);
    if found.is_empty() {
        lines.push((String::new(), "No visible process uses it.".to_owned()));
        return (title, lines);
    }
    lines.push(heading(&format!("{:>8} {:16} {:8} {:4} {:2}", "PID", "COMMAND", "USE", "FD", "")));
    lines.extend(found.iter().map(|relation| {
        let pid = relation.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
        let command = relation.pid.map_or(&[][..], |pid| state.frame.processes.command(pid));
        let (descriptor, access) = descriptor(relation);
        let (command, how) = (escape(command), relation.how.word());
        (String::new(), format!("{pid:>8} {command:16} {how:8} {descriptor:4} {access:2}"))
    }));
    (title, lines)
}

fn properties(state: &State, item: &Item) -> Vec<Line> {
    let object = &item.object;
    let use_of = match object.state {
        Use::Held => "in use".to_owned(),
        Use::Idle => "idle: no process uses it".to_owned(),
        Use::Dead(reason) => format!("dead: {reason}"),
    };
    let values = [
        ("state", Some(if item.is_gone() { "gone".to_owned() } else { use_of })),
        ("detail", Some(object.detail.clone()).filter(|detail| !detail.is_empty())),
        ("size", object.size.map(|size| format!("{} ({size} bytes)", human(size)))),
        ("count", object.count.map(|count| count.to_string())),
        ("mode", object.mode.map(|mode| format!("{:04o}", mode & 0o7777))),
        ("owner", object.uid.map(|uid| named_user(state, uid))),
        ("age", object.used.map(|used| age(state.now - used))),
        ("full", object.activity.fill.map(|fill| format!("{} of {}", fill.used, fill.limit))),
        ("waiting", Some(object.activity.waiting).filter(|&it| it > 0).map(|it| it.to_string())),
    ];
    let values = values.into_iter().filter_map(|(key, value)| Some(property(key, value?)));
    values
        .chain(in_words(item.rates).into_iter().map(|(key, value)| property(key, value)))
        .collect()
}
