//! Reading bytes that anybody may have sent, whatever the format and the type are.
//!
//! A deserializer around another one. It believes no length: room is made as elements come, so that nothing is allocated for what was merely promised. It ends what nests too deep, also where the
//! format takes no bytes for a level, or its values are too large for the stack, and what takes up too much memory, or too much time, by elements that have few bytes or none. And its errors say nothing: a text would repeat what was sent,
//! and be larger than that.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::guard::{Collection, Guard, Refused, Room};

/// Reads one value. What its sequences and maps make room for, and what lies behind its pointers, takes at most `memory` bytes of memory, and half of that more while a sequence moves; not counted
/// are texts, byte strings and what is behind a pointer and no larger than one, of which each byte has at most 8. Each array, map, option, newtype and variant is a level, of which there are at most 128.
///
/// What is behind pointers and in collections, one value within the other, is 32 KiB at most, and each level has 128 bytes of that, so that what nests does not overflow the stack.
///
/// Nothing is known of what a type makes of what it has read, as by serde's `from`, and `untagged` and `flatten` read into places of their own first.
pub(crate) fn read<'de, V, D>(deserializer: D, memory: usize) -> Result<V, Refused>
where
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let memory = Cell::new(memory);
    V::deserialize(Guarded { inner: deserializer, guard: Guard::new::<V>(&memory), wanted: Wanted::OfType })
}

impl de::Error for Refused {
    // Neither the text nor what is in it is looked at.
    fn custom<T: fmt::Display>(_text: T) -> Self {
        Self
    }
}

/// An error of the format below, without a text.
fn refuse<E: de::Error>(_refused: Refused) -> E {
    E::custom("")
}

/// What the type asks the format for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What has as many parts as the type says.
    OfType,
    /// What may have as many parts as the bytes say.
    Any,
    /// The name of a field or a variant.
    Name,
}

/// Something of the format, under guard.
struct Guarded<'g, T> {
    inner: T,
    guard: Guard<'g>,
    wanted: Wanted,
}

impl<'g, T> Guarded<'g, T> {
    fn with<U>(&self, inner: U) -> Guarded<'g, U> {
        Guarded { inner, guard: self.guard, wanted: self.wanted }
    }

    /// The same for what makes a `V` of it.
    fn to_make<V, U>(&self, inner: U, wanted: Wanted) -> Result<Guarded<'g, U>, Refused> {
        Ok(Guarded { inner, guard: self.guard.parts_of::<V>()?, wanted })
    }

    /// The same for what comes into a place for a `V`.
    fn place_for<V, U>(&self, inner: U) -> Guarded<'g, U> {
        Guarded { inner, guard: self.guard.place_for::<V>(), wanted: self.wanted }
    }

    fn deeper(self) -> Result<Self, Refused> {
        Ok(Self { guard: self.guard.deeper()?, ..self })
    }

    /// The elements of a collection.
    fn elements<U>(&self, inner: U, counted: Collection) -> Result<Elements<'g, U>, Refused> {
        let collection = if self.wanted == Wanted::Any { counted } else { Collection::Fixed };
        let guard = self.guard.deeper()?;
        let guard = if self.wanted == Wanted::Any { guard.element() } else { guard };
        Ok(Elements { inner, guard, room: Room::new(collection) })
    }

    /// The name that the bytes are, where one is wanted. What serde writes for a type would make a text of any bytes, to complain about it.
    fn name<'b, E: de::Error>(&self, bytes: &'b [u8]) -> Result<Option<&'b str>, E> {
        if self.wanted != Wanted::Name {
            return Ok(None);
        }
        str::from_utf8(bytes).map(Some).map_err(|_| refuse(Refused))
    }
}

