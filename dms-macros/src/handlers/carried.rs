//! The enum of messages in bytes: what a network carries of a module with remote handlers.
//!
//! It stands in a macro of the runtime crate, which lets it through where there is serde.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse_quote;

use super::emit::Emitter;
use super::model::{Generated, Handler, Message, Reach};

impl Emitter<'_> {
    /// `impl Serialize for CounterMessage` and `impl Deserialize for CounterMessage`, on the condition that the messages of all remote handlers have both.
    pub(super) fn carried(&self) -> TokenStream {
        let (krate, module) = (self.krate, self.module);
        let remote = || module.handlers.iter().filter(|handler| is_remote(handler));
        if remote().next().is_none() {
            return TokenStream::new();
        }
        let (enum_ty, name, generics) = (self.enum_ty(), self.enum_ident().unraw().to_string(), &module.generics);
        let declared = generics.declared();
        let reading = generics.declared_behind(&parse_quote!('__de));
        let where_clause =
            generics.where_clause_and(self.each_message(&quote!(#krate::__private::RemoteMessage), is_remote));
        let serde = quote!(#krate::__private::serde);
        let handlers = remote().map(|handler| {
            let (cfgs, name) = (&handler.item.cfgs, &handler.item.name);
            quote!(#(#cfgs)* #name)
        });
        let read = remote().map(|handler| {
            let (cfgs, name, variant) = (&handler.item.cfgs, &handler.item.name, &handler.item.variant);
            quote! {
                #(#cfgs)*
                #name => #serde::de::VariantAccess::newtype_variant(content)
                    .map(|message| Self::#variant(message, #krate::ReplyTo::nobody())),
            }
        });
        let write = self.written();
        quote! {
            #krate::__private::carried! {
                #[automatically_derived]
                impl #declared #krate::__private::CarriedMessages for #enum_ty #where_clause {
                    const NAME: &'static str = #name;
                    const HANDLERS: &'static [&'static str] = &[#(#handlers),*];

                    fn read<'__de, __A: #serde::de::VariantAccess<'__de>>(
                        handler: &'static str,
                        content: __A,
                    ) -> ::core::result::Result<Self, __A::Error> {
                        match handler {
                            #(#read)*
                            _ => ::core::result::Result::Err(#krate::__private::no_message::<Self, __A::Error>(handler)),
                        }
                    }

                    fn write<__S: #serde::Serializer>(
                        &self,
                        serializer: __S,
                    ) -> ::core::result::Result<__S::Ok, __S::Error> {
                        #write
                    }
                }

                #[automatically_derived]
                impl #declared #serde::Serialize for #enum_ty #where_clause {
                    fn serialize<__S: #serde::Serializer>(
                        &self,
                        serializer: __S,
                    ) -> ::core::result::Result<__S::Ok, __S::Error> {
                        #krate::__private::CarriedMessages::write(self, serializer)
                    }
                }

                #[automatically_derived]
                impl #reading #serde::Deserialize<'__de> for #enum_ty #where_clause {
                    fn deserialize<__D: #serde::Deserializer<'__de>>(
                        deserializer: __D,
                    ) -> ::core::result::Result<Self, __D::Error> {
                        #krate::__private::read_message(deserializer)
                    }
                }
            }
        }
    }

    /// Writes the message of a remote handler; any other is an error that says so.
    fn written(&self) -> TokenStream {
        let (krate, module) = (self.krate, self.module);
        let handlers = module.handlers.iter().map(|handler| {
            let (cfgs, name, variant) = (&handler.item.cfgs, &handler.item.name, &handler.item.variant);
            if is_remote(handler) {
                return quote! {
                    #(#cfgs)*
                    Self::#variant(ref message, _) =>
                        #krate::__private::write_message::<Self, _, _>(#name, message, serializer),
                };
            }
            let text = self.does_not_travel(handler);
            quote!(#(#cfgs)* Self::#variant { .. } => #krate::__private::not_carried::<__S>(#text),)
        });
        let others = module.ticks.iter().map(|tick| &tick.item).chain(module.events.iter().map(|event| &event.item));
        let others = others.chain(module.checks.iter().map(|check| &check.item));
        let others = others.chain(module.takes.iter().map(|take| &take.item));
        let others = others.map(|item| {
            let (cfgs, name, variant) = (&item.cfgs, &item.name, &item.variant);
            let text = format!(
                "`{name}` of `{}` is no handler, and only the messages of remote handlers can travel",
                module.ident
            );
            quote!(#(#cfgs)* Self::#variant { .. } => #krate::__private::not_carried::<__S>(#text),)
        });
        let unused = self.unused_arm();
        quote!(match *self { #(#handlers)* #(#others)* #unused })
    }

    fn does_not_travel(&self, Handler { item, message, reach, .. }: &Handler) -> String {
        let (name, module) = (&item.name, &self.module.ident);
        match (reach, message) {
            (Reach::AnyName(_), _) => {
                format!("`{name}` of `{module}` is for requests, and only the messages of remote handlers can travel")
            }
            (_, Message::Generated(Generated { ident, .. })) => {
                format!(
                    "handler `{name}` of `{module}` is not remote, and so its message cannot travel: write `#[handler({ident}, remote)]`"
                )
            }
            (_, Message::Given { .. }) => {
                format!(
                    "handler `{name}` of `{module}` is not remote, and so its message cannot travel: write `#[handler(remote)]`"
                )
            }
        }
    }
}

fn is_remote(handler: &Handler) -> bool {
    matches!(handler.reach, Reach::Remote(_))
}
