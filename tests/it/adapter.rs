//! Modules made of objects: where their hooks run, what these may wait for, and what is seen of them from outside.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use dms::adapter::{self, ModuleAdapter, ModuleAdapterRef, ModuleTrait};
use dms::event::Custom;
use dms::prelude::*;
use dms::{Config, ConfigError, Failure, ModuleFlags, ModuleInfo, ModuleState, RegisterError, RequestError};
use dms_tests::{Drops, Flavor, Log, Token, on_every_runtime, on_paused};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

type Hook = Box<dyn FnMut(&adapter::Context) -> Result<Response, ModuleError> + Send>;

/// An object that does in each hook what it was told to. It is not `Sync`: nothing asks that of it.
struct Object {
    info: ModuleInfo,
    hooks: RefCell<HashMap<&'static str, Hook>>,
    ctx: Option<adapter::Context>,
    log: Log<String>,
    token: Option<Token>,
}

fn object(name: &'static str) -> Object {
    let info = ModuleInfo::new(name);
    Object { info, hooks: RefCell::default(), ctx: None, log: Log::new(), token: None }
}

impl Object {
    /// What it does in a hook: `init`, `start`, `stop`, `event`, `request` or `health`.
    fn on(
        self,
        hook: &'static str,
        act: impl FnMut(&adapter::Context) -> Result<Response, ModuleError> + Send + 'static,
    ) -> Self {
        self.hooks.borrow_mut().insert(hook, Box::new(act));
        self
    }

    fn with(mut self, change: impl FnOnce(ModuleInfo) -> ModuleInfo) -> Self {
        self.info = change(self.info);
        self
    }

    /// Where it notes each hook, and its end.
    fn logged(mut self, log: &Log<String>) -> Self {
        self.log = log.clone();
        self
    }

    fn counted(mut self, drops: &Drops) -> Self {
        self.token = Some(drops.token());
        self
    }

    fn act(&self, hook: &'static str) -> Result<Response, ModuleError> {
        self.log.push(format!("{hook} {}", self.info.name));
        let act = self.hooks.borrow_mut().remove(hook);
        let (Some(mut act), Some(ctx)) = (act, &self.ctx) else { return Ok(done()) };
        let response = act(ctx);
        self.hooks.borrow_mut().insert(hook, act);
        response
    }
}

impl ModuleTrait for Object {
    fn info(&self) -> ModuleInfo {
        self.info
    }

    fn init(&mut self, ctx: &adapter::Context) -> Result<(), ModuleError> {
        self.ctx = Some(ctx.clone());
        self.act("init").map(drop)
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.act("start").map(drop)
    }

    fn stop(&mut self) -> Result<(), ModuleError> {
        self.act("stop").map(drop)
    }

    fn handle_event(&mut self, _: &Event) -> EventResponse {
        self.act("event").map_or(EventResponse::Ignored, |_| EventResponse::Handled)
    }

    fn handle_request(&mut self, _: &adapter::Request<'_>) -> Result<Response, ModuleError> {
        self.act("request")
    }

    fn is_healthy(&self) -> bool {
        self.act("health").is_ok()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.log.push(format!("drop {}", self.info.name));
        drop(self.token.take());
    }
}

/// A response that says nothing.
fn done() -> Response {
    Response::ok(b"".to_vec())
}

/// A request that an object answers in its hook `request`.
fn get() -> Request {
    Request::new("get", "")
}

async fn register(system: &System, object: Object) -> ModuleRef<ModuleAdapter> {
    system.register_module(ModuleAdapter::new(object)).await.expect("it starts")
}

/// Waits until `holds`. No timer would do: a paused clock stands while a hook blocks.
async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
        thread::yield_now();
    }
}

/// Whether `text` says that these two wait for each other. Which of them is refused is the one that comes last to wait.
fn names_cycle(text: &str, one: &str, other: &str) -> bool {
    [(one, other), (other, one)]
        .iter()
        .any(|(first, second)| text.contains(&format!("{first} -> {second} -> {first} ")))
}

/// A module of the usual kind, which passes requests on.
#[module(name = "relay")]
struct Relay;

#[module]
impl Relay {
    #[request]
    async fn pass_on(&mut self, request: &Request, ctx: &mut Context<Self>) -> Result<Response, ModuleError> {
        Ok(ctx.request(&request.request_type, get()).await?)
    }

    /// Runs something in the middle of a handler.
    #[handler]
    fn run(&mut self, Run(code): Run) {
        code();
    }
}

struct Run(Box<dyn FnOnce() + Send + Sync>);

/// A module that never answers, but says when it was asked.
#[module(name = "silent")]
struct Silent(mpsc::Sender<()>);

