//! What goes wrong while a value becomes a type: with the path to it, innermost name first, and what is there.

use std::fmt;

use ::config::{Value, ValueKind};
use serde::de::{self, Expected, Unexpected};

use super::origin::ConfigOrigin;

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
        self.found.get_or_insert_with(|| Found { text: describe(value), origin: ConfigOrigin::of(value) });
        self
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
    match &value.kind {
        ValueKind::Nil => "nothing".to_owned(),
        ValueKind::Boolean(value) => format!("the boolean {value}"),
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
            format!("the integer {value}")
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

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(Kind::Invalid { reason: reason.to_string() })
    }

    fn invalid_type(_: Unexpected<'_>, by: &dyn Expected) -> Self {
        Self::new(Kind::Type { wanted: wanted(by) })
    }

    fn invalid_value(_: Unexpected<'_>, by: &dyn Expected) -> Self {
        Self::new(Kind::Type { wanted: wanted(by) })
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Type { wanted: one_of(known) })
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
