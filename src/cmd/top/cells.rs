//! The columns of the screen, and the texts in them.

use ratatui_core::style::Style;

use super::numbers::{age, short};
use super::sort::Sort;
use super::state::State;
use super::view::{Content, Node, Row, Sums};
use crate::io::output::{escape, human};
use crate::mechanism::monitor::{Item, Presence};
use crate::mechanism::survey::relations::How;

/// A column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Column {
    Kind,
    Name,
    Of(Sort),
    Holders,
}

impl Column {
    pub fn heading(self) -> &'static str {
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

    pub fn is_right(self) -> bool {
        !matches!(
            self,
            Self::Kind | Self::Name | Self::Holders | Self::Of(Sort::Owner | Sort::Fill)
        )
    }

    pub fn is_sorted(self, sort: Sort) -> bool {
        self == Self::Of(sort) || self == Self::Name && sort == Sort::Name
    }
}

/// A text and its style.
pub type Cell = (String, Style);

/// The parts of the name in a row.
pub fn name(state: &State, row: &Row) -> Vec<Cell> {
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
pub fn cell(state: &State, row: &Row, column: Column) -> Cell {
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
