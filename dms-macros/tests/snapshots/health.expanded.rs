pub struct Disk {
    free: u64,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Disk {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Disk")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
            .restart(::dms::recovery::Restart::on_failure())
    };
}
impl Disk {
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
    /// Asks the drive.
    async fn check(
        &mut self,
        ctx: &mut Context<Self>,
    ) -> Result<HealthStatus, ModuleError> {
        Ok(HealthStatus::Healthy)
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
    fn free(&self) -> u64 {
        self.free
    }
}
/// The message of `Disk::free`.
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
pub struct Free;
/// The messages of `Disk`: one variant for each of its handlers, ticks and event handlers, and for its health check. A clone asks nobody: the reply stays owed by the original.
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
pub enum DiskMessage {
    /// The message of `Disk::free`.
    Free(Free, ::dms::ReplyTo<u64>),
    /// Asks the drive.
    Check,
}
/// The handlers of `Disk` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait DiskRef {
    /// Asks `Disk::free`.
    fn free(&self) -> ::dms::Ask<'_, Disk, Free>;
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
    #[health(__used)]
    const _: () = ();
    #[handler(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Disk> for DiskMessage {
        type Owner = Disk;
        fn name(&self) -> &'static str {
            match *self {
                Self::Free { .. } => "free",
                Self::Check { .. } => "check",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Free { .. } => "Free",
                Self::Check { .. } => "check",
            }
        }
        fn dispatch(
            self,
            module: &mut Disk,
            ctx: &mut ::dms::Context<Disk>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Free(message, reply) => {
                        if !::dms::__private::begin(&reply, "free", ctx) {
                            return;
                        }
                        let answer = <Disk>::free(module);
                        reply.send(answer);
                    }
                    Self::Check => {
                        let ::core::option::Option::Some(check) = ::dms::__private::begin_check(
                            "check",
                            ctx,
                        ) else { return };
                        check
                            .run(async {
                                ::dms::__private::health({
                                    <Disk>::check(module, ctx).await
                                })
                            })
                            .await;
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for DiskMessage
    where
        for<'message> Free: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Free(ref message, _) => {
                    Self::Free(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Check => Self::Check,
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for DiskMessage
    where
        for<'message> Free: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Free(ref held, _) => f.debug_tuple("Free").field(held).finish(),
                Self::Check { .. } => f.write_str("Check"),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Free, Disk> for DiskMessage {
        fn handler() -> &'static str {
            "free"
        }
        fn pack(message: Free, reply: ::dms::ReplyTo<u64>) -> Self {
            Self::Free(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Free> {
            match self {
                Self::Free(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Free> for DiskMessage {
        fn from(message: Free) -> Self {
            Self::Free(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Free> for Disk {
        type Reply = u64;
        fn handle(
            &mut self,
            message: Free,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send {
            ::core::future::ready(<Disk>::free(self))
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Disk {
        type Message = DiskMessage;
        const STOPS: bool = false;
        const HEALTH: ::core::option::Option<::dms::__private::HealthCheck<Self>> = ::core::option::Option::Some(
            ::dms::__private::HealthCheck::new(|| DiskMessage::Check)
                .every(::core::time::Duration::from_secs(30u64))
                .timeout(::core::time::Duration::from_secs(1u64))
                .failures(5)
                .successes(1),
        );
    }
    #[automatically_derived]
    impl DiskRef for ::dms::ModuleRef<Disk> {
        fn free(&self) -> ::dms::Ask<'_, Disk, Free> {
            ::dms::ModuleRef::ask(self, Free)
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
            note = "`DiskMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<DiskMessage>() > 256 }>::fits()
};
pub struct Link;
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Link {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Link")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Link {
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
    #[cfg(unix)]
    fn health(&self) -> bool {
        true
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
    #[cfg(not(unix))]
    fn probe(&self) -> bool {
        true
    }
}
/// The messages of `Link`: one variant for each of its handlers, ticks and event handlers, and for its health check. A clone asks nobody: the reply stays owed by the original.
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
pub enum LinkMessage {
    #[cfg(unix)]
    /// The health check `Link::health`.
    Health,
    #[cfg(not(unix))]
    /// The health check `Link::probe`.
    Probe,
}
/// The handlers of `Link` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait LinkRef {}
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
    #[health(__used)]
    const _: () = ();
    #[automatically_derived]
    impl ::dms::MessageSet<Link> for LinkMessage {
        type Owner = Link;
        fn name(&self) -> &'static str {
            match *self {
                #[cfg(unix)]
                Self::Health { .. } => "health",
                #[cfg(not(unix))]
                Self::Probe { .. } => "probe",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                #[cfg(unix)]
                Self::Health { .. } => "health",
                #[cfg(not(unix))]
                Self::Probe { .. } => "probe",
            }
        }
        fn dispatch(
            self,
            module: &mut Link,
            ctx: &mut ::dms::Context<Link>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    #[cfg(unix)]
                    Self::Health => {
                        let ::core::option::Option::Some(check) = ::dms::__private::begin_check(
                            "health",
                            ctx,
                        ) else { return };
                        check
                            .run(async {
                                ::dms::__private::health({ <Link>::health(module) })
                            })
                            .await;
                    }
                    #[cfg(not(unix))]
                    Self::Probe => {
                        let ::core::option::Option::Some(check) = ::dms::__private::begin_check(
                            "probe",
                            ctx,
                        ) else { return };
                        check
                            .run(async {
                                ::dms::__private::health({ <Link>::probe(module) })
                            })
                            .await;
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for LinkMessage {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                #[cfg(unix)]
                Self::Health => Self::Health,
                #[cfg(not(unix))]
                Self::Probe => Self::Probe,
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for LinkMessage {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                #[cfg(unix)]
                Self::Health { .. } => f.write_str("Health"),
                #[cfg(not(unix))]
                Self::Probe { .. } => f.write_str("Probe"),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Link {
        type Message = LinkMessage;
        const STOPS: bool = false;
        #[cfg(unix)]
        const HEALTH: ::core::option::Option<::dms::__private::HealthCheck<Self>> = ::core::option::Option::Some(
            ::dms::__private::HealthCheck::new(|| LinkMessage::Health),
        );
        #[cfg(not(unix))]
        const HEALTH: ::core::option::Option<::dms::__private::HealthCheck<Self>> = ::core::option::Option::Some(
            ::dms::__private::HealthCheck::new(|| LinkMessage::Probe)
                .every(::core::time::Duration::from_secs(60u64)),
        );
    }
    #[automatically_derived]
    impl LinkRef for ::dms::ModuleRef<Link> {}
};
const _: () = {
    struct Message<const LARGE: bool>;
    impl Message<false> {
        const fn fits() {}
    }
    impl Message<true> {
        #[deprecated(
            note = "`LinkMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<LinkMessage>() > 256 }>::fits()
};