macro_rules! forward {
    ($($wanted:ident: $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            let visitor = self.to_make::<V::Value, _>(visitor, Wanted::$wanted)?;
            self.inner.$method(visitor).map_err(|_| Refused)
        }
    )*)*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guarded<'_, D> {
    type Error = Refused;

    forward! {
        OfType:
            deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
            deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option
            deserialize_unit deserialize_ignored_any;
        Any: deserialize_any deserialize_seq deserialize_map;
        Name: deserialize_identifier;
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_unit_struct(name, visitor).map_err(|_| Refused)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_newtype_struct(name, visitor).map_err(|_| Refused)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_tuple(length, visitor).map_err(|_| Refused)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_tuple_struct(name, length, visitor).map_err(|_| Refused)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_struct(name, fields, visitor).map_err(|_| Refused)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.deserialize_enum(name, variants, visitor).map_err(|_| Refused)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value).map_err(refuse)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guarded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32)
        visit_f64(f64) visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<V::Value, E> {
        match self.name(bytes)? {
            Some(name) => self.inner.visit_str(name),
            None => self.inner.visit_bytes(bytes),
        }
        .map_err(refuse)
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<V::Value, E> {
        match self.name(bytes)? {
            Some(name) => self.inner.visit_borrowed_str(name),
            None => self.inner.visit_borrowed_bytes(bytes),
        }
        .map_err(refuse)
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<V::Value, E> {
        match self.name(&bytes)? {
            Some(name) => self.inner.visit_str(name),
            None => self.inner.visit_byte_buf(bytes),
        }
        .map_err(refuse)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none().map_err(refuse)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit().map_err(refuse)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.with(deserializer).deeper().map_err(refuse)?;
        self.inner.visit_some(deserializer).map_err(refuse)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.with(deserializer).deeper().map_err(refuse)?;
        self.inner.visit_newtype_struct(deserializer).map_err(refuse)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let elements = self.elements(elements, Collection::Sequence).map_err(refuse)?;
        self.inner.visit_seq(elements).map_err(refuse)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let entries = self.elements(entries, Collection::Map).map_err(refuse)?;
        self.inner.visit_map(entries).map_err(refuse)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let variant = self.with(variant).deeper().map_err(refuse)?;
        self.inner.visit_enum(variant).map_err(refuse)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Guarded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.inner.deserialize(deserializer).map_err(refuse)
    }
}

/// The elements of a collection, under guard.
struct Elements<'g, A> {
    inner: A,
    guard: Guard<'g>,
    room: Room,
}

impl<'g, A> Elements<'g, A> {
    fn place_for<V, U>(&self, inner: U) -> Guarded<'g, U> {
        Guarded { inner, guard: self.guard.place_for::<V>(), wanted: Wanted::OfType }
    }

    /// For how many elements room is to be made at once.
    fn size_hint(&self, of_the_format: Option<usize>) -> Option<usize> {
        self.room.is_asked.set(true);
        of_the_format.map(|length| length.min(Room::AT_ONCE))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if self.inner.size_hint() != Some(0) {
            self.room.another::<S::Value>(self.guard)?;
        }
        let seed = self.place_for::<S::Value, _>(seed);
        self.inner.next_element_seed(seed).map_err(|_| Refused)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size_hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<'_, A> {
    type Error = Refused;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if self.inner.size_hint() != Some(0) {
            self.room.another::<S::Value>(self.guard)?;
        }
        let seed = self.place_for::<S::Value, _>(seed);
        self.inner.next_key_seed(seed).map_err(|_| Refused)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        self.room.value::<S::Value>(self.guard)?;
        let seed = self.place_for::<S::Value, _>(seed);
        self.inner.next_value_seed(seed).map_err(|_| Refused)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size_hint(self.inner.size_hint())
    }
}

impl<'de, 'g, A: EnumAccess<'de>> EnumAccess<'de> for Guarded<'g, A> {
    type Error = Refused;
    type Variant = Guarded<'g, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Refused> {
        let (guard, wanted, seed) = (self.guard, self.wanted, self.place_for::<S::Value, _>(seed));
        let (value, inner) = self.inner.variant_seed(seed).map_err(|_| Refused)?;
        Ok((value, Guarded { inner, guard, wanted }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Guarded<'_, A> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.inner.unit_variant().map_err(|_| Refused)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        let seed = self.place_for::<S::Value, _>(seed);
        self.inner.newtype_variant_seed(seed).map_err(|_| Refused)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.tuple_variant(length, visitor).map_err(|_| Refused)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Refused> {
        let visitor = self.to_make::<V::Value, _>(visitor, Wanted::OfType)?;
        self.inner.struct_variant(fields, visitor).map_err(|_| Refused)
    }
}
