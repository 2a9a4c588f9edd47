//! The only writer of stdout and stderr: answers, records, listings and diagnostics.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::Value;

use crate::errno::Errno;
use crate::exit::Failure;
use crate::plain::Plain;
use crate::sys::stdio::{self, Stream};

/// How much to say on stderr. Every verb has these options.
#[derive(Clone, Copy, Debug, Default, clap::Args, Plain)]
pub struct Verbosity {
    /// Print no diagnostics: the status says it all
    #[arg(short, long, conflicts_with = "verbose", display_order = 900)]
    pub quiet: bool,
    /// Say what happens, on stderr
    #[arg(short, long, display_order = 900)]
    pub verbose: bool,
}

/// How to print what is known of objects.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Format {
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl Format {
    /// Whether it is JSON, for what is neither a listing nor an object shown whole.
    pub fn is_json(self) -> bool {
        self.json
    }
}

/// Stdout did not take what was written to it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct Unwritable(pub Errno);

impl Unwritable {
    /// Whether the reader has left, which ends a command as SIGPIPE would, without a word.
    pub fn reader_left(self) -> bool {
        self.0 == Errno(libc::EPIPE)
    }
}

/// Stdout, gathered into large writes; and stderr, as quiet as it was asked to be.
#[derive(Debug)]
pub struct Output {
    pending: Vec<u8>,
    verbosity: Verbosity,
    /// The words of the command, which its diagnostics begin with.
    command: String,
}

/// Beyond this much the pending output is written: as much as a pipe takes at once.
const ENOUGH: usize = 64 << 10;

impl Output {
    /// The output of the command that these words name.
    pub fn new(command: impl Into<String>, verbosity: Verbosity) -> Self {
        Self { pending: Vec::new(), verbosity, command: command.into() }
    }

    /// One line of the answer.
    pub fn line(&mut self, text: impl Display) -> Result<(), Unwritable> {
        self.text(format_args!("{text}\n"))
    }

    /// A part of the answer, as it is.
    pub fn text(&mut self, text: impl Display) -> Result<(), Unwritable> {
        // Writing into memory fails only where a Display fails, and none of ours does.
        let _ = write!(Sink(&mut self.pending), "{text}");
        self.write_if_enough()
    }

    /// Bytes of the answer, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        self.pending.extend_from_slice(bytes);
        self.write_if_enough()
    }

    fn write_if_enough(&mut self) -> Result<(), Unwritable> {
        if self.pending.len() < ENOUGH { Ok(()) } else { self.flush() }
    }

    /// Writes what is pending. Every command ends with it, so that a full disk is noticed.
    pub fn flush(&mut self) -> Result<(), Unwritable> {
        let written = stdio::write_all(Stream::Output, &self.pending);
        self.pending.clear();
        written.map_err(Unwritable)
    }

    /// Whether something is pending.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What is known of one object, a line for each thing that is.
    pub fn show(&mut self, record: &Record, format: Format) -> Result<(), Unwritable> {
        if format.json {
            return self.json(record);
        }
        let terminal = stdio::is_terminal(Stream::Output);
        let width = record.readable().map(|field| field.key.len()).max().unwrap_or(0) + 1;
        for field in record.readable() {
            self.text(format_args!("{:<width$} ", format!("{}:", field.key)))?;
            self.bytes(&field.shown(terminal))?;
            self.bytes(b"\n")?;
        }
        Ok(())
    }

    /// What is known of many objects, in columns below a header.
    pub fn list(&mut self, records: &[Record], format: Format) -> Result<(), Unwritable> {
        if format.json {
            return self.json(records);
        }
        let Some(first) = records.first() else { return Ok(()) };
        let terminal = stdio::is_terminal(Stream::Output);
        let header = first
            .readable()
            .map(|field| Cow::from(field.key.to_uppercase().into_bytes()))
            .collect();
        let row = |record| Record::readable(record).map(|field| field.shown(terminal)).collect();
        let rows: Vec<Vec<Cow<'_, [u8]>>> =
            std::iter::once(header).chain(records.iter().map(row)).collect();
        let columns: Vec<(usize, bool)> = (0..first.readable().count())
            .map(|column| {
                let widest = rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
                (widest, has_numbers(records, column))
            })
            .collect();
        for row in &rows {
            self.bytes(&align(row, &columns))?;
        }
        Ok(())
    }

    /// One line of JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
        // Records hold nothing that JSON cannot: keys are strings and numbers are finite.
        let text = serde_json::to_string(value).unwrap_or_default();
        self.line(text)
    }

    /// Something that happens on the way, for those who asked with `--verbose`.
    pub fn note(&self, text: impl Display) {
        if self.verbosity.verbose {
            self.complain(text);
        }
    }

    /// Something wrong that does not end the command.
    pub fn warn(&self, text: impl Display) {
        if !self.verbosity.quiet {
            self.complain(text);
        }
    }

    /// Whether more than the answer is wanted, and so worth finding out.
    pub fn is_verbose(&self) -> bool {
        self.verbosity.verbose
    }

    /// Whether somebody sits at a terminal and reads what we say.
    pub fn is_watched(&self) -> bool {
        !self.verbosity.quiet && stdio::is_terminal(Stream::Error)
    }

    /// What went wrong, and the way out where there is one.
    pub fn error(&self, error: &anyhow::Error) {
        let failure = Failure::in_chain(error);
        if failure.is_some_and(Failure::is_expected) {
            return self.note(format_args!("{error:#}"));
        }
        self.warn(format_args!("{error:#}"));
        if let Some(hint) = failure.and_then(Failure::way_out).filter(|_| !self.verbosity.quiet) {
            complain(format_args!("hint: {hint}\n"));
        }
    }

    fn complain(&self, text: impl Display) {
        complain(format_args!("ipc: {}: {text}\n", self.command));
    }
}

