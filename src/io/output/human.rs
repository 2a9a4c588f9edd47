//! Sizes and ages for people.

/// A size with at most one decimal and the unit that leaves a number below 1024, in powers of 1024.
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    /// From here on, one decimal rounds up to 1024 of the unit.
    const TOO_LARGE: f64 = 1023.95;
    if bytes < 1024 {
        return bytes.to_string();
    }
    let mut number = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while number >= TOO_LARGE && units.len() > 0 {
        number /= 1024.0;
        unit = units.next();
    }
    let text = format!("{number:.1}");
    format!("{}{}", text.strip_suffix(".0").unwrap_or(&text), unit.unwrap_or(&""))
}

/// A number of seconds in the largest unit of which it has one, without the rest.
pub fn age(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(24 * 3600, "d"), (3600, "h"), (60, "m")];
    let unit = UNITS.into_iter().find(|&(length, _)| seconds >= length);
    let (length, unit) = unit.unwrap_or((1, "s"));
    format!("{}{unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::{age, human};

    #[test]
    fn ages_have_one_unit() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86_399, "23h"), (86_400, "1d")]
        {
            assert_eq!(age(seconds), text);
        }
        assert_eq!(age(400 * 86_400), "400d");
    }

    #[test]
    fn sizes_have_one_decimal_at_most() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1K"),
            (1536, "1.5K"),
            (4096, "4K"),
            (1_048_575, "1M"),
            (1_047_000, "1022.5K"),
            (5 << 30, "5G"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
