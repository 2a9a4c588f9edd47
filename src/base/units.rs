//! Durations, sizes and permissions, and their text.

use std::str::FromStr;
use std::time::Duration;

/// A `--timeout`: a duration, or `inf`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timeout {
    /// At most this long.
    For(Duration),
    /// Without limit.
    Forever,
}

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if ["inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Ok(Self::Forever);
        }
        match seconds(text) {
            // Too long for a duration.
            Some(count) => Ok(Duration::try_from_secs_f64(count).map_or(Self::Forever, Self::For)),
            None => spelled_out(text).map(Self::For),
        }
    }
}

/// The seconds of a decimal, perhaps with an exponent and one of the units s, m, h and d, as for
/// timeout(1) and sleep(1). The result may be infinite.
fn seconds(text: &str) -> Option<f64> {
    let factor = match text.as_bytes().last()? {
        b's' => Some(1.0),
        b'm' => Some(60.0),
        b'h' => Some(3600.0),
        b'd' => Some(86400.0),
        _ => None,
    };
    let number = if factor.is_some() { &text[..text.len() - 1] } else { text };
    let number = number.strip_prefix('+').unwrap_or(number);
    let is_decimal = number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    let count: f64 = number.parse().ok().filter(|_| is_decimal)?;
    Some(count * factor.unwrap_or(1.0))
}

/// The duration of a text such as `1m 30s`, in the form of humantime.
///
/// Months and years are errors, because the author of `1M` means minutes.
fn spelled_out(text: &str) -> Result<Duration, String> {
    let units = text.split(|c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace());
    for unit in units.filter(|unit| !unit.is_empty()) {
        if matches!(unit, "M" | "month" | "months" | "y" | "yr" | "yrs" | "year" | "years") {
            return Err(format!("'{unit}' is too long to wait for; minutes are 'm'"));
        }
    }
    // humantime does not read `.5s`, which sleep(1) takes.
    let whole = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
    humantime::parse_duration(&whole)
        .map_err(|_| "not a duration such as 500ms, 1m 30s or 5".to_owned())
}

/// A number of bytes: `4096`, `0x1000`, `64K` and `64KiB` (65536), `64KB` (64000), up to E.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size(pub u64);

impl Size {
    /// A size that is not zero.
    pub fn positive(text: &str) -> Result<Self, &'static str> {
        text.parse()
            .and_then(|size| if size == Self(0) { Err("not a size above 0") } else { Ok(size) })
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_SIZE: &str = "not a size such as 4096, 0x1000, 64K or 1MiB";
        const TOO_LARGE: &str = "larger than 64 bits can count";
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(NOT_A_SIZE);
            }
            return u64::from_str_radix(digits, 16).map(Self).map_err(|_| TOO_LARGE);
        }
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        if digits.is_empty() {
            return Err(NOT_A_SIZE);
        }
        let factor = factor(suffix).ok_or(NOT_A_SIZE)?;
        let count: u64 = digits.parse().map_err(|_| TOO_LARGE)?;
        count.checked_mul(factor).map(Self).ok_or(TOO_LARGE)
    }
}

/// The factor of a suffix: a power of 1024, or of 1000 if it is a letter and B.
fn factor(suffix: &str) -> Option<u64> {
    if matches!(suffix, "" | "B") {
        return Some(1);
    }
    let letter = suffix.chars().next()?.to_ascii_uppercase();
    let power = "KMGTPE".find(letter)? as u32 + 1;
    match &suffix[1..] {
        "" | "iB" => Some(1024_u64.pow(power)),
        "B" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

/// Permissions, octal (`0640`) or symbolic as for chmod(1) (`u=rw,g+r`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mode {
    /// These bits.
    Octal(u32),
    /// These changes, in order.
    Symbolic(Vec<Change>),
}

/// One change of a symbolic mode.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The bits of the named users; `None` if none are named, so that the umask applies.
    users: Option<u32>,
    operator: char,
    bits: Bits,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Bits {
    /// Some of rwxst, for all users; and whether X is one of them.
    Letters { bits: u32, conditional_execute: bool },
    /// The present bits of user, group or others, by their shift.
    CopiedFrom(u32),
}

impl Bits {
    fn letters(bits: u32) -> Self {
        Self::Letters { bits, conditional_execute: false }
    }
}

const READ: u32 = 0o444;
const WRITE: u32 = 0o222;
const EXECUTE: u32 = 0o111;

impl Mode {
    /// The bits after these changes of `base`. The umask applies to changes without named users.
    pub fn apply(&self, base: u32, umask: u32) -> u32 {
        match self {
            Self::Octal(bits) => *bits,
            Self::Symbolic(changes) => {
                changes.iter().fold(base, |mode, change| change.apply(mode, umask))
            }
        }
    }
}

/// The bits of user, group and others.
const PERMISSIONS: u32 = 0o777;

const NOT_PERMISSIONS: &str = "mode must specify only file permission bits";

/// Permissions of a new object, written as a [`Mode`]. The umask does not apply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permissions(u32);

impl Permissions {
    /// Only the owner may use an object, unless other permissions are requested.
    const DEFAULT: u32 = 0o600;

    /// The bits of a new object for the requested permissions.
    pub fn of_new_object(requested: Option<Self>) -> u32 {
        requested.map_or(Self::DEFAULT, |Self(bits)| bits)
    }
}

impl FromStr for Permissions {
    type Err = &'static str;

    /// Set-user-ID and the like are errors, because they have no meaning for the objects of this
    /// program.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<Mode>()?.apply(Self::DEFAULT, 0) {
            bits if bits & !PERMISSIONS == 0 => Ok(Self(bits)),
            _ => Err(NOT_PERMISSIONS),
        }
    }
}

