//! Numbers of the command line, as in util-linux: strtol(3), strtold(3), and sizes with the
//! suffixes and fractions of util-linux.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Why a word is not a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bad {
    /// It is malformed.
    Word,
    /// It is out of range.
    Range,
}

/// The number at the beginning of a word, and the rest.
struct Prefix<'a> {
    is_negative: bool,
    /// `None` is beyond 64 bits.
    magnitude: Option<u64>,
    rest: &'a [u8],
}

/// Reads an integer of base 10 up to `maximum`, which may be negative.
pub fn signed(text: &OsStr, maximum: i64) -> Result<i64, Bad> {
    let number = prefix(text.as_bytes(), Base::Decimal).ok_or(Bad::Word)?;
    let magnitude = number.magnitude.ok_or(Bad::Range)?;
    let value = i64::try_from(magnitude).map_err(|_| Bad::Range)?;
    match number.rest {
        [] if number.is_negative => Ok(-value),
        [] if value > maximum => Err(Bad::Range),
        [] => Ok(value),
        _ => Err(Bad::Word),
    }
}

/// The same without negative numbers, which are out of range whatever follows them.
pub fn unsigned(text: &OsStr, maximum: u64) -> Result<u64, Bad> {
    let number = prefix(text.as_bytes(), Base::Decimal).ok_or(Bad::Word)?;
    if number.is_negative && number.magnitude != Some(0) {
        return Err(Bad::Range);
    }
    match (number.magnitude, number.rest) {
        (None, _) => Err(Bad::Range),
        (_, [_, ..]) => Err(Bad::Word),
        (Some(value), []) if value > maximum => Err(Bad::Range),
        (Some(value), []) => Ok(value),
    }
}

/// Reads a number of seconds: decimal or hexadecimal, with an exponent, `inf` or `nan`.
pub fn seconds(text: &OsStr) -> Result<f64, Bad> {
    let text = text.to_str().ok_or(Bad::Word)?;
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1.0, &text[1..]),
        [b'+', ..] => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let value = match hexadecimal {
        Some(digits) => hexadecimal_fraction(digits).ok_or(Bad::Word)?,
        None if digits.starts_with(['+', '-']) => return Err(Bad::Word),
        None => digits.parse::<f64>().map_err(|_| Bad::Word)?,
    };
    let has_digits = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if value.is_infinite() && has_digits { Err(Bad::Range) } else { Ok(sign * value) }
}

/// Reads a number behind `0x`: digits, optionally a point and more digits, optionally `p` and a power of
/// two.
fn hexadecimal_fraction(text: &str) -> Option<f64> {
    let (digits, exponent) = match text.find(['p', 'P']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digit = |value: f64, c: char| Some(value * 16.0 + f64::from(c.to_digit(16)?));
    let value = whole.chars().chain(fraction.chars()).try_fold(0.0, digit)?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some(value * 2_f64.powi(exponent.saturating_sub(places.saturating_mul(4))))
}

/// Reads a number of bytes: in base 8, 10 or 16, with a suffix that is a power of 1024 (`K`, `KiB`)
/// or of 1000 (`KB`), and with decimals before a suffix.
pub fn size(text: &OsStr) -> Result<u64, Bad> {
    let number = prefix(text.as_bytes(), Base::OfPrefix).ok_or(Bad::Word)?;
    if number.is_negative {
        return Err(Bad::Word);
    }
    let whole = number.magnitude.ok_or(Bad::Range)?;
    let (decimals, suffix) = match number.rest {
        [] => return Ok(whole),
        [b'.', rest @ ..] => {
            rest.split_at(rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len()))
        }
        suffix => (&[][..], suffix),
    };
    let (base, power) = unit(suffix).ok_or(Bad::Word)?;
    let scaled =
        (0..power).try_fold(whole, |value, _| value.checked_mul(base)).ok_or(Bad::Range)?;
    // Only 0 of a unit that is larger than 64 bits fits.
    let unit = (0..power).try_fold(1_u64, |value, _| value.checked_mul(base)).unwrap_or(0);
    Ok(scaled.wrapping_add(fraction(decimals, unit)?))
}

/// The base and the power of a suffix.
fn unit(suffix: &[u8]) -> Option<(u64, u32)> {
    let (letter, rest) = suffix.split_first()?;
    let base = match rest {
        [] | [b'i', b'B' | b'b'] => 1024,
        [b'B' | b'b'] => 1000,
        _ => return None,
    };
    let power = b"KMGTPEZY".iter().position(|known| known.eq_ignore_ascii_case(letter))?;
    Some((base, power as u32 + 1))
}

