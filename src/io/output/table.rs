//! The properties of several objects with the same keys.

use std::borrow::Cow;
use std::mem;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::color::{Paint, Role};
use super::human::{age, human};
use super::key::{Key, Type, Visibility};
use super::listing::{self, Cells};
use super::medium::Medium;
use super::value::Value;

/// The properties of several objects: a row for each, with a value for each key.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    keys: Vec<&'a Key>,
    rows: Vec<Row>,
}

/// The properties of one of several objects.
#[derive(Clone, Debug)]
pub struct Row {
    /// A value for each key.
    pub values: Vec<Value>,
    /// Whether it is printed in another colour.
    pub needs_attention: bool,
}

/// How a table looks as text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The line above the columns.
    pub headings: Headings,
    /// The form of sizes and ages.
    pub sizes: Sizes,
}

/// The line above the columns.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Headings {
    /// It has the names of the columns.
    #[default]
    Printed,
    /// There is none.
    Omitted,
}

/// The form of sizes and ages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sizes {
    /// A number of bytes or seconds.
    #[default]
    Bytes,
    /// A short number with a unit.
    Human,
}

impl<'a> Table<'a> {
    /// A table of these rows, each with a value for each key.
    pub fn new(keys: Vec<&'a Key>, rows: Vec<Row>) -> Self {
        for (key, value) in rows.iter().flat_map(|row| keys.iter().zip(&row.values)) {
            debug_assert!(fits(key, value), "{key:?} {value:?}");
        }
        Self { keys, rows }
    }

    /// The columns of the text that no option chooses: not those of which JSON alone has the
    /// property, nor those that no row has, as far as only some rows can have it.
    pub fn usual_columns(&self) -> Vec<usize> {
        let applies = |column: usize| {
            let is_special = self.keys[column].only.is_some();
            self.rows.iter().any(|row| match &row.values[column] {
                Value::Inapplicable => false,
                value => !(is_special && value.count() == Some(0)),
            })
        };
        let is_usual =
            |&column: &usize| self.keys[column].visibility == Visibility::Always && applies(column);
        (0..self.keys.len()).filter(is_usual).collect()
    }

    /// All columns.
    pub fn all_columns(&self) -> Vec<usize> {
        (0..self.keys.len()).collect()
    }

    /// The same table with these columns, in this order.
    pub fn with_columns(self, columns: &[usize]) -> Self {
        let keys = columns.iter().map(|&column| self.keys[column]).collect();
        // Most often the values that are left move to the front, without another allocation.
        let is_in_order = columns.is_sorted_by(|one, other| one < other);
        // A value is copied only for a column that is there twice.
        let is_last = |at: usize| !columns[at + 1..].contains(&columns[at]);
        let is_last: Vec<bool> = (0..columns.len()).map(is_last).collect();
        let pick = |mut row: Row| {
            if is_in_order {
                columns.iter().enumerate().for_each(|(to, &from)| row.values.swap(to, from));
                row.values.truncate(columns.len());
                return row;
            }
            let values = columns.iter().zip(&is_last).map(|(&column, &is_last)| match is_last {
                true => mem::replace(&mut row.values[column], Value::Inapplicable),
                false => row.values[column].clone(),
            });
            Row { values: values.collect(), needs_attention: row.needs_attention }
        };
        Self { keys, rows: self.rows.into_iter().map(pick).collect() }
    }

    /// The rows, to be reordered and reduced.
    pub fn rows_mut(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }

    /// The lines of the text.
    pub(super) fn lines(
        &self,
        look: Look,
        medium: Medium,
        paint: Paint,
    ) -> impl Iterator<Item = Vec<u8>> {
        let cells = self.keys.iter().map(|key| match key.kind {
            Type::Numbers | Type::Words | Type::Objects(_) => Cells::List,
            kind if kind.is_number() => Cells::Number,
            _ => Cells::Text,
        });
        let headings = (look.headings == Headings::Printed && !self.rows.is_empty())
            .then(|| self.keys.iter().map(|key| Cow::from(key.heading().into_bytes())).collect());
        let mut rows = Vec::with_capacity(self.rows.len() * self.keys.len());
        for row in &self.rows {
            let cells = self.keys.iter().zip(&row.values);
            rows.extend(cells.map(|(key, value)| medium.shown(cell(key, value, look.sizes))));
        }
        let kinds: Vec<Cells> = cells.collect();
        let above = headings.is_some().then_some(Some(Role::Heading));
        let roles = self.rows.iter().map(|row| row.needs_attention.then_some(Role::Alert));
        let lines = listing::lines(headings, rows, &kinds, medium);
        lines
            .zip(above.into_iter().chain(roles))
            .map(move |(line, role)| painted(line, role, paint))
    }
}

