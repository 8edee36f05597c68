//! The enum of messages as data: what can be cloned and printed where its messages can.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Meta};

use super::emit::Emitter;
use super::model::{Described, Handler};

/// What a variant holds, as far as its impls see it.
enum Held {
    /// A message, and a reply that is left out.
    Message,
    /// The delivery of an event.
    Delivery,
    /// A reply alone.
    Reply,
    Nothing,
}

impl Emitter<'_> {
    /// `impl Clone for CounterMessage` and `impl Debug for CounterMessage`, each on the condition that it holds for all messages; and those of serde.
    pub(super) fn data(&self) -> TokenStream {
        if self.module.replaces.is_some() {
            return TokenStream::new();
        }
        let (types, clone, debug) = (self.message_types(), self.clone_impl(), self.debug_impl());
        let carried = self.carried();
        quote!(#types #clone #debug #carried)
    }

    fn clone_impl(&self) -> TokenStream {
        let krate = self.krate;
        let arms = self.held_variants().map(|(Described { variant, cfgs, .. }, held)| {
            let arm = match held {
                Held::Message => quote! {
                    Self::#variant(ref message, _) =>
                        Self::#variant(::core::clone::Clone::clone(message), #krate::ReplyTo::nobody())
                },
                Held::Delivery => quote! {
                    Self::#variant(ref delivery) => Self::#variant(::core::clone::Clone::clone(delivery))
                },
                Held::Reply => quote!(Self::#variant(_) => Self::#variant(#krate::ReplyTo::nobody())),
                Held::Nothing => quote!(Self::#variant => Self::#variant),
            };
            quote!(#(#cfgs)* #arm,)
        });
        let (arms, unused) = (arms.collect::<TokenStream>(), self.unused_arm());
        self.data_impl(
            &quote!(::core::clone::Clone),
            &quote! {
                #[inline]
                fn clone(&self) -> Self {
                    match *self { #arms #unused }
                }
            },
        )
    }

    fn debug_impl(&self) -> TokenStream {
        let arms = self.held_variants().map(|(Described { variant, cfgs, .. }, held)| {
            let name = variant.unraw().to_string();
            let held = match held {
                Held::Message => quote!((ref held, _)),
                Held::Delivery => quote!((ref held)),
                Held::Reply | Held::Nothing => return quote!(#(#cfgs)* Self::#variant { .. } => f.write_str(#name),),
            };
            quote!(#(#cfgs)* Self::#variant #held => f.debug_tuple(#name).field(held).finish(),)
        });
        let (arms, unused) = (arms.collect::<TokenStream>(), self.unused_arm());
        self.data_impl(
            &quote!(::core::fmt::Debug),
            &quote! {
                #[inline]
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    match *self { #arms #unused }
                }
            },
        )
    }

    fn data_impl(&self, trait_path: &TokenStream, method: &TokenStream) -> TokenStream {
        let (enum_ty, generics) = (self.enum_ty(), &self.module.generics);
        let declared = generics.declared();
        let where_clause = generics.where_clause_and(self.each_message(trait_path, |_| true));
        quote! {
            #[automatically_derived]
            impl #declared #trait_path for #enum_ty #where_clause { #method }
        }
    }

    /// Each variant that can be made, and what it holds.
    fn held_variants(&self) -> impl Iterator<Item = (&Described, Held)> {
        let module = self.module;
        let handlers = module.handlers.iter().map(|handler| (&handler.item, Held::Message));
        let ticks = module.ticks.iter().map(|tick| (&tick.item, Held::Nothing));
        let events = module.events.iter().map(|event| (&event.item, Held::Delivery));
        let checks = module.checks.iter().map(|check| (&check.item, Held::Nothing));
        let takes = module.takes.iter().map(|take| (&take.item, Held::Reply));
        handlers.chain(ticks).chain(events).chain(checks).chain(takes)
    }

    pub(super) fn unused_arm(&self) -> Option<TokenStream> {
        self.unused_variant().map(|_| quote!(Self::__Unused(ref never, ..) => match *never {},))
    }

    /// That the message of each of these handlers is something, as conditions: a bound without a parameter would be checked at once, but for one over lifetimes.
    pub(super) fn each_message(
        &self,
        trait_path: &TokenStream,
        of: impl Fn(&Handler) -> bool,
    ) -> impl Iterator<Item = TokenStream> {
        let handlers = self.module.handlers.iter().enumerate().filter(move |(_, handler)| of(handler));
        handlers.map(move |(index, handler)| {
            let ty = self.message_type(index, handler);
            let condition = (!self.module.generics.mentioned_in(&ty)).then(|| quote!(for<'message>));
            quote!(#condition #ty: #trait_path)
        })
    }

    /// The type of a handler's message; where the handler is there under a condition, a name for it that is always there.
    fn message_type(&self, index: usize, handler: &Handler) -> TokenStream {
        if handler.item.cfgs.is_empty() {
            return handler.message.ty();
        }
        let (enum_ty, name) = (self.enum_ty(), conditional(index));
        quote!(<#enum_ty as __Messages>::#name)
    }

    /// The messages of handlers that are there under conditions, as a where clause can mention them, which has no conditions itself.
    fn message_types(&self) -> TokenStream {
        let handlers = self.module.handlers.iter().enumerate().filter(|(_, handler)| !handler.item.cfgs.is_empty());
        let (names, types): (Vec<_>, Vec<_>) = handlers
            .map(|(index, handler)| {
                let (name, ty, cfgs) = (conditional(index), handler.message.ty(), &handler.item.cfgs);
                let conditions: Vec<_> = cfgs.iter().filter_map(condition).collect();
                let conditions =
                    if let [condition] = conditions[..] { quote!(#condition) } else { quote!(all(#(#conditions),*)) };
                let types = quote! {
                    #(#cfgs)*
                    type #name = #ty;
                    #[cfg(not(#conditions))]
                    type #name = ();
                };
                (name, types)
            })
            .unzip();
        if names.is_empty() {
            return TokenStream::new();
        }
        let (enum_ty, generics) = (self.enum_ty(), &self.module.generics);
        let (declared, where_clause) = (generics.declared(), generics.where_clause());
        quote! {
            trait __Messages {
                #(type #names;)*
            }
            #[automatically_derived]
            impl #declared __Messages for #enum_ty #where_clause { #(#types)* }
        }
    }
}

/// What the message of this handler is called, which is there under a condition.
fn conditional(index: usize) -> Ident {
    format_ident!("Message{index}")
}

/// What stands in `#[cfg(..)]`.
fn condition(cfg: &Attribute) -> Option<&TokenStream> {
    match &cfg.meta {
        Meta::List(list) => Some(&list.tokens),
        _ => None,
    }
}
