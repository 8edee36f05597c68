struct Mill {
    ground: u64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Mill {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Mill")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Mill {
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
    async fn grind(&mut self, corn: Corn, ctx: &mut Context<Self>) -> Flour {
        ctx.grind(corn).await
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
    fn sift(&mut self, mesh: u8) -> u64 {
        self.ground
    }
}
/// The message of `Mill::sift`.
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
#[derive(Clone)]
pub struct Sift {
    /// The argument `mesh`.
    pub mesh: u8,
}
/// The messages of `Mill`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum MillMessage {
    /// The message of `Mill::grind`.
    Grind(Corn, ::dms::ReplyTo<Flour>),
    /// The message of `Mill::sift`.
    Sift(::std::boxed::Box<Sift>, ::dms::ReplyTo<u64>),
}
/// The handlers of `Mill` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait MillRef {
    /// Asks `Mill::grind`.
    fn grind(&self, corn: Corn) -> ::dms::Ask<'_, Mill, Corn>;
    /// Asks `Mill::sift`.
    fn sift(&self, mesh: u8) -> ::dms::Ask<'_, Mill, Sift>;
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
    #[automatically_derived]
    impl ::dms::MessageSet<Mill> for MillMessage {
        type Owner = Mill;
        fn name(&self) -> &'static str {
            match *self {
                Self::Grind { .. } => "grind",
                Self::Sift { .. } => "sift",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Grind { .. } => "Corn",
                Self::Sift { .. } => "Sift",
            }
        }
        fn dispatch(
            self,
            module: &mut Mill,
            ctx: &mut ::dms::Context<Mill>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Grind(message, reply) => {
                        if !::dms::__private::begin(&reply, "grind", ctx) {
                            return;
                        }
                        let kept = ::dms::__private::keep(
                            ctx,
                            3u32,
                            Self::Grind(
                                <Corn as ::core::clone::Clone>::clone(&message),
                                reply,
                            ),
                        );
                        let answer = <Mill as ::dms::Handler<
                            Corn,
                        >>::handle(module, message, ctx)
                            .await;
                        if let ::core::option::Option::Some(Self::Grind(_, reply)) = kept
                            .take()
                        {
                            reply.send(answer);
                        }
                    }
                    Self::Sift(message, reply) => {
                        if !::dms::__private::begin(&reply, "sift", ctx) {
                            return;
                        }
                        let kept = ::dms::__private::keep(
                            ctx,
                            1u32,
                            Self::Sift(
                                ::std::boxed::Box::new(
                                    <Sift as ::core::clone::Clone>::clone(&message),
                                ),
                                reply,
                            ),
                        );
                        let message = *message;
                        let answer = ::dms::__private::within(
                                ::core::time::Duration::from_secs(1u64),
                                "sift",
                                (),
                                async { <Mill>::sift(module, message.mesh) },
                            )
                            .await
                            .0;
                        if let ::core::option::Option::Some(Self::Sift(_, reply)) = kept
                            .take()
                        {
                            reply.send(answer);
                        }
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for MillMessage
    where
        for<'message> Corn: ::core::clone::Clone,
        for<'message> Sift: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Grind(ref message, _) => {
                    Self::Grind(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Sift(ref message, _) => {
                    Self::Sift(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for MillMessage
    where
        for<'message> Corn: ::core::fmt::Debug,
        for<'message> Sift: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Grind(ref held, _) => f.debug_tuple("Grind").field(held).finish(),
                Self::Sift(ref held, _) => f.debug_tuple("Sift").field(held).finish(),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Corn, Mill> for MillMessage {
        fn handler() -> &'static str {
            "grind"
        }
        fn pack(message: Corn, reply: ::dms::ReplyTo<Flour>) -> Self {
            Self::Grind(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Corn> {
            match self {
                Self::Grind(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Corn> for MillMessage {
        fn from(message: Corn) -> Self {
            Self::Grind(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Corn> for Mill {
        type Reply = Flour;
        fn handle(
            &mut self,
            message: Corn,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = Flour> + ::core::marker::Send {
            <Mill>::grind(self, message, ctx)
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Sift, Mill> for MillMessage {
        fn handler() -> &'static str {
            "sift"
        }
        fn pack(message: Sift, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Sift(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Sift> {
            match self {
                Self::Sift(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Sift> for MillMessage {
        fn from(message: Sift) -> Self {
            Self::Sift(::std::boxed::Box::new(message), ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Sift> for Mill {
        type Reply = u64;
        fn handle(
            &mut self,
            message: Sift,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            ::core::future::ready(<Mill>::sift(self, message.mesh))
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Mill {
        type Message = MillMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
    }
    #[automatically_derived]
    impl MillRef for ::dms::ModuleRef<Mill> {
        fn grind(&self, corn: Corn) -> ::dms::Ask<'_, Mill, Corn> {
            ::dms::ModuleRef::ask(self, corn)
        }
        fn sift(&self, mesh: u8) -> ::dms::Ask<'_, Mill, Sift> {
            ::dms::ModuleRef::ask(self, Sift { mesh })
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
            note = "`MillMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<MillMessage>() > 256 }>::fits()
};
