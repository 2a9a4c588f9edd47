//! Words of at most eight bytes as numbers. A comparison of two reads no text: each text that a short
//! command reads is on a page that the kernel has to map first.

/// A word of at most eight bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Short(u64);

impl Short {
    /// A word; `None` if it is longer.
    pub const fn new(word: &[u8]) -> Option<Self> {
        let (mut bytes, mut index) = ([0; size_of::<u64>()], 0);
        if word.len() > bytes.len() {
            return None;
        }
        while index < word.len() {
            // A word with NUL is no name, and would be equal to one without.
            if word[index] == 0 {
                return None;
            }
            bytes[index] = word[index];
            index += 1;
        }
        Some(Self(u64::from_ne_bytes(bytes)))
    }

    /// A name in the source.
    pub const fn of(name: &str) -> Self {
        Self::new(name.as_bytes()).expect("the name has at most eight bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_equal_if_all_their_bytes_are() {
        assert_eq!(Short::new(b"sem"), Some(Short::of("sem")));
        assert_ne!(Short::of("sem"), Short::of("shm"));
        assert_ne!(Short::of("sem"), Short::of("semi"));
        assert_eq!(Short::new(b"sem\0"), None);
        assert_eq!(Short::new(b"ninebytes"), None);
    }
}
