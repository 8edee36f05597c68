//! The signature of a method that the framework calls: its receiver, and what each argument is for.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, Ident, Pat, PathArguments, ReceiverKind, ReturnType, Safety, Signature, Type};

use super::args::Role;
use crate::diagnostics::{Errors, show};

/// A method that the framework calls.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Ident,
    pub(crate) is_async: bool,
    /// Where errors about the future belong: at `&self`, if it is shared across an await.
    pub(crate) span: Span,
    /// What to pass, in the method's own order, the receiver left out.
    pub(crate) arguments: Vec<Argument>,
}

/// What the framework passes for one argument of a method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Context,
    Inbox,
    Reply,
    /// The message itself.
    Message,
    /// The message of a `#[request]` method, under a name that is shown at the argument's type.
    Request {
        name: Ident,
        is_borrowed: bool,
    },
    /// A field of the generated message.
    Field(Ident),
    /// The state that is restored.
    State,
    /// The version of the module that wrote it.
    Version,
}

/// An argument as it is written.
pub(crate) struct Written<'a> {
    pub(crate) pat: &'a Pat,
    pub(crate) ty: &'a Type,
    pub(crate) kind: Kind,
}

/// What an argument is for, by its type.
pub(crate) enum Kind {
    Context,
    Inbox,
    /// `ReplyTo<R>`, with its `R`.
    Reply(Box<Type>),
    /// Anything else: (a part of) the message.
    Message,
}

/// How a method is called in errors: ``handler `add` ``.
pub(crate) fn subject(role: Role, method: &Ident) -> String {
    let kind = match role {
        Role::Handler => "handler",
        Role::Tick => "tick",
        Role::Event => "event handler",
        Role::Init | Role::Start | Role::Run | Role::Stop | Role::Snapshot | Role::Restore => "hook",
        Role::Health => "health check",
        Role::Request => "request method",
    };
    format!("{kind} `{}`", method.unraw())
}

/// Reports what no method that is called by message may be, and reads the rest.
pub(crate) fn read<'a>(role: Role, sig: &'a Signature, errors: &mut Errors) -> (Call, Vec<Written<'a>>) {
    let subject = subject(role, &sig.ident);
    qualifiers(&subject, sig, errors);
    let shared = receiver(&subject, sig, errors);
    let written: Vec<_> = sig
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
        .map(|argument| {
            let kind = kind(&subject, &argument.ty, errors);
            Written { pat: &argument.pat, ty: &argument.ty, kind }
        })
        .collect();
    reject_second(&subject, &written, "Context<Self>", |kind| matches!(kind, Kind::Context), errors);
    reject_second(&subject, &written, "Inbox<Self>", |kind| matches!(kind, Kind::Inbox), errors);
    reject_second(&subject, &written, "ReplyTo", |kind| matches!(kind, Kind::Reply(_)), errors);
    let is_async = sig.asyncness.is_some();
    let span = shared.filter(|_| is_async).unwrap_or_else(|| sig.ident.span());
    (Call { method: sig.ident.clone(), is_async, span, arguments: Vec::new() }, written)
}

fn qualifiers(subject: &str, sig: &Signature, errors: &mut Errors) {
    if let Some(token) = &sig.constness {
        errors.push(token, format!("{subject} is `const`, and it runs when its message comes: remove `const`"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(
            token,
            format!(
                "{subject} is `unsafe`, and no caller could vouch for it: remove `unsafe`, and put the block inside"
            ),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi, format!("{subject} is `extern`, and it is called from Rust only: remove `{}`", show(abi)));
    }
    if !sig.generics.params.is_empty() {
        let params = &sig.generics.params;
        errors.push(
            params,
            format!("{subject} has parameters of its own, and nothing would choose them: move `<{}>` to the impl, or name the type", show(params)),
        );
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.push(
            clause,
            format!(
                "{subject} has a where clause of its own, and the module is reached without it: move it to the impl"
            ),
        );
    }
}

/// Where `&self` stands, if the module is shared rather than borrowed mutably.
fn receiver(subject: &str, sig: &Signature, errors: &mut Errors) -> Option<Span> {
    let Some(receiver) = sig.receiver() else {
        let first = sig.inputs.first().map_or_else(|| sig.ident.to_token_stream(), ToTokens::to_token_stream);
        errors.push(first, format!("{subject} has no receiver, and it works on the module: write `&mut self` or `&self` as its first argument"));
        return None;
    };
    let shared = match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => Some(mutability.is_none()),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) if show(&reference.elem) == "Self" => Some(reference.mutability.is_none()),
            _ => None,
        },
        _ => None,
    };
    if shared.is_none() {
        errors.push(
            receiver,
            format!(
                "{subject} takes `{}`, and the module stays with its task: write `&mut self` or `&self`",
                show(receiver)
            ),
        );
    }
    shared.and_then(|shared| shared.then(|| receiver.span()))
}

