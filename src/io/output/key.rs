//! The keys of properties: what JSON, listings and manual pages call them, and what they mean.

/// A key of a property.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in JSON and on the command line.
    pub name: &'static str,
    /// Its heading in a listing, if that is not the name in capital letters.
    pub heading: Option<&'static str>,
    /// The type of its values.
    pub kind: Type,
    /// Whether the value can be missing: null in JSON.
    pub is_optional: bool,
    /// The objects that have the key; `None` for all.
    pub only: Option<&'static str>,
    /// Whether text has it without being asked.
    pub visibility: Visibility,
    /// Its meaning, for the manual page: a phrase without a full stop.
    pub meaning: &'static str,
}

/// Where a property is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Visibility {
    /// In text and in JSON.
    Always,
    /// The same, but not in a listing that does not name it.
    InDetail,
    /// In JSON, and in a listing that names it.
    OnRequest,
}

/// The type of a property.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Text that others choose, such as a name: any bytes.
    Text,
    /// One of a few words.
    Word,
    /// A number.
    Number,
    /// A number of bytes.
    Size,
    /// A number of seconds, with a fraction.
    Seconds,
    /// Yes or no.
    Flag,
    /// Permissions.
    Mode,
    /// A time of day.
    Time,
    /// Several numbers.
    Numbers,
    /// Several words.
    Words,
    /// Several objects with these keys.
    Objects(&'static [Key]),
}

impl Type {
    /// Whether it is a number in JSON.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Size | Self::Seconds)
    }

    /// The type in JSON, in the words of the manual pages.
    pub fn in_json(self) -> &'static str {
        match self {
            Self::Text | Self::Word => "string",
            Self::Number => "number",
            Self::Size => "number, in bytes",
            Self::Seconds => "number, in seconds",
            Self::Flag => "boolean",
            Self::Mode => "string, in octal",
            Self::Time => "string, RFC 3339",
            Self::Numbers => "array of numbers",
            Self::Words => "array of strings",
            Self::Objects(_) => "array of objects",
        }
    }
}

impl Key {
    /// A key that every object has a value for, except that a time may be missing.
    pub const fn new(name: &'static str, kind: Type, meaning: &'static str) -> Self {
        Self {
            name,
            heading: None,
            kind,
            // A time can be that of an event that has not occurred.
            is_optional: matches!(kind, Type::Time),
            only: None,
            visibility: Visibility::Always,
            meaning,
        }
    }

    /// The same, and the value may be missing.
    pub const fn or_null(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// The same, of some objects only.
    pub const fn only(mut self, objects: &'static str) -> Self {
        self.only = Some(objects);
        self
    }

    /// The same, not in a listing that does not name it.
    pub const fn in_detail(mut self) -> Self {
        self.visibility = Visibility::InDetail;
        self
    }

    /// The same, in JSON and where an option names it.
    pub const fn on_request(mut self) -> Self {
        self.visibility = Visibility::OnRequest;
        self
    }

    /// Its heading in a listing.
    pub fn heading(&self) -> String {
        self.heading.map_or_else(|| self.name.to_uppercase(), str::to_owned)
    }
}
