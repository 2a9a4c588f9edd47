//! Cells as bytes for a terminal: control sequences of ECMA-48.

use std::fmt::Write;

use ratatui_core::buffer::{Buffer, Cell, CellWidth};
use ratatui_core::style::{Color, Modifier};

use crate::io::output::Paint;

/// The attributes of a cell.
type Look = (Color, Color, Modifier);

const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

/// What changes a terminal that shows one buffer into one that shows another of the same size. Cells that
/// are equal are not written, which a slow line needs.
pub fn differences(before: &Buffer, after: &Buffer, paint: Paint) -> String {
    let (mut text, mut look, mut cursor) = (String::new(), PLAIN, None);
    for (x, y, cell) in before.diff(after) {
        if cursor != Some((x, y)) {
            push(&mut text, format_args!("\x1b[{};{}H", y + 1, x + 1));
        }
        look = change(&mut text, look, on_screen(cell, paint));
        text.push_str(cell.symbol());
        cursor = Some((x + cell.symbol().cell_width().max(1), y));
    }
    if look != PLAIN {
        text.push_str("\x1b[0m");
    }
    text
}

/// The lines of a buffer, without the blanks at their ends. Plain ones have no control sequences at all.
pub fn lines(buffer: &Buffer, paint: Paint) -> Vec<String> {
    let width = usize::from(buffer.area.width).max(1);
    buffer.content.chunks(width).map(|cells| line(cells, paint)).collect()
}

fn line(cells: &[Cell], paint: Paint) -> String {
    let is_blank = |cell: &Cell| cell.symbol() == " " && in_text(cell, paint) == PLAIN;
    let end = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
    let (mut text, mut look, mut hidden) = (String::new(), PLAIN, 0);
    for cell in &cells[..end] {
        if hidden > 0 {
            // It lies below a wide character.
            hidden -= 1;
            continue;
        }
        look = change(&mut text, look, in_text(cell, paint));
        text.push_str(cell.symbol());
        hidden = cell.symbol().cell_width().saturating_sub(1);
    }
    if look != PLAIN {
        text.push_str("\x1b[0m");
    }
    text
}

/// The attributes of a cell of a screen. Without colours it has the others, such as bold.
fn on_screen(cell: &Cell, paint: Paint) -> Look {
    match paint {
        Paint::Colored => (cell.fg, cell.bg, cell.modifier),
        Paint::Plain => (Color::Reset, Color::Reset, cell.modifier),
    }
}

/// The attributes of a cell in a line of text.
fn in_text(cell: &Cell, paint: Paint) -> Look {
    if paint == Paint::Plain { PLAIN } else { on_screen(cell, paint) }
}

fn change(text: &mut String, from: Look, to: Look) -> Look {
    if from == to {
        return to;
    }
    text.push_str("\x1b[0");
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
        (Modifier::CROSSED_OUT, 9),
    ] {
        if to.2.contains(modifier) {
            push(text, format_args!(";{code}"));
        }
    }
    push_color(text, to.0, 30);
    push_color(text, to.1, 40);
    text.push('m');
    to
}

/// A colour of the foreground (30) or the background (40).
fn push_color(text: &mut String, color: Color, base: u8) {
    const BRIGHT: u8 = 60;
    let code = match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => BRIGHT,
        Color::LightRed => BRIGHT + 1,
        Color::LightGreen => BRIGHT + 2,
        Color::LightYellow => BRIGHT + 3,
        Color::LightBlue => BRIGHT + 4,
        Color::LightMagenta => BRIGHT + 5,
        Color::LightCyan => BRIGHT + 6,
        Color::White => BRIGHT + 7,
        Color::Indexed(index) => return push(text, format_args!(";{};5;{index}", base + 8)),
        Color::Rgb(red, green, blue) => {
            return push(text, format_args!(";{};2;{red};{green};{blue}", base + 8));
        }
        Color::Reset => return,
    };
    push(text, format_args!(";{}", base + code));
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    // A write into memory cannot fail.
    let _ = text.write_fmt(part);
}

#[cfg(test)]
mod tests {
    use ratatui_core::layout::Rect;
    use ratatui_core::style::Style;

    use super::*;

    fn buffer(lines: &[(&str, Style)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, lines.len() as u16));
        for (y, (line, style)) in lines.iter().enumerate() {
            buffer.set_string(0, y as u16, line, *style);
        }
        buffer
    }

    #[test]
    fn only_differences_are_written() {
        let before = buffer(&[("one", Style::new()), ("two", Style::new())]);
        let after = buffer(&[("one", Style::new()), ("tao", Style::new().fg(Color::Red))]);
        let all = differences(&before, &after, Paint::Colored);
        assert_eq!(all, "\x1b[2;1H\x1b[0;31mtao\x1b[0m");
        assert_eq!(differences(&after, &after, Paint::Colored), "");
        let plain = differences(&before, &after, Paint::Plain);
        assert_eq!(plain, "\x1b[2;1Htao");
    }

    #[test]
    fn lines_end_with_their_last_character() {
        let reversed = Style::new().fg(Color::LightBlue).add_modifier(Modifier::REVERSED);
        let buffer = buffer(&[("a b", Style::new()), ("", Style::new()), ("漢x", reversed)]);
        assert_eq!(lines(&buffer, Paint::Plain), ["a b", "", "漢x"]);
        assert_eq!(lines(&buffer, Paint::Colored)[2], "\x1b[0;7;94m漢x\x1b[0m");
    }
}
