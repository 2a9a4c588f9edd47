//! The form in which each shell hands over its command line and gets the answer.
//!
//! The scripts in `completions/` of other versions call the program too, so a form never changes: a
//! script that needs another one names its shell in another way.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::line::{Line, quoted};
use super::{Answer, Candidate, answer_to};
use crate::base::text::escape;

/// A shell with a script.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// The shell of this name.
    pub fn named(name: &OsStr) -> Option<Self> {
        match name.to_str()? {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }

    /// The answer to the line in the form of this shell.
    pub fn answer(self, line: &[OsString]) -> Option<Vec<u8>> {
        match self {
            Self::Bash => Bash::new(line)?.answer(),
            Self::Zsh => Some(for_zsh(answer_to(line, true)?)),
            Self::Fish => Some(for_fish(answer_to(line, true)?)),
        }
    }
}

/// The words of bash: COMP_TYPE, the number of columns, the line before the cursor, and the part of it
/// that the answer replaces.
struct Bash {
    line: Line,
    /// Whether the words are only listed.
    is_list: bool,
    columns: usize,
    /// The beginning of the last word that stays as it is: bash ends words at `:` and `=` as well.
    kept: Vec<u8>,
}

impl Bash {
    fn new(words: &[OsString]) -> Option<Self> {
        let [kind, columns, line, replaced] = words else { return None };
        let line = Line::new(line.as_bytes());
        let kept = line.typed.strip_suffix(replaced.as_bytes()).unwrap_or(&line.typed);
        let kept = Line::new(kept).words.pop().unwrap_or_default();
        let columns = columns.to_str().and_then(|number| number.parse().ok()).unwrap_or(80);
        Some(Self { line, is_list: kind == "63", columns, kept })
    }

    /// A line with a word for the script, then a line for each candidate.
    fn answer(&self) -> Option<Vec<u8>> {
        if self.line.is_redirected {
            return Some(b"files\n".to_vec());
        }
        let words: Vec<_> = self.line.words.iter().cloned().map(OsString::from_vec).collect();
        Some(match answer_to(&words, self.is_list)? {
            Answer::Command(start) => {
                let separators = words[..start].iter().filter(|word| *word == "--").count();
                format!("command {separators}\n").into_bytes()
            }
            Answer::Words(candidates) => self.words(&candidates),
        })
    }

    fn words(&self, candidates: &[Candidate]) -> Vec<u8> {
        let current = self.line.words.last().map_or(b"".as_slice(), Vec::as_slice);
        let fitting = candidates.iter().filter(|candidate| candidate.value.starts_with(current));
        let words: Vec<(Vec<u8>, &Candidate)> = fitting
            .filter_map(|candidate| {
                let rest = candidate.value.strip_prefix(self.kept.as_slice())?;
                Some((quoted(rest, self.line.quotes)?, candidate))
            })
            .collect();
        let is_open = matches!(words.as_slice(), [(_, only)] if only.is_open);
        let mut answer = if is_open { b"open\n".to_vec() } else { b"words\n".to_vec() };
        let width = words.iter().map(|(word, _)| word.len()).max().unwrap_or_default();
        for (word, candidate) in &words {
            answer.extend_from_slice(word);
            if self.is_list && words.len() > 1 && !candidate.about.is_empty() {
                answer.extend(std::iter::repeat_n(b' ', width - word.len()));
                let room = self.columns.saturating_sub(width + 8);
                answer.extend_from_slice(
                    format!("  ({})", shortened(&candidate.about, room)).as_bytes(),
                );
            }
            answer.push(b'\n');
        }
        answer
    }
}

/// The first characters of a description, which becomes one harmless line.
fn shortened(about: &str, room: usize) -> String {
    let about = escape(about.as_bytes()).into_owned();
    match about.char_indices().nth(room) {
        Some((end, _)) if room > 3 => format!("{}...", about[..end].trim_end()),
        _ => about,
    }
}

/// Records that end with NUL: a word for the script, then for each candidate whether its word ends, the
/// word, and the line that shows it.
fn for_zsh(answer: Answer) -> Vec<u8> {
    const WIDEST: usize = 60;
    let candidates = match answer {
        Answer::Words(candidates) => candidates,
        Answer::Command(start) => return format!("command\0{start}\0").into_bytes(),
    };
    let shown: Vec<String> =
        candidates.iter().map(|candidate| escape(&candidate.value).into_owned()).collect();
    let width =
        shown.iter().map(|shown| shown.chars().count()).filter(|&width| width <= WIDEST).max();
    let mut answer = b"words\0".to_vec();
    for (candidate, shown) in candidates.iter().zip(shown) {
        let line = match candidate.about.as_str() {
            "" => shown,
            about => {
                let about = shortened(about, 200);
                format!("{shown:<width$}  -- {about}", width = width.unwrap_or_default())
            }
        };
        let end = if candidate.is_open { "open" } else { "word" };
        for record in [end.as_bytes(), &candidate.value, line.as_bytes()] {
            answer.extend_from_slice(record);
            answer.push(0);
        }
    }
    answer
}

/// Records that end with NUL: a word for the script, then each candidate with its description behind a tab.
fn for_fish(answer: Answer) -> Vec<u8> {
    let candidates = match answer {
        Answer::Words(candidates) => candidates,
        Answer::Command(start) => return format!("command\0{start}\0").into_bytes(),
    };
    let mut answer = b"words\0".to_vec();
    // fish has no other sign between a word and its description.
    for candidate in candidates.iter().filter(|candidate| !candidate.value.contains(&b'\t')) {
        answer.extend_from_slice(&candidate.value);
        answer.push(b'\t');
        answer.extend_from_slice(shortened(&candidate.about, 200).as_bytes());
        answer.push(0);
    }
    answer
}
