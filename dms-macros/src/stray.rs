//! `#[handler]`, `#[tick]` and the hooks where no `#[module]` reads them: they say what is missing.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::diagnostics::Errors;

/// The argument by which generated code says that an attribute was read.
pub(crate) const USED: &str = "__used";

/// An error at the attribute `#[name]`, and the item as it is.
pub(crate) fn expand(name: &str, args: &TokenStream, item: &TokenStream) -> TokenStream {
    if args.to_string() == USED {
        return TokenStream::new();
    }
    let mut errors = Errors::default();
    let place = function(item).map_or_else(|| "this item".to_owned(), |ident| format!("`{ident}`"));
    errors.at(
        Span::call_site(),
        format!(
            "`#[{name}]` on {place} has no effect: it belongs on a method in an `impl` that carries `#[module]`: write `#[module]` \
             above the `impl`, and `#[{name}]` above its method"
        ),
    );
    let errors = errors.into_tokens();
    quote!(#item #errors)
}

/// The name of the function, if the item is one.
fn function(item: &TokenStream) -> Option<Ident> {
    let mut tokens =
        item.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "fn"));
    match tokens.nth(1)? {
        TokenTree::Ident(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_function_and_keeps_it() {
        let nothing = TokenStream::new();
        let function = quote!(
            pub async fn add(n: u64) {}
        );
        let expanded = expand("handler", &nothing, &function).to_string();
        assert!(expanded.contains("pub async fn add"));
        assert!(expanded.contains("`#[handler]` on `add`"));

        let item = quote!(
            struct A;
        );
        assert!(expand("init", &nothing, &item).to_string().contains("on this item"));
        assert!(expand("init", &quote!(__used), &item).is_empty());
    }
}
