//! Values as bytes, and back.

use std::fmt;
use std::io;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};

use super::claims;
use super::error::PayloadError;

/// The most bytes of a payload, and of a reply, where the system's builder says nothing else: 8 MiB.
pub const MAX_PAYLOAD: usize = 8 << 20;

/// How a payload is written.
///
/// Either way, structs are maps from field names to values. Arrays of the fields in their order are read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// [JSON](https://www.json.org), to be read by people and by every language.
    #[default]
    Json,
    /// [MessagePack](https://msgpack.org): about half the size, and quicker.
    MessagePack,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
        })
    }
}

impl Format {
    /// Reads one value, which takes up all of the bytes; no bytes at all are "no arguments", and so is an empty object where the value is none.
    ///
    /// Nothing is allocated for what the bytes merely promise, and what nests deeper than 128 levels is refused.
    pub(crate) fn read<V: DeserializeOwned>(self, bytes: &[u8], limit: usize) -> Result<V, PayloadError> {
        if bytes.len() > limit {
            return Err(PayloadError::TooLarge { limit });
        }
        let unreadable = |reason: String| PayloadError::Unreadable { format: self, reason };
        if bytes.is_empty() {
            return V::deserialize(Nothing).map_err(|error| unreadable(format!("the payload is empty: {error}")));
        }
        let read = match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string())),
            Self::MessagePack => {
                claims::check(bytes).map_err(|lie| unreadable(lie.to_string()))?;
                let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
                V::deserialize(&mut reader).map_err(|error| unreadable(error.to_string()))
            }
        };
        // Who builds objects of arguments comes to this one where there are none; a unit struct refuses it.
        read.or_else(
            |error| if self.is_empty_object(bytes) { V::deserialize(Nothing).or(Err(error)) } else { Err(error) },
        )
    }

    fn is_empty_object(self, bytes: &[u8]) -> bool {
        match self {
            Self::Json => bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).eq(b"{}"),
            Self::MessagePack => bytes == [0x80],
        }
    }

    /// Writes one value.
    pub(crate) fn write<V: Serialize + ?Sized>(self, value: &V, limit: usize) -> Result<Vec<u8>, PayloadError> {
        let mut limited = Limited { bytes: Vec::with_capacity(64), limit, is_full: false };
        let written = match self {
            Self::Json => serde_json::to_writer(&mut limited, value).map_err(|error| error.to_string()),
            Self::MessagePack => {
                let mut writer = rmp_serde::Serializer::new(&mut limited).with_struct_map();
                value.serialize(&mut writer).map_err(|error| error.to_string())
            }
        };
        match written {
            Ok(()) => Ok(limited.bytes),
            Err(_) if limited.is_full => Err(PayloadError::TooLarge { limit }),
            Err(reason) => Err(PayloadError::Unwritable { format: self, reason }),
        }
    }
}

/// Takes bytes up to a limit.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    /// Whether more came.
    is_full: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No arguments: what has no fields can be read from it, and what can do without all of them.
struct Nothing;

impl<'de> Deserializer<'de> for Nothing {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom(format_args!("it says no variant of `{name}`")))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Pair {
        left: u64,
        #[serde(default)]
        right: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Unit;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Optional {
        left: Option<u64>,
    }

    #[test]
    fn values_come_back_from_both_formats() {
        for format in [Format::Json, Format::MessagePack] {
            let pair = Pair { left: 7, right: "r".repeat(100) };
            let bytes = format.write(&pair, MAX_PAYLOAD).expect("it can be written");
            assert_eq!(format.read::<Pair>(&bytes, MAX_PAYLOAD), Ok(pair));
        }
    }

    #[test]
    fn message_pack_has_names_and_needs_none() {
        let bytes = Format::MessagePack.write(&Pair::default(), MAX_PAYLOAD).expect("it can be written");
        assert!(bytes.windows(4).any(|window| window == b"left"), "{bytes:?}");
        let positional = rmp_serde::to_vec(&(7, "r")).expect("it can be written");
        let pair = Format::MessagePack.read::<Pair>(&positional, MAX_PAYLOAD);
        assert_eq!(pair, Ok(Pair { left: 7, right: "r".to_owned() }));
    }

    #[test]
    fn no_bytes_are_no_arguments() {
        for format in [Format::Json, Format::MessagePack] {
            assert_eq!(format.read::<()>(b"", 0), Ok(()));
            assert_eq!(format.read::<Unit>(b"", 0), Ok(Unit));
            assert_eq!(format.read::<Optional>(b"", 0), Ok(Optional { left: None }));
            let Err(PayloadError::Unreadable { reason, .. }) = format.read::<Pair>(b"", 0) else {
                panic!("a field is missing");
            };
            assert_eq!(reason, "the payload is empty: missing field `left`");
        }
    }

    #[test]
    fn nothing_above_the_limit_is_read_or_written() {
        for format in [Format::Json, Format::MessagePack] {
            let text = "x".repeat(100);
            assert_eq!(format.write(&text, 50), Err(PayloadError::TooLarge { limit: 50 }));
            let bytes = format.write(&text, 102).expect("it fits exactly");
            assert_eq!(bytes.len(), 102);
            assert_eq!(format.read::<String>(&bytes, 101), Err(PayloadError::TooLarge { limit: 101 }));
        }
    }

    #[test]
    fn what_comes_after_the_value_is_an_error() {
        for format in [Format::Json, Format::MessagePack] {
            let mut bytes = format.write(&7, MAX_PAYLOAD).expect("it can be written");
            bytes.extend(b" 8");
            assert!(matches!(format.read::<u64>(&bytes, 100), Err(PayloadError::Unreadable { .. })), "{format}");
        }
    }
}
