//! Extended regular expressions of the C library: regcomp(3), regex(7). In the C locale, which the
//! process has, a character is a byte.

use std::ffi::{CString, c_int};
use std::mem::MaybeUninit;

use libc::{regcomp, regerror, regex_t, regexec, regfree};

/// A compiled expression.
pub struct Regex(Box<regex_t>);

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The reason, in the words of the C library.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let pattern = CString::new(pattern).map_err(|_| "it has a NUL".to_owned())?;
        let mut compiled = Box::new(MaybeUninit::<regex_t>::zeroed());
        let flags = libc::REG_EXTENDED | libc::REG_NOSUB;
        // SAFETY: the library writes within the structure, and reads the pattern to its NUL.
        let code = unsafe { regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), flags) };
        if code != 0 {
            return Err(reason(code, &compiled));
        }
        // SAFETY: the call above has written it, or left zeros, which are a value of it.
        Ok(Self(unsafe { compiled.assume_init() }))
    }

    /// Whether it matches a part of the text, which ends at the first NUL.
    pub fn is_match(&self, text: &[u8]) -> bool {
        let text: Vec<u8> = text.iter().copied().take_while(|&byte| byte != 0).collect();
        let Ok(text) = CString::new(text) else { return false };
        // SAFETY: both outlive the call, and without matches it writes nothing.
        let code =
            unsafe { regexec(&raw const *self.0, text.as_ptr(), 0, std::ptr::null_mut(), 0) };
        code == 0
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: it is compiled, and nothing uses it afterwards.
        unsafe { regfree(&raw mut *self.0) };
    }
}

/// The message of a failed compilation, which has left nothing to free.
fn reason(code: c_int, compiled: &MaybeUninit<regex_t>) -> String {
    let mut buffer = [0_u8; 128];
    // SAFETY: the library writes at most the size of the buffer, with a NUL at the end.
    let length =
        unsafe { regerror(code, compiled.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let end = length.saturating_sub(1).min(buffer.len() - 1);
    let message = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::Regex;

    #[test]
    fn a_part_of_a_text_matches_an_extended_expression() {
        let regex = Regex::new("^/job(s|-[0-9]+)$").unwrap();
        assert!(regex.is_match(b"/jobs") && regex.is_match(b"/job-12"));
        assert!(!regex.is_match(b"/job") && !regex.is_match(b"a/jobs"));
        assert!(Regex::new("b.d").unwrap().is_match(b"a b\xffd"));
        assert!(Regex::new("(").is_err());
    }
}
