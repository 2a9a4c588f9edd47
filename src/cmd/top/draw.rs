//! The whole screen: what is seen at a glance at the top, the rows, and the keys in the last line.

use std::collections::BTreeSet;
use std::time::Duration;

use ratatui_core::buffer::{Buffer, CellWidth};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};

use super::numbers::short;
use super::panel;
use super::state::{Mode, State};
use super::table::{self, draw_bar};
use super::view::{Content, Row};
use crate::io::output::{escape, human};
use crate::mechanism::monitor::cycles::{Cycle, Wait};

/// The most deadlocks that are described.
const DEADLOCKS: usize = 3;

/// The number of lines above the rows: the title, the sums, the deadlocks and the headings.
fn above(state: &State) -> u16 {
    3 + state.frame.cycles.len().min(DEADLOCKS) as u16
}

/// The height of a frame with all rows.
pub fn whole_height(state: &State) -> u16 {
    u16::try_from(state.rows.len()).unwrap_or(u16::MAX).saturating_add(above(state))
}

/// Draws the screen; scrolls so that the selected row is on it.
pub fn screen(state: &mut State, area: Rect) -> Buffer {
    let body = area.height.saturating_sub(1);
    state.page = usize::from(body.saturating_sub(above(state))).max(1);
    state.scroll();
    let mut buffer = Buffer::empty(area);
    top(state, Rect { height: body, ..area }, &mut buffer);
    if area.height > 0 {
        last_line(state, Rect { y: area.bottom() - 1, height: 1, ..area }, &mut buffer);
    }
    panel::draw(state, Rect { height: body, ..area }, &mut buffer);
    buffer
}

/// Draws one frame without keys.
pub fn frame(state: &State, area: Rect) -> Buffer {
    let mut buffer = Buffer::empty(area);
    top(state, area, &mut buffer);
    buffer
}

fn top(state: &State, area: Rect, buffer: &mut Buffer) {
    let mut lines = (area.y..area.bottom()).map(|y| Rect { y, height: 1, ..area });
    if let Some(line) = lines.next() {
        title(state, line, buffer);
    }
    if let Some(line) = lines.next() {
        sums(state, line, buffer);
    }
    for (cycle, line) in deadlocks(state).into_iter().take(DEADLOCKS).zip(lines.by_ref()) {
        buffer.set_style(line, state.theme.alert());
        let text = deadlock(state, cycle);
        buffer.set_stringn(line.x, line.y, &text, usize::from(line.width), state.theme.alert());
    }
    let used = above(state) - 1;
    if area.height > used {
        let rest = Rect { y: area.y + used, height: area.height - used, ..area };
        table::draw(state, rest, buffer);
    }
}

fn title(state: &State, line: Rect, buffer: &mut Buffer) {
    let (theme, view, dot) = (state.theme, &state.view, state.theme.signs.dot);
    buffer.set_style(line, theme.title());
    let mut facts = vec![view.arrangement.words().to_owned()];
    if !view.filter.is_empty() {
        facts.push(format!("only '{}'", escape(view.filter.as_bytes())));
    }
    if let Some(uid) = view.owner {
        facts.push(format!("of {}", state.users.get(&uid).map_or("one user", String::as_str)));
    }
    if view.only_waiting {
        facts.push("only what is waited for".to_owned());
    }
    let right = format!("{} ", interval(state));
    let room = usize::from(line.width.saturating_sub(right.cell_width() + 1));
    let (x, _) = buffer.set_stringn(line.x, line.y, " ipc top ", room, theme.name());
    let left = room.saturating_sub(usize::from(x - line.x));
    buffer.set_stringn(x, line.y, format!(" {}", facts.join(dot)), left, theme.title());
    let x = line.right().saturating_sub(right.cell_width()).max(line.x);
    buffer.set_stringn(x, line.y, &right, usize::from(line.width), theme.title());
}

