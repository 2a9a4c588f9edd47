//! The declaration of columns: a key, its type and meaning, and the value that a row has for it.

use crate::io::output::{self, Key, Value};

/// A property of the rows `R`: of a listing, of `stat`, or of a stream of JSON.
#[derive(Debug)]
pub struct Column<R> {
    /// Its key.
    pub key: Key,
    /// Its value in a row.
    pub value: fn(&R) -> Value,
}

/// A row, whose type declares its columns.
pub trait Columns: Sized + 'static {
    /// The columns, in the order of text and JSON.
    const COLUMNS: &'static [Column<Self>];

    /// The values of a row.
    fn values(&self) -> Vec<Value> {
        Self::COLUMNS.iter().map(|column| (column.value)(self)).collect()
    }

    /// Whether a row is printed in another colour, on a terminal that has colours: the object is in
    /// a state in which something fails or waits.
    fn needs_attention(&self) -> bool {
        false
    }

    /// The row as it is printed.
    fn printed(&self) -> output::Row {
        output::Row { values: self.values(), needs_attention: self.needs_attention() }
    }

    /// The keys.
    fn keys() -> Vec<&'static Key> {
        Self::COLUMNS.iter().map(|column| &column.key).collect()
    }
}

impl<R> Column<R> {
    /// A column with this key, and with the values that the function returns.
    pub const fn new(key: Key, value: fn(&R) -> Value) -> Self {
        Self { key, value }
    }

    /// The same, of some rows only.
    pub const fn only(mut self, rows: &'static str) -> Self {
        self.key = self.key.only(rows);
        self
    }

    /// The same, not in a listing that does not name it.
    pub const fn in_detail(mut self) -> Self {
        self.key = self.key.in_detail();
        self
    }
}
