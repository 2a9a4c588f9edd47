//! The state of the screen, and what keys do to it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use super::sort::Sort;
use super::theme::Theme;
use super::view::{Content, Node, Row, View, has_text};
use crate::base::deadline::Deadline;
use crate::io::output::escape;
use crate::io::screen::Key;
use crate::mechanism::monitor::{Class, Frame, Id, Item, Pace, Presence};
use crate::mechanism::survey::Kind;
use crate::mechanism::survey::removal::{self, Outcome};
use crate::sys::accounts;

/// The state of the screen.
#[derive(Debug)]
pub struct State {
    /// What the last look has found.
    pub frame: Frame,
    /// The choice of rows.
    pub view: View,
    /// The rows.
    pub rows: Vec<Row>,
    /// The index of the selected row.
    pub selected: usize,
    /// Whether the selected row is shown as such.
    pub has_selection: bool,
    /// The index of the first row on the screen.
    pub first: usize,
    /// The number of rows on the screen.
    pub page: usize,
    /// What the keys mean.
    pub mode: Mode,
    /// The text that was searched for last.
    pub search: String,
    /// The result of the last command, until this moment.
    pub message: Option<(String, Deadline)>,
    /// Whether there are no more looks for now.
    pub is_paused: bool,
    /// The interval.
    pub pace: Pace,
    /// The look of the screen.
    pub theme: Theme,
    /// The names of users.
    pub users: BTreeMap<u32, String>,
    /// The time of day, in seconds since 1970.
    pub now: i64,
}

/// What the keys mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mode {
    /// They move through the rows.
    Browse,
    /// They are the text that is searched for.
    Search,
    /// They are the text that rows must have.
    Filter,
    /// They choose the order.
    Sort,
    /// They answer whether an object is removed.
    Question(Id),
    /// They move through the help.
    Help(usize),
    /// They move through the details of an object or a process.
    Details(Node, usize),
}

/// What follows a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// The screen is drawn.
    Draw,
    /// The whole screen is drawn, because its contents are unknown.
    Redraw,
    /// The command ends.
    Quit,
}

impl State {
    /// The state before the first look.
    pub fn new(view: View, pace: Pace, theme: Theme) -> Self {
        Self {
            frame: Frame::default(),
            view,
            rows: Vec::new(),
            selected: 0,
            has_selection: true,
            first: 0,
            page: 1,
            mode: Mode::Browse,
            search: String::new(),
            message: None,
            is_paused: false,
            pace,
            theme,
            users: BTreeMap::new(),
            now: 0,
        }
    }

    /// Takes over what a look has found. The selected object stays selected.
    pub fn enter(&mut self, frame: Frame, now: i64) {
        for uid in frame.items.iter().filter_map(|item| item.object.uid) {
            self.users.entry(uid).or_insert_with(|| accounts::user_name(uid));
        }
        (self.frame, self.now) = (frame, now);
        self.arrange();
    }

    /// Arranges the rows again, with the same one selected, or its neighbour.
    fn arrange(&mut self) {
        let node = self.rows.get(self.selected).map(|row| row.node.clone());
        self.rows = self.view.rows(&self.frame);
        let place = node.and_then(|node| self.rows.iter().position(|row| row.node == node));
        self.select(place.unwrap_or(self.selected));
    }

    fn select(&mut self, index: usize) {
        self.selected = index.min(self.rows.len().saturating_sub(1));
        self.scroll();
    }

    /// Scrolls so that the selected row is on the screen.
    pub fn scroll(&mut self) {
        let most = self.rows.len().saturating_sub(self.page);
        let last = self.first.min(most).max((self.selected + 1).saturating_sub(self.page));
        self.first = last.min(self.selected);
    }

    /// The object of the selected row.
    pub fn selected_item(&self) -> Option<&Item> {
        self.item_of(self.rows.get(self.selected)?)
    }

    /// The object of a row.
    pub fn item_of(&self, row: &Row) -> Option<&Item> {
        match row.content {
            Content::Object(index) | Content::Use(index, _) => self.frame.items.get(index),
            Content::Group(_) => None,
        }
    }

    /// The object with an identity.
    pub fn item(&self, id: &Id) -> Option<&Item> {
        self.frame.items.iter().find(|item| item.id == *id)
    }

    /// Does what a key means.
    pub fn press(&mut self, key: Key) -> Next {
        match (key, self.mode.clone()) {
            (Key::Control('l'), _) => return Next::Redraw,
            (Key::Function(10), _) => return Next::Quit,
            (_, Mode::Browse) => return self.browse(key),
            (_, Mode::Search) => self.type_search(key),
            (_, Mode::Filter) => self.type_filter(key),
            (_, Mode::Sort) => self.choose_order(key),
            (_, Mode::Question(id)) => self.answer(key, &id),
            (_, Mode::Help(first)) => self.mode = paged(key, first, self.page, Mode::Help),
            (_, Mode::Details(node, first)) => {
                self.mode = paged(key, first, self.page, |first| Mode::Details(node, first));
            }
        }
        Next::Draw
    }