#[module]
impl Silent {
    #[request]
    async fn wait(&mut self, _: &Request) -> Response {
        let _ = self.0.send(());
        std::future::pending().await
    }
}

#[derive(Debug)]
struct Full {
    percent: u8,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the disk is full to {} %", self.percent)
    }
}

impl Error for Full {}

// Where and when hooks run.

#[test]
fn all_hooks_run_on_threads_of_the_blocking_pool() {
    on_every_runtime(|| async {
        let threads: Log<(ThreadId, Option<String>)> = Log::new();
        let mut noting = object("noting");
        for hook in ["init", "start", "event", "request", "health", "stop"] {
            let threads = threads.clone();
            noting = noting.on(hook, move |_| {
                threads.push((thread::current().id(), tokio::task::try_id().map(|id| id.to_string())));
                // Hooks are in the runtime.
                tokio::runtime::Handle::try_current()?;
                Ok(done())
            });
        }
        let system = System::new();
        let module = register(&system, noting).await;
        let on_worker = Log::new();
        let relay = system.register_module(Relay).await.unwrap();
        let noted = on_worker.clone();
        relay.ask(Run(Box::new(move || noted.push(thread::current().id())))).await.unwrap();
        system.publish(Custom::new("any", "")).await;
        system.request("noting", get()).await.unwrap();
        module.is_healthy().await.unwrap();
        system.shutdown().await;
        let threads = threads.take();
        // `Shutdown` is an event too.
        assert_eq!(threads.len(), 7);
        let workers = [thread::current().id(), on_worker.take().remove(0)];
        assert!(threads.iter().all(|(thread, _)| !workers.contains(thread)), "{threads:?} on {workers:?}");
    });
}

#[test]
fn a_hook_that_blocks_holds_up_no_other_module() {
    on_every_runtime(|| async {
        let (release, released) = mpsc::channel::<()>();
        let (say, hook_runs) = mpsc::channel();
        let system = System::new();
        let blocked = object("blocked").on("request", move |_| {
            say.send(())?;
            released.recv()?;
            Ok(done())
        });
        register(&system, blocked).await;
        register(&system, object("free")).await;
        system.register_module(Relay).await.unwrap();
        let asked = tokio::spawn({
            let system = system.reference();
            async move { system.request("blocked", get()).no_timeout().await }
        });
        until(|| hook_runs.try_recv().is_ok()).await;
        // On one thread, both of another object and of a module of the usual kind.
        system.request("relay", Request::new("free", "")).no_timeout().await.expect("an answer");
        assert!(!asked.is_finished());
        release.send(()).unwrap();
        asked.await.unwrap().expect("an answer");
        system.shutdown().await;
    });
}

#[test]
fn hooks_run_one_at_a_time_in_the_order_of_their_messages() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        let noted = log.clone();
        let mut number = 0;
        let counting = object("counting").on("request", move |_| {
            noted.push(format!("begin {number}"));
            thread::yield_now();
            noted.push(format!("end {number}"));
            number += 1;
            Ok(Response::ok((number - 1).to_string()))
        });
        register(&system, counting).await;
        let asks = (0..20).map(|_| async { system.request("counting", get()).await.unwrap().payload().to_vec() });
        let answers = futures::future::join_all(asks).await;
        assert_eq!(answers, (0..20).map(|number| number.to_string().into_bytes()).collect::<Vec<_>>());
        let expected: Vec<_> =
            (0..20).flat_map(|number| [format!("begin {number}"), format!("end {number}")]).collect();
        assert_eq!(log.take(), expected);
        system.shutdown().await;
    });
}

#[test]
fn a_stop_waits_for_the_hook_that_runs() {
    on_every_runtime(|| async {
        let (release, released) = mpsc::channel::<()>();
        let (say, hook_runs) = mpsc::channel();
        let log = Log::new();
        let noted = log.clone();
        let system = System::new();
        let slow = object("slow").logged(&log).on("request", move |_| {
            say.send(())?;
            released.recv()?;
            noted.push("request ends".to_owned());
            Ok(done())
        });
        let slow = register(&system, slow).await;
        let asked = tokio::spawn({
            let system = system.reference();
            async move { system.request("slow", get()).no_timeout().await }
        });
        until(|| hook_runs.try_recv().is_ok()).await;
        let stopped = tokio::spawn(async move { slow.stop().await.unwrap() });
        until(|| system.modules()[0].state == ModuleState::Stopping).await;
        assert!(!stopped.is_finished());
        release.send(()).unwrap();
        assert_eq!(stopped.await.unwrap().state, ModuleState::Stopped);
        asked.await.unwrap().expect("the running hook still answers");
        assert_eq!(log.take(), ["init slow", "start slow", "request slow", "request ends", "stop slow", "drop slow"]);
        system.shutdown().await;
    });
}

