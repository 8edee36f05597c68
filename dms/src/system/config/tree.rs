//! The tree of values: finding in it, comparing it.

use ::config::{Map, Value, ValueKind};

/// How many names a key may have. A tree is gone through by calls inside each other, so it must not be as deep as a text can be long.
pub(super) const DEPTH: usize = 128;

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

/// The keys whose values differ between two states of a section, sorted; `None` where the section is the same. One that is nowhere is an empty one.
pub(super) fn changes(old: Option<&Value>, new: Option<&Value>) -> Option<Vec<String>> {
    let empty = Table::new();
    let mut keys = Vec::new();
    differences(old.and_then(table).unwrap_or(&empty), new.and_then(table).unwrap_or(&empty), "", &mut keys);
    keys.sort_unstable();
    // A section may be a single value, by mistake or where the program reads it as one.
    let (old, new) = (old.filter(|value| table(value).is_none()), new.filter(|value| table(value).is_none()));
    let is_changed = !keys.is_empty() || !is_same(old, new);
    is_changed.then_some(keys)
}

/// Adds the paths of the values that differ: of tables the innermost.
fn differences(old: &Table, new: &Table, path: &str, keys: &mut Vec<String>) {
    let empty = Table::new();
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        let (old, new) = (old.get(name), new.get(name));
        if is_same(old, new) {
            continue;
        }
        let path = format!("{path}{name}");
        // A table that comes or goes is one with values that come or go, unless it has none.
        match (old.map_or(Some(&empty), table), new.map_or(Some(&empty), table)) {
            (Some(old), Some(new)) if old.len() + new.len() > 0 => differences(old, new, &format!("{path}."), keys),
            _ => keys.push(path),
        }
    }
}

/// Whether two values are the same, wherever they stand.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    /// The changes of the section `s` between two texts.
    fn between(old: &str, new: &str) -> Option<Vec<String>> {
        let [old, new] = [old, new].map(|text| Config::builder().defaults(text).build().unwrap());
        changes(find(&old.inner.tree, "s"), find(&new.inner.tree, "s"))
    }

    #[test]
    fn the_changes_of_a_section_are_the_innermost_keys_that_differ() {
        for (old, new, keys) in [
            ("s.a = 1\ns.b = [1, {x = nan}]", "[s]\nb = [1, {x = nan}]\na = 1", None),
            ("", "[s]", None),
            ("s.a = 1\ns.b = 1\ns.c = 1", "s.a = 1\ns.b = 2\ns.d = 1", Some(&["b", "c", "d"][..])),
            ("s.a = 1", "s.a = 1.0", Some(&["a"])),
            ("s.a = [1, 2]", "s.a = [2, 1]", Some(&["a"])),
            ("s.a.b.c = 1\ns.a.b.d = 1", "s.a.b.c = 2\ns.a.b.d = 1", Some(&["a.b.c"])),
            ("", "s.a.b = 1\ns.a.c = 1", Some(&["a.b", "a.c"])),
            ("[s]", "s.a.b = {}", Some(&["a.b"])),
            ("s.a = {}", "s.a.b = 1", Some(&["a.b"])),
            ("s.a.b = 1", "s.a = {}", Some(&["a.b"])),
            ("s.a = {}", "", Some(&["a"])),
            ("s.a = 1", "s.a.b = 1", Some(&["a"])),
            ("s = 1", "s = 2", Some(&[])),
            ("s = 1", "s.a = 1", Some(&["a"])),
            ("s = 1", "", Some(&[])),
            ("s = 1", "s = 1", None),
        ] {
            let keys = keys.map(|keys| keys.iter().map(ToString::to_string).collect());
            assert_eq!(between(old, new), keys, "from {old:?} to {new:?}");
        }
    }
}
