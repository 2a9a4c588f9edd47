//! Lists as values of options.

use std::num::NonZeroU32;
use std::str::FromStr;

use crate::base::units::Size;
use crate::measure::LEAST_SIZE;

/// Sizes of messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sizes(pub Vec<usize>);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size = |word: &str| {
            let Size(size) = word.parse().map_err(str::to_owned)?;
            match usize::try_from(size) {
                Ok(size @ LEAST_SIZE..=GREATEST_SIZE) => Ok(size),
                _ => Err(format!("not from {LEAST_SIZE} bytes to 64 MiB")),
            }
        };
        text.split(',').map(size).collect::<Result<_, String>>().map(Self)
    }
}

const GREATEST_SIZE: usize = 64 << 20;

/// One or two CPUs, or more for several senders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cpus(pub Vec<usize>);

impl FromStr for Cpus {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |word: &str| word.parse().map_err(|_| "not numbers such as 0,1");
        text.split(',').map(number).collect::<Result<_, _>>().map(Self)
    }
}

/// A number of processes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Senders(pub usize);

impl FromStr for Senders {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number @ 1..=100) => Ok(Self(number)),
            _ => Err("not a number from 1 to 100"),
        }
    }
}

/// A number above zero, such as a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Positive(pub u32);

impl FromStr for Positive {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(|number: NonZeroU32| Self(number.get()))
            .map_err(|_| "not a number above 0")
    }
}
