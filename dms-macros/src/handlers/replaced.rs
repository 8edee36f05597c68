//! `#[module(replaces = Counter)]`: a module that handles the messages of another one, and has none of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;

use super::emit::{Emitter, respanned};
use super::model::{Generated, Handler, Message, Module, Reach};
use crate::diagnostics::{Errors, show};

/// Reports what only the module can say whose messages they are.
pub(super) fn check(module: &mut Module, errors: &mut Errors) {
    let Some(replaced) = module.replaces.as_ref().map(show) else { return };
    for handler in &module.handlers {
        let name = &handler.item.name;
        if let Some(inline) = handler.inline {
            errors.at(inline, format!("handler `{name}` is `inline`, and no handler of a module that replaces another one is: remove `inline`"));
        }
        if let Reach::Remote(remote) = handler.reach {
            errors.at(
                remote,
                format!(
                    "handler `{name}` is `remote`, and from where it is reached says `{replaced}`: remove `remote`"
                ),
            );
        }
        if let Message::Generated(Generated { derive: Some(derive), .. }) = &handler.message {
            errors.push(derive, format!("handler `{name}`: what the message derives says `{replaced}`, whose message it is: remove `derive(..)`"));
        }
    }
}

impl Emitter<'_> {
    /// The messages, unless they are another module's.
    pub(super) fn own_messages(&self) -> TokenStream {
        if self.module.replaces.is_some() {
            return TokenStream::new();
        }
        let (messages, of_all) = (self.generated_messages(), self.message_enum());
        quote!(#messages #of_all)
    }

    /// The enum of the module that is replaced: `counter::CounterMessage`.
    fn replaced_enum(&self) -> Option<TokenStream> {
        let mut path = self.module.replaces.clone()?;
        let last = path.segments.last_mut()?;
        last.ident = Ident::new(&format!("{}Message", last.ident), last.ident.span());
        Some(path.into_token_stream())
    }

    /// The name of the enum.
    pub(super) fn enum_ident(&self) -> Ident {
        format_ident!("{}Message", self.module.ident)
    }

    /// The enum with its parameters, shown at the module's name.
    pub(super) fn enum_ty(&self) -> TokenStream {
        self.replaced_enum().unwrap_or_else(|| {
            let (ident, used) = (self.enum_ident(), self.module.generics.used());
            quote!(#ident #used)
        })
    }

    /// What stands before a variant of the enum.
    pub(super) fn enum_path(&self) -> TokenStream {
        match self.replaced_enum() {
            Some(replaced) => quote!(<#replaced>),
            None => self.enum_ident().into_token_stream(),
        }
    }

    /// The module for which the messages were made.
    pub(super) fn owner(&self) -> TokenStream {
        match &self.module.replaces {
            Some(replaced) => replaced.to_token_stream(),
            None => self.module.self_ty.clone(),
        }
    }

    /// What is matched on, shown at the module whose messages they are: one that is not handled is missing there.
    pub(super) fn matched(&self, message: &TokenStream) -> TokenStream {
        match &self.module.replaces {
            Some(replaced) => {
                let span = Span::call_site().located_at(replaced.span());
                respanned(message.clone(), span)
            }
            None => message.clone(),
        }
    }

    /// The last arm of a second match on the same messages: what is missing has been reported by the first.
    pub(super) fn missing(&self) -> Option<TokenStream> {
        self.module.replaces.is_some().then(|| quote!(_ => ::core::unreachable!("each message has a handler"),))
    }

    /// How a message becomes what the enum holds, and how it comes back: as it is, or boxed.
    pub(super) fn held(&self, handler: &Handler) -> (TokenStream, TokenStream) {
        let krate = self.krate;
        if self.module.replaces.is_some() {
            // The other module has said how.
            (quote!(#krate::__private::Held::hold(message)), quote!(#krate::__private::Held::take(message)))
        } else if handler.boxed {
            (quote!(::std::boxed::Box::new(message)), quote!(*message))
        } else {
            (quote!(message), quote!(message))
        }
    }

    /// Takes the message out of what the enum holds, where that is not the message itself.
    pub(super) fn unboxed(&self, handler: &Handler) -> Option<TokenStream> {
        let (_, taken) = self.held(handler);
        if self.module.replaces.is_some() {
            let ty = handler.message.ty();
            Some(quote!(let message: #ty = #taken;))
        } else {
            handler.boxed.then(|| quote!(let message = #taken;))
        }
    }

    /// Tokens of generated code, shown where the handler's types are that may be others than those of the message.
    pub(super) fn shown_at(&self, tokens: TokenStream, place: Span) -> TokenStream {
        match self.module.replaces {
            Some(_) => respanned(tokens, Span::call_site().located_at(place)),
            None => tokens,
        }
    }
}
