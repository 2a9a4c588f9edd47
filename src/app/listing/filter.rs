//! `--filter KEY OPERATOR VALUE`.

use std::cmp::Ordering;

use serde_json::{Number, Value as Json};

use super::keys;
use crate::base::units::{Size, Timeout};
use crate::io::output::{Key, Row, Type, Value, order_of_numbers};
use crate::sys::regex::Regex;

/// A condition that rows of a listing meet, or not.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The index of the column.
    column: usize,
    operator: Operator,
    operand: Operand,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
}

/// The operators, each before those that it begins with.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Matches),
];

/// The value of the command line.
#[derive(Clone, Debug)]
enum Operand {
    /// `-`: no value.
    Missing,
    /// A value of the type of the column.
    Value(Value),
    /// An element of an array, as text.
    Element(String),
    /// A regular expression, which is valid.
    Pattern(String),
}

impl Filter {
    /// Reads a condition on one of these keys.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(text: &str, keys: &[&Key]) -> Result<Self, String> {
        let end = text.find(['=', '!', '<', '>', '~']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let operator = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, operator) = operator.ok_or("not KEY, one of = != < <= > >= ~, and a value")?;
        let column = keys::find(name.trim(), keys)?;
        let value = &rest[sign.len()..];
        let operand = Operand::parse(keys[column], *operator, value)?;
        Ok(Self { column, operator: *operator, operand })
    }

    /// Whether it needs the values of a column.
    pub fn uses(&self, column: usize) -> bool {
        self.column == column
    }

    /// Removes the rows that do not meet the condition.
    pub fn apply(&self, rows: &mut Vec<Row>) {
        // The parser has compiled it already.
        let pattern = match &self.operand {
            Operand::Pattern(pattern) => Regex::new(pattern).ok(),
            _ => None,
        };
        rows.retain(|row| {
            let value = &row.values[self.column];
            match (&self.operand, &pattern) {
                (_, Some(pattern)) => pattern.is_match(&value.as_text()),
                (operand, _) => self.operator.accepts(operand.compare(value)),
            }
        });
    }
}

impl Operator {
    fn accepts(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Self::Matches => false,
        }
    }

    /// Whether it only tells equal values from others.
    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Operand {
    fn parse(key: &Key, operator: Operator, text: &str) -> Result<Self, String> {
        if operator == Operator::Matches {
            let refused =
                |reason| format!("{} is compared with a regular expression: {reason}", key.name);
            Regex::new(text).map_err(refused)?;
            return Ok(Self::Pattern(text.to_owned()));
        }
        let is_element = matches!(key.kind, Type::Numbers | Type::Words | Type::Objects(_));
        if (is_element || matches!(key.kind, Type::Flag)) && !operator.is_equality() {
            return Err(format!("{} is compared by =, != and ~ only", key.name));
        }
        if is_element {
            return Ok(Self::Element(text.to_owned()));
        }
        if text == "-" && (key.is_optional || key.only.is_some()) {
            return if operator.is_equality() { Ok(Self::Missing) } else { Err(NO_ORDER.into()) };
        }
        Ok(Self::Value(value(key.kind, text).ok_or_else(|| expected(key))?))
    }

    /// The order of a value of a row and this one; `None` if there is none.
    fn compare(&self, value: &Value) -> Option<Ordering> {
        match self {
            Self::Missing => value.is_missing().then_some(Ordering::Equal),
            Self::Element(text) => {
                let has_it = value.elements()?.iter().any(|json| contains(json, text));
                has_it.then_some(Ordering::Equal)
            }
            Self::Value(_) if value.is_missing() => None,
            Self::Value(Value::Number(own)) => {
                value.number().map(|number| order_of_numbers(&number, own))
            }
            Self::Value(own) => Some(value.as_text().cmp(&own.as_text())),
            Self::Pattern(_) => None,
        }
    }
}

const NO_ORDER: &str = "'-' is no value, which only = and != compare";

/// Whether a word or a number of an element is this text.
fn contains(json: &Json, text: &str) -> bool {
    match json {
        Json::String(string) => string == text,
        Json::Object(object) => object.values().any(|value| contains(value, text)),
        Json::Array(values) => values.iter().any(|value| contains(value, text)),
        json => {
            let shown = json.to_string();
            shown == text
        }
    }
}

/// Reads a value of a type.
fn value(kind: Type, text: &str) -> Option<Value> {
    Some(match kind {
        Type::Text | Type::Word | Type::Numbers | Type::Words | Type::Objects(_) => {
            Value::text(text)
        }
        Type::Number => Value::Number(number(text.trim())?),
        Type::Size => Value::Number(text.trim().parse::<Size>().ok()?.0.into()),
        Type::Seconds => match text.trim().parse().ok()? {
            Timeout::For(duration) => Value::fraction(duration.as_secs_f64()),
            Timeout::Forever => return None,
        },
        Type::Flag => Value::Flag(match text {
            "yes" | "true" => true,
            "no" | "false" => false,
            _ => return None,
        }),
        Type::Mode => {
            Value::Mode(u32::from_str_radix(text, 8).ok().filter(|&mode| mode <= 0o7777)?)
        }
        // A part of a time, from its beginning, is ordered as text.
        Type::Time => Some(text).filter(|text| is_time(text)).map(Value::text)?,
    })
}

fn number(text: &str) -> Option<Number> {
    let integer =
        text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    integer.ok().or_else(|| Number::from_f64(text.parse().ok()?))
}

/// Whether it looks like the beginning of a time in RFC 3339, a year at least.
fn is_time(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:ddZ";
    let is_part = text.bytes().zip(shape).all(|(byte, &wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        sign => byte == sign,
    });
    is_part && (4..=shape.len()).contains(&text.len())
}

fn expected(key: &Key) -> String {
    let what = match key.kind {
        Type::Number => "a number",
        Type::Size => "a size, such as 4096 or 64K",
        Type::Seconds => "a duration, such as 1m 30s",
        Type::Flag => "yes or no",
        Type::Mode => "permissions in octal",
        Type::Time => "a time, such as 2030-12-31 or 2030-12-31T23:59:59Z",
        Type::Text | Type::Word | Type::Numbers | Type::Words | Type::Objects(_) => "a text",
    };
    format!("{} is compared with {what}", key.name)
}
