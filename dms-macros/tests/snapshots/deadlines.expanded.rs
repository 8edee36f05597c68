struct Oven {
    bread: Vec<Bread>,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Oven {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Oven")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Oven {
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
    async fn bake(&mut self, dough: Dough, ctx: &mut Context<Self>) -> Bread {
        ctx.bake(dough).await
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
    fn take(&mut self, at: usize) -> Bread {
        self.bread.remove(at)
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
    async fn order(&mut self, reply: ReplyTo<Bread>) {
        reply.send(self.bread.pop().await);
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
    async fn clean(&mut self) {}
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
    fn on_pressure(&mut self, event: &MemoryPressure) {
        self.bread.clear();
    }
}
/// The message of `Oven::take`.
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
pub struct Take {
    /// The argument `at`.
    pub at: usize,
}
/// The message of `Oven::order`.
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
pub struct Order;
/// The messages of `Oven`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum OvenMessage {
    /// The message of `Oven::bake`.
    Bake(Dough, ::dms::ReplyTo<Bread>),
    /// The message of `Oven::take`.
    Take(::std::boxed::Box<Take>, ::dms::ReplyTo<Bread>),
    /// The message of `Oven::order`.
    Order(Order, ::dms::ReplyTo<Bread>),
    /// The tick `Oven::clean`.
    Clean,
    /// The event of `Oven::on_pressure`.
    OnPressure(::dms::event::EventDelivery<MemoryPressure>),
}
/// The handlers of `Oven` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait OvenRef {
    /// Asks `Oven::bake`.
    fn bake(&self, dough: Dough) -> ::dms::Ask<'_, Oven, Dough>;
    /// Asks `Oven::take`.
    fn take(&self, at: usize) -> ::dms::Ask<'_, Oven, Take>;
    /// Asks `Oven::order`.
    fn order(&self) -> ::dms::Ask<'_, Oven, Order>;
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
    #[event(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Oven> for OvenMessage {
        type Owner = Oven;
        fn name(&self) -> &'static str {
            match *self {
                Self::Bake { .. } => "bake",
                Self::Take { .. } => "take",
                Self::Order { .. } => "order",
                Self::Clean { .. } => "clean",
                Self::OnPressure { .. } => "on_pressure",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Bake { .. } => "Dough",
                Self::Take { .. } => "Take",
                Self::Order { .. } => "Order",
                Self::OnPressure { .. } => "MemoryPressure",
                Self::Clean { .. } => "clean",
            }
        }
        fn dispatch(
            self,
            module: &mut Oven,
            ctx: &mut ::dms::Context<Oven>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Bake(message, reply) => {
                        if !::dms::__private::begin(&reply, "bake", ctx) {
                            return;
                        }
                        let (answer, reply) = ::dms::__private::within(
                                ::core::time::Duration::from_secs(2u64),
                                "bake",
                                reply,
                                <Oven as ::dms::Handler<
                                    Dough,
                                >>::handle(module, message, ctx),
                            )
                            .await;
                        reply.send(answer);
                    }
                    Self::Take(message, reply) => {
                        if !::dms::__private::begin(&reply, "take", ctx) {
                            return;
                        }
                        let message = *message;
                        let (answer, reply) = ::dms::__private::within(
                                ::core::time::Duration::new(0u64, 250000000u32),
                                "take",
                                reply,
                                async { <Oven>::take(module, message.at) },
                            )
                            .await;
                        reply.send(answer);
                    }
                    Self::Order(message, reply) => {
                        if !::dms::__private::begin_detached(&reply, "order", ctx) {
                            return;
                        }
                        ::dms::__private::within(
                                ::core::time::Duration::from_secs(60u64),
                                "order",
                                (),
                                <Oven>::order(module, reply),
                            )
                            .await
                            .0;
                    }
                    Self::Clean => {
                        ::dms::__private::begin_tick("clean", ctx);
                        ::dms::__private::within(
                                ::core::time::Duration::from_secs(1u64),
                                "clean",
                                (),
                                <Oven>::clean(module),
                            )
                            .await
                            .0;
                    }
                    Self::OnPressure(mut delivery) => {
                        ::dms::__private::begin_event(&mut delivery, "on_pressure", ctx);
                        let message = delivery.event();
                        let output = ::dms::__private::event_output({
                            ::dms::__private::within(
                                    ::core::time::Duration::from_secs(1u64),
                                    "on_pressure",
                                    (),
                                    async { <Oven>::on_pressure(module, message) },
                                )
                                .await
                                .0
                        });
                        delivery.answer(output);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for OvenMessage
    where
        for<'message> Dough: ::core::clone::Clone,
        for<'message> Take: ::core::clone::Clone,
        for<'message> Order: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Bake(ref message, _) => {
                    Self::Bake(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Take(ref message, _) => {
                    Self::Take(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Order(ref message, _) => {
                    Self::Order(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Clean => Self::Clean,
                Self::OnPressure(ref delivery) => {
                    Self::OnPressure(::core::clone::Clone::clone(delivery))
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for OvenMessage
    where
        for<'message> Dough: ::core::fmt::Debug,
        for<'message> Take: ::core::fmt::Debug,
        for<'message> Order: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Bake(ref held, _) => f.debug_tuple("Bake").field(held).finish(),
                Self::Take(ref held, _) => f.debug_tuple("Take").field(held).finish(),
                Self::Order(ref held, _) => f.debug_tuple("Order").field(held).finish(),
                Self::Clean { .. } => f.write_str("Clean"),
                Self::OnPressure(ref held) => {
                    f.debug_tuple("OnPressure").field(held).finish()
                }
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Dough, Oven> for OvenMessage {
        fn handler() -> &'static str {
            "bake"
        }
        fn pack(message: Dough, reply: ::dms::ReplyTo<Bread>) -> Self {
            Self::Bake(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Dough> {
            match self {
                Self::Bake(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Dough> for OvenMessage {
        fn from(message: Dough) -> Self {
            Self::Bake(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Dough> for Oven {
        type Reply = Bread;
        fn handle(
            &mut self,
            message: Dough,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = Bread> + ::core::marker::Send {
            <Oven>::bake(self, message, ctx)
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Take, Oven> for OvenMessage {
        fn handler() -> &'static str {
            "take"
        }
        fn pack(message: Take, reply: ::dms::ReplyTo<Bread>) -> Self {
            Self::Take(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Take> {
            match self {
                Self::Take(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Take> for OvenMessage {
        fn from(message: Take) -> Self {
            Self::Take(::std::boxed::Box::new(message), ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Take> for Oven {
        type Reply = Bread;
        fn handle(
            &mut self,
            message: Take,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = Bread> + ::core::marker::Send {
            ::core::future::ready(<Oven>::take(self, message.at))
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Order, Oven> for OvenMessage {
        fn handler() -> &'static str {
            "order"
        }
        fn pack(message: Order, reply: ::dms::ReplyTo<Bread>) -> Self {
            Self::Order(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Order> {
            match self {
                Self::Order(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Order> for OvenMessage {
        fn from(message: Order) -> Self {
            Self::Order(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Answers<Order> for Oven {
        type Reply = Bread;
    }
    #[automatically_derived]
    impl ::dms::Module for Oven {
        type Message = OvenMessage;
        const STOPS: bool = false;
        const TICKS: &'static [::dms::__private::Tick<Self>] = &[
            ::dms::__private::Tick::new(
                "clean",
                ::core::time::Duration::from_secs(3600u64),
                || OvenMessage::Clean,
            ),
        ];
        const EVENTS: &'static [&'static dyn ::dms::__private::EventHandler<Self>] = &[
            &::dms::__private::Subscribe::<
                Self,
                MemoryPressure,
            >::new("on_pressure", OvenMessage::OnPressure),
        ];
    }
    #[automatically_derived]
    impl OvenRef for ::dms::ModuleRef<Oven> {
        fn bake(&self, dough: Dough) -> ::dms::Ask<'_, Oven, Dough> {
            ::dms::ModuleRef::ask(self, dough)
        }
        fn take(&self, at: usize) -> ::dms::Ask<'_, Oven, Take> {
            ::dms::ModuleRef::ask(self, Take { at })
        }
        fn order(&self) -> ::dms::Ask<'_, Oven, Order> {
            ::dms::ModuleRef::ask(self, Order)
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
            note = "`OvenMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<OvenMessage>() > 256 }>::fits()
};