/// A line in the colour of its role. Escape sequences take no column, so they are added to whole lines.
fn painted(mut line: Vec<u8>, role: Option<Role>, paint: Paint) -> Vec<u8> {
    let (Some(role), Paint::Colored) = (role, paint) else { return line };
    let [before, after] = paint.around(role).map(str::as_bytes);
    line.pop();
    [before, &line, after, b"\n"].concat()
}

fn cell<'v>(key: &Key, value: &'v Value, sizes: Sizes) -> Cow<'v, [u8]> {
    match (key.kind, value) {
        (Type::Size, Value::Number(number)) if sizes == Sizes::Human => {
            human(number.as_u64().unwrap_or_default()).into_bytes().into()
        }
        (_, &Value::Size(bytes)) if sizes == Sizes::Human => human(bytes).into_bytes().into(),
        (Type::Seconds, Value::Number(number)) if sizes == Sizes::Human => {
            age(number.as_f64().unwrap_or_default() as u64).into_bytes().into()
        }
        _ => value.as_text(),
    }
}

/// Whether a value is of the type of its key.
fn fits(key: &Key, value: &Value) -> bool {
    match (key.kind, value) {
        (_, Value::Inapplicable) => key.only.is_some() || key.is_optional,
        (_, value) if value.is_missing() => key.is_optional,
        (Type::Text, Value::Text(_))
        | (Type::Word, Value::Word(_))
        | (Type::Number | Type::Size | Type::Seconds, Value::Number(_) | Value::Decimal(..))
        | (Type::Number, Value::Size(_))
        | (Type::Flag, Value::Flag(_))
        | (Type::Mode, Value::Mode(_))
        | (Type::Time, Value::Time(_))
        | (Type::Numbers | Type::Words | Type::Objects(_), Value::Several(..))
        | (Type::Objects(_), Value::Processes(..)) => true,
        _ => false,
    }
}

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.rows.iter().map(|row| Fields { keys: &self.keys, values: &row.values }),
        )
    }
}

/// A row of a table, as an object of JSON with all keys.
struct Fields<'a> {
    keys: &'a [&'a Key],
    values: &'a [Value],
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.keys.len()))?;
        for (key, value) in self.keys.iter().zip(self.values) {
            map.serialize_entry(key.name, value)?;
        }
        map.end()
    }
}

/// The properties of one object, with the keys that apply to it.
#[derive(Clone, Debug)]
pub struct Properties<'a>(Vec<(&'a Key, Value)>);

impl<'a> Properties<'a> {
    /// The properties with these keys and values.
    pub fn new(keys: impl IntoIterator<Item = &'a Key>, values: Vec<Value>) -> Self {
        let all = keys.into_iter().zip(values);
        let properties = Self(all.filter(|(_, value)| *value != Value::Inapplicable).collect());
        properties
            .0
            .iter()
            .for_each(|(key, value)| debug_assert!(fits(key, value), "{key:?} {value:?}"));
        properties
    }

    /// The lines of the text: a key and its value each.
    pub(super) fn lines(&self, medium: Medium, paint: Paint) -> impl Iterator<Item = Vec<u8>> {
        let is_shown = |(key, _): &&(&Key, Value)| key.visibility != Visibility::OnRequest;
        let shown: Vec<&(&Key, Value)> = self.0.iter().filter(is_shown).collect();
        let width = shown.iter().map(|(key, _)| key.name.len()).max().unwrap_or(0) + 1;
        let [before, after] = paint.around(Role::Heading);
        shown.into_iter().map(move |(key, value)| {
            let name = key.name;
            let gap = " ".repeat(width - name.len());
            let key = format!("{before}{name}:{after}{gap}");
            [key.as_bytes(), &medium.shown(value.as_text()), b"\n"].concat()
        })
    }
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key.name, value)))
    }
}
