//! Names in diagnostics, quoted as by GNU utilities, so that a shell can read them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The character set of the locale.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Charset {
    /// UTF-8, in which characters beyond ASCII are printed.
    Utf8,
    /// ASCII, in which bytes beyond it are escaped.
    Ascii,
}

impl Charset {
    /// The character set of the environment.
    pub fn of_locale() -> Self {
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
        let locale = name.and_then(std::env::var_os).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        if locale.contains(".utf-8") || locale.contains(".utf8") { Self::Utf8 } else { Self::Ascii }
    }
}

/// Quotes a name: in single quotes, or in double quotes if those need no escape, with unprintable
/// bytes as `$'\n'` of the shell.
pub fn quote(name: &OsStr, charset: Charset) -> String {
    let bytes = name.as_bytes();
    if bytes.contains(&b'\'')
        && let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().enumerate().all(|(index, c)| is_plain(index, c, charset))
    {
        return format!("\"{text}\"");
    }
    let mut quoted = Quoted { text: String::from("'"), escaping: false };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            quoted.push(c, charset);
        }
        quoted.escape_bytes(chunk.invalid());
    }
    quoted.text.push('\'');
    quoted.text
}

/// Whether a character needs no escape in double quotes, in every shell.
fn is_plain(index: usize, c: char, charset: Charset) -> bool {
    c.is_ascii_alphanumeric()
        || "%+,-./:]_ '".contains(c)
        || "#~".contains(c) && index == 0
        || !c.is_ascii() && is_printable(c, charset)
}

fn is_printable(c: char, charset: Charset) -> bool {
    !c.is_control() && (c.is_ascii() || charset == Charset::Utf8)
}

/// The beginning of a name in single quotes.
struct Quoted {
    text: String,
    /// Whether the open quotes are those of `$'...'`.
    escaping: bool,
}

impl Quoted {
    fn push(&mut self, c: char, charset: Charset) {
        if c == '\'' {
            self.text.push_str("'\\''");
            self.escaping = false;
        } else if is_printable(c, charset) {
            if std::mem::take(&mut self.escaping) {
                self.text.push_str("''");
            }
            self.text.push(c);
        } else {
            self.escape_bytes(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn escape_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if !std::mem::replace(&mut self.escaping, true) {
                self.text.push_str("'$'");
            }
            match byte {
                0x07 => self.text.push_str("\\a"),
                0x08 => self.text.push_str("\\b"),
                b'\t' => self.text.push_str("\\t"),
                b'\n' => self.text.push_str("\\n"),
                0x0b => self.text.push_str("\\v"),
                0x0c => self.text.push_str("\\f"),
                b'\r' => self.text.push_str("\\r"),
                _ => self.text.push_str(&format!("\\{byte:03o}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_can_read_a_quoted_name() {
        for (name, quoted) in [
            (b"p".as_slice(), "'p'"),
            (b"", "''"),
            (b"a\nb/c", "'a'$'\\n''b/c'"),
            (b"a\n", "'a'$'\\n'"),
            (b"it's/x", "\"it's/x\""),
            (b"a\"b'/x", "'a\"b'\\''/x'"),
            (b"\xff/x", "''$'\\377''/x'"),
            (b"a\x01'b/x", "'a'$'\\001'\\''b/x'"),
            (b"a\t\x1b\x7f/x", "'a'$'\\t\\033\\177''/x'"),
        ] {
            assert_eq!(quote(OsStr::from_bytes(name), Charset::Utf8), quoted);
        }
        let umlaut = OsStr::new("\u{e4}/x");
        assert_eq!(quote(umlaut, Charset::Utf8), "'\u{e4}/x'");
        assert_eq!(quote(umlaut, Charset::Ascii), "''$'\\303\\244''/x'");
    }
}
