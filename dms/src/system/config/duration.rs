//! Durations as they are written in settings: `"30s"`, `"250ms"`, `"1m 30s"`, as in the attributes.

use std::time::Duration;

/// What a duration should be, for errors.
pub(super) const WANTED: &str = "a duration (as `\"30s\"` or `\"1m 30s\"`)";

/// Whether the struct that is read is the one of the standard library.
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}

/// Reads a sequence of whole numbers, each with a unit, as `#[module]` does; `None` if it is not one, or too long to count in nanoseconds.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len()));
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(nanoseconds_of(unit)?)?)?;
        rest = after.trim_start();
    }
    Some(Duration::from_nanos(total))
}

fn nanoseconds_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_the_attributes_read_it() {
        for (text, expected) in [
            ("7ns", Duration::from_nanos(7)),
            ("7µs", Duration::from_micros(7)),
            ("250ms", Duration::from_millis(250)),
            (" 1m30 s ", Duration::from_secs(90)),
            ("2h", Duration::from_hours(2)),
            ("1d", Duration::from_hours(24)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", " ", "30", "s", "30 seconds", "1.5s", "-1s", "30s,", "99999999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
