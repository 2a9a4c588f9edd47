//! What a verb prints with `--json`, for its manual page, which is generated from it.

use std::fmt::Debug;

use super::column::Columns;
use crate::io::output::Key;

/// What a verb prints with `--json`.
#[derive(Clone, Copy, Debug)]
pub struct Json {
    /// How the values stand in the output.
    pub shape: Shape,
    /// The objects that it holds for, if the verb prints others too.
    pub of: Option<&'static str>,
    /// The keys of an object.
    pub keys: fn() -> Vec<&'static Key>,
}

/// How values stand in the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// One object.
    Object,
    /// An array of objects.
    Array,
    /// Objects, each in a line.
    Lines,
    /// An array of numbers.
    Numbers,
}

impl Json {
    /// One object with the keys of a row.
    pub const fn object<R: Columns>() -> Self {
        Self { shape: Shape::Object, of: None, keys: R::keys }
    }

    /// An array with an object for each row.
    pub const fn array<R: Columns>() -> Self {
        Self { shape: Shape::Array, of: None, keys: R::keys }
    }

    /// A line with an object for each row.
    pub const fn lines<R: Columns>() -> Self {
        Self { shape: Shape::Lines, of: None, keys: R::keys }
    }

    /// An array of numbers.
    pub const fn numbers() -> Self {
        Self { shape: Shape::Numbers, of: None, keys: Vec::new }
    }

    /// The same, of some of the objects of a verb.
    pub const fn of(mut self, objects: &'static str) -> Self {
        self.of = Some(objects);
        self
    }
}
