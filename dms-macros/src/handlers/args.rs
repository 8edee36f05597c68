//! The attributes of an impl and of its methods, as they are written.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, LitInt, LitStr, Meta, Path, Type, TypePath, Visibility};

use crate::diagnostics::{Errors, show};
use crate::duration;
use crate::entries::{Entry, Value, entries, reject_repeated};
use crate::module::KEYS;

/// What an attribute makes of a method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Handler,
    Tick,
    Event,
    Init,
    Start,
    Run,
    Stop,
    Health,
    Request,
    Snapshot,
    Restore,
}

impl Role {
    const ALL: [Self; 11] = [
        Self::Handler,
        Self::Tick,
        Self::Event,
        Self::Init,
        Self::Start,
        Self::Run,
        Self::Stop,
        Self::Health,
        Self::Request,
        Self::Snapshot,
        Self::Restore,
    ];

    /// The name of the attribute.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Tick => "tick",
            Self::Event => "event",
            Self::Init => "init",
            Self::Start => "start",
            Self::Run => "run",
            Self::Stop => "stop",
            Self::Health => "health",
            Self::Request => "request",
            Self::Snapshot => "snapshot",
            Self::Restore => "restore",
        }
    }

    /// What an attribute means to us: `#[handler]`, `#[dms::handler]` or, where the crate is renamed, `#[actors::handler]`.
    pub(crate) fn of(attr: &Attribute, krate: &TokenStream) -> Option<Self> {
        let path = attr.path();
        let name = &path.segments.last()?.ident;
        let is_ours = match path.segments.len() {
            1 => true,
            2 => {
                let first = &path.segments.first()?.ident;
                first == "dms" || krate.clone().into_iter().any(|token| *first == token.to_string())
            }
            _ => false,
        };
        Self::ALL.into_iter().find(|role| is_ours && name == role.name())
    }

    /// The role that a `cfg_attr` would give.
    pub(crate) fn in_cfg_attr(attr: &Attribute) -> Option<Self> {
        let Meta::List(list) = &attr.meta else { return None };
        if !list.path.is_ident("cfg_attr") {
            return None;
        }
        let names = entries(list.tokens.clone());
        Self::ALL.into_iter().find(|role| names.iter().skip(1).any(|entry| entry.name() == role.name()))
    }
}

/// `#[module(visibility = "pub(crate)", remote)]`.
#[derive(Debug, Default)]
pub(crate) struct ImplArgs {
    /// With the literal, for errors.
    pub(crate) visibility: Option<(Visibility, LitStr)>,
    /// Where it says that all handlers are reached by name.
    pub(crate) remote: Option<Span>,
    /// The module whose messages it handles, instead of having some of its own.
    pub(crate) replaces: Option<Path>,
    /// Whether it says so in a way that cannot be read.
    pub(crate) replaces_something: bool,
}

impl ImplArgs {
    /// Reads the keys; what is wrong is reported and left out.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut entries = entries(tokens);
        reject_repeated(&mut entries, errors);
        let mut args = Self::default();
        for entry in &entries {
            match entry.name().as_str() {
                "visibility" => args.visibility = visibility(entry, errors),
                "replaces" => {
                    args.replaces = replaces(entry, errors);
                    args.replaces_something = args.replaces.is_none();
                }
                "remote" if matches!(entry.value, Value::None) => args.remote = Some(entry.tokens.span()),
                "remote" => {
                    errors.push(&entry.tokens, "`remote` takes no value: write `#[module(remote)]`");
                    args.remote = Some(entry.tokens.span());
                }
                key if KEYS.contains(&key) => errors.push(
                    &entry.tokens,
                    format!("`{key}` is about what the module is: write it in the `#[module(..)]` above the struct"),
                ),
                key => errors.push(
                    &entry.tokens,
                    format!(
                        "`#[module]` on an impl has no key `{}`: remove it, or write `visibility = \"pub(crate)\"`, `remote` or `replaces = Counter`",
                        if key.is_empty() { show(&entry.tokens) } else { key.to_owned() }
                    ),
                ),
            }
        }
        args
    }
}

