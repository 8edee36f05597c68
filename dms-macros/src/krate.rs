//! The name that the crate `dms` goes by where a macro is used: a Cargo.toml may rename it.
//!
//! The manifest is scanned by hand for the one fact that is needed; a TOML parser would cost every user its build time.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

const PACKAGE: &str = "dms";

/// The absolute path of the runtime crate, as `::dms`.
pub(crate) fn path() -> TokenStream {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| PathBuf::from(folder).join("Cargo.toml"));
    let name = manifest.and_then(|manifest| cached(&manifest)).unwrap_or_else(|| PACKAGE.to_owned());
    let name = syn::parse_str(&name).unwrap_or_else(|_| Ident::new(PACKAGE, Span::call_site()));
    quote!(::#name)
}

/// For each manifest, when it was last changed and what was found in it.
type Names = HashMap<PathBuf, (SystemTime, Option<String>)>;

/// The name found in a manifest, kept while the file stays the same: a language server runs for days.
fn cached(manifest: &Path) -> Option<String> {
    static FOUND: LazyLock<Mutex<Names>> = LazyLock::new(Mutex::default);
    let modified = fs::metadata(manifest).and_then(|file| file.modified()).ok()?;
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, name)) = found.get(manifest)
        && *at == modified
    {
        return name.clone();
    }
    let name = find(manifest);
    found.insert(manifest.to_owned(), (modified, name.clone()));
    name
}

fn find(manifest: &Path) -> Option<String> {
    let text = fs::read_to_string(manifest).ok()?;
    let name = dependency(&text, |key| workspace_package(manifest, &text, key))?;
    Some(name.replace('-', "_"))
}

/// The key of the dependency whose package is `dms`; the plain key `dms` is preferred.
fn dependency(manifest: &str, inherited: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut packages = dependencies(manifest, |table| {
        table
            .last()
            .is_some_and(|name| matches!(name.as_str(), "dependencies" | "dev-dependencies" | "build-dependencies"))
            && table.first().is_none_or(|name| name != "workspace")
    });
    packages.sort_by_key(|entry| entry.key != PACKAGE);
    let is_ours = |entry: &Dependency| {
        let package = entry.package.clone().or_else(|| entry.inherited.then(|| inherited(&entry.key)).flatten());
        package.as_deref().unwrap_or(&entry.key) == PACKAGE
    };
    packages.into_iter().find(is_ours).map(|entry| entry.key)
}

/// What package the workspace means by a dependency's key.
fn workspace_package(manifest: &Path, text: &str, key: &str) -> Option<String> {
    let folder = manifest.parent()?;
    let stated = statements(text)
        .into_iter()
        .find(|statement| statement.path == ["package", "workspace"])
        .and_then(|statement| string(&statement.value));
    let root = match stated {
        Some(root) => fs::read_to_string(folder.join(root).join("Cargo.toml")).ok()?,
        None => folder.ancestors().find_map(|folder| {
            let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            statements(&text)
                .iter()
                .any(|statement| statement.path.first().is_some_and(|name| name == "workspace"))
                .then_some(text)
        })?,
    };
    let packages = dependencies(&root, |table| table == ["workspace", "dependencies"]);
    packages.into_iter().find(|entry| entry.key == key).map(|entry| entry.package.unwrap_or(entry.key))
}

/// A dependency as a manifest states it.
#[derive(Debug, Default, PartialEq)]
struct Dependency {
    key: String,
    package: Option<String>,
    inherited: bool,
}

/// The dependencies in the tables that `is_table` accepts, each form of them gathered: `a = "1"`, `a = { package = "b" }`,
/// `a.package = "b"`, `[dependencies.a]`.
fn dependencies(manifest: &str, is_table: impl Fn(&[String]) -> bool) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for Statement { path, value } in statements(manifest) {
        let Some(at) = (1..path.len()).find(|&at| is_table(&path[..at])) else { continue };
        let key = &path[at];
        let place = found.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            found.push(Dependency { key: key.clone(), ..Dependency::default() });
            found.len() - 1
        });
        match path[at + 1..].iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["package"] => found[place].package = string(&value),
            ["workspace"] => found[place].inherited = value == "true",
            _ => {}
        }
    }
    found
}

/// `path = value`, with the path written out from the root of the document.
#[derive(Debug, PartialEq)]
struct Statement {
    path: Vec<String>,
    value: String,
}

/// All statements of a document; inline tables are taken apart, an empty table is a statement without a value.
fn statements(document: &str) -> Vec<Statement> {
    let mut table = Vec::new();
    let mut found = Vec::new();
    for line in split(document, '\n') {
        if let Some(header) = line.strip_prefix('[') {
            table = key_path(header.trim_start_matches('[').trim_end_matches(']'));
            found.push(Statement { path: table.clone(), value: String::new() });
        } else {
            assignments(&table, &line, &mut found);
        }
    }
    found
}

fn assignments(table: &[String], assignment: &str, found: &mut Vec<Statement>) {
    let parts = split(assignment, '=');
    let [key, ..] = &parts[..] else { return };
    let value = parts[1..].join("=");
    let path: Vec<_> = table.iter().cloned().chain(key_path(key)).collect();
    match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
        Some(inline) => {
            for assignment in split(inline, ',') {
                assignments(&path, &assignment, found);
            }
        }
        None => found.push(Statement { path, value }),
    }
}

