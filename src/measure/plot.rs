//! A picture of results as SVG: the distribution of latencies, and the rate of messages by their
//! size. It has a background of its own, and colours for light and for dark pages.

use std::fmt::Write as _;

/// The latencies of a mechanism in nanoseconds, from the median to the greatest percentile.
#[derive(Clone, Debug)]
pub struct Range {
    pub name: String,
    /// In ascending order; the first is the median.
    pub marks: Vec<f64>,
    /// The number of its colour.
    pub colour: usize,
}

/// The rates of a mechanism: the size of a message, and the number of messages a second.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// The number of its colour.
    pub colour: usize,
}

/// A picture.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The title of the latencies.
    pub latency: String,
    pub ranges: Vec<Range>,
    /// The title of the rates.
    pub throughput: String,
    pub lines: Vec<Line>,
    /// The machine, below everything.
    pub caption: String,
}

/// The width of the picture; all lengths are pixels at this width.
const WIDTH: f64 = 800.0;

/// The column of names, and the margin at the right.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 40.0;

/// The room for names at the right of lines.
const NAMES: f64 = 170.0;

const ROW: f64 = 28.0;
const TITLE: f64 = 56.0;
const AXIS: f64 = 40.0;

/// The height of the panel with lines.
const LINES: f64 = 420.0;

/// Colours that are distinct on light and on dark.
const COLOURS: [&str; 8] =
    ["#0a7ea4", "#d9480f", "#2b8a3e", "#9c36b5", "#b08800", "#c2255c", "#3b5bdb", "#6b7280"];

const STYLE: &str = "\
text{font:18px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:20px}\
.small{font-size:16px}.page{fill:#fff}.grid{stroke:#d0d7de}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#30363d}}";

/// A logarithmic scale from values to pixels.
struct Scale {
    least: f64,
    greatest: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale of whole powers of ten that holds all values.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let positive: Vec<f64> = values.filter(|value| *value > 0.0).collect();
        let least = positive.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = positive.iter().copied().fold(0.0, f64::max);
        if !least.is_finite() {
            return Self { least: 0.0, greatest: 1.0, from, to };
        }
        let (least, greatest) = (least.log10().floor(), greatest.log10().ceil());
        Self { least, greatest: greatest.max(least + 1.0), from, to }
    }

    /// A scale from the least value to the greatest.
    fn exact(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10();
        let greatest = values.fold(0.0, f64::max).log10();
        Self { least, greatest: greatest.max(least + f64::EPSILON), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let part =
            (value.max(f64::MIN_POSITIVE).log10() - self.least) / (self.greatest - self.least);
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The powers of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        (self.least as i32..=self.greatest as i32).map(|power| 10_f64.powi(power))
    }
}

impl Picture {
    /// The picture as SVG.
    pub fn svg(&self) -> String {
        let (mut body, mut top) = (String::new(), 0.0);
        if !self.ranges.is_empty() {
            top += self.draw_ranges(&mut body, top);
        }
        let has_sizes = self.lines.iter().any(|line| line.points.len() > 1);
        if !self.lines.is_empty() {
            top += match has_sizes {
                true => self.draw_lines(&mut body, top),
                false => self.draw_bars(&mut body, top),
            };
        }
        text(&mut body, (16.0, top + 20.0), "small", "start", &self.caption);
        let height = top + 36.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\"><style>{STYLE}</style>\
             <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n"
        )
    }

    /// A row for each mechanism: a dot at the median, and marks at the other percentiles.
    fn draw_ranges(&self, body: &mut String, top: f64) -> f64 {
        text(body, (16.0, top + 32.0), "title", "start", &self.latency);
        let values = self.ranges.iter().flat_map(|range| range.marks.iter().copied());
        let scale = Scale::new(values, LEFT, WIDTH - RIGHT);
        let bottom = top + TITLE + ROW * self.ranges.len() as f64;
        grid(body, &scale, (top + TITLE - 8.0, bottom), duration);
        for (index, range) in self.ranges.iter().enumerate() {
            let y = top + TITLE + ROW * (index as f64 + 0.5);
            let colour = COLOURS[range.colour % COLOURS.len()];
            text(body, (LEFT - 12.0, y + 6.0), "", "end", &range.name);
            let places: Vec<f64> = range.marks.iter().map(|&mark| scale.place(mark)).collect();
            let (Some(first), Some(last)) = (places.first(), places.last()) else { continue };
            let _ = writeln!(
                body,
                "<path d=\"M{first:.1} {y}H{last:.1}\" stroke=\"{colour}\" stroke-width=\"3\"/>\
                 <circle cx=\"{first:.1}\" cy=\"{y}\" r=\"7\" fill=\"{colour}\"/>"
            );
            for place in &places[1..] {
                let _ = writeln!(
                    body,
                    "<path d=\"M{place:.1} {:.1}v14\" stroke=\"{colour}\" stroke-width=\"3\"/>",
                    y - 7.0
                );
            }
        }
        bottom + AXIS - top
    }

    /// A bar for each mechanism, where there is one size.
    fn draw_bars(&self, body: &mut String, top: f64) -> f64 {
        text(body, (16.0, top + 32.0), "title", "start", &self.throughput);
        let values = self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let scale = Scale::new(values, LEFT, WIDTH - RIGHT);
        let bottom = top + TITLE + ROW * self.lines.len() as f64;
        grid(body, &scale, (top + TITLE - 8.0, bottom), rate);
        for (index, line) in self.lines.iter().enumerate() {
            let y = top + TITLE + ROW * index as f64;
            let Some((_, value)) = line.points.first() else { continue };
            text(body, (LEFT - 12.0, y + ROW / 2.0 + 6.0), "", "end", &line.name);
            let _ = writeln!(
                body,
                "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>",
                y + 4.0,
                scale.place(*value) - LEFT,
                ROW - 8.0,
                COLOURS[line.colour % COLOURS.len()]
            );
        }
        bottom + AXIS - top
    }

    /// A line for each mechanism, over the size.
    fn draw_lines(&self, body: &mut String, top: f64) -> f64 {
        text(body, (16.0, top + 32.0), "title", "start", &self.throughput);
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let x = Scale::exact(points().map(|point| point.0), 90.0, WIDTH - NAMES);
        let bottom = top + TITLE + LINES;
        let y = Scale::new(points().map(|point| point.1), bottom, top + TITLE);
        let mut sizes: Vec<f64> = points().map(|point| point.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        columns(body, &x, sizes.into_iter(), (top + TITLE, bottom), size);
        for tick in y.ticks() {
            let place = y.place(tick);
            let _ = writeln!(body, "<path class=\"grid\" d=\"M90 {place:.1}H{}\"/>", WIDTH - NAMES);
            text(body, (80.0, place + 6.0), "small", "end", &rate(tick));
        }
        let ends = self.lines.iter().map(|line| line.points.last().map_or(0.0, |p| y.place(p.1)));
        let labels = apart(&ends.collect::<Vec<f64>>(), 19.0, (top + TITLE, bottom));
        for (line, label) in self.lines.iter().zip(labels) {
            let colour = COLOURS[line.colour % COLOURS.len()];
            let dashes = if line.colour < COLOURS.len() { "" } else { " stroke-dasharray=\"7 5\"" };
            let places = line.points.iter().map(|point| (x.place(point.0), y.place(point.1)));
            let places: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                body,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"3\"{dashes}/>",
                places.join(" ")
            );
            let _ = writeln!(
                body,
                "<path d=\"M{} {label:.1}h18\" stroke=\"{colour}\" stroke-width=\"3\"{dashes}/>",
                WIDTH - NAMES + 6.0
            );
            text(body, (WIDTH - NAMES + 30.0, label + 6.0), "small", "start", &line.name);
        }
        bottom + AXIS - top
    }
}

