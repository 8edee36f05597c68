//! The tree of values: finding in it, comparing it.

use ::config::{Map, Value, ValueKind};

pub(super) type Table = Map<String, Value>;

pub(super) fn table(value: &Value) -> Option<&Table> {
    if let ValueKind::Table(table) = &value.kind { Some(table) } else { None }
}

/// The value at `path`: names with dots between them.
pub(super) fn find<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |value, name| {
        let table = table(value)?;
        table.get(own_name(table, name)?)
    })
}

/// How `table` itself writes `name`: as it is, else in another case or with `-` for `_`, as only a variable makes necessary.
pub(super) fn own_name<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    if let Some((name, _)) = table.get_key_value(name) {
        return Some(name);
    }
    table.keys().map(String::as_str).filter(|own| is_alike(own, name)).min()
}

/// Whether two names are the same but for case and `-` for `_`.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    one.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Whether two values are the same, wherever they stand.
pub(super) fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none() && other.is_none() };
    match (&one.kind, &other.kind) {
        (ValueKind::Table(one), ValueKind::Table(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| is_same(Some(value), other.get(key)))
        }
        (ValueKind::Array(one), ValueKind::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(Some(one), Some(other)))
        }
        // A NaN is what it was.
        (ValueKind::Float(one), ValueKind::Float(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}
