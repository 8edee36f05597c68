//! What a module does: its handlers, ticks, event handlers, health check and hooks.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, GenericParam, Type, Visibility, WherePredicate, parse_quote};

use super::args::{EventArgs, HealthArgs, ImplArgs, Limit, Retry, Role};
use super::reader::Reader;
use super::signature::{self, Call};
use super::state::{Restore, Take};
use crate::diagnostics::{Errors, show};
use crate::generics::Generics;
use crate::method::{ImplBlock, Item};

/// The impl of a module.
#[derive(Debug)]
pub(crate) struct Module {
    /// The impl, without our attributes.
    pub(crate) block: ImplBlock,
    /// The name of the module's type.
    pub(crate) ident: Ident,
    /// The module's type with its parameters: `Cache<T>`.
    pub(crate) self_ty: TokenStream,
    pub(crate) generics: Generics,
    /// The module whose messages it handles, where they are not its own.
    pub(crate) replaces: Option<syn::Path>,
    /// The visibility of what is generated, and where it was given.
    pub(crate) visibility: (Visibility, Span),
    pub(crate) handlers: Vec<Handler>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) events: Vec<Event>,
    /// One at most, but for conditions that exclude each other.
    pub(crate) checks: Vec<Check>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) takes: Vec<Take>,
    pub(crate) restores: Vec<Restore>,
    /// The paths of our attributes as they were written, each once: their imports are in use.
    pub(crate) attributes: Vec<syn::Path>,
}

/// A method that handles a message.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) call: Call,
    pub(crate) item: Described,
    pub(crate) message: Message,
    /// The type of the reply, and where it stands.
    pub(crate) reply: TokenStream,
    pub(crate) reply_span: Span,
    /// Whether it takes a `ReplyTo` and returns nothing.
    pub(crate) is_detached: bool,
    pub(crate) boxed: bool,
    /// Where it says that an asker may run it itself.
    pub(crate) inline: Option<Span>,
    pub(crate) reach: Reach,
    pub(crate) deadline: Option<Limit>,
    pub(crate) retry: Option<Retry>,
}

/// From where a handler is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// By its message alone.
    Local,
    /// By its name as well; where that is said.
    Remote(Span),
    /// It is the `#[request]` method: by every name that no handler has. Where that is said.
    AnyName(Span),
}

/// What a handler and what is generated for it have in common.
#[derive(Debug)]
pub(crate) struct Described {
    /// The name as users read it.
    pub(crate) name: String,
    /// The variant of the enum.
    pub(crate) variant: Ident,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
}

/// The message of a handler.
#[derive(Debug)]
pub(crate) enum Message {
    /// A type of the user's; `name` is its argument on the reference's method.
    Given {
        ty: TokenStream,
        place: Type,
        name: Ident,
    },
    Generated(Generated),
}

/// A message made of a handler's arguments.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) fields: Vec<Field>,
    pub(crate) derive: Option<TokenStream>,
}

/// A field of a generated message.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
}

/// A method that is called periodically.
#[derive(Debug)]
pub(crate) struct Tick {
    pub(crate) call: Call,
    pub(crate) item: Described,
    pub(crate) every: Duration,
    pub(crate) deadline: Option<Limit>,
}

/// A method that handles an event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) call: Call,
    pub(crate) item: Described,
    /// The type of the event, for a place outside of the impl, and as it is written.
    pub(crate) ty: TokenStream,
    pub(crate) place: Type,
    pub(crate) args: EventArgs,
    /// Where errors about the returned type belong.
    pub(crate) output: Span,
}

/// A method that says how the module is.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) call: Call,
    pub(crate) item: Described,
    pub(crate) args: HealthArgs,
    /// Where errors about the returned type belong.
    pub(crate) output: Span,
}

/// A method that is called at a point of the module's life.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(crate) role: Role,
    pub(crate) call: Call,
    pub(crate) cfgs: Vec<Attribute>,
    /// Where errors about the returned type belong.
    pub(crate) output: Span,
}

/// The name of a type without its path and parameters.
pub(super) fn short_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        Type::Reference(reference) => short_name(&reference.elem),
        Type::Paren(inner) => short_name(&inner.elem),
        Type::Group(inner) => short_name(&inner.elem),
        Type::Tuple(_) => "tuple".to_owned(),
        Type::Array(_) => "array".to_owned(),
        other => other.to_token_stream().to_string(),
    }
}