/// Moves labels so that they are at least `gap` apart, and keeps their order.
fn apart(places: &[f64], gap: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&one, &other| places[one].total_cmp(&places[other]));
    let mut moved = places.to_vec();
    let mut least = top;
    for &index in &order {
        moved[index] = moved[index].max(least);
        least = moved[index] + gap;
    }
    let mut greatest = bottom;
    for &index in order.iter().rev() {
        moved[index] = moved[index].min(greatest);
        greatest = moved[index] - gap;
    }
    moved
}

/// Vertical lines at the ticks of a scale, with labels below.
fn grid(body: &mut String, scale: &Scale, ends: (f64, f64), label: fn(f64) -> String) {
    columns(body, scale, scale.ticks(), ends, label);
}

/// Vertical lines at values, with labels below.
fn columns(
    body: &mut String,
    scale: &Scale,
    values: impl Iterator<Item = f64>,
    (top, bottom): (f64, f64),
    label: fn(f64) -> String,
) {
    for tick in values {
        let place = scale.place(tick);
        let _ = writeln!(body, "<path class=\"grid\" d=\"M{place:.1} {top:.1}V{bottom:.1}\"/>");
        text(body, (place, bottom + 22.0), "small", "middle", &label(tick));
    }
}

fn text(body: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        body,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// A number with the unit that keeps it short.
fn with_unit(value: f64, units: &[(f64, &str)]) -> String {
    let unit = units.iter().rev().find(|(least, _)| value >= *least).or_else(|| units.first());
    let (least, name) = unit.copied().unwrap_or((1.0, ""));
    format!("{}{name}", value / least)
}

/// Nanoseconds.
fn duration(value: f64) -> String {
    with_unit(value, &[(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")])
}

/// Messages a second.
fn rate(value: f64) -> String {
    with_unit(value, &[(1.0, "/s"), (1e3, " k/s"), (1e6, " M/s"), (1e9, " G/s")])
}

/// Bytes.
fn size(value: f64) -> String {
    const KIB: f64 = 1024.0;
    let units = [(1.0, " B"), (KIB, " KiB"), (KIB * KIB, " MiB")];
    let is_whole = |unit: &&(f64, &str)| value >= unit.0 && value % unit.0 == 0.0;
    let (least, name) = units.iter().rev().find(is_whole).unwrap_or(&units[0]);
    format!("{}{name}", value / least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_order_and_a_distance() {
        let moved = apart(&[100.0, 101.0, 99.0, 300.0], 20.0, (0.0, 400.0));
        assert_eq!(moved, [119.0, 139.0, 99.0, 300.0]);
        let moved = apart(&[395.0, 399.0], 20.0, (0.0, 400.0));
        assert_eq!(moved, [380.0, 400.0]);
    }

    #[test]
    fn a_scale_has_whole_powers_of_ten() {
        let scale = Scale::new([250.0, 42_000.0].into_iter(), 0.0, 100.0);
        assert_eq!(scale.ticks().collect::<Vec<f64>>(), [100.0, 1e3, 1e4, 1e5]);
        assert!((scale.place(1e4) - 200.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_name_cannot_break_the_picture() {
        let picture = Picture { caption: "a<b>&c".to_owned(), ..Picture::default() };
        assert!(picture.svg().contains("a&lt;b>&amp;c"));
    }
}
