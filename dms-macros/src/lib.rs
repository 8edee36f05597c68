//! The macros of [dms](https://docs.rs/dms), which re-exports them: a program depends on `dms` and not on this crate.
//!
//! - [`macro@module`] on a struct says what a module is, on its impl what it does;
//! - [`macro@handler`] on a method of that impl makes it the handler of a message;
//! - [`macro@tick`] on a method has it called periodically;
//! - [`macro@event`] on a method makes it the handler of an event;
//! - [`macro@request`] on a method has it take the requests that no handler has the name of;
//! - [`macro@health`] is what says how the module is;
//! - [`macro@init`], [`macro@start`], [`macro@run`] and [`macro@stop`] are the hooks: what is done when a module comes and goes;
//! - [`macro@snapshot`] gives a module's state, and [`macro@restore`] takes it.
//!
//! ```text
//! use dms::prelude::*;
//!
//! /// Counts things.
//! #[module(name = "counter")]
//! pub struct Counter { count: u64 }
//!
//! #[module]
//! impl Counter {
//!     #[handler(Add)]
//!     fn add(&mut self, by: u64) -> u64 {
//!         self.count += by;
//!         self.count
//!     }
//! }
//! ```
//!
//! # Inside
//! An attribute goes through four stages, each a file of the rooms `module/` (the struct) and `handlers/` (the impl):
//! `args` reads what is written, `model` says what it means, `check` finds what does not fit together, and `emit` writes the
//! items, one function for each. The mistakes of all stages are collected, so that one compilation shows them all, and the
//! user's item is emitted in any case.

mod diagnostics;
mod duration;
mod entries;
mod fallback;
mod generics;
mod handlers;
mod krate;
mod method;
mod module;
#[cfg(test)]
mod snapshots;
mod spelling;
mod stray;

use proc_macro::TokenStream;

