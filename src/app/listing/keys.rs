//! Keys on the command line: `--sort KEY,...` and `-o KEY,...`.

use crate::io::output::{Key, Row};

/// The index of the key of this name.
///
/// # Errors
/// The reason, which lists the keys.
pub fn find(name: &str, keys: &[&Key]) -> Result<usize, String> {
    keys.iter().position(|key| key.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        format!("no key '{name}': the keys are {}", names.join(", "))
    })
}

/// The order of the rows.
#[derive(Clone, Debug)]
pub struct Sort(Vec<(usize, Direction)>);

#[derive(Clone, Copy, Debug)]
enum Direction {
    Ascending,
    Descending,
}

impl Sort {
    /// Reads keys that are separated by commas, each behind a minus sign for the descending order.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(text: &str, keys: &[&Key]) -> Result<Self, String> {
        let part = |part: &str| match part.strip_prefix('-') {
            Some(name) => Ok((find(name, keys)?, Direction::Descending)),
            None => Ok((find(part, keys)?, Direction::Ascending)),
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(Self)
    }

    /// Sorts rows. Equal ones keep their order.
    pub fn apply(&self, rows: &mut [Row]) {
        rows.sort_by(|one, other| {
            let orders = self.0.iter().map(|&(column, direction)| {
                let order = one.values[column].order(&other.values[column]);
                match direction {
                    Direction::Ascending => order,
                    Direction::Descending => order.reverse(),
                }
            });
            orders.reduce(std::cmp::Ordering::then).unwrap_or(std::cmp::Ordering::Equal)
        });
    }

    /// Whether it needs the values of a column.
    pub fn uses(&self, column: usize) -> bool {
        self.0.iter().any(|&(used, _)| used == column)
    }
}

/// The columns of a listing.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These only.
    These(Vec<usize>),
    /// These behind the usual ones.
    And(Vec<usize>),
}

impl Selection {
    /// Reads keys that are separated by commas; a plus sign before them adds them to the usual
    /// columns.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(text: &str, keys: &[&Key]) -> Result<Self, String> {
        let all = |text: &str| -> Result<Vec<usize>, String> {
            text.split(',').map(|name| find(name, keys)).collect()
        };
        match text.strip_prefix('+') {
            Some(text) => Ok(Self::And(all(text)?)),
            None => Ok(Self::These(all(text)?)),
        }
    }

    /// The columns, if these are the usual ones.
    pub fn of(&self, usual: Vec<usize>) -> Vec<usize> {
        match self {
            Self::These(columns) => columns.clone(),
            Self::And(columns) => {
                let others = columns.iter().copied().filter(|column| !usual.contains(column));
                [usual.clone(), others.collect()].concat()
            }
        }
    }
}
