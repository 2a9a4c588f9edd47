//! Reads the line of bash before the cursor, which bash hands over as it was typed.

/// The words of a line, and how the last one was typed.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// The words without quotes. The last one ends at the cursor, and may be empty.
    pub words: Vec<Vec<u8>>,
    /// The last word as it was typed.
    pub typed: Vec<u8>,
    /// The quotes that are open at the cursor.
    pub quotes: Quotes,
    /// Whether the last word is the file of a redirection.
    pub is_redirected: bool,
}

/// Quotes around a part of a word.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Quotes {
    #[default]
    None,
    Single,
    Double,
    /// `$'...'`, in which a backslash begins an escape.
    Escaping,
}

impl Line {
    pub fn new(text: &[u8]) -> Self {
        let mut reader =
            Reader { rest: text, line: Self::default(), word: None, file_is_next: false };
        while !reader.rest.is_empty() {
            reader.step();
        }
        let typed = reader.word.as_ref().map_or(0, |(_, left)| *left);
        let word = reader.word.map(|(word, _)| word).unwrap_or_default();
        let mut line = reader.line;
        line.typed = text[text.len() - typed..].to_vec();
        line.words.push(word);
        line.is_redirected = reader.file_is_next;
        line
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    line: Line,
    /// The word that has begun, and the number of bytes from its start to the end of the line.
    word: Option<(Vec<u8>, usize)>,
    /// Whether the next word is the file of a redirection.
    file_is_next: bool,
}

impl Reader<'_> {
    fn step(&mut self) {
        let (byte, left) = (self.rest[0], self.rest.len());
        match (self.line.quotes, byte) {
            (Quotes::None, b' ' | b'\t' | b'\n') => self.end_word(),
            (Quotes::None, b'<' | b'>') => {
                self.end_word();
                self.file_is_next = true;
            }
            (Quotes::None, b'\'') => self.open(Quotes::Single),
            (Quotes::None, b'"') => self.open(Quotes::Double),
            (Quotes::None, b'$') if self.rest.get(1) == Some(&b'\'') => {
                self.open(Quotes::Escaping);
                self.rest = &self.rest[1..];
            }
            (Quotes::Single | Quotes::Escaping, b'\'') | (Quotes::Double, b'"') => {
                self.line.quotes = Quotes::None;
            }
            (Quotes::None | Quotes::Escaping, b'\\') => self.escaped(left),
            (Quotes::Double, b'\\')
                if matches!(self.rest.get(1), Some(b'"' | b'\\' | b'$' | b'`')) =>
            {
                self.escaped(left);
            }
            (_, byte) => self.push(byte, left),
        }
        self.rest = &self.rest[1.min(self.rest.len())..];
    }

    fn open(&mut self, quotes: Quotes) {
        let left = self.rest.len();
        self.word.get_or_insert((Vec::new(), left));
        self.line.quotes = quotes;
    }

    /// Takes the byte behind a backslash.
    fn escaped(&mut self, left: usize) {
        self.word.get_or_insert((Vec::new(), left));
        let Some(&byte) = self.rest.get(1) else { return };
        self.rest = &self.rest[1..];
        let byte = match (self.line.quotes, byte) {
            (Quotes::Escaping, b'n') => b'\n',
            (Quotes::Escaping, b't') => b'\t',
            (Quotes::Escaping, b'r') => b'\r',
            (Quotes::Escaping, b'x') => self.hexadecimal(),
            (_, byte) => byte,
        };
        self.push(byte, left);
    }

    /// The byte of `\xHH`, at whose `x` the reader stands.
    fn hexadecimal(&mut self) -> u8 {
        let digits =
            self.rest[1..].iter().take(2).take_while(|digit| digit.is_ascii_hexdigit()).count();
        let text = std::str::from_utf8(&self.rest[1..=digits]).unwrap_or_default();
        self.rest = &self.rest[digits..];
        u8::from_str_radix(text, 16).unwrap_or(b'x')
    }

    fn push(&mut self, byte: u8, left: usize) {
        self.word.get_or_insert((Vec::new(), left)).0.push(byte);
    }

