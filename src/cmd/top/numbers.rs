//! Numbers, ages and rates in few characters.

use crate::io::output::human;
use crate::mechanism::survey::Traffic;

/// A number with at most five characters.
pub fn short(number: f64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut scaled = number;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while scaled >= 999.5 && units.len() > 0 {
        scaled /= 1000.0;
        unit = units.next();
    }
    let text = if scaled < 99.95 { format!("{scaled:.1}") } else { format!("{scaled:.0}") };
    format!("{}{}", text.strip_suffix(".0").unwrap_or(&text), unit.unwrap_or(&""))
}

/// A number of seconds, in the largest unit that it has.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The rates of both directions, as words.
pub fn in_words(rates: Traffic<f64>) -> Vec<(&'static str, String)> {
    let messages = |rate: f64| format!("{} messages/s", short(rate));
    let bytes = |rate: f64| format!("{} bytes/s", human(rate.round() as u64));
    let both = |one: Option<String>, other: Option<String>| {
        let parts: Vec<String> = one.into_iter().chain(other).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let entered = both(rates.messages_in.map(messages), rates.bytes_in.map(bytes));
    let left = both(rates.messages_out.map(messages), rates.bytes_out.map(bytes));
    [("in", entered), ("out", left)]
        .into_iter()
        .filter_map(|(direction, text)| Some((direction, text?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (0.25, "0.2"),
            (12.34, "12.3"),
            (99.96, "100"),
            (999.4, "999"),
            (999.6, "1k"),
            (1234.0, "1.2k"),
            (250_000.0, "250k"),
            (18e18, "18000000T"),
        ] {
            assert_eq!(short(number), text);
        }
        for (seconds, text) in [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