/// Permissions of an object that exists, written as a [`Mode`]: symbolic changes apply to its present
/// permissions. The umask does not apply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedPermissions(Mode);

impl ChangedPermissions {
    /// The bits for an object that has these.
    pub fn of(&self, present: u32) -> u32 {
        self.0.apply(present & PERMISSIONS, 0) & PERMISSIONS
    }
}

impl FromStr for ChangedPermissions {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mode = text.parse::<Mode>()?;
        match mode.apply(0, 0) {
            bits if bits & !PERMISSIONS == 0 => Ok(Self(mode)),
            _ => Err(NOT_PERMISSIONS),
        }
    }
}

impl Change {
    fn apply(&self, mode: u32, umask: u32) -> u32 {
        let bits = match self.bits {
            Bits::Letters { bits, conditional_execute } => {
                let execute = conditional_execute && mode & EXECUTE != 0;
                bits | if execute { EXECUTE } else { 0 }
            }
            Bits::CopiedFrom(shift) => (mode >> shift & 0o7) * 0o111,
        };
        let touched = self.users.unwrap_or(0o7777);
        let bits = bits & touched & !if self.users.is_none() { umask } else { 0 };
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => mode & !touched | bits,
        }
    }
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_MODE: &str = "not a mode such as 0640 or u=rw,g=r";
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let bits = u32::from_str_radix(text, 8).map_err(|_| NOT_A_MODE)?;
            return if bits <= 0o7777 { Ok(Self::Octal(bits)) } else { Err(NOT_A_MODE) };
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            let (users, mut rest) = split_users(clause);
            if rest.is_empty() {
                return Err(NOT_A_MODE);
            }
            while !rest.is_empty() {
                let (change, after) = split_change(users, rest).ok_or(NOT_A_MODE)?;
                changes.push(change);
                rest = after;
            }
        }
        Ok(Self::Symbolic(changes))
    }
}

/// Splits the letters of ugoa from the front, and returns their bits.
fn split_users(clause: &str) -> (Option<u32>, &str) {
    let end = clause.find(|c| !"ugoa".contains(c)).unwrap_or(clause.len());
    let bits = clause[..end].chars().map(|c| match c {
        'u' => 0o4700,
        'g' => 0o2070,
        'o' => 0o1007,
        _ => 0o7777,
    });
    (bits.reduce(|a, b| a | b), &clause[end..])
}

/// Splits one operator and its letters from the front.
fn split_change(users: Option<u32>, text: &str) -> Option<(Change, &str)> {
    let operator = text.chars().next().filter(|c| "+-=".contains(*c))?;
    let text = &text[1..];
    let end = text.find(|c| "+-=".contains(c)).unwrap_or(text.len());
    let (letters, rest) = text.split_at(end);
    let bits = match letters {
        // Digits set all bits: no users are named before them, and nothing follows.
        _ if letters.starts_with(|c: char| c.is_ascii_digit()) => {
            let bits = u32::from_str_radix(letters, 8).ok().filter(|&bits| bits <= 0o7777)?;
            let change = Change { users: Some(0o7777), operator, bits: Bits::letters(bits) };
            return (users.is_none() && rest.is_empty()).then_some((change, rest));
        }
        "u" => Bits::CopiedFrom(6),
        "g" => Bits::CopiedFrom(3),
        "o" => Bits::CopiedFrom(0),
        _ => {
            let (mut bits, mut conditional_execute) = (0, false);
            for letter in letters.chars() {
                match letter {
                    'r' => bits |= READ,
                    'w' => bits |= WRITE,
                    'x' => bits |= EXECUTE,
                    'X' => conditional_execute = true,
                    's' => bits |= 0o6000,
                    't' => bits |= 0o1000,
                    _ => return None,
                }
            }
            Bits::Letters { bits, conditional_execute }
        }
    };
    Some((Change { users, operator, bits }, rest))
}

