//! What a module depends on, as it is written: a name or a capability, and the versions that will do.

use semver::VersionReq;

use crate::Version;

/// What the versions may begin with besides a digit.
const OPERATORS: [char; 6] = ['<', '>', '=', '~', '^', '*'];

/// One dependency: `store`, `cache >= 1.3`.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    /// The name of a module, or a capability.
    pub(super) name: String,
    /// As it was written.
    pub(super) text: String,
    versions: VersionReq,
}

impl Requirement {
    /// Reads a requirement, as `#[module]` does.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_end = |letter: char| letter.is_whitespace() || OPERATORS.contains(&letter);
        let (name, versions) = text.split_at(text.find(is_end).unwrap_or(text.len()));
        let versions = versions.trim();
        if name.is_empty() {
            return Err("it does not begin with a name".to_owned());
        }
        if name.contains(|letter: char| letter == ',' || letter.is_control()) {
            return Err("its name has a comma or a control character in it".to_owned());
        }
        let versions = match versions {
            "" => VersionReq::STAR,
            versions => VersionReq::parse(versions).map_err(|error| error.to_string())?,
        };
        Ok(Self { name: name.to_owned(), text: text.trim().to_owned(), versions })
    }

    /// Whether this version will do.
    pub(super) fn admits(&self, version: Version) -> bool {
        self.versions.matches(&semver::Version::new(version.major, version.minor, version.patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn version(major: u64, minor: u64, patch: u64) -> Version {
        Version { major, minor, patch }
    }

    #[test]
    fn versions_are_matched_as_cargo_does() {
        for (text, name, admitted, refused) in [
            ("store", "store", version(0, 0, 0), None),
            ("cache >= 1.3", "cache", version(2, 0, 0), Some(version(1, 2, 9))),
            ("cache>=1.3, <2", "cache", version(1, 9, 0), Some(version(2, 0, 0))),
            ("cache 1.3", "cache", version(1, 4, 0), Some(version(2, 0, 0))),
            ("cache ^0.3", "cache", version(0, 3, 7), Some(version(0, 4, 0))),
            ("cache ~1.2", "cache", version(1, 2, 5), Some(version(1, 3, 0))),
            ("metrics.sink =1.2.3 ", "metrics.sink", version(1, 2, 3), Some(version(1, 2, 4))),
            ("cache*", "cache", version(7, 0, 0), None),
        ] {
            let requirement = Requirement::parse(text).expect(text);
            assert_eq!(requirement.name, name, "{text}");
            assert!(requirement.admits(admitted), "{text}: {admitted}");
            assert!(refused.is_none_or(|refused| !requirement.admits(refused)), "{text}: {refused:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, part) in [
            ("", "begin with a name"),
            (">= 1.3", "begin with a name"),
            (" store", "begin with a name"),
            ("store, cache", "comma"),
            ("sto\u{7}re", "control"),
            ("cache latest", "unexpected character"),
        ] {
            let error = Requirement::parse(text).expect_err(text);
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
