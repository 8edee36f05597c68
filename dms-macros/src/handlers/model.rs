//! What a module does: its handlers, ticks and hooks, read from the impl.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, GenericParam, Lit, Meta, Pat, ReturnType, Type, Visibility, WherePredicate, parse_quote,
};

use super::args::{self, HandlerArgs, ImplArgs, Role, camel};
use super::owned::{self, Place};
use super::signature::{self, Argument, Call, Kind, Written};
use crate::diagnostics::{Errors, show};
use crate::generics::Generics;
use crate::method::{ImplBlock, Item, Method};

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
    /// The visibility of what is generated, and where it was given.
    pub(crate) visibility: (Visibility, Span),
    pub(crate) handlers: Vec<Handler>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) hooks: Vec<Hook>,
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

impl Message {
    /// The type of the message.
    pub(crate) fn ty(&self) -> TokenStream {
        match self {
            Self::Given { ty, .. } => ty.clone(),
            Self::Generated(Generated { ident, generics, .. }) => {
                let used = generics.used();
                quote::quote!(#ident #used)
            }
        }
    }
}

impl Module {
    /// Reads the impl; `None` if it is not one of a module, the reason being reported.
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
        let mut reader =
            Reader { krate, ident: &ident, self_ty: &self_ty, generics: &generics, errors, attributes: Vec::new() };
        let (mut handlers, mut ticks, mut hooks) = (Vec::new(), Vec::new(), Vec::new());
        for item in &mut block.items {
            let Item::Method(method) = item else { continue };
            let Some((role, attr)) = reader.take_role(method) else { continue };
            match role {
                Role::Handler => handlers.extend(reader.handler(&attr, method)),
                Role::Tick => ticks.extend(reader.tick(&attr, method)),
                role => hooks.push(reader.hook(role, &attr, method)),
            }
            signature::complete(&mut method.sig);
        }
        let attributes = reader.attributes;
        let visibility = args
            .visibility
            .map_or_else(|| (parse_quote!(pub), ident.span()), |(visibility, literal)| (visibility, literal.span()));
        Ok(Self { block, ident, self_ty, generics, visibility, handlers, ticks, hooks, attributes })
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
        let place = quote::quote!(#of_trait #for_token);
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

struct Reader<'a> {
    krate: &'a TokenStream,
    ident: &'a Ident,
    self_ty: &'a TokenStream,
    generics: &'a Generics,
    errors: &'a mut Errors,
    attributes: Vec<syn::Path>,
}

impl Reader<'_> {
    /// Takes our attributes off the method: there may be one.
    fn take_role(&mut self, method: &mut Method) -> Option<(Role, Attribute)> {
        let name = method.sig.ident.unraw();
        for attr in &method.attrs {
            if let Some(role) = Role::in_cfg_attr(attr) {
                let role = role.name();
                self.errors.push(attr, format!("method `{name}`: `#[{role}]` cannot depend on a condition: write `#[{role}]`, and `#[cfg(..)]` beside it"));
            }
        }
        let mut roles = Vec::new();
        method.attrs.retain(|attr| match Role::of(attr, self.krate) {
            Some(role) => {
                roles.push((role, attr.clone()));
                false
            }
            None => Role::in_cfg_attr(attr).is_none(),
        });
        for (_, attr) in &roles {
            if !self.attributes.contains(attr.path()) {
                self.attributes.push(attr.path().clone());
            }
        }
        let mut roles = roles.into_iter();
        let first = roles.next()?;
        method.is_called = true;
        for (role, attr) in roles {
            let (first, role) = (first.0.name(), role.name());
            let message = if first == role {
                format!("method `{name}` has `#[{role}]` twice: keep one of them")
            } else {
                format!(
                    "method `{name}` is `#[{first}]` already: remove `#[{role}]`, and write a method of its own for it"
                )
            };
            self.errors.push(attr, message);
        }
        Some(first)
    }

    fn described(&self, method: &Method) -> Described {
        let name = method.sig.ident.unraw().to_string();
        let named = |key: &'static str| move |attr: &&Attribute| attr.path().is_ident(key);
        Described {
            variant: Ident::new(&camel(&name), method.sig.ident.span()),
            docs: self.docs(&method.attrs),
            cfgs: method.attrs.iter().filter(named("cfg")).cloned().collect(),
            deprecated: method.attrs.iter().find(named("deprecated")).cloned(),
            name,
        }
    }

