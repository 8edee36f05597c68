//! The impls that make the module's type a module. What its messages look like is in [`messages`](super::messages).

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use syn::Attribute;
use syn::spanned::Spanned;

use super::args::{Limit, Retry, Role};
use super::model::{self, Check, Described, Event, Handler, Hook, Module, Reach, Tick};
use super::signature::{Argument, Call};
use crate::duration;
use crate::stray;

/// What generated functions do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bodies {
    /// Call the handlers.
    Real,
    /// Nothing: the module has mistakes that were reported.
    Stubs,
}

/// Writes the items of one module.
pub(super) struct Emitter<'a> {
    pub(super) module: &'a Module,
    pub(super) bodies: Bodies,
    pub(super) krate: &'a TokenStream,
}

impl Emitter<'_> {
    /// The impl as the user wrote it.
    pub(super) fn implementation(&self) -> TokenStream {
        self.module.block.to_token_stream()
    }

    /// The attributes of every generated item: the impl's own conditions, and no lints in code that nobody wrote.
    pub(super) fn attrs(&self) -> TokenStream {
        let cfgs = self.cfgs();
        quote! {
            #(#cfgs)*
            #[allow(
                deprecated, private_bounds, private_interfaces, unreachable_pub, unused,
                clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction,
            )]
        }
    }

    /// The conditions of the impl that were not expanded yet.
    fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.module.block.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }

    /// All that has no name, in one item.
    pub(super) fn impls(&self) -> TokenStream {
        let attrs = self.attrs();
        let (attributes, message_set) = (self.attributes(), self.message_set());
        let (data, handlers, takes) = (self.data(), self.handlers(), self.takes());
        let (module, reference) = (self.module(), self.reference_impl());
        quote! {
            #attrs
            const _: () = {
                #attributes
                #message_set
                #data
                #handlers
                #takes
                #module
                #reference
            };
        }
    }

    /// Our attributes once more, on nothing: they were taken off the methods, but are used, have to be imported, and are found by an
    /// editor.
    fn attributes(&self) -> TokenStream {
        let used = self.module.attributes.iter().map(|path| {
            let mark = Ident::new(stray::USED, Span::call_site());
            quote_spanned!(path.span()=> #[#path(#mark)] const _: () = ();)
        });
        used.collect()
    }

    /// A name of the runtime crate, shown at the module's type: what is missing is missing there.
    pub(super) fn path(&self, name: &str) -> TokenStream {
        let span = self.module.ident.span();
        let (krate, name) = (self.krate, Ident::new(name, span));
        respanned(quote!(#krate::#name), span)
    }

    /// `impl MessageSet<Counter> for CounterMessage`
    fn message_set(&self) -> TokenStream {
        let Self { krate, module, .. } = self;
        let (enum_ty, self_ty) = (self.enum_ty(), &module.self_ty);
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let trait_path = self.path("MessageSet");
        let output = quote_spanned! {module.ident.span()=>
            impl ::core::future::Future<Output = ()> + ::core::marker::Send
        };
        let named = self.variants().map(|(variant, cfgs, name)| quote!(#(#cfgs)* Self::#variant { .. } => #name,));
        let sent = module.handlers.iter().map(|handler| (&handler.item, handler.message.name()));
        let published = module.events.iter().map(|event| (&event.item, model::short_name(&event.place)));
        let ticks = module.ticks.iter().map(|tick| &tick.item);
        let untyped = ticks.chain(module.takes.iter().map(|take| &take.item));
        let untyped = untyped.chain(module.checks.iter().map(|check| &check.item));
        let untyped = untyped.map(|item| (item, item.name.clone()));
        let typed = sent.chain(published).chain(untyped).map(|(item, name)| {
            let (variant, cfgs) = (&item.variant, &item.cfgs);
            quote!(#(#cfgs)* Self::#variant { .. } => #name,)
        });
        let dispatched = module.handlers.iter().map(|handler| self.dispatch_message(handler));
        let dispatched = dispatched.chain(module.ticks.iter().map(|tick| self.dispatch_tick(tick)));
        let dispatched = dispatched.chain(module.events.iter().map(|event| self.dispatch_event(event)));
        let dispatched = dispatched.chain(module.takes.iter().map(|take| self.dispatch_take(take)));
        let dispatched = dispatched.chain(module.checks.iter().map(|check| self.dispatch_check(check)));
        let (unused_name, unused) = match self.unused_variant() {
            Some(_) => (
                quote!(Self::__Unused(never, ..) => match never {},),
                quote!(Self::__Unused(never, ..) => match never {},),
            ),
            None => (TokenStream::new(), TokenStream::new()),
        };
        let dispatch = match self.bodies {
            Bodies::Real => {
                let missing = self.missing();
                quote!(match self { #(#dispatched)* #unused #missing })
            }
            Bodies::Stubs => stub(),
        };
        let (owner, matched) = (self.owner(), self.matched(&quote!(*self)));
        quote! {
            #[automatically_derived]
            impl #declared #trait_path<#self_ty> for #enum_ty #where_clause {
                type Owner = #owner;

                fn name(&self) -> &'static str {
                    match #matched { #(#named)* #unused_name }
                }

                fn message_name(&self) -> &'static str {
                    match #matched { #(#typed)* #unused_name }
                }

                fn dispatch(self, module: &mut #self_ty, ctx: &mut #krate::Context<#self_ty>) -> #output {
                    async move { #dispatch }
                }
            }
        }
    }

    /// Each variant with its conditions and its handler's name.
    fn variants(&self) -> impl Iterator<Item = (&Ident, &[Attribute], &str)> {
        let handlers = self.module.handlers.iter().map(|handler| &handler.item);
        let ticks = self.module.ticks.iter().map(|tick| &tick.item);
        let events = self.module.events.iter().map(|event| &event.item);
        let takes = self.module.takes.iter().map(|take| &take.item);
        let checks = self.module.checks.iter().map(|check| &check.item);
        let items = handlers.chain(ticks).chain(events).chain(checks).chain(takes);
        items.map(|item| (&item.variant, &item.cfgs[..], item.name.as_str()))
    }

    fn dispatch_message(&self, handler: &Handler) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&handler.item.variant, &handler.item.name, &handler.item.cfgs);
        let unboxed = self.unboxed(handler);
        if handler.is_detached {
            let call = self.limited(&handler.call, &handler.item, handler.deadline);
            return quote! {
                #(#cfgs)*
                Self::#variant(message, reply) => {
                    if !#krate::__private::begin_detached(&reply, #name, ctx) { return; }
                    #unboxed
                    #call;
                }
            };
        }
        if let Some(retry) = handler.retry {
            return self.dispatch_again(handler, retry);
        }
        if let Some(deadline) = handler.deadline {
            let future = self.answering(handler);
            let within = self.within(deadline, name, &quote!(reply), &future);
            return quote! {
                #(#cfgs)*
                Self::#variant(message, reply) => {
                    if !#krate::__private::begin(&reply, #name, ctx) { return; }
                    #unboxed
                    let (answer, reply) = #within;
                    reply.send(answer);
                }
            };
        }
        let call = if handler.call.is_async {
            let future = self.answering(handler);
            quote!(#future.await)
        } else {
            self.answer(handler, &quote!(module))
        };
        let sent = self.shown_at(quote!(reply.send(answer)), handler.reply_span);
        quote! {
            #(#cfgs)*
            Self::#variant(message, reply) => {
                if !#krate::__private::begin(&reply, #name, ctx) { return; }
                #unboxed
                let answer = #call;
                #sent;
            }
        }
    }

    /// As [`dispatch_message`](Self::dispatch_message), of a handler whose message is kept, with its reply, in case the handler fails.
    fn dispatch_again(&self, handler: &Handler, Retry { times, span }: Retry) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&handler.item.variant, &handler.item.name, &handler.item.cfgs);
        let ty = handler.message.ty();
        // Shown at `retry`: a message that cannot be cloned cannot be kept.
        let clone = respanned(quote!(<#ty as ::core::clone::Clone>::clone), span);
        let (taken, kept, unboxed) = if self.module.replaces.is_some() {
            (self.unboxed(handler), quote!(#krate::__private::Held::hold(#clone(&message))), TokenStream::new())
        } else if handler.boxed {
            (None, quote!(::std::boxed::Box::new(#clone(&message))), quote!(let message = *message;))
        } else {
            (None, quote!(#clone(&message)), TokenStream::new())
        };
        let future = self.answering(handler);
        let answer = if let Some(deadline) = handler.deadline {
            let within = self.within(deadline, name, &quote!(()), &future);
            quote!(#within.0)
        } else {
            quote!(#future.await)
        };
        quote! {
            #(#cfgs)*
            Self::#variant(message, reply) => {
                if !#krate::__private::begin(&reply, #name, ctx) { return; }
                #taken
                let kept = #krate::__private::keep(ctx, #times, Self::#variant(#kept, reply));
                #unboxed
                let answer = #answer;
                if let ::core::option::Option::Some(Self::#variant(_, reply)) = kept.take() {
                    reply.send(answer);
                }
            }
        }
    }

    /// The future of a handler's answer.
    fn answering(&self, handler: &Handler) -> TokenStream {
        if !handler.call.is_async {
            let answer = self.answer(handler, &quote!(module));
            return quote!(async { #answer });
        }
        // Through the trait, whose future is `Send` by declaration: one that is not is reported once, at the handler.
        let (krate, self_ty, ty) = (self.krate, &self.module.self_ty, handler.message.ty());
        quote!(<#self_ty as #krate::Handler<#ty>>::handle(module, message, ctx))
    }

    /// The call of a method of the module, held to its deadline if it has one.
    fn limited(&self, call: &Call, item: &Described, deadline: Option<Limit>) -> TokenStream {
        let Some(deadline) = deadline else { return self.call(call, &quote!(module)) };
        let start = self.start(call, &quote!(module));
        let future = if call.is_async { start } else { quote!(async { #start }) };
        let within = self.within(deadline, &item.name, &quote!(()), &future);
        quote!(#within.0)
    }

    /// Awaits a future that has so long, and what is dropped with it; gives its output and that back.
    fn within(&self, deadline: Limit, name: &str, held: &TokenStream, future: &TokenStream) -> TokenStream {
        let (krate, deadline) = (self.krate, duration::emit(deadline.after));
        quote!(#krate::__private::within(#deadline, #name, #held, #future).await)
    }

    fn dispatch_tick(&self, tick: &Tick) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&tick.item.variant, &tick.item.name, &tick.item.cfgs);
        let call = self.limited(&tick.call, &tick.item, tick.deadline);
        quote! {
            #(#cfgs)*
            Self::#variant => {
                #krate::__private::begin_tick(#name, ctx);
                #call;
            }
        }
    }

    fn dispatch_event(&self, event: &Event) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&event.item.variant, &event.item.name, &event.item.cfgs);
        let call = self.limited(&event.call, &event.item, event.args.deadline);
        let function = respanned(quote!(#krate::__private::event_output), event.output);
        // The block is what the error about a returned type points at.
        let result = quote_spanned!(event.output=> { #call });
        quote! {
            #(#cfgs)*
            Self::#variant(mut delivery) => {
                #krate::__private::begin_event(&mut delivery, #name, ctx);
                let message = delivery.event();
                let output = #function(#result);
                delivery.answer(output);
            }
        }
    }

    fn dispatch_check(&self, check: &Check) -> TokenStream {
        let krate = self.krate;
        let (variant, name, cfgs) = (&check.item.variant, &check.item.name, &check.item.cfgs);
        let call = self.call(&check.call, &quote!(module));
        let function = respanned(quote!(#krate::__private::health), check.output);
        // The block is what the error about a returned type points at.
        let result = quote_spanned!(check.output=> { #call });
        // Shown at `&self`, where a future that is not `Send` has to be one.
        let run = quote_spanned!(check.call.span=> check.run(async { #function(#result) }));
        quote! {
            #(#cfgs)*
            Self::#variant => {
                let ::core::option::Option::Some(check) = #krate::__private::begin_check(#name, ctx) else { return };
                #run.await;
            }
        }
    }

    /// The call of a handler, as the reply: what a `#[request]` method returns becomes one.
    fn answer(&self, handler: &Handler, receiver: &TokenStream) -> TokenStream {
        let call = self.call(&handler.call, receiver);
        if matches!(handler.reach, Reach::AnyName(_)) { self.response(handler, &call) } else { call }
    }

    /// The call of a method of the user's, awaited if it has to be.
    pub(super) fn call(&self, call: &Call, receiver: &TokenStream) -> TokenStream {
        let (future, awaited) = (self.start(call, receiver), call.is_async.then(|| quote!(.await)));
        quote!(#future #awaited)
    }

    /// The call of a method of the user's. Its path finds the module's own method before one of a trait.
    fn start(&self, call: &Call, receiver: &TokenStream) -> TokenStream {
        let (self_ty, method) = (&self.module.self_ty, &call.method);
        let arguments = call.arguments.iter().map(|argument| match argument {
            Argument::Context => quote!(ctx),
            Argument::Inbox => quote!(inbox),
            Argument::Reply => quote!(reply),
            Argument::Message => quote!(message),
            Argument::Request { name, is_borrowed } => {
                let borrow = is_borrowed.then(|| quote_spanned!(name.span()=> &));
                quote!(#borrow #name)
            }
            Argument::Field(field) => self.shown_at(quote!(message.#field), field.span()),
            Argument::State => quote!(state),
            Argument::Version => quote!(from),
        });
        quote!(<#self_ty>::#method(#receiver, #(#arguments),*))
    }

    /// `impl Accepts<Add, Counter> for CounterMessage` and `impl Handler<Add> for Counter`, for each handler.
    fn handlers(&self) -> TokenStream {
        self.module
            .handlers
            .iter()
            .flat_map(|handler| [self.accepts(handler), self.from(handler), self.answers(handler)])
            .collect()
    }

    fn accepts(&self, handler: &Handler) -> TokenStream {
        let Self { krate, module, .. } = self;
        let (enum_ty, self_ty, cfgs) = (self.enum_ty(), &module.self_ty, &handler.item.cfgs);
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let (ty, reply, variant, name) =
            (handler.message.ty(), &handler.reply, &handler.item.variant, &handler.item.name);
        let trait_path = self.path("Accepts");
        let trait_path = quote_spanned!(module.ident.span()=> #trait_path<#ty, #self_ty>);
        let inline = handler.inline.is_some().then(|| self.inline(handler));
        let (packed, unpacked) = self.held(handler);
        let given = self.shown_at(quote!(reply), handler.reply_span);
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl #declared #trait_path for #enum_ty #where_clause {
                fn handler() -> &'static str {
                    #name
                }

                fn pack(message: #ty, reply: #krate::ReplyTo<#reply>) -> Self {
                    Self::#variant(#packed, #given)
                }

                fn unpack(self) -> ::core::option::Option<#ty> {
                    match self {
                        Self::#variant(message, _) => ::core::option::Option::Some(#unpacked),
                        _ => ::core::option::Option::None,
                    }
                }

                #inline
            }
        }
    }

    /// What an asker calls that finds the module idle.
    fn inline(&self, handler: &Handler) -> TokenStream {
        let (krate, self_ty) = (self.krate, &self.module.self_ty);
        let (ty, reply) = (handler.message.ty(), &handler.reply);
        let answer = match self.bodies {
            Bodies::Real => {
                let call = self.call(&handler.call, &quote!(module));
                quote!(::core::option::Option::Some(#call))
            }
            Bodies::Stubs => stub(),
        };
        quote! {
            const INLINE: bool = true;

            fn answer(
                message: #ty,
                module: &mut #self_ty,
                ctx: &mut #krate::Context<#self_ty>,
            ) -> ::core::option::Option<#reply> {
                #answer
            }
        }
    }

    /// `impl Handler<Add> for Counter`, or `impl Answers<Add> for Counter` if the reply is not what the method returns.
    fn answers(&self, handler: &Handler) -> TokenStream {
        let module = self.module;
        let (self_ty, cfgs) = (&module.self_ty, &handler.item.cfgs);
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let (ty, reply) = (handler.message.ty(), &handler.reply);
        let reply = quote_spanned!(handler.reply_span=> type Reply = #reply;);
        let trait_path = self.path(if handler.is_detached { "Answers" } else { "Handler" });
        if handler.is_detached {
            return quote! {
                #(#cfgs)*
                #[automatically_derived]
                impl #declared #trait_path<#ty> for #self_ty #where_clause {
                    #reply
                }
            };
        }
        let handle = self.handle(handler);
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl #declared #trait_path<#ty> for #self_ty #where_clause {
                #reply

                #handle
            }
        }
    }

    /// The method of `Handler`. It returns the user's own future: nothing is wrapped around it.
    fn handle(&self, handler: &Handler) -> TokenStream {
        let (krate, ty, reply) = (self.krate, handler.message.ty(), &handler.reply);
        let output = quote_spanned! {handler.call.span=>
            impl ::core::future::Future<Output = #reply> + ::core::marker::Send
        };
        let start = self.start(&handler.call, &quote!(self));
        let body = match self.bodies {
            // The method borrows the request, which the future has to own.
            Bodies::Real if matches!(handler.reach, Reach::AnyName(_)) => {
                let answer = self.answer(handler, &quote!(self));
                quote!(async move { #answer })
            }
            Bodies::Real if handler.call.is_async => start,
            Bodies::Real => quote!(::core::future::ready(#start)),
            Bodies::Stubs => {
                let stub = stub();
                quote!(async { #stub })
            }
        };
        quote! {
            fn handle(&mut self, message: #ty, ctx: &mut #krate::Context<Self>) -> #output { #body }
        }
    }

    /// `impl Module for Counter`
    fn module(&self) -> TokenStream {
        let module = self.module;
        let self_ty = &module.self_ty;
        let (declared, where_clause) = (module.generics.declared(), module.generics.where_clause());
        let enum_ty = if module.replaces.is_some() {
            self.enum_ty()
        } else {
            let (mut ident, used) = (self.enum_ident(), module.generics.used());
            ident.set_span(module.visibility.1);
            quote!(#ident #used)
        };
        let trait_path = self.path("Module");
        let message = quote_spanned!(module.visibility.1=> type Message = #enum_ty;);
        let ticks = (!module.ticks.is_empty()).then(|| self.ticks());
        let events = (!module.events.is_empty()).then(|| self.events());
        let has = |roles: &[Role]| module.hooks.iter().any(|hook| roles.contains(&hook.role));
        // Ticks and checks count from the moment when the module runs, which a registration waits for.
        let is_simple = module.ticks.is_empty() && module.checks.is_empty() && !has(&[Role::Init, Role::Start]);
        let starts = is_simple.then(|| {
            quote!(
                const STARTS: bool = false;
            )
        });
        let stops = (!has(&[Role::Stop])).then(|| {
            quote!(
                const STOPS: bool = false;
            )
        });
        let inline = module.handlers.iter().any(|handler| handler.inline.is_some()).then(|| {
            quote!(
                const INLINE: bool = true;
            )
        });
        let checks = module.checks.iter().map(|check| self.check(check));
        let hooks = module.hooks.iter().map(|hook| self.hook(hook));
        let (remote, state) = (self.remote(), self.state());
        quote! {
            #[automatically_derived]
            impl #declared #trait_path for #self_ty #where_clause {
                #message
                #starts
                #stops
                #inline
                #ticks
                #remote
                #events
                #(#checks)*
                #(#hooks)*
                #state
            }
        }
    }

    fn check(&self, Check { item, args, .. }: &Check) -> TokenStream {
        let (krate, enum_path) = (self.krate, self.enum_path());
        let (cfgs, variant) = (&item.cfgs, &item.variant);
        let every = args.every.map(duration::emit).map(|every| quote!(.every(#every)));
        let timeout = args.timeout.map(duration::emit).map(|timeout| quote!(.timeout(#timeout)));
        let failures = args.failures.as_ref().map(|failures| quote!(.failures(#failures)));
        let successes = args.successes.as_ref().map(|successes| quote!(.successes(#successes)));
        quote! {
            #(#cfgs)*
            const HEALTH: ::core::option::Option<#krate::__private::HealthCheck<Self>> = ::core::option::Option::Some(
                #krate::__private::HealthCheck::new(|| #enum_path::#variant) #every #timeout #failures #successes
            );
        }
    }

    fn ticks(&self) -> TokenStream {
        let krate = self.krate;
        let enum_path = self.enum_path();
        let ticks = self.module.ticks.iter().map(|Tick { item, every, .. }| {
            let (cfgs, name, variant, every) = (&item.cfgs, &item.name, &item.variant, duration::emit(*every));
            quote!(#(#cfgs)* #krate::__private::Tick::new(#name, #every, || #enum_path::#variant))
        });
        quote! {
            const TICKS: &'static [#krate::__private::Tick<Self>] = &[#(#ticks),*];
        }
    }

    fn events(&self) -> TokenStream {
        let krate = self.krate;
        let enum_path = self.enum_path();
        let events = self.module.events.iter().map(|Event { item, ty, place, args, .. }| {
            let (cfgs, name, variant) = (&item.cfgs, &item.name, &item.variant);
            let custom = args.custom.as_ref().map(|name| quote!(.custom(#name)));
            let buffer = args.buffer.as_ref().map(|number| quote!(.buffer(#number)));
            // Shown at the event's type: what it lacks is missing there.
            let new =
                quote!(&#krate::__private::Subscribe::<Self, #ty>::new(#name, #enum_path::#variant) #custom #buffer);
            let new = respanned(new, place.span());
            quote!(#(#cfgs)* #new)
        });
        quote! {
            const EVENTS: &'static [&'static dyn #krate::__private::EventHandler<Self>] = &[#(#events),*];
        }
    }

    fn hook(&self, hook: &Hook) -> TokenStream {
        let (krate, cfgs, name) = (self.krate, &hook.cfgs, Ident::new(hook.role.name(), Span::call_site()));
        let inbox = (hook.role == Role::Run).then(|| quote!(inbox: &mut #krate::Inbox<Self>,));
        let output = quote_spanned! {hook.call.span=>
            impl ::core::future::Future<Output = ::core::result::Result<(), #krate::ModuleError>> + ::core::marker::Send
        };
        let body = match self.bodies {
            Bodies::Real => {
                let call = self.call(&hook.call, &quote!(self));
                let function = respanned(quote!(#krate::__private::hook), hook.output);
                // The block is what the error about a returned type points at.
                let result = quote_spanned!(hook.output=> { #call });
                quote!(#function(#result))
            }
            Bodies::Stubs => stub(),
        };
        quote! {
            #(#cfgs)*
            fn #name(&mut self, #inbox ctx: &mut #krate::Context<Self>) -> #output {
                async move { #body }
            }
        }
    }

    /// A warning for an enum above 256 bytes, each of which the mailbox holds for every message.
    ///
    /// A lint is the only warning that stable Rust lets a macro give, and deprecation the only lint with a text of its own: the
    /// size chooses between two functions, of which one is deprecated. The size of a generic module's enum is not known here.
    pub(super) fn size_check(&self) -> TokenStream {
        let module = self.module;
        if self.bodies == Bodies::Stubs || !module.generics.is_empty() || module.replaces.is_some() {
            return TokenStream::new();
        }
        let cfgs = self.cfgs();
        let lints = module.block.attrs.iter().filter(|attr| attr.path().is_ident("allow"));
        let enum_ident = self.enum_ident();
        let note = format!(
            "`{enum_ident}` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write \
             `#[handler(boxed)]` on the handler of the large one"
        );
        let fits = Ident::new("fits", module.ident.span());
        quote! {
            #(#cfgs)*
            #(#lints)*
            const _: () = {
                struct Message<const LARGE: bool>;
                impl Message<false> {
                    const fn #fits() {}
                }
                impl Message<true> {
                    #[deprecated(note = #note)]
                    const fn #fits() {}
                }
                Message::<{ ::core::mem::size_of::<#enum_ident>() > 256 }>::#fits()
            };
        }
    }
}

/// The tokens, shown at another place.
pub(super) fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let set = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(set).collect()
}

/// The body of a function that is never run, since the module does not compile.
fn stub() -> TokenStream {
    quote!(::core::unreachable!("the module has errors"))
}
