//! Signals by number and name, including real-time signals: signal(7).

use std::fmt;
use std::str::FromStr;

/// A signal by its number. The names are those of Linux without SIG.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Signal(i32);

/// The default effect of a signal on a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// The process dies.
    Terminate,
    /// The process dies and dumps core.
    Core,
    /// There is none.
    Ignore,
    /// The process stops.
    Stop,
    /// A stopped process continues.
    Continue,
}

impl Action {
    /// The word of signal(7).
    pub fn word(self) -> &'static str {
        match self {
            Self::Terminate => "term",
            Self::Core => "core",
            Self::Ignore => "ign",
            Self::Stop => "stop",
            Self::Continue => "cont",
        }
    }
}

/// The first real-time signal of glibc. musl reserves one more signal, and its first one is 35. A
/// name must mean the same signal in every build.
const FIRST_REAL_TIME: i32 = 34;
const LAST_REAL_TIME: i32 = 64;

/// The signals that have a name: number, name, default effect, other names.
const NAMED: [(i32, &str, Action, &[&str]); 31] = {
    use Action::{Continue, Core, Ignore, Stop, Terminate};
    [
        (libc::SIGHUP, "HUP", Terminate, &[]),
        (libc::SIGINT, "INT", Terminate, &[]),
        (libc::SIGQUIT, "QUIT", Core, &[]),
        (libc::SIGILL, "ILL", Core, &[]),
        (libc::SIGTRAP, "TRAP", Core, &[]),
        (libc::SIGABRT, "ABRT", Core, &["IOT"]),
        (libc::SIGBUS, "BUS", Core, &[]),
        (libc::SIGFPE, "FPE", Core, &[]),
        (libc::SIGKILL, "KILL", Terminate, &[]),
        (libc::SIGUSR1, "USR1", Terminate, &[]),
        (libc::SIGSEGV, "SEGV", Core, &[]),
        (libc::SIGUSR2, "USR2", Terminate, &[]),
        (libc::SIGPIPE, "PIPE", Terminate, &[]),
        (libc::SIGALRM, "ALRM", Terminate, &[]),
        (libc::SIGTERM, "TERM", Terminate, &[]),
        (libc::SIGSTKFLT, "STKFLT", Terminate, &[]),
        (libc::SIGCHLD, "CHLD", Ignore, &["CLD"]),
        (libc::SIGCONT, "CONT", Continue, &[]),
        (libc::SIGSTOP, "STOP", Stop, &[]),
        (libc::SIGTSTP, "TSTP", Stop, &[]),
        (libc::SIGTTIN, "TTIN", Stop, &[]),
        (libc::SIGTTOU, "TTOU", Stop, &[]),
        (libc::SIGURG, "URG", Ignore, &[]),
        (libc::SIGXCPU, "XCPU", Core, &[]),
        (libc::SIGXFSZ, "XFSZ", Core, &[]),
        (libc::SIGVTALRM, "VTALRM", Terminate, &[]),
        (libc::SIGPROF, "PROF", Terminate, &[]),
        (libc::SIGWINCH, "WINCH", Ignore, &[]),
        (libc::SIGIO, "IO", Terminate, &["POLL"]),
        (libc::SIGPWR, "PWR", Terminate, &[]),
        (libc::SIGSYS, "SYS", Core, &["UNUSED"]),
    ]
};

impl Signal {
    /// Hang-up of the terminal.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// Interrupt from the keyboard.
    pub const INT: Self = Self(libc::SIGINT);
    /// Quit from the keyboard.
    pub const QUIT: Self = Self(libc::SIGQUIT);
    /// Access to memory that was lost.
    pub const BUS: Self = Self(libc::SIGBUS);
    /// Kill, which a process cannot catch.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// The first signal for users.
    pub const USR1: Self = Self(libc::SIGUSR1);
    /// The second signal for users.
    pub const USR2: Self = Self(libc::SIGUSR2);
    /// Write to a pipe without a reader.
    pub const PIPE: Self = Self(libc::SIGPIPE);
    /// Write beyond the limit of files.
    pub const XFSZ: Self = Self(libc::SIGXFSZ);
    /// Request to end.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// A child changed its state.
    pub const CHLD: Self = Self(libc::SIGCHLD);
    /// Continue after a stop.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// Stop, which a process cannot catch.
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// Stop by a key of the terminal.
    pub const TSTP: Self = Self(libc::SIGTSTP);
    /// A process in the background reads from its terminal.
    pub const TTIN: Self = Self(libc::SIGTTIN);
    /// A process in the background writes to its terminal.
    pub const TTOU: Self = Self(libc::SIGTTOU);
    /// Urgent data on a socket; no effect by default.
    pub const URG: Self = Self(libc::SIGURG);
    /// The size of the terminal has changed; no effect by default.
    pub const WINCH: Self = Self(libc::SIGWINCH);
    /// The first real-time signal of glibc.
    pub const RTMIN: Self = Self(FIRST_REAL_TIME);

