//! `ipc top`: the objects of all kinds, live.

mod cells;
mod columns;
mod draw;
mod live;
mod numbers;
mod panel;
mod sort;
mod state;
mod table;
mod theme;
mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use self::columns::Look;
use self::live::{End, Live};
use self::sort::Sort;
use self::state::State;
use self::theme::Theme;
use self::view::{Arrangement, Content, View};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::{Context, Environment};
use crate::app::listing::{self, Json};
use crate::app::options::Format;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::units::Timeout;
use crate::cmd::look::{User, report_unlisted};
use crate::io::output::Paint;
use crate::io::screen::{lines, picture};
use crate::mechanism::monitor::{Class, Monitor, Pace};
use crate::sys::{accounts, poll, stdio, termios, time};

/// Watch all objects, live
///
/// The screen shows the objects of 'ipc ls' and TCP sockets, below their kinds, below the processes that use
/// them (F5), or as one list, and looks at all of them again in each interval. F1 shows the keys, which are
/// those of htop. Enter shows who uses an object and how, or all that a process uses.
///
/// MSG/S and BYTE/S are messages and bytes per second of the busier direction, where the object counts them:
/// queues count both, doors their calls, TCP sockets bytes. Elsewhere +N and -N are the change of the count
/// since the look before, and a dash means that nothing is counted. FILL is the part of a limit in use: bytes
/// of a queue, messages, calls in progress, the backlog of a socket. WAIT is the number of processes or clients
/// that wait: for a lock, a semaphore, room in a queue, or to be accepted.
///
/// Processes that wait for each other's locks are a deadlock, which is shown at the top, and their rows
/// stand out: the kernel detects such cycles of POSIX locks only. New objects are emphasized, and removed
/// ones are crossed out, for 5 seconds. F9 removes an object after a question, and only if no process uses it,
/// as 'ipc prune' does.
///
/// A look at a machine with many processes takes time: the interval grows so that 'ipc top' takes at most 2 %
/// of one CPU, and the title says so.
///
/// --once prints one frame as text: rates are those of half a second, or of --interval. --svg writes it as a
/// picture. --json prints an
/// object for each interval, or with --once one object.
#[derive(Debug, clap::Args, Plain)]
pub struct Top {
    /// Only objects of this kind; repeatable
    #[arg(short, long, value_name = "KIND", hide_possible_values = true)]
    kind: Vec<Class>,
    /// Only objects of this user
    #[arg(short, long, value_name = "USER")]
    user: Option<User>,
    /// Only your objects
    #[arg(long, conflicts_with = "user")]
    mine: bool,
    /// Look again after this time; default 2s
    #[arg(short, long, value_name = "DURATION")]
    interval: Option<Timeout>,
    /// kinds, processes or list
    #[arg(long, value_name = "VIEW", hide_possible_values = true)]
    view: Option<Arrangement>,
    /// name, size, count, fill, messages, bytes, waiting...
    #[arg(long, value_name = "KEY", hide_possible_values = true)]
    sort: Option<Sort>,
    /// Only rows with this text in name, kind or process
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Print one frame
    #[arg(long)]
    once: bool,
    /// Write one frame as a picture to this file
    #[arg(long, value_name = "FILE.svg", hide_short_help = true)]
    svg: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
    /// Files, or directories with files, to watch as well
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// The usual time between two looks.
const USUAL: Duration = Duration::from_secs(2);

/// The time between the two looks of one frame.
const USUAL_ONCE: Duration = Duration::from_millis(500);

impl Action for Top {
    const JSON: &'static [Json] = &[Json::lines::<Look>()];
    const EXAMPLES: &'static [Example] = &[
        ("Watch your objects", "ipc top --mine"),
        ("Watch queues and doors, the busiest first", "ipc top -k queue -k door --sort messages"),
        ("Print the processes that use objects, as a tree", "ipc top --once --view processes"),
        ("Record how many messages wait in a queue", "ipc top -k queue --json --interval 10s >log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut monitor = Monitor::new(self.kind.clone(), self.paths.clone());
        let is_one_frame = self.once || self.svg.is_some();
        let usual = if is_one_frame { USUAL_ONCE } else { USUAL };
        let interval = match self.interval {
            None => usual,
            Some(Timeout::For(interval)) => interval,
            Some(Timeout::Forever) => Duration::MAX,
        };
        let pace = Pace::new(interval);
        if self.format.is_json() {
            return self.stream(&mut monitor, pace, context);
        }
        let destinations = context.output.destinations();
        let paint = destinations.color.of(context.stdout);
        let theme = match self.svg {
            Some(_) => Theme::new(Paint::Colored, "UTF-8"),
            None => Theme::new(paint, &locale(context.environment)),
        };
        let mut state = State::new(self.view(), pace, theme);
        if is_one_frame {
            let frame = one_frame(&mut monitor, &mut state, context)?;
            return self.print(&frame, &state, paint, context);
        }
        check_terminal(context)?;
        if !self.paths.is_empty() {
            let survey = monitor.look(time::monotonic()).survey;
            if !survey.refused.is_empty() {
                return Ok(report_unlisted(&survey, &context.output));
            }
        }
        let live = Live::open(&mut state, monitor, (context.stdin, context.stdout), paint);
        Ok(match live?.run()? {
            End::Quit => Exit::Done,
            End::By(signal) => context.cancellation.by(signal),
        })
    }
}

impl Top {
    fn view(&self) -> View {
        View {
            arrangement: self.view.unwrap_or_default(),
            sort: self.sort.unwrap_or(Sort::Name),
            is_reversed: false,
            filter: self.filter.clone().unwrap_or_default(),
            owner: self.user.map(User::uid).or(self.mine.then(accounts::own_user)),
            only_waiting: false,
            collapsed: BTreeSet::new(),
        }
    }