fn replaces(entry: &Entry, errors: &mut Errors) -> Option<Path> {
    let ty: Type = entry.value_as("replaces = Counter", errors)?;
    match ty {
        Type::Path(TypePath { qself: None, path, .. }) => Some(path),
        ty => {
            errors.push(
                &ty,
                format!("`{}` cannot be replaced: write the type of a module, as in `replaces = Counter`", show(&ty)),
            );
            None
        }
    }
}

fn visibility(entry: &Entry, errors: &mut Errors) -> Option<(Visibility, LitStr)> {
    let literal: LitStr = entry.value_as("visibility = \"pub(crate)\"", errors)?;
    if literal.value().trim().is_empty() {
        return Some((Visibility::Inherited, literal));
    }
    let Ok(visibility) = literal.parse() else {
        let given = literal.value();
        errors.push(
            &literal,
            format!("`{given}` is no visibility: write `pub`, `pub(crate)`, `pub(super)`, or `\"\"` for private"),
        );
        return None;
    };
    Some((visibility, literal))
}

/// `#[handler]`, `#[handler(Scale)]`, `#[handler(Scale, derive(Clone), boxed, inline)]`.
#[derive(Debug, Default)]
pub(crate) struct HandlerArgs {
    /// The message to generate from the arguments.
    pub(crate) name: Option<Ident>,
    /// What the generated message derives.
    pub(crate) derive: Option<TokenStream>,
    /// Whether the message is boxed in the enum.
    pub(crate) boxed: bool,
    /// Where it says that an asker may run the handler itself.
    pub(crate) inline: Option<Span>,
    /// Where it says that the handler is reached by name.
    pub(crate) remote: Option<Span>,
    /// Where it says that the handler is not reached by name, though its module's are.
    pub(crate) local: Option<Span>,
    pub(crate) deadline: Option<Limit>,
    pub(crate) retry: Option<Retry>,
}

/// How often a message is handled again, and where that is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retry {
    pub(crate) times: u32,
    pub(crate) span: Span,
}

/// How long a method may run, and where that is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) after: Duration,
    pub(crate) span: Span,
}

impl HandlerArgs {
    /// Reads the attribute of the method `handler`; what is wrong is reported, and taken for what it means if that is clear.
    pub(crate) fn parse(attr: &Attribute, handler: &str, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut entries = match &attr.meta {
            Meta::Path(_) => return args,
            Meta::List(list) => entries(list.tokens.clone()),
            Meta::NameValue(pair) => {
                let name = meant_name(&pair.value.to_token_stream()).unwrap_or_else(|| generated_name(handler));
                errors.push(
                    &pair.value,
                    format!("handler `{handler}`: the name stands in parentheses: write `#[handler({name})]`"),
                );
                args.name = Some(name);
                return args;
            }
        };
        reject_repeated(&mut entries, errors);
        let mut derive = None;
        for entry in &entries {
            match (entry.name().as_str(), &entry.value) {
                ("boxed", Value::None) => args.boxed = true,
                ("boxed", _) => errors.push(
                    &entry.tokens,
                    format!("handler `{handler}`: `boxed` takes no value: write `#[handler(boxed)]`"),
                ),
                ("inline", Value::None) => args.inline = Some(entry.tokens.span()),
                ("inline", _) => errors.push(
                    &entry.tokens,
                    format!("handler `{handler}`: `inline` takes no value: write `#[handler(inline)]`"),
                ),
                ("remote", Value::None) => args.remote = Some(entry.tokens.span()),
                ("local", Value::None) => args.local = Some(entry.tokens.span()),
                (key @ ("remote" | "local"), _) => errors.push(
                    &entry.tokens,
                    format!("handler `{handler}`: `{key}` takes no value: write `#[handler({key})]`"),
                ),
                ("retry", _) => args.retry = retry(entry, handler, errors),
                ("deadline", _) => args.deadline = deadline(entry, &format!("handler `{handler}`"), errors),
                ("derive", Value::List(list)) => derive = Some((list.stream(), entry)),
                ("derive", _) => errors.push(
                    &entry.tokens,
                    format!("handler `{handler}`: `derive` takes a list: write `derive(Clone, Debug)`"),
                ),
                _ => args.read_name(entry, handler, errors),
            }
        }
        match derive {
            Some((list, _)) if args.name.is_some() => args.derive = Some(list),
            Some((_, entry)) => errors.push(
                &entry.tokens,
                format!(
                    "handler `{handler}`: `derive` is for a generated message: name it as in `#[handler({}, {})]`, or write the `derive` on your own type",
                    generated_name(handler),
                    show(&entry.tokens)
                ),
            ),
            None => {}
        }
        if let (Some(_), Some(local)) = (args.remote, args.local) {
            errors.at(local, format!("handler `{handler}` is `remote` and `local`: keep one of them"));
        }
        args
    }

