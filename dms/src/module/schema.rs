//! What messages and replies look like, for those who only have bytes. The macro's code calls this.

use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// What a remote handler takes or gives.
#[derive(Debug)]
pub struct Shape {
    /// As the user wrote it, without paths: `Scale { by: u64 }`.
    pub(super) written: &'static str,
    /// The type's name: `Scale`.
    name: &'static str,
    schema: fn(&mut Schemas) -> Value,
}

/// Makes schemas, and keeps what they refer to.
#[derive(Debug)]
pub struct Schemas(SchemaGenerator);

/// Which side of the wire a schema is for: what may be left out when it is read is there when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Reads,
    Writes,
}

impl Shape {
    /// Says how the type was written, its name, and how its schema is made.
    #[must_use]
    pub const fn new(written: &'static str, name: &'static str, schema: fn(&mut Schemas) -> Value) -> Self {
        Self { written, name, schema }
    }

    /// The type's name, and its JSON Schema (2020-12), which stands for itself.
    pub(super) fn describe(&self, side: Side) -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let settings = match side {
            Side::Reads => settings.for_deserialize(),
            Side::Writes => settings.for_serialize(),
        };
        let mut schemas = Schemas(settings.into_generator());
        let mut schema = (self.schema)(&mut schemas);
        // What is recursive cannot be written in place.
        let definitions = schemas.0.take_definitions(true);
        if !definitions.is_empty()
            && let Value::Object(schema) = &mut schema
        {
            schema.insert("$defs".to_owned(), Value::Object(definitions));
        }
        json!({ "type": self.name, "schema": schema })
    }
}

/// A type whose schema is wanted. The macro calls [`schema`](Described::schema) on a reference to it: the compiler takes the first of the
/// two traits that fits, and so there is no bound.
#[derive(Debug)]
pub struct Typed<T>(PhantomData<fn() -> T>);

impl<T> Typed<T> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

/// A type with a schema.
pub trait Described {
    /// The schema.
    fn schema(&self, schemas: &mut Schemas) -> Value;
}

impl<T: JsonSchema> Described for Typed<T> {
    fn schema(&self, schemas: &mut Schemas) -> Value {
        schemas.0.subschema_for::<T>().to_value()
    }
}

/// A type without a schema.
pub trait Undescribed {
    /// The schema that everything fits.
    fn schema(&self, schemas: &mut Schemas) -> Value;
}

impl<T> Undescribed for &Typed<T> {
    fn schema(&self, _: &mut Schemas) -> Value {
        Value::Bool(true)
    }
}

/// The schema of a message that is more than its arguments' names and types.
#[must_use]
pub fn arguments_unknown() -> Value {
    Value::Bool(true)
}

/// The schema of a message that is made of a handler's arguments: each with its name, whether it must be there, and its schema.
#[must_use]
pub fn arguments<const N: usize>(message: &'static str, arguments: [(&'static str, bool, Value); N]) -> Value {
    if N == 0 {
        return json!({ "title": message, "type": "null" });
    }
    let required: Vec<_> = arguments.iter().filter(|(_, required, _)| *required).map(|(name, ..)| *name).collect();
    let mut schema = json!({ "title": message, "type": "object", "required": required });
    schema["properties"] =
        arguments.into_iter().map(|(name, _, schema)| (name.to_owned(), schema)).collect::<Map<_, _>>().into();
    schema
}
