struct Counter {
    count: u64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Counter {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Counter")
            .named("counter")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Counter {
    #[allow(
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        clippy::unused_self,
    )]
    /// Adds to the count.
    async fn add(&mut self, Add(by): messages::Add) -> u64 {
        self.count += by;
        self.count
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        clippy::unused_self,
    )]
    fn scale(&mut self, by: u64, offset: u64) -> Result<u64, messages::Refusal> {
        self.count = self.count * by + offset;
        Ok(self.count)
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        clippy::unused_self,
    )]
    #[cfg(feature = "print")]
    fn print(&self, label: Option<String>, reply: ReplyTo<()>) {
        reply.send(());
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        clippy::unused_self,
    )]
    fn reset(&mut self) {
        self.count = 0;
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::needless_pass_by_ref_mut,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn handle_request(
        &mut self,
        ctx: &mut Context<Self>,
        request: &Request,
    ) -> Result<Response, ModuleError> {
        Ok(Response::err(request.request_type.clone()))
    }
}
::dms::__private::remote_message! {
    [#[derive(Clone)]] [#[derive(::dms::__private::serde::Serialize)]
    #[derive(::dms::__private::serde::Deserialize)] #[serde(crate =
    "::dms::__private::serde")]] #[doc = " The message of `Counter::scale`."]
    #[allow(deprecated, private_bounds, private_interfaces, unreachable_pub, unused,
    clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction,)] pub struct
    Scale { #[doc = " The argument `by`."] pub by : u64, #[doc =
    " The argument `offset`."] #[serde(default)] pub offset : u64 }
}
::dms::__private::remote_message! {
    [#[cfg(feature = "print")]] [#[derive(::dms::__private::serde::Serialize)]
    #[derive(::dms::__private::serde::Deserialize)] #[serde(crate =
    "::dms::__private::serde")] #[serde(bound(serialize =
    "for<'remote> Option < String >: ::dms::__private::serde::Serialize", deserialize =
    "for<'remote> Option < String >: ::dms::__private::serde::de::DeserializeOwned"))]]
    #[doc = " The message of `Counter::print`."] #[allow(deprecated, private_bounds,
    private_interfaces, unreachable_pub, unused, clippy::all, clippy::pedantic,
    clippy::nursery, clippy::restriction,)] pub struct Print { #[doc =
    " The argument `label`."] pub label : Option < String > }
}
/// The message of `Counter::reset`.
#[allow(
    deprecated,
    private_bounds,
    private_interfaces,
    unreachable_pub,
    unused,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
)]
pub struct Reset;
/// The messages of `Counter`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
#[allow(
    deprecated,
    private_bounds,
    private_interfaces,
    unreachable_pub,
    unused,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
)]
pub enum CounterMessage {
    /// Adds to the count.
    Add(messages::Add, ::dms::ReplyTo<u64>),
    /// The message of `Counter::scale`.
    Scale(Scale, ::dms::ReplyTo<Result<u64, messages::Refusal>>),
    #[cfg(feature = "print")]
    /// The message of `Counter::print`.
    Print(Print, ::dms::ReplyTo<()>),
    /// The message of `Counter::reset`.
    Reset(Reset, ::dms::ReplyTo<()>),
    /// The message of `Counter::handle_request`.
    HandleRequest(::std::boxed::Box<::dms::Request>, ::dms::ReplyTo<::dms::Response>),
}
/// The handlers of `Counter` as methods on a reference to it: each asks, and gives the reply when it is awaited.
#[allow(
    deprecated,
    private_bounds,
    private_interfaces,
    unreachable_pub,
    unused,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
)]
pub trait CounterRef {
    /// Adds to the count.
    fn add(&self, message: messages::Add) -> ::dms::Ask<'_, Counter, messages::Add>;
    /// Asks `Counter::scale`.
    fn scale(&self, by: u64, offset: u64) -> ::dms::Ask<'_, Counter, Scale>;
    #[cfg(feature = "print")]
    /// Asks `Counter::print`.
    fn print(&self, label: Option<String>) -> ::dms::Ask<'_, Counter, Print>;
    /// Asks `Counter::reset`.
    fn reset(&self) -> ::dms::Ask<'_, Counter, Reset>;
    /// Asks `Counter::handle_request`.
    fn handle_request(
        &self,
        request: ::dms::Request,
    ) -> ::dms::Ask<'_, Counter, ::dms::Request>;
}
#[allow(
    deprecated,
    private_bounds,
    private_interfaces,
    unreachable_pub,
    unused,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
)]
const _: () = {
    #[handler(__used)]
    const _: () = ();
    #[request(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Counter> for CounterMessage {
        type Owner = Counter;
        fn name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "add",
                Self::Scale { .. } => "scale",
                #[cfg(feature = "print")]
                Self::Print { .. } => "print",
                Self::Reset { .. } => "reset",
                Self::HandleRequest { .. } => "handle_request",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "Add",
                Self::Scale { .. } => "Scale",
                #[cfg(feature = "print")]
                Self::Print { .. } => "Print",
                Self::Reset { .. } => "Reset",
                Self::HandleRequest { .. } => "Request",
            }
        }
        fn dispatch(
            self,
            module: &mut Counter,
            ctx: &mut ::dms::Context<Counter>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Add(message, reply) => {
                        if !::dms::__private::begin(&reply, "add", ctx) {
                            return;
                        }
                        let answer = <Counter as ::dms::Handler<
                            messages::Add,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                    Self::Scale(message, reply) => {
                        if !::dms::__private::begin(&reply, "scale", ctx) {
                            return;
                        }
                        let answer = <Counter>::scale(
                            module,
                            message.by,
                            message.offset,
                        );
                        reply.send(answer);
                    }
                    #[cfg(feature = "print")]
                    Self::Print(message, reply) => {
                        if !::dms::__private::begin_detached(&reply, "print", ctx) {
                            return;
                        }
                        <Counter>::print(module, message.label, reply);
                    }
                    Self::Reset(message, reply) => {
                        if !::dms::__private::begin(&reply, "reset", ctx) {
                            return;
                        }
                        let answer = <Counter>::reset(module);
                        reply.send(answer);
                    }
                    Self::HandleRequest(message, reply) => {
                        if !::dms::__private::begin(&reply, "handle_request", ctx) {
                            return;
                        }
                        let message = *message;
                        let answer = <Counter as ::dms::Handler<
                            ::dms::Request,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                }
            }
        }
    }
    trait __Messages {
        type Message2;
    }
    #[automatically_derived]
    impl __Messages for CounterMessage {
        #[cfg(feature = "print")]
        type Message2 = Print;
        #[cfg(not(feature = "print"))]
        type Message2 = ();
    }
    #[automatically_derived]
    impl ::core::clone::Clone for CounterMessage
    where
        for<'message> messages::Add: ::core::clone::Clone,
        for<'message> Scale: ::core::clone::Clone,
        for<'message> <CounterMessage as __Messages>::Message2: ::core::clone::Clone,
        for<'message> Reset: ::core::clone::Clone,
        for<'message> ::dms::Request: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Add(ref message, _) => {
                    Self::Add(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Scale(ref message, _) => {
                    Self::Scale(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                #[cfg(feature = "print")]
                Self::Print(ref message, _) => {
                    Self::Print(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Reset(ref message, _) => {
                    Self::Reset(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::HandleRequest(ref message, _) => {
                    Self::HandleRequest(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CounterMessage
    where
        for<'message> messages::Add: ::core::fmt::Debug,
        for<'message> Scale: ::core::fmt::Debug,
        for<'message> <CounterMessage as __Messages>::Message2: ::core::fmt::Debug,
        for<'message> Reset: ::core::fmt::Debug,
        for<'message> ::dms::Request: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Add(ref held, _) => f.debug_tuple("Add").field(held).finish(),
                Self::Scale(ref held, _) => f.debug_tuple("Scale").field(held).finish(),
                #[cfg(feature = "print")]
                Self::Print(ref held, _) => f.debug_tuple("Print").field(held).finish(),
                Self::Reset(ref held, _) => f.debug_tuple("Reset").field(held).finish(),
                Self::HandleRequest(ref held, _) => {
                    f.debug_tuple("HandleRequest").field(held).finish()
                }
            }
        }
    }
    ::dms::__private::carried! {
        #[automatically_derived] impl ::dms::__private::CarriedMessages for
        CounterMessage where for < 'message > messages::Add :
        ::dms::__private::RemoteMessage, for < 'message > Scale :
        ::dms::__private::RemoteMessage, for < 'message > < CounterMessage as __Messages
        > ::Message2 : ::dms::__private::RemoteMessage { const NAME : & 'static str =
        "CounterMessage"; const HANDLERS : & 'static [& 'static str] = & ["add", "scale",
        #[cfg(feature = "print")] "print"]; fn read < '__de, __A :
        ::dms::__private::serde::de::VariantAccess < '__de >> (handler : & 'static str,
        content : __A,) -> ::core::result::Result < Self, __A::Error > { match handler {
        "add" => ::dms::__private::serde::de::VariantAccess::newtype_variant(content)
        .map(| message | Self::Add(message, ::dms::ReplyTo::nobody())), "scale" =>
        ::dms::__private::serde::de::VariantAccess::newtype_variant(content).map(|
        message | Self::Scale(message, ::dms::ReplyTo::nobody())), #[cfg(feature =
        "print")] "print" =>
        ::dms::__private::serde::de::VariantAccess::newtype_variant(content).map(|
        message | Self::Print(message, ::dms::ReplyTo::nobody())), _ =>
        ::core::result::Result::Err(::dms::__private::no_message:: < Self, __A::Error >
        (handler)), } } fn write < __S : ::dms::__private::serde::Serializer > (& self,
        serializer : __S,) -> ::core::result::Result < __S::Ok, __S::Error > { match *
        self { Self::Add(ref message, _) => ::dms::__private::write_message:: < Self, _,
        _ > ("add", message, serializer), Self::Scale(ref message, _) =>
        ::dms::__private::write_message:: < Self, _, _ > ("scale", message, serializer),
        #[cfg(feature = "print")] Self::Print(ref message, _) =>
        ::dms::__private::write_message:: < Self, _, _ > ("print", message, serializer),
        Self::Reset { .. } => ::dms::__private::not_carried:: < __S >
        ("handler `reset` of `Counter` is not remote, and so its message cannot travel: write `#[handler(Reset, remote)]`"),
        Self::HandleRequest { .. } => ::dms::__private::not_carried:: < __S >
        ("`handle_request` of `Counter` is for requests, and only the messages of remote handlers can travel"),
        } } } #[automatically_derived] impl ::dms::__private::serde::Serialize for
        CounterMessage where for < 'message > messages::Add :
        ::dms::__private::RemoteMessage, for < 'message > Scale :
        ::dms::__private::RemoteMessage, for < 'message > < CounterMessage as __Messages
        > ::Message2 : ::dms::__private::RemoteMessage { fn serialize < __S :
        ::dms::__private::serde::Serializer > (& self, serializer : __S,) ->
        ::core::result::Result < __S::Ok, __S::Error > {
        ::dms::__private::CarriedMessages::write(self, serializer) } }
        #[automatically_derived] impl < '__de, > ::dms::__private::serde::Deserialize <
        '__de > for CounterMessage where for < 'message > messages::Add :
        ::dms::__private::RemoteMessage, for < 'message > Scale :
        ::dms::__private::RemoteMessage, for < 'message > < CounterMessage as __Messages
        > ::Message2 : ::dms::__private::RemoteMessage { fn deserialize < __D :
        ::dms::__private::serde::Deserializer < '__de >> (deserializer : __D,) ->
        ::core::result::Result < Self, __D::Error > {
        ::dms::__private::read_message(deserializer) } }
    }
    #[automatically_derived]
    impl ::dms::Accepts<messages::Add, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "add"
        }
        fn pack(message: messages::Add, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Add(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<messages::Add> {
            match self {
                Self::Add(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<messages::Add> for CounterMessage {
        fn from(message: messages::Add) -> Self {
            Self::Add(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<messages::Add> for Counter {
        type Reply = u64;
        fn handle(
            &mut self,
            message: messages::Add,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            <Counter>::add(self, message)
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Scale, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "scale"
        }
        fn pack(
            message: Scale,
            reply: ::dms::ReplyTo<Result<u64, messages::Refusal>>,
        ) -> Self {
            Self::Scale(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Scale> {
            match self {
                Self::Scale(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Scale> for CounterMessage {
        fn from(message: Scale) -> Self {
            Self::Scale(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Scale> for Counter {
        type Reply = Result<u64, messages::Refusal>;
        fn handle(
            &mut self,
            message: Scale,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = Result<u64, messages::Refusal>,
        > + ::core::marker::Send {
            ::core::future::ready(<Counter>::scale(self, message.by, message.offset))
        }
    }
    #[cfg(feature = "print")]
    #[automatically_derived]
    impl ::dms::Accepts<Print, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "print"
        }
        fn pack(message: Print, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Print(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Print> {
            match self {
                Self::Print(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[cfg(feature = "print")]
    #[automatically_derived]
    impl ::core::convert::From<Print> for CounterMessage {
        fn from(message: Print) -> Self {
            Self::Print(message, ::dms::ReplyTo::nobody())
        }
    }
    #[cfg(feature = "print")]
    #[automatically_derived]
    impl ::dms::Answers<Print> for Counter {
        type Reply = ();
    }
    #[automatically_derived]
    impl ::dms::Accepts<Reset, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "reset"
        }
        fn pack(message: Reset, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Reset(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Reset> {
            match self {
                Self::Reset(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Reset> for CounterMessage {
        fn from(message: Reset) -> Self {
            Self::Reset(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Reset> for Counter {
        type Reply = ();
        fn handle(
            &mut self,
            message: Reset,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            ::core::future::ready(<Counter>::reset(self))
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<::dms::Request, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "handle_request"
        }
        fn pack(
            message: ::dms::Request,
            reply: ::dms::ReplyTo<::dms::Response>,
        ) -> Self {
            Self::HandleRequest(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<::dms::Request> {
            match self {
                Self::HandleRequest(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<::dms::Request> for CounterMessage {
        fn from(message: ::dms::Request) -> Self {
            Self::HandleRequest(
                ::std::boxed::Box::new(message),
                ::dms::ReplyTo::nobody(),
            )
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<::dms::Request> for Counter {
        type Reply = ::dms::Response;
        fn handle(
            &mut self,
            message: ::dms::Request,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = ::dms::Response,
        > + ::core::marker::Send {
            async move {
                ::dms::__private::response({
                    <Counter>::handle_request(self, ctx, &message).await
                })
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Counter {
        type Message = CounterMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
        ::dms::__private::remote! {
            const REMOTE : & 'static [::dms::__private::Remote < Self >] = &
            [::dms::__private::Remote::new:: < messages::Add, u64 > ("add",
            "Adds to the count.", ::dms::__private::Shape::new("Add", "Add", | schemas |
            { use ::dms::__private:: { Described as _, Undescribed as _ }; (&
            ::dms::__private::Typed:: < messages::Add > ::NEW).schema(schemas) }),
            ::dms::__private::Shape::new("u64", "u64", | schemas | { use
            ::dms::__private:: { Described as _, Undescribed as _ }; (&
            ::dms::__private::Typed:: < u64 > ::NEW).schema(schemas) })),
            ::dms::__private::Remote::new:: < Scale, Result < u64, messages::Refusal > >
            ("scale", "", ::dms::__private::Shape::new("Scale { by: u64, offset: u64 }",
            "Scale", | schemas | { use ::dms::__private:: { Described as _, Undescribed
            as _ }; ::dms::__private::arguments("Scale", [("by", true, (&
            ::dms::__private::Typed:: < u64 > ::NEW).schema(schemas)), ("offset", false,
            (& ::dms::__private::Typed:: < u64 > ::NEW).schema(schemas))]) }),
            ::dms::__private::Shape::new("Result<u64, Refusal>", "Result<u64, Refusal>",
            | schemas | { use ::dms::__private:: { Described as _, Undescribed as _ }; (&
            ::dms::__private::Typed:: < Result < u64, messages::Refusal > > ::NEW)
            .schema(schemas) })), #[cfg(feature = "print")]
            ::dms::__private::Remote::new:: < Print, () > ("print", "",
            ::dms::__private::Shape::new("Print { label: Option<String> }", "Print", |
            schemas | { use ::dms::__private:: { Described as _, Undescribed as _ };
            ::dms::__private::arguments("Print", [("label", false, (&
            ::dms::__private::Typed:: < Option < String > > ::NEW).schema(schemas))]) }),
            ::dms::__private::Shape::new("()", "()", | schemas | { use ::dms::__private::
            { Described as _, Undescribed as _ }; (& ::dms::__private::Typed:: < () >
            ::NEW).schema(schemas) }))];
        }
        ::dms::__private::remote! {
            const ON_REQUEST : ::core::option::Option < ::dms::__private::OnRequest <
            Self >> = ::core::option::Option::Some(::dms::__private::OnRequest::new());
        }
    }
    #[automatically_derived]
    impl CounterRef for ::dms::ModuleRef<Counter> {
        fn add(&self, message: messages::Add) -> ::dms::Ask<'_, Counter, messages::Add> {
            ::dms::ModuleRef::ask(self, message)
        }
        fn scale(&self, by: u64, offset: u64) -> ::dms::Ask<'_, Counter, Scale> {
            ::dms::ModuleRef::ask(self, Scale { by, offset })
        }
        #[cfg(feature = "print")]
        fn print(&self, label: Option<String>) -> ::dms::Ask<'_, Counter, Print> {
            ::dms::ModuleRef::ask(self, Print { label })
        }
        fn reset(&self) -> ::dms::Ask<'_, Counter, Reset> {
            ::dms::ModuleRef::ask(self, Reset)
        }
        fn handle_request(
            &self,
            request: ::dms::Request,
        ) -> ::dms::Ask<'_, Counter, ::dms::Request> {
            ::dms::ModuleRef::ask(self, request)
        }
    }
};
const _: () = {
    struct Message<const LARGE: bool>;
    impl Message<false> {
        const fn fits() {}
    }
    impl Message<true> {
        #[deprecated(
            note = "`CounterMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<CounterMessage>() > 256 }>::fits()
};