/// Makes a struct a module: above the struct it says what the module **is**, above its impl what it **does**. Both are needed.
///
/// # On the struct
/// ```text
/// /// Counts things.
/// #[module(name = "counter", mailbox = 64, overflow = reject, timeout = "2s")]
/// pub struct Counter { count: u64 }
/// ```
/// The struct (or enum) stays as it is; what the keys say becomes `Describe::INFO`, a constant. All keys may be left out:
///
/// | key | value | without it |
/// |--|--|--|
/// | `name` | `"counter"`: the name by which a system finds the module; one module of a system may have it at a time | the type's name in errors and logs, by which nothing is found |
/// | `version` | `"1.2.0"`: three numbers | the version of the crate |
/// | `description` | `"Counts things."` | the first paragraph of the struct's doc comment |
/// | `author` | `"Ada Lovelace"` | the authors of the crate, `", "` between them |
/// | `license` | `"MIT OR Apache-2.0"` | the license of the crate |
/// | `flags(..)` | `flags(DRIVER, user(3))`: the constants of `ModuleFlags`, and `user(0)` to `user(31)` for what they do not name | none |
/// | `depends(..)` | `depends("store", "cache >= 1.3", optional("metrics"))`: modules by name or capability | nothing |
/// | `provides(..)` | `provides("count", "metrics.sink")`: the capabilities by which it is depended on and found | nothing |
/// | `mailbox` | `64`: at most so many messages wait | no bound |
/// | `overflow` | `wait`, `reject`, `drop_oldest` or `drop_newest`: what a full mailbox does with one more message | `wait` |
/// | `timeout` | `"2s"` or `off`: the deadline of asks that set none | the system's, which is 5 seconds if nothing else was said |
/// | `restart` | `never`, `on_failure` or `always`: whether it is started again after it has ended by itself | `never` |
/// | `max_restarts`, `within` | `5`, `"60s"`: how many restarts happen within how much time; the failure after them is one for good | 5 within 60 s |
/// | `backoff` | `"100ms..30s"`: how long the first restart waits, twice as long each time, and the longest | `"100ms..30s"` |
/// | `strategy` | `one_for_one`, `one_for_all`, `rest_for_one` or `escalate`: which of its children are started again when one of them is | `one_for_one` |
///
/// A dependency is a name, alone if any version will do, or with the versions that will, written as Cargo writes them: `"cache 1.3"`,
/// `"cache >= 1.3, < 2"`, `"cache ~1.2"`. The name ends at the first blank or at one of `<`, `>`, `=`, `~`, `^`, `*`. A module does not depend on
/// itself, neither by its name nor by what it provides.
///
/// Durations are whole numbers with a unit (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`), several of which add up: `"1m 30s"`.
///
/// # On the impl
/// ```text
/// #[module]
/// impl Counter {
///     #[handler] async fn add(&mut self, Add(n): Add) { self.count += n; }
///     #[handler(Get)] fn get(&self) -> u64 { self.count }
///     #[tick(every = "30s")] fn report(&self) { println!("{}", self.count); }
///     #[init] async fn init(&mut self) -> Result<(), ModuleError> { Ok(()) }
///     fn helper(&self) {}
/// }
/// ```
/// The impl stays as it is, but for the attributes on its methods; bodies are not read. Beside it stands:
///
/// - `enum CounterMessage`: one variant for each handler, `Add(Add, ReplyTo<()>)`, for each tick, `Report`, for each event handler,
///   `OnPressure(EventDelivery<MemoryPressure>)`, for a health check, and for a [`macro@snapshot`] method, `Snapshot(ReplyTo<..>)`. It is what the
///   mailbox holds, what [`macro@run`] matches on, and what a mock of the module is a function over. Each message turns into it by `From`, with a reply that is nobody's. It is `Clone` where
///   all messages are, and `Debug` where all are: a clone asks nobody, since the reply stays owed by the original, and `Add(Add { number: 7 })` is printed without the reply;
/// - `struct Get`, for each handler that names a message: see [`macro@handler`];
/// - `impl Handler<Add> for Counter`, for each handler: code can be generic over modules that handle a message;
/// - `trait CounterRef` with a method for each handler, implemented for `ModuleRef<Counter>`: `counter.add(Add(2)).await?` is
///   `counter.ask(Add(2)).await?`. Import the trait where it is used;
/// - `impl Module for Counter`, with the hooks.
///
/// A handler's doc comment, `#[cfg(..)]` and `#[deprecated]` hold for all that is generated for it.
///
/// There are three keys. `visibility`: what is generated is `pub` unless `#[module(visibility = "pub(crate)")]` says otherwise. The enum
/// may not be less visible than the struct, which Rust demands of every public trait's types. `remote`: every handler is, see [`macro@handler`].
///
/// `replaces`: with `#[module(replaces = Counter)] impl CounterV2` the module has no messages of its own, but those of `Counter`, each of which it has to handle, with the same reply: so it can take the place of
/// a `Counter` that runs, by `ModuleRef::reload_with` or `SystemRef::reload`. No enum and no struct is generated; `#[handler(Get)]` takes the `Get` of `Counter`, which has to be imported, and whose fields are the arguments by their
/// names. Ticks, event handlers, a health check and a `#[snapshot]` are messages too: `CounterV2` has those of `Counter`, under the same names, and no others. Which of them run, and how often, stays as it is when it takes the place. A method that
/// is `inline` it has not, and `remote` and `boxed` are what `Counter` says.
///
/// Generic modules work, with `where` clauses: `#[module] impl<T: Clone> Cache<T>`. In the impl and in all that is generated, type
/// parameters are `Send + 'static`, as messages have to be; that need not be written. A module may not borrow.
///
/// A warning (of the lint `deprecated`, the only one whose text a macro can choose) names an enum above 256 bytes; `#[handler(boxed)]`
/// on the handler of its largest message mends it, and `#[allow(deprecated)]` on the impl silences it. The size of a generic
/// module's enum is known when the module is registered, and warned of then.
#[proc_macro_attribute]
pub fn module(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (args.into(), item.into());
    let krate = krate::path();
    if method::is_impl(&item) { handlers::expand(args, item, &krate) } else { module::expand(args, &item, &krate) }
        .into()
}