    fn read_name(&mut self, entry: &Entry, handler: &str, errors: &mut Errors) {
        let written = show(&entry.tokens);
        match (&self.name, meant_name(&entry.tokens)) {
            (Some(first), Some(second)) if is_type_name(&written) => errors.push(
                &entry.tokens,
                format!("handler `{handler}` has two names for its message, `{first}` and `{second}`: keep one of them"),
            ),
            (None, Some(name)) => {
                if !is_type_name(&written) || !matches!(entry.value, Value::None) {
                    errors.push(
                        &entry.tokens,
                        format!("handler `{handler}`: `{written}` is not the name of a message to generate: write `#[handler({name})]`"),
                    );
                }
                self.name = Some(name);
            }
            _ => errors.push(
                &entry.tokens,
                format!(
                    "handler `{handler}`: `{written}` is not understood: write `#[handler]`, or `#[handler({})]` to generate the message, \
                     with `derive(..)`, `boxed`, `inline`, `remote`, `deadline = \"2s\"` or `retry = 3` after it",
                    generated_name(handler)
                ),
            ),
        }
    }
}

/// The name that these tokens are meant to be: `Get`, `get`, `"Get"` and `Get<T>` are all `Get`.
fn meant_name(tokens: &TokenStream) -> Option<Ident> {
    let mut tokens = tokens.clone().into_iter();
    let first = tokens.next()?;
    let span = first.span();
    let is_other_key = tokens.next().is_some_and(|token| token.to_string() == "=");
    let word = match first {
        TokenTree::Ident(ident) if is_type_name(&ident.to_string()) => return Some(ident),
        TokenTree::Ident(ident) => ident.to_string(),
        TokenTree::Literal(literal) => syn::parse2::<LitStr>(literal.to_token_stream()).ok()?.value(),
        _ => return None,
    };
    let name: Ident = syn::parse_str(&camel(&word)).ok()?;
    (!is_other_key).then(|| Ident::new(&name.to_string(), span))
}

/// The name to propose for a handler's message.
fn generated_name(handler: &str) -> Ident {
    Ident::new(&camel(handler), Span::call_site())
}

fn is_type_name(name: &str) -> bool {
    name.trim_start_matches("r#").trim_start_matches('_').starts_with(char::is_uppercase)
}

/// Reads `retry = 3`.
fn retry(entry: &Entry, handler: &str, errors: &mut Errors) -> Option<Retry> {
    let number: LitInt = entry.value_as("retry = 3", errors)?;
    match number.base10_parse::<u32>() {
        Ok(0) => errors.push(
            &number,
            format!("handler `{handler}` would not be tried again: remove `retry`, or write how often, as in `retry = 3`"),
        ),
        Ok(times) if number.suffix().is_empty() => {
            return Some(Retry { times, span: entry.key.as_ref().map_or_else(Span::call_site, Ident::span) });
        }
        _ => errors.push(
            &number,
            format!("handler `{handler}`: `{number}` is not how often it is tried again: write a plain number, as in `retry = 3`"),
        ),
    }
    None
}

