//! Bytes and times as text and as JSON.

use std::borrow::Cow;

use serde_json::Value;

/// The reason of ENOMEM, for a report that cannot allocate.
pub const OUT_OF_MEMORY: &str = "Cannot allocate memory";

/// The hint for EMFILE.
pub const OPEN_FILES_HINT: &str = "'prlimit --nofile' shows how many files a process may have open";

/// The hint for ENFILE.
pub const ALL_OPEN_FILES_HINT: &str =
    "'sysctl fs.file-max' shows how many files may be open at once";

/// The hint of ENOMEM.
pub const MEMORY_HINT: &str =
    "'free' shows how much memory there is, 'ulimit -v' how much a process may have";

/// The text of a time of day in seconds since 1970; `None` for zero or less, which is never, and
/// for years after 9999.
pub fn rfc3339(seconds: i64) -> Option<String> {
    const YEAR_10000: u64 = 253_402_300_800;
    let since = u64::try_from(seconds).ok().filter(|since| (1..YEAR_10000).contains(since))?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(since);
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// A string, or `{"base64": "..."}` if the bytes are not UTF-8.
pub fn json_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => serde_json::json!({ "base64": base64(bytes) }),
    }
}

/// JSON with escapes for characters that have an effect on a terminal, which occur only in strings.
pub fn harmless(json: String) -> String {
    if !json.contains(acts_on_terminal) {
        return json;
    }
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if acts_on_terminal(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

/// Text for a terminal or a diagnostic: control characters and bytes that are not UTF-8 are
/// escaped, so that no name moves the cursor, ends a line or looks like another.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(acts_on_terminal)
    {
        return Cow::from(text);
    }
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\r' => shown.push_str("\\r"),
                c if !acts_on_terminal(c) => shown.push(c),
                c if c.is_ascii() => shown.extend(format!("\\x{:02x}", u32::from(c)).chars()),
                c => shown.extend(c.escape_unicode()),
            }
        }
        for byte in chunk.invalid() {
            shown.extend(format!("\\x{byte:02x}").chars());
        }
    }
    Cow::from(shown)
}

fn acts_on_terminal(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Base64 as in RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let sextet = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= group.len() { ALPHABET[sextet as usize].into() } else { '=' });
        }
    }
    text
}

/// Whether a character reorders or hides the text around it.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_four_digits_of_the_year_has_no_text() {
        assert_eq!(rfc3339(1), Some("1970-01-01T00:00:01Z".to_owned()));
        assert_eq!(rfc3339(253_402_300_799), Some("9999-12-31T23:59:59Z".to_owned()));
        for never in [i64::MIN, -1, 0, 253_402_300_800, i64::MAX] {
            assert_eq!(rfc3339(never), None);
        }
    }

    #[test]
    fn harmless_json_has_the_same_value() {
        let value = Value::from("ö a\u{7f}b\u{9b}c\u{202e}d\ne");
        let text = harmless(value.to_string());
        assert_eq!(text, "\"ö a\\u007fb\\u009bc\\u202ed\\ne\"");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn control_characters_are_escaped_and_other_text_is_not() {
        assert_eq!(escape("größer".as_bytes()), "größer");
        assert_eq!(escape(b"a\x1b]0;x\x07\n\xff"), "a\\x1b]0;x\\x07\\n\\xff");
        assert_eq!(escape("a\u{202e}b\u{85}".as_bytes()), "a\\u{202e}b\\u{85}");
    }
}
