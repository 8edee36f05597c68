//! What is emitted when an impl has mistakes: the user's impl and everything that the rest of the program refers to.
//!
//! No handler is called from it, so that a signature that was reported once is not reported again by the compiler.

use proc_macro2::TokenStream;
use quote::quote;

use crate::handlers::{Bodies, Module, emit};

/// The module with its names and types in place, and nothing behind them.
pub(crate) fn expand(module: &Module, krate: &TokenStream) -> TokenStream {
    let expanded = emit(module, Bodies::Stubs, krate);
    let unused = quote!(#[allow(dead_code, unused)]);
    quote!(#unused #expanded)
}
