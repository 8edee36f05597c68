//! `#[module]` on the struct: what the module is.
//!
//! Read in this order: [`args`] (the keys as they are written; the lists among them in [`flags`] and [`names`], and what versions
//! a dependency requires in [`requirement`]), [`model`] (what they mean), [`check`] (what does not fit together), [`emit`] (the
//! constant).

mod args;
mod check;
mod emit;
mod flags;
mod model;
mod names;
mod requirement;
mod restart;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Item;

use crate::diagnostics::Errors;
use crate::method::second_module;
use args::Args;
pub(crate) use args::KEYS;
use model::Description;

/// Expands `#[module]` on anything but an impl.
pub(crate) fn expand(args: TokenStream, item: &TokenStream, krate: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let description = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(found)) => Some((found.attrs, found.ident, found.generics)),
        Ok(Item::Enum(found)) => Some((found.attrs, found.ident, found.generics)),
        Ok(other) => {
            let place = keyword(&other).unwrap_or_else(|| other.to_token_stream());
            errors.push(
                place,
                "`#[module]` goes on a struct or an enum, which is the module's state, and on its `impl`, which has the \
                 handlers: write `#[module]` above `struct Name` and above `impl Name`",
            );
            None
        }
        Err(error) => {
            errors.absorb(error);
            None
        }
    };
    let described = description.and_then(|(attrs, ident, generics)| {
        if let Some(again) = second_module(&attrs) {
            errors.push(again, format!("`#[module]` stands twice above `{ident}`: keep one of them"));
            return None;
        }
        let args = Args::parse(args, &mut errors);
        let description = Description::new(&attrs, ident, &generics, args);
        check::check(&description, &mut errors);
        Some(emit::describe(&description, krate))
    });
    let errors = errors.into_tokens();
    quote!(#item #described #errors)
}

/// The word that says what kind of item this is.
fn keyword(item: &Item) -> Option<TokenStream> {
    Some(match item {
        Item::Fn(item) => item.sig.fn_token.to_token_stream(),
        Item::Mod(item) => item.mod_token.to_token_stream(),
        Item::Trait(item) => item.trait_token.to_token_stream(),
        Item::Type(item) => item.type_token.to_token_stream(),
        Item::Union(item) => item.union_token.to_token_stream(),
        _ => return None,
    })
}