#[test]
fn a_hook_that_a_shutdown_gives_up_runs_to_its_end_and_drops_its_object() {
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        flavor.run(|| async {
            let (release, released) = mpsc::channel::<()>();
            let (say, hook_runs) = mpsc::channel();
            let drops = Drops::new();
            let system = System::new();
            let stuck = object("stuck").counted(&drops).on("request", move |_| {
                say.send(())?;
                released.recv()?;
                Ok(done())
            });
            let stuck = register(&system, stuck).await;
            let asked = tokio::spawn({
                let system = system.reference();
                async move { system.request("stuck", get()).no_timeout().await }
            });
            until(|| hook_runs.try_recv().is_ok()).await;
            let report = system.shutdown_within(Duration::from_millis(5)).await;
            assert!(report.complete, "{report:?}");
            assert_eq!(stuck.stopped().await.failure, Some(Failure::Aborted));
            assert!(asked.await.unwrap().is_err());
            assert_eq!(drops.count(), 0);
            release.send(()).unwrap();
            until(|| drops.count() == 1).await;
        });
    }
}

#[test]
fn a_hook_that_was_given_up_before_it_began_never_begins() {
    // One thread for all hooks.
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let (say, hook_runs) = mpsc::channel();
        let (log, drops) = (Log::new(), Drops::new());
        let system = System::new();
        let stuck = object("stuck").on("request", move |_| {
            say.send(())?;
            released.recv()?;
            Ok(done())
        });
        register(&system, stuck).await;
        let queued = register(&system, object("queued").logged(&log).counted(&drops)).await;
        for name in ["stuck", "queued"] {
            let system = system.reference();
            tokio::spawn(async move { system.request(name, get()).no_timeout().await });
        }
        until(|| hook_runs.try_recv().is_ok()).await;
        system.shutdown_within(Duration::from_millis(5)).await;
        assert_eq!(queued.stopped().await.failure, Some(Failure::Aborted));
        release.send(()).unwrap();
        until(|| drops.count() == 1).await;
        assert_eq!(log.take(), ["init queued", "start queued", "drop queued"]);
    });
}

// What hooks may wait for.

#[test]
fn every_hook_may_block_on_a_request() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        register(&system, object("answers").on("request", |_| Ok(Response::ok("7")))).await;
        let mut asking = object("asking");
        for hook in ["init", "start", "event", "request", "health", "stop"] {
            let log = log.clone();
            asking = asking.on(hook, move |ctx| {
                let response = ctx.request("answers", get())?;
                log.push(format!("{hook}: {}", String::from_utf8_lossy(response.payload())));
                Ok(response)
            });
        }
        let asking = register(&system, asking).await;
        assert_eq!(system.publish(Custom::new("any", "")).await.handled, 2);
        assert_eq!(system.request("asking", get()).await.unwrap().payload(), b"7");
        assert_eq!(asking.is_healthy().await, Ok(true));
        // The younger one stops first; what it asks in `Shutdown` and `stop` is answered.
        let report = system.shutdown().await;
        assert!(report.complete, "{report:?}");
        assert_eq!(log.take(), ["init: 7", "start: 7", "event: 7", "request: 7", "health: 7", "event: 7", "stop: 7"]);
    });
}

#[test]
fn objects_that_would_wait_for_each_other_get_an_error() {
    on_every_runtime(|| async {
        let answers = Log::new();
        let system = System::new();
        for (name, other) in [("first", "second"), ("second", "first")] {
            let answers = answers.clone();
            let asks = object(name).on("request", move |ctx| {
                let answer = ctx.request(other, get());
                answers.push(answer.clone());
                Ok(answer?)
            });
            register(&system, asks).await;
        }
        let response = system.request("first", get()).await.expect("a response");
        let text = response.error().expect("an error");
        assert!(names_cycle(text, "first", "second"), "{text}");
        let refused =
            |answer: &Result<_, _>| matches!(answer, Err(RequestError::Unanswered(AskError::WouldDeadlock { .. })));
        assert!(answers.take().iter().any(refused));
        system.shutdown().await;
    });
}

#[test]
fn an_object_and_a_module_of_the_usual_kind_that_would_wait_for_each_other_get_an_error() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Relay).await.unwrap();
        let asks = object("asks").on("request", |ctx| Ok(ctx.request("relay", Request::new("asks", ""))?));
        register(&system, asks).await;
        let response = system.request("asks", get()).await.expect("a response");
        let text = response.error().expect("an error");
        assert!(names_cycle(text, "relay", "asks"), "{text}");
        let response = system.request("relay", Request::new("asks", "")).await.expect("a response");
        assert!(response.error().is_some_and(|text| names_cycle(text, "asks", "relay")), "{response:?}");
        system.shutdown().await;
    });
}

