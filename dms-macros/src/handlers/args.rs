//! The attributes of an impl and of its methods, as they are written.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, LitStr, Meta, Visibility};

use crate::diagnostics::Errors;
use crate::duration;
use crate::entries::{Entry, Value, entries, reject_repeated};

/// The keys of `#[module]` on the struct, to say where they belong.
const STRUCT_KEYS: [&str; 6] = ["name", "version", "description", "mailbox", "overflow", "timeout"];

/// What an attribute makes of a method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Handler,
    Tick,
    Init,
    Start,
    Run,
    Stop,
}

impl Role {
    const ALL: [Self; 6] = [Self::Handler, Self::Tick, Self::Init, Self::Start, Self::Run, Self::Stop];

    /// The name of the attribute.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Tick => "tick",
            Self::Init => "init",
            Self::Start => "start",
            Self::Run => "run",
            Self::Stop => "stop",
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

/// `#[module(visibility = "pub(crate)")]`.
#[derive(Debug, Default)]
pub(crate) struct ImplArgs {
    /// With the literal, for errors.
    pub(crate) visibility: Option<(Visibility, LitStr)>,
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
                key if STRUCT_KEYS.contains(&key) => errors.push(
                    &entry.tokens,
                    format!("`{key}` is about what the module is: write it in the `#[module(..)]` above the struct"),
                ),
                key => errors.push(
                    &entry.tokens,
                    format!(
                        "`#[module]` on an impl has no key `{}`: remove it, or write `visibility = \"pub(crate)\"`",
                        if key.is_empty() { show(&entry.tokens) } else { key.to_owned() }
                    ),
                ),
            }
        }
        args
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

/// `#[handler]`, `#[handler(Scale)]`, `#[handler(Scale, derive(Clone), boxed)]`.
#[derive(Debug, Default)]
pub(crate) struct HandlerArgs {
    /// The message to generate from the arguments.
    pub(crate) name: Option<Ident>,
    /// What the generated message derives.
    pub(crate) derive: Option<TokenStream>,
    /// Whether the message is boxed in the enum.
    pub(crate) boxed: bool,
}

impl HandlerArgs {
    /// Reads the attribute of the method `handler`; what is wrong is reported and left out.
    pub(crate) fn parse(attr: &Attribute, handler: &str, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut entries = match &attr.meta {
            Meta::Path(_) => return args,
            Meta::List(list) => entries(list.tokens.clone()),
            Meta::NameValue(pair) => {
                errors.push(
                    pair,
                    format!(
                        "handler `{handler}`: the attribute takes a list: write `#[handler({})]`",
                        show(&pair.value)
                    ),
                );
                return args;
            }
        };
        reject_repeated(&mut entries, errors);
        let mut derive = None;
        for entry in &entries {
            match (entry.name().as_str(), &entry.value) {
                ("boxed", Value::None) => args.boxed = true,
                ("derive", Value::List(list)) => derive = Some((list.stream(), entry)),
                (name, Value::None) if is_type_name(name) => args.set_name(entry, handler, errors),
                _ => errors.push(&entry.tokens, format!("handler `{handler}`: {}", remedy(entry, handler))),
            }
        }
        match derive {
            Some((list, _)) if args.name.is_some() => args.derive = Some(list),
            Some((_, entry)) => errors.push(
                &entry.tokens,
                format!("handler `{handler}`: `derive` is for a generated message: name it as in `#[handler({}, {})]`, or write the `derive` on your own type", camel(handler), show(&entry.tokens)),
            ),
            None => {}
        }
        args
    }

    fn set_name(&mut self, entry: &Entry, handler: &str, errors: &mut Errors) {
        if let Some(first) = &self.name {
            errors.push(
                &entry.tokens,
                format!(
                    "handler `{handler}` has two names for its message, `{first}` and `{}`: keep one of them",
                    show(&entry.tokens)
                ),
            );
        } else {
            self.name.clone_from(&entry.key);
        }
    }
}

/// What to write instead of an entry of `#[handler]` that is none.
fn remedy(entry: &Entry, handler: &str) -> String {
    let name = entry.name();
    match &entry.value {
        _ if name == "derive" => "`derive` takes a list: write `derive(Clone, Debug)`".to_owned(),
        _ if name == "boxed" => "`boxed` takes no value: write `#[handler(boxed)]`".to_owned(),
        Value::None if !name.is_empty() => {
            format!("`{name}` is not the name of a type: write `{}` to generate that message, or `boxed`", camel(&name))
        }
        Value::Other if is_type_name(&name) => {
            format!("the generated message takes its parameters from its fields: write `#[handler({name})]`")
        }
        _ => format!(
            "`{}` is not understood: write `#[handler]`, `#[handler({})]` to generate the message, and after it `derive(..)` or `boxed`",
            show(&entry.tokens),
            camel(handler)
        ),
    }
}

fn is_type_name(name: &str) -> bool {
    name.trim_start_matches("r#").trim_start_matches('_').starts_with(char::is_uppercase)
}

/// Reads `#[tick(every = "30s")]` on the method `tick`.
pub(crate) fn every(attr: &Attribute, tick: &str, errors: &mut Errors) -> Option<Duration> {
    let form = "#[tick(every = \"30s\")]";
    let Meta::List(list) = &attr.meta else {
        errors.push(&attr.meta, format!("tick `{tick}` does not say how often it comes: write `{form}`"));
        return None;
    };
    let mut entries = entries(list.tokens.clone());
    reject_repeated(&mut entries, errors);
    for other in entries.iter().filter(|entry| entry.name() != "every") {
        let tokens = show(&other.tokens);
        errors.push(
            &other.tokens,
            format!("tick `{tick}`: `{tokens}` is not understood, the only key is `every`: write `{form}`"),
        );
    }
    let Some(entry) = entries.iter().find(|entry| entry.name() == "every") else {
        if entries.is_empty() {
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

/// Reports what a hook's attribute has between parentheses.
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

/// Tokens as one would write them.
pub(crate) fn show(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" ::", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" !", "!"),
        (" :", ":"),
        (",(", ", ("),
    ] {
        text = text.replace(spaced, tight);
    }
    text
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
        assert!(plain.name.is_none() && !plain.boxed);
        let full =
            HandlerArgs::parse(&parse_quote!(#[handler(Scale, derive(Clone, Debug), boxed)]), "scale", &mut errors);
        assert!(full.boxed && full.name.expect("a name") == "Scale" && full.derive.is_some());
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

    #[test]
    fn types_are_shown_as_they_are_written() {
        for text in ["Vec<u8>", "Box<dyn Fn(&str)>", "&[u8]", "Result<u64, Error>", "[u8; 4]", "(u8, (u8, u8))"] {
            let ty: syn::Type = syn::parse_str(text).expect("a type");
            assert_eq!(show(ty), text);
        }
    }
}
