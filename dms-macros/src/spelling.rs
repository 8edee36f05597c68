//! Which of the known names was meant by one that is not known.

/// The name nearest to `word`, if it is so near that it was meant: another case, or a letter or two of difference.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = names.into_iter().map(|name| (distance(&word, &name.to_lowercase()), name));
    // A short word is near to everything.
    let allowed = (word.chars().count() / 3).min(3);
    near.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many letters are to be written, left out, replaced or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["ESSENTIAL", "HOT_RELOADABLE", "DRIVER", "user"];

    #[test]
    fn a_misspelling_and_another_case_are_recognised() {
        for (word, meant) in [
            ("essential", "ESSENTIAL"),
            ("ESENTIAL", "ESSENTIAL"),
            ("HOT_RELODABLE", "HOT_RELOADABLE"),
            ("HotReloadable", "HOT_RELOADABLE"),
            ("DRIVRE", "DRIVER"),
            ("uesr", "user"),
        ] {
            assert_eq!(nearest(word, NAMES), Some(meant), "{word}");
        }
    }

    #[test]
    fn another_word_is_not_taken_for_a_misspelling() {
        for word in ["", "x", "us", "BILLING", "DIVE_IN", "RELOADABLE"] {
            assert_eq!(nearest(word, NAMES), None, "{word}");
        }
    }
}
