//! The numbers: types, bytes, text and arithmetic.

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
    /// The order of this machine
    #[default]
    Native,
    /// Least significant byte first
    Little,
    /// Most significant byte first
    Big,
}

/// A type of numbers and an order of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Format {
    /// The type.
    pub kind: Type,
    /// The order.
    pub endian: Endian,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A number of an integer type.
    Integer(i128),
    /// An f32.
    Single(f32),
    /// An f64.
    Double(f64),
}

/// Why a text is no number of a type, or a sum is beyond it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NumberError {
    /// It is not an integer.
    #[error("not a number such as 42, -1 or 0xff")]
    NotANumber,
    /// It is not a floating-point number.
    #[error("not a number such as 1.5, -1 or inf")]
    NotAFloat,
    /// It is beyond the range of the type.
    #[error("{kind} is from {from} to {to}")]
    OutOfRange {
        /// The type.
        kind: Type,
        /// Its least value.
        from: i128,
        /// Its greatest value.
        to: i128,
    },
    /// It is finite, and beyond the greatest finite number of the floating-point type.
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

    /// Parses a number of this type.
    pub fn parse(self, text: &str) -> Result<Number, NumberError> {
        let number = match self {
            Self::F32 => text.parse().map(Number::Single),
            Self::F64 => text.parse().map(Number::Double),
            _ => return self.check(integer(text).ok_or(NumberError::NotANumber)?),
        };
        self.bounded(number.map_err(|_| NumberError::NotAFloat)?, is_finite(text))
    }

    /// Parses a number that is added to one of this type. It may be negative, even if the type is
    /// unsigned.
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

    /// The sum of two numbers, of which an infinity or NaN may be one.
    ///
    /// # Errors
    /// The sum is out of the range of the type.
    pub fn add(self, number: Number, delta: Number) -> Result<Number, NumberError> {
        let sum = match (number, delta) {
            (Number::Integer(a), Number::Integer(b)) => return self.check(a.saturating_add(b)),
            (Number::Single(a), Number::Single(b)) => Number::Single(a + b),
            (Number::Double(a), Number::Double(b)) => Number::Double(a + b),
            _ => return Err(NumberError::NotANumber),
        };
        self.bounded(sum, number.is_finite() && delta.is_finite())
    }

    /// Refuses an infinity as the result of `finite` operands.
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

/// Whether the text of a floating-point number has digits, so that it means a finite one.
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
    /// The number with these bits, as the machine loads them.
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

    /// Converts bits between the order of the machine and that of the format.
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
    /// Floating-point numbers are compared by value. NaN equals no number.
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
    /// The shortest text that is parsed as the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Single(float) => write!(f, "{float:?}"),
            Self::Double(float) => write!(f, "{float:?}"),
        }
    }
}

/// A number in JSON. Infinities and NaN are strings, as JSON has no numbers for them.
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

/// Parses a decimal number, or a hexadecimal one with 0x, with or without a sign.
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
        // It is beyond every type, as is the greatest number here.
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
    fn the_ends_of_each_range_are_accepted_and_numbers_beyond_are_refused() {
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
    fn a_text_that_is_no_number_is_refused() {
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
    fn bytes_are_in_the_requested_order() {
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
        fn a_number_is_restored_from_its_bits_and_from_its_text(bits: u64, which in 0..10_usize) {
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
