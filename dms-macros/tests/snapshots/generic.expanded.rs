struct Cache<K, V, P = (), const N: usize = 8>
where
    K: Hash,
{
    entries: HashMap<K, V>,
    policy: PhantomData<P>,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl<K, V, P, const N: usize> ::dms::Describe for Cache<K, V, P, N>
where
    K: Hash,
{
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Cache")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl<K: Hash + Eq, V, P, const N: usize> Cache<K, V, P, N>
where
    V: From<K>,
    Self: Sized,
    K: ::core::marker::Send + 'static,
    V: ::core::marker::Send + 'static,
    P: ::core::marker::Send + 'static,
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
    async fn put(&mut self, key: K, spare: [u8; N]) -> Option<V> {
        None
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
    fn forget(&mut self, Forget(key): Forget<K>) -> bool {
        self.entries.remove(&key).is_some()
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
    fn sweep(&mut self) {}
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
pub struct Put<K: Hash + Eq, const N: usize> {
    /// The argument `key`.
    pub key: K,
    /// The argument `spare`.
    pub spare: [u8; N],
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
pub enum CacheMessage<K: Hash + Eq, V, P, const N: usize>
where
    V: From<K>,
    Cache<K, V, P, N>: Sized,
    K: ::core::marker::Send + 'static,
    V: ::core::marker::Send + 'static,
    P: ::core::marker::Send + 'static,
{
    /// The message of `Cache::put`.
    Put(Put<K, N>, ::dms::ReplyTo<Option<V>>),
    /// The message of `Cache::forget`.
    Forget(Forget<K>, ::dms::ReplyTo<bool>),
    /// The tick `Cache::sweep`.
    Sweep,
    #[doc(hidden)]
    __Unused(::core::convert::Infallible, ::core::marker::PhantomData<fn() -> P>),
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
pub trait CacheRef<K: Hash + Eq, V, P, const N: usize>
where
    V: From<K>,
    Cache<K, V, P, N>: Sized,
    K: ::core::marker::Send + 'static,
    V: ::core::marker::Send + 'static,
    P: ::core::marker::Send + 'static,
{
    /// Asks `Cache::put`.
    fn put(
        &self,
        key: K,
        spare: [u8; N],
    ) -> ::dms::Ask<'_, Cache<K, V, P, N>, Put<K, N>>;
    /// Asks `Cache::forget`.
    fn forget(&self, message: Forget<K>) -> ::dms::Ask<'_, Cache<K, V, P, N>, Forget<K>>;
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
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::MessageSet<Cache<K, V, P, N>>
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        type Owner = Cache<K, V, P, N>;
        fn name(&self) -> &'static str {
            match *self {
                Self::Put { .. } => "put",
                Self::Forget { .. } => "forget",
                Self::Sweep { .. } => "sweep",
                Self::__Unused(never, ..) => match never {}
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Put { .. } => "Put",
                Self::Forget { .. } => "Forget",
                Self::Sweep { .. } => "sweep",
                Self::__Unused(never, ..) => match never {}
            }
        }
        fn dispatch(
            self,
            module: &mut Cache<K, V, P, N>,
            ctx: &mut ::dms::Context<Cache<K, V, P, N>>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Put(message, reply) => {
                        if !::dms::__private::begin(&reply, "put", ctx) {
                            return;
                        }
                        let answer = <Cache<
                            K,
                            V,
                            P,
                            N,
                        > as ::dms::Handler<Put<K, N>>>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                    Self::Forget(message, reply) => {
                        if !::dms::__private::begin(&reply, "forget", ctx) {
                            return;
                        }
                        let answer = <Cache<K, V, P, N>>::forget(module, message);
                        reply.send(answer);
                    }
                    Self::Sweep => {
                        ::dms::__private::begin_tick("sweep", ctx);
                        <Cache<K, V, P, N>>::sweep(module);
                    }
                    Self::__Unused(never, ..) => match never {}
                }
            }
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::core::clone::Clone
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
        Put<K, N>: ::core::clone::Clone,
        Forget<K>: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Put(ref message, _) => {
                    Self::Put(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Forget(ref message, _) => {
                    Self::Forget(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Sweep => Self::Sweep,
                Self::__Unused(ref never, ..) => match *never {}
            }
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::core::fmt::Debug
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
        Put<K, N>: ::core::fmt::Debug,
        Forget<K>: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Put(ref held, _) => f.debug_tuple("Put").field(held).finish(),
                Self::Forget(ref held, _) => f.debug_tuple("Forget").field(held).finish(),
                Self::Sweep { .. } => f.write_str("Sweep"),
                Self::__Unused(ref never, ..) => match *never {}
            }
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::Accepts<Put<K, N>, Cache<K, V, P, N>>
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        fn handler() -> &'static str {
            "put"
        }
        fn pack(message: Put<K, N>, reply: ::dms::ReplyTo<Option<V>>) -> Self {
            Self::Put(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Put<K, N>> {
            match self {
                Self::Put(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::core::convert::From<Put<K, N>>
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        fn from(message: Put<K, N>) -> Self {
            Self::Put(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::Handler<Put<K, N>>
    for Cache<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        type Reply = Option<V>;
        fn handle(
            &mut self,
            message: Put<K, N>,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = Option<V>> + ::core::marker::Send {
            <Cache<K, V, P, N>>::put(self, message.key, message.spare)
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::Accepts<Forget<K>, Cache<K, V, P, N>>
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        fn handler() -> &'static str {
            "forget"
        }
        fn pack(message: Forget<K>, reply: ::dms::ReplyTo<bool>) -> Self {
            Self::Forget(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Forget<K>> {
            match self {
                Self::Forget(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::core::convert::From<Forget<K>>
    for CacheMessage<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        fn from(message: Forget<K>) -> Self {
            Self::Forget(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::Handler<Forget<K>>
    for Cache<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        type Reply = bool;
        fn handle(
            &mut self,
            message: Forget<K>,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = bool> + ::core::marker::Send {
            ::core::future::ready(<Cache<K, V, P, N>>::forget(self, message))
        }
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> ::dms::Module for Cache<K, V, P, N>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        type Message = CacheMessage<K, V, P, N>;
        const STOPS: bool = false;
        const TICKS: &'static [::dms::__private::Tick<Self>] = &[
            ::dms::__private::Tick::new(
                "sweep",
                ::core::time::Duration::from_secs(3600u64),
                || CacheMessage::Sweep,
            ),
        ];
    }
    #[automatically_derived]
    impl<K: Hash + Eq, V, P, const N: usize> CacheRef<K, V, P, N>
    for ::dms::ModuleRef<Cache<K, V, P, N>>
    where
        V: From<K>,
        Cache<K, V, P, N>: Sized,
        K: ::core::marker::Send + 'static,
        V: ::core::marker::Send + 'static,
        P: ::core::marker::Send + 'static,
    {
        fn put(
            &self,
            key: K,
            spare: [u8; N],
        ) -> ::dms::Ask<'_, Cache<K, V, P, N>, Put<K, N>> {
            ::dms::ModuleRef::ask(self, Put { key, spare })
        }
        fn forget(
            &self,
            message: Forget<K>,
        ) -> ::dms::Ask<'_, Cache<K, V, P, N>, Forget<K>> {
            ::dms::ModuleRef::ask(self, message)
        }
    }
};