    fn browse(&mut self, key: Key) -> Next {
        match key {
            Key::Char('q') => return Next::Quit,
            Key::Up => self.select(self.selected.saturating_sub(1)),
            Key::Down => self.select(self.selected + 1),
            Key::PageUp => self.select(self.selected.saturating_sub(self.page)),
            Key::PageDown => self.select(self.selected + self.page),
            Key::Home => self.select(0),
            Key::End => self.select(usize::MAX),
            Key::Left | Key::Char('-') => self.fold(true),
            Key::Right | Key::Char('+' | '=') => self.fold(false),
            Key::Char(' ') => self.fold_other_way(),
            Key::Char('*') => self.fold_all(),
            Key::Enter => self.show_details(),
            Key::Function(1) | Key::Char('h' | '?') => self.mode = Mode::Help(0),
            Key::Function(3) | Key::Char('/') => {
                self.search.clear();
                self.mode = Mode::Search;
            }
            Key::Char('n') => self.search_from(self.selected + 1),
            Key::Function(4) | Key::Char('\\') => self.mode = Mode::Filter,
            Key::Function(5) | Key::Char('t') | Key::Tab => {
                self.change(|view| view.arrangement = view.arrangement.next());
            }
            Key::Function(6) | Key::Char('s') => self.mode = Mode::Sort,
            Key::Char('>' | '.') => self.sort_by(self.view.sort.moved(1)),
            Key::Char('<' | ',') => self.sort_by(self.view.sort.moved(-1)),
            Key::Char('I') => self.change(|view| view.is_reversed = !view.is_reversed),
            Key::Char('M') => self.sort_by(Sort::Size),
            Key::Char('P') => self.sort_by(Sort::Messages),
            Key::Char('N') => self.sort_by(Sort::Name),
            Key::Char('u') => self.change(|view| {
                view.owner = if view.owner.is_some() { None } else { Some(accounts::own_user()) };
            }),
            Key::Char('w') => self.change(|view| view.only_waiting = !view.only_waiting),
            Key::Char('Z' | 'p') => self.is_paused = !self.is_paused,
            Key::Function(9) | Key::Delete | Key::Char('k') => self.ask(),
            Key::Escape => self.show_all(),
            _ => {}
        }
        Next::Draw
    }

    fn change(&mut self, change: impl FnOnce(&mut View)) {
        change(&mut self.view);
        self.arrange();
    }

    fn sort_by(&mut self, sort: Sort) {
        self.change(|view| (view.sort, view.is_reversed) = (sort, false));
    }

    /// Removes what leaves out rows.
    fn show_all(&mut self) {
        self.change(|view| {
            view.filter.clear();
            view.only_waiting = false;
        });
    }

    /// Collapses or expands the selected row; a row without children, the one above it in the tree.
    fn fold(&mut self, is_collapsed: bool) {
        let Some(row) = self.rows.get(self.selected) else { return };
        if row.is_open == Some(is_collapsed) {
            let node = row.node.clone();
            return self.change(|view| {
                match is_collapsed {
                    true => view.collapsed.insert(node),
                    false => view.collapsed.remove(&node),
                };
            });
        }
        if is_collapsed && !row.levels.is_empty() {
            let depth = row.levels.len();
            let above = self.rows[..self.selected].iter().rposition(|row| row.levels.len() < depth);
            self.select(above.unwrap_or(self.selected));
        }
    }

    fn fold_other_way(&mut self) {
        if let Some(is_open) = self.rows.get(self.selected).and_then(|row| row.is_open) {
            self.fold(is_open);
        }
    }

    /// Collapses everything, or expands everything if something is collapsed.
    fn fold_all(&mut self) {
        let groups = self.rows.iter().filter(|row| row.is_open.is_some());
        let groups: Vec<Node> = groups.map(|row| row.node.clone()).collect();
        self.change(|view| match view.collapsed.is_empty() {
            true => view.collapsed.extend(groups),
            false => view.collapsed.clear(),
        });
    }

    fn show_details(&mut self) {
        let Some(row) = self.rows.get(self.selected) else { return };
        match &row.node {
            Node::Class(_) => self.fold_other_way(),
            Node::Process(_) | Node::Object(_) => self.mode = Mode::Details(row.node.clone(), 0),
            Node::Use(_, id) => self.mode = Mode::Details(Node::Object(id.clone()), 0),
        }
    }

