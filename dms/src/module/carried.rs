//! The messages of a module as values in bytes, which a network carries: each under the name of its handler. The macro's code fills it.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, Unexpected, VariantAccess, Visitor};
use serde::ser::{Error as _, Serializer};

/// The enum of a module with remote handlers. In bytes it is what serde makes of an enum of their messages alone: replies and the other variants are not there.
pub trait CarriedMessages: Sized {
    /// The name of the enum.
    const NAME: &'static str;
    /// The names of the remote handlers, in the order in which they are written.
    const HANDLERS: &'static [&'static str];

    /// Reads the message of one of the [`HANDLERS`](Self::HANDLERS).
    ///
    /// # Errors
    /// It is not the message of this handler.
    fn read<'de, A: VariantAccess<'de>>(handler: &'static str, content: A) -> Result<Self, A::Error>;

    /// Writes this message.
    ///
    /// # Errors
    /// It is that of no remote handler, or cannot be written.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Reads a message, whose reply is nobody's.
///
/// # Errors
/// It is that of no remote handler.
pub fn read_message<'de, T: CarriedMessages, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_enum(T::NAME, T::HANDLERS, Messages(PhantomData))
}

/// Writes the message of a remote handler.
///
/// # Errors
/// Those of the message.
pub fn write_message<T: CarriedMessages, M: Serialize, S: Serializer>(
    handler: &'static str,
    message: &M,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let index = (0_u32..).zip(T::HANDLERS).find(|(_, name)| **name == handler).map_or(u32::MAX, |(index, _)| index);
    serializer.serialize_newtype_variant(T::NAME, index, handler, message)
}

/// The error of a message that does not travel.
///
/// # Errors
/// Always.
pub fn not_carried<S: Serializer>(text: &'static str) -> Result<S::Ok, S::Error> {
    Err(S::Error::custom(text))
}

/// The error of a message of no remote handler.
#[must_use]
pub fn no_message<T: CarriedMessages, E: de::Error>(handler: &str) -> E {
    E::unknown_variant(handler, T::HANDLERS)
}

struct Messages<T>(PhantomData<T>);

impl<'de, T: CarriedMessages> Visitor<'de> for Messages<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message of a remote handler, as `{}`", T::NAME)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, message: A) -> Result<T, A::Error> {
        let (handler, content) = message.variant_seed(HandlerName::<T>(PhantomData))?;
        T::read(handler, content)
    }
}

/// Which handler it is: its name, or its place among the remote ones.
struct HandlerName<T>(PhantomData<T>);

impl<'de, T: CarriedMessages> DeserializeSeed<'de> for HandlerName<T> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: CarriedMessages> Visitor<'_> for HandlerName<T> {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a remote handler")
    }

    fn visit_u64<E: de::Error>(self, index: u64) -> Result<&'static str, E> {
        let name = usize::try_from(index).ok().and_then(|index| T::HANDLERS.get(index));
        name.copied().ok_or_else(|| E::invalid_value(Unexpected::Unsigned(index), &self))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<&'static str, E> {
        let found = T::HANDLERS.iter().find(|handler| **handler == name);
        found.copied().ok_or_else(|| no_message::<T, E>(name))
    }
}
