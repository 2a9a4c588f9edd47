//! Cells as a picture: SVG, with a background and colours of its own.

use std::fmt::Write;

use ratatui_core::buffer::{Buffer, Cell, CellWidth};
use ratatui_core::style::{Color, Modifier};

/// The width and the height of a cell, and the margin, in pixels.
const WIDTH: usize = 8;
const HEIGHT: usize = 18;
const MARGIN: usize = 12;

/// The colours of text and background.
const TEXT: &str = "#d8d8e0";
const BACKGROUND: &str = "#16161e";

/// A part of a line with one look.
struct Run {
    start: usize,
    columns: usize,
    text: String,
    look: (Color, Color, Modifier),
}

/// The cells as a picture.
pub fn picture(buffer: &Buffer) -> String {
    let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'DejaVu Sans Mono', 'SF Mono', Menlo, Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for (row, cells) in buffer.content.chunks(columns.max(1)).enumerate() {
        for run in runs(cells) {
            push_run(&mut svg, &run, MARGIN + row * HEIGHT);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn runs(cells: &[Cell]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    while let Some(cell) = cells.get(column) {
        let width = usize::from(cell.symbol().cell_width().max(1));
        let look = (cell.fg, cell.bg, cell.modifier);
        match runs.last_mut() {
            Some(run) if run.look == look => {
                run.text.push_str(cell.symbol());
                run.columns += width;
            }
            _ => {
                let text = cell.symbol().to_owned();
                runs.push(Run { start: column, columns: width, text, look });
            }
        }
        column += width;
    }
    runs
}

fn push_run(svg: &mut String, run: &Run, y: usize) {
    let (foreground, background, modifier) = run.look;
    let (mut text_color, mut fill) = (rgb(foreground), rgb(background));
    if modifier.contains(Modifier::REVERSED) {
        (text_color, fill) = (fill.or(Some(BACKGROUND)), text_color.or(Some(TEXT)));
    }
    let (x, width) = (MARGIN + run.start * WIDTH, run.columns * WIDTH);
    if let Some(fill) = fill {
        push(
            svg,
            format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{fill}\"/>\n"
            ),
        );
    }
    // Renderers differ in what they do with several blanks: each part of the text has its own place.
    let mut column = run.start;
    for part in run.text.split(GAP) {
        let text = part.trim();
        let blanks = part.len() - part.trim_start().len();
        if !text.is_empty() {
            let x = MARGIN + (column + blanks) * WIDTH;
            push_text(svg, (x, y), text, (text_color.unwrap_or(TEXT), modifier));
        }
        column += usize::from(part.cell_width()) + GAP.len();
    }
}

/// What separates the parts of a text.
const GAP: &str = "  ";

fn push_text(
    svg: &mut String,
    (x, y): (usize, usize),
    text: &str,
    (color, modifier): (&str, Modifier),
) {
    /// The baseline of text below the top of its cell.
    const BASELINE: usize = 14;
    let (y, width) = (y + BASELINE, usize::from(text.cell_width()) * WIDTH);
    push(
        svg,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"{color}\""
        ),
    );
    for (part, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " opacity=\"0.5\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        svg.push_str(if modifier.contains(part) { attribute } else { "" });
    }
    push(svg, format_args!(">{}</text>\n", escaped(text)));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colours that the screen uses; `None` is the usual one.
fn rgb(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#16161e",
        Color::Red => "#c83c3c",
        Color::Green => "#3fb068",
        Color::Yellow => "#e0b83c",
        Color::Blue => "#3c78c8",
        Color::Magenta => "#c070d0",
        Color::Cyan => "#40b0c8",
        Color::Gray => "#b8b8c0",
        Color::DarkGray => "#686878",
        Color::LightRed => "#f06060",
        Color::LightGreen => "#60d890",
        Color::LightYellow => "#f0d860",
        Color::LightBlue => "#70a8f0",
        Color::LightMagenta => "#d898e8",
        Color::LightCyan => "#70d8e8",
        Color::White => "#ffffff",
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return None,
    })
}

fn push(svg: &mut String, part: std::fmt::Arguments<'_>) {
    // A write into memory cannot fail.
    let _ = svg.write_fmt(part);
}

#[cfg(test)]
mod tests {
    use ratatui_core::layout::Rect;
    use ratatui_core::style::Style;

    use super::*;

    #[test]
    fn a_run_is_a_text_and_its_background() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        buffer.set_string(1, 0, "<漢>", Style::new().fg(Color::Black).bg(Color::Green));
        let svg = picture(&buffer);
        assert!(
            svg.contains("<rect x=\"20\" y=\"12\" width=\"32\" height=\"18\" fill=\"#3fb068\"/>"),
            "{svg}"
        );
        assert!(svg.contains("textLength=\"32\"") && svg.contains(">&lt;漢&gt;</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 1, "{svg}");
        let mut apart = Buffer::empty(Rect::new(0, 0, 9, 1));
        apart.set_string(0, 0, " a b   cd", Style::new());
        let svg = picture(&apart);
        assert!(svg.contains("x=\"20\"") && svg.contains(">a b</text>"), "{svg}");
        assert!(svg.contains("x=\"68\"") && svg.contains(">cd</text>"), "{svg}");
        let mut plain = Buffer::empty(Rect::new(0, 0, 2, 1));
        plain.set_string(0, 0, "a", Style::new().add_modifier(Modifier::REVERSED));
        assert!(picture(&plain).contains("fill=\"#d8d8e0\"/>"));
    }
}
