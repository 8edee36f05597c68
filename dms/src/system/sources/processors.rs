//! Which processors there are.

use std::collections::BTreeSet;
use std::path::Path;

use super::read;

/// The numbers of the processors that are online; `None` where the platform does not say.
pub(super) fn online(root: &Path) -> Option<BTreeSet<u32>> {
    parse(&read(&root.join("sys/devices/system/cpu/online"))?)
}

/// Reads a list of numbers and ranges: `0-3,5`.
fn parse(text: &str) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        for (text, expected) in
            [("0\n", &[0][..]), ("0-3\n", &[0, 1, 2, 3]), ("0,2-3,7\n", &[0, 2, 3, 7]), ("1,0", &[0, 1])]
        {
            assert_eq!(parse(text), Some(expected.iter().copied().collect()), "{text}");
        }
        for text in ["", "\n", "a", "0-", "0,,1", "-1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