    fn end_word(&mut self) {
        let Some((word, _)) = self.word.take() else { return };
        if !std::mem::take(&mut self.file_is_next) {
            self.line.words.push(word);
        }
    }
}

/// A word, or the rest of one, as it is typed in bash within these quotes; `None` if it cannot be.
pub fn quoted(word: &[u8], quotes: Quotes) -> Option<Vec<u8>> {
    // A control character in quotes would go to the terminal as it is.
    let has_control = word.iter().any(u8::is_ascii_control);
    match quotes {
        Quotes::None => Some(word.iter().flat_map(|&byte| bare(byte)).collect()),
        _ if has_control => None,
        Quotes::Single => (!word.contains(&b'\'')).then(|| word.to_vec()),
        Quotes::Double => {
            let escape = |&byte: &u8| match byte {
                b'"' | b'\\' | b'$' | b'`' => vec![b'\\', byte],
                byte => vec![byte],
            };
            Some(word.iter().flat_map(escape).collect())
        }
        Quotes::Escaping => {
            let escape = |&byte: &u8| match byte {
                b'\'' | b'\\' => vec![b'\\', byte],
                byte => vec![byte],
            };
            Some(word.iter().flat_map(escape).collect())
        }
    }
}

/// A byte outside of quotes.
fn bare(byte: u8) -> Vec<u8> {
    match byte {
        b'\n' => b"$'\\n'".to_vec(),
        byte if byte.is_ascii_control() => format!("$'\\x{byte:02x}'").into_bytes(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => vec![byte],
        b'_' | b'-' | b'.' | b'/' | b':' | b'=' | b'@' | b'%' | b'+' | b',' => vec![byte],
        byte => vec![b'\\', byte],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let words = Line::new(line.as_bytes()).words.into_iter();
        words.map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn the_last_word_ends_at_the_cursor() {
        assert_eq!(words("ipc shm"), ["ipc", "shm"]);
        assert_eq!(words("ipc shm "), ["ipc", "shm", ""]);
        assert_eq!(
            words("ipc  shm\\ x 'a b'c \"$d\" $'e\\n\\x41"),
            ["ipc", "shm x", "a bc", "$d", "e\nA"]
        );
    }

    #[test]
    fn the_file_of_a_redirection_is_no_word() {
        assert_eq!(words("ipc mq send /q <in -t 1"), ["ipc", "mq", "send", "/q", "-t", "1"]);
        assert!(Line::new(b"ipc mq send /q < i").is_redirected);
        assert!(Line::new(b"ipc mq send /q <").is_redirected);
        assert!(!Line::new(b"ipc mq send /q <in ").is_redirected);
    }

    #[test]
    fn the_typed_form_of_the_last_word_is_kept() {
        let line = Line::new(b"ipc shm cat '/a b");
        assert_eq!((line.typed.as_slice(), line.quotes), (b"'/a b".as_slice(), Quotes::Single));
        let line = Line::new(b"ipc shm cat /a\\ b");
        assert_eq!((line.typed.as_slice(), line.quotes), (b"/a\\ b".as_slice(), Quotes::None));
    }

    #[test]
    fn what_is_quoted_is_read_as_the_same_word() {
        for word in ["/a b", "/a\nb", "/it's", "\u{1b}[31m", "/$x`y`\"z\"\\!*?", "é"] {
            for (open, quotes) in [
                ("", Quotes::None),
                ("'", Quotes::Single),
                ("\"", Quotes::Double),
                ("$'", Quotes::Escaping),
            ] {
                let Some(typed) = quoted(word.as_bytes(), quotes) else { continue };
                let line = [b"ipc ", open.as_bytes(), &typed].concat();
                assert_eq!(Line::new(&line).words[1], word.as_bytes(), "{quotes:?}");
            }
        }
        assert_eq!(quoted(b"a\nb", Quotes::None), Some(b"a$'\\n'b".to_vec()));
        assert_eq!(quoted(b"a\nb", Quotes::Single), None);
    }
}
