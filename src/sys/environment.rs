//! The environment of this process: environ(7).

use std::ffi::{CStr, c_char};
use std::ptr;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The variables, each as its name, an equals sign and its value. They are not copied, since no code
/// changes the environment.
pub fn variables() -> impl Iterator<Item = &'static CStr> {
    // SAFETY: the C library sets it before `main`, and nothing changes it later.
    let first = unsafe { environ };
    (0..).map_while(move |index| {
        let at = first.wrapping_add(index);
        // SAFETY: the array ends with a null pointer, and so does the iteration.
        let variable = if at.is_null() { ptr::null() } else { unsafe { at.read() } };
        // SAFETY: every other pointer is to a string that stays as long as the process.
        (!variable.is_null()).then(|| unsafe { CStr::from_ptr(variable) })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_variables_are_those_of_the_library() {
        let all: Vec<Vec<u8>> = std::env::vars_os()
            .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
            .collect();
        assert_eq!(
            variables().map(|variable| variable.to_bytes().to_vec()).collect::<Vec<_>>(),
            all
        );
    }
}
