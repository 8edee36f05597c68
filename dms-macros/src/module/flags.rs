//! The flags of a module, as they are written: `flags(ESSENTIAL, user(3))`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::LitInt;

use crate::diagnostics::{Errors, list, show};
use crate::entries::{Entry, Value};
use crate::spelling::nearest;

/// The constants of `dms::ModuleFlags`.
const NAMES: [&str; 8] =
    ["ESSENTIAL", "HOT_RELOADABLE", "USERSPACE", "DRIVER", "FILESYSTEM", "SCHEDULER", "ALLOCATOR", "SECURITY"];

/// How many flags a program has of its own.
const USER: u32 = 32;

/// One flag, and where it stands.
#[derive(Debug, Clone)]
pub(crate) enum Flag {
    /// A constant of `dms::ModuleFlags`.
    Named(&'static str, TokenStream),
    /// `user(3)`.
    User(u32, TokenStream),
}

impl Flag {
    /// As it is written.
    pub(crate) fn show(&self) -> String {
        match self {
            Self::Named(name, _) => (*name).to_owned(),
            Self::User(number, _) => format!("user({number})"),
        }
    }

    /// Where it stands.
    pub(crate) fn tokens(&self) -> &TokenStream {
        match self {
            Self::Named(_, tokens) | Self::User(_, tokens) => tokens,
        }
    }
}

/// The flag that was meant by a word, if it is near to one.
pub(super) fn nearest_name(word: &str) -> Option<&'static str> {
    nearest(word, NAMES)
}

/// Reads the list; what is wrong is reported and left out.
pub(super) fn parse(entry: &Entry, errors: &mut Errors) -> Vec<Flag> {
    let form = |value: TokenStream| match meant(value).as_slice() {
        [] => "flags(ESSENTIAL, user(3))".to_owned(),
        flags => format!("flags({})", flags.join(", ")),
    };
    let flags = entry.list(form, errors).unwrap_or_default();
    flags.iter().filter_map(|flag| read(flag, errors)).collect()
}

fn read(entry: &Entry, errors: &mut Errors) -> Option<Flag> {
    let name = entry.name();
    if name == "user" {
        return user(entry, errors);
    }
    let known = NAMES.into_iter().find(|known| *known == name);
    if let (Some(known), Value::None) = (known, &entry.value) {
        return Some(Flag::Named(known, entry.tokens.clone()));
    }
    let written = show(&entry.tokens);
    let names = list(&NAMES);
    let message = match meant(entry.tokens.clone()).as_slice() {
        [] => format!(
            "there is no flag `{written}`: write one of {names}, or `user(0)` to `user(31)` for a flag of your own"
        ),
        flags => format!(
            "there is no flag `{written}`; there are {names}, and `user(0)` to `user(31)` for those of your own: write `{}`",
            flags.join(", ")
        ),
    };
    errors.push(&entry.tokens, message);
    None
}

fn user(entry: &Entry, errors: &mut Errors) -> Option<Flag> {
    let Value::List(group) = &entry.value else {
        errors.push(
            &entry.tokens,
            format!(
                "`{}` does not say which flag of your own it is: write `user(0)` to `user(31)`",
                show(&entry.tokens)
            ),
        );
        return None;
    };
    let number = syn::parse2::<LitInt>(group.stream()).ok().and_then(|number| number.base10_parse().ok());
    match number {
        Some(number) if number < USER => Some(Flag::User(number, entry.tokens.clone())),
        Some(number) => {
            errors.push(
                group.stream(),
                format!(
                    "there is no flag `user({number})`: a program has 32 of its own, write `user(0)` to `user(31)`"
                ),
            );
            None
        }
        None => {
            let written = show(&entry.tokens);
            errors.push(
                &entry.tokens,
                format!("`{written}` is no flag: write the number of a flag of your own, `user(0)` to `user(31)`"),
            );
            None
        }
    }
}

/// The flags that are meant by what cannot be read: in quotes, by a path, joined by `|`, or misspelled.
fn meant(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let word = match token {
            TokenTree::Group(group) => {
                found.extend(meant(group.stream()));
                continue;
            }
            TokenTree::Ident(ident) if ident == "user" => {
                found.extend(
                    tokens.next_if(|next| matches!(next, TokenTree::Group(_))).map(|number| format!("user{number}")),
                );
                continue;
            }
            TokenTree::Ident(ident) => ident.to_string(),
            TokenTree::Literal(literal) => literal.to_string(),
            TokenTree::Punct(_) => continue,
        };
        // Quotes may hold several.
        let words = word.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        found.extend(words.filter_map(|word| nearest(word, NAMES)).map(str::to_owned));
    }
    found
}

/// The path of a flag's constant, for the constant expression.
pub(super) fn constant(flag: &Flag, krate: &TokenStream) -> TokenStream {
    match flag {
        Flag::Named(name, _) => {
            let name = Ident::new(name, Span::call_site());
            quote!(#krate::ModuleFlags::#name)
        }
        Flag::User(number, _) => quote!(#krate::ModuleFlags::user(#number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_as_flags_is_shown_as_a_list_of_them() {
        for (tokens, shown) in [
            (quote!(ESSENTIAL), "ESSENTIAL"),
            (quote!(ESSENTIAL | user(3)), "ESSENTIAL, user(3)"),
            (quote!(ModuleFlags::DRIVER.union(ModuleFlags::user(1))), "DRIVER, user(1)"),
            (quote!("essential | driver"), "ESSENTIAL, DRIVER"),
            (quote!([HotReloadable, SHEDULER]), "HOT_RELOADABLE, SCHEDULER"),
            (quote!(BILLING), ""),
        ] {
            assert_eq!(meant(tokens.clone()).join(", "), shown, "{tokens}");
        }
    }
}
