//! Durations as they are written in settings: `"30s"`, `"250ms"`, `"1m 30s"`, as in the attributes.

use std::time::Duration;

/// What a duration should be, for errors.
pub(crate) const WANTED: &str = "a duration (as `\"30s\"` or `\"1m 30s\"`)";

/// Reads a sequence of whole numbers, each with a unit, as `#[module]` does; `None` if it is not one, or too long to count in nanoseconds.
pub(crate) fn parse(text: &str) -> Option<Duration> {
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

/// Writes one so that [`parse`] reads it: `"1m 30s"`.
#[cfg(feature = "process")]
pub(crate) fn write(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut parts = Vec::new();
    for (unit, nanoseconds) in [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)]
        .into_iter()
        .chain([("ms", 1_000_000), ("us", 1_000), ("ns", 1)])
    {
        if rest >= nanoseconds {
            parts.push(format!("{}{unit}", rest / nanoseconds));
            rest %= nanoseconds;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// A duration that may be absent, as a text, for `#[serde(with)]`.
#[cfg(feature = "process")]
pub(crate) mod optional {
    use std::fmt;
    use std::time::Duration;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&super::write(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_option(Text)
    }

    struct Text;

    impl<'de> Visitor<'de> for Text {
        type Value = Option<Duration>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(super::WANTED)
        }

        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_str(self)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            super::parse(text).map(Some).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }
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

    #[cfg(feature = "process")]
    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (7, "7ns"),
            (1_000_001, "1ms 1ns"),
            (90_000_000_000, "1m 30s"),
            (100_000_000_000_000, "27h 46m 40s"),
        ] {
            let duration = Duration::from_nanos(nanoseconds);
            assert_eq!(write(duration), expected);
            assert_eq!(parse(expected), Some(duration), "{expected}");
        }
    }
}