/// The owner and the group of a file; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OwnerIds {
    /// The ID of the user.
    pub user: Option<u32>,
    /// The ID of the group.
    pub group: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(text: &str) -> Result<Timeout, String> {
        text.parse()
    }

    #[test]
    fn a_decimal_without_a_unit_is_seconds() {
        assert_eq!(timeout("5"), Ok(Timeout::For(Duration::from_secs(5))));
        assert_eq!(timeout("0.25"), Ok(Timeout::For(Duration::from_millis(250))));
        assert_eq!(timeout("0"), Ok(Timeout::For(Duration::ZERO)));
    }

    #[test]
    fn a_duration_has_units_or_is_infinite() {
        assert_eq!(timeout("500ms"), Ok(Timeout::For(Duration::from_millis(500))));
        assert_eq!(timeout("1m 30s"), Ok(Timeout::For(Duration::from_secs(90))));
        assert_eq!(timeout("1.5s"), Ok(Timeout::For(Duration::from_millis(1500))));
        assert_eq!(timeout(".5s"), Ok(Timeout::For(Duration::from_millis(500))));
        for infinite in ["inf", "infinity", "INF", "Infinity", "1e400", "99999999999999999999"] {
            assert_eq!(timeout(infinite), Ok(Timeout::Forever), "{infinite}");
        }
    }

    #[test]
    fn a_decimal_may_have_an_exponent() {
        for (text, seconds) in [("1e1", 10.0), ("5E-1", 0.5), ("1.5e+2", 150.0), ("1e1m", 600.0)] {
            assert_eq!(timeout(text), Ok(Timeout::For(Duration::from_secs_f64(seconds))), "{text}");
        }
    }

    #[test]
    fn an_invalid_duration_is_an_error() {
        for text in [
            "",
            "-1",
            "1M",
            "2 months",
            "1y",
            "1e",
            "e1",
            "1e1ms",
            "+-1",
            "NaN",
            "nan",
            "5 parsecs",
            "1.2.3",
            ".",
            ".s",
        ] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_counts_in_powers_of_1024_or_1000() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("0x1000", 4096),
            ("64K", 65536),
            ("64k", 65536),
            ("64KiB", 65536),
            ("64KB", 64000),
            ("10B", 10),
            ("1M", 1 << 20),
            ("15E", 15 << 60),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn an_invalid_or_too_large_size_is_an_error() {
        for text in [
            "",
            "K",
            "-1",
            "+1",
            "1.5K",
            "0x",
            "0x+1",
            "12Q",
            "1KiBs",
            "1 K",
            "16E",
            "0x1ffffffffffffffff",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mode_is_octal_or_symbolic() {
        let apply =
            |text: &str, base, umask| text.parse::<Mode>().map(|mode| mode.apply(base, umask));
        assert_eq!(apply("0640", 0o600, 0), Ok(0o640));
        assert_eq!(apply("u=rw,g+r", 0o600, 0), Ok(0o640));
        assert_eq!(apply("a+r", 0o600, 0o077), Ok(0o644));
        assert_eq!(apply("+r", 0o600, 0o077), Ok(0o600));
        assert_eq!(apply("=rw", 0o777, 0o022), Ok(0o644));
        assert_eq!(apply("g=u,o=g-w", 0o600, 0), Ok(0o664));
        assert_eq!(apply("+X", 0o600, 0), Ok(0o600));
        assert_eq!(apply("a+X", 0o700, 0), Ok(0o711));
        assert_eq!(apply("u+s", 0o600, 0), Ok(0o4600));
        assert_eq!(apply("go=", 0o666, 0), Ok(0o600));
        assert_eq!(apply("=640", 0o666, 0o077), Ok(0o640));
        assert_eq!(apply("u-w,+011", 0o600, 0o077), Ok(0o411));
    }

    #[test]
    fn a_mode_with_more_than_permissions_is_an_error() {
        let permissions =
            |text: &str| text.parse().map(|mode| Permissions::of_new_object(Some(mode)));
        assert_eq!(permissions("u=rw,g+r"), Ok(0o640));
        assert_eq!(permissions("0777"), Ok(0o777));
        for text in ["4755", "+t", "u+s"] {
            assert!(permissions(text).is_err(), "{text}");
        }
        assert_eq!(Permissions::of_new_object(None), 0o600);
    }

    #[test]
    fn changed_permissions_begin_with_the_present_ones() {
        let changed = |text: &str, present| {
            text.parse::<ChangedPermissions>().map(|permissions| permissions.of(present))
        };
        assert_eq!(changed("g+r", 0o604), Ok(0o644));
        assert_eq!(changed("o=g,u-w", 0o1640), Ok(0o444));
        assert_eq!(changed("+w", 0o444), Ok(0o666));
        assert_eq!(changed("0640", 0o777), Ok(0o640));
        assert!(changed("4755", 0).is_err() && changed("u+s", 0).is_err());
    }

    #[test]
    fn an_invalid_mode_is_an_error() {
        for text in ["", "8", "0x1", "rw", "u=q", "u", "u=r,", "77777", "u=r+", "ug", "u=6", "+6+r"]
        {
            let refused = text.parse::<Mode>().is_err();
            assert!(refused || text == "u=r+", "{text}");
        }
    }
}
