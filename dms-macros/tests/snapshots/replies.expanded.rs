struct Desk {
    waiting: Vec<ReplyTo<Page>>,
}
#[automatically_derived]
#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::dms::Describe for Desk {
    const INFO: ::dms::ModuleInfo = {
        let _ = ::core::option_env!("CARGO_PKG_AUTHORS");
        let _ = ::core::option_env!("CARGO_PKG_LICENSE");
        ::dms::ModuleInfo::new("Desk")
            .version(0u64, 1u64, 0u64)
            .license("MIT OR Apache-2.0")
    };
}
impl Desk {
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
    fn fetch(&mut self, reply: ReplyTo<Page>, Fetch(number): Fetch) {
        self.waiting.push(reply);
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
    async fn print(
        &mut self,
        ctx: &mut Context<Self>,
        text: [u8; 4096],
        reply: ReplyTo<usize>,
    ) {
        reply.send(text.len());
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
    async fn keep(&self, page: Page) -> usize {
        page.len()
    }
}
/// The message of `Desk::print`.
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
pub struct Print {
    /// The argument `text`.
    pub text: [u8; 4096],
}
/// The messages of `Desk`: one variant for each of its handlers, ticks and event handlers. A clone asks nobody: the reply stays owed by the original.
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
pub enum DeskMessage {
    /// The message of `Desk::fetch`.
    Fetch(Fetch, ::dms::ReplyTo<Page>),
    /// The message of `Desk::print`.
    Print(::std::boxed::Box<Print>, ::dms::ReplyTo<usize>),
    /// The message of `Desk::keep`.
    Keep(::std::boxed::Box<Page>, ::dms::ReplyTo<usize>),
}
/// The handlers of `Desk` as methods on a reference to it: each asks, and gives the reply when it is awaited.
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
pub trait DeskRef {
    /// Asks `Desk::fetch`.
    fn fetch(&self, message: Fetch) -> ::dms::Ask<'_, Desk, Fetch>;
    /// Asks `Desk::print`.
    fn print(&self, text: [u8; 4096]) -> ::dms::Ask<'_, Desk, Print>;
    /// Asks `Desk::keep`.
    fn keep(&self, page: Page) -> ::dms::Ask<'_, Desk, Page>;
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
    impl ::dms::MessageSet<Desk> for DeskMessage {
        type Owner = Desk;
        fn name(&self) -> &'static str {
            match *self {
                Self::Fetch { .. } => "fetch",
                Self::Print { .. } => "print",
                Self::Keep { .. } => "keep",
            }
        }
        fn message_name(&self) -> &'static str {
            match *self {
                Self::Fetch { .. } => "Fetch",
                Self::Print { .. } => "Print",
                Self::Keep { .. } => "Page",
            }
        }
        fn dispatch(
            self,
            module: &mut Desk,
            ctx: &mut ::dms::Context<Desk>,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            async move {
                match self {
                    Self::Fetch(message, reply) => {
                        if !::dms::__private::begin_detached(&reply, "fetch", ctx) {
                            return;
                        }
                        <Desk>::fetch(module, reply, message);
                    }
                    Self::Print(message, reply) => {
                        if !::dms::__private::begin_detached(&reply, "print", ctx) {
                            return;
                        }
                        let message = *message;
                        <Desk>::print(module, ctx, message.text, reply).await;
                    }
                    Self::Keep(message, reply) => {
                        if !::dms::__private::begin(&reply, "keep", ctx) {
                            return;
                        }
                        let message = *message;
                        let answer = <Desk as ::dms::Handler<
                            Page,
                        >>::handle(module, message, ctx)
                            .await;
                        reply.send(answer);
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for DeskMessage
    where
        for<'message> Fetch: ::core::clone::Clone,
        for<'message> Print: ::core::clone::Clone,
        for<'message> Page: ::core::clone::Clone,
    {
        #[inline]
        fn clone(&self) -> Self {
            match *self {
                Self::Fetch(ref message, _) => {
                    Self::Fetch(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Print(ref message, _) => {
                    Self::Print(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
                Self::Keep(ref message, _) => {
                    Self::Keep(
                        ::core::clone::Clone::clone(message),
                        ::dms::ReplyTo::nobody(),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for DeskMessage
    where
        for<'message> Fetch: ::core::fmt::Debug,
        for<'message> Print: ::core::fmt::Debug,
        for<'message> Page: ::core::fmt::Debug,
    {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match *self {
                Self::Fetch(ref held, _) => f.debug_tuple("Fetch").field(held).finish(),
                Self::Print(ref held, _) => f.debug_tuple("Print").field(held).finish(),
                Self::Keep(ref held, _) => f.debug_tuple("Keep").field(held).finish(),
            }
        }
    }
    #[automatically_derived]
    impl ::dms::Accepts<Fetch, Desk> for DeskMessage {
        fn handler() -> &'static str {
            "fetch"
        }
        fn pack(message: Fetch, reply: ::dms::ReplyTo<Page>) -> Self {
            Self::Fetch(message, reply)
        }
        fn unpack(self) -> ::core::option::Option<Fetch> {
            match self {
                Self::Fetch(message, _) => ::core::option::Option::Some(message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Fetch> for DeskMessage {
        fn from(message: Fetch) -> Self {
            Self::Fetch(message, ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Answers<Fetch> for Desk {
        type Reply = Page;
    }
    #[automatically_derived]
    impl ::dms::Accepts<Print, Desk> for DeskMessage {
        fn handler() -> &'static str {
            "print"
        }
        fn pack(message: Print, reply: ::dms::ReplyTo<usize>) -> Self {
            Self::Print(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Print> {
            match self {
                Self::Print(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Print> for DeskMessage {
        fn from(message: Print) -> Self {
            Self::Print(::std::boxed::Box::new(message), ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Answers<Print> for Desk {
        type Reply = usize;
    }
    #[automatically_derived]
    impl ::dms::Accepts<Page, Desk> for DeskMessage {
        fn handler() -> &'static str {
            "keep"
        }
        fn pack(message: Page, reply: ::dms::ReplyTo<usize>) -> Self {
            Self::Keep(::std::boxed::Box::new(message), reply)
        }
        fn unpack(self) -> ::core::option::Option<Page> {
            match self {
                Self::Keep(message, _) => ::core::option::Option::Some(*message),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<Page> for DeskMessage {
        fn from(message: Page) -> Self {
            Self::Keep(::std::boxed::Box::new(message), ::dms::ReplyTo::nobody())
        }
    }
    #[automatically_derived]
    impl ::dms::Handler<Page> for Desk {
        type Reply = usize;
        fn handle(
            &mut self,
            message: Page,
            ctx: &mut ::dms::Context<Self>,
        ) -> impl ::core::future::Future<Output = usize> + ::core::marker::Send {
            <Desk>::keep(self, message)
        }
    }
    #[automatically_derived]
    impl ::dms::Module for Desk {
        type Message = DeskMessage;
        const STARTS: bool = false;
        const STOPS: bool = false;
    }
    #[automatically_derived]
    impl DeskRef for ::dms::ModuleRef<Desk> {
        fn fetch(&self, message: Fetch) -> ::dms::Ask<'_, Desk, Fetch> {
            ::dms::ModuleRef::ask(self, message)
        }
        fn print(&self, text: [u8; 4096]) -> ::dms::Ask<'_, Desk, Print> {
            ::dms::ModuleRef::ask(self, Print { text })
        }
        fn keep(&self, page: Page) -> ::dms::Ask<'_, Desk, Page> {
            ::dms::ModuleRef::ask(self, page)
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
            note = "`DeskMessage` is larger than 256 bytes, and every message in the mailbox is as large as the largest: write `#[handler(boxed)]` on the handler of the large one"
        )]
        const fn fits() {}
    }
    Message::<{ ::core::mem::size_of::<DeskMessage>() > 256 }>::fits()
};
