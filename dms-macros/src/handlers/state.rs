//! A module's state as a snapshot: `#[snapshot]` gives it, `#[restore]` takes it.
//!
//! Its code stands in a macro of the runtime crate, which lets it through, or says in one error that the feature is missing.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, PathSegment, ReceiverKind, ReturnType, Type};

use super::args::{self, Role};
use super::emit::{Bodies, Emitter, respanned};
use super::model::Described;
use super::owned::{self, Place};
use super::reader::{Reader, arguments};
use super::signature::{self, Argument, Call, Kind, Written};
use crate::diagnostics::show;
use crate::method::Method;

/// The method that gives the state.
#[derive(Debug)]
pub(crate) struct Take {
    pub(crate) call: Call,
    pub(crate) item: Described,
    /// Where errors about the returned type belong.
    output: Span,
    /// Whether it returns a `Result` of the state.
    is_fallible: bool,
    /// Where the attribute stands.
    place: Span,
}

/// The method that takes the state.
#[derive(Debug)]
pub(crate) struct Restore {
    pub(crate) call: Call,
    pub(crate) cfgs: Vec<Attribute>,
    /// The type of the state.
    state: Type,
    /// Where errors about the type of the version belong.
    version: Span,
    /// Where errors about the returned type belong.
    output: Span,
    /// Where the attribute stands.
    place: Span,
}

impl Reader<'_> {
    pub(crate) fn take(&mut self, attr: &Attribute, method: &Method) -> Take {
        args::no_arguments(attr, Role::Snapshot, self.errors);
        let item = self.described(method);
        let subject = signature::subject(Role::Snapshot, &method.sig.ident);
        let form = "`fn snapshot(&self) -> State`";
        let (call, written) = signature::read(Role::Snapshot, &method.sig, self.errors);
        if let Some(token) = &method.sig.asyncness {
            self.errors.push(token, format!("{subject} is `async`, and the state is that of one moment: write {form}"));
        }
        if let Some(receiver) = method.sig.receiver()
            && let ReceiverKind::Reference(_, _, Some(_)) = &receiver.kind
        {
            self.errors
                .push(receiver, format!("{subject} takes `{}`, and it changes nothing: write `&self`", show(receiver)));
        }
        for argument in written {
            let shown = show(argument.pat);
            self.errors.push(
                argument.pat,
                format!("{subject} takes `{shown}`, and the state is all in the module: remove it, as in {form}"),
            );
        }
        let returned = match &method.sig.output {
            ReturnType::Type(_, ty) if !signature::is_unit(ty) => Some(&**ty),
            _ => None,
        };
        let Some(returned) = returned else {
            self.errors.push(
                &method.sig.ident,
                format!("{subject} returns no state: write {form}, or `-> Result<State, ModuleError>`"),
            );
            let place = method.sig.ident.span();
            return Take { call, item, output: place, is_fallible: false, place: attr.path().span() };
        };
        let is_fallible = last_segment(returned).is_some_and(|last| last.ident == "Result");
        Take { call, item, output: returned.span(), is_fallible, place: attr.path().span() }
    }

    pub(crate) fn restore(&mut self, attr: &Attribute, method: &Method) -> Option<Restore> {
        args::no_arguments(attr, Role::Restore, self.errors);
        let subject = signature::subject(Role::Restore, &method.sig.ident);
        let form = "`fn restore(&mut self, state: State, from: Version)`";
        let (mut call, written) = signature::read(Role::Restore, &method.sig, self.errors);
        self.refuse_inbox(&subject, &written);
        for reply in written.iter().filter(|argument| matches!(argument.kind, Kind::Reply(_))) {
            let pat = show(reply.pat);
            self.errors
                .push(reply.ty, format!("{subject} takes a `ReplyTo`, and nobody waits for an answer: remove `{pat}`"));
        }
        let mut own = written.iter().filter(|argument| matches!(argument.kind, Kind::Message));
        let Some(state) = own.next() else {
            self.errors.push(&method.sig.ident, format!("{subject} takes no state: write {form}"));
            return None;
        };
        let version = own.next();
        for more in own {
            let pat = show(more.pat);
            self.errors.push(
                more.pat,
                format!(
                    "{subject} takes `{pat}` besides the state and its version: remove it, or put it into the state"
                ),
            );
        }
        let Some(version) = version else {
            self.errors.push(
                state.pat,
                format!("{subject} does not take the version of the module that wrote the state: write {form}"),
            );
            return None;
        };
        if is_version(state) && !is_version(version) {
            self.errors.push(state.ty, format!("{subject} takes the version before the state: write {form}"));
            return None;
        }
        let mut ty = state.ty.clone();
        let name = method.sig.ident.unraw().to_string();
        owned::check(&mut ty, Place::State { hook: &name }, self.errors);
        let mut places = [Argument::State, Argument::Version].into_iter();
        call.arguments = arguments(&written, || places.next());
        let cfgs = method.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        let output = match &method.sig.output {
            ReturnType::Default => method.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        Some(Restore { call, cfgs, state: ty, version: version.ty.span(), output, place: attr.path().span() })
    }
}

fn is_version(argument: &Written<'_>) -> bool {
    last_segment(argument.ty).is_some_and(|last| last.ident == "Version")
}