/// The interval, and why it is longer than the wanted one.
fn interval(state: &State) -> String {
    let pace = state.pace;
    if !state.has_selection {
        return format!("rates of {}", seconds(pace.wanted()));
    }
    if state.is_paused {
        return "paused (Z continues)".to_owned();
    }
    match pace.is_stretched() {
        true => format!(
            "every {}, stretched from {} to take 2% CPU",
            seconds(pace.interval()),
            seconds(pace.wanted())
        ),
        false => format!("every {}", seconds(pace.wanted())),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", short(duration.as_secs_f64()))
}

fn sums(state: &State, line: Rect, buffer: &mut Buffer) {
    const BAR: u16 = 10;
    const WITH_MEMORY: u16 = 60;
    let (theme, frame) = (state.theme, &state.frame);
    let live = || frame.items.iter().filter(|item| !item.is_gone());
    let waiting: u32 = live().map(|item| item.object.activity.waiting).fold(0, u32::saturating_add);
    let removed = frame.items.len() - live().count();
    let objects = match live().count() {
        1 => "1 object".to_owned(),
        count => format!("{count} objects"),
    };
    let mut parts: Vec<(String, Style)> = vec![(objects, Style::new())];
    if waiting > 0 {
        parts.push((format!("{waiting} waiting"), theme.waiting()));
    }
    if removed > 0 {
        parts.push((format!("{removed} gone"), theme.faint()));
    }
    if frame.survey.unseen.count > 0 {
        parts.push((not_visible(frame.survey.unseen.count), theme.faint()));
    }
    for (place, errno) in &frame.survey.unlisted {
        parts.push((format!("{place}: {errno}"), theme.waiting()));
    }
    let mut x = line.x + 1;
    if let Some(memory) = frame.memory.filter(|_| line.width >= WITH_MEMORY) {
        x = write(buffer, line, x, "/dev/shm ", Style::new());
        draw_bar(state, memory.share(), (x, line.y, BAR), buffer);
        let text = format!(" {} of {}", human(memory.used), human(memory.limit));
        x = write(buffer, line, x + BAR, &text, Style::new());
        x = write(buffer, line, x, theme.signs.dot, theme.faint());
    }
    for (index, (text, style)) in parts.iter().enumerate() {
        if index > 0 {
            x = write(buffer, line, x, theme.signs.dot, theme.faint());
        }
        x = write(buffer, line, x, text, *style);
    }
}

fn not_visible(count: usize) -> String {
    if count == 1 { "1 process hidden".to_owned() } else { format!("{count} processes hidden") }
}

/// Writes a text in a line; returns the column behind it.
fn write(buffer: &mut Buffer, line: Rect, x: u16, text: &str, style: Style) -> u16 {
    let room = usize::from(line.right().saturating_sub(x));
    buffer.set_stringn(x, line.y, text, room, style).0
}

/// The deadlocks, those of the rows first: a filter leaves out rows, and no deadlock.
fn deadlocks(state: &State) -> Vec<&Cycle> {
    let object = |row: &Row| match row.content {
        Content::Object(index) | Content::Use(index, _) => Some(index),
        Content::Group(_) => None,
    };
    let shown: BTreeSet<usize> = state.rows.iter().filter_map(object).collect();
    let mut cycles: Vec<&Cycle> = state.frame.cycles.iter().collect();
    cycles.sort_by_key(|cycle| !cycle.iter().any(|wait| shown.contains(&wait.lock)));
    cycles
}

/// A deadlock in words: which process waits for which lock of which process.
fn deadlock(state: &State, cycle: &Cycle) -> String {
    let process = |pid: i32| format!("{pid} {}", escape(state.frame.processes.command(pid)));
    let lock = |lock: usize| escape(state.frame.items[lock].id.name.as_encoded_bytes());
    let step = |wait: &Wait| format!("waits for {} of {}", lock(wait.lock), process(wait.holder));
    let steps: Vec<String> = cycle.iter().map(step).collect();
    let first = cycle.first().map_or_else(String::new, |wait| process(wait.waiter));
    format!(" DEADLOCK: {first} {}", steps.join(", which "))
}

fn last_line(state: &State, line: Rect, buffer: &mut Buffer) {
    let theme = state.theme;
    let write = |buffer: &mut Buffer, parts: &[(&str, Style)]| {
        parts.iter().fold(line.x, |x, (text, style)| self::write(buffer, line, x, text, *style));
    };
    let cursor = (" ", Style::new().add_modifier(Modifier::REVERSED));
    let plain = Style::new();
    if let Some((message, _)) = &state.message {
        return write(buffer, &[(" ", plain), (message, theme.waiting())]);
    }
    match &state.mode {
        Mode::Search => write(
            buffer,
            &[
                (" Search: ", theme.strong()),
                (&state.search, plain),
                cursor,
                ("   F3", theme.key()),
                ("Next", theme.label()),
                ("  Esc", theme.key()),
                ("Done", theme.label()),
            ],
        ),
        Mode::Filter => write(
            buffer,
            &[
                (" Filter: ", theme.strong()),
                (&state.view.filter, plain),
                cursor,
                ("   Enter", theme.key()),
                ("Done", theme.label()),
                ("  Esc", theme.key()),
                ("Show all", theme.label()),
            ],
        ),
        _ => {
            buffer.set_style(line, theme.label());
            let keys = keys(usize::from(line.width));
            let parts: Vec<(&str, Style)> = keys
                .iter()
                .flat_map(|(key, label)| {
                    [(*key, Style::reset().patch(theme.key())), (label.as_str(), theme.label())]
                })
                .collect();
            write(buffer, &parts);
        }
    }
}

/// The keys of the last line, with their labels as wide as there is room.
fn keys(width: usize) -> Vec<(&'static str, String)> {
    const KEYS: [(&str, &str); 8] = [
        ("F1", "Help"),
        ("F3", "Search"),
        ("F4", "Filter"),
        ("F5", "View"),
        ("F6", "Sort"),
        ("F9", "Remove"),
        ("Enter", "Details"),
        ("F10", "Quit"),
    ];
    let names: usize = KEYS.iter().map(|(key, _)| key.len()).sum();
    let each = (width.saturating_sub(names) / KEYS.len()).clamp(7, 9);
    KEYS.iter().map(|(key, label)| (*key, format!("{label:each$}"))).collect()
}
