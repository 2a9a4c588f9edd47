//! Colours and signs. Each role can be told apart without colours, too.

use ratatui_core::style::{Color, Modifier, Style};

use crate::io::output::Paint;
use crate::mechanism::monitor::Class;
use crate::mechanism::survey::Kind;

/// How the screen looks.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    is_colored: bool,
    /// The signs of the screen.
    pub signs: &'static Signs,
}

/// The signs of the screen.
#[derive(Debug)]
pub struct Signs {
    /// A row whose children are shown, and one whose children are not.
    pub open: [&'static str; 2],
    /// In a tree: a child before others, the last child, and what is left of the children of each.
    pub branch: [&'static str; 4],
    /// Parts of a bar, in eighths.
    pub parts: &'static [&'static str],
    /// The rest of a bar.
    pub track: &'static str,
    /// A box: horizontal, vertical, and the corners from the top left in the order of reading.
    pub frame: [&'static str; 6],
    /// Between two facts.
    pub dot: &'static str,
    /// The order of a column: ascending and descending.
    pub order: [&'static str; 2],
    /// The end of a text that is cut.
    pub cut: &'static str,
}

const UNICODE: Signs = Signs {
    open: ["▾ ", "▸ "],
    branch: ["├─ ", "└─ ", "│  ", "   "],
    parts: &["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    track: "·",
    frame: ["─", "│", "╭", "╮", "╰", "╯"],
    dot: " · ",
    order: ["▴", "▾"],
    cut: "…",
};

const ASCII: Signs = Signs {
    open: ["- ", "+ "],
    branch: ["|- ", "`- ", "|  ", "   "],
    parts: &["#"],
    track: ".",
    frame: ["-", "|", "+", "+", "+", "+"],
    dot: ", ",
    order: ["^", "v"],
    cut: ">",
};

impl Theme {
    /// The look for this paint; `locale` is the value of the variable that names the character set.
    pub fn new(paint: Paint, locale: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        let is_unicode = locale.contains("utf-8") || locale.contains("utf8");
        let signs = if is_unicode { &UNICODE } else { &ASCII };
        Self { is_colored: paint == Paint::Colored, signs }
    }

    fn choose(self, colored: Style, plain: Modifier) -> Style {
        if self.is_colored { colored } else { Style::new().add_modifier(plain) }
    }

    /// The bar at the top.
    pub fn title(self) -> Style {
        self.choose(Style::new().fg(Color::Black).bg(Color::Cyan), Modifier::REVERSED)
    }

    /// The name of the program in it.
    pub fn name(self) -> Style {
        self.title().add_modifier(Modifier::BOLD)
    }

    /// The headings of columns.
    pub fn heading(self) -> Style {
        self.choose(Style::new().fg(Color::Black).bg(Color::Green), Modifier::REVERSED)
    }

    /// The heading of the column that rows are sorted by.
    pub fn sorted(self) -> Style {
        let colored = Style::new().fg(Color::Black).bg(Color::Cyan);
        self.choose(colored, Modifier::REVERSED.union(Modifier::BOLD))
    }

    /// The selected row.
    pub fn selected(self) -> Style {
        self.choose(Style::new().fg(Color::Black).bg(Color::Cyan), Modifier::REVERSED)
    }

    /// The name of a key in the last line.
    pub fn key(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The effect of a key.
    pub fn label(self) -> Style {
        self.choose(Style::new().fg(Color::Black).bg(Color::Cyan), Modifier::REVERSED)
    }

    /// A deadlock.
    pub fn alert(self) -> Style {
        let colored = Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD);
        self.choose(colored, Modifier::REVERSED.union(Modifier::BOLD))
    }

    /// What is missing or unimportant.
    pub fn faint(self) -> Style {
        self.choose(Style::new().fg(Color::DarkGray), Modifier::DIM)
    }

    /// An object that was removed.
    pub fn gone(self) -> Style {
        let plain = Modifier::DIM.union(Modifier::CROSSED_OUT);
        self.choose(Style::new().fg(Color::DarkGray).add_modifier(Modifier::CROSSED_OUT), plain)
    }

    /// An object that is new.
    pub fn new_object(self) -> Style {
        let colored = Style::new().fg(Color::LightGreen).add_modifier(Modifier::BOLD);
        self.choose(colored, Modifier::BOLD)
    }

    /// What waits.
    pub fn waiting(self) -> Style {
        let colored = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
        self.choose(colored, Modifier::BOLD)
    }

    /// A number that changes.
    pub fn lively(self) -> Style {
        let colored = Style::new().fg(Color::LightGreen);
        self.choose(colored, Modifier::BOLD)
    }

    /// A heading within the text, and the name of a process.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A class of objects.
    pub fn class(self, class: Class) -> Style {
        let color = match class {
            Class::Of(Kind::Shm | Kind::Memory) => Color::Cyan,
            Class::Of(Kind::Sem | Kind::Lock | Kind::LockFile) => Color::Magenta,
            Class::Of(Kind::Mq | Kind::Queue | Kind::Spool) => Color::Green,
            Class::Of(Kind::Fifo | Kind::Sock | Kind::Door | Kind::Holder) | Class::Tcp => {
                Color::LightBlue
            }
        };
        self.choose(Style::new().fg(color).add_modifier(Modifier::BOLD), Modifier::BOLD)
    }

    /// The filled part of a bar; the rest is faint.
    pub fn bar(self, share: f64) -> Style {
        const NEARLY_FULL: f64 = 0.9;
        const RATHER_FULL: f64 = 0.7;
        let color = match share {
            share if share >= NEARLY_FULL => Color::LightRed,
            share if share >= RATHER_FULL => Color::Yellow,
            share if share > 0.0 => Color::Green,
            _ => return self.faint(),
        };
        self.choose(Style::new().fg(color), Modifier::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_those_of_the_character_set() {
        for (locale, sign) in [("en_US.UTF-8", "…"), ("C.utf8", "…"), ("C", ">"), ("", ">")] {
            assert_eq!(Theme::new(Paint::Plain, locale).signs.cut, sign, "{locale}");
        }
    }

    #[test]
    fn without_colours_there_are_only_attributes() {
        let theme = Theme::new(Paint::Plain, "C");
        for style in [theme.title(), theme.selected(), theme.alert(), theme.gone(), theme.waiting()]
        {
            assert_eq!((style.fg, style.bg), (None, None));
            assert_ne!(style.add_modifier, Modifier::empty());
        }
    }
}
