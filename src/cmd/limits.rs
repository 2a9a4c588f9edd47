//! `ipc limits`: what the kernel allows, and what is in use.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Json, Listing};
use crate::base::exit::{Exit, Failure};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::limits::{self, Limit, Unit};

/// Show limits and their use
///
/// Each line is a limit: the kind of object, what is limited, what is in use, the maximum, the share, and the
/// setting that raises it: a sysctl ('sysctl -w fs.mqueue.msg_max=100'), a resource limit ('ulimit -q
/// unlimited' of bash), or a mount option ('mount -o remount,size=8G /dev/shm'). '-' is a number that the
/// kernel does not count, or the setting of a constant; 'unlimited' is no maximum. What is used of inotify
/// are the instances of this user's processes that can be seen, and of POSIX queues those of this IPC
/// namespace. Beyond the soft limit, a new pipe has the capacity of a page.
///
/// With --above, only limits of which at least this share is in use are listed, with status 1 if
/// there are none: a check for a monitor.
#[derive(Debug, clap::Args, Plain)]
pub struct Limits {
    /// List only limits used to at least N percent
    #[arg(long, value_name = "N")]
    above: Option<u8>,
    #[command(flatten)]
    listing: Listing<Limit>,
}

impl Action for Limits {
    const EXAMPLES: &'static [Example] = &[
        ("See all limits", "ipc limits"),
        ("See those of message queues", "ipc limits --filter kind=mq"),
        ("Warn of what is nearly full", "ipc limits --above 90 && echo 'nearly full' >&2"),
        ("See what is used most", "ipc limits --sort=-percent"),
    ];

    const JSON: &'static [Json] = &[Json::array::<Limit>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut all = limits::all();
        if all.iter().all(|limit| limit.maximum.is_none()) {
            let failure = Failure::failed("the limits cannot be read: /proc is not mounted");
            return Err(anyhow::anyhow!(failure));
        }
        if let Some(least) = self.above {
            all.retain(|limit| limit.share().is_some_and(|share| share * 100.0 >= least.into()));
        }
        let is_none = self.above.is_some() && all.is_empty();
        self.listing.print(all, &mut context.output)?;
        Ok(if is_none { Exit::No } else { Exit::Done })
    }
}

const PERCENT: Key =
    Key { heading: Some("%"), ..Key::new("percent", Type::Number, "The share in use").or_null() };

/// A number of what a limit counts.
fn counted(limit: &Limit, number: u64) -> Value {
    match limit.unit {
        Unit::Objects => number.into(),
        Unit::Bytes => Value::Size(number),
    }
}

/// The share in use from which on a limit needs attention.
const NEARLY_FULL: f64 = 0.9;

impl Columns for Limit {
    fn needs_attention(&self) -> bool {
        self.share().is_some_and(|share| share >= NEARLY_FULL)
    }

    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("kind", Type::Word, "Kind of object"), |it| it.kind.into()),
        Column::new(Key::new("limit", Type::Word, "What is limited"), |it| it.name.into()),
        Column::new(Key::new("used", Type::Number, "What is in use").or_null(), |it| {
            it.used.map(|used| counted(it, used)).into()
        }),
        Column::new(
            Key::new("max", Type::Number, "The maximum; null if there is none").or_null(),
            |it| match it.maximum {
                Some(maximum) => counted(it, maximum),
                None => Value::Missing("unlimited".into()),
            },
        ),
        Column::new(PERCENT, |it| match it.share() {
            // Not rounded up: what shows 90 is at 90, as --above and the colour take it.
            Some(share) => Value::Decimal((share * 100.0).floor(), 0),
            None => Value::MISSING,
        }),
        Column::new(
            Key::new("unit", Type::Word, "What is counted: objects or bytes").on_request(),
            |it| {
                match it.unit {
                    Unit::Objects => "objects",
                    Unit::Bytes => "bytes",
                }
                .into()
            },
        ),
        Column::new(
            Key::new("setting", Type::Word, "What raises it; null for a constant").or_null(),
            |it| it.setting.into(),
        ),
    ];
}
