//! Making a type of a value: as strict as the file's author was explicit, and lenient with the text of a variable, which has no type but the wanted one.
//!
//! The crate `config` has a deserializer of its own, which takes 2.7 for the integer 3 and `true` for 1, and forgets where a value stood. Hence this one.

use ::config::{Value, ValueKind};
use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::layer::of_text;
use super::mistake::{Kind, Mistake, Step, one_of, wanted};
use super::origin::is_environment;
use super::tree::{Table, is_alike};
use crate::quantity::duration;

/// Reads `value` as a `C`. Where there is none, what `C` makes of that.
pub(super) fn read<C: DeserializeOwned>(value: Option<&Value>) -> Result<C, Mistake> {
    let Some(value) = value else {
        return C::deserialize(Absent).map_err(|mistake| match mistake.kind {
            Kind::Asked { wanted } => Mistake::missing(Some(wanted)),
            _ => mistake,
        });
    };
    let mut mistake = match C::deserialize(Node { value, asked: None }) {
        Ok(value) => return Ok(value),
        Err(mistake) => mistake.at(value),
    };
    let Kind::Missing { wanted: None } = mistake.kind else { return Err(mistake) };
    // What a missing field should be only its type knows, so it is read once more with the field there, which then says what it wants.
    let path = mistake.path();
    let wanted = match C::deserialize(Node { value, asked: Some(&path) }) {
        Err(Mistake { kind: Kind::Asked { wanted }, .. }) => wanted,
        _ => "a value".to_owned(),
    };
    mistake.kind = Kind::Missing { wanted: Some(wanted) };
    Err(mistake)
}

/// A value that is to become a type.
#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a Value,
    /// The way from here to a field that is not there, which is to say what it wants.
    asked: Option<&'a [Step]>,
}

impl<'a> Node<'a> {
    /// The text of an environment variable.
    fn variable(&self) -> Option<&'a str> {
        match &self.value.kind {
            ValueKind::String(text) if is_environment(self.value) => Some(text),
            _ => None,
        }
    }

    fn step(&self, step: &Step, value: &'a Value) -> Node<'a> {
        let rest = self.asked.and_then(<[Step]>::split_first).and_then(|(first, rest)| (first == step).then_some(rest));
        Node { value, asked: rest.filter(|rest| !rest.is_empty()) }
    }

    fn table<'de, V: Visitor<'de>>(self, table: &Table, fields: &[&str], visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(Entries::new(self, table, fields))
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::I64(value) => visitor.visit_i64(*value),
            ValueKind::I128(value) => visitor.visit_i128(*value),
            ValueKind::U64(value) => visitor.visit_u64(*value),
            ValueKind::U128(value) => visitor.visit_u128(*value),
            ValueKind::Float(value) => visitor.visit_f64(*value),
            ValueKind::String(text) => visitor.visit_str(text),
            ValueKind::Table(table) => self.table(table, &[], visitor),
            ValueKind::Array(list) => visitor.visit_seq(Items { node: self, list, next: 0 }),
        }
    }

    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let Some(text) = self.variable() else { return self.any(visitor) };
        match visit_integer(text.trim(), visitor) {
            Ok(result) => result,
            Err(visitor) => Err(Mistake::invalid_type(Unexpected::Str(text), &visitor)),
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let Some(text) = self.variable() else { return self.any(visitor) };
        match text.trim().parse() {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => Err(Mistake::invalid_type(Unexpected::Str(text), &visitor)),
        }
    }

    fn boolean<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let Some(text) = self.variable() else { return self.any(visitor) };
        match &*text.trim().to_ascii_lowercase() {
            "true" | "1" | "yes" | "on" => visitor.visit_bool(true),
            "false" | "0" | "no" | "off" => visitor.visit_bool(false),
            _ => Err(Mistake::invalid_type(Unexpected::Str(text), &visitor)),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let Some(text) = self.variable() else { return self.any(visitor) };
        match of_text(text, self.value.origin().unwrap_or_default()) {
            Some(value) if matches!(value.kind, ValueKind::Array(_)) => {
                Node { value: &value, asked: None }.any(visitor)
            }
            _ => Err(Mistake::new(Kind::Type { wanted: format!("{}, as `[\"a\", \"b\"]`", wanted(&visitor)) })),
        }
    }

    /// What the text of a variable is where the type leaves it open.
    fn open<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let toml = self.variable().and_then(|text| of_text(text.trim(), self.value.origin().unwrap_or_default()));
        match toml {
            // What TOML made of it is a text of its own, and no further one inside it.
            Some(Value { kind: ValueKind::String(text), .. }) => visitor.visit_str(&text),
            Some(value) => Node { value: &value, asked: None }.any(visitor),
            None => self.any(visitor),
        }
    }

    /// A duration that is a text; as a table it is read as any struct.
    fn duration<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let duration = match &self.value.kind {
            ValueKind::String(text) => duration::parse(text),
            _ => None,
        };
        let Some(duration) = duration else {
            return Err(Mistake::new(Kind::Type { wanted: duration::WANTED.to_owned() }));
        };
        let parts = [duration.as_secs(), u64::from(duration.subsec_nanos())];
        visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
    }

    fn variant<'de, V: Visitor<'de>>(self, variants: &[&str], visitor: V) -> Result<V::Value, Mistake> {
        match &self.value.kind {
            ValueKind::String(text) => visitor.visit_enum(as_str(text)),
            ValueKind::Table(table) if table.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::new(self, table, &[])))
            }
            _ => Err(Mistake::new(Kind::Type { wanted: one_of(variants) })),
        }
    }
}

