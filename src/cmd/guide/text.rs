//! The guide as text: the tables, one mechanism in full, the words for needs.

use super::facts::{MECHANISMS, Mechanism};
use super::needs::Need;

/// How the data travel, how long they last, and the meanings of the headings.
pub fn tables() -> String {
    let travel =
        table(["MECHANISM", "TRANSPORT", "UNIT", "BETWEEN", "COPIES", "DIRECTION", "ORDER"], |m| {
            [m.name, m.transport, m.granularity, m.relationship, m.copies, m.direction, m.order]
        });
    let life = table(["MECHANISM", "UNTIL", "REMOVED", "SIGKILL", "ACCESS", "COST"], |m| {
        [m.name, m.persistence, m.cleanup, m.after_kill, m.access, m.cost]
    });
    format!("{travel}\n{life}\n{LEGEND}")
}

/// A line for each mechanism, in columns that are as wide as their widest cell.
fn table<const N: usize>(
    heads: [&'static str; N],
    row: fn(&Mechanism) -> [&'static str; N],
) -> String {
    let rows: Vec<[&str; N]> = std::iter::once(heads).chain(MECHANISMS.iter().map(row)).collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
    let line = |row: &[&str; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The meanings of the words in the tables.
const LEGEND: &str = "\
UNIT       the unit that a reader gets
BETWEEN    family: processes with a common parent, or a passed descriptor
COPIES     how often the processor copies each byte; splice(2) can avoid it
UNTIL      the contents last until then
REMOVED    the action that removes the name
SIGKILL    what the others see when a process is killed; 'run: returned' means
           that the unit of a killed 'ipc sem run' is returned
ACCESS     mode: permissions of the name; uid: the peer's user may be checked
COST       of a short message: memory (no system call), kernel (a system call
           each), network (a protocol stack), disk (a sync)
";

/// One mechanism in full.
pub fn page(mechanism: &Mechanism) -> String {
    let facts = [
        ("transport", mechanism.transport),
        ("unit", mechanism.granularity),
        ("between", mechanism.relationship),
        ("copies", mechanism.copies),
        ("direction", mechanism.direction),
        ("order", mechanism.order),
        ("until", mechanism.persistence),
        ("removed", mechanism.cleanup),
        ("sigkill", mechanism.after_kill),
        ("access", mechanism.access),
        ("cost", mechanism.cost),
    ];
    let mut text = format!("{}: {}\n\n", mechanism.name, mechanism.about);
    for (key, value) in facts {
        text += &format!("  {key:<15} {value}\n");
    }
    text += "\nNeeds that it meets:\n";
    for (need, fit, reason) in mechanism.meets {
        text += &verdict(need.word(), fit.word(), reason);
    }
    text += "\nTraps:\n";
    for trap in mechanism.traps {
        text += &wrapped("  - ", "    ", trap);
    }
    text += &format!("\nTo start with:\n  {}\n", mechanism.start);
    text += &format!("\nSee also: {}, ipc-{}(1)\n", mechanism.pages.join(", "), mechanism.noun);
    text
}

/// A line on a need, with the reason.
pub fn verdict(need: &str, fit: &str, reason: &str) -> String {
    let first = format!("  {need:<15} {fit:<7} ");
    wrapped(&first, &" ".repeat(first.len()), reason)
}

/// The words for needs, and their meanings.
pub fn words() -> String {
    Need::ALL.iter().map(|need| format!("  {:<15} {}\n", need.word(), need.meaning())).collect()
}

/// The width of a page, as of help.
const WIDTH: usize = 80;

/// A paragraph that begins with `first`, and whose further lines begin with `rest`.
fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let mut lines = String::from(first);
    let mut column = first.chars().count();
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            lines += &format!("\n{rest}");
            column = rest.chars().count();
        } else if index > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += length;
    }
    format!("{}\n", lines.trim_end())
}
