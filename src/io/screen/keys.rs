//! The keys of a terminal, by the bytes that it sends for them: ECMA-48, and what xterm and the Linux
//! console add to it.

/// A key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// A character.
    Char(char),
    /// A letter with Ctrl.
    Control(char),
    /// A function key, from 1 up.
    Function(u8),
    Enter,
    Escape,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
}

/// Bytes that arrive, which become keys.
#[derive(Debug, Default)]
pub struct Keys(Vec<u8>);

/// The key that bytes begin with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Parsed {
    /// A key, or none for a sequence without a meaning here, and its length.
    Whole(Option<Key>, usize),
    /// More bytes follow.
    Part,
}

const ESCAPE: u8 = 0x1b;

impl Keys {
    /// Adds bytes that have arrived.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next key, if all of its bytes have arrived.
    pub fn next(&mut self) -> Option<Key> {
        while let Parsed::Whole(key, length) = parse(&self.0) {
            self.0.drain(..length);
            if key.is_some() {
                return key;
            }
        }
        None
    }

    /// Whether the bytes so far may be the beginning of a key.
    pub fn is_waiting(&self) -> bool {
        !self.0.is_empty()
    }

    /// The key that the bytes so far mean if no others follow: an escape character alone is the key.
    pub fn give_up(&mut self) -> Option<Key> {
        let is_escape = self.0 == [ESCAPE];
        self.0.clear();
        is_escape.then_some(Key::Escape)
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Parsed::Part,
        [ESCAPE, rest @ ..] => escaped(rest),
        [b'\r' | b'\n', ..] => Parsed::Whole(Some(Key::Enter), 1),
        [b'\t', ..] => Parsed::Whole(Some(Key::Tab), 1),
        [0x08 | 0x7f, ..] => Parsed::Whole(Some(Key::Backspace), 1),
        [control @ 1..=26, ..] => {
            Parsed::Whole(Some(Key::Control(char::from(b'a' + control - 1))), 1)
        }
        [0..=31, ..] => Parsed::Whole(None, 1),
        _ => character(bytes),
    }
}

/// A character in UTF-8.
fn character(bytes: &[u8]) -> Parsed {
    let length = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let Some(whole) = bytes.get(..length) else { return Parsed::Part };
    match std::str::from_utf8(whole) {
        Ok(text) => Parsed::Whole(text.chars().next().map(Key::Char), length),
        Err(_) => Parsed::Whole(None, 1),
    }
}

/// A key whose bytes begin with an escape character.
fn escaped(rest: &[u8]) -> Parsed {
    match rest {
        [] | [b'O'] => Parsed::Part,
        // The function keys of the Linux console.
        [b'[', b'[', letter, ..] => Parsed::Whole(function(letter.wrapping_sub(b'A')), 4),
        [b'[', b'['] => Parsed::Part,
        [b'[', sequence @ ..] => control_sequence(sequence),
        [b'O', letter, ..] => Parsed::Whole(of_letter(*letter), 3),
        // No key with Alt has a meaning: it is Escape, and another key soon after it.
        _ => Parsed::Whole(Some(Key::Escape), 1),
    }
}

/// The numbered keys of xterm and of the VT220.
fn control_sequence(bytes: &[u8]) -> Parsed {
    /// The bytes of a sequence up to its parameters: an escape character and a bracket.
    const BEGINNING: usize = 2;
    let Some(end) = bytes.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return Parsed::Part;
    };
    let length = BEGINNING + end + 1;
    // A second number has the modifiers, such as Shift.
    let number = bytes[..end].split(|&byte| byte == b';').next().unwrap_or_default();
    let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<u8>().ok());
    let key = match (bytes[end], number) {
        (b'~', Some(number)) => of_number(number),
        (b'~', None) => None,
        (letter, _) => of_letter(letter),
    };
    Parsed::Whole(key, length)
}

fn of_letter(letter: u8) -> Option<Key> {
    Some(match letter {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        b'P'..=b'S' => return function(letter - b'P'),
        _ => return None,
    })
}

fn of_number(number: u8) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        4 | 8 => Key::End,
        3 => Key::Delete,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11..=15 => return function(number - 11),
        17..=21 => return function(number - 12),
        23 | 24 => return function(number - 13),
        _ => return None,
    })
}

/// The function key of an index from 0 up.
fn function(index: u8) -> Option<Key> {
    (index < 12).then_some(Key::Function(index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        keys.add(bytes);
        std::iter::from_fn(|| keys.next()).collect()
    }

    #[test]
    fn keys_of_several_terminals_are_read() {
        for (bytes, key) in [
            (b"\x1b[A".as_slice(), Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[1;2D", Key::Left),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[H", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1bOP", Key::Function(1)),
            (b"\x1b[[A", Key::Function(1)),
            (b"\x1b[11~", Key::Function(1)),
            (b"\x1b[[E", Key::Function(5)),
            (b"\x1b[15~", Key::Function(5)),
            (b"\x1b[17~", Key::Function(6)),
            (b"\x1b[21~", Key::Function(10)),
            (b"\x1b[24~", Key::Function(12)),
            (b"\r", Key::Enter),
            (b"\x7f", Key::Backspace),
            (b"\x0c", Key::Control('l')),
            ("ä".as_bytes(), Key::Char('ä')),
            (b"q", Key::Char('q')),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn a_key_may_arrive_in_parts_and_unknown_sequences_are_skipped() {
        let mut keys = Keys::default();
        for byte in b"\x1b[1;5" {
            keys.add(&[*byte]);
            assert_eq!(keys.next(), None);
            assert!(keys.is_waiting());
        }
        keys.add(b"Cx");
        assert_eq!(
            (keys.next(), keys.next(), keys.next()),
            (Some(Key::Right), Some(Key::Char('x')), None)
        );
        assert_eq!(self::keys(b"\x1b[99~\x1b[?1;2c\xffq"), [Key::Char('q')]);
    }

    #[test]
    fn escape_is_a_key_if_nothing_follows() {
        let mut keys = Keys::default();
        keys.add(b"\x1b");
        assert_eq!(keys.next(), None);
        assert_eq!(keys.give_up(), Some(Key::Escape));
        assert!(!keys.is_waiting());
        assert_eq!(self::keys(b"\x1b\x1b[B"), [Key::Escape, Key::Down]);
        assert_eq!(self::keys(b"\x1bq"), [Key::Escape, Key::Char('q')]);
        keys.add(b"\x1b[");
        assert_eq!(keys.give_up(), None);
    }
}
