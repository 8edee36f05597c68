/// Counts things.
///
/// One by one.
#[derive(Default)]
pub struct Counter {
    count: u64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Counter {
    const INFO: ::dms::ModuleInfo = ::dms::ModuleInfo::new("Counter")
        .named("counter")
        .version(1u64, 2u64, 0u64)
        .description("Counts things.")
        .author("Ada Lovelace")
        .license("MIT")
        .flags(
            ::dms::ModuleFlags::ESSENTIAL
                .union(::dms::ModuleFlags::DRIVER)
                .union(::dms::ModuleFlags::user(3u32)),
        )
        .dependencies(&["store", "cache >= 1.3"])
        .optional_dependencies(&["metrics", "trace ^2"])
        .provides(&["count", "metrics.sink"])
        .mailbox(64usize)
        .overflow(::dms::Overflow::Reject)
        .timeout(::core::time::Duration::from_secs(90u64))
        .restart(
            ::dms::recovery::Restart::on_failure()
                .max_restarts(5u32, ::core::time::Duration::from_secs(60u64))
                .backoff(
                    ::dms::recovery::Backoff::new(
                            ::core::time::Duration::new(0u64, 100000000u32),
                            ::core::time::Duration::from_secs(30u64),
                        )
                        .jitter(::dms::recovery::Jitter::Equal),
                ),
        )
        .strategy(::dms::recovery::Strategy::RestForOne);
}
#[allow(clippy::similar_names)]
impl Counter {
    const START: u64 = 0;
    pub fn new() -> Self {
        Self { count: Self::START }
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
    /// The argument's type is the message. See [`Self::get`].
    async fn add(&mut self, Add(n): Add) {
        self.count += n;
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
    fn get(&self) -> u64 {
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
    #[cfg(feature = "scale")]
    #[deprecated(note = "use `add`")]
    async fn scale(
        &mut self,
        by: u64,
        offset: u64,
        ctx: &mut Context<Self>,
    ) -> Result<u64, Overflow> {
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
    /// Says how far it has come.
    async fn report(&mut self) {}
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
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        Ok(())
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
    fn begin(&self) {}
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
    async fn stop(&mut self) {}
}
/// The message of `Counter::get`.
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
pub(crate) struct Get;
#[cfg(feature = "scale")]
/// The message of `Counter::scale`.
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
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// The factor.
    pub(crate) by: u64,
    /// The argument `offset`.
    pub(crate) offset: u64,
}
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
pub(crate) enum CounterMessage {
    /// The argument's type is the message. See [`Counter::get`].
    Add(Add, ::dms::ReplyTo<()>),
    /// The message of `Counter::get`.
    Get(Get, ::dms::ReplyTo<u64>),
    #[cfg(feature = "scale")]
    /// The message of `Counter::scale`.
    Scale(Scale, ::dms::ReplyTo<Result<u64, Overflow>>),
    /// Says how far it has come.
    Report,
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
pub(crate) trait CounterRef {
    /// The argument's type is the message. See [`Counter::get`].
    fn add(&self, message: Add) -> ::dms::Ask<'_, Counter, Add>;
    /// Asks `Counter::get`.
    fn get(&self) -> ::dms::Ask<'_, Counter, Get>;
    #[cfg(feature = "scale")]
    /// Asks `Counter::scale`.
    #[deprecated(note = "use `add`")]
    fn scale(&self, by: u64, offset: u64) -> ::dms::Ask<'_, Counter, Scale>;
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
    #[tick(__used)]
    const _: () = ();
    #[init(__used)]
    const _: () = ();
    #[start(__used)]
    const _: () = ();
    #[stop(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Counter> for CounterMessage {
        type Owner = Counter;
        fn name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "add",
                Self::Get { .. } => "get",
                #[cfg(feature = "scale")]
                Self::Scale { .. } => "scale",
                Self::Report { .. } => "report",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "Add",
                Self::Get { .. } => "Get",
                #[cfg(feature = "scale")]
                Self::Scale { .. } => "Scale",
                Self::Report { .. } => "report",
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
                            Add,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                    Self::Get(message, reply) => {
                        if !::dms::__private::begin(&reply, "get", ctx) {
                            return;
                        }
                        let answer = <Counter>::get(module);
                        reply.send(answer);
                    }
                    #[cfg(feature = "scale")]
                    Self::Scale(message, reply) => {
                        if !::dms::__private::begin(&reply, "scale", ctx) {
                            return;
                        }
                        let answer = <Counter as ::dms::Handler<
                            Scale,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                    Self::Report => {
                        ::dms::__private::begin_tick("report", ctx);
                        <Counter>::report(module).await;
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
        #[cfg(feature = "scale")]
        type Message2 = Scale;
        #[cfg(not(feature = "scale"))]
        type Message2 = ();
    }
    #[automatically_derived]
    impl ::core::clone::Clone for CounterMessage
    where
        for<'message> Add: ::core::clone::Clone,
        for<'message> Get: ::core::clone::Clone,
        for<'message> <CounterMessage as __Messages>::Message2: ::core::clone::Clone,
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
                Self::Get(ref message, _) => {
                    Self::Get(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                #[cfg(feature = "scale")]
                Self::Scale(ref message, _) => {
                    Self::Scale(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Report => Self::Report,
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CounterMessage
    where
        for<'message> Add: ::core::fmt::Debug,
        for<'message> Get: ::core::fmt::Debug,
        for<'message> <CounterMessage as __Messages>::Message2: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Add(ref held, _) => f.debug_tuple("Add").field(held).finish(),
                Self::Get(ref held, _) => f.debug_tuple("Get").field(held).finish(),
                #[cfg(feature = "scale")]
                Self::Scale(ref held, _) => f.debug_tuple("Scale").field(held).finish(),
                Self::Report { .. } => f.write_str("Report"),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Add, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "add"
        }
        fn pack(message: Add, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Add(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Add> {
            match self {
                Self::Add(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Add> for CounterMessage {
        fn from(message: Add) -> Self {
            Self::Add(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Add> for Counter {
        type Reply = ();
        fn handle(
            &mut self,
            message: Add,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            <Counter>::add(self, message)
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Get, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "get"
        }
        fn pack(message: Get, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Get(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Get> {
            match self {
                Self::Get(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Get> for CounterMessage {
        fn from(message: Get) -> Self {
            Self::Get(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Get> for Counter {
        type Reply = u64;
        fn handle(
            &mut self,
            message: Get,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            ::core::future::ready(<Counter>::get(self))
        }
    }
    #[cfg(feature = "scale")]
    #[automatically_derived]
    impl ::dms::Accepts<Scale, Counter> for CounterMessage {
        fn handler() -> &'static str {
            "scale"
        }
        fn pack(message: Scale, reply: ::dms::ReplyTo<Result<u64, Overflow>>) -> Self {
            Self::Scale(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Scale> {
            match self {
                Self::Scale(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[cfg(feature = "scale")]
    #[automatically_derived]
    impl ::core::convert::From<Scale> for CounterMessage {
        fn from(message: Scale) -> Self {
            Self::Scale(message, ::dms::ReplyTo::nobody())
        }
    }
    #[cfg(feature = "scale")]
    #[automatically_derived]
    impl ::dms::Handler<Scale> for Counter {
        type Reply = Result<u64, Overflow>;
        fn handle(
            &mut self,
            message: Scale,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = Result<u64, Overflow>,
        > + ::core::marker::Send {
            <Counter>::scale(self, message.by, message.offset, ctx)
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Counter {
        type Message = CounterMessage;
        const TICKS: &'static [::dms::__private::Tick<Self>] = &[
            ::dms::__private::Tick::new(
                "report",
                ::core::time::Duration::new(0u64, 250000000u32),
                || CounterMessage::Report,
            ),
        ];
        fn init(
            &mut self,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<(), ::dms::ModuleError>,
        > + ::core::marker::Send {
            async move { ::dms::__private::hook({ <Counter>::init(self, ctx).await }) }
        }
        fn start(
            &mut self,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<(), ::dms::ModuleError>,
        > + ::core::marker::Send {
            async move { ::dms::__private::hook({ <Counter>::begin(self) }) }
        }
        fn stop(
            &mut self,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<(), ::dms::ModuleError>,
        > + ::core::marker::Send {
            async move { ::dms::__private::hook({ <Counter>::stop(self).await }) }
        }
    }
    #[automatically_derived]
    impl CounterRef for ::dms::ModuleRef<Counter> {
        fn add(&self, message: Add) -> ::dms::Ask<'_, Counter, Add> {
            ::dms::ModuleRef::ask(self, message)
        }
        fn get(&self) -> ::dms::Ask<'_, Counter, Get> {
            ::dms::ModuleRef::ask(self, Get)
        }
        #[cfg(feature = "scale")]
        fn scale(&self, by: u64, offset: u64) -> ::dms::Ask<'_, Counter, Scale> {
            ::dms::ModuleRef::ask(self, Scale { by, offset })
        }
    }
};
#[allow(clippy::similar_names)]
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
