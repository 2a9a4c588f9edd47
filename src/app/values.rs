//! Reads checked values from words of the command line, with clap and without it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser, ValueParserFactory};

use crate::app::arguments::{Word, choice};
use crate::base::name::{AnyName, FilePath, PosixName};
use crate::base::remote_name::{RemoteFolder, RemoteName};
use crate::io::frame::Form;
use crate::io::output::Color;
use crate::mechanism::memory::cell::{Endian, Type};
use crate::mechanism::monitor::Class;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::socket::address::Address;
use crate::mechanism::spool::name::MessageName;
use crate::mechanism::survey;
use crate::sys::lock::Kind;
use crate::sys::socket::SocketType;

choice!(Class);
choice!(Color);
choice!(Endian);
choice!(Form);
choice!(Kind);
choice!(SocketType);
choice!(survey::Kind);
choice!(Type);

impl<const MAX: usize> Word for PosixName<MAX> {
    fn read(word: &OsStr) -> Option<Self> {
        Self::new(word).ok()
    }
}

impl<const MAX: usize> ValueParserFactory for PosixName<MAX> {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl<const MAX: usize> Word for AnyName<MAX> {
    fn read(word: &OsStr) -> Option<Self> {
        Self::new(word).ok()
    }
}

impl<const MAX: usize> ValueParserFactory for AnyName<MAX> {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl ValueParserFactory for RemoteFolder {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl ValueParserFactory for RemoteName {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl Word for FilePath {
    fn read(word: &OsStr) -> Option<Self> {
        Some(PathBuf::from(word).into())
    }
}

impl ValueParserFactory for FilePath {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().map(|text| Self::from(PathBuf::from(text))).into()
    }
}

impl Word for RingName {
    fn read(word: &OsStr) -> Option<Self> {
        Self::new(word).ok()
    }
}

impl ValueParserFactory for RingName {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl Word for MessageName {
    fn read(word: &OsStr) -> Option<Self> {
        Self::new(word.as_bytes()).ok()
    }
}

impl ValueParserFactory for MessageName {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(text.as_bytes())).into()
    }
}

impl Word for Address {
    fn read(word: &OsStr) -> Option<Self> {
        Self::new(word).ok()
    }
}

impl ValueParserFactory for Address {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().try_map(|text| Self::new(&text)).into()
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Flock, Self::Ofd, Self::Posix]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Flock => PossibleValue::new("flock").help("the whole file, as flock(2)"),
            Self::Ofd => PossibleValue::new("ofd").help("a range, of the open file"),
            Self::Posix => PossibleValue::new("posix").help("a range, of the process"),
        })
    }
}

impl ValueEnum for survey::Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl ValueEnum for Class {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl ValueEnum for SocketType {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Stream, Self::Seqpacket, Self::Dgram]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Stream => PossibleValue::new("stream").help("Bytes in order, without boundaries"),
            Self::Seqpacket => {
                PossibleValue::new("seqpacket").help("Messages in order, over a connection")
            }
            Self::Dgram => PossibleValue::new("dgram").help("Messages, each on its own"),
        })
    }
}
