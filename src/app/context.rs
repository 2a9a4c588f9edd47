//! What a verb works with.

use crate::app::options::Verbosity;
use crate::io::output::Output;

/// What one run of a verb works with, and nothing else of the process.
#[derive(Debug)]
pub struct Context {
    /// Stdout and stderr.
    pub output: Output,
    /// The names of all nouns, for the verbs that are about the program itself.
    pub nouns: &'static [&'static str],
}

impl Context {
    /// The context of the verb that these words name.
    pub fn new(words: String, verbosity: Verbosity, nouns: &'static [&'static str]) -> Self {
        Self { output: Output::new(words, verbosity), nouns }
    }
}
