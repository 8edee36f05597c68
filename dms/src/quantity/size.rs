//! Sizes in bytes as they are written in settings: `"64MiB"`, `"1.5GB"` is not one.

/// What a size should be, for errors.
pub(crate) const WANTED: &str = "a size (a number of bytes, or a text as `\"64MiB\"`)";

/// The units by name, the largest first of each kind. The binary ones are those that [`write`] uses.
const BINARY: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
const DECIMAL: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

/// Reads a whole number with a unit (`B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`, `TB`, `TiB`), or with none for bytes; `None` if it is not one, or too many bytes.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        unit => BINARY.iter().chain(&DECIMAL).find(|(name, _)| *name == unit)?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Writes one in the largest unit that leaves it whole, so that [`parse`] reads the same: `"64MiB"`.
pub(crate) fn write(bytes: u64) -> String {
    match BINARY.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

/// Writes one for people, with a digit behind the point where it does not come out whole: `"203.4MiB"`.
pub(crate) fn show(bytes: u64) -> String {
    let Some((unit, factor)) = BINARY.iter().find(|(_, factor)| bytes >= *factor) else { return format!("{bytes}B") };
    let tenths = u128::from(bytes) * 10 / u128::from(*factor);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}{unit}"),
        (whole, tenth) => format!("{whole}.{tenth}{unit}"),
    }
}

/// A size that may be absent, for `#[serde(with)]`: read from a number or a text, written as a text.
pub(crate) mod optional {
    use std::fmt;

    use serde::de::{Error, Unexpected, Visitor};
    use serde::{Deserializer, Serializer};

    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(bytes: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_some(&super::write(*bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_option(NumberOrText)
    }

    struct NumberOrText;

    impl<'de> Visitor<'de> for NumberOrText {
        type Value = Option<u64>;

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
            deserializer.deserialize_any(self)
        }

        fn visit_u64<E: Error>(self, bytes: u64) -> Result<Self::Value, E> {
            Ok(Some(bytes))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            let bytes = u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
            Ok(Some(bytes))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            super::parse(text).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_with_a_unit() {
        for (text, expected) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            (" 64 MiB ", 64 << 20),
            ("1kB", 1_000),
            ("1KiB", 1_024),
            ("2GB", 2_000_000_000),
            ("3TiB", 3 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", " ", "MiB", "-1", "1.5GiB", "1 GiB 2MiB", "1mib", "18446744073709551616", "16777216TiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (bytes, expected) in [
            (0, "0B"),
            (1_023, "1023B"),
            (64 << 20, "64MiB"),
            ((64 << 20) + 1_024, "65537KiB"),
            (u64::MAX, "18446744073709551615B"),
        ] {
            assert_eq!(write(bytes), expected);
            assert_eq!(parse(expected), Some(bytes));
        }
    }

    #[test]
    fn a_size_is_shown_with_one_digit_behind_the_point() {
        for (bytes, expected) in
            [(0, "0B"), (1_023, "1023B"), (1 << 20, "1MiB"), (213_282_816, "203.4MiB"), (u64::MAX, "16777215.9TiB")]
        {
            assert_eq!(show(bytes), expected);
        }
    }
}
