//! Numbers in shared memory: their types, their bytes, their text, and counting with them.

use std::fmt;
use std::num::IntErrorKind;

use crate::sys::memory::Width;

/// The type of a number, with its size in bits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Type {
    I8,
    U8,
    I16,
    U16,
    #[default]
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Endian {
    /// That of this machine
    #[default]
    Native,
    /// Least significant byte first
    Little,
    /// Most significant byte first
    Big,
}

/// A type of numbers in an order of bytes: what it takes to understand a cell of memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Format {
    /// The type.
    pub kind: Type,
    /// The order.
    pub endian: Endian,
}

/// A number, of the type that it was read as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Of any of the integer types.
    Integer(i128),
    /// An f32.
    Single(f32),
    /// An f64.
    Double(f64),
}

/// Why a text is no number of a type.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NumberError {
    /// It is no number at all.
    #[error("not a number such as 42, -1 or 0xff")]
    NotANumber,
    /// It is no floating-point number.
    #[error("not a number such as 1.5, -1 or inf")]
    NotAFloat,
    /// The type does not reach so far.
    #[error("{kind} is from {from} to {to}")]
    OutOfRange {
        /// The type.
        kind: Type,
        /// Its least number.
        from: i128,
        /// Its greatest.
        to: i128,
    },
    /// The floating-point type does not, but for infinity.
    #[error("beyond the greatest {kind}")]
    TooGreat {
        /// The type.
        kind: Type,
    },
}

impl Type {
    /// The size of a number of this type.
    pub fn width(self) -> Width {
        match self {
            Self::I8 | Self::U8 => Width::One,
            Self::I16 | Self::U16 => Width::Two,
            Self::I32 | Self::U32 | Self::F32 => Width::Four,
            Self::I64 | Self::U64 | Self::F64 => Width::Eight,
        }
    }

    fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// The least and the greatest number of an integer type.
    fn range(self) -> (i128, i128) {
        let bits = self.width().bytes() * 8;
        if self.is_signed() {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        } else {
            (0, (1 << bits) - 1)
        }
    }

    /// Reads a number of this type.
    pub fn parse(self, text: &str) -> Result<Number, NumberError> {
        let number = match self {
            Self::F32 => text.parse().map(Number::Single),
            Self::F64 => text.parse().map(Number::Double),
            _ => return self.check(integer(text).ok_or(NumberError::NotANumber)?),
        };
        self.bounded(number.map_err(|_| NumberError::NotAFloat)?, is_finite(text))
    }

    /// Reads what is added to a number of this type, which may be negative even where the number
    /// may not.
    pub fn parse_delta(self, text: &str) -> Result<Number, NumberError> {
        match self {
            Self::F32 | Self::F64 => self.parse(text),
            _ => integer(text).map(Number::Integer).ok_or(NumberError::NotANumber),
        }
    }

    fn check(self, integer: i128) -> Result<Number, NumberError> {
        let (from, to) = self.range();
        if (from..=to).contains(&integer) {
            return Ok(Number::Integer(integer));
        }
        Err(NumberError::OutOfRange { kind: self, from, to })
    }

    /// The sum of two numbers; refused if it is beyond the type. It is infinite, or no number, only
    /// if one of the two is.
    pub fn add(self, number: Number, delta: Number) -> Result<Number, NumberError> {
        let sum = match (number, delta) {
            (Number::Integer(a), Number::Integer(b)) => return self.check(a.saturating_add(b)),
            (Number::Single(a), Number::Single(b)) => Number::Single(a + b),
            (Number::Double(a), Number::Double(b)) => Number::Double(a + b),
            _ => return Err(NumberError::NotANumber),
        };
        self.bounded(sum, number.is_finite() && delta.is_finite())
    }

    /// A floating-point number, refused if it is infinite where it was meant to be `finite`.
    fn bounded(self, number: Number, finite: bool) -> Result<Number, NumberError> {
        match finite && !number.is_finite() {
            true => Err(NumberError::TooGreat { kind: self }),
            false => Ok(number),
        }
    }
}

impl Number {
    fn is_finite(self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Single(number) => number.is_finite(),
            Self::Double(number) => number.is_finite(),
        }
    }
}