    /// Prints one frame, or writes it as a picture.
    fn print(
        &self,
        frame: &Buffer,
        state: &State,
        paint: Paint,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        if let Some(path) = &self.svg {
            std::fs::write(path, picture(frame))
                .map_err(|error| about(Errno::from(error), path))?;
        } else {
            lines(frame, paint).iter().try_for_each(|line| output.line(line))?;
            output.flush()?;
        }
        Ok(report_unlisted(&state.frame.survey, output))
    }

    /// Prints a line of JSON for each look.
    fn stream(
        &self,
        monitor: &mut Monitor,
        mut pace: Pace,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        let view = View { arrangement: Arrangement::List, ..self.view() };
        let (mut is_first, mut exit) = (true, Exit::Done);
        loop {
            let (start, before) = (time::monotonic(), time::of_cpu());
            let frame = monitor.look(start);
            if !self.once || !is_first {
                let rows = view.rows(&frame);
                let chosen = rows.iter().filter_map(|row| match row.content {
                    Content::Object(index) => Some(index),
                    _ => None,
                });
                listing::line(&Look::new(&frame, chosen, time::seconds()), &mut context.output)?;
                context.output.flush()?;
            }
            if is_first {
                exit = report_unlisted(&frame.survey, &context.output);
            }
            if self.once && !is_first || !frame.survey.refused.is_empty() {
                return Ok(exit);
            }
            is_first = false;
            pace.spent(time::of_cpu().saturating_sub(before));
            let spent = Duration::from_nanos(time::monotonic().saturating_sub(start));
            let next = Deadline::after(pace.interval().saturating_sub(spent));
            if poll::without_reader(context.stdout, next)? == Waited::Done(()) {
                // The next write fails, and reports it as every write does.
                context.output.text("\n")?;
                context.output.flush()?;
            }
        }
    }
}

/// One frame, as wide as the terminal and with all rows.
fn one_frame(monitor: &mut Monitor, state: &mut State, context: &Context) -> Result<Buffer, Errno> {
    state.has_selection = false;
    monitor.look(time::monotonic());
    let _: Waited = poll::without_reader(context.stdout, Deadline::after(state.pace.wanted()))?;
    state.enter(monitor.look(time::monotonic()), time::seconds());
    let area = Rect::new(0, 0, width(context), draw::whole_height(state));
    Ok(draw::frame(state, area))
}

/// The width of one frame.
fn width(context: &Context) -> u16 {
    const USUAL: u16 = 80;
    const MOST: u16 = 1000;
    let variable = || context.environment.get("COLUMNS")?.to_str()?.parse().ok();
    let terminal = termios::size(context.stdout).map(|(width, _)| width);
    terminal.or_else(variable).filter(|&width| width > 0).unwrap_or(USUAL).min(MOST)
}

/// The variable that names the character set.
fn locale(environment: Environment) -> String {
    let variables = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let value = variables.filter_map(|name| environment.get(name)).find(|value| !value.is_empty());
    value.unwrap_or_default().to_string_lossy().into_owned()
}

fn check_terminal(context: &Context) -> anyhow::Result<()> {
    let missing = match (stdio::is_terminal(context.stdin), stdio::is_terminal(context.stdout)) {
        (_, false) => "standard output is no terminal",
        (false, true) => "standard input is no terminal",
        (true, true) => match context.environment.get("TERM") {
            Some(name) if name == "dumb" => "the terminal is dumb: it has no screen",
            _ => return Ok(()),
        },
    };
    let failure = Failure::new(Exit::Usage, missing);
    Err(failure.hint("'ipc top --once' prints one frame, 'ipc top --json' a stream").into())
}
