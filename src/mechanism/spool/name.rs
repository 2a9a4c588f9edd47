//! Names of messages, and their form in the names of files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::encoded::Encoded;

/// The name of a message: any bytes but NUL. In the names of files, bytes that are not letters,
/// digits or [`PLAIN`] are written as `%` and two hexadecimal digits, so that the path of a message
/// has no meaning for a shell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageName {
    encoded: Encoded,
    /// Its bytes, if they are not those of its form in the names of files.
    bytes: Option<Box<[u8]>>,
}

/// The characters that are themselves in the names of files, beside letters and digits.
const PLAIN: &[u8] = b"-_.,+:=@";

/// The greatest length of a name in the names of files.
pub const LONGEST: usize = 200;

/// The rule that a name breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// It has no bytes.
    #[error("the name of a message has at least one character")]
    Empty,
    /// The name of a file cannot have it.
    #[error(
        "a name of {length} bytes is longer than a message may have ({LONGEST}; 3 for each byte \
         that is not a letter, a digit or one of - _ . , + : = @)"
    )]
    TooLong {
        /// Its length in the names of files.
        length: usize,
    },
}

impl MessageName {
    /// A name of these bytes.
    ///
    /// # Errors
    /// An error if it is empty or too long.
    pub fn new(bytes: &[u8]) -> Result<Self, NameError> {
        if bytes.is_empty() {
            return Err(NameError::Empty);
        }
        let encoded = encode(bytes);
        match encoded.len() {
            length if length > LONGEST => Err(NameError::TooLong { length }),
            _ => Ok(Self::of_encoded(encoded.as_str().into())),
        }
    }

    /// The name that has this form in the names of files; `None` if no name has it.
    pub fn decode(encoded: &str) -> Option<Self> {
        Self::is_encoded(encoded).then(|| Self::of_encoded(encoded.into()))
    }

    /// The name of a form that is known to be one.
    pub(super) fn of_encoded(encoded: Encoded) -> Self {
        let bytes = encoded.contains('%').then(|| decoded(encoded.as_bytes()).into());
        Self { encoded, bytes }
    }

    /// Whether a name has this form in the names of files. Each name has one: two forms of a name
    /// would be two messages of the same name.
    pub fn is_encoded(encoded: &str) -> bool {
        let mut rest = encoded.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            rest = match first {
                byte if is_plain(byte) => after,
                b'%' => match after.get(..2).and_then(hexadecimal) {
                    Some(byte) if !is_plain(byte) => &after[2..],
                    _ => return false,
                },
                _ => return false,
            };
        }
        (1..=LONGEST).contains(&encoded.len())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.encoded.as_bytes())
    }

    /// Its form in the names of files.
    pub fn encoded(&self) -> &str {
        &self.encoded
    }
}

impl AsRef<OsStr> for MessageName {
    fn as_ref(&self) -> &OsStr {
        OsStr::from_bytes(self.bytes())
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            byte if is_plain(byte) => encoded.push(byte.into()),
            byte => encoded.push_str(&format!("%{byte:02x}")),
        }
    }
    encoded
}

/// The bytes of a name in this form.
fn decoded(mut encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    while let Some((&first, after)) = encoded.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%');
        bytes.push(escaped.and_then(hexadecimal).unwrap_or(first));
        encoded = if escaped.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// Whether a byte is itself in the names of files.
fn is_plain(byte: u8) -> bool {
    IS_PLAIN[usize::from(byte)]
}

/// The answer for each byte: a scan asks for every byte of very many names.
static IS_PLAIN: [bool; 256] = {
    let (mut is_plain, mut byte) = ([false; 256], 0);
    while byte < 256 {
        is_plain[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < PLAIN.len() {
        is_plain[PLAIN[index] as usize] = true;
        index += 1;
    }
    is_plain
};

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let is_lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.as_bytes().iter().all(is_lower))?;
    u8::from_str_radix(digits, 16).ok().filter(|&byte| byte != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_name_and_come_back() {
        for bytes in [&b"a"[..], b"report.pdf", b"https://x/$(%41)\n", b"\xff ..", b"."] {
            let name = MessageName::new(bytes).unwrap();
            assert!(name.encoded().bytes().all(|b| b.is_ascii_graphic() && !b"/$;".contains(&b)));
            assert!(MessageName::is_encoded(name.encoded()));
            assert_eq!(MessageName::decode(name.encoded()), Some(name));
        }
        assert_eq!(MessageName::new(b""), Err(NameError::Empty));
        assert_eq!(MessageName::new(&[b'/'; 67]), Err(NameError::TooLong { length: 201 }));
    }

    #[test]
    fn a_name_has_one_form_only() {
        for encoded in ["", "%", "%4", "%41", "%2F", "%00", "a b", "ä", "%g0"] {
            assert_eq!(MessageName::decode(encoded), None, "{encoded}");
            assert!(!MessageName::is_encoded(encoded), "{encoded}");
        }
    }
}
