//! The messages of a module: the generated structs, the enum, and the methods on its references.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::emit::{Emitter, respanned};
use super::model::{Described, Field, Generated, Handler, Message, Reach};

impl Emitter<'_> {
    /// `pub struct Scale { pub by: u64, pub offset: u64 }`, for each handler that names its message.
    pub(super) fn generated_messages(&self) -> TokenStream {
        self.module
            .handlers
            .iter()
            .filter_map(|handler| match &handler.message {
                Message::Generated(message) => Some(self.generated_message(handler, message)),
                Message::Given { .. } => None,
            })
            .collect()
    }

    fn generated_message(&self, handler: &Handler, message: &Generated) -> TokenStream {
        let (attrs, cfgs, visibility) = (self.attrs(), &handler.item.cfgs, &self.module.visibility.0);
        let Generated { ident, generics, fields, derive } = message;
        let (declared, where_clause) = (generics.declared(), generics.where_clause());
        let docs = self.docs(&handler.item, "The message of");
        let derive = derive.as_ref().map(|derive| quote!(#[derive(#derive)]));
        let body = if fields.is_empty() {
            quote_spanned!(ident.span()=> #where_clause;)
        } else {
            let fields = fields.iter().map(|field| self.field(field));
            quote_spanned!(ident.span()=> #where_clause { #(#fields),* })
        };
        // Shown at the name: a struct of the same name elsewhere is a conflict with it.
        let head = respanned(quote!(#visibility struct), ident.span());
        let item = quote!(#head #ident #declared #body);
        match handler.reach {
            Reach::Remote(_) => {
                self.remote_message(message, &quote!(#(#cfgs)* #derive), &quote!(#(#docs)* #attrs #item))
            }
            Reach::Local | Reach::AnyName(_) => quote!(#(#cfgs)* #(#docs)* #attrs #derive #item),
        }
    }

    fn field(&self, Field { ident, ty, attrs }: &Field) -> TokenStream {
        let visibility = &self.module.visibility.0;
        let has_docs = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let docs = (!has_docs).then(|| {
            let text = format!(" The argument `{ident}`.");
            quote!(#[doc = #text])
        });
        quote!(#docs #(#attrs)* #visibility #ident: #ty)
    }

    /// The handler's own doc comment, or a sentence that names it.
    pub(super) fn docs(&self, item: &Described, what: &str) -> Vec<TokenStream> {
        if item.docs.is_empty() {
            let text = format!(" {what} `{}::{}`.", self.module.ident, item.name);
            vec![quote!(#[doc = #text])]
        } else {
            item.docs.iter().map(|doc| quote!(#doc)).collect()
        }
    }

    /// `pub enum CounterMessage { … }`
    pub(super) fn message_enum(&self) -> TokenStream {
        let (attrs, module, ident) = (self.attrs(), self.module, self.enum_ident());
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let visibility = &module.visibility.0;
        let text = format!(
            " The messages of `{}`: one variant for each of its handlers, ticks and event handlers{}. A clone asks nobody: the reply stays owed by the original.",
            module.ident,
            if module.checks.is_empty() { "" } else { ", and for its health check" }
        );
        let handlers = module.handlers.iter().map(|handler| self.variant(handler));
        let ticks = module.ticks.iter().map(|tick| {
            let (cfgs, docs, variant) = (&tick.item.cfgs, self.docs(&tick.item, "The tick"), &tick.item.variant);
            quote!(#(#cfgs)* #(#docs)* #variant)
        });
        let events = module.events.iter().map(|event| {
            let (cfgs, docs, variant) = (&event.item.cfgs, self.docs(&event.item, "The event of"), &event.item.variant);
            let (krate, ty) = (self.krate, &event.ty);
            quote!(#(#cfgs)* #(#docs)* #variant(#krate::event::EventDelivery<#ty>))
        });
        let checks = module.checks.iter().map(|check| {
            let (cfgs, docs) = (&check.item.cfgs, self.docs(&check.item, "The health check"));
            let variant = &check.item.variant;
            quote!(#(#cfgs)* #(#docs)* #variant)
        });
        let takes = module.takes.iter().map(|take| self.take_variant(take));
        let variants = handlers.chain(ticks).chain(events).chain(checks).chain(takes).chain(self.unused_variant());
        quote! {
            #[doc = #text]
            #attrs
            #visibility enum #ident #declared #where_clause { #(#variants),* }
        }
    }

    fn variant(&self, handler: &Handler) -> TokenStream {
        let krate = self.krate;
        let (cfgs, docs, variant) =
            (&handler.item.cfgs, self.docs(&handler.item, "The message of"), &handler.item.variant);
        let (held, reply) = (held(handler), &handler.reply);
        quote!(#(#cfgs)* #(#docs)* #variant(#held, #krate::ReplyTo<#reply>))
    }

    /// `impl From<Add> for CounterMessage`: a message whose reply is nobody's. Those of a module that is replaced have it from there, and what could be any type could be the enum itself.
    pub(super) fn from(&self, handler: &Handler) -> TokenStream {
        let (krate, module) = (self.krate, self.module);
        let could_be_any = |place: &Type| module.generics.is_projection(place);
        if module.replaces.is_some() || matches!(&handler.message, Message::Given { place, .. } if could_be_any(place))
        {
            return TokenStream::new();
        }
        let (enum_ty, cfgs, variant) = (self.enum_ty(), &handler.item.cfgs, &handler.item.variant);
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let (ty, (packed, _)) = (handler.message.ty(), self.held(handler));
        let trait_path = quote_spanned!(module.ident.span()=> ::core::convert::From<#ty>);
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl #declared #trait_path for #enum_ty #where_clause {
                fn from(message: #ty) -> Self {
                    Self::#variant(#packed, #krate::ReplyTo::nobody())
                }
            }
        }
    }

    /// A variant that cannot be made, for the type parameters that no message mentions.
    pub(super) fn unused_variant(&self) -> Option<TokenStream> {
        let always = self.module.handlers.iter().filter(|handler| handler.item.cfgs.is_empty());
        let events = self.module.events.iter().filter(|event| event.item.cfgs.is_empty()).map(|event| event.ty.clone());
        let mentioned: TokenStream = always
            .map(|handler| {
                let (ty, reply) = (handler.message.ty(), &handler.reply);
                quote!(#ty #reply)
            })
            .chain(events)
            .collect();
        let unused = self.module.generics.types_unused_in(&mentioned);
        (!unused.is_empty()).then(|| {
            quote! {
                #[doc(hidden)]
                __Unused(::core::convert::Infallible, #(::core::marker::PhantomData<fn() -> #unused>),*)
            }
        })
    }

    /// The name of the trait.
    fn reference_ident(&self) -> Ident {
        format_ident!("{}Ref", self.module.ident)
    }

    /// `pub trait CounterRef { fn add(&self, message: Add) -> Ask<'_, Counter, Add>; … }`
    pub(super) fn reference_trait(&self) -> TokenStream {
        let (attrs, module, ident) = (self.attrs(), self.module, self.reference_ident());
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let visibility = &module.visibility.0;
        let text = format!(
            " The handlers of `{}` as methods on a reference to it: each asks, and gives the reply when it is awaited.",
            module.ident
        );
        let methods = module.handlers.iter().map(|handler| {
            let (cfgs, docs, deprecated) =
                (&handler.item.cfgs, self.docs(&handler.item, "Asks"), &handler.item.deprecated);
            let signature = self.reference_method(handler);
            quote!(#(#cfgs)* #(#docs)* #deprecated #signature;)
        });
        quote! {
            #[doc = #text]
            #attrs
            #visibility trait #ident #declared #where_clause { #(#methods)* }
        }
    }

    /// `impl CounterRef for ModuleRef<Counter>`
    pub(super) fn reference_impl(&self) -> TokenStream {
        let (krate, module, ident) = (self.krate, self.module, self.reference_ident());
        let (declared, used, where_clause) =
            (module.generics.declared(), module.generics.used(), module.generics.where_clause());
        let self_ty = &module.self_ty;
        let methods = module.handlers.iter().map(|handler| {
            let (cfgs, signature) = (&handler.item.cfgs, self.reference_method(handler));
            let message = match &handler.message {
                Message::Given { name, .. } => quote!(#name),
                Message::Generated(Generated { ident, fields, .. }) if fields.is_empty() => quote!(#ident),
                Message::Generated(Generated { ident, fields, .. }) => {
                    let fields = fields.iter().map(|field| &field.ident);
                    quote!(#ident { #(#fields),* })
                }
            };
            quote!(#(#cfgs)* #signature { #krate::ModuleRef::ask(self, #message) })
        });
        quote! {
            #[automatically_derived]
            impl #declared #ident #used for #krate::ModuleRef<#self_ty> #where_clause { #(#methods)* }
        }
    }

    fn reference_method(&self, handler: &Handler) -> TokenStream {
        let (krate, self_ty) = (self.krate, &self.module.self_ty);
        let (method, ty) = (&handler.call.method, handler.message.ty());
        let arguments = match &handler.message {
            Message::Given { ty, name, .. } => quote!(#name: #ty),
            Message::Generated(Generated { fields, .. }) => {
                let fields = fields.iter().map(|Field { ident, ty, .. }| quote!(#ident: #ty));
                quote!(#(#fields),*)
            }
        };
        quote!(fn #method(&self, #arguments) -> #krate::Ask<'_, #self_ty, #ty>)
    }
}

/// What the enum holds of a message.
fn held(handler: &Handler) -> TokenStream {
    let ty = handler.message.ty();
    if handler.boxed { quote!(::std::boxed::Box<#ty>) } else { ty }
}
