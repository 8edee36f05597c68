//! `#[handler]`, `#[tick]` and the hooks where no `#[module]` reads them: they say what is missing.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::diagnostics::Errors;

/// An error at the attribute `#[name]`, and the item as it is.
pub(crate) fn expand(name: &str, item: &TokenStream) -> TokenStream {
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
        let function = quote!(
            pub async fn add(n: u64) {}
        );
        let expanded = expand("handler", &function).to_string();
        assert!(expanded.contains("pub async fn add"));
        assert!(expanded.contains("`#[handler]` on `add`"));
        assert!(
            expand(
                "init",
                &quote!(
                    struct A;
                )
            )
            .to_string()
            .contains("on this item")
        );
    }
}