/// Reads `deadline = "2s"`.
fn deadline(entry: &Entry, subject: &str, errors: &mut Errors) -> Option<Limit> {
    let literal: LitStr = entry.value_as("deadline = \"2s\"", errors)?;
    match duration::parse(&literal.value()) {
        Some(after) if after.is_zero() => errors.push(
            &literal,
            format!("{subject} would have no time at all: write a deadline above zero, for example `\"2s\"`"),
        ),
        Some(after) => return Some(Limit { after, span: entry.tokens.span() }),
        None => {
            errors
                .push(&literal, format!("{subject}: `{}` is no duration: write {}", literal.value(), duration::FORMS));
        }
    }
    None
}

/// Reads `#[request]` or `#[request(deadline = "2s")]` on the method `request`.
pub(crate) fn of_request(attr: &Attribute, request: &str, errors: &mut Errors) -> Option<Limit> {
    let mut entries = match &attr.meta {
        Meta::Path(_) => return None,
        Meta::List(list) => entries(list.tokens.clone()),
        Meta::NameValue(pair) => {
            errors.push(
                &pair.value,
                format!("request method `{request}`: `#[request]` has no value: write `#[request]`"),
            );
            return None;
        }
    };
    reject_repeated(&mut entries, errors);
    let mut limit = None;
    for entry in &entries {
        if entry.name() == "deadline" {
            limit = deadline(entry, &format!("request method `{request}`"), errors);
        } else {
            let tokens = show(&entry.tokens);
            errors.push(
                &entry.tokens,
                format!("request method `{request}`: `{tokens}` is not understood, the only key is `deadline`: write `#[request]`, or `#[request(deadline = \"2s\")]`"),
            );
        }
    }
    limit
}

/// Reads `#[tick(every = "30s")]` on the method `tick`: how often it comes, and how long it may run.
pub(crate) fn of_tick(attr: &Attribute, tick: &str, errors: &mut Errors) -> (Option<Duration>, Option<Limit>) {
    let form = "#[tick(every = \"30s\")]";
    let Meta::List(list) = &attr.meta else {
        errors.push(&attr.meta, format!("tick `{tick}` does not say how often it comes: write `{form}`"));
        return (None, None);
    };
    let mut entries = entries(list.tokens.clone());
    reject_repeated(&mut entries, errors);
    let mut limit = None;
    for other in entries.iter().filter(|entry| entry.name() != "every") {
        if other.name() == "deadline" {
            limit = deadline(other, &format!("tick `{tick}`"), errors);
            continue;
        }
        let tokens = show(&other.tokens);
        errors.push(
            &other.tokens,
            format!("tick `{tick}`: `{tokens}` is not understood: write `{form}`, with `deadline = \"2s\"` after it if need be"),
        );
    }
    (every(attr, tick, &entries, errors), limit)
}

/// How often a tick comes.
fn every(attr: &Attribute, tick: &str, entries: &[Entry], errors: &mut Errors) -> Option<Duration> {
    let form = "#[tick(every = \"30s\")]";
    let Some(entry) = entries.iter().find(|entry| entry.name() == "every") else {
        if entries.iter().all(|entry| entry.name() == "deadline") {
            errors.push(&attr.meta, format!("tick `{tick}` does not say how often it comes: write `{form}`"));
        }
        return None;
    };
    let literal: LitStr = entry.value_as("every = \"30s\"", errors)?;
    match duration::parse(&literal.value()) {
        Some(every) if every.is_zero() => {
            errors.push(
                &literal,
                format!("tick `{tick}` would come without pause: write an interval above zero, for example `\"1s\"`"),
            );
            None
        }
        Some(every) => Some(every),
        None => {
            errors.push(
                &literal,
                format!("tick `{tick}`: `{}` is no duration: write {}", literal.value(), duration::FORMS),
            );
            None
        }
    }
}

/// `#[event]`, `#[event(custom = "name", buffer = 64)]`.
#[derive(Debug, Default)]
pub(crate) struct EventArgs {
    /// The name of the custom events to take.
    pub(crate) custom: Option<LitStr>,
    /// How many events may wait.
    pub(crate) buffer: Option<LitInt>,
    pub(crate) deadline: Option<Limit>,
}

