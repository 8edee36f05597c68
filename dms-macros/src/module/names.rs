//! Lists of names in quotes: `provides("count")`, `depends("store", optional("metrics"))`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::LitStr;

use super::requirement;
use crate::diagnostics::{Errors, show};
use crate::entries::{Entry, Value, entries};
use crate::spelling::nearest;

/// What a module depends on.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// The name or capability.
    pub(crate) name: String,
    /// The name with the versions that will do, as it is written.
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Whether the module can do without it.
    pub(crate) optional: bool,
}

/// Reads `provides("count", "metrics.sink")`; what is wrong is reported and left out.
pub(super) fn capabilities(entry: &Entry, errors: &mut Errors) -> Vec<(String, Span)> {
    let form = |value| format!("provides({})", in_quotes(value).unwrap_or_else(|| "\"count\"".to_owned()));
    let mut found = Vec::new();
    for entry in entry.list(form, errors).unwrap_or_default() {
        if let Some(text) = string(&entry) {
            found.push((text.value(), text.span()));
        } else {
            let form = in_quotes(entry.tokens.clone()).unwrap_or_else(|| "\"count\"".to_owned());
            errors.push(
                &entry.tokens,
                format!("a capability is one string, and `{}` is none: write `{form}`", show(&entry.tokens)),
            );
        }
    }
    found
}

/// Reads `depends("store", "cache >= 1.3", optional("metrics"))`; what is wrong is reported and left out.
pub(super) fn dependencies(entry: &Entry, errors: &mut Errors) -> Vec<Dependency> {
    const EXAMPLE: &str = "\"store\", \"cache >= 1.3\"";
    let form = |value| format!("depends({})", in_quotes(value).unwrap_or_else(|| EXAMPLE.to_owned()));
    let mut found = Vec::new();
    for entry in entry.list(form, errors).unwrap_or_default() {
        if entry.name() == "optional" {
            let form = |value| format!("optional({})", in_quotes(value).unwrap_or_else(|| "\"metrics\"".to_owned()));
            for entry in entry.list(form, errors).unwrap_or_default() {
                found.extend(dependency(&entry, true, errors));
            }
        } else {
            found.extend(dependency(&entry, false, errors));
        }
    }
    found
}

fn dependency(entry: &Entry, optional: bool, errors: &mut Errors) -> Option<Dependency> {
    let Some(literal) = string(entry) else {
        let quoted = in_quotes(entry.tokens.clone()).unwrap_or_else(|| "\"cache >= 1.3\"".to_owned());
        let is_optional =
            !optional && matches!(entry.value, Value::List(_)) && nearest(&entry.name(), ["optional"]).is_some();
        let form = if is_optional { format!("optional({quoted})") } else { quoted };
        errors.push(
            &entry.tokens,
            format!("a dependency is one string, and `{}` is none: write `{form}`", show(&entry.tokens)),
        );
        return None;
    };
    let text = literal.value();
    if let Some(mistake) = requirement::mistake(&text) {
        errors.push(literal, mistake);
        return None;
    }
    let (name, _) = requirement::split(&text);
    Some(Dependency { name: name.to_owned(), text: text.trim_end().to_owned(), span: literal.span(), optional })
}

/// The entry as a string, if it is one and nothing else.
fn string(entry: &Entry) -> Option<LitStr> {
    matches!((&entry.key, &entry.value), (None, Value::None)).then(|| syn::parse2(entry.tokens.clone()).ok())?
}

/// What was meant as a list of strings, as it is to be written: strings as they stand, the rest in quotes.
fn in_quotes(tokens: TokenStream) -> Option<String> {
    let mut strings = Vec::new();
    for entry in entries(tokens) {
        let before = strings.len();
        collect(entry.tokens.clone(), &mut strings);
        if strings.len() == before {
            strings.push(format!("\"{}\"", show(&entry.tokens)));
        }
    }
    (!strings.is_empty()).then(|| strings.join(", "))
}

/// The string literals among these tokens; of what stands in brackets, also what lacks quotes.
fn collect(tokens: TokenStream, strings: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings.extend(in_quotes(group.stream())),
            TokenTree::Literal(literal) if literal.to_string().starts_with('"') => strings.push(literal.to_string()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn what_was_meant_as_a_list_of_strings_is_shown_as_one() {
        for (tokens, shown) in [
            (quote!("a", "b"), "\"a\", \"b\""),
            (quote!("a" "b"), "\"a\", \"b\""),
            (quote!(["a", "b"]), "\"a\", \"b\""),
            (quote!(&["a"]), "\"a\""),
            (quote!([store, cache]), "\"store\", \"cache\""),
            (quote!(store), "\"store\""),
            (quote!(store, "cache"), "\"store\", \"cache\""),
        ] {
            assert_eq!(in_quotes(tokens.clone()).as_deref(), Some(shown), "{tokens}");
        }
        assert_eq!(in_quotes(quote!()), None);
    }
}
