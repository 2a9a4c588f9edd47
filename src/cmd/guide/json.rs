//! The guide as JSON.

use serde_json::json;

use super::facts::{Mechanism, Met};
use super::rank::Proposal;
use crate::app::listing::{Column, Columns};
use crate::io::output::{Key, Type, Value};

const MET: &[Key] = &[
    Key::new("need", Type::Word, "Word for the need"),
    Key::new("fit", Type::Word, "yes, partly or no"),
    Key::new("reason", Type::Text, "Why"),
];

/// A word of a mechanism.
const fn word(
    name: &'static str,
    meaning: &'static str,
    value: fn(&&'static Mechanism) -> Value,
) -> Column<&'static Mechanism> {
    Column::new(Key::new(name, Type::Word, meaning), value)
}

impl Columns for &'static Mechanism {
    const COLUMNS: &'static [Column<Self>] = &[
        word("mechanism", "Name", |it| it.name.into()),
        word("noun", "Noun whose verbs use it", |it| it.noun.into()),
        word("about", "Description", |it| it.about.into()),
        word("transport", "Where the data are between the processes", |it| it.transport.into()),
        word("unit", "Unit that a reader gets", |it| it.granularity.into()),
        word("between", "Processes that can take part", |it| it.relationship.into()),
        word("copies", "How often each byte is copied", |it| it.copies.into()),
        word("direction", "One way, or both ways", |it| it.direction.into()),
        word("order", "Order of arrival", |it| it.order.into()),
        word("until", "When the contents end", |it| it.persistence.into()),
        word("removed", "What removes the name", |it| it.cleanup.into()),
        word("sigkill", "What a participant sees when another is killed", |it| {
            it.after_kill.into()
        }),
        word("access", "What decides on access", |it| it.access.into()),
        word("cost", "Main cost of a short message", |it| it.cost.into()),
        Column::new(Key::new("meets", Type::Objects(MET), "Needs that it meets"), |it| {
            verdicts(it.meets)
        }),
        Column::new(Key::new("traps", Type::Words, "Mistakes that are made with it"), |it| {
            Value::several(it.traps.iter().copied(), " ", "")
        }),
        word("start", "Command to start with", |it| it.start.into()),
        Column::new(Key::new("pages", Type::Words, "Manual pages"), |it| {
            Value::several(it.pages.iter().copied(), ", ", "")
        }),
    ];
}

impl Columns for Proposal {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("mechanism", Type::Word, "Name"), |it| it.mechanism.name.into()),
        Column::new(Key::new("needs", Type::Objects(MET), "How far it meets each need"), |it| {
            verdicts(&it.verdicts)
        }),
        Column::new(Key::new("start", Type::Word, "Command to start with"), |it| {
            it.mechanism.start.into()
        }),
    ];
}

fn verdicts(verdicts: &[Met]) -> Value {
    let json = |(need, fit, reason): &Met| json!({"need": need.word(), "fit": fit.word(), "reason": reason});
    Value::Several(verdicts.iter().map(json).collect(), Vec::new())
}
