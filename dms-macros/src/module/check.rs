//! What does not fit together in the description of a module.

use super::model::Description;
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
    if let Some((0, span)) = description.mailbox {
        errors.at(
            span,
            "a mailbox for 0 messages could take none: write `mailbox = 1` or more, or leave `mailbox` out for one without a bound",
        );
    }
    if let (Some((_, entry)), None) = (&description.overflow, description.mailbox) {
        errors.push(
            entry,
            "`overflow` says what a full mailbox does, and this one has no bound: write `mailbox = 64` beside it, or leave `overflow` out",
        );
    }
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
}