/// Makes a method of a `#[module] impl` the handler of a message.
///
/// # The message is a type of yours
/// ```text
/// #[handler]
/// async fn add(&mut self, Add(n): Add, ctx: &mut Context<Self>) -> Result<u64, Full> { .. }
/// ```
/// The one argument beside `self`, `ctx` and `reply` is the message; any pattern takes it apart.
///
/// # The message is made of the arguments
/// ```text
/// #[handler(Scale, derive(Clone, Debug))]
/// fn scale(&mut self, by: u64, offset: u64) -> u64 { .. }
/// ```
/// generates `struct Scale { pub by: u64, pub offset: u64 }` with the derives named, none if none are. Without arguments it is
/// `struct Scale;`. Doc comments and attributes on an argument go to its field.
///
/// # What a handler may be
/// - `async` or not, with `&mut self` or `&self`. An `async fn(&self)` needs a module that is `Sync`;
/// - `ctx: &mut Context<Self>` may stand anywhere among the arguments, or be left out;
/// - what it returns is the reply: an owned type with a name. What a handler returns to a message that was only sent is dropped;
/// - a handler that takes `reply: ReplyTo<R>` returns nothing, and answers with `reply.send(..)` now, or later from another task:
///   ```text
///   #[handler]
///   fn fetch(&mut self, Fetch(page): Fetch, reply: ReplyTo<Page>) { self.waiting.insert(page, reply); }
///   ```
/// - `#[handler(boxed)]` keeps a large message in a box, so that the mailbox does not pay its size for every message. Senders do
///   not see it.
/// - `#[handler(inline)]` lets whoever asks run the handler itself, where the module has nothing to do and nothing is queued: no task is
///   switched, and the ask takes about a quarter of the time. Otherwise, and when its message is sent, it is handled as any other. It is not `async` and
///   takes no `ReplyTo`, and the module has no [`macro@run`]. It runs on the asker's task: keep it short, for it holds up the asker, no deadline
///   interrupts it, and an answer that is there counts, though the deadline has passed meanwhile.
/// - `#[handler(deadline = "2s")]` lets the handler run for so long. One that takes longer is dropped at its `await`, its asker gets `AskError::Overran`, and its module
///   fails as after a panic, with `Failure::Overrun`. A handler that never waits, or blocks its thread, cannot be dropped; when it comes back too late, the same
///   happens then. It is not `inline`. A handler without the key pays nothing for it.
/// - `#[handler(retry = 3)]`: where the handler panics or overruns, and its module is started again, the message is handled again first, up to three more times, and its asker
///   waits meanwhile, until its deadline. After the last try the asker has the error, and the message is lost. Each try has a clone of the message, so that is `Clone`. The
///   handler takes no `ReplyTo`, and is not `inline`. In a module that is not started again the key has no effect, nor where the module is killed.
///
/// The method's name is the handler's name in errors, logs and metrics, the method on the reference, and the enum's variant:
/// `scale`, `counter.scale(3, 1)`, `CounterMessage::Scale`. It may not be the name of a method that `ModuleRef` has itself.
/// # By its name
/// ```text
/// #[handler(Add, remote)]
/// fn add(&mut self, by: u64) -> u64 { .. }
/// ```
/// With dms' feature `wire`, a handler that is `remote` is also reached by its name, with JSON or MessagePack for a message: `system.request("counter", Request::new("add", r#"{ "by": 2 }"#))`.
/// `#[module(remote)]` on the impl makes all handlers remote, and `#[handler(local)]` keeps one out.
///
/// The message and the reply have to be `Serialize` and `Deserialize`, and own what they hold. A generated message derives both; attributes as `#[serde(default)]` on an argument go to its
/// field. The enum of messages is `Serialize` and `Deserialize` then: what travels is the message of a remote handler under the handler's name, `{"add": {"by": 2}}` (in formats without names, as postcard: its place among the remote
/// handlers, so that both sides need the same ones in the same order), and whoever reads it has a reply that is nobody's. So `Udp<CounterMessage>` is a network for sessions of which each knows one message. To write any other variant is an error that names its handler.
///
/// A `Result` is replied as serde writes it: `{"Ok": ..}` or `{"Err": ..}`. Where types implement schemars' `JsonSchema`, `system.describe()` has their schemas.
#[proc_macro_attribute]
pub fn handler(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("handler", &args.into(), &item.into()).into()
}

