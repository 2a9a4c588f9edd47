//! The order of objects.

use std::cmp::Ordering;

use clap::ValueEnum;

use crate::app::arguments::choice;
use crate::mechanism::monitor::Item;

/// What objects are sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Sort {
    /// Name
    Name,
    /// Bytes in it
    Size,
    /// Value, messages, or clients that wait
    Count,
    /// The part in use
    Fill,
    /// Messages per second
    Messages,
    /// Bytes per second
    Bytes,
    /// Number that wait
    Waiting,
    /// Number of processes that use it
    Users,
    /// Owner
    Owner,
    /// Time since the last use
    Age,
}

choice!(Sort);

impl Sort {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Size,
        Self::Count,
        Self::Fill,
        Self::Messages,
        Self::Bytes,
        Self::Waiting,
        Self::Users,
        Self::Owner,
        Self::Age,
    ];

    /// Its words for users.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Count => "count",
            Self::Fill => "fill",
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Waiting => "waiting",
            Self::Users => "users",
            Self::Owner => "owner",
            Self::Age => "age",
        }
    }

    /// Whether the greatest value stands first.
    pub fn is_descending(self) -> bool {
        !matches!(self, Self::Name | Self::Owner | Self::Age)
    }

    /// The one before (-1) or behind (1), in a circle.
    pub fn moved(self, by: isize) -> Self {
        let index = Self::ALL.iter().position(|&sort| sort == self).unwrap_or(0);
        let length = Self::ALL.len() as isize;
        Self::ALL[(index as isize + by).rem_euclid(length) as usize]
    }

    /// The order of two objects, in the usual direction. Those without a value stand last.
    pub fn order(self, one: &Item, other: &Item) -> Ordering {
        let first = match self {
            Self::Name => Ordering::Equal,
            Self::Size => greatest(one.object.size, other.object.size),
            Self::Count => greatest(one.object.count, other.object.count),
            Self::Fill => {
                let share =
                    |item: &Item| item.object.activity.fill.map_or(-1.0, |fill| fill.share());
                share(other).total_cmp(&share(one))
            }
            Self::Messages => {
                let rate = |item: &Item| item.rates.messages().unwrap_or(-1.0);
                let change = |item: &Item| item.change.unwrap_or(0).abs();
                rate(other).total_cmp(&rate(one)).then(change(other).cmp(&change(one)))
            }
            Self::Bytes => {
                let rate = |item: &Item| item.rates.bytes().unwrap_or(-1.0);
                rate(other).total_cmp(&rate(one))
            }
            Self::Waiting => other.object.activity.waiting.cmp(&one.object.activity.waiting),
            Self::Users => other.users().len().cmp(&one.users().len()),
            Self::Owner => one.object.uid.cmp(&other.object.uid),
            // The latest use is the smallest age.
            Self::Age => greatest(one.object.used, other.object.used),
        };
        first.then_with(|| one.id.cmp(&other.id))
    }
}

/// The greatest first; `None` is less than any.
fn greatest<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    other.cmp(&one)
}
