struct Cache {
    pages: Vec<Page>,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Cache {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Cache")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Cache {
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
    fn look(&self, At(at): At) -> Option<Page> {
        self.pages.get(at).cloned()
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
    fn put(&mut self, page: Page, ctx: &mut Context<Self>) {
        self.pages.push(page);
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
    fn clear(&mut self) {
        self.pages.clear();
    }
}
/// The message of `Cache::put`.
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
pub struct Put {
    /// The argument `page`.
    pub page: Page,
}
/// The message of `Cache::clear`.
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
pub struct Clear;
/// The messages of `Cache`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum CacheMessage {
    /// The message of `Cache::look`.
    Look(At, ::dms::ReplyTo<Option<Page>>),
    /// The message of `Cache::put`.
    Put(::std::boxed::Box<Put>, ::dms::ReplyTo<()>),
    /// The message of `Cache::clear`.
    Clear(Clear, ::dms::ReplyTo<()>),
}
/// The handlers of `Cache` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait CacheRef {
    /// Asks `Cache::look`.
    fn look(&self, message: At) -> ::dms::Ask<'_, Cache, At>;
    /// Asks `Cache::put`.
    fn put(&self, page: Page) -> ::dms::Ask<'_, Cache, Put>;
    /// Asks `Cache::clear`.
    fn clear(&self) -> ::dms::Ask<'_, Cache, Clear>;
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
    impl ::dms::MessageSet<Cache> for CacheMessage {
        type Owner = Cache;
        fn name(&self) -> &'static str {
            match *self {
                Self::Look { .. } => "look",
                Self::Put { .. } => "put",
                Self::Clear { .. } => "clear",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Look { .. } => "At",
                Self::Put { .. } => "Put",
                Self::Clear { .. } => "Clear",
            }
        }
        fn dispatch(
            self,
            module: &mut Cache,
            ctx: &mut ::dms::Context<Cache>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Look(message, reply) => {
                        if !::dms::__private::begin(&reply, "look", ctx) {
                            return;
                        }
                        let answer = <Cache>::look(module, message);
                        reply.send(answer);
                    }
                    Self::Put(message, reply) => {
                        if !::dms::__private::begin(&reply, "put", ctx) {
                            return;
                        }
                        let message = *message;
                        let answer = <Cache>::put(module, message.page, ctx);
                        reply.send(answer);
                    }
                    Self::Clear(message, reply) => {
                        if !::dms::__private::begin(&reply, "clear", ctx) {
                            return;
                        }
                        let answer = <Cache>::clear(module);
                        reply.send(answer);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for CacheMessage
    where
        for<'message> At: ::core::clone::Clone,
        for<'message> Put: ::core::clone::Clone,
        for<'message> Clear: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Look(ref message, _) => {
                    Self::Look(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Put(ref message, _) => {
                    Self::Put(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Clear(ref message, _) => {
                    Self::Clear(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CacheMessage
    where
        for<'message> At: ::core::fmt::Debug,
        for<'message> Put: ::core::fmt::Debug,
        for<'message> Clear: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Look(ref held, _) => f.debug_tuple("Look").field(held).finish(),
                Self::Put(ref held, _) => f.debug_tuple("Put").field(held).finish(),
                Self::Clear(ref held, _) => f.debug_tuple("Clear").field(held).finish(),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<At, Cache> for CacheMessage {
        fn handler() -> &'static str {
            "look"
        }
        fn pack(message: At, reply: ::dms::ReplyTo<Option<Page>>) -> Self {
            Self::Look(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<At> {
            match self {
                Self::Look(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
        const INLINE: bool = true;
        fn answer(
            message: At,
            module: &mut Cache,
            ctx: &mut ::dms::Context<Cache>,
        ) -> ::core::option::Option<Option<Page>> {
            ::core::option::Option::Some(<Cache>::look(module, message))
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<At> for CacheMessage {
        fn from(message: At) -> Self {
            Self::Look(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<At> for Cache {
        type Reply = Option<Page>;
        fn handle(
            &mut self,
            message: At,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = Option<Page>> + ::core::marker::Send {
            ::core::future::ready(<Cache>::look(self, message))
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Put, Cache> for CacheMessage {
        fn handler() -> &'static str {
            "put"
        }
        fn pack(message: Put, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Put(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Put> {
            match self {
                Self::Put(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
        const INLINE: bool = true;
        fn answer(
            message: Put,
            module: &mut Cache,
            ctx: &mut ::dms::Context<Cache>,
        ) -> ::core::option::Option<()> {
            ::core::option::Option::Some(<Cache>::put(module, message.page, ctx))
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Put> for CacheMessage {
        fn from(message: Put) -> Self {
            Self::Put(::std::boxed::Box::new(message), ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Put> for Cache {
        type Reply = ();
        fn handle(
            &mut self,
            message: Put,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            ::core::future::ready(<Cache>::put(self, message.page, ctx))
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Clear, Cache> for CacheMessage {
        fn handler() -> &'static str {
            "clear"
        }
        fn pack(message: Clear, reply: ::dms::ReplyTo<()>) -> Self {
            Self::Clear(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Clear> {
            match self {
                Self::Clear(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Clear> for CacheMessage {
        fn from(message: Clear) -> Self {
            Self::Clear(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Clear> for Cache {
        type Reply = ();
        fn handle(
            &mut self,
            message: Clear,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            ::core::future::ready(<Cache>::clear(self))
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Cache {
        type Message = CacheMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
        const INLINE: bool = true;
    }
    #[automatically_derived]
    impl CacheRef for ::dms::ModuleRef<Cache> {
        fn look(&self, message: At) -> ::dms::Ask<'_, Cache, At> {
            ::dms::ModuleRef::ask(self, message)
        }
        fn put(&self, page: Page) -> ::dms::Ask<'_, Cache, Put> {
            ::dms::ModuleRef::ask(self, Put { page })
        }
        fn clear(&self) -> ::dms::Ask<'_, Cache, Clear> {
            ::dms::ModuleRef::ask(self, Clear)
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
            note = "`CacheMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<CacheMessage>() > 256 }>::fits()
};