impl Message {
    /// The name of its type, without path and parameters.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Given { place, .. } => short_name(place),
            Self::Generated(message) => message.ident.to_string(),
        }
    }

    /// The type of the message.
    pub(crate) fn ty(&self) -> TokenStream {
        match self {
            Self::Given { ty, .. } => ty.clone(),
            Self::Generated(Generated { ident, generics, .. }) => {
                let used = generics.used();
                quote!(#ident #used)
            }
        }
    }
}

impl Module {
    /// Reads the impl; gives it back if it is not that of a module, the reason being reported.
    pub(crate) fn new(
        args: ImplArgs,
        mut block: ImplBlock,
        krate: &TokenStream,
        errors: &mut Errors,
    ) -> Result<Self, Box<ImplBlock>> {
        let Some(ident) = type_name(&block, errors) else {
            strip(&mut block, krate);
            return Err(Box::new(block));
        };
        let self_ty = block.self_ty.to_token_stream();
        let generics = Generics::new(&block.generics, &self_ty).sendable();
        if !generics.is_empty() {
            let implied = generics.implied().map(|predicate| -> WherePredicate { parse_quote!(#predicate) });
            block.generics.make_where_clause().predicates.extend(implied);
        }
        let mut reader = Reader {
            krate,
            ident: &ident,
            self_ty: &self_ty,
            generics: &generics,
            remote: args.remote,
            errors,
            attributes: Vec::new(),
        };
        let (mut handlers, mut ticks, mut events) = (Vec::new(), Vec::new(), Vec::new());
        let (mut checks, mut hooks) = (Vec::new(), Vec::new());
        let (mut takes, mut restores) = (Vec::new(), Vec::new());
        for item in &mut block.items {
            let Item::Method(method) = item else { continue };
            let Some((role, attr)) = reader.take_role(method) else { continue };
            match role {
                Role::Handler => handlers.extend(reader.handler(&attr, method)),
                Role::Request => handlers.extend(reader.request(&attr, method)),
                Role::Tick => ticks.push(reader.tick(&attr, method)),
                Role::Event => events.extend(reader.event(&attr, method)),
                Role::Snapshot => takes.push(reader.take(&attr, method)),
                Role::Restore => restores.extend(reader.restore(&attr, method)),
                Role::Health => checks.push(reader.check(&attr, method)),
                role => hooks.push(reader.hook(role, &attr, method)),
            }
            signature::complete(&mut method.sig);
        }
        let attributes = reader.attributes;
        let visibility = args
            .visibility
            .map_or_else(|| (parse_quote!(pub), ident.span()), |(visibility, literal)| (visibility, literal.span()));
        Ok(Self {
            block,
            ident,
            self_ty,
            generics,
            replaces: args.replaces,
            visibility,
            handlers,
            ticks,
            events,
            checks,
            hooks,
            takes,
            restores,
            attributes,
        })
    }
}

/// The name of the type that the impl is for.
fn type_name(block: &ImplBlock, errors: &mut Errors) -> Option<Ident> {
    let Type::Path(path) = &block.self_ty else {
        errors.push(
            &block.self_ty,
            format!(
                "`{}` cannot be a module: write `#[module]` above the impl of a struct or an enum of yours",
                show(&block.self_ty)
            ),
        );
        return None;
    };
    let last = path.path.segments.last()?;
    if let Some((of_trait, for_token)) = &block.of_trait {
        let place = quote!(#of_trait #for_token);
        let name = &last.ident;
        errors.push(
            place,
            format!("`#[module]` goes on the module's own impl, not on that of a trait: write `#[module] impl {name} {{ .. }}`, and leave `impl {} for {name}` without it", show(of_trait)),
        );
        return None;
    }
    if path.qself.is_some() {
        errors.push(
            &block.self_ty,
            "`#[module]` has to know the module's name: write the type's own, as in `impl Counter`",
        );
        return None;
    }
    for param in &block.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.push(
                lifetime,
                format!(
                    "a module lives as long as its system, and `{}` borrows for `{}`: own the data, or write `'static`",
                    last.ident, lifetime.lifetime
                ),
            );
            return None;
        }
    }
    Some(last.ident.clone())
}

/// Takes our attributes off an impl that is not read any further.
fn strip(block: &mut ImplBlock, krate: &TokenStream) {
    for item in &mut block.items {
        if let Item::Method(method) = item {
            method.attrs.retain(|attr| Role::of(attr, krate).is_none());
        }
    }
}
