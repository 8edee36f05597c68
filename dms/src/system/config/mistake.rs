//! What goes wrong while a value becomes a type: with the path to it, innermost name first, and what is there.

use std::fmt;

use ::config::{Value, ValueKind};
use serde::de::{self, Expected, Unexpected};

use super::origin::ConfigOrigin;
use super::tree::Table;

/// A value that is missing or not what a type wants.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) kind: Kind,
    /// From the value outwards.
    path: Vec<Step>,
    /// What is there, once it is known.
    pub(super) found: Option<Found>,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: Option<ConfigOrigin>,
    /// Whether it is only known what the type was given, and not where it stands: serde keeps the values of a flattened or a tagged type, and reads them later.
    is_lost: bool,
}

impl Found {
    fn new(text: String, origin: Option<ConfigOrigin>) -> Self {
        Self { text, origin, is_lost: false }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Missing {
        wanted: Option<String>,
    },
    Type {
        wanted: String,
    },
    Unknown {
        known: &'static [&'static str],
    },
    Invalid {
        reason: String,
    },
    /// What is wanted of a value that is missing, as the type says when it is asked.
    Asked {
        wanted: String,
    },
}

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Mistake {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, path: Vec::new(), found: None }
    }

    pub(super) fn missing(wanted: Option<String>) -> Self {
        Self::new(Kind::Missing { wanted })
    }

    /// That `value` is the one, unless it is known to be one inside it.
    pub(super) fn at(mut self, value: &Value) -> Self {
        let text = describe(value);
        self.found = Some(match self.found.take() {
            Some(found) if !found.is_lost => found,
            Some(given) if given.text != text && is_many(value) => self.inside(value, given.text),
            _ => Found::new(text, ConfigOrigin::of(value)),
        });
        self
    }

    /// That it is the key of `value` that is wrong.
    pub(super) fn at_key(mut self, key: &str, value: &Value) -> Self {
        self.found = Some(Found::new(format!("the key {key:?}"), ConfigOrigin::of(value)));
        self
    }

    /// Goes to the value that was `given`, if there is only one such in `value`.
    fn inside(&mut self, value: &Value, given: String) -> Found {
        let mut places = Vec::new();
        places_of(value, &given, &mut Vec::new(), &mut places);
        if let [(path, origin)] = &mut places[..] {
            self.path.extend(path.drain(..).rev());
            return Found::new(given, origin.take());
        }
        Found::new(format!("{} with {given} in it", describe(value)), None)
    }

    pub(super) fn under(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// The way to the value, from outside.
    pub(super) fn path(&self) -> Vec<Step> {
        self.path.iter().rev().cloned().collect()
    }
}

/// What `wanted` names in Rust's words, in those of the file's author.
pub(super) fn wanted(by: &dyn Expected) -> String {
    let wanted = by.to_string();
    match &*wanted {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
            format!("an integer ({wanted})")
        }
        "f32" | "f64" => format!("a number ({wanted})"),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "any value" => "a value".to_owned(),
        "variant identifier" => "the name of a variant".to_owned(),
        other => match other.split_once(' ') {
            Some(("struct", name)) => format!("a table ({name})"),
            _ => wanted,
        },
    }
}

/// “`a`, `b` or `c`”
pub(super) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing at all".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The longest text that an error repeats, in characters.
const SHOWN: usize = 60;

fn describe(value: &Value) -> String {
    describe_kind(&value.kind)
}

fn describe_kind(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Nil => "nothing".to_owned(),
        ValueKind::Boolean(value) => format!("the boolean {value}"),
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
            format!("the integer {kind}")
        }
        ValueKind::Float(value) => format!("the number {value:?}"),
        ValueKind::String(text) => match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("the string {:?}…", &text[..end]),
            None => format!("the string {text:?}"),
        },
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
    }
}

/// What a type was given, of which nobody has said yet where it stands.
fn lost(given: Unexpected<'_>) -> Option<Found> {
    let kind = match given {
        Unexpected::Bool(value) => ValueKind::Boolean(value),
        Unexpected::Signed(number) => ValueKind::I64(number),
        Unexpected::Unsigned(number) => ValueKind::U64(number),
        Unexpected::Float(number) => ValueKind::Float(number),
        Unexpected::Str(text) => ValueKind::String(text.to_owned()),
        Unexpected::Seq => ValueKind::Array(Vec::new()),
        Unexpected::Map => ValueKind::Table(Table::new()),
        _ => return None,
    };
    Some(Found { text: describe_kind(&kind), origin: None, is_lost: true })
}

/// Whether there are values inside it.
fn is_many(value: &Value) -> bool {
    matches!(value.kind, ValueKind::Table(_) | ValueKind::Array(_))
}

/// The ways to all values in `value` that are as `given`, each with its origin.
fn places_of(value: &Value, given: &str, path: &mut Vec<Step>, places: &mut Vec<(Vec<Step>, Option<ConfigOrigin>)>) {
    let inside: Vec<(Step, &Value)> = match &value.kind {
        ValueKind::Table(table) => table.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        ValueKind::Array(list) => list.iter().enumerate().map(|(index, value)| (Step::Index(index), value)).collect(),
        _ => return,
    };
    for (step, value) in inside {
        path.push(step);
        if describe(value) == given {
            places.push((path.clone(), ConfigOrigin::of(value)));
        }
        places_of(value, given, path, places);
        path.pop();
    }
}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(Kind::Invalid { reason: reason.to_string() })
    }

    fn invalid_type(given: Unexpected<'_>, by: &dyn Expected) -> Self {
        Self { found: lost(given), ..Self::new(Kind::Type { wanted: wanted(by) }) }
    }

    fn invalid_value(given: Unexpected<'_>, by: &dyn Expected) -> Self {
        Self::invalid_type(given, by)
    }

    fn unknown_variant(given: &str, known: &'static [&'static str]) -> Self {
        Self { found: lost(Unexpected::Str(given)), ..Self::new(Kind::Type { wanted: one_of(known) }) }
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown { known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(None).under(Step::Key(field.to_owned()))
    }
}

impl de::StdError for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What untagged enums and the like read of it is thrown away; users see a `ConfigError`.
        write!(f, "{:?}", self.kind)
    }
}