/// Calls a method of a `#[module] impl` periodically, from when the module runs to when it stops.
///
/// ```text
/// #[tick(every = "30s")]
/// async fn report(&mut self, ctx: &mut Context<Self>) { .. }
/// ```
/// It takes nothing but `self` and, if it is wanted, `ctx`, and returns nothing. The first call comes after one interval; a tick
/// is a message like any other, and is handled in its turn. Intervals are durations as in `#[module(timeout = ..)]`; below 1 ms they
/// count as 1 ms. `deadline = "2s"` is how long a call may take, as for a [`macro@handler`].
#[proc_macro_attribute]
pub fn tick(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("tick", &args.into(), &item.into()).into()
}

/// Makes a method of a `#[module] impl` the handler of an event, and subscribes the module to it.
///
/// ```text
/// #[event]
/// async fn on_pressure(&mut self, event: &MemoryPressure, ctx: &mut Context<Self>) -> EventResponse { .. }
///
/// #[event(custom = "cache.flushed", buffer = 64)]
/// fn on_flushed(&mut self, event: &Custom) -> Result<(), ModuleError> { .. }
/// ```
/// The event is any type that is `Send + Sync + 'static`, taken by reference, since all its subscribers share it. An event is a message like any other: it is
/// handled in its turn, and never beside another. The method is `async` or not, takes `ctx` if it is wanted, and returns what became of the event:
/// nothing, which means that it was handled, an `EventResponse`, or a `Result` of either, whose error is logged and counted as a failure, and does not end the module.
///
/// The module is subscribed from before its `init`, where events wait, until it stops.
///
/// | key | value | without it |
/// |--|--|--|
/// | `custom` | `"cache.flushed"`: the events of the type `Custom` that have this name | all events of the type |
/// | `buffer` | `64`: so many events may wait or be handled; the module misses further ones, and hears of it by an event `Lagged` | 1,024 |
/// | `deadline` | `"2s"`: how long the method may take, as for a [`macro@handler`] | as long as it takes |
///
/// Events do not count against the bound of the mailbox, and a publisher never waits.
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("event", &args.into(), &item.into()).into()
}

/// Takes what the module needs, before anything else and before its first message.
///
/// ```text
/// #[init]
/// async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> { .. }
/// ```
/// As with all hooks: the method may have any name, there is at most one of each, it takes `&mut self` or `&self` and, if it is wanted, `ctx`,
/// may be `async`, and returns nothing or `Result<(), E>` with any error that turns into a `ModuleError`. The error of `init` is
/// that of the registration.
#[proc_macro_attribute]
pub fn init(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("init", &args.into(), &item.into()).into()
}

/// Begins the module's work, when it has been initialised and before its registration returns.
///
/// ```text
/// #[start]
/// async fn start(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> { .. }
/// ```
/// Its form is that of [`macro@init`], and its error is that of the registration.
#[proc_macro_attribute]
pub fn start(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("start", &args.into(), &item.into()).into()
}

/// Replaces the module's loop, which by default handles message after message.
///
/// ```text
/// #[run]
/// async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
///     while let Some(message) = inbox.recv().await {
///         match message {
///             CounterMessage::Get(_, reply) => reply.send(self.count),
///             other => inbox.dispatch(other, self, ctx).await,
///         }
///     }
///     Ok(())
/// }
/// ```
/// It is `async` and takes the `inbox`; for the rest its form is that of [`macro@init`]. When it returns, the module stops; its
/// error fails the module.
#[proc_macro_attribute]
pub fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("run", &args.into(), &item.into()).into()
}

/// Releases what the module took, after its last message.
///
/// ```text
/// #[stop]
/// async fn stop(&mut self) { .. }
/// ```
/// Its form is that of [`macro@init`].
#[proc_macro_attribute]
pub fn stop(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("stop", &args.into(), &item.into()).into()
}

/// Gives the module's state, to be kept in a snapshot. It needs dms' feature `snapshot`.
///
/// ```text
/// #[snapshot]
/// fn snapshot(&self) -> State { .. }
/// ```
/// The state is a type that is `Serialize`, of the module's own or lent: `&State` saves a copy. The method returns it, or a `Result` of it with any error that turns into a `ModuleError`; it is
/// not `async`, and takes nothing but `&self`. There is at most one.
///
/// A snapshot is taken between two handlers: when the module is reloaded, and when somebody asks for one with `ModuleRef::snapshot`. For that the enum of messages has a variant of
/// the method's name, `Snapshot(ReplyTo<..>)`. The module handles nothing else meanwhile, so a large state holds it up.
#[proc_macro_attribute]
pub fn snapshot(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("snapshot", &args.into(), &item.into()).into()
}