#[test]
fn an_object_that_would_wait_for_itself_gets_an_error() {
    on_every_runtime(|| async {
        let system = System::new();
        let alone = object("alone").on("request", |ctx| {
            let answer = ctx.request("alone", get());
            assert!(matches!(answer, Err(RequestError::Unanswered(AskError::WouldDeadlock { .. }))), "{answer:?}");
            Ok(answer?)
        });
        register(&system, alone).await;
        let response = system.request("alone", get()).await.expect("a response");
        assert!(response.error().is_some_and(|text| text.contains("alone -> alone")), "{response:?}");
        system.shutdown().await;
    });
}

#[test]
fn typed_blocking_calls_wait_in_a_hook_and_are_its_modules() {
    on_every_runtime(|| async {
        let system = System::new();
        let relay = system.register_module(Relay).await.unwrap();
        let log = Log::new();
        let noted = log.clone();
        let typed = object("typed").on("request", move |_| {
            let run = |text: &'static str| {
                let noted = noted.clone();
                Run(Box::new(move || noted.push(text)))
            };
            relay.blocking_send(run("sent"))?;
            relay.blocking_ask(run("asked"))?;
            Ok(relay.blocking_ask(Request::new("typed", ""))?)
        });
        register(&system, typed).await;
        let response = system.request("typed", get()).await.expect("a response");
        assert!(response.error().is_some_and(|text| names_cycle(text, "relay", "typed")), "{response:?}");
        // Where the hook was refused, the other's request waits for its next turn.
        assert_eq!(log.take()[..2], ["sent", "asked"]);
        system.shutdown().await;
    });
}

#[test]
fn a_hook_asks_no_longer_than_its_caller_waits() {
    on_paused(|| async {
        let (say, asked) = mpsc::channel();
        let errors = Log::new();
        let noted = errors.clone();
        let system = System::new();
        system.register_module(Silent(say)).await.unwrap();
        let asking = object("asking").on("request", move |ctx| {
            let answer = ctx.request("silent", get());
            noted.push(answer.clone().err());
            Ok(answer?)
        });
        register(&system, asking).await;
        let outer = tokio::spawn({
            let system = system.reference();
            async move { system.request("asking", get()).timeout(Duration::from_millis(100)).await }
        });
        // The clock stands while a hook blocks, so it is moved by hand.
        until(|| asked.try_recv().is_ok()).await;
        tokio::time::advance(Duration::from_millis(99)).await;
        assert!(errors.is_empty() && !outer.is_finished());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(matches!(outer.await.unwrap(), Err(RequestError::Timeout { .. })));
        until(|| !errors.is_empty()).await;
        let error = errors.take().remove(0);
        assert!(matches!(&error, Some(RequestError::Timeout { module, .. }) if module == "silent"), "{error:?}");
        system.shutdown_within(Duration::from_millis(1)).await;
    });
}

#[test]
fn a_blocking_request_in_asynchronous_code_of_a_module_is_an_error() {
    on_every_runtime(|| async {
        let kept = Log::new();
        let keep = kept.clone();
        let system = System::new();
        let answers = object("answers").on("init", move |ctx| {
            keep.push(ctx.clone());
            Ok(done())
        });
        register(&system, answers).await;
        let ctx = kept.take().remove(0);
        let relay = system.register_module(Relay).await.unwrap();
        let (errors, noted) = (Log::new(), Log::new());
        let handle = system.reference();
        let (of_context, of_system) = (errors.clone(), noted.clone());
        let asks = Run(Box::new(move || {
            of_context.push(ctx.request("answers", get()));
            of_system.push(handle.blocking_request("answers", get()));
        }));
        relay.ask(asks).await.unwrap();
        let expected = Err(RequestError::WouldBlock { request: "get".to_owned() });
        assert_eq!((errors.take(), noted.take()), (vec![expected.clone()], vec![expected]));
        system.shutdown().await;
    });
}

#[test]
fn a_kept_context_asks_from_a_thread_of_the_programs_own() {
    on_every_runtime(|| async {
        let answers = Log::new();
        let noted = answers.clone();
        let system = System::new();
        register(&system, object("answers").on("request", |_| Ok(Response::ok("7")))).await;
        let asking = object("asking").on("start", move |ctx| {
            let (ctx, noted) = (ctx.clone(), noted.clone());
            thread::spawn(move || {
                noted.push(ctx.request("answers", get()).map(|response| response.payload().to_vec()));
            });
            Ok(done())
        });
        register(&system, asking).await;
        until(|| !answers.is_empty()).await;
        assert_eq!(answers.take(), [Ok(b"7".to_vec())]);
        system.shutdown().await;
    });
}