/// Writes a diagnostic, whole and at once so that those of several processes do not mix. A stderr
/// that takes nothing is no reason to stop.
pub fn complain(text: impl Display) {
    complain_bytes(text.to_string().as_bytes());
}

/// The same, in bytes that may be of any kind.
pub fn complain_bytes(bytes: &[u8]) {
    let _ = stdio::write_all(Stream::Error, bytes);
}

/// Lets formatting append to bytes.
struct Sink<'a>(&'a mut Vec<u8>);

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Whether a column has numbers, of which some may be missing.
fn has_numbers(records: &[Record], column: usize) -> bool {
    let mut cells = records.iter().filter_map(|record| Some(&record.readable().nth(column)?.value));
    cells.clone().any(Value::is_number) && cells.all(|cell| cell.is_number() || cell.is_null())
}

/// A row of a listing: each cell as wide as its column, numbers to the right.
fn align(row: &[Cow<'_, [u8]>], columns: &[(usize, bool)]) -> Vec<u8> {
    let mut line = Vec::new();
    for (cell, &(widest, is_number)) in row.iter().zip(columns) {
        let padding = vec![b' '; widest - width(cell)];
        let (before, after) = if is_number { (padding, vec![]) } else { (vec![], padding) };
        line.extend([&before, &**cell, &after, b"  "].concat());
    }
    line.truncate(line.trim_ascii_end().len());
    line.push(b'\n');
    line
}

/// The columns that a text takes on a terminal, as far as counting characters can tell.
fn width(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// What is known of one object: each thing once, for people and for JSON.
#[derive(Clone, Debug, Default)]
pub struct Record(Vec<Field>);

#[derive(Clone, Debug)]
struct Field {
    key: &'static str,
    value: Value,
    /// `None` where only programs want to know.
    text: Option<Cow<'static, [u8]>>,
}

impl Field {
    /// The text for a listing: as it is into files and pipes, escaped on a terminal.
    fn shown(&self, terminal: bool) -> Cow<'_, [u8]> {
        let text = self.text.as_deref().unwrap_or_default();
        if terminal { escape(text).into_owned().into_bytes().into() } else { text.into() }
    }
}

impl Record {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name or another text of somebody's, in any bytes.
    pub fn bytes(self, key: &'static str, bytes: &[u8]) -> Self {
        self.field(key, json_bytes(bytes), bytes.to_vec())
    }

    /// The same, where there is one: it is not empty.
    pub fn optional_bytes(self, key: &'static str, bytes: &[u8]) -> Self {
        match bytes {
            b"" => self.field(key, Value::Null, b"-".as_slice()),
            bytes => self.bytes(key, bytes),
        }
    }

    /// A number, which JSON has as a number.
    pub fn number(
        self,
        key: &'static str,
        number: impl Into<serde_json::Number> + Display,
    ) -> Self {
        let text = number.to_string();
        self.field(key, Value::Number(number.into()), text.into_bytes())
    }

    /// A number, where there is one.
    pub fn optional_number(
        self,
        key: &'static str,
        number: Option<impl Into<serde_json::Number> + Display>,
    ) -> Self {
        match number {
            Some(number) => self.number(key, number),
            None => self.field(key, Value::Null, b"-".as_slice()),
        }
    }

    /// Something that only programs want to know.
    pub fn json_only(mut self, key: &'static str, value: Value) -> Self {
        self.0.push(Field { key, value, text: None });
        self
    }

    /// All that another record tells, for programs only.
    pub fn with_json_of(mut self, other: Self) -> Self {
        self.0.extend(other.0.into_iter().map(|field| Field { text: None, ..field }));
        self
    }

    /// One of our own words.
    pub fn word(self, key: &'static str, word: &'static str) -> Self {
        self.field(key, Value::from(word), word.as_bytes())
    }

    /// Yes or no.
    pub fn flag(self, key: &'static str, flag: bool) -> Self {
        self.field(key, Value::from(flag), if flag { "yes" } else { "no" }.as_bytes())
    }

    /// Permissions, in octal.
    pub fn mode(self, key: &'static str, mode: u32) -> Self {
        let text = format!("{:04o}", mode & 0o7777);
        self.field(key, Value::from(text.as_str()), text.into_bytes())
    }

    /// A time of day, in seconds since 1970; zero or less is never.
    pub fn time(self, key: &'static str, seconds: i64) -> Self {
        match rfc3339(seconds) {
            Some(text) => self.field(key, Value::from(text.as_str()), text.into_bytes()),
            None => self.field(key, Value::Null, b"-".as_slice()),
        }
    }

    /// Anything: how JSON has it, and how people read it.
    pub fn field(
        mut self,
        key: &'static str,
        value: Value,
        text: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        self.0.push(Field { key, value, text: Some(text.into()) });
        self
    }

    /// The fields for people.
    fn readable(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| field.text.is_some())
    }

    /// The JSON of the record, for one that is part of another.
    pub fn to_json(&self) -> Value {
        Value::Object(
            self.0.iter().map(|field| (field.key.to_owned(), field.value.clone())).collect(),
        )
    }
}