fn key_path(key: &str) -> Vec<String> {
    split(key, '.').iter().map(|part| string(part).unwrap_or_else(|| part.clone())).collect()
}

/// The text between quotes.
fn string(value: &str) -> Option<String> {
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(value.trim_matches(quote).to_owned())
}

/// Splits outside of strings and brackets, trims, and drops comments and what is empty.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => string_length(rest, first),
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            _ => first.len_utf8(),
        };
        match first {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if first == separator && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// How long the string at the start of the text is, its quotes included.
fn string_length(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let fence = if text.starts_with(&triple) { triple } else { quote.to_string() };
    let mut at = fence.len();
    while at < text.len() {
        if text[at..].starts_with(&fence) {
            return at + fence.len();
        }
        let mut rest = text[at..].chars();
        let escapes = quote == '"' && rest.next() == Some('\\');
        let step = if escapes {
            1 + rest.next().map_or(0, char::len_utf8)
        } else {
            text[at..].chars().next().map_or(1, char::len_utf8)
        };
        at += step;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in(manifest: &str) -> Option<String> {
        dependency(manifest, |key| (key == "inherited-actors").then(|| PACKAGE.to_owned()))
    }

    #[test]
    fn the_plain_dependency_keeps_its_name() {
        assert_eq!(name_in("[dependencies]\ndms = \"0.1\"").as_deref(), Some("dms"));
        assert_eq!(name_in("[dev-dependencies.dms]\npath = \"../dms\"").as_deref(), Some("dms"));
        assert_eq!(name_in("[dependencies]\ntokio = \"1\""), None);
    }

    #[test]
    fn every_form_of_a_rename_is_found() {
        let forms = [
            "[dependencies]\nactors = { package = \"dms\", version = \"0.1\" }",
            "[dependencies]\nactors = { version = \"0.1\", features = [\n  \"wire\", # one\n  \"nats\",\n], package = 'dms' }",
            "[dependencies.actors]\nversion = \"0.1\"\npackage = \"dms\"",
            "[dependencies]\nactors.package = \"dms\"\nactors.version = \"0.1\"",
            "dependencies.actors.package = \"dms\"",
            "dependencies = { actors = { package = \"dms\" } }",
            "[target.'cfg(unix)'.dependencies]\nactors = { package = \"dms\" }",
            "[target.\"cfg(target_os = \\\"linux\\\")\".dev-dependencies.actors]\npackage = \"dms\"",
            "[ build-dependencies ]\n\"actors\" = { \"package\" = \"dms\" } # the name we use",
        ];
        for manifest in forms {
            assert_eq!(name_in(manifest).as_deref(), Some("actors"), "{manifest}");
        }
    }

    #[test]
    fn a_rename_in_the_workspace_is_inherited() {
        let forms = [
            "[dependencies]\ninherited-actors = { workspace = true }",
            "[dependencies]\ninherited-actors.workspace = true",
            "[dependencies.inherited-actors]\nworkspace = true",
        ];
        for manifest in forms {
            assert_eq!(name_in(manifest).as_deref(), Some("inherited-actors"), "{manifest}");
        }
        assert_eq!(name_in("[workspace.dependencies]\nactors = { package = \"dms\" }"), None);
    }

    #[test]
    fn another_package_called_dms_is_not_ours() {
        let manifest = "[dependencies]\ndms = { package = \"other\" }\nactors = { package = \"dms\" }";
        assert_eq!(name_in(manifest).as_deref(), Some("actors"));
    }

    #[test]
    fn comments_and_strings_do_not_mislead() {
        let manifest = concat!(
            "[package]\ndescription = \"\"\"\n[dependencies]\nwrong = { package = \"dms\" }\n\"\"\"\n",
            "# [dependencies]\n# actors = { package = \"dms\" }\n",
            "[dependencies]\nother = { version = \"1\", path = \"a#b\" }\n",
        );
        assert_eq!(name_in(manifest), None);
    }

    #[test]
    fn the_workspace_root_is_found_above_and_where_the_package_says() {
        let folder = std::env::temp_dir().join(format!("dms-macros-krate-{}", std::process::id()));
        // Another process of this number may have left it.
        let _ = fs::remove_dir_all(&folder);
        let member = folder.join("members/one");
        fs::create_dir_all(&member).expect("a folder in the temporary one");
        let root = "[workspace]\nmembers = [\"members/*\"]\n[workspace.dependencies]\nmy-actors = { package = \"dms\", version = \"0.1\" }\n";
        fs::write(folder.join("Cargo.toml"), root).expect("the root's manifest");
        let manifest = member.join("Cargo.toml");
        for package in ["[package]\nname = \"one\"\n", "[package]\nname = \"one\"\nworkspace = \"../..\"\n"] {
            fs::write(&manifest, format!("{package}[dependencies]\nmy-actors.workspace = true\n")).expect("a manifest");
            assert_eq!(find(&manifest).as_deref(), Some("my_actors"), "{package}");
        }
        fs::remove_dir_all(folder).expect("the folder is removed");
    }
}