// What goes wrong.

#[test]
fn a_panic_in_a_hook_is_the_modules_and_takes_nothing_else_down() {
    on_every_runtime(|| async {
        for hook in ["init", "start", "event", "request", "stop"] {
            let (log, drops) = (Log::new(), Drops::new());
            let system = System::new();
            register(&system, object("bystander")).await;
            let fails = object("fails").logged(&log).counted(&drops).on(hook, move |_| panic!("in {hook}"));
            let registered = system.register_module(ModuleAdapter::new(fails)).await;
            let place = match hook {
                "event" => "handle_event",
                "request" => "handle_request",
                hook => hook,
            };
            let failed = Failure::Panic { place: place.to_owned(), text: format!("in {hook}") };
            if let "init" | "start" = hook {
                let Err(RegisterError::Panicked { module, place, text }) = registered else { panic!("{registered:?}") };
                assert_eq!((module.as_str(), place, text), ("fails", hook, format!("in {hook}")));
            } else {
                let module = registered.expect("it starts");
                match hook {
                    "event" => assert_eq!(system.publish(Custom::new("any", "")).await.failed, 1),
                    "request" => {
                        let answer = system.request("fails", get()).await;
                        let Err(RequestError::Unanswered(AskError::Panicked { .. })) = answer else {
                            panic!("{answer:?}")
                        };
                    }
                    _ => drop(module.stop().await),
                }
                let report = module.stopped().await;
                assert_eq!((report.state, report.failure), (ModuleState::Failed, Some(failed)));
            }
            assert_eq!(drops.count(), 1, "{hook}");
            // No hook runs on what panicked.
            let entries = log.take();
            assert_eq!(entries[entries.len() - 2..], [format!("{hook} fails"), "drop fails".to_owned()]);
            system.request("bystander", get()).await.expect("it is there");
            register(&system, object("fails")).await;
            system.shutdown().await;
        }
    });
}

