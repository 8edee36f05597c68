//! The file: which processes there are, and in which order they start.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::ops::Range;

use dms::process::ProcessConfig;
use serde::Deserialize;
use toml::Spanned;

use crate::end::Chain;

/// What a file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    process: Vec<ProcessConfig>,
}

/// Where it says what may turn out to be wrong.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    process: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    id: Spanned<String>,
    command: Spanned<String>,
    #[serde(default)]
    depends: Vec<Spanned<String>>,
}

/// Everything that is wrong with a file, a line each.
#[derive(Debug)]
pub(crate) struct Mistakes(Vec<String>);

/// The processes of a file, each behind those that it depends on and else in the file's order.
pub(crate) fn read(path: &str) -> Result<Vec<ProcessConfig>, Mistakes> {
    let text = fs::read_to_string(path).map_err(|error| Mistakes(vec![format!("{path}: {error}")]))?;
    plan(path, &text)
}

fn plan(path: &str, text: &str) -> Result<Vec<ProcessConfig>, Mistakes> {
    let at = |span: &Range<usize>| format!("{path}:{}", text[..span.start].matches('\n').count() + 1);
    let unreadable = |error: toml::de::Error| {
        let place = error.span().map_or_else(|| path.to_owned(), |span| at(&span));
        Mistakes(vec![format!("{place}: {}", error.message().trim_end().replace('\n', ": "))])
    };
    let File { process: configs } = toml::from_str(text).map_err(unreadable)?;
    let Places { process: places } = toml::from_str(text).map_err(unreadable)?;
    if configs.is_empty() {
        return Err(Mistakes(vec![format!(
            "{path}: there is no process; write one as `[[process]]`, with an `id` and a `command`"
        )]));
    }

    let mut mistakes = Vec::new();
    let ids: Vec<&str> = places.iter().map(|place| place.id.get_ref().as_str()).collect();
    for (number, (place, config)) in places.iter().zip(&configs).enumerate() {
        let id = ids[number];
        let is_plain = |id: &str| id.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
        if id.is_empty() || !is_plain(id) {
            let at = at(&place.id.span());
            mistakes.push(format!("{at}: {id:?} cannot be an id; write letters, digits, `-`, `_` and `.`"));
        }
        if let Some(first) = ids[..number].iter().position(|other| *other == id) {
            let (at, first) = (at(&place.id.span()), at(&places[first].id.span()));
            mistakes
                .push(format!("{at}: `{id}` is the id of the process at {first} already; give one of them another"));
        }
        for dependency in &place.depends {
            let (at, name) = (at(&dependency.span()), dependency.get_ref());
            if name == id {
                mistakes.push(format!("{at}: `{id}` depends on itself; take that out"));
            } else if !ids.contains(&name.as_str()) {
                let there = ids.join(", ");
                mistakes.push(format!("{at}: `{id}` depends on `{name}`, which is not there; there are: {there}"));
            }
        }
        if let Err(error) = config.check() {
            mistakes.push(format!("{}: {}", at(&place.command.span()), Chain(&error)));
        }
    }
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let depends: Vec<Vec<&str>> =
        places.iter().map(|place| place.depends.iter().map(|on| on.get_ref().as_str()).collect()).collect();
    match order(&ids, &depends) {
        Ok(order) => {
            let mut configs: Vec<_> = configs.into_iter().map(Some).collect();
            Ok(order.into_iter().filter_map(|number| configs[number].take()).collect())
        }
        Err(circle) => {
            let at = at(&places[circle[0]].id.span());
            let names: Vec<_> = circle.iter().chain(&circle[..1]).map(|number| format!("`{}`", ids[*number])).collect();
            let names = names.join(" depends on ");
            Err(Mistakes(vec![format!(
                "{at}: none of these can start first: {names}; take one of the dependencies out"
            )]))
        }
    }
}

