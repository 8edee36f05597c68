//! Types that may leave the caller and the module: without borrows and with a name.
//!
//! What is wrong is reported, and mended so that the code after the error still has a type to work with.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Ident, Lifetime, ParenthesizedGenericArguments, TraitBound, Type, TypeFnPtr, TypeReference, parse_quote};

use crate::diagnostics::{Errors, show};

/// Whose type it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Message { handler: &'a str },
    Field { handler: &'a str, field: &'a Ident },
    Reply { handler: &'a str },
    Event { handler: &'a str },
    State { hook: &'a str },
}

/// Reports what cannot be sent from one task to another, and puts something that can in its place.
pub(crate) fn check(ty: &mut Type, place: Place<'_>, errors: &mut Errors) {
    if let (Type::Reference(reference), Place::Message { handler }) = (&*ty, place)
        && !is_static(reference.lifetime.as_ref())
    {
        let owned = owned_form(&reference.elem);
        errors.push(
            reference.and_token,
            format!("handler `{handler}` borrows its message, and a message is moved to the module: take {owned}"),
        );
        *ty = match &*reference.elem {
            Type::Path(path) if !path.path.is_ident("str") => (*reference.elem).clone(),
            elem => parse_quote!(&'static #elem),
        };
    }
    match ty {
        Type::Never(never) => {
            errors.push(
                &*never,
                format!("{}, which has no value: {}", place.subject("is `!`"), "write the type of a value"),
            );
            *ty = parse_quote!(());
        }
        _ => Check { place, errors }.visit_type_mut(ty),
    }
}

struct Check<'a> {
    place: Place<'a>,
    errors: &'a mut Errors,
}

impl VisitMut for Check<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(found) = ty {
            let subject = self.place.subject(&format!("is `{}`", show(&*found)));
            let boxed = show(&found.bounds);
            let boxed = if boxed.contains("Send") { boxed } else { format!("{boxed} + Send") };
            let message = match self.place {
                Place::State { .. } => format!("{subject}, and it is read as one type: name the type"),
                _ => format!(
                    "{subject}, which has no name to put into the enum of messages: name the type, or write `Box<dyn {boxed}>`"
                ),
            };
            self.errors.push(&*found, message);
            *ty = parse_quote!(());
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if !is_static(reference.lifetime.as_ref()) {
            let (subject, reason) = match self.place {
                Place::Reply { .. } => (self.place.subject("borrows"), "a reply leaves the module"),
                Place::Event { .. } => (self.place.subject("borrows"), "an event outlives the call that published it"),
                Place::State { .. } => {
                    (self.place.subject("borrows"), "what is read from a snapshot has to own what it holds")
                }
                _ => (self.place.subject("borrows"), "a message is kept until the module comes to it"),
            };
            let owned = owned_form(&reference.elem);
            self.errors.push(reference.and_token, format!("{subject}, and {reason}: write {owned}"));
            reference.lifetime = Some(parse_quote!('static));
        }
        visit_mut::visit_type_mut(self, &mut reference.elem);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if !is_static(Some(lifetime)) {
            let subject = self.place.subject(&format!("lives only for `{lifetime}`"));
            self.errors.push(
                &*lifetime,
                format!("{subject}, and it outlives the call that sent it: write an owned type, or `'static`"),
            );
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }

    // The lifetimes in the signature of a function are its own.

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}

    fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
        if bound.lifetimes.is_none() {
            visit_mut::visit_trait_bound_mut(self, bound);
        }
    }
}

impl Place<'_> {
    fn subject(self, verb: &str) -> String {
        match self {
            Self::Message { handler } => format!("the message of handler `{handler}` {verb}"),
            Self::Field { handler, field } => format!("the argument `{field}` of handler `{handler}` {verb}"),
            Self::Reply { handler } => format!("the reply of handler `{handler}` {verb}"),
            Self::Event { handler } => format!("the event of handler `{handler}` {verb}"),
            Self::State { hook } => format!("the state that hook `{hook}` takes {verb}"),
        }
    }
}

fn is_static(lifetime: Option<&Lifetime>) -> bool {
    lifetime.is_some_and(|lifetime| lifetime.ident == "static")
}

/// What to write for a reference to this type.
pub(crate) fn owned_form(ty: &Type) -> String {
    match ty {
        Type::Slice(slice) => format!("`Vec<{}>`", show(&slice.elem)),
        Type::TraitObject(object) => format!("`Box<{} + Send>`", show(object)),
        _ => match show(ty.to_token_stream()).as_str() {
            "str" => "`String`".to_owned(),
            name => format!("`{name}`, or `Arc<{name}>` to share it"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_reply(mut ty: Type) -> (String, usize) {
        let mut errors = Errors::default();
        check(&mut ty, Place::Reply { handler: "get" }, &mut errors);
        (show(ty), errors.into_tokens().to_string().matches("compile_error").count())
    }

    #[test]
    fn owned_types_pass() {
        let types: [Type; 6] = [
            parse_quote!(Result<Vec<u8>, String>),
            parse_quote!(&'static str),
            parse_quote!(Box<dyn Fn(&str) -> &str + Send>),
            parse_quote!(fn(&u8) -> &u8),
            parse_quote!(Box<dyn for<'a> Visit<'a>>),
            parse_quote!(Cow<'static, str>),
        ];
        for ty in types {
            let text = show(&ty);
            assert_eq!(check_reply(ty), (text, 0));
        }
    }

    #[test]
    fn every_borrow_is_reported_and_mended() {
        assert_eq!(check_reply(parse_quote!(&str)), ("&'static str".to_owned(), 1));
        assert_eq!(
            check_reply(parse_quote!(Result<&u8, Cow<'_, str>>)),
            ("Result<&'static u8, Cow<'static, str>>".to_owned(), 2)
        );
        assert_eq!(check_reply(parse_quote!(Vec<impl Clone>)), ("Vec<()>".to_owned(), 1));
        assert_eq!(check_reply(parse_quote!(!)), ("()".to_owned(), 1));
    }
}
