//! The choice of the engine by the kind of name.

use std::ffi::OsStr;

use super::{Engine, Listing};
use crate::base::name::{AnyName, FilePath, ObjectName, SystemVName};

/// A type of names, of one or several kinds of segments.
pub trait Name: AsRef<OsStr> {
    /// The engine of this name.
    fn engine(&self) -> &dyn Engine;

    /// Lists the segments of all its kinds.
    fn list() -> Listing;
}

impl Name for AnyName {
    fn engine(&self) -> &dyn Engine {
        match self {
            Self::Posix(name) => name,
            Self::SystemV(name) => name,
        }
    }

    fn list() -> Listing {
        let (mut all, others) = (ObjectName::list(), SystemVName::list());
        all.found.extend(others.found);
        all.unlisted.extend(others.unlisted);
        all
    }
}

impl Name for FilePath {
    fn engine(&self) -> &dyn Engine {
        self
    }

    fn list() -> Listing {
        <Self as Engine>::list()
    }
}