impl EventArgs {
    /// Reads the attribute of the method `event`; what is wrong is reported and left out.
    pub(crate) fn parse(attr: &Attribute, event: &str, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut entries = match &attr.meta {
            Meta::Path(_) => return args,
            Meta::List(list) => entries(list.tokens.clone()),
            Meta::NameValue(pair) => {
                let form = "write `#[event]`, and take the event as in `event: &MemoryPressure`";
                errors.push(&pair.value, format!("event handler `{event}`: the event is its argument's type: {form}"));
                return args;
            }
        };
        reject_repeated(&mut entries, errors);
        for entry in &entries {
            match entry.name().as_str() {
                "custom" => args.custom = Some(custom(entry, event, errors)),
                "buffer" => args.buffer = buffer(entry, event, errors),
                "deadline" => args.deadline = deadline(entry, &format!("event handler `{event}`"), errors),
                _ => {
                    let tokens = show(&entry.tokens);
                    errors.push(
                        &entry.tokens,
                        format!("event handler `{event}`: `{tokens}` is not understood: write `#[event]`, with `custom = \"name\"`, `buffer = 64` or `deadline = \"2s\"` in parentheses if need be"),
                    );
                }
            }
        }
        args
    }
}

/// The name of the custom events to take; where it cannot be read one that no other handler has, so that there is no second error about that.
fn custom(entry: &Entry, event: &str, errors: &mut Errors) -> LitStr {
    let unknown = LitStr::new(event, entry.tokens.span());
    let Some(name) = entry.value_as::<LitStr>("custom = \"name\"", errors) else { return unknown };
    if name.value().is_empty() {
        errors.push(
            &name,
            format!("event handler `{event}` takes the custom events of no name: write one, as in `custom = \"cache.flushed\"`, or remove `custom` to take all"),
        );
        return unknown;
    }
    name
}

fn buffer(entry: &Entry, event: &str, errors: &mut Errors) -> Option<LitInt> {
    let number: LitInt = entry.value_as("buffer = 64", errors)?;
    match number.base10_parse::<usize>() {
        Ok(0) => errors.push(&number, format!("event handler `{event}` would miss every event: write a number above zero, as in `buffer = 64`")),
        Ok(_) if number.suffix().is_empty() => return Some(number),
        _ => errors.push(&number, format!("event handler `{event}`: `{number}` is not how many events may wait: write a plain number, as in `buffer = 64`")),
    }
    None
}

/// `#[health]`, `#[health(every = "10s", timeout = "5s", failures = 3, successes = 2)]`.
#[derive(Debug, Default)]
pub(crate) struct HealthArgs {
    /// How long from one check to the next.
    pub(crate) every: Option<Duration>,
    /// How long a check may take.
    pub(crate) timeout: Option<Duration>,
    /// How many failures in a row are too many.
    pub(crate) failures: Option<LitInt>,
    /// How many successes in a row heal.
    pub(crate) successes: Option<LitInt>,
}

impl HealthArgs {
    /// Reads the attribute of the method `check`; what is wrong is reported and left out.
    pub(crate) fn parse(attr: &Attribute, check: &str, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let form = "`#[health]`, with `every = \"10s\"`, `timeout = \"5s\"`, `failures = 3` or `successes = 2` in parentheses if need be";
        let mut entries = match &attr.meta {
            Meta::Path(_) => return args,
            Meta::List(list) => entries(list.tokens.clone()),
            Meta::NameValue(pair) => {
                errors
                    .push(&pair.value, format!("health check `{check}`: its keys stand in parentheses: write {form}"));
                return args;
            }
        };
        reject_repeated(&mut entries, errors);
        for entry in &entries {
            match entry.name().as_str() {
                "every" => args.every = span_of_time(entry, check, "every = \"10s\"", errors),
                "timeout" => args.timeout = span_of_time(entry, check, "timeout = \"5s\"", errors),
                "failures" => args.failures = in_a_row(entry, check, "failures = 3", errors),
                "successes" => args.successes = in_a_row(entry, check, "successes = 2", errors),
                _ => {
                    let tokens = show(&entry.tokens);
                    errors.push(
                        &entry.tokens,
                        format!("health check `{check}`: `{tokens}` is not understood: write {form}"),
                    );
                }
            }
        }
        args
    }
}

