//! What a module depends on, as it is written: a name or a capability, and the versions that will do.

use semver::VersionReq;

/// What a requirement of versions may begin with besides a digit.
const OPERATORS: [char; 6] = ['<', '>', '=', '~', '^', '*'];

/// Splits `cache >= 1.3` into the name and the requirement, which is empty where any version will do. The runtime reads it in the same way.
pub(super) fn split(text: &str) -> (&str, &str) {
    let is_end = |letter: char| letter.is_whitespace() || OPERATORS.contains(&letter);
    let (name, versions) = text.split_at(text.find(is_end).unwrap_or(text.len()));
    (name, versions.trim())
}

/// Says what is wrong with a dependency, and what to write; `None` if it can be read.
pub(super) fn mistake(text: &str) -> Option<String> {
    let (name, versions) = split(text);
    if name.is_empty() {
        let tidy = text.trim_start();
        // What is left without the blanks before it may be what was meant.
        let meant = if tidy != text && mistake(tidy).is_none() { tidy } else { "cache >= 1.3" };
        return Some(format!(
            "the dependency {text:?} does not begin with a name: write the name of a module or a capability, then the versions if not all will do, as in \"{meant}\""
        ));
    }
    if name.contains(char::is_control) {
        let tidy: String = name.chars().filter(|letter| !letter.is_control()).collect();
        return Some(format!("the dependency {text:?} has control characters in its name: write \"{tidy}\""));
    }
    if name.contains(',') {
        let each = text.split(',').map(str::trim).filter(|each| !each.is_empty());
        let each: Vec<_> = each.map(|each| format!("\"{each}\"")).collect();
        return Some(format!("the dependency {text:?} has a comma in its name: write {}", each.join(", ")));
    }
    if versions.is_empty() {
        return None;
    }
    let error = VersionReq::parse(versions).err()?;
    Some(format!(
        "`{versions}` is no requirement of versions ({error}): write it as for Cargo, as in \"{name} >= 1.3\" or \"{name} ^2\", or write \"{name}\" if any version will do"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_the_first_blank_or_operator() {
        for (text, expected) in [
            ("store", ("store", "")),
            ("cache >= 1.3", ("cache", ">= 1.3")),
            ("cache>=1.3, <2", ("cache", ">=1.3, <2")),
            ("cache 1.3", ("cache", "1.3")),
            ("cache ^2", ("cache", "^2")),
            ("cache~1", ("cache", "~1")),
            ("cache*", ("cache", "*")),
            ("metrics.sink \t=1.2.3 ", ("metrics.sink", "=1.2.3")),
            (">= 1", ("", ">= 1")),
            ("", ("", "")),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_cargo_reads_is_read() {
        for text in [
            "store",
            "cache 1",
            "cache >= 1.3",
            "cache >=1.3, <2",
            "cache ~1.2",
            "cache *",
            "cache 1.*",
            "a-b.c =1.2.3",
        ] {
            assert_eq!(mistake(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_mistake_that_says_what_to_write() {
        for (text, part) in [
            ("", "as in \"cache >= 1.3\""),
            (">= 1.3", "as in \"cache >= 1.3\""),
            (" store ^2", "as in \"store ^2\""),
            ("sto\u{7}re", "write \"store\""),
            ("store, cache", "write \"store\", \"cache\""),
            ("cache >= x", "as in \"cache >= 1.3\""),
            ("cache >== 1", "no requirement of versions"),
            ("cache latest", "write \"cache\" if any version will do"),
            ("cache 1.2.3.4", "no requirement of versions"),
        ] {
            let mistake = mistake(text).unwrap_or_default();
            assert!(mistake.contains(part), "{text:?}: {mistake}");
        }
    }
}
