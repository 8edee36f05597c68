struct Mistaken;
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Mistaken {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Mistaken")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
            .mailbox(0usize)
    };
}
::core::compile_error! {
    "a mailbox for 0 messages could take none: write `mailbox = 1` or more, or leave `mailbox` out for one without a bound"
}
#[allow(dead_code, unused)]
impl Mistaken {
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
    fn get(&self) -> &str {
        "borrowed"
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
    fn nothing(&self) {}
}
/// The message of `Mistaken::get`.
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
pub struct Get;
/// The messages of `Mistaken`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum MistakenMessage {
    /// The message of `Mistaken::get`.
    Get(Get, ::dms::ReplyTo<&'static str>),
}
/// The handlers of `Mistaken` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait MistakenRef {
    /// Asks `Mistaken::get`.
    fn get(&self) -> ::dms::Ask<'_, Mistaken, Get>;
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
    impl ::dms::MessageSet<Mistaken> for MistakenMessage {
        type Owner = Mistaken;
        fn name(&self) -> &'static str {
            match *self {
                Self::Get { .. } => "get",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Get { .. } => "Get",
            }
        }
        fn dispatch(
            self,
            module: &mut Mistaken,
            ctx: &mut ::dms::Context<Mistaken>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move { ::core::unreachable!("the module has errors") }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for MistakenMessage
    where
        for<'message> Get: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Get(ref message, _) => {
                    Self::Get(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for MistakenMessage
    where
        for<'message> Get: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Get(ref held, _) => f.debug_tuple("Get").field(held).finish(),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Get, Mistaken> for MistakenMessage {
        fn handler() -> &'static str {
            "get"
        }
        fn pack(message: Get, reply: ::dms::ReplyTo<&'static str>) -> Self {
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
    impl ::core::convert::From<Get> for MistakenMessage {
        fn from(message: Get) -> Self {
            Self::Get(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Get> for Mistaken {
        type Reply = &'static str;
        fn handle(
            &mut self,
            message: Get,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = &'static str> + ::core::marker::Send {
            async { ::core::unreachable!("the module has errors") }
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Mistaken {
        type Message = MistakenMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
    }
    #[automatically_derived]
    impl MistakenRef for ::dms::ModuleRef<Mistaken> {
        fn get(&self) -> ::dms::Ask<'_, Mistaken, Get> {
            ::dms::ModuleRef::ask(self, Get)
        }
    }
};
::core::compile_error! {
    "the reply of handler `get` borrows, and a reply leaves the module: write `String`"
}
::core::compile_error! {
    "handler `nothing` takes no message: write `#[handler(Nothing)]` to generate one, or take one as in `message: Nothing`"
}