/// The order in which they start; where there is none, a circle of those that depend on each other.
fn order(ids: &[&str], depends: &[Vec<&str>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order: Vec<usize> = Vec::with_capacity(ids.len());
    let waits_for = |number: usize, order: &[usize]| {
        depends[number].iter().filter_map(|on| ids.iter().position(|id| id == on)).find(|on| !order.contains(on))
    };
    while order.len() < ids.len() {
        let next = (0..ids.len()).find(|number| !order.contains(number) && waits_for(*number, &order).is_none());
        if let Some(next) = next {
            order.push(next);
            continue;
        }
        // Each that is left waits for another one that is: whoever follows them comes round.
        let mut path: Vec<usize> = (0..ids.len()).filter(|number| !order.contains(number)).take(1).collect();
        while let Some(on) = path.last().and_then(|last| waits_for(*last, &order)) {
            if let Some(begin) = path.iter().position(|number| *number == on) {
                return Err(path.split_off(begin));
            }
            path.push(on);
        }
    }
    Ok(order)
}

impl Display for Mistakes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(text: &str) -> Vec<String> {
        plan("a.toml", text).unwrap().iter().map(|config| config.id().to_string()).collect()
    }

    fn mistakes(text: &str) -> String {
        plan("a.toml", text).unwrap_err().to_string()
    }

    fn processes(all: &[(&str, &[&str])]) -> String {
        let one = |(id, depends): &(&str, &[&str])| {
            format!("[[process]]\nid = \"{id}\"\ncommand = \"sh\"\ndepends = {depends:?}\n")
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_process_starts_behind_what_it_depends_on_and_else_in_the_order_of_the_file() {
        let file =
            processes(&[("web", &["db", "cache"]), ("job", &["web"]), ("db", &[]), ("cache", &["db"]), ("log", &[])]);
        assert_eq!(starts(&file), ["db", "cache", "web", "job", "log"]);
        assert_eq!(starts(&processes(&[("b", &[]), ("a", &[])])), ["b", "a"]);
    }

    #[test]
    fn a_circle_is_told_whole_and_without_those_that_only_lead_to_it() {
        let file = processes(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"]), ("e", &[])]);
        assert_eq!(
            mistakes(&file),
            "a.toml:6: none of these can start first: `b` depends on `c` depends on `d` depends on `b`; \
             take one of the dependencies out"
        );
        assert_eq!(mistakes(&processes(&[("a", &["a"])])), "a.toml:4: `a` depends on itself; take that out");
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_line() {
        let file = processes(&[("a", &["x"]), ("a", &[]), ("b c", &[])]);
        assert_eq!(
            mistakes(&file),
            "a.toml:4: `a` depends on `x`, which is not there; there are: a, a, b c\n\
             a.toml:6: `a` is the id of the process at a.toml:2 already; give one of them another\n\
             a.toml:10: \"b c\" cannot be an id; write letters, digits, `-`, `_` and `.`"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let one = |line: &str| mistakes(&format!("[[process]]\nid = \"a\"\ncommand = \"sh\"\n{line}\n"));
        for (line, told) in [
            ("comand = \"sh\"", "a.toml:4: unknown field `comand`, expected one of `id`, `command`"),
            ("grace = \"soon\"", "a.toml:4: "),
            ("restart = \"often\"", "a.toml:4: "),
            ("limits = { memory = \"64 megs\" }", "a.toml:4: "),
            ("args = 3", "a.toml:4: invalid type: integer `3`, expected a sequence"),
            ("id = \"b\"", "a.toml:4: duplicate key"),
            ("[other]", "a.toml:4: unknown field `other`, expected `process`"),
        ] {
            assert!(one(line).starts_with(told), "{}", one(line));
        }
        assert_eq!(mistakes("[[process]]\ncommand = \"sh\"\n"), "a.toml:1: missing field `id`");
        assert_eq!(
            mistakes(""),
            "a.toml: there is no process; write one as `[[process]]`, with an `id` and a `command`"
        );
    }
}
