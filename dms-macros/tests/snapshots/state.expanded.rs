struct Cache<T> {
    values: Vec<T>,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl<T> ::dms::Describe for Cache<T> {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Cache")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl<T: Serialize + DeserializeOwned> Cache<T>
where
    T: ::core::marker::Send + 'static,
{
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
    /// The values as they lie here.
    fn keep(&self) -> &[T] {
        &self.values
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
    async fn restore(
        &mut self,
        values: Vec<T>,
        from: Version,
        ctx: &mut Context<Self>,
    ) -> Result<(), ModuleError> {
        self.values = values;
        Ok(())
    }
}
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
pub enum CacheMessage<T: Serialize + DeserializeOwned>
where
    T: ::core::marker::Send + 'static,
{
    /// The values as they lie here.
    Keep(::dms::ReplyTo<::dms::__private::Taken>),
    #[doc(hidden)]
    __Unused(::core::convert::Infallible, ::core::marker::PhantomData<fn() -> T>),
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
pub trait CacheRef<T: Serialize + DeserializeOwned>
where
    T: ::core::marker::Send + 'static,
{}
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
    #[snapshot(__used)]
    const _: () = ();
    #[restore(__used)]
    const _: () = ();
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> ::dms::MessageSet<Cache<T>> for CacheMessage<T>
    where
        T: ::core::marker::Send + 'static,
    {
        type Owner = Cache<T>;
        fn name(&self) -> &'static str {
            match *self {
                Self::Keep { .. } => "keep",
                Self::__Unused(never, ..) => match never {}
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Keep { .. } => "keep",
                Self::__Unused(never, ..) => match never {}
            }
        }
        fn dispatch(
            self,
            module: &mut Cache<T>,
            ctx: &mut ::dms::Context<Cache<T>>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Keep(reply) => {
                        if !::dms::__private::begin(&reply, "keep", ctx) {
                            return;
                        }
                        ::dms::__private::answer_snapshot(module, reply, ctx);
                    }
                    Self::__Unused(never, ..) => match never {}
                }
            }
        }
    }
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> ::core::clone::Clone for CacheMessage<T>
    where
        T: ::core::marker::Send + 'static,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Keep(_) => Self::Keep(::dms::ReplyTo::nobody()),
                Self::__Unused(ref never, ..) => match *never {}
            }
        }
    }
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> ::core::fmt::Debug for CacheMessage<T>
    where
        T: ::core::marker::Send + 'static,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Keep { .. } => f.write_str("Keep"),
                Self::__Unused(ref never, ..) => match *never {}
            }
        }
    }
    #[automatically_derived]
    impl<
        T: Serialize + DeserializeOwned,
    > ::dms::Accepts<::dms::__private::TakeSnapshot, Cache<T>> for CacheMessage<T>
    where
        T: ::core::marker::Send + 'static,
    {
        fn handler() -> &'static str {
            "keep"
        }
        fn pack(
            message: ::dms::__private::TakeSnapshot,
            reply: ::dms::ReplyTo<::dms::__private::Taken>,
        ) -> Self {
            Self::Keep(reply)
        }
        fn unpack(self) -> ::core::option::Option<::dms::__private::TakeSnapshot> {
            match self {
                Self::Keep(_) => {
                    ::core::option::Option::Some(::dms::__private::TakeSnapshot)
                }
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> ::dms::Answers<::dms::__private::TakeSnapshot>
    for Cache<T>
    where
        T: ::core::marker::Send + 'static,
    {
        type Reply = ::dms::__private::Taken;
    }
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> ::dms::Module for Cache<T>
    where
        T: ::core::marker::Send + 'static,
    {
        type Message = CacheMessage<T>;
        const STARTS: bool = false;
        const STOPS: bool = false;
        ::dms::__private::snapshot! {
            fn take_snapshot(& self, ctx : & ::dms::Context < Self >,) ->
            ::core::option::Option < ::dms::__private::Taken > {
            ::core::option::Option::Some(::dms::__private::snapshot_of(ctx, { < Cache < T
            > > ::keep(self,) })) }
        }
        ::dms::__private::snapshot! {
            const RESTORES : bool = true; fn restore_snapshot(& mut self, snapshot :
            ::dms::Snapshot, ctx : & mut ::dms::Context < Self >,) -> impl
            ::core::future::Future < Output = ::core::result::Result < (),
            ::dms::ModuleError >> + ::core::marker::Send { async move { let from =
            ::dms::__private::written_by(& snapshot); let state =
            ::dms::__private::state:: < Vec < T > > (snapshot) ?;
            ::dms::__private::hook({ < Cache < T > > ::restore(self, state, from, ctx).
            await }) } }
        }
    }
    #[automatically_derived]
    impl<T: Serialize + DeserializeOwned> CacheRef<T> for ::dms::ModuleRef<Cache<T>>
    where
        T: ::core::marker::Send + 'static,
    {}
};
struct Ledger {
    sum: u64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Ledger {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Ledger")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Ledger {
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
    #[cfg(feature = "ledger")]
    fn snapshot(&self) -> Result<u64, Open> {
        Ok(self.sum)
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
    fn restore(&mut self, sum: u64, from: Version) {
        self.sum = sum;
    }
}
/// The messages of `Ledger`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum LedgerMessage {
    #[cfg(feature = "ledger")]
    /// Asks for a snapshot, by `Ledger::snapshot`.
    Snapshot(::dms::ReplyTo<::dms::__private::Taken>),
}
/// The handlers of `Ledger` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait LedgerRef {}
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
    #[snapshot(__used)]
    const _: () = ();
    #[restore(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Ledger> for LedgerMessage {
        type Owner = Ledger;
        fn name(&self) -> &'static str {
            match *self {
                #[cfg(feature = "ledger")]
                Self::Snapshot { .. } => "snapshot",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                #[cfg(feature = "ledger")]
                Self::Snapshot { .. } => "snapshot",
            }
        }
        fn dispatch(
            self,
            module: &mut Ledger,
            ctx: &mut ::dms::Context<Ledger>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    #[cfg(feature = "ledger")]
                    Self::Snapshot(reply) => {
                        if !::dms::__private::begin(&reply, "snapshot", ctx) {
                            return;
                        }
                        ::dms::__private::answer_snapshot(module, reply, ctx);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for LedgerMessage {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                #[cfg(feature = "ledger")]
                Self::Snapshot(_) => Self::Snapshot(::dms::ReplyTo::nobody()),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for LedgerMessage {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                #[cfg(feature = "ledger")]
                Self::Snapshot { .. } => f.write_str("Snapshot"),
            }
        }
    }
    #[cfg(feature = "ledger")]
    #[automatically_derived]
    impl ::dms::Accepts<::dms::__private::TakeSnapshot, Ledger> for LedgerMessage {
        fn handler() -> &'static str {
            "snapshot"
        }
        fn pack(
            message: ::dms::__private::TakeSnapshot,
            reply: ::dms::ReplyTo<::dms::__private::Taken>,
        ) -> Self {
            Self::Snapshot(reply)
        }
        fn unpack(self) -> ::core::option::Option<::dms::__private::TakeSnapshot> {
            match self {
                Self::Snapshot(_) => {
                    ::core::option::Option::Some(::dms::__private::TakeSnapshot)
                }
                _ => ::core::option::Option::None,
            }
        }
    }
    #[cfg(feature = "ledger")]
    #[automatically_derived]
    impl ::dms::Answers<::dms::__private::TakeSnapshot> for Ledger {
        type Reply = ::dms::__private::Taken;
    }
    #[automatically_derived]
    impl ::dms::Module for Ledger {
        type Message = LedgerMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
        #[cfg(feature = "ledger")]
        ::dms::__private::snapshot! {
            fn take_snapshot(& self, ctx : & ::dms::Context < Self >,) ->
            ::core::option::Option < ::dms::__private::Taken > {
            ::core::option::Option::Some(::dms::__private::snapshot_or_error(ctx, { <
            Ledger > ::snapshot(self,) })) }
        }
        ::dms::__private::snapshot! {
            const RESTORES : bool = true; fn restore_snapshot(& mut self, snapshot :
            ::dms::Snapshot, ctx : & mut ::dms::Context < Self >,) -> impl
            ::core::future::Future < Output = ::core::result::Result < (),
            ::dms::ModuleError >> + ::core::marker::Send { async move { let from =
            ::dms::__private::written_by(& snapshot); let state =
            ::dms::__private::state:: < u64 > (snapshot) ?; ::dms::__private::hook({ <
            Ledger > ::restore(self, state, from) }) } }
        }
    }
    #[automatically_derived]
    impl LedgerRef for ::dms::ModuleRef<Ledger> {}
};
const _: () = {
    struct Message<const LARGE: bool>;
    impl Message<false> {
        const fn fits() {}
    }
    impl Message<true> {
        #[deprecated(
            note = "`LedgerMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<LedgerMessage>() > 256 }>::fits()
};
