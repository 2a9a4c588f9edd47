//! Names in diagnostics as GNU utilities quote them, so that a shell reads them back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whether characters beyond ASCII are shown as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Charset {
    /// They are, where they are UTF-8.
    Utf8,
    /// They are bytes, and escaped.
    Ascii,
}

impl Charset {
    /// That of the locale.
    pub fn of_locale() -> Self {
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
        let locale = name.and_then(std::env::var_os).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        if locale.contains(".utf-8") || locale.contains(".utf8") { Self::Utf8 } else { Self::Ascii }
    }
}

/// Quotes a name always: in single quotes, in double quotes where only those do without an escape,
/// with what cannot be shown in the `$'\n'` of the shell.
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

/// Whether a character means itself in double quotes, in every shell.
fn is_plain(index: usize, c: char, charset: Charset) -> bool {
    c.is_ascii_alphanumeric()
        || "%+,-./:]_ '".contains(c)
        || "#~".contains(c) && index == 0
        || !c.is_ascii() && is_printable(c, charset)
}

fn is_printable(c: char, charset: Charset) -> bool {
    !c.is_control() && (c.is_ascii() || charset == Charset::Utf8)
}

/// A name in single quotes, so far.
struct Quoted {
    text: String,
    /// Whether the quotes that are open are those of `$'...'`.
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
    fn a_name_is_quoted_so_that_a_shell_reads_it_back() {
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