fn as_str(text: &str) -> StrDeserializer<'_, Mistake> {
    text.into_deserializer()
}

/// Gives `visitor` the integer that `text` is, or the visitor back.
fn visit_integer<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<Result<V::Value, Mistake>, V> {
    if let Ok(number) = text.parse::<i64>() {
        Ok(visitor.visit_i64(number))
    } else if let Ok(number) = text.parse::<u64>() {
        Ok(visitor.visit_u64(number))
    } else if let Ok(number) = text.parse::<i128>() {
        Ok(visitor.visit_i128(number))
    } else if let Ok(number) = text.parse::<u128>() {
        Ok(visitor.visit_u128(number))
    } else {
        Err(visitor)
    }
}

/// Writes methods of `Deserializer` that call one of ours, and notes where a mistake is.
macro_rules! read_with {
    ($($method:ident => $own:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            self.$own(visitor).map_err(|mistake| mistake.at(self.value))
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Mistake;

    read_with! {
        deserialize_any => open;
        deserialize_bool => boolean;
        deserialize_i8 => integer;
        deserialize_i16 => integer;
        deserialize_i32 => integer;
        deserialize_i64 => integer;
        deserialize_i128 => integer;
        deserialize_u8 => integer;
        deserialize_u16 => integer;
        deserialize_u32 => integer;
        deserialize_u64 => integer;
        deserialize_u128 => integer;
        deserialize_f32 => float;
        deserialize_f64 => float;
        deserialize_char => any;
        deserialize_str => any;
        deserialize_string => any;
        deserialize_bytes => any;
        deserialize_byte_buf => any;
        deserialize_unit => any;
        deserialize_seq => list;
        deserialize_map => any;
        deserialize_identifier => any;
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let read = match &self.value.kind {
            ValueKind::Table(table) => self.table(table, fields, visitor),
            _ if is_duration(name, fields) => self.duration(visitor),
            _ => Err(Mistake::invalid_type(Unexpected::Other("no table"), &visitor)),
        };
        read.map_err(|mistake| mistake.at(self.value))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.variant(variants, visitor).map_err(|mistake| mistake.at(self.value))
    }
}

/// The entries of a table, sorted, so that of several mistakes it is always the same that is reported.
struct Entries<'a> {
    node: Node<'a>,
    rest: std::vec::IntoIter<(&'a str, &'a Value)>,
    /// The names that the type knows, if it says so.
    fields: &'a [&'a str],
    /// The entry whose key was read.
    value: Option<(&'a str, &'a Value)>,
    /// The field that is to say what it wants, if it is one of this table.
    absent: Option<&'a str>,
}

impl<'a> Entries<'a> {
    fn new(node: Node<'a>, table: &'a Table, fields: &'a [&'a str]) -> Self {
        let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), value)).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        let absent = match node.asked {
            Some([Step::Key(key)]) => Some(key.as_str()),
            _ => None,
        };
        Self { node, rest: entries.into_iter(), fields, value: None, absent }
    }

    /// How the type writes the key: a variable cannot say its case, nor `-`.
    fn name(&self, key: &'a str, value: &Value) -> &'a str {
        if !is_environment(value) || self.fields.contains(&key) {
            return key;
        }
        self.fields.iter().copied().find(|field| is_alike(field, key)).unwrap_or(key)
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some((key, value)) = self.rest.next() else {
            return self.absent.map(|key| seed.deserialize(Key(key))).transpose();
        };
        self.value = Some((key, value));
        let name = self.name(key, value);
        seed.deserialize(Key(name))
            .map(Some)
            .map_err(|mistake| mistake.at_key(key, value).under(Step::Key(key.to_owned())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let Some((key, value)) = self.value.take() else {
            self.absent = None;
            return seed.deserialize(Absent);
        };
        let step = Step::Key(key.to_owned());
        seed.deserialize(self.node.step(&step, value)).map_err(|mistake| mistake.at(value).under(step))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The key of a table. It is a text, and a number where the type wants one.
struct Key<'a>(&'a str);

macro_rules! integer_keys {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match visit_integer(self.0, visitor) {
                Ok(result) => result,
                Err(visitor) => Err(Mistake::invalid_type(Unexpected::Str(self.0), &visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Mistake;

    integer_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_enum(as_str(self.0))
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// The items of a list.
struct Items<'a> {
    node: Node<'a>,
    list: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some(value) = self.list.get(self.next) else { return Ok(None) };
        let step = Step::Index(self.next);
        self.next += 1;
        seed.deserialize(self.node.step(&step, value)).map(Some).map_err(|mistake| mistake.at(value).under(step))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len() - self.next)
    }
}

/// Nothing at all: the type says what it wants, or what it makes of that.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        Err(Mistake::new(Kind::Asked { wanted: wanted(&visitor) }))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        if is_duration(name, fields) {
            return Err(Mistake::new(Kind::Asked { wanted: duration::WANTED.to_owned() }));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Mistake> {
        Err(Mistake::new(Kind::Asked { wanted: one_of(variants) }))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// Whether the struct that is read is the one of the standard library.
fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}