#[test]
fn a_panic_in_info_is_an_error_of_the_registration() {
    struct Nameless(Token);

    impl ModuleTrait for Nameless {
        fn info(&self) -> ModuleInfo {
            panic!("no name came to mind; {:?}", self.0)
        }
    }

    on_every_runtime(|| async {
        let drops = Drops::new();
        let system = System::new();
        let registered = system.register_module(ModuleAdapter::new(Nameless(drops.token()))).await;
        let Err(RegisterError::Panicked { module, place: "info", text }) = registered else { panic!("{registered:?}") };
        assert!(module == "ModuleAdapter" && text.starts_with("no name"), "{module}: {text}");
        assert_eq!((drops.count(), system.modules().len()), (1, 0));
        let late = drops.clone();
        let registered = system.register_with(move |_| ModuleAdapter::new(Nameless(late.token()))).await;
        assert!(matches!(registered, Err(RegisterError::Panicked { place: "info", .. })), "{registered:?}");
        assert_eq!((drops.count(), system.modules().len()), (2, 0));
        register(&system, object("next")).await;
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn a_failing_hook_carries_its_cause() {
    on_every_runtime(|| async {
        for hook in ["init", "start"] {
            let log = Log::new();
            let system = System::new();
            let full = object("full").logged(&log).on(hook, |_| Err(Full { percent: 99 }.into()));
            let registered = system.register_module(ModuleAdapter::new(full)).await;
            let Err(RegisterError::Hook { module, hook: failed, source }) = registered else {
                panic!("{registered:?}")
            };
            assert_eq!((module.as_str(), failed), ("full", hook));
            assert_eq!(source.downcast_ref::<Full>().map(|full| full.percent), Some(99));
            let expected: &[_] = match hook {
                "init" => &["init full", "drop full"],
                _ => &["init full", "start full", "stop full", "drop full"],
            };
            assert_eq!(log.take(), expected);
            register(&system, object("full")).await;
            system.shutdown().await;
        }
        let system = System::new();
        let full = register(&system, object("full").on("stop", |_| Err(Full { percent: 98 }.into()))).await;
        let text = "the disk is full to 98 %".to_owned();
        assert_eq!(full.stop().await.unwrap().failure, Some(Failure::Hook { hook: "stop", text }));
        system.shutdown().await;
    });
}

/// An object with nothing but a name.
struct Plain;

impl ModuleTrait for Plain {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("plain")
    }
}

#[test]
fn what_an_object_returns_from_a_request_comes_to_who_asked() {
    on_every_runtime(|| async {
        let system = System::new();
        register(&system, object("full").on("request", |_| Err(Full { percent: 97 }.into()))).await;
        let response = system.request("full", get()).await.expect("a response");
        assert_eq!(response.error(), Some("the disk is full to 97 %"));
        let plain = system.register_module(ModuleAdapter::new(Plain)).await.expect("all other hooks may be left out");
        let response = system.request("plain", get()).await.expect("a response");
        assert_eq!(response.error(), Some("there is no request `get`"));
        assert_eq!((plain.is_healthy().await, system.publish(Custom::new("any", "")).await.ignored), (Ok(true), 1));
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn the_bytes_of_a_request_and_its_response_come_as_they_are() {
    struct Reverses;

    impl ModuleTrait for Reverses {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new("reverses")
        }

        fn handle_request(&mut self, request: &adapter::Request<'_>) -> Result<Response, ModuleError> {
            Ok(Response::ok(request.payload.iter().rev().copied().collect::<Vec<_>>()))
        }
    }

    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(ModuleAdapter::new(Reverses)).await.unwrap();
        let bytes: Vec<u8> = (0..=255).collect();
        let response = system.request("reverses", Request::new("reverse", bytes.clone())).await.unwrap();
        assert_eq!(response.payload().iter().rev().copied().collect::<Vec<_>>(), bytes);
        system.shutdown().await;
    });
}

// What is seen from outside.

#[test]
fn what_an_object_says_of_itself_is_what_the_system_knows() {
    on_every_runtime(|| async {
        let system = System::new();
        let said = object("disk").with(|info| {
            info.version(1, 2, 3)
                .description("Keeps things.")
                .author("Ada")
                .license("MIT")
                .flags(ModuleFlags::DRIVER | ModuleFlags::user(3))
                .provides(&["storage"])
                .optional_dependencies(&["cache >= 1"])
        });
        let disk = register(&system, said).await;
        let summary = system.modules().remove(0);
        assert_eq!((summary.name.as_str(), summary.info), ("disk", *disk.info()));
        assert_eq!((summary.info.name, summary.info.type_name, summary.info.unique), ("disk", "ModuleAdapter", true));
        assert_eq!(system.find::<ModuleAdapter>("disk").await, Ok(disk.clone()));
        assert_eq!(system.find_provider::<ModuleAdapter>("storage"), Ok(disk.clone()));
        assert_eq!(system.providers("storage").len(), 1);
        assert_eq!(system.with_flags(ModuleFlags::DRIVER | ModuleFlags::user(3)).len(), 1);
        assert!(system.with_flags(ModuleFlags::SECURITY).is_empty());
        let mut described = system.describe()["modules"][0].take();
        let id = described["id"].take();
        assert_eq!(id, json!(disk.id().to_string().parse::<u64>().unwrap()));
        assert_eq!(
            described,
            json!({
                "id": null, "name": "disk", "type": "ModuleAdapter", "version": "1.2.3", "description": "Keeps things.",
                "author": "Ada", "license": "MIT", "flags": described["flags"], "provides": ["storage"],
                "dependencies": [], "optional_dependencies": ["cache >= 1"], "parent": null, "state": "running",
                "requests": [], "takes_any_request": true,
            })
        );
        system.request("storage", get()).await.expect("it is found by what it provides");
        let relay = system.register_module(Relay).await.unwrap();
        let error = system.find::<Relay>("disk").await.unwrap_err();
        assert_eq!(error.to_string(), "module `disk` is a `ModuleAdapter`, not a `Relay`");
        drop(relay);

        disk.stop().await.unwrap();
        assert!(system.providers("storage").is_empty() && system.find::<ModuleAdapter>("disk").await.is_err());
        system.shutdown().await;
    });
}

#[test]
fn objects_start_in_the_order_of_what_they_say_they_need() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        let shop = object("shop").with(|info| info.dependencies(&["shelf", "storage >= 1.2"])).logged(&log);
        let shop = shop.on("init", |ctx| Ok(ctx.request("storage", get())?));
        let shelf = object("shelf").with(|info| info.dependencies(&["store"])).logged(&log);
        let store = object("store").with(|info| info.version(1, 3, 0).provides(&["storage"])).logged(&log);
        let set = (ModuleAdapter::new(shop), ModuleAdapter::new(shelf), ModuleAdapter::new(store));
        system.register_all(set).await.expect("they start");
        let begun =
            ["init store", "init shelf", "init shop", "request store", "start store", "start shelf", "start shop"];
        assert_eq!(log.take(), begun);
        assert!(system.shutdown().await.complete);
        let ended: Vec<_> = log.take().into_iter().filter(|entry| !entry.starts_with("event")).collect();
        assert_eq!(ended, ["stop shop", "drop shop", "stop shelf", "drop shelf", "stop store", "drop store"]);
    });
}

