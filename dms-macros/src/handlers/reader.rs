//! Reads the methods of an impl into handlers, ticks, event handlers, health checks and hooks.
//!
//! What is wrong with a method is reported, and read as what it means as far as that can be told: the names that it gives to
//! messages, variants and methods of the reference are those that the rest of the program uses.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Pat, Path, ReturnType, Type};

use super::args::{self, EventArgs, HandlerArgs, HealthArgs, Limit, Role, camel};
use super::model::{Check, Described, Event, Field, Generated, Handler, Hook, Message, Reach, Tick};
use super::owned::{self, Place};
use super::signature::{self, Argument, Kind, Written};
use crate::diagnostics::{Errors, show};
use crate::generics::Generics;
use crate::method::Method;

/// What the methods of one impl have in common.
pub(crate) struct Reader<'a> {
    pub(crate) krate: &'a TokenStream,
    pub(crate) ident: &'a Ident,
    pub(crate) self_ty: &'a TokenStream,
    pub(crate) generics: &'a Generics,
    /// Where it is said that all handlers are reached by name.
    pub(crate) remote: Option<Span>,
    pub(crate) errors: &'a mut Errors,
    /// The paths of the attributes taken off so far, each once.
    pub(crate) attributes: Vec<Path>,
}

impl Reader<'_> {
    /// Takes our attributes off the method: there may be one.
    pub(crate) fn take_role(&mut self, method: &mut Method) -> Option<(Role, Attribute)> {
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

    pub(super) fn described(&self, method: &Method) -> Described {
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
                    *text = LitStr::new(&linked, text.span());
                }
                attr
            })
            .collect()
    }

    pub(crate) fn handler(&mut self, attr: &Attribute, method: &mut Method) -> Option<Handler> {
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
        if let Some(inline) = args.inline {
            self.check_inline(&name, inline, method, &written);
            if let Some(Limit { span, .. }) = args.deadline {
                self.errors.at(span, format!("handler `{name}` is `inline`, and whoever asks runs it to its end: remove `deadline`, or `inline`"));
            }
        }
        if let Some(retry) = args.retry {
            self.check_retry(&name, retry.span, args.inline, &written);
        }
        let HandlerArgs { boxed, inline, remote, local, deadline, retry, .. } = args;
        let reach = self.reach(&name, remote, local);
        if let Reach::Remote(_) = reach {
            self.refuse_static(&name, method, &written);
        }
        Some(Handler { call, item, message, reply, reply_span, is_detached, boxed, inline, reach, deadline, retry })
    }

    /// From where a handler is reached.
    fn reach(&mut self, handler: &str, remote: Option<Span>, local: Option<Span>) -> Reach {
        let remote = remote.or(self.remote);
        if let (None, Some(local)) = (remote, local) {
            self.errors.at(local, format!("handler `{handler}` is `local`, as all handlers are of a module that is not `remote`: remove `local`, or write `#[module(remote)]` above the impl"));
        }
        remote.filter(|_| local.is_none()).map_or(Reach::Local, Reach::Remote)
    }

    /// What is read from bytes has to own what it holds.
    fn refuse_static(&mut self, handler: &str, method: &Method, written: &[Written<'_>]) {
        let returned = match &method.sig.output {
            ReturnType::Type(_, ty) => Some((&**ty, "its reply")),
            ReturnType::Default => None,
        };
        let arguments = written.iter().filter_map(|argument| match &argument.kind {
            Kind::Message => Some((argument.ty, "its message")),
            Kind::Reply(reply) => Some((&**reply, "its reply")),
            Kind::Context | Kind::Inbox => None,
        });
        for (ty, what) in arguments.chain(returned) {
            if let Type::Reference(reference) = ty
                && reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
            {
                let owned = owned::owned_form(&reference.elem);
                self.errors.push(ty, format!("handler `{handler}` is `remote`, and {what} borrows, which nothing that is read from bytes can: write {owned}, or remove `remote`"));
            }
        }
    }

    /// The method that takes the requests that no handler has the name of: a handler of the message `Request`.
    pub(crate) fn request(&mut self, attr: &Attribute, method: &Method) -> Option<Handler> {
        let form = "`fn handle_request(&mut self, request: &Request) -> Response`";
        let item = self.described(method);
        let deadline = args::of_request(attr, &item.name, self.errors);
        let subject = format!("request method `{}`", item.name);
        let (mut call, written) = signature::read(Role::Request, &method.sig, self.errors);
        self.refuse_inbox(&subject, &written);
        let mut requests = written.iter().filter(|argument| matches!(argument.kind, Kind::Message));
        let Some(request) = requests.next() else {
            self.errors.push(&method.sig.ident, format!("{subject} takes no request: write {form}"));
            return None;
        };
        for second in requests {
            self.errors
                .push(second.pat, format!("{subject} takes `{}` besides the request: write {form}", show(second.pat)));
        }
        for reply in written.iter().filter(|argument| matches!(argument.kind, Kind::Reply(_))) {
            self.errors.push(reply.ty, format!("{subject} responds with what it returns: write {form}"));
        }
        if matches!(method.sig.output, ReturnType::Default) {
            self.errors.push(&method.sig.ident, format!("{subject} returns no response: write {form}"));
        }
        let argument = Argument::Request {
            name: Ident::new("message", request.ty.span()),
            is_borrowed: matches!(request.ty, Type::Reference(_)),
        };
        call.arguments = arguments(&written, || Some(argument.clone()));
        let krate = self.krate;
        let message = Message::Given {
            ty: quote!(#krate::Request),
            place: request.ty.clone(),
            name: format_ident!("request", span = method.sig.ident.span()),
        };
        let reply_span = match &method.sig.output {
            ReturnType::Default => method.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        Some(Handler {
            call,
            item,
            message,
            reply: quote!(#krate::Response),
            reply_span,
            is_detached: false,
            // The other messages of the module are not to pay for the size of it.
            boxed: true,
            inline: None,
            reach: Reach::AnyName(attr.span()),
            deadline,
            retry: None,
        })
    }

    /// Whoever asks runs the handler to its end: it cannot wait, nor answer later.
    fn check_inline(&mut self, handler: &str, inline: Span, method: &Method, written: &[Written<'_>]) {
        if method.sig.asyncness.is_some() {
            self.errors.at(inline, format!("handler `{handler}` is `inline` and `async`, and whoever asks runs it to its end: remove `async`, or `inline`"));
        }
        if let Some(reply) = written.iter().find(|argument| matches!(argument.kind, Kind::Reply(_))) {
            self.errors.push(
                reply.ty,
                format!("handler `{handler}` is `inline`, so its answer is what it returns: return it, and remove `{}`; or remove `inline`", show(reply.pat)),
            );
        }
    }

    /// A message is handled again in the module's own task, and its reply has to be there still.
    fn check_retry(&mut self, handler: &str, retry: Span, inline: Option<Span>, written: &[Written<'_>]) {
        if inline.is_some() {
            self.errors.at(
                retry,
                format!("handler `{handler}` is `inline`, and who asks has one answer: remove `retry`, or `inline`"),
            );
        }
        if let Some(reply) = written.iter().find(|argument| matches!(argument.kind, Kind::Reply(_))) {
            self.errors.push(
                reply.ty,
                format!("handler `{handler}` has a `retry`, and a `ReplyTo` that is gone after the first try: return the answer, and remove `{}`; or remove `retry`", show(reply.pat)),
            );
        }
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

    pub(crate) fn tick(&mut self, attr: &Attribute, method: &Method) -> Tick {
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
        let (every, deadline) = args::of_tick(attr, name, self.errors);
        Tick { call, item, every: every.unwrap_or(Duration::MAX), deadline }
    }

    pub(crate) fn event(&mut self, attr: &Attribute, method: &Method) -> Option<Event> {
        let item = self.described(method);
        let name = item.name.clone();
        let args = EventArgs::parse(attr, &name, self.errors);
        let (mut call, written) = signature::read(Role::Event, &method.sig, self.errors);
        let subject = format!("event handler `{name}`");
        self.refuse_inbox(&subject, &written);
        for reply in written.iter().filter(|argument| matches!(argument.kind, Kind::Reply(_))) {
            self.errors.push(
                reply.ty,
                format!("{subject} takes a `ReplyTo`, and it answers by what it returns: remove `{}`, and return an `EventResponse`", show(reply.pat)),
            );
        }
        call.arguments = arguments(&written, || Some(Argument::Message));
        let form = if args.custom.is_some() { "event: &Custom" } else { "event: &MemoryPressure" };
        let mut events = written.iter().filter(|argument| matches!(argument.kind, Kind::Message));
        let Some(first) = events.next() else {
            self.errors.push(&method.sig.ident, format!("{subject} takes no event: write its type, as in `{form}`"));
            return None;
        };
        for second in events {
            self.errors.push(
                second.pat,
                format!(
                    "{subject} takes more than one event: remove `{}`, and write a method of its own for it",
                    show(second.pat)
                ),
            );
        }
        let mut place = self.event_type(&subject, first.ty);
        owned::check(&mut place, Place::Event { handler: &name }, self.errors);
        if args.custom.is_some() && !is_named(&place, "Custom") {
            self.errors.push(
                first.ty,
                format!(
                    "{subject} takes custom events, which are of the type `Custom`: write `&Custom`, or remove `custom`"
                ),
            );
        }
        let output = match &method.sig.output {
            ReturnType::Default => method.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        let ty = signature::outside(&place, self.self_ty);
        Some(Event { call, item, ty, place, args, output })
    }

    /// The type behind the reference.
    fn event_type(&mut self, subject: &str, written: &Type) -> Type {
        let mut ty = written;
        while let Type::Group(group) = ty {
            ty = &group.elem;
        }
        let Type::Reference(reference) = ty else {
            let shown = show(ty);
            self.errors.push(
                ty,
                format!("{subject} takes its event by value, and all its subscribers share it: write `&{shown}`"),
            );
            return ty.clone();
        };
        let inner = &*reference.elem;
        if let Some(mutability) = &reference.mutability {
            let shown = show(inner);
            self.errors.push(
                mutability,
                format!("{subject} would change an event that all its subscribers share: write `&{shown}`"),
            );
        }
        if let Some(variant) = variant_of_event(inner) {
            self.errors.push(
                inner,
                format!("{subject} takes a variant, which is no type: write `&{variant}` of `dms::event`, or take `&Event` and match on it"),
            );
            return syn::parse_quote!(());
        }
        if matches!(inner, Type::Slice(_) | Type::TraitObject(_)) || is_named(inner, "str") {
            let shown = show(inner);
            self.errors.push(inner, format!("{subject}: `{shown}` is not the type of a value that can be published: take a reference to an owned type, as in {}", owned::owned_form(inner).replacen('`', "`&", 1)));
            return syn::parse_quote!(());
        }
        inner.clone()
    }

    pub(crate) fn check(&mut self, attr: &Attribute, method: &Method) -> Check {
        let item = self.described(method);
        let args = HealthArgs::parse(attr, &item.name, self.errors);
        let subject = format!("health check `{}`", item.name);
        let (mut call, written) = signature::read(Role::Health, &method.sig, self.errors);
        self.refuse_inbox(&subject, &written);
        self.refuse_messages(
            &subject,
            "a check comes without a message",
            "`#[handler]`, or remove the argument",
            &written,
        );
        call.arguments = arguments(&written, || None);
        let output = match &method.sig.output {
            ReturnType::Type(_, ty) if !signature::is_unit(ty) => ty.span(),
            output => {
                let place = if matches!(output, ReturnType::Default) { method.sig.ident.span() } else { output.span() };
                self.errors.at(place, format!("{subject} says nothing of how the module is: return a `HealthStatus`, as in `fn {}(&self) -> HealthStatus`", item.name));
                place
            }
        };
        Check { call, item, args, output }
    }

    pub(crate) fn hook(&mut self, role: Role, attr: &Attribute, method: &Method) -> Hook {
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

    pub(super) fn refuse_inbox(&mut self, subject: &str, written: &[Written<'_>]) {
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

/// Whether this is a type of the name, by whatever path.
fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// What to pass for each argument; `message` says so for those that are (part of) the message.
pub(super) fn arguments(written: &[Written<'_>], mut message: impl FnMut() -> Option<Argument>) -> Vec<Argument> {
    let argument = |argument: &Written<'_>| match argument.kind {
        Kind::Context => Some(Argument::Context),
        Kind::Inbox => Some(Argument::Inbox),
        Kind::Reply(_) => Some(Argument::Reply),
        Kind::Message => message(),
    };
    written.iter().filter_map(argument).collect()
}

/// `Shutdown`, if the type is written `Event::Shutdown`.
fn variant_of_event(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let mut segments = path.path.segments.iter().rev();
    let variant = segments.next()?;
    segments.next().is_some_and(|around| around.ident == "Event").then(|| variant.ident.to_string())
}
