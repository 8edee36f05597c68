//! The keys of `#[module]` on the struct, as they are written.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{LitInt, LitStr};

use super::flags::{self, Flag};
use super::names::{self, Dependency};
use super::restart::{Restart, Strategy};
use crate::diagnostics::{Errors, list};
use crate::duration;
use crate::entries::{Entry, entries, reject_repeated};
use crate::spelling::nearest;

/// The keys of `#[module]` on a struct.
pub(crate) const KEYS: &[&str] = &[
    "name",
    "version",
    "description",
    "author",
    "license",
    "flags",
    "depends",
    "provides",
    "mailbox",
    "overflow",
    "timeout",
    "restart",
    "max_restarts",
    "within",
    "backoff",
    "strategy",
];

/// The values given, each with its place.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<(u64, u64, u64)>,
    pub(crate) description: Option<LitStr>,
    pub(crate) author: Option<LitStr>,
    pub(crate) license: Option<LitStr>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) depends: Vec<Dependency>,
    /// Each with its place.
    pub(crate) provides: Vec<(String, Span)>,
    pub(crate) mailbox: Option<(usize, Span)>,
    pub(crate) overflow: Option<(Overflow, TokenStream)>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) restart: Restart,
    pub(crate) strategy: Option<Strategy>,
}

/// The names of `dms::Overflow`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Overflow {
    Wait,
    Reject,
    DropOldest,
    DropNewest,
}

/// `"2s"` or `off`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Timeout {
    After(Duration),
    Off,
}

/// A word, quoted or not.
struct Word(String);

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            Ok(Self(input.parse::<LitStr>()?.value()))
        } else {
            Ok(Self(input.parse::<Ident>()?.to_string()))
        }
    }
}

impl Args {
    /// Reads the keys; what is wrong is reported and left out.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut entries = entries(tokens);
        reject_repeated(&mut entries, errors);
        let mut args = Self::default();
        for entry in &entries {
            args.read(entry, errors);
        }
        args
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        match entry.name().as_str() {
            "name" => self.name = entry.value_as("name = \"counter\"", errors),
            "version" => self.version = version(entry, errors),
            "description" => self.description = entry.value_as("description = \"Counts things.\"", errors),
            "author" => self.author = entry.value_as("author = \"Ada Lovelace\"", errors),
            "license" => self.license = entry.value_as("license = \"MIT\"", errors),
            "flags" => self.flags = flags::parse(entry, errors),
            "depends" => self.depends = names::dependencies(entry, errors),
            "provides" => self.provides = names::capabilities(entry, errors),
            "mailbox" => self.mailbox = mailbox(entry, errors),
            "overflow" => self.overflow = overflow(entry, errors).map(|policy| (policy, entry.tokens.clone())),
            "timeout" => self.timeout = timeout(entry, errors),
            "restart" => self.restart.read_policy(entry, errors),
            "max_restarts" => self.restart.read_max_restarts(entry, errors),
            "within" => self.restart.read_within(entry, errors),
            "backoff" => self.restart.read_backoff(entry, errors),
            "strategy" => self.strategy = Strategy::read(entry, errors),
            "visibility" => errors.push(
                &entry.key,
                "`visibility` is about what the impl generates: write `#[module(visibility = \"pub(crate)\")]` above the `impl`",
            ),
            "remote" => errors.push(
                &entry.key,
                "`remote` is about what the module's handlers do: write `#[module(remote)]` above the `impl`",
            ),
            "replaces" => errors.push(
                &entry.key,
                "`replaces` is about what the module's handlers do: write `#[module(replaces = Counter)]` above the `impl`",
            ),
            "" => errors.push(
                &entry.tokens,
                format!("`#[module]` on a struct takes `key = value`, the keys being {}: write, for example, `#[module(name = \"counter\")]`", list(KEYS)),
            ),
            unknown => {
                let advice = match nearest(unknown, KEYS.iter().copied().chain(["optional"])) {
                    Some("optional") => ", it stands in the list of what the module depends on: write `depends(optional(\"metrics\"))`".to_owned(),
                    Some(meant) => format!("; its keys are {}: write `{meant}`", list(KEYS)),
                    None => match flags::nearest_name(unknown) {
                        Some(flag) => format!(", but there is a flag of that name: write `flags({flag})`"),
                        None => format!(": remove it, or write one of {}", list(KEYS)),
                    },
                };
                errors.push(&entry.key, format!("`#[module]` on a struct has no key `{unknown}`{advice}"));
            }
        }
    }
}

