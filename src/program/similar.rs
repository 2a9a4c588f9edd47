//! Finds known words that a mistyped word resembles.

/// Whether a word is a known word with one or two typing errors: a letter that is missing, added,
/// changed or exchanged with the next. The first letter is right or exchanged, as people seldom mistype
/// it: 'get' does not stand for 'set'.
pub fn is_slip(word: &str, known: &str) -> bool {
    let (word, known): (Vec<char>, Vec<char>) = (word.chars().collect(), known.chars().collect());
    let is_same_start = word.first() == known.first()
        || word.len() > 1 && known.len() > 1 && word[0] == known[1] && word[1] == known[0];
    let limit = if word.len().min(known.len()) < 6 { 1 } else { 2 };
    word != known && is_same_start && distance(&word, &known) <= limit
}

/// The number of typing errors between two words: optimal string alignment.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn a_slip_is_close_and_begins_as_the_word_does() {
        for (word, known) in [
            ("wiat", "wait"),
            ("smh", "shm"),
            ("esm", "sem"),
            ("mapp", "map"),
            ("reed", "read"),
            ("conect", "connect"),
            ("brarrier", "barrier"),
            ("--max-msg", "--max-msgs"),
        ] {
            assert!(is_slip(word, known), "{word}, {known}");
        }
        for (word, known) in [
            ("get", "set"),
            ("pipe", "applets"),
            ("mapp", "applets"),
            ("recieve", "recv"),
            ("put", "post"),
            ("set", "set"),
            ("", "a"),
        ] {
            assert!(!is_slip(word, known), "{word}, {known}");
        }
    }
}