/// The value of decimals of a unit, in the integer arithmetic of util-linux: two programs that lock the
/// same fraction have to mean the same bytes. Each digit is the unit divided by a whole number; and a
/// number that is a power of ten counts as one digit less.
fn fraction(decimals: &[u8], unit: u64) -> Result<u64, Bad> {
    let zeros = decimals.iter().take_while(|&&b| b == b'0').count();
    let digits = std::str::from_utf8(&decimals[zeros..]).unwrap_or_default();
    let mut left: u64 = match digits {
        "" => return Ok(0),
        digits => digits.parse().map_err(|_| Bad::Range)?,
    };
    let mut places: u64 = 10;
    while places < left {
        match places.checked_mul(10) {
            Some(more) => places = more,
            None => left /= 10,
        }
    }
    for _ in 0..zeros {
        match places.checked_mul(10) {
            Some(more) => places = more,
            None => left /= 10,
        }
    }
    let mut sum = 0_u64;
    let mut place = places;
    while left > 0 {
        if let Some(part) = place.checked_div(left % 10).and_then(|part| unit.checked_div(part)) {
            sum = sum.wrapping_add(part);
        }
        (left, place) = (left / 10, place / 10);
    }
    Ok(sum)
}

/// The base of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Base {
    Decimal,
    /// `0x` is hexadecimal and `0` octal.
    OfPrefix,
}

/// The integer that a word begins with, behind white space and a sign; `None` if there is none.
fn prefix(text: &[u8], base: Base) -> Option<Prefix<'_>> {
    let is_space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let (is_negative, digits) = match &text[start..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (radix, digits) = match (base, digits) {
        (Base::OfPrefix, [b'0', b'x' | b'X', rest @ ..])
            if rest.first().is_some_and(u8::is_ascii_hexdigit) =>
        {
            (16, rest)
        }
        (Base::OfPrefix, [b'0', ..]) => (8, digits),
        _ => (10, digits),
    };
    let is_digit = |b: &u8| char::from(*b).is_digit(radix);
    let end = digits.iter().position(|b| !is_digit(b)).unwrap_or(digits.len());
    let number = std::str::from_utf8(&digits[..end]).ok().filter(|number| !number.is_empty())?;
    let magnitude = u64::from_str_radix(number, radix).ok();
    Some(Prefix { is_negative, magnitude, rest: &digits[end..] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of util-linux 2.43-devel (lib/strutils.c of commit 39465c780).
    #[test]
    fn sizes_are_those_of_util_linux() {
        for (text, bytes) in [
            ("5", 5),
            ("+5", 5),
            (" 5", 5),
            ("010", 8),
            ("0x10", 16),
            ("1k", 1024),
            ("1Kib", 1024),
            ("1kb", 1000),
            ("1.5K", 1536),
            ("1.K", 1024),
            ("1.0K", 1024),
            ("1.05K", 1075),
            ("1.08K", 1109),
            ("1.010K", 1126),
            ("0x1.8K", 2048),
            ("1.33M", 1_429_876),
            ("1.999999KB", 2099),
            ("1.5P", 1_688_849_860_263_936),
            ("1.9999999999999999999K", 2150),
            ("1.5e", 1_729_382_256_910_270_464),
            ("0Z", 0),
        ] {
            assert_eq!(size(text.as_ref()), Ok(bytes), "{text}");
        }
        for text in
            ["", "x", "-5", " -5", ".5K", "5B", "08", "1.5", "1iB", "1b", "1.5KiBx", "1,5K", "5 "]
        {
            assert_eq!(size(text.as_ref()), Err(Bad::Word), "{text}");
        }
        for text in ["1Z", "16E", "99999999999999999999"] {
            assert_eq!(size(text.as_ref()), Err(Bad::Range), "{text}");
        }
    }

    #[test]
    fn seconds_are_those_of_the_c_library() {
        for (text, value) in [
            ("1", 1.0),
            (" +5.", 5.0),
            (".5", 0.5),
            ("1e1", 10.0),
            ("0x10", 16.0),
            ("-1", -1.0),
            ("0x1.8p1", 3.0),
        ] {
            assert_eq!(seconds(text.as_ref()), Ok(value), "{text}");
        }
        assert_eq!(seconds("inf".as_ref()), Ok(f64::INFINITY));
        for text in ["", "x", "1s", "1 ", "0x", "--1", "0x.p1"] {
            assert_eq!(seconds(text.as_ref()), Err(Bad::Word), "{text}");
        }
        assert_eq!(seconds("1e9999".as_ref()), Err(Bad::Range));
    }

    #[test]
    fn integers_have_a_range() {
        assert_eq!(signed(" 7".as_ref(), 9), Ok(7));
        assert_eq!(signed("-7".as_ref(), 9), Ok(-7));
        assert_eq!(signed("10".as_ref(), 9), Err(Bad::Range));
        assert_eq!(signed("10x".as_ref(), 9), Err(Bad::Word));
        assert_eq!(unsigned("-1x".as_ref(), 9), Err(Bad::Range));
        assert_eq!(unsigned("-0".as_ref(), 9), Ok(0));
        assert_eq!(unsigned("".as_ref(), 9), Err(Bad::Word));
    }
}