    /// The doc comments, with links to `Self` that hold outside of the impl.
    fn docs(&self, attrs: &[Attribute]) -> Vec<Attribute> {
        let docs = attrs.iter().filter(|attr| attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_)));
        docs.cloned()
            .map(|mut attr| {
                if let Meta::NameValue(doc) = &mut attr.meta
                    && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &mut doc.value
                    && text.value().contains("Self")
                {
                    let linked = text.value().replace("[`Self", &format!("[`{}", self.ident));
                    *text = syn::LitStr::new(&linked, text.span());
                }
                attr
            })
            .collect()
    }

    fn handler(&mut self, attr: &Attribute, method: &mut Method) -> Option<Handler> {
        let item = self.described(method);
        let name = item.name.clone();
        let args = HandlerArgs::parse(attr, &name, self.errors);
        let argument_attrs = match args.name {
            Some(_) => method.take_argument_attrs(),
            None => Vec::new(),
        };
        let (mut call, written) = signature::read(Role::Handler, &method.sig, self.errors);
        self.refuse_inbox(&format!("handler `{name}`"), &written);
        let (reply, reply_span) = self.reply(&name, method, &written);
        let is_detached = written.iter().any(|argument| matches!(argument.kind, Kind::Reply(_)));
        let message = if let Some(ident) = args.name {
            let fields = self.fields(&name, &written, &argument_attrs);
            let types: TokenStream = fields.iter().map(|field| field.ty.clone()).collect();
            let mut names = fields.iter().map(|field| Argument::Field(field.ident.clone()));
            call.arguments = arguments(&written, || names.next());
            Message::Generated(Generated {
                ident,
                generics: self.generics.needed_by(&types),
                fields,
                derive: args.derive,
            })
        } else {
            call.arguments = arguments(&written, || Some(Argument::Message));
            self.message(&name, method, &written)?
        };
        Some(Handler { call, item, message, reply, reply_span, is_detached, boxed: args.boxed })
    }

    /// The one argument that is the message.
    fn message(&mut self, handler: &str, method: &Method, written: &[Written<'_>]) -> Option<Message> {
        let mut messages = written.iter().filter(|argument| matches!(argument.kind, Kind::Message));
        let Some(first) = messages.next() else {
            self.errors.push(
                &method.sig.ident,
                format!("handler `{handler}` takes no message: write `#[handler({})]` to generate one, or take one as in `message: {0}`", camel(handler)),
            );
            return None;
        };
        for second in messages {
            self.errors.push(
                second.pat,
                format!(
                    "handler `{handler}` takes more than one message: write `#[handler({})]` to generate one from the \
                     arguments, or one type that has both in it",
                    camel(handler)
                ),
            );
        }
        let mut ty = first.ty.clone();
        owned::check(&mut ty, Place::Message { handler }, self.errors);
        let name = match first.pat {
            Pat::Ident(pat) if pat.subpat.is_none() => {
                // A capital is a unit struct or a constant, and a pattern without a name.
                let plain = pat.ident.to_string().trim_start_matches('_').to_owned();
                let name = (!plain.starts_with(char::is_uppercase)).then(|| syn::parse_str(&plain).ok()).flatten();
                let mut name = name.unwrap_or_else(|| format_ident!("message"));
                name.set_span(pat.ident.span());
                name
            }
            _ => format_ident!("message"),
        };
        Some(Message::Given { ty: signature::outside(&ty, self.self_ty), place: ty, name })
    }

    /// The arguments that become fields.
    fn fields(&mut self, handler: &str, written: &[Written<'_>], attrs: &[Vec<Attribute>]) -> Vec<Field> {
        let mut fields = Vec::new();
        for (argument, attrs) in written.iter().zip(attrs) {
            if !matches!(argument.kind, Kind::Message) {
                continue;
            }
            let mut ty = argument.ty.clone();
            let ident = match argument.pat {
                Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => pat.ident.clone(),
                pat => {
                    self.errors.push(pat, format!("handler `{handler}`: `{}` gives the field of the generated message no name: write a name here, and take it apart in the body", show(pat)));
                    format_ident!("field{}", fields.len(), span = pat.span())
                }
            };
            owned::check(&mut ty, Place::Field { handler, field: &ident }, self.errors);
            fields.push(Field { ident, ty: signature::outside(&ty, self.self_ty), attrs: self.field_attrs(attrs) });
        }
        fields
    }

    fn field_attrs(&self, attrs: &[Attribute]) -> Vec<Attribute> {
        let others = attrs.iter().filter(|attr| !attr.path().is_ident("doc")).cloned();
        self.docs(attrs).into_iter().chain(others).collect()
    }

    /// The type of the reply: what is returned, or what `ReplyTo` says.
    fn reply(&mut self, handler: &str, method: &Method, written: &[Written<'_>]) -> (TokenStream, Span) {
        let output = signature::output(&method.sig);
        let answered = written.iter().find_map(|argument| match &argument.kind {
            Kind::Reply(reply) => Some((**reply).clone()),
            _ => None,
        });
        let is_answered = answered.is_some();
        let mut reply = match answered {
            Some(reply) => {
                if !signature::is_unit(&output) {
                    self.errors.push(
                        &output,
                        format!("handler `{handler}` answers through its `ReplyTo`, and returns a value besides: return nothing, or remove the `ReplyTo`"),
                    );
                }
                reply
            }
            None => output,
        };
        owned::check(&mut reply, Place::Reply { handler }, self.errors);
        let span = match &method.sig.output {
            ReturnType::Default if !is_answered => method.sig.ident.span(),
            _ => reply.span(),
        };
        (signature::outside(&reply, self.self_ty), span)
    }

    fn tick(&mut self, attr: &Attribute, method: &Method) -> Option<Tick> {
        let item = self.described(method);
        let name = &item.name;
        let (mut call, written) = signature::read(Role::Tick, &method.sig, self.errors);
        self.refuse_inbox(&format!("tick `{name}`"), &written);
        self.refuse_messages(
            &format!("tick `{name}`"),
            "a tick comes without a message",
            "`#[handler]`, and request the tick with `ctx.self_ref().request_tick(..)`",
            &written,
        );
        let output = signature::output(&method.sig);
        if !signature::is_unit(&output) {
            self.errors.push(&output, format!("tick `{name}` returns a value, and nobody asked for one: return nothing, and log or keep what happened"));
        }
        call.arguments = arguments(&written, || None);
        let every = args::every(attr, name, self.errors)?;
        Some(Tick { call, item, every })
    }

    fn hook(&mut self, role: Role, attr: &Attribute, method: &Method) -> Hook {
        args::no_arguments(attr, role, self.errors);
        let name = method.sig.ident.unraw();
        let subject = format!("hook `{name}`");
        let (mut call, written) = signature::read(role, &method.sig, self.errors);
        if role == Role::Run {
            self.check_run(&subject, method, &written);
        } else {
            self.refuse_inbox(&subject, &written);
        }
        self.refuse_messages(
            &subject,
            "a hook comes without a message",
            "`#[handler]`, or remove the argument",
            &written,
        );
        call.arguments = arguments(&written, || None);
        let cfgs = method.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        let output = match &method.sig.output {
            ReturnType::Default => method.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        Hook { role, call, cfgs, output }
    }

    fn check_run(&mut self, subject: &str, method: &Method, written: &[Written<'_>]) {
        let form = "`async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>)`";
        if method.sig.asyncness.is_none() {
            self.errors.push(
                method.sig.fn_token,
                format!("{subject} is the module's loop, and would block the thread: write {form}"),
            );
        }
        if !written.iter().any(|argument| matches!(argument.kind, Kind::Inbox)) {
            self.errors.push(
                &method.sig.ident,
                format!("{subject} is the module's loop, and has no inbox to receive from: write {form}"),
            );
        }
    }

    fn refuse_inbox(&mut self, subject: &str, written: &[Written<'_>]) {
        for argument in written.iter().filter(|argument| matches!(argument.kind, Kind::Inbox)) {
            self.errors.push(
                argument.ty,
                format!(
                    "{subject} takes the `Inbox`, which belongs to the module's loop: remove `{}`, or write `#[run]`",
                    show(argument.pat)
                ),
            );
        }
    }

    fn refuse_messages(&mut self, subject: &str, reason: &str, remedy: &str, written: &[Written<'_>]) {
        for argument in written {
            match argument.kind {
                Kind::Message => {
                    let pat = show(argument.pat);
                    self.errors.push(argument.ty, format!("{subject} takes `{pat}`, and {reason}: take `ctx: &mut Context<Self>` only, or write {remedy}"));
                }
                Kind::Reply(_) => self.errors.push(
                    argument.ty,
                    format!(
                        "{subject} takes a `ReplyTo`, and nobody waits for an answer: remove `{}`",
                        show(argument.pat)
                    ),
                ),
                Kind::Context | Kind::Inbox => {}
            }
        }
    }
}

/// What to pass for each argument; `message` says so for those that are (part of) the message.
fn arguments(written: &[Written<'_>], mut message: impl FnMut() -> Option<Argument>) -> Vec<Argument> {
    let argument = |argument: &Written<'_>| match argument.kind {
        Kind::Context => Some(Argument::Context),
        Kind::Inbox => Some(Argument::Inbox),
        Kind::Reply(_) => Some(Argument::Reply),
        Kind::Message => message(),
    };
    written.iter().filter_map(argument).collect()
}