/// Takes the state that a snapshot holds, after `init` and before `start`. It needs dms' feature `snapshot`.
///
/// ```text
/// #[restore]
/// async fn restore(&mut self, state: State, from: Version, ctx: &mut Context<Self>) -> Result<(), ModuleError> { .. }
/// ```
/// The state is a type that is `Deserialize` and owns what it holds. It need not be the one that was written: fields are found by their names, and `from` is the version of the module that
/// wrote it. For the rest its form is that of [`macro@init`], and its error is that of the registration or the reload.
#[proc_macro_attribute]
pub fn restore(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("restore", &args.into(), &item.into()).into()
}

/// Says how the module is. It is asked again and again while the module runs, and a module that is not well is started again.
///
/// ```text
/// #[health(every = "10s", timeout = "5s", failures = 3, successes = 2)]
/// fn health(&self) -> HealthStatus {
///     if self.connection.is_open() { HealthStatus::Healthy } else { HealthStatus::Unhealthy("no connection".to_owned()) }
/// }
/// ```
/// The method may have any name, there is one at most, it takes `&mut self` or `&self` and, if it is wanted, `ctx`, and may be `async`. It returns a
/// `HealthStatus`, a `bool`, a `Result<(), E>` with any error that turns into a `ModuleError`, or a `Result<HealthStatus, E>`; or any of these as an `Option`, where `None` says
/// nothing: such a check does not count.
///
/// | key | value | without it |
/// |--|--|--|
/// | `every` | `"10s"`: how long from one check to the next; the first one comes so long after the module has begun to run | 10 s |
/// | `timeout` | `"5s"`: how long a check may take | 5 s |
/// | `failures` | `3`: so many failed checks in a row make the module unhealthy; fewer degrade it | 3 |
/// | `successes` | `2`: so many successful ones in a row make a degraded module healthy again | 2 |
///
/// `Register::health_schedule` says so for one module instead.
///
/// A check has failed where it says `Unhealthy`, `false` or an error, where it panics (which is no panic of the module), and where nothing is known by its timeout: because it takes
/// too long, or because the module does not come to it while a handler runs. One that says `Degraded` degrades the module at once and counts as neither. What became of it is to be seen in
/// `ModuleRef::health`, in `SystemRef::health` and in the event `HealthChanged`. A module that is unhealthy fails, with `Failure::Health`, and is
/// started again if its `restart` says so. The new incarnation is healthy until it is not.
///
/// A check runs in the module's own task, between two handlers and ahead of all messages that wait; these wait for it until its timeout at most, with which it is dropped at its next `await`. One that blocks its
/// thread cannot be dropped: whatever it says too late is a failure. No check is begun while another one is under way, nor while the module starts or stops. It is a variant of the enum of
/// messages, which a loop of the module's own hands on with `inbox.dispatch(..)`.
#[proc_macro_attribute]
pub fn health(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("health", &args.into(), &item.into()).into()
}

/// Takes the requests that no handler of the module has the name of: what is not known when the program is compiled. It needs dms' feature `wire`.
///
/// ```text
/// #[request]
/// fn handle_request(&mut self, request: &Request) -> Result<Response, ModuleError> {
///     match request.request_type.as_str() {
///         "get_status" => Ok(Response::ok(b"OK".to_vec())),
///         _ => Ok(Response::err("Unknown request")),
///     }
/// }
/// ```
/// It is a handler of the message `Request`, with a variant of its own in the enum and its turn in the mailbox. It takes the request, lent or by value, and, if it is wanted, `ctx`; may be `async`, and returns a
/// `Response` or a `Result` of one with any error that turns into a `ModuleError`, whose text becomes the response's. There is at most one. `#[request(deadline = "2s")]` is
/// how long it may take, as for a [`macro@handler`].
#[proc_macro_attribute]
pub fn request(args: TokenStream, item: TokenStream) -> TokenStream {
    stray::expand("request", &args.into(), &item.into()).into()
}
