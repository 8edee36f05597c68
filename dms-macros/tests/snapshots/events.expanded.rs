pub struct Cache {
    entries: Vec<u8>,
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
    async fn on_pressure(
        &mut self,
        event: &MemoryPressure,
        ctx: &mut Context<Self>,
    ) -> EventResponse {
        self.entries.clear();
        EventResponse::Handled
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
    /// Something was flushed.
    #[cfg(unix)]
    fn on_flushed(&mut self, Custom { data, .. }: &Custom) -> Result<(), ModuleError> {
        self.entries.extend(data);
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
pub enum CacheMessage {
    /// The event of `Cache::on_pressure`.
    OnPressure(::dms::event::EventDelivery<MemoryPressure>),
    #[cfg(unix)]
    /// Something was flushed.
    OnFlushed(::dms::event::EventDelivery<Custom>),
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
pub trait CacheRef {}
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
    #[event(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Cache> for CacheMessage {
        type Owner = Cache;
        fn name(&self) -> &'static str {
            match *self {
                Self::OnPressure { .. } => "on_pressure",
                #[cfg(unix)]
                Self::OnFlushed { .. } => "on_flushed",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::OnPressure { .. } => "MemoryPressure",
                #[cfg(unix)]
                Self::OnFlushed { .. } => "Custom",
            }
        }
        fn dispatch(
            self,
            module: &mut Cache,
            ctx: &mut ::dms::Context<Cache>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::OnPressure(mut delivery) => {
                        ::dms::__private::begin_event(&mut delivery, "on_pressure", ctx);
                        let message = delivery.event();
                        let output = ::dms::__private::event_output({
                            <Cache>::on_pressure(module, message, ctx).await
                        });
                        delivery.answer(output);
                    }
                    #[cfg(unix)]
                    Self::OnFlushed(mut delivery) => {
                        ::dms::__private::begin_event(&mut delivery, "on_flushed", ctx);
                        let message = delivery.event();
                        let output = ::dms::__private::event_output({
                            <Cache>::on_flushed(module, message)
                        });
                        delivery.answer(output);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for CacheMessage {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::OnPressure(ref delivery) => {
                    Self::OnPressure(::core::clone::Clone::clone(delivery))
                }
                #[cfg(unix)]
                Self::OnFlushed(ref delivery) => {
                    Self::OnFlushed(::core::clone::Clone::clone(delivery))
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CacheMessage {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::OnPressure(ref held) => {
                    f.debug_tuple("OnPressure").field(held).finish()
                }
                #[cfg(unix)]
                Self::OnFlushed(ref held) => {
                    f.debug_tuple("OnFlushed").field(held).finish()
                }
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Cache {
        type Message = CacheMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
        const EVENTS: &'static [&'static dyn ::dms::__private::EventHandler<Self>] = &[
            &::dms::__private::Subscribe::<
                Self,
                MemoryPressure,
            >::new("on_pressure", CacheMessage::OnPressure),
            #[cfg(unix)]
            &::dms::__private::Subscribe::<
                Self,
                Custom,
            >::new("on_flushed", CacheMessage::OnFlushed)
                .custom("cache.flushed")
                .buffer(64),
        ];
    }
    #[automatically_derived]
    impl CacheRef for ::dms::ModuleRef<Cache> {}
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
