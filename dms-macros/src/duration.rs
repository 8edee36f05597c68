//! Durations as they are written in attributes: `"30s"`, `"250ms"`, `"1m 30s"`.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

/// The forms to name in errors.
pub(crate) const FORMS: &str =
    "a number with a unit (`ns`, `us`, `ms`, `s`, `m`, `h` or `d`), for example `\"30s\"` or `\"1m 30s\"`";

/// Reads a sequence of whole numbers, each with a unit; `None` if it is not one, or too long to count in nanoseconds.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let nanoseconds = number.parse::<u64>().ok()?.checked_mul(nanoseconds_of(unit)?)?;
        total = total.checked_add(nanoseconds)?;
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

/// The constant expression for a duration.
pub(crate) fn emit(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    if nanoseconds == 0 {
        quote!(::core::time::Duration::from_secs(#seconds))
    } else {
        quote!(::core::time::Duration::new(#seconds, #nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        let units = [
            ("7ns", Duration::from_nanos(7)),
            ("7us", Duration::from_micros(7)),
            ("7µs", Duration::from_micros(7)),
            ("250ms", Duration::from_millis(250)),
            ("30s", Duration::from_secs(30)),
            ("2m", Duration::from_mins(2)),
            ("2h", Duration::from_hours(2)),
            ("1d", Duration::from_hours(24)),
        ];
        for (text, expected) in units {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn parts_add_up_with_and_without_spaces() {
        assert_eq!(parse("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse(" 1m30 s "), Some(Duration::from_secs(90)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", " ", "30", "s", "30 seconds", "1.5s", "-1s", "30s,", "99999999999999d", "184467440737s 99999999999s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
