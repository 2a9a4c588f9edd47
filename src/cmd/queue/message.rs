//! A message as a line of JSON.

use crate::app::listing::{Column, Columns};
use crate::io::output::{Key, Type, Value};

/// A message that `pop` or `tap` prints.
#[derive(Debug)]
pub struct Message(pub Vec<u8>);

impl Columns for Message {
    const COLUMNS: &'static [Column<Self>] =
        &[Column::new(Key::new("message", Type::Text, "The message"), |it| Value::text(&it.0))];
}