#[test]
fn an_object_without_what_it_says_it_needs_is_not_initialised() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        let shop = || ModuleAdapter::new(object("shop").with(|info| info.dependencies(&["store >= 2"])).logged(&log));
        let missing = system.register_module(shop()).await;
        assert!(matches!(missing, Err(RegisterError::DependencyMissing { .. })), "{missing:?}");
        register(&system, object("store").with(|info| info.version(1, 9, 0))).await;
        let incompatible = system.register_module(shop()).await;
        assert!(matches!(incompatible, Err(RegisterError::DependencyIncompatible { .. })), "{incompatible:?}");
        assert_eq!(log.take(), ["drop shop", "drop shop"]);
        let rings = ["ring", "bell"].map(|name| object(name).logged(&log));
        let [ring, bell] = rings;
        let ring = ModuleAdapter::new(ring.with(|info| info.dependencies(&["bell"])));
        let bell = ModuleAdapter::new(bell.with(|info| info.dependencies(&["ring"])));
        let cycle = system.register_all((ring, bell)).await;
        assert!(matches!(cycle, Err(RegisterError::DependencyCycle { .. })), "{cycle:?}");
        assert!(log.take().iter().all(|entry| entry.starts_with("drop")));
        system.shutdown().await;
    });
}

#[test]
fn a_name_belongs_to_one_object_at_a_time() {
    on_every_runtime(|| async {
        let drops = Drops::new();
        let system = System::new();
        let first = register(&system, object("store")).await;
        let second = system.register_module(ModuleAdapter::new(object("store").counted(&drops))).await;
        assert!(matches!(second, Err(RegisterError::NameTaken { name }) if name == "store"));
        assert_eq!(drops.count(), 1);
        let other = system.register_module(ModuleAdapter::new(object("store"))).name("store-2").await.unwrap();
        let two = [first.clone(), other.clone()].map(|store| store.name());
        assert_eq!(two, ["store", "store-2"]);
        first.stop().await.unwrap();
        register(&system, object("store")).await;
        let members = system.register_pool(2, |_| ModuleAdapter::new(object("store"))).name("pool").await.unwrap();
        assert_eq!(members.len(), 2);
        assert!(system.get::<ModuleAdapter>("pool-1").is_ok());
        system.shutdown().await;
    });
}

#[test]
fn an_object_that_is_built_from_its_reference_is_refused() {
    on_every_runtime(|| async {
        let drops = Drops::new();
        let system = System::new();
        let late = drops.clone();
        let refused = system.register_with(move |_| ModuleAdapter::new(object("late").counted(&late))).await;
        let Err(RegisterError::BuiltTooLate { module }) = &refused else { panic!("{refused:?}") };
        assert_eq!(module, "late");
        assert_eq!((drops.count(), system.modules().len()), (1, 0));
        assert!(system.shutdown().await.complete);
    });
}

#[test]
fn the_mailbox_is_as_the_object_says() {
    on_every_runtime(|| async {
        let (release, released) = mpsc::channel::<()>();
        let (say, hook_runs) = mpsc::channel();
        let system = System::new();
        let narrow =
            object("narrow").with(|info| info.mailbox(1).overflow(Overflow::Reject)).on("request", move |_| {
                let _ = say.send(());
                released.recv()?;
                Ok(done())
            });
        let narrow = register(&system, narrow).await;
        narrow.send(get()).await.unwrap();
        until(|| hook_runs.try_recv().is_ok()).await;
        narrow.send(get()).await.unwrap();
        assert!(matches!(narrow.send(get()).await, Err(SendError::Full(..))));
        drop(release);
        system.shutdown().await;
    });
}

#[test]
fn objects_end_the_youngest_first_and_each_is_dropped_after_its_stop() {
    on_every_runtime(|| async {
        let log = Log::new();
        let system = System::new();
        let older = register(&system, object("older").logged(&log)).await;
        register(&system, object("younger").logged(&log)).await;
        drop(log.take());
        let report = system.shutdown().await;
        assert!(report.complete, "{report:?}");
        assert_eq!(older.state(), ModuleState::Stopped);
        let mut entries = log.take();
        // All hear of the shutdown first, each in its own time.
        entries[..2].sort();
        let expected = ["event older", "event younger", "stop younger", "drop younger", "stop older", "drop older"];
        assert_eq!(entries, expected);
    });
}

#[test]
fn health_is_what_the_object_says() {
    on_every_runtime(|| async {
        let system = System::new();
        let mut asked = 0;
        let ill = object("ill").on("health", move |_| {
            asked += 1;
            if asked == 2 { Err("out of breath".into()) } else { Ok(done()) }
        });
        let ill = register(&system, ill).await;
        let health = [ill.is_healthy().await, ill.is_healthy().await, ill.is_healthy().await];
        assert_eq!(health, [Ok(true), Ok(false), Ok(true)]);
        ill.stop().await.unwrap();
        assert!(matches!(ill.is_healthy().await, Err(AskError::Stopped { .. })));
        system.shutdown().await;
    });
}