    /// The signal of this number; `None` if the number is out of range, as 0 is.
    pub fn new(number: i32) -> Option<Self> {
        (1..=LAST_REAL_TIME).contains(&number).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// All signals that have a name. C libraries reserve 32 and 33, which have none.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=LAST_REAL_TIME)
            .map(Self)
            .filter(|signal| signal.named().is_some() || signal.is_real_time())
    }

    /// The signals that end a process by default, except KILL, which a process cannot catch, and
    /// PIPE, which this program ignores. A fault of the process itself ends it even if it blocks
    /// the signal.
    pub fn deadly() -> impl Iterator<Item = Self> {
        const NAMED: [i32; 21] = [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGABRT,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGUSR1,
            libc::SIGSEGV,
            libc::SIGUSR2,
            libc::SIGALRM,
            libc::SIGTERM,
            libc::SIGSTKFLT,
            libc::SIGXCPU,
            libc::SIGXFSZ,
            libc::SIGVTALRM,
            libc::SIGPROF,
            libc::SIGIO,
            libc::SIGPWR,
            libc::SIGSYS,
        ];
        NAMED.into_iter().chain(FIRST_REAL_TIME..=LAST_REAL_TIME).map(Self)
    }

    /// Whether the kernel sends it to a process for a fault of its own.
    pub fn is_fault(self) -> bool {
        const FAULTS: [i32; 7] = [
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGABRT,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGSEGV,
            libc::SIGSYS,
        ];
        FAULTS.contains(&self.0)
    }

    /// Whether it is queued with its value, and not merged with a pending one of the same number.
    fn is_real_time(self) -> bool {
        self.0 >= FIRST_REAL_TIME
    }

    /// Its default effect.
    pub fn default_action(self) -> Action {
        self.named().map_or(Action::Terminate, |(_, action)| action)
    }

    fn named(self) -> Option<(&'static str, Action)> {
        NAMED
            .iter()
            .find(|&&(number, ..)| number == self.0)
            .map(|&(_, name, action, _)| (name, action))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIDDLE: i32 = (FIRST_REAL_TIME + LAST_REAL_TIME) / 2;
        match (self.named(), self.0) {
            (Some((name, _)), _) => f.pad(name),
            (None, FIRST_REAL_TIME) => f.pad("RTMIN"),
            (None, LAST_REAL_TIME) => f.pad("RTMAX"),
            (None, number @ FIRST_REAL_TIME..=MIDDLE) => {
                f.pad(&format!("RTMIN+{}", number - FIRST_REAL_TIME))
            }
            (None, number @ FIRST_REAL_TIME..=LAST_REAL_TIME) => {
                f.pad(&format!("RTMAX-{}", LAST_REAL_TIME - number))
            }
            (None, number) => f.pad(&number.to_string()),
        }
    }
}

impl FromStr for Signal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_SIGNAL: &str = "not a signal; 'ipc signal ls' lists them";
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::new).ok_or(NOT_A_SIGNAL);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let named =
            NAMED.iter().find(|(_, main, _, others)| *main == name || others.contains(&name));
        match named {
            Some(&(number, ..)) => Ok(Self(number)),
            None => real_time(name).ok_or(NOT_A_SIGNAL),
        }
    }
}

/// The signal of `RTMIN`, `RTMIN+N`, `RTMAX` or `RTMAX-N`.
fn real_time(name: &str) -> Option<Signal> {
    let offset = |text: &str, sign: char| match text.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<i32>().ok(),
        Some(_) => None,
        None => text.is_empty().then_some(0),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => FIRST_REAL_TIME.checked_add(offset(rest, '+')?)?,
        (_, Some(rest)) => LAST_REAL_TIME.checked_sub(offset(rest, '-')?)?,
        _ => return None,
    };
    Signal::new(number).filter(|signal| signal.is_real_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_read_by_number_or_by_name_in_any_case_with_or_without_sig() {
        for text in ["USR1", "SIGUSR1", "usr1", "sigusr1", "10"] {
            assert_eq!(text.parse(), Ok(Signal::USR1), "{text}");
        }
        assert_eq!("CLD".parse(), Ok(Signal::CHLD));
    }

    #[test]
    fn real_time_signals_count_from_both_ends() {
        for (text, number) in
            [("RTMIN", 34), ("rtmin+3", 37), ("SIGRTMAX-1", 63), ("RTMAX", 64), ("RTMIN+30", 64)]
        {
            assert_eq!(text.parse::<Signal>().map(Signal::number), Ok(number), "{text}");
        }
    }

    #[test]
    fn an_unknown_signal_is_an_error() {
        for text in [
            "",
            "0",
            "65",
            "-1",
            "SIG",
            "RTMIN-1",
            "RTMIN+31",
            "RTMAX+1",
            "RTMIN+",
            "RTMAX-99999999999",
            "FOO",
        ] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_of_each_signal_is_read_back() {
        for signal in Signal::all() {
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
        assert_eq!(Signal::all().count(), 62);
    }
}
