//! What does not fit together in the description of a module.

use std::collections::{HashMap, HashSet};

use super::model::Description;
use super::requirement;
use crate::diagnostics::Errors;

/// Reports what no single key can show.
pub(crate) fn check(description: &Description, errors: &mut Errors) {
    if let Some((name, span)) = &description.name {
        if name.is_empty() {
            errors.at(
                *span,
                "the name is empty, and a module is found by it: write `name = \"counter\"`, or leave `name` out",
            );
        } else if name.trim() != name || name.contains(char::is_control) {
            errors.at(
                *span,
                format!(
                    "the name {name:?} has blanks at its ends or control characters in it: write `name = \"{}\"`",
                    tidy(name)
                ),
            );
        }
    }
    check_flags(description, errors);
    check_capabilities(description, errors);
    check_dependencies(description, errors);
    if let Some((0, span)) = description.mailbox {
        errors.at(
            span,
            "a mailbox for 0 messages could take none: write `mailbox = 1` or more, or leave `mailbox` out for one without a bound",
        );
    }
    description.restart.check(errors);
    if let (Some((_, entry)), None) = (&description.overflow, description.mailbox) {
        errors.push(
            entry,
            "`overflow` says what a full mailbox does, and this one has no bound: write `mailbox = 64` beside it, or leave `overflow` out",
        );
    }
}

fn check_flags(description: &Description, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for flag in &description.flags {
        let text = flag.show();
        if seen.contains(&text) {
            errors.push(flag.tokens(), format!("the flag `{text}` is given twice: keep one of them"));
        }
        seen.insert(text);
    }
}

fn check_capabilities(description: &Description, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (capability, span) in &description.provides {
        // What cannot be written as a dependency could never be depended on.
        let is_name = requirement::mistake(capability).is_none() && requirement::split(capability).0 == capability;
        if capability.trim().is_empty() {
            errors.at(
                *span,
                "the capability is empty, and the module is found by it: write `provides(\"count\")`, or leave it out",
            );
        } else if !is_name {
            let tidy = tidy_capability(capability);
            errors.at(
                *span,
                format!(
                    "the capability {capability:?} has blanks, commas, operators or control characters in it, and no module could depend on it: write \"{tidy}\""
                ),
            );
        } else if !seen.insert(capability) {
            errors.at(*span, format!("the capability `{capability}` is given twice: keep one of them"));
        }
    }
}

fn check_dependencies(description: &Description, errors: &mut Errors) {
    let mut seen = HashMap::new();
    for dependency in &description.depends {
        let (name, span) = (&dependency.name, dependency.span);
        if description.name.as_ref().is_some_and(|(own, _)| own == name) {
            errors.at(
                span,
                format!("module `{name}` depends on itself, and would wait for itself to start: remove it, or write the name of another module"),
            );
        } else if description.provides.iter().any(|(capability, _)| capability == name) {
            errors.at(
                span,
                format!(
                    "`{}` depends on the capability `{name}`, which it provides itself: remove it here or in `provides(..)`, or write the name of the other module that provides it",
                    description.ident
                ),
            );
        }
        match seen.insert(name, dependency.optional) {
            None => {}
            Some(optional) if optional == dependency.optional => errors.at(
                span,
                format!("the dependency `{name}` is given twice: keep one of them, with all that is required of the version, as in \"{name} >= 1.3, < 3\""),
            ),
            Some(_) => errors.at(
                span,
                format!("the dependency `{name}` is given twice, once as one to do without: keep \"{name}\" or `optional(\"{name}\")`"),
            ),
        }
    }
}

/// The nearest capability that is allowed.
fn tidy_capability(capability: &str) -> String {
    let words = capability.split(|letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || letter == ','
            || requirement::split(letter.encode_utf8(&mut [0; 4])).0.is_empty()
    });
    let tidy = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    if tidy.is_empty() { "count".to_owned() } else { tidy }
}

/// The nearest name that is allowed.
fn tidy(name: &str) -> String {
    let tidy: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let tidy = tidy.trim();
    if tidy.is_empty() { "counter".to_owned() } else { tidy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_proposed_is_a_valid_one() {
        assert_eq!(tidy(" counter\n"), "counter");
        assert_eq!(tidy(" \t"), "counter");
    }

    #[test]
    fn the_capability_proposed_is_a_valid_one() {
        assert_eq!(tidy_capability(" metrics, sink >= 1"), "metrics-sink-1");
        assert_eq!(tidy_capability("a\u{7}b"), "a-b");
        assert_eq!(tidy_capability("=="), "count");
    }
}