#[test]
fn an_object_is_asked_for_its_health_again_and_again_and_three_times_false_is_its_failure() {
    on_paused(|| async {
        let (system, begun) = (System::new(), Instant::now());
        let mut asked = 0;
        let ill = object("ill").on("health", move |_| {
            asked += 1;
            if asked == 2 || asked > 4 { Err("out of breath".into()) } else { Ok(done()) }
        });
        let ill = register(&system, ill).await;
        let reason = "`is_healthy` says `false`".to_owned();
        sleep(Duration::from_secs(15)).await;
        assert_eq!(ill.health(), HealthStatus::Healthy);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(ill.health(), HealthStatus::Degraded(reason.clone()));
        sleep(Duration::from_secs(20)).await;
        assert_eq!(ill.health(), HealthStatus::Healthy);
        let report = ill.stopped().await;
        assert_eq!(begun.elapsed().as_secs(), 70);
        assert_eq!(report.failure, Some(Failure::Health { reason, failures: 3 }));
        system.shutdown().await;
    });
}

#[test]
fn an_object_that_panics_when_it_is_asked_for_its_health_is_not_healthy_and_goes_on() {
    on_every_runtime(|| async {
        let system = System::new();
        let ill = register(&system, object("ill").on("health", |_| panic!("faints"))).await;
        assert_eq!(ill.check_health().await, HealthStatus::Unhealthy("`health` panicked: faints".to_owned()));
        assert_eq!(ill.check_health().await, HealthStatus::Healthy);
        assert!(system.request("ill", get()).await.is_ok());
        // So is one that a handler asks.
        let ill = register(&system, object("faint").on("health", |_| panic!("faints"))).await;
        assert_eq!((ill.is_healthy().await, ill.is_healthy().await), (Ok(false), Ok(true)));
        assert_eq!(ill.incarnation(), 1);
        system.shutdown().await;
    });
}

// Settings.

#[test]
fn settings_are_read_as_a_module_reads_them() {
    on_every_runtime(|| async {
        let read = Log::new();
        let noted = read.clone();
        let config = Config::builder()
            .defaults(
                "[store]\nname = \"north\"\ncount = 12\nrate = 2.0\nis_on = true\nlist = [1, 2]\n[store.pool]\nsize = 3\n[store.pool.of]\nkind = \"x\"",
            )
            .environment_from("SHOP", [("SHOP_STORE__COUNT", "13"), ("SHOP_STORE__CODE", "007")])
            .build()
            .unwrap();
        let system = System::builder("shop").config(config).build();
        let keys = ["name", "count", "rate", "is_on", "code", "pool.size", "pool.of.kind", "list", "pool", "none", ""];
        let store = object("store").on("init", move |ctx| {
            let values = keys.map(|key| (key.to_owned(), ctx.config(key).map(str::to_owned), ctx.config_usize(key)));
            noted.push(values);
            assert_eq!((ctx.config_or("name", "x"), ctx.config_or("none", "x")), ("north", "x"));
            Ok(done())
        });
        register(&system, store).await;
        let expected = [
            ("name", Some("north"), None),
            ("count", Some("13"), Some(13)),
            ("rate", Some("2.0"), None),
            ("is_on", Some("true"), None),
            ("code", Some("007"), Some(7)),
            ("pool.size", Some("3"), Some(3)),
            ("pool.of.kind", Some("x"), None),
            ("list", None, None),
            ("pool", None, None),
            ("none", None, None),
            ("", None, None),
        ];
        let expected = expected.map(|(key, text, number)| (key.to_owned(), text.map(str::to_owned), number));
        assert_eq!(read.take().remove(0), expected);
        system.shutdown().await;
    });
}

#[test]
fn a_section_that_is_no_table_fails_the_init() {
    on_every_runtime(|| async {
        let log = Log::new();
        let config = Config::builder().defaults("store = 7").build().unwrap();
        let system = System::builder("shop").config(config).build();
        let registered = system.register_module(ModuleAdapter::new(object("store").logged(&log))).await;
        let Err(RegisterError::Hook { hook: "init", source, .. }) = registered else { panic!("{registered:?}") };
        let error = source.downcast_ref::<ConfigError>().expect("a `ConfigError`");
        assert!(matches!(error, ConfigError::Type { .. }), "{error:?}");
        assert_eq!(log.take(), ["drop store"]);
        system.shutdown().await;
    });
}