/// Whether the text of a floating-point number means a finite one: it is written in digits.
fn is_finite(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I64 => "i64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl Format {
    /// The number that the bits of a cell stand for, as the machine loads them.
    pub fn decode(self, bits: u64) -> Number {
        let bits = self.ordered(bits);
        match self.kind {
            Type::F32 => Number::Single(f32::from_bits(bits as u32)),
            Type::F64 => Number::Double(f64::from_bits(bits)),
            kind => {
                let unused = 64 - kind.width().bytes() * 8;
                let shifted = bits << unused;
                let integer = if kind.is_signed() {
                    i128::from(shifted as i64 >> unused)
                } else {
                    i128::from(shifted >> unused)
                };
                Number::Integer(integer)
            }
        }
    }

    /// The bits of a number, as the machine stores them.
    pub fn encode(self, number: Number) -> u64 {
        let bits = match number {
            Number::Integer(integer) => integer as u64,
            Number::Single(float) => float.to_bits().into(),
            Number::Double(float) => float.to_bits(),
        };
        let unused = 64 - self.kind.width().bytes() * 8;
        self.ordered(bits << unused >> unused)
    }

    /// Bits in the order of the machine from those in the order of the format, and back.
    fn ordered(self, bits: u64) -> u64 {
        let native = if cfg!(target_endian = "little") { Endian::Little } else { Endian::Big };
        if self.endian == Endian::Native || self.endian == native {
            return bits;
        }
        match self.kind.width() {
            Width::One => bits,
            Width::Two => (bits as u16).swap_bytes().into(),
            Width::Four => (bits as u32).swap_bytes().into(),
            Width::Eight => bits.swap_bytes(),
        }
    }
}

impl PartialOrd for Number {
    /// Floating-point numbers compare by value: NaN with nothing.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.partial_cmp(b),
            (Self::Single(a), Self::Single(b)) => a.partial_cmp(b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    /// The shortest text that is read back as the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Single(float) => write!(f, "{float:?}"),
            Self::Double(float) => write!(f, "{float:?}"),
        }
    }
}

/// A number as JSON has it, which has none for infinities and NaN: those are strings.
#[derive(Clone, Copy, Debug)]
pub struct Json(pub Number);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        let is_finite = match number {
            Number::Integer(_) => true,
            Number::Single(float) => float.is_finite(),
            Number::Double(float) => float.is_finite(),
        };
        if is_finite { write!(f, "{number}") } else { write!(f, "\"{number}\"") }
    }
}

/// Decimal, or hexadecimal with 0x, and a sign.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    let plain = digits.starts_with(|c: char| c.is_digit(radix));
    let magnitude = match i128::from_str_radix(digits, radix) {
        Ok(magnitude) => magnitude,
        // It is beyond every type, and what it is then does not matter.
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => i128::MAX,
        Err(_) => return None,
    };
    plain.then(|| sign * magnitude)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Type; 10] = [
        Type::I8,
        Type::U8,
        Type::I16,
        Type::U16,
        Type::I32,
        Type::U32,
        Type::I64,
        Type::U64,
        Type::F32,
        Type::F64,
    ];

    #[test]
    fn the_ends_of_each_range_are_taken_and_what_is_beyond_is_not() {
        for (kind, from, to) in [
            (Type::I8, "-128", "127"),
            (Type::U16, "0", "65535"),
            (Type::I32, "-2147483648", "0x7fffffff"),
            (Type::U64, "0", "18446744073709551615"),
            (Type::I64, "-9223372036854775808", "9223372036854775807"),
        ] {
            let (from, to) = (kind.parse(from).unwrap(), kind.parse(to).unwrap());
            assert!(kind.add(from, Number::Integer(-1)).is_err(), "{kind}");
            assert!(kind.add(to, Number::Integer(1)).is_err(), "{kind}");
            assert!(kind.add(to, Number::Integer(-1)).is_ok());
        }
        assert!(Type::I8.parse("128").is_err());
        assert!(Type::U8.parse("-1").is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "0x", "+-1", "1.5", "1e3", " 1", "0x+1"] {
            assert_eq!(Type::I64.parse(text), Err(NumberError::NotANumber), "{text}");
        }
        for text in
            ["18446744073709551616", "-1", &"9".repeat(99), &format!("-0x{}", "f".repeat(99))]
        {
            let refused = Type::U64.parse(text);
            assert!(matches!(refused, Err(NumberError::OutOfRange { .. })), "{text}");
        }
        assert_eq!(Type::F64.parse("x"), Err(NumberError::NotAFloat));
    }

    #[test]
    fn bytes_stand_in_the_order_that_was_asked_for() {
        let big = Format { kind: Type::U16, endian: Endian::Big };
        assert_eq!(
            big.decode(u64::from(u16::from_ne_bytes([0x12, 0x34]))),
            Number::Integer(0x1234)
        );
        let little = Format { kind: Type::U32, endian: Endian::Little };
        assert_eq!(little.encode(Number::Integer(1)), u64::from(u32::from_ne_bytes([1, 0, 0, 0])));
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_from_its_bits_and_from_its_text(bits: u64, which in 0..10_usize) {
            for endian in [Endian::Native, Endian::Little, Endian::Big] {
                let format = Format { kind: ALL[which], endian };
                let width = 64 - format.kind.width().bytes() * 8;
                let number = format.decode(bits << width >> width);
                if number.partial_cmp(&number).is_some() {
                    prop_assert_eq!(format.encode(number), bits << width >> width);
                    prop_assert_eq!(format.kind.parse(&number.to_string()), Ok(number));
                }
            }
        }
    }
}