fn version(entry: &Entry, errors: &mut Errors) -> Option<(u64, u64, u64)> {
    let literal: LitStr = entry.value_as("version = \"1.2.0\"", errors)?;
    let text = literal.value();
    let version = numbers(&text);
    if version.is_none() {
        let reason = if text.contains(['-', '+']) { ", without pre-release and build parts" } else { "" };
        errors.push(
            literal,
            format!("`{text}` is not a version: write three numbers as in `version = \"1.2.0\"`{reason}"),
        );
    }
    version
}

/// The three numbers of a version.
pub(super) fn numbers(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split('.').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    });
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

fn mailbox(entry: &Entry, errors: &mut Errors) -> Option<(usize, Span)> {
    let literal: LitInt = entry.value_as("mailbox = 64", errors)?;
    let Ok(capacity) = literal.base10_parse() else {
        let message = format!("`{literal}` is not a number of messages: write, for example, `mailbox = 64`");
        errors.at(entry.value_span(), message);
        return None;
    };
    Some((capacity, literal.span()))
}

fn overflow(entry: &Entry, errors: &mut Errors) -> Option<Overflow> {
    let form = "overflow = reject";
    let Word(word) = entry.value_as(form, errors)?;
    Some(match word.as_str() {
        "wait" => Overflow::Wait,
        "reject" => Overflow::Reject,
        "drop_oldest" => Overflow::DropOldest,
        "drop_newest" => Overflow::DropNewest,
        _ => {
            let policies = list(&["wait", "reject", "drop_oldest", "drop_newest"]);
            errors.at(entry.value_span(), format!("`{word}` is no overflow policy: write one of {policies}"));
            return None;
        }
    })
}

fn timeout(entry: &Entry, errors: &mut Errors) -> Option<Timeout> {
    let Word(word) = entry.value_as("timeout = \"2s\"", errors)?;
    if word == "off" {
        return Some(Timeout::Off);
    }
    let found = duration::parse(&word);
    match found {
        Some(after) if after.is_zero() => errors.at(
            entry.value_span(),
            "a timeout of zero would fail every ask: write how long an ask may take, as in `timeout = \"2s\"`, or `timeout = off`",
        ),
        Some(after) => return Some(Timeout::After(after)),
        None => errors.at(entry.value_span(), format!("`{word}` is no duration: write {}, or `timeout = off`", duration::FORMS)),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn every_key_is_read() {
        let mut errors = Errors::default();
        let args = Args::parse(
            quote!(
                name = "counter",
                version = "1.2.0",
                description = "d",
                author = "a",
                license = "MIT",
                flags(ESSENTIAL, user(31)),
                depends("store", optional("metrics", "trace 1"), "cache >= 1.3"),
                provides("count", "metrics.sink"),
                mailbox = 6_4,
                overflow = "drop_oldest",
                timeout = off,
                restart = "always",
                max_restarts = 3,
                within = "1m",
                backoff = "1s .. 1m",
                strategy = escalate
            ),
            &mut errors,
        );
        assert!(errors.is_empty());
        assert_eq!(args.version, Some((1, 2, 0)));
        assert_eq!(args.author.map(|author| author.value()).as_deref(), Some("a"));
        assert_eq!(args.license.map(|license| license.value()).as_deref(), Some("MIT"));
        assert_eq!(args.flags.iter().map(Flag::show).collect::<Vec<_>>(), ["ESSENTIAL", "user(31)"]);
        let depends: Vec<_> =
            args.depends.iter().map(|found| (found.name.as_str(), found.text.as_str(), found.optional)).collect();
        let expected = [
            ("store", "store", false),
            ("metrics", "metrics", true),
            ("trace", "trace 1", true),
            ("cache", "cache >= 1.3", false),
        ];
        assert_eq!(depends, expected);
        assert_eq!(args.provides.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["count", "metrics.sink"]);
        assert_eq!(args.mailbox.map(|(capacity, _)| capacity), Some(64));
        assert_eq!(args.overflow.map(|(policy, _)| policy), Some(Overflow::DropOldest));
        assert_eq!(args.timeout, Some(Timeout::Off));
        assert_eq!(args.strategy, Some(Strategy::Escalate));
        let restart = args.restart.emit(&quote!(dms)).map(|tokens| tokens.to_string()).unwrap_or_default();
        assert!(restart.contains("always ()") && restart.contains("max_restarts (3u32"), "{restart}");
    }

    #[test]
    fn one_mistake_does_not_hide_the_next() {
        let mut errors = Errors::default();
        let args = Args::parse(quote!(name = 5, mailbx = 4, version = "1", overflow = reject), &mut errors);
        assert_eq!(errors.into_tokens().to_string().matches("compile_error").count(), 3);
        assert!(args.overflow.is_some());
    }

    #[test]
    fn a_version_is_three_numbers() {
        assert_eq!(numbers("1.2.3"), Some((1, 2, 3)));
        for text in ["", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.3-rc.1", "1..3", "+1.2.3"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }
}
