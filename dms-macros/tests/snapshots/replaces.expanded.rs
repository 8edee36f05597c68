impl CounterV2 {
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
    async fn add(&mut self, by: u64) -> u64 {
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
    fn get(&self, Get: Get, ctx: &mut Context<Self>) -> u64 {
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
    fn later(&mut self, reply: ReplyTo<u64>) {
        reply.send(self.count);
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
    fn tick(&mut self) {}
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
    fn on_down(&mut self, down: &Down) {}
}
/// The handlers of `CounterV2` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait CounterV2Ref {
    /// Asks `CounterV2::add`.
    fn add(&self, by: u64) -> ::dms::Ask<'_, CounterV2, Add>;
    /// Asks `CounterV2::get`.
    fn get(&self, message: Get) -> ::dms::Ask<'_, CounterV2, Get>;
    /// Asks `CounterV2::later`.
    fn later(&self) -> ::dms::Ask<'_, CounterV2, Later>;
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
    impl ::dms::MessageSet<CounterV2> for v1::CounterMessage {
        type Owner = v1::Counter;
        fn name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "add",
                Self::Get { .. } => "get",
                Self::Later { .. } => "later",
                Self::Tick { .. } => "tick",
                Self::OnDown { .. } => "on_down",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Add { .. } => "Add",
                Self::Get { .. } => "Get",
                Self::Later { .. } => "Later",
                Self::OnDown { .. } => "Down",
                Self::Tick { .. } => "tick",
            }
        }
        fn dispatch(
            self,
            module: &mut CounterV2,
            ctx: &mut ::dms::Context<CounterV2>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Add(message, reply) => {
                        if !::dms::__private::begin(&reply, "add", ctx) {
                            return;
                        }
                        let message: Add = ::dms::__private::Held::take(message);
                        let answer = <CounterV2 as ::dms::Handler<
                            Add,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                    Self::Get(message, reply) => {
                        if !::dms::__private::begin(&reply, "get", ctx) {
                            return;
                        }
                        let message: Get = ::dms::__private::Held::take(message);
                        let answer = <CounterV2>::get(module, message, ctx);
                        reply.send(answer);
                    }
                    Self::Later(message, reply) => {
                        if !::dms::__private::begin_detached(&reply, "later", ctx) {
                            return;
                        }
                        let message: Later = ::dms::__private::Held::take(message);
                        <CounterV2>::later(module, reply);
                    }
                    Self::Tick => {
                        ::dms::__private::begin_tick("tick", ctx);
                        <CounterV2>::tick(module);
                    }
                    Self::OnDown(mut delivery) => {
                        ::dms::__private::begin_event(&mut delivery, "on_down", ctx);
                        let message = delivery.event();
                        let output = ::dms::__private::event_output({
                            <CounterV2>::on_down(module, message)
                        });
                        delivery.answer(output);
                    }
                    _ => ::core::unreachable!("each message has a handler"),
                }
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Add, CounterV2> for v1::CounterMessage {
        fn handler() -> &'static str {
            "add"
        }
        fn pack(message: Add, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Add(::dms::__private::Held::hold(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Add> {
            match self {
                Self::Add(message, _) => {
                    ::core::option::Option::Some(::dms::__private::Held::take(message))
                }
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Add> for CounterV2 {
        type Reply = u64;
        fn handle(
            &mut self,
            message: Add,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            <CounterV2>::add(self, message.by)
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Get, CounterV2> for v1::CounterMessage {
        fn handler() -> &'static str {
            "get"
        }
        fn pack(message: Get, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Get(::dms::__private::Held::hold(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Get> {
            match self {
                Self::Get(message, _) => {
                    ::core::option::Option::Some(::dms::__private::Held::take(message))
                }
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Get> for CounterV2 {
        type Reply = u64;
        fn handle(
            &mut self,
            message: Get,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            ::core::future::ready(<CounterV2>::get(self, message, ctx))
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Later, CounterV2> for v1::CounterMessage {
        fn handler() -> &'static str {
            "later"
        }
        fn pack(message: Later, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Later(::dms::__private::Held::hold(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Later> {
            match self {
                Self::Later(message, _) => {
                    ::core::option::Option::Some(::dms::__private::Held::take(message))
                }
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Answers<Later> for CounterV2 {
        type Reply = u64;
    }
    #[automatically_derived]
    impl ::dms::Module for CounterV2 {
        type Message = v1::CounterMessage;
        const STOPS: bool = false;
        const TICKS: &'static [::dms::__private::Tick<Self>] = &[
            ::dms::__private::Tick::new(
                "tick",
                ::core::time::Duration::from_secs(1u64),
                || <v1::CounterMessage>::Tick,
            ),
        ];
        const EVENTS: &'static [&'static dyn ::dms::__private::EventHandler<Self>] = &[
            &::dms::__private::Subscribe::<
                Self,
                Down,
            >::new("on_down", <v1::CounterMessage>::OnDown),
        ];
    }
    #[automatically_derived]
    impl CounterV2Ref for ::dms::ModuleRef<CounterV2> {
        fn add(&self, by: u64) -> ::dms::Ask<'_, CounterV2, Add> {
            ::dms::ModuleRef::ask(self, Add { by })
        }
        fn get(&self, message: Get) -> ::dms::Ask<'_, CounterV2, Get> {
            ::dms::ModuleRef::ask(self, message)
        }
        fn later(&self) -> ::dms::Ask<'_, CounterV2, Later> {
            ::dms::ModuleRef::ask(self, Later)
        }
    }
};