fn reject_second(subject: &str, written: &[Written<'_>], name: &str, is: impl Fn(&Kind) -> bool, errors: &mut Errors) {
    for second in written.iter().filter(|argument| is(&argument.kind)).skip(1) {
        errors.push(
            second.ty,
            format!("{subject} takes a second `{name}`, and there is one: remove `{}`", show(second.pat)),
        );
    }
}

/// What the argument is for; a misspelt form of ours is reported and taken for what it means.
fn kind(subject: &str, ty: &Type, errors: &mut Errors) -> Kind {
    let (reference, inner) = match ungrouped(ty) {
        Type::Reference(reference) => (Some(reference), ungrouped(&reference.elem)),
        ty => (None, ty),
    };
    let Type::Path(path) = inner else { return Kind::Message };
    let Some(last) = path.path.segments.last() else { return Kind::Message };
    let parameter = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        }),
        _ => None,
    };
    let is_mutable = reference.is_some_and(|reference| reference.mutability.is_some());
    let name = last.ident.to_string();
    match (name.as_str(), reference, parameter) {
        ("Context" | "Inbox", None, None) => Kind::Message,
        ("Context" | "Inbox", _, parameter) => {
            if !is_mutable || parameter.is_none() {
                errors
                    .push(ty, format!("{subject} takes `{}`, and it is lent one: write `&mut {name}<Self>`", show(ty)));
            }
            if name == "Context" { Kind::Context } else { Kind::Inbox }
        }
        ("ReplyTo", None, Some(reply)) => Kind::Reply(Box::new(reply)),
        ("ReplyTo", Some(_), Some(reply)) => {
            let owned = show(inner);
            errors.push(
                ty,
                format!("{subject} borrows the `ReplyTo`, and answering uses it up: take `{owned}` by value"),
            );
            Kind::Reply(Box::new(reply))
        }
        ("ReplyTo", _, None) => {
            errors.push(ty, format!("{subject} does not say what it replies: write `ReplyTo<R>` with the type of the reply, as in `ReplyTo<u64>`"));
            Kind::Reply(Box::new(syn::parse_quote!(())))
        }
        _ => Kind::Message,
    }
}

/// Writes the parameter that a `Context` or a `ReplyTo` was left without: it was reported, and need not be by the compiler.
pub(crate) fn complete(sig: &mut Signature) {
    for input in &mut sig.inputs {
        let FnArg::Typed(argument) = input else { continue };
        let (is_borrowed, ty) = match &mut *argument.ty {
            Type::Reference(reference) => (true, &mut *reference.elem),
            ty => (false, ty),
        };
        let Type::Path(path) = ty else { continue };
        let Some(last) = path.path.segments.last_mut() else { continue };
        if last.arguments.is_none() {
            match last.ident.to_string().as_str() {
                "Context" | "Inbox" if is_borrowed => {
                    last.arguments = PathArguments::AngleBracketed(syn::parse_quote!(<Self>));
                }
                "ReplyTo" => last.arguments = PathArguments::AngleBracketed(syn::parse_quote!(<()>)),
                _ => {}
            }
        }
    }
}

/// The type without the invisible group that a `macro_rules!` puts around it.
fn ungrouped(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

/// The type a method returns, `()` if it says nothing.
pub(crate) fn output(sig: &Signature) -> Type {
    match &sig.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

/// Whether a type is `()`.
pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The type as tokens, for a place outside of the impl.
pub(crate) fn outside(ty: &Type, self_ty: &TokenStream) -> TokenStream {
    crate::generics::replace_self(ty.to_token_stream(), self_ty)
}
