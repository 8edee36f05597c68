//! What stands between the parentheses of an attribute: entries `key`, `key = value` and `key(list)`, split by commas.
//!
//! One malformed entry does not hide the others, so all of their mistakes can be reported.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parse;

use crate::diagnostics::{Errors, show};

/// One entry of an attribute.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The whole entry, for errors.
    pub(crate) tokens: TokenStream,
    /// Its first token, if it is an identifier.
    pub(crate) key: Option<Ident>,
    /// What follows the key.
    pub(crate) value: Value,
}

/// What follows an entry's key.
#[derive(Debug)]
pub(crate) enum Value {
    /// Nothing.
    None,
    /// `= value`.
    Equals(TokenStream),
    /// `(list)`.
    List(Group),
    /// Something that is neither.
    Other,
}

/// Splits the tokens of an attribute into its entries.
pub(crate) fn entries(tokens: TokenStream) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = Vec::new();
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                entries.extend(Entry::new(std::mem::take(&mut entry)));
            }
            _ => entry.push(token),
        }
    }
    entries.extend(Entry::new(entry));
    entries
}

impl Entry {
    fn new(tokens: Vec<TokenTree>) -> Option<Self> {
        let key = match tokens.first()? {
            TokenTree::Ident(key) => Some(key.clone()),
            _ => None,
        };
        let value = match tokens.get(1..) {
            None | Some([]) => Value::None,
            Some([TokenTree::Group(list)]) if list.delimiter() == Delimiter::Parenthesis => Value::List(list.clone()),
            Some([TokenTree::Punct(equals), value @ ..]) if equals.as_char() == '=' => {
                Value::Equals(value.iter().cloned().collect())
            }
            Some(_) => Value::Other,
        };
        Some(Self { tokens: tokens.into_iter().collect(), key, value })
    }

    /// The key as it is written, or nothing.
    pub(crate) fn name(&self) -> String {
        self.key.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The value as a `T`; `None` and an error that shows the `form` to write otherwise.
    pub(crate) fn value_as<T: Parse>(&self, form: &str, errors: &mut Errors) -> Option<T> {
        let name = self.name();
        match &self.value {
            Value::Equals(value) if !value.is_empty() => {
                if let Ok(parsed) = syn::parse2(value.clone()) {
                    return Some(parsed);
                }
                errors.push(value, format!("`{name}` cannot be `{}`: write `{form}`", show(value)));
            }
            _ => errors.push(&self.tokens, format!("`{name}` needs a value: write `{form}`")),
        }
        None
    }

    /// The entries of the list that is the value; `None` and an error that shows the `form` of what was written otherwise.
    pub(crate) fn list(&self, form: impl FnOnce(TokenStream) -> String, errors: &mut Errors) -> Option<Vec<Entry>> {
        let name = self.name();
        match &self.value {
            Value::List(list) => return Some(entries(list.stream())),
            Value::Equals(value) if !value.is_empty() => {
                errors.push(value, format!("`{name}` takes a list, in parentheses: write `{}`", form(value.clone())));
            }
            _ => {
                let form = form(TokenStream::new());
                errors.push(&self.tokens, format!("`{name}` needs a list, in parentheses: write `{form}`"));
            }
        }
        None
    }

    /// Where the value stands.
    pub(crate) fn value_span(&self) -> Span {
        let tokens = match &self.value {
            Value::Equals(value) if !value.is_empty() => value.clone(),
            Value::List(list) => list.to_token_stream(),
            _ => self.tokens.clone(),
        };
        tokens.into_iter().next().map_or_else(Span::call_site, |token| token.span())
    }
}

/// Reports each key that is given twice, and keeps its first entry.
pub(crate) fn reject_repeated(entries: &mut Vec<Entry>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    entries.retain(|entry| {
        let name = entry.name();
        if !name.is_empty() && seen.contains(&name) {
            errors.push(&entry.tokens, format!("`{name}` is given twice: keep one of them"));
            return false;
        }
        seen.push(name);
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn entries_are_split_at_commas_and_keep_their_form() {
        let found = entries(quote!(Scale, boxed, every = "1s", derive(Clone, Debug),));
        let names: Vec<_> = found.iter().map(Entry::name).collect();
        assert_eq!(names, ["Scale", "boxed", "every", "derive"]);
        assert!(matches!(found[0].value, Value::None));
        assert!(matches!(found[2].value, Value::Equals(_)));
        assert!(matches!(found[3].value, Value::List(_)));
    }

    #[test]
    fn what_is_no_entry_is_kept_for_its_error() {
        let found = entries(quote!("30s", a::b));
        assert!(found[0].key.is_none());
        assert!(matches!(found[1].value, Value::Other));
    }

    #[test]
    fn a_repeated_key_is_an_error_and_the_first_is_kept() {
        let mut errors = Errors::default();
        let mut found = entries(quote!(a = 1, a = 2, b));
        reject_repeated(&mut found, &mut errors);
        assert_eq!(found.len(), 2);
        assert!(!errors.is_empty());
    }
}
