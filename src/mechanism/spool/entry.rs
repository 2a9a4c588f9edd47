//! The name of the file of a message, which has all that a worker must know before it opens it.

use std::cmp::{Ordering, Reverse};

use super::encoded::Encoded;
use super::name::MessageName;

/// A message by the name of its file: the priority in 5 decimal digits, the time of the put and the
/// time before which it is not taken in 16 hexadecimal digits each, the number of attempts in 4
/// decimal digits, and the name of the message. Times are nanoseconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Messages of a higher priority are taken first.
    pub priority: u32,
    /// Among those of one priority, the oldest is taken first.
    pub put: u64,
    /// The time before which it is not taken; 0 if there is none.
    pub due: u64,
    /// The number of COMMANDs that were started for it.
    pub attempts: u32,
    /// Whether its name was made for it or given.
    pub origin: Origin,
    /// The name of the message, as in the names of files.
    pub name: Encoded,
}

/// The origin of the name of a message.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// It was made, and no other message has it.
    Made,
    /// It was given, and `names/` has a link of it, so that no second message gets it.
    Given,
}

/// The greatest priority.
pub const PRIORITY_MAX: u32 = 32767;

/// The greatest number of attempts that is counted.
const ATTEMPTS_MAX: u32 = 9999;

/// The positions of the fields, each with a character before it but the first.
const FIELDS: [(usize, usize); 4] = [(0, 5), (6, 22), (23, 39), (40, 44)];

/// The length of all that stands before the name.
const HEAD: usize = 45;

impl Entry {
    /// Reads the name of a file; `None` if it is not the name of a message.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let field = |index: usize| {
            let (start, end) = FIELDS[index];
            file.get(start..end)
        };
        let is_separated = [5, 22, 39].iter().all(|&at| file.get(at) == Some(&b'-'));
        let origin = match file.get(HEAD - 1)? {
            b'-' => Origin::Made,
            b'=' => Origin::Given,
            _ => return None,
        };
        let name = std::str::from_utf8(&file[HEAD..]).ok();
        let name = name.filter(|name| MessageName::is_encoded(name))?;
        let priority = number::<10>(field(0)?)? as u32;
        (is_separated && priority <= PRIORITY_MAX).then_some(())?;
        Some(Self {
            priority,
            put: number::<16>(field(1)?)?,
            due: number::<16>(field(2)?)?,
            attempts: number::<10>(field(3)?)? as u32,
            origin,
            name: name.into(),
        })
    }

    /// The name of the file.
    pub fn file(&self) -> String {
        let mut file = String::with_capacity(HEAD + self.name.len());
        push_number::<10>(&mut file, self.priority.into(), 5);
        file.push('-');
        push_number::<16>(&mut file, self.put, 16);
        file.push('-');
        push_number::<16>(&mut file, self.due, 16);
        file.push('-');
        push_number::<10>(&mut file, self.attempts.into(), 4);
        file.push(if self.origin == Origin::Given { '=' } else { '-' });
        file.push_str(&self.name);
        file
    }

    /// The same message after one more attempt has begun.
    pub fn begun(&self) -> Self {
        Self { attempts: (self.attempts + 1).min(ATTEMPTS_MAX), ..self.clone() }
    }

    /// The same message without its last attempt, which has not begun after all.
    pub fn not_begun(&self) -> Self {
        let attempts = match self.attempts {
            // There may have been more.
            ATTEMPTS_MAX => ATTEMPTS_MAX,
            attempts => attempts.saturating_sub(1),
        };
        Self { attempts, ..self.clone() }
    }

    /// The name of the message.
    pub fn message_name(&self) -> MessageName {
        MessageName::of_encoded(self.name.clone())
    }

    /// Whether it may be taken at this time.
    pub fn is_due(&self, now: u64) -> bool {
        self.due <= now
    }
}

/// The order in which messages are taken.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |e: &Self| (Reverse(e.priority), e.put, e.origin, e.attempts, e.due);
        key(self).cmp(&key(other)).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends a number in this many digits, at most 16. A worker and a put write several of them for each
/// message, for which `format!` is slow.
pub fn push_number<const BASE: u64>(text: &mut String, mut number: u64, digits: usize) {
    let mut written = [0; 16];
    for digit in written[..digits].iter_mut().rev() {
        *digit = DIGITS[(number % BASE) as usize];
        number /= BASE;
    }
    text.extend(written[..digits].iter().copied().map(char::from));
}

/// The number that these digits are, at most 16.
fn number<const BASE: u64>(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        let value = u64::from(VALUES[usize::from(digit)]);
        (value < BASE).then_some(number * BASE + value)
    })
}

/// The value of each byte as a digit, or 255.
static VALUES: [u8; 256] = {
    let (mut values, mut value) = ([u8::MAX; 256], 0);
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(priority: u32, put: u64, name: &str) -> Entry {
        Entry { priority, put, due: 0, attempts: 0, origin: Origin::Made, name: name.into() }
    }

    #[test]
    fn the_name_of_a_file_has_the_message() {
        let entry = Entry { due: 7, attempts: 3, origin: Origin::Given, ..entry(9, 255, "a%2fb") };
        let file = entry.file();
        assert_eq!(file, "00009-00000000000000ff-0000000000000007-0003=a%2fb");
        assert_eq!(Entry::parse(file.as_bytes()), Some(entry));
    }

    #[test]
    fn another_name_is_not_one_of_a_message() {
        let file = "00009-00000000000000ff-0000000000000007-0003=a";
        for at in 0..file.len() - 1 {
            let mut other = file.as_bytes().to_vec();
            other[at] = b'+';
            assert_eq!(Entry::parse(&other), None, "{at}");
            assert_eq!(Entry::parse(&file.as_bytes()[..at]), None, "{at}");
        }
        assert_eq!(Entry::parse(b"99999-00000000000000ff-0000000000000007-0003=a"), None);
    }

    #[test]
    fn the_highest_priority_comes_first_and_then_the_oldest() {
        let mut entries = [entry(0, 1, "c"), entry(5, 9, "b"), entry(5, 2, "z"), entry(0, 1, "a")];
        entries.sort();
        assert_eq!(entries.map(|e| e.name.to_string()), ["z", "b", "a", "c"]);
    }
}