fn last_segment(mut ty: &Type) -> Option<&PathSegment> {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    let Type::Path(path) = ty else { return None };
    path.path.segments.last()
}

impl Emitter<'_> {
    /// The methods of `Module` that take a snapshot and restore one, for a module that has them.
    pub(super) fn state(&self) -> TokenStream {
        if self.bodies == Bodies::Stubs {
            return TokenStream::new();
        }
        let takes = self.module.takes.iter().map(|take| self.take(take));
        let restores = self.module.restores.iter().map(|restore| self.restore(restore));
        takes.chain(restores).collect()
    }

    fn take(&self, take: &Take) -> TokenStream {
        let (krate, cfgs) = (self.krate, &take.item.cfgs);
        let call = self.call(&take.call, &quote!(self));
        let function =
            Ident::new(if take.is_fallible { "snapshot_or_error" } else { "snapshot_of" }, Span::call_site());
        let function = respanned(quote!(#krate::__private::#function), take.output);
        // The block is what the error about a returned type points at.
        let state = quote_spanned!(take.output=> { #call });
        let taking = self.guarded(
            "snapshot",
            take.place,
            &quote! {
                fn take_snapshot(
                    &self,
                    ctx: &#krate::Context<Self>,
                ) -> ::core::option::Option<#krate::__private::Taken> {
                    ::core::option::Option::Some(#function(ctx, #state))
                }
            },
        );
        // Outside: where the condition does not hold, the feature need not be there.
        quote!(#(#cfgs)* #taking)
    }

    fn restore(&self, restore: &Restore) -> TokenStream {
        let (krate, cfgs) = (self.krate, &restore.cfgs);
        let future = quote_spanned! {restore.call.span=>
            impl ::core::future::Future<Output = ::core::result::Result<(), #krate::ModuleError>> + ::core::marker::Send
        };
        // Shown at the types: what they lack is missing there.
        let (ty, place) = (&restore.state, restore.state.span());
        let decode = respanned(quote!(#krate::__private::state), place);
        let decode = quote_spanned!(place=> #decode::<#ty>);
        let written_by = respanned(quote!(#krate::__private::written_by), restore.version);
        let from = quote_spanned!(restore.version=> #written_by(&snapshot));
        let function = respanned(quote!(#krate::__private::hook), restore.output);
        let call = self.call(&restore.call, &quote!(self));
        let result = quote_spanned!(restore.output=> { #call });
        let restoring = self.guarded(
            "snapshot",
            restore.place,
            &quote! {
                const RESTORES: bool = true;

                fn restore_snapshot(
                    &mut self,
                    snapshot: #krate::Snapshot,
                    ctx: &mut #krate::Context<Self>,
                ) -> #future {
                    async move {
                        let from = #from;
                        let state = #decode(snapshot)?;
                        #function(#result)
                    }
                }
            },
        );
        quote!(#(#cfgs)* #restoring)
    }

    /// The variant of the enum by which a snapshot is asked for.
    pub(super) fn take_variant(&self, take: &Take) -> TokenStream {
        let krate = self.krate;
        let (cfgs, docs, variant) =
            (&take.item.cfgs, self.docs(&take.item, "Asks for a snapshot, by"), &take.item.variant);
        quote!(#(#cfgs)* #(#docs)* #variant(#krate::ReplyTo<#krate::__private::Taken>))
    }

    pub(super) fn dispatch_take(&self, take: &Take) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&take.item.variant, &take.item.name, &take.item.cfgs);
        quote! {
            #(#cfgs)*
            Self::#variant(reply) => {
                if !#krate::__private::begin(&reply, #name, ctx) { return; }
                #krate::__private::answer_snapshot(module, reply, ctx);
            }
        }
    }

    /// `impl Accepts<TakeSnapshot, Counter> for CounterMessage` and `impl Answers<TakeSnapshot> for Counter`.
    pub(super) fn takes(&self) -> TokenStream {
        self.module.takes.iter().map(|take| self.answers_take(take)).collect()
    }

    fn answers_take(&self, take: &Take) -> TokenStream {
        let Self { krate, module, .. } = self;
        let (enum_ty, self_ty, cfgs) = (self.enum_ty(), &module.self_ty, &take.item.cfgs);
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let (variant, name) = (&take.item.variant, &take.item.name);
        let (accepts, answers) = (self.path("Accepts"), self.path("Answers"));
        let (message, taken) = (quote!(#krate::__private::TakeSnapshot), quote!(#krate::__private::Taken));
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl #declared #accepts<#message, #self_ty> for #enum_ty #where_clause {
                fn handler() -> &'static str {
                    #name
                }

                fn pack(message: #message, reply: #krate::ReplyTo<#taken>) -> Self {
                    Self::#variant(reply)
                }

                fn unpack(self) -> ::core::option::Option<#message> {
                    match self {
                        Self::#variant(_) => ::core::option::Option::Some(#message),
                        _ => ::core::option::Option::None,
                    }
                }
            }

            #(#cfgs)*
            #[automatically_derived]
            impl #declared #answers<#message> for #self_ty #where_clause {
                type Reply = #taken;
            }
        }
    }
}
