//! `#[module]` on the impl: what the module does.
//!
//! Read in this order: [`args`] (the attributes as they are written), [`signature`] and [`owned`] (what a method may
//! look like), [`model`] and [`reader`] (handlers, ticks, health checks and hooks), [`check`] (what does not fit together), [`emit`], [`messages`] and [`remote`]
//! (one function for each generated item), and [`data`] and [`carried`] (what the enum of messages is besides). [`state`] is all of it for `#[snapshot]` and `#[restore]`, [`replaced`] what is
//! different where the messages are another module's.

mod args;
mod carried;
mod check;
mod data;
mod emit;
mod messages;
mod model;
mod owned;
mod reader;
mod remote;
mod replaced;
mod signature;
mod state;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Errors;
use crate::fallback;
use crate::method::{ImplBlock, second_module};
use args::ImplArgs;
pub(crate) use emit::Bodies;
pub(crate) use model::Module;

/// Expands `#[module]` on an impl.
pub(crate) fn expand(args: TokenStream, item: TokenStream, krate: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = match syn::parse2::<ImplBlock>(item.clone()) {
        Ok(block) => match second_module(&block.attrs) {
            Some(again) => {
                errors.push(again, "`#[module]` stands twice above this impl: keep one of them");
                item
            }
            None => expand_block(args, block, krate, &mut errors),
        },
        Err(error) => {
            errors.absorb(error);
            item
        }
    };
    let errors = errors.into_tokens();
    quote!(#expanded #errors)
}

fn expand_block(args: TokenStream, block: ImplBlock, krate: &TokenStream, errors: &mut Errors) -> TokenStream {
    let args = ImplArgs::parse(args, errors);
    let replaces_something = args.replaces_something;
    match Module::new(args, block, krate, errors) {
        // Its messages may be there already.
        Ok(module) if replaces_something => module.block.to_token_stream(),
        Ok(mut module) => {
            check::check(&mut module, errors);
            if errors.is_empty() { emit(&module, Bodies::Real, krate) } else { fallback::expand(&module, krate) }
        }
        Err(block) => block.to_token_stream(),
    }
}

/// The impl and all that is generated for it.
pub(crate) fn emit(module: &Module, bodies: Bodies, krate: &TokenStream) -> TokenStream {
    let emitter = emit::Emitter { module, bodies, krate };
    [emitter.implementation(), emitter.own_messages(), emitter.reference_trait(), emitter.impls(), emitter.size_check()]
        .into_iter()
        .collect()
}
