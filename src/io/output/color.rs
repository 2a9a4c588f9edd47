//! Colour: which text has it, and when.

use std::os::fd::AsFd;

use crate::sys::stdio;

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Also in a file or a pipe, and with NO_COLOR
    Always,
    /// Nowhere
    Never,
}

impl Color {
    /// How text for a descriptor is painted. The environment is read now, as most commands print no
    /// text that could have a colour.
    pub fn of(self, fd: impl AsFd) -> Paint {
        let is_colored = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stdio::is_terminal(fd) && is_welcome(),
        };
        if is_colored { Paint::Colored } else { Paint::Plain }
    }
}

/// Whether the environment allows colour: NO_COLOR is missing or empty, and TERM names a terminal that
/// has escape sequences.
fn is_welcome() -> bool {
    let value = |name| std::env::var_os(name).unwrap_or_default();
    let terminal = value("TERM");
    value("NO_COLOR").is_empty() && !terminal.is_empty() && terminal != "dumb"
}

/// How text is painted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paint {
    /// Not at all.
    Plain,
    /// With escape sequences of ECMA-48.
    Colored,
}

/// The role of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The names of columns and properties.
    Heading,
    /// A row of a listing that needs attention.
    Alert,
    /// The beginning of an error.
    Error,
    /// The beginning of a hint.
    Hint,
    /// The beginning of a diagnostic that is no error.
    Note,
}

impl Paint {
    /// What precedes a text of this role, and what follows it.
    pub fn around(self, role: Role) -> [&'static str; 2] {
        if self == Self::Plain {
            return [""; 2];
        }
        let start = match role {
            Role::Heading => "\x1b[1m",
            Role::Alert => "\x1b[31m",
            Role::Error => "\x1b[1;31m",
            Role::Hint => "\x1b[36m",
            Role::Note => "\x1b[2m",
        };
        [start, "\x1b[0m"]
    }

    /// Paints the beginning of each line of diagnostics: the name of the program, in this role, and
    /// `hint:`.
    pub fn diagnostics(self, text: String, role: Role) -> String {
        if self == Self::Plain {
            return text;
        }
        text.split_inclusive('\n').map(|line| self.beginning(line, role)).collect()
    }

    fn beginning(self, line: &str, role: Role) -> String {
        for (beginning, role) in [("ipc:", role), ("hint:", Role::Hint)] {
            if let Some(rest) = line.strip_prefix(beginning) {
                let [before, after] = self.around(role);
                return format!("{before}{beginning}{after}{rest}");
            }
        }
        line.to_owned()
    }
}