impl Serialize for Record {
    /// In the order in which people read it, rather than by key.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for field in &self.0 {
            map.serialize_entry(field.key, &field.value)?;
        }
        map.end()
    }
}

/// A time of day, in seconds since 1970; zero or less is never.
pub fn rfc3339(seconds: i64) -> Option<String> {
    let since = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0)?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(since);
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// A string, or `{"base64": "..."}` where the bytes are not UTF-8.
pub fn json_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => serde_json::json!({ "base64": base64(bytes) }),
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = bits >> (18 - 6 * place) & 63;
            text.push(if place <= group.len() { ALPHABET[sextet as usize].into() } else { '=' });
        }
    }
    text
}

/// Shows bytes on a terminal, or in a diagnostic: control characters and what is not UTF-8 as
/// escapes, so that no name moves the cursor, breaks a line or passes for another.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let plain = |c: char| !c.is_control() && !is_invisible(c);
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(plain)
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
                c if plain(c) => shown.push(c),
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

/// Characters that reorder or hide the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn control_characters_are_shown_and_words_are_left_alone() {
        assert_eq!(escape("größer".as_bytes()), "größer");
        assert_eq!(escape(b"a\x1b]0;x\x07\n\xff"), "a\\x1b]0;x\\x07\\n\\xff");
        assert_eq!(escape("a\u{202e}b\u{85}".as_bytes()), "a\\u{202e}b\\u{85}");
    }

    #[test]
    fn numbers_are_to_the_right_where_some_are_missing_as_well() {
        let record = |name: &str, size: Option<u64>| {
            Record::new().bytes("name", name.as_bytes()).optional_number("size", size).time("at", 0)
        };
        let mut output = Output::new("ls", Verbosity::default());
        let records = [record("one", None), record("other", Some(4096))];
        output.list(&records, Format { json: false }).unwrap();
        let listed = "NAME   SIZE  AT\none       -  -\nother  4096  -\n";
        assert_eq!(String::from_utf8(std::mem::take(&mut output.pending)).unwrap(), listed);
    }

    #[test]
    fn a_record_is_json_in_the_order_that_people_read() {
        let record = Record::new()
            .bytes("name", b"\xff")
            .number("size", 4096_u64)
            .mode("mode", 0o600)
            .time("changed", 0);
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(json, r#"{"name":{"base64":"/w=="},"size":4096,"mode":"0600","changed":null}"#);
    }
}
