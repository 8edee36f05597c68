enum Session {
    Waiting,
    Open(Peer),
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Session {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Session")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
            .no_timeout()
    };
}
impl Session {
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
    fn close(&mut self) {
        *self = Self::Waiting;
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
    async fn talk(
        &mut self,
        ctx: &mut Context<Self>,
        inbox: &mut Inbox<Self>,
    ) -> Result<(), ModuleError> {
        while let Some(message) = inbox.recv().await {
            inbox.dispatch(message, self, ctx).await;
        }
        Ok(())
    }
}
/// The message of `Session::close`.
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
pub struct Close;
/// The messages of `Session`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum SessionMessage {
    /// The message of `Session::close`.
    Close(Close, ::dms::ReplyTo<()>),
}
/// The handlers of `Session` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait SessionRef {
    /// Asks `Session::close`.
    fn close(&self) -> ::dms::Ask<'_, Session, Close>;
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
    #[run(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Session> for SessionMessage {
        type Owner = Session;
        fn name(&self) -> &'static str {
            match *self {
                Self::Close { .. } => "close",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Close { .. } => "Close",
            }
        }
        fn dispatch(
            self,
            module: &mut Session,
            ctx: &mut ::dms::Context<Session>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Close(message, reply) => {
                        if !::dms::__private::begin(&reply, "close", ctx) {
                            return;
                        }
                        let answer = <Session>::close(module);
                        reply.send(answer);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for SessionMessage
    where
        for<'message> Close: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Close(ref message, _) => {
                    Self::Close(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for SessionMessage
    where
        for<'message> Close: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Close(ref held, _) => f.debug_tuple("Close").field(held).finish(),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Close, Session> for SessionMessage {
        fn handler() -> &'static str {
            "close"
        }
        fn pack(message: Close, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Close(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Close> {
            match self {
                Self::Close(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Close> for SessionMessage {
        fn from(message: Close) -> Self {
            Self::Close(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Close> for Session {
        type Reply = ();
        fn handle(
            &mut self,
            message: Close,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            ::core::future::ready(<Session>::close(self))
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Session {
        type Message = SessionMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
        fn run(
            &mut self,
            inbox: &mut ::dms::Inbox<Self>,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<(), ::dms::ModuleError>,
        > + ::core::marker::Send {
            async move {
                ::dms::__private::hook({ <Session>::talk(self, ctx, inbox).await })
            }
        }
    }
    #[automatically_derived]
    impl SessionRef for ::dms::ModuleRef<Session> {
        fn close(&self) -> ::dms::Ask<'_, Session, Close> {
            ::dms::ModuleRef::ask(self, Close)
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
            note = "`SessionMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<SessionMessage>() > 256 }>::fits()
};