/// A duration above zero.
fn span_of_time(entry: &Entry, check: &str, form: &str, errors: &mut Errors) -> Option<Duration> {
    let literal: LitStr = entry.value_as(form, errors)?;
    let duration = duration::parse(&literal.value());
    match duration {
        Some(Duration::ZERO) => {
            let key = entry.name();
            errors.push(
                &literal,
                format!("health check `{check}`: `{key}` is no time at all: write one above zero, as in `{form}`"),
            );
        }
        Some(_) => return duration,
        None => {
            let given = literal.value();
            errors
                .push(&literal, format!("health check `{check}`: `{given}` is no duration: write {}", duration::FORMS));
        }
    }
    None
}

/// How many checks in a row decide.
fn in_a_row(entry: &Entry, check: &str, form: &str, errors: &mut Errors) -> Option<LitInt> {
    let number: LitInt = entry.value_as(form, errors)?;
    match number.base10_parse::<u32>() {
        Ok(0) => errors.push(&number, format!("health check `{check}`: no check in a row decides nothing: write a number above zero, as in `{form}`")),
        Ok(_) if number.suffix().is_empty() => return Some(number),
        _ => errors.push(&number, format!("health check `{check}`: `{number}` is not how many checks in a row decide: write a plain number, as in `{form}`")),
    }
    None
}

/// Reports what the attribute of a hook has between parentheses.
pub(crate) fn no_arguments(attr: &Attribute, role: Role, errors: &mut Errors) {
    if !matches!(attr.meta, Meta::Path(_)) {
        let name = role.name();
        errors.push(&attr.meta, format!("hook `#[{name}]` takes no arguments: write `#[{name}]`"));
    }
}

/// `add_one` as `AddOne`.
pub(crate) fn camel(name: &str) -> String {
    let name = name.trim_start_matches("r#");
    let words = name.split('_').filter(|word| !word.is_empty());
    let camel: String = words
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect();
    match camel.chars().next() {
        None => format!("Message{}", name.len()),
        Some(first) if first.is_numeric() => format!("_{camel}"),
        Some(_) if camel == "Self" => "Self_".to_owned(),
        Some(_) => camel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn names_of_variants_are_always_identifiers() {
        let names = [
            ("add", "Add"),
            ("add_one", "AddOne"),
            ("r#type", "Type"),
            ("self_", "Self_"),
            ("_1", "_1"),
            ("__", "Message2"),
            ("éa", "Éa"),
        ];
        for (method, variant) in names {
            assert_eq!(camel(method), variant);
            assert!(syn::parse_str::<Ident>(variant).is_ok(), "{variant}");
        }
    }

    #[test]
    fn every_form_of_handler_is_read() {
        let mut errors = Errors::default();
        let plain = HandlerArgs::parse(&parse_quote!(#[handler]), "scale", &mut errors);
        assert!(plain.remote.is_none() && plain.local.is_none());
        assert!(plain.name.is_none() && !plain.boxed && plain.inline.is_none());
        let full = HandlerArgs::parse(
            &parse_quote!(#[handler(Scale, derive(Clone, Debug), boxed, inline, remote)]),
            "scale",
            &mut errors,
        );
        assert!(full.boxed && full.inline.is_some() && full.name.expect("a name") == "Scale" && full.derive.is_some());
        assert!(full.remote.is_some());
        assert!(errors.is_empty());
    }

    #[test]
    fn attributes_are_ours_by_name_and_by_path() {
        let krate = quote!(::actors);
        for attr in [parse_quote!(#[handler]), parse_quote!(#[dms::handler]), parse_quote!(#[actors::handler(Get)])] {
            assert_eq!(Role::of(&attr, &krate), Some(Role::Handler));
        }
        for attr in [parse_quote!(#[axum::handler]), parse_quote!(#[inline])] {
            assert_eq!(Role::of(&attr, &krate), None);
        }
        assert_eq!(Role::in_cfg_attr(&parse_quote!(#[cfg_attr(test, tick(every = "1s"))])), Some(Role::Tick));
    }
}