    fn type_search(&mut self, key: Key) {
        match key {
            Key::Char(c) => self.search.push(c),
            Key::Backspace => {
                self.search.pop();
            }
            Key::Function(3) | Key::Down => return self.search_from(self.selected + 1),
            Key::Enter | Key::Escape => return self.mode = Mode::Browse,
            _ => return,
        }
        self.search_from(self.selected);
    }

    /// Selects the next row with the text, from this one on, in a circle.
    fn search_from(&mut self, start: usize) {
        let count = self.rows.len();
        if self.search.is_empty() || count == 0 {
            return;
        }
        let found = (start..start + count)
            .map(|index| index % count)
            .find(|&index| self.has_text(&self.rows[index]));
        match found {
            Some(index) => self.select(index),
            None => self.report(format!("{}: not found", self.search)),
        }
    }

    fn has_text(&self, row: &Row) -> bool {
        let text = self.search.to_lowercase();
        match &row.node {
            Node::Class(class) => class.word().contains(&text),
            Node::Process(pid) => {
                let command = escape(self.frame.processes.command(*pid)).to_lowercase();
                command.contains(&text) || pid.to_string() == text
            }
            Node::Object(_) | Node::Use(..) => {
                self.item_of(row).is_some_and(|item| has_text(item, &self.frame, &text))
            }
        }
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Char(c) => self.change(|view| view.filter.push(c)),
            Key::Backspace => self.change(|view| {
                view.filter.pop();
            }),
            Key::Enter | Key::Function(4) => self.mode = Mode::Browse,
            Key::Escape => {
                self.change(|view| view.filter.clear());
                self.mode = Mode::Browse;
            }
            _ => {}
        }
    }

    fn choose_order(&mut self, key: Key) {
        match key {
            Key::Up => self.sort_by(self.view.sort.moved(-1)),
            Key::Down => self.sort_by(self.view.sort.moved(1)),
            Key::Char('I') => self.change(|view| view.is_reversed = !view.is_reversed),
            Key::Enter | Key::Escape | Key::Char('q') | Key::Function(6) => {
                self.mode = Mode::Browse
            }
            _ => {}
        }
    }

    /// Asks whether the selected object is removed, if it can be.
    fn ask(&mut self) {
        let Some(item) = self.selected_item() else {
            return self.report("select an object, not a kind or a process".to_owned());
        };
        let reason = match item.class() {
            _ if matches!(item.presence, Presence::Gone(_)) => "it is gone already",
            Class::Of(Kind::Lock) => "a lock goes with its holder, not by a removal",
            Class::Of(Kind::Door) => "'ipc door revoke' ends a door",
            Class::Of(Kind::Memory) => "memory without a name goes with its last user",
            Class::Of(Kind::Fifo) => "'ipc fifo rm' removes a FIFO",
            Class::Of(Kind::Spool) => "'rm -r' removes a spool",
            Class::Tcp => "a TCP socket goes with its last user",
            Class::Of(Kind::Sock) if !item.id.name.as_encoded_bytes().starts_with(b"/") => {
                "an abstract socket goes with its last user"
            }
            Class::Of(_) => return self.mode = Mode::Question(item.id.clone()),
        };
        self.report(reason.to_owned());
    }

    fn answer(&mut self, key: Key, id: &Id) {
        match key {
            Key::Char('y' | 'Y') => self.remove(id),
            Key::Char('n' | 'N' | 'q') | Key::Escape | Key::Enter => {}
            _ => return,
        }
        self.mode = Mode::Browse;
    }

    fn remove(&mut self, id: &Id) {
        let Some(item) = self.item(id) else {
            return self.report("it is gone already".to_owned());
        };
        let name = escape(id.name.as_encoded_bytes()).into_owned();
        self.report(match removal::remove(&item.object) {
            Ok(Outcome::Removed) => format!("{name}: removed"),
            Ok(Outcome::Kept) => format!("{name}: kept, because it is in use or has changed"),
            Err(error) => format!("{name}: {error}"),
        });
    }

    /// Shows a message for some seconds.
    fn report(&mut self, text: String) {
        const SHOWN: Duration = Duration::from_secs(4);
        self.message = Some((text, Deadline::after(SHOWN)));
    }
}

/// The mode after a key in a text of several pages.
fn paged(key: Key, first: usize, page: usize, same: impl FnOnce(usize) -> Mode) -> Mode {
    let first = match key {
        Key::Up => first.saturating_sub(1),
        Key::Down => first + 1,
        Key::PageUp => first.saturating_sub(page),
        Key::PageDown | Key::Char(' ') => first + page,
        Key::Home => 0,
        _ => return Mode::Browse,
    };
    same(first)
}
