//! Requests by name: the wire table, its errors, and what comes from outside (W1).

use std::collections::{BTreeMap, HashMap};
use std::future::IntoFuture;
use std::time::Duration;

use dms::prelude::*;
use dms::testing::mock;
use dms::{Describe, Format, ModuleFlags, ModuleInfo, PayloadError, RequestError, ResponseError};
use dms_tests::{Flavor, eventually, hold, on_every_runtime, on_paused};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

#[derive(Default)]
struct Counter {
    count: u64,
    waiting: Vec<ReplyTo<u64>>,
}

impl Describe for Counter {
    const INFO: ModuleInfo = ModuleInfo::new("Counter")
        .named("counter")
        .version(1, 2, 0)
        .description("Counts things.")
        .author("A. N. Author")
        .license("MIT")
        .flags(ModuleFlags::ESSENTIAL)
        .provides(&["count"]);
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Add(u64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Refusal {
    Overflow,
    TooLarge { at_most: u64 },
}

/// A message of many kinds of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    text: String,
    list: Vec<Option<i64>>,
    map: BTreeMap<String, (u8, char)>,
    tree: Tree,
    nothing: (),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf(f64),
    Node(Vec<Tree>),
}

#[module]
impl Counter {
    /// Adds to the count,
    ///
    /// and says what it is then.
    #[handler(remote)]
    async fn add(&mut self, Add(by): Add) -> u64 {
        self.count += by;
        self.count
    }

    #[handler(Get, remote)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Scale, remote, derive(Debug, Clone, PartialEq))]
    fn scale(&mut self, by: u64, #[serde(default)] offset: u64, note: Option<String>) -> Result<u64, Refusal> {
        drop(note);
        if by > 100 {
            return Err(Refusal::TooLarge { at_most: 100 });
        }
        self.count = self.count * by + offset;
        Ok(self.count)
    }

    #[handler(Await, remote, boxed)]
    fn wait(&mut self, padding: [u8; 32], reply: ReplyTo<u64>) {
        assert_eq!(padding.len(), 32);
        self.waiting.push(reply);
    }

    #[handler(Peek, remote, inline)]
    fn peek(&mut self, plus: u64) -> u64 {
        self.count + plus
    }

    #[handler(remote)]
    fn echo(&self, everything: Everything) -> Everything {
        everything
    }

    #[cfg(any())]
    #[handler(Never, remote)]
    fn never(&self) {}

    /// Is not on the wire.
    #[handler(Hidden)]
    fn hidden(&self) -> &'static str {
        "seen"
    }
}

fn is_ready_as<R: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    response: Result<Response, RequestError>,
    expected: &R,
) {
    assert_eq!(&response.expect("a response").decode::<R>().expect("it is of this type"), expected);
}

async fn system() -> System {
    let system = System::new();
    system.register_module(Counter::default()).await.expect("it starts");
    system
}

#[test]
fn a_request_by_name_reaches_its_handler_in_both_formats() {
    on_every_runtime(|| async {
        let system = system().await;
        is_ready_as(system.request("counter", Request::new("add", "2")).await, &2_u64);
        is_ready_as(system.request("counter", Request::json("add", &Add(3)).expect("JSON")).await, &5_u64);
        let packed = Request::message_pack("add", &Add(4)).expect("MessagePack");
        let response = system.request("counter", packed).await;
        assert_eq!(response.as_ref().map(Response::format), Ok(Format::MessagePack));
        is_ready_as(response, &9_u64);
        is_ready_as(system.request("counter", Request::new("get", "")).await, &9_u64);
        is_ready_as(system.request("counter", Request::new("get", "null")).await, &9_u64);
        is_ready_as(system.request("counter", Request::new("get", "{ }")).await, &9_u64);
        is_ready_as(system.request("counter", Request::message_pack("get", &()).expect("nil")).await, &9_u64);
        let nobody = BTreeMap::<String, u64>::new();
        is_ready_as(system.request("counter", Request::message_pack("get", &nobody).expect("a map")).await, &9_u64);
        system.shutdown().await;
    });
}

#[test]
fn arguments_are_given_by_name_or_by_position() {
    on_every_runtime(|| async {
        let system = system().await;
        let request = |payload: &str| system.request("counter", Request::new("scale", payload));
        is_ready_as(request(r#"{"by": 2, "offset": 5}"#).await, &Ok::<u64, Refusal>(5));
        is_ready_as(request(r#"{"by": 3, "note": "the default of `offset`"}"#).await, &Ok::<u64, Refusal>(15));
        is_ready_as(request("[1, 1, null]").await, &Ok::<u64, Refusal>(16));
        let packed = Request::message_pack("scale", &(1, 1, None::<String>)).expect("an array");
        is_ready_as(system.request("counter", packed).await, &Ok::<u64, Refusal>(17));
        let typed = Scale { by: 1, offset: 1, note: None };
        let packed = Request::message_pack("scale", &typed).expect("a map");
        assert!(packed.payload.windows(6).any(|window| window == b"offset"), "named: {:?}", packed.payload);
        assert_eq!(packed.decode::<Scale>().expect("it comes back"), typed);
        is_ready_as(system.request("counter", packed).await, &Ok::<u64, Refusal>(18));
        system.shutdown().await;
    });
}

#[test]
fn a_result_is_replied_as_serde_writes_it() {
    on_every_runtime(|| async {
        let system = system().await;
        let refused = system.request("counter", Request::new("scale", r#"{"by": 101}"#)).await.expect("a response");
        assert!(refused.is_ok(), "that the handler's own `Result` is an error is a reply");
        assert_eq!(refused.payload(), br#"{"Err":{"TooLarge":{"at_most":100}}}"#);
        let decoded = refused.decode::<Result<u64, Refusal>>().expect("the reply's type");
        assert_eq!(decoded, Err(Refusal::TooLarge { at_most: 100 }));
        let wrong = refused.decode::<u64>();
        assert!(matches!(wrong, Err(ResponseError::Payload(PayloadError::Unreadable { .. }))), "{wrong:?}");
        system.shutdown().await;
    });
}

#[test]
fn a_thousand_requests_at_once_each_get_their_own_answer() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Doubler).await.expect("it starts");
        let tasks: Vec<_> = (0..1_000_u64)
            .map(|number| {
                let system = system.reference();
                tokio::spawn(async move {
                    let request = match number % 2 {
                        0 => Request::json("double", &number),
                        _ => Request::message_pack("double", &number),
                    };
                    system.request("doubler", request.expect("a number")).await
                })
            })
            .collect();
        for (number, task) in (0..).zip(tasks) {
            is_ready_as(task.await.expect("no panic"), &(number * 2_u64));
        }
        system.shutdown().await;
    });
}

/// Answers nobody before all are there, and the last one first.
#[module(name = "gatherer")]
#[derive(Default)]
struct Gatherer {
    waiting: Vec<(u64, ReplyTo<u64>)>,
}

#[module(remote)]
impl Gatherer {
    #[handler(Gather)]
    fn gather(&mut self, number: u64, reply: ReplyTo<u64>) {
        self.waiting.push((number, reply));
        if self.waiting.len() == 1_000 {
            for (number, reply) in self.waiting.drain(..).rev() {
                reply.send(number * 3);
            }
        }
    }
}

#[test]
fn a_thousand_requests_that_wait_together_each_get_their_own_answer_whatever_its_order() {
    on_every_runtime(|| async {
        let system = System::builder("patient").no_ask_timeout().build();
        system.register_module(Gatherer::default()).await.expect("it starts");
        let requests = (0..1_000_u64).map(|number| {
            let request = match number % 2 {
                0 => Request::json("gather", &Gather { number }),
                _ => Request::message_pack("gather", &Gather { number }),
            };
            system.request("gatherer", request.expect("a number")).into_future()
        });
        for (number, response) in (0..).zip(futures::future::join_all(requests).await) {
            is_ready_as(response, &(number * 3_u64));
        }
        system.shutdown().await;
    });
}

#[module(name = "doubler", mailbox = 16)]
struct Doubler;

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Number(u64);

#[module(remote)]
impl Doubler {
    #[handler]
    async fn double(&self, Number(number): Number) -> u64 {
        tokio::task::yield_now().await;
        number * 2
    }

    #[handler(Secret, local)]
    fn secret(&self) -> std::time::Instant {
        std::time::Instant::now()
    }
}

#[test]
fn a_module_that_is_remote_has_all_its_handlers_on_the_wire_but_the_local_ones() {
    on_paused(async || {
        let system = System::new();
        let doubler = system.register_module(Doubler).await.expect("it starts");
        let unknown = system.request("doubler", Request::new("secret", "")).await;
        let requests = vec!["double".to_owned()];
        let expected =
            RequestError::UnknownRequest { module: "doubler".to_owned(), request: "secret".to_owned(), requests };
        assert_eq!(unknown, Err(expected));
        assert!(doubler.secret().await.is_ok(), "it is a handler all the same");
        system.shutdown().await;
    });
}

#[test]
fn a_silent_module_times_out_at_exactly_the_time_that_is_set() {
    on_paused(async || {
        let system = system().await;
        let begun = Instant::now();
        let request = Request::json("wait", &json!({ "padding": vec![0; 32] })).expect("JSON");
        let request = system.request("counter", request).timeout(Duration::from_millis(100));
        let expected = RequestError::Timeout {
            module: "counter".to_owned(),
            request: "wait".to_owned(),
            after: Duration::from_millis(100),
        };
        assert_eq!(request.await, Err(expected));
        assert_eq!(begun.elapsed(), Duration::from_millis(100));
        system.shutdown().await;
    });
}

#[test]
fn without_a_deadline_of_its_own_a_request_has_that_of_an_ask() {
    on_paused(async || {
        let system = System::builder("quick").ask_timeout(Duration::from_secs(1)).build();
        system.register_module(Counter::default()).await.expect("it starts");
        let begun = Instant::now();
        let request = || Request::json("wait", &json!({ "padding": vec![0; 32] })).expect("JSON");
        let ended = system.request("counter", request()).await;
        assert!(
            matches!(ended, Err(RequestError::Timeout { after, .. }) if after == Duration::from_secs(1)),
            "{ended:?}"
        );
        assert_eq!(begun.elapsed(), Duration::from_secs(1));

        let endless = system.request("counter", request()).no_timeout().into_future();
        let ended = tokio::time::timeout(Duration::from_hours(1), endless).await;
        assert!(ended.is_err(), "{ended:?}");
        system.shutdown().await;
    });
}

#[test]
fn a_handler_with_a_reply_to_answers_by_name_as_well() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Later::default()).await.expect("it starts");
        let asking = {
            let system = system.reference();
            tokio::spawn(async move { system.request("later", Request::new("fetch", r#"{"page": 7}"#)).await })
        };
        eventually("the request waits", || system.modules().len() == 1 && !asking.is_finished()).await;
        loop {
            // Answers what has come so far.
            system.request("later", Request::new("answer", "")).await.expect("a response");
            if asking.is_finished() {
                break;
            }
            tokio::task::yield_now().await;
        }
        is_ready_as(asking.await.expect("no panic"), &"page 7".to_owned());
        system.shutdown().await;
    });
}

#[module(name = "later")]
#[derive(Default)]
struct Later {
    waiting: HashMap<u64, ReplyTo<String>>,
}

#[module(remote)]
impl Later {
    #[handler(Fetch)]
    fn fetch(&mut self, page: u64, reply: ReplyTo<String>) {
        self.waiting.insert(page, reply);
    }

    #[handler(Answer)]
    fn answer(&mut self) {
        for (page, reply) in self.waiting.drain() {
            reply.send(format!("page {page}"));
        }
    }
}

#[test]
fn an_inline_handler_is_asked_by_name_inline() {
    on_paused(async || {
        let system = system().await;
        // The module's task does not run in between: what is ready at the first look was answered in place.
        let mut request = Box::pin(system.request("counter", Request::new("peek", r#"{"plus": 4}"#)).into_future());
        tokio::task::yield_now().await;
        let answer = futures::poll!(&mut request);
        let std::task::Poll::Ready(answer) = answer else { panic!("the handler was not run in place") };
        is_ready_as(answer, &4_u64);
        system.shutdown().await;
    });
}

#[test]
fn an_unknown_module_is_an_error_that_lists_those_that_are_there() {
    on_every_runtime(|| async {
        let system = system().await;
        system.register_module(Doubler).await.expect("it starts");
        let unknown = system.request("count-er", Request::new("get", "")).await.expect_err("there is none");
        let names = ["count", "counter", "doubler"].map(str::to_owned).to_vec();
        assert_eq!(unknown, RequestError::UnknownModule { name: "count-er".to_owned(), names });
        assert_eq!(
            unknown.to_string(),
            "no module is named `count-er` or provides it; there are: count, counter, doubler"
        );
        let reference = system.reference();
        system.shutdown().await;
        let gone = reference.request("counter", Request::new("get", "")).await;
        assert!(matches!(&gone, Err(RequestError::UnknownModule { names, .. }) if names.is_empty()), "{gone:?}");
        drop(system);
        assert_eq!(reference.request("counter", Request::new("get", "")).await, gone);
    });
}

#[test]
fn an_unknown_request_is_an_error_that_lists_those_that_are_there() {
    on_every_runtime(|| async {
        let system = system().await;
        for name in ["subtract", "hidden", "Get", "never", ""] {
            let unknown = system.request("counter", Request::new(name, "")).await.expect_err("it is not there");
            let requests = ["add", "get", "scale", "wait", "peek", "echo"].map(str::to_owned).to_vec();
            let expected =
                RequestError::UnknownRequest { module: "counter".to_owned(), request: name.to_owned(), requests };
            assert_eq!(unknown, expected);
        }
        system.shutdown().await;
    });
}

#[test]
fn a_payload_of_the_wrong_kind_never_reaches_the_module() {
    on_every_runtime(|| async {
        let system = system().await;
        for (payload, reason) in [
            ("", "the payload is empty: missing field `by`"),
            ("{}", "missing field `by` at line 1 column 2"),
            (r#"{"by": -1}"#, "invalid value: integer `-1`, expected u64 at line 1 column 9"),
            (r#"{"by": 1} x"#, "trailing characters at line 1 column 11"),
            ("{", "EOF while parsing an object at line 1 column 1"),
        ] {
            let wrong = system.request("counter", Request::new("scale", payload)).await.expect_err("it is wrong");
            let RequestError::Payload { module, request, expected, source } = &wrong else {
                panic!("for {payload}: {wrong}");
            };
            assert_eq!((module.as_str(), request.as_str()), ("counter", "scale"));
            assert_eq!(expected, "Scale { by: u64, offset: u64, note: Option<String> }");
            let unreadable = PayloadError::Unreadable { format: Format::Json, reason: reason.to_owned() };
            assert_eq!(*source, unreadable);
        }
        let wrong = system.request("counter", Request::new("add", "-1")).await.expect_err("it is wrong");
        assert_eq!(wrong.to_string(), "the payload of `add` for module `counter` is no `Add`");
        is_ready_as(system.request("counter", Request::new("get", "")).await, &0_u64);
        system.shutdown().await;
    });
}

#[test]
fn payloads_and_replies_above_the_limit_are_errors() {
    on_every_runtime(|| async {
        let system = System::builder("small").max_payload(100).build();
        system.register_module(Repeater).await.expect("it starts");
        let request = |text: usize, times: usize| {
            let payload = json!({ "text": "x".repeat(text), "times": times });
            Request::json("repeat", &payload).expect("JSON")
        };
        let large = system.request("repeater", request(100, 1)).await.expect_err("it is too large");
        assert!(
            matches!(large, RequestError::Payload { source: PayloadError::TooLarge { limit: 100 }, .. }),
            "{large}"
        );
        let large = system.request("repeater", request(50, 2)).await.expect_err("the reply is too large");
        assert!(matches!(large, RequestError::Reply { source: PayloadError::TooLarge { limit: 100 }, .. }), "{large}");
        is_ready_as(system.request("repeater", request(49, 2)).await, &"x".repeat(98));

        let any = |bytes: usize| Request::new("anything", vec![b'x'; bytes]);
        let large = system.request("repeater", any(101)).await.expect_err("it is too large");
        assert!(
            matches!(large, RequestError::Payload { source: PayloadError::TooLarge { limit: 100 }, .. }),
            "{large}"
        );
        let large = system.request("repeater", any(51)).await.expect_err("the response is too large");
        assert!(matches!(large, RequestError::Reply { source: PayloadError::TooLarge { limit: 100 }, .. }), "{large}");
        assert_eq!(system.request("repeater", any(50)).await.expect("a response").payload().len(), 100);
        system.shutdown().await;
    });
}

#[module(name = "repeater")]
struct Repeater;

#[module]
impl Repeater {
    #[handler(Repeat, remote)]
    fn repeat(&self, text: String, times: usize) -> String {
        text.repeat(times)
    }

    #[request]
    async fn anything(&self, request: Request) -> Response {
        Response::ok([&request.payload[..], &request.payload].concat())
    }
}

/// A value whose serde panics where it is told to.
#[derive(Debug)]
struct Mine(u8);

impl Serialize for Mine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != 2, "a mine in `Serialize`");
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Mine {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        assert!(number != 1, "a mine in `Deserialize`");
        Ok(Self(number))
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(self.0 != 3, "a mine in `Drop`");
    }
}

#[module(name = "minefield")]
#[derive(Default)]
struct Minefield;

#[module(remote)]
impl Minefield {
    #[handler]
    fn step(&mut self, mine: Mine) -> Mine {
        assert!(mine.0 != 4, "a mine in the handler");
        mine
    }
}

#[test]
fn w1_a_panic_in_the_types_own_serde_is_an_error_of_the_request_alone() {
    on_every_runtime(|| async {
        let system = System::new();
        let minefield = system.register_module(Minefield).await.expect("it starts");
        let step = |mine: &str| system.request("minefield", Request::new("step", mine));
        let text = |place: &str| PayloadError::Panicked { text: format!("a mine in `{place}`") };
        let ended = step("1").await.expect_err("it panics");
        assert!(matches!(&ended, RequestError::Payload { source, .. } if *source == text("Deserialize")), "{ended:?}");
        let ended = step("2").await.expect_err("it panics");
        assert!(matches!(&ended, RequestError::Reply { source, .. } if *source == text("Serialize")), "{ended:?}");
        let ended = step("3").await.expect_err("it panics");
        assert!(matches!(&ended, RequestError::Reply { source, .. } if *source == text("Drop")), "{ended:?}");
        is_ready_as(step("7").await, &7_u8);
        assert_eq!(minefield.state(), dms::ModuleState::Running);

        let ended = step("4").await.expect_err("the handler panics");
        assert!(matches!(&ended, RequestError::Unanswered(AskError::Panicked { handler: "step", .. })), "{ended:?}");
        system.shutdown().await;
    });
}

/// Asks by name from inside a handler.
#[module(name = "asker")]
struct Asker;

#[module(remote)]
impl Asker {
    #[handler(Relay)]
    async fn relay(&mut self, target: String, request: String, ctx: &mut Context<Self>) -> Result<String, String> {
        let response = ctx.request(&target, Request::new(request, "")).await;
        let response = response.map_err(|error| error.to_string())?;
        response.into_result().map(|payload| String::from_utf8_lossy(&payload).into_owned())
    }
}

fn relay(target: &str, request: &str) -> Request {
    Request::json("relay", &json!({ "target": target, "request": request })).expect("JSON")
}

#[test]
fn a_module_that_requests_of_itself_gets_would_deadlock() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Asker).await.expect("it starts");
        let payload = r#"{"target": "asker", "request": "relay"}"#;
        let relayed = system.request("asker", Request::new("relay", payload)).await;
        let relayed = relayed.expect("a response").decode::<Result<String, String>>().expect("the reply's type");
        let error = relayed.expect_err("the inner payload is empty");
        assert!(error.contains("the payload of `relay`"), "a bad payload is found before a deadlock: {error}");

        system.register_module(Selfish).await.expect("it starts");
        let response = system.request("selfish", Request::new("ask_itself", "")).await.expect("a response");
        let error = response.decode::<String>().expect("a text");
        assert!(error.contains("selfish -> selfish"), "{error}");
        system.shutdown().await;
    });
}

#[module(name = "selfish")]
struct Selfish;

#[module(remote)]
impl Selfish {
    #[handler(AskItself)]
    async fn ask_itself(&mut self, ctx: &mut Context<Self>) -> String {
        match ctx.request("selfish", Request::new("ask_itself", "")).await {
            Err(RequestError::Unanswered(error @ AskError::WouldDeadlock { .. })) => error.to_string(),
            other => format!("{other:?}"),
        }
    }
}

/// The seed's module: what it is asked is known when it runs.
#[derive(Default)]
struct Untyped {
    asked: u64,
}

impl Describe for Untyped {
    const INFO: ModuleInfo = ModuleInfo::new("Untyped").named("untyped").provides(&["status"]);
}

#[module]
impl Untyped {
    #[handler(Typed, remote)]
    fn typed(&self) -> u64 {
        self.asked
    }

    #[request]
    fn handle_request(&mut self, request: &Request, ctx: &mut Context<Self>) -> Result<Response, ModuleError> {
        self.asked += 1;
        match request.request_type.as_str() {
            "get_status" => Ok(Response::ok(b"OK".to_vec())),
            "source" => Ok(request.respond(&request.source)?),
            "sum" => Ok(request.respond(&request.decode::<Vec<u64>>()?.iter().sum::<u64>())?),
            "name" => Ok(Response::ok(format!("{:?}", ctx.name()))),
            _ => Ok(Response::err("Unknown request")),
        }
    }
}

#[test]
fn a_request_method_takes_what_no_handler_has_the_name_of() {
    on_every_runtime(|| async {
        let system = System::new();
        let module = system.register_module(Untyped::default()).await.expect("it starts");
        let request = |name: &str, payload: &str| system.request("untyped", Request::new(name, payload));
        assert_eq!(request("get_status", "").await.expect("a response").into_result(), Ok(b"OK".to_vec()));
        let unknown = request("?", "").await.expect("a response");
        assert_eq!(unknown.error(), Some("Unknown request"));
        assert_eq!(unknown.decode::<()>(), Err(ResponseError::Refused { text: "Unknown request".to_owned() }));
        is_ready_as(request("sum", "[1, 2, 3]").await, &6_u64);
        let packed = Request::message_pack("sum", &[4, 5]).expect("an array");
        is_ready_as(system.request("status", packed).await, &9_u64);
        let failed = request("sum", "1").await.expect("a response");
        let text = "not readable as JSON: invalid type: integer `1`, expected a sequence at line 1 column 1";
        assert_eq!(failed.error(), Some(text), "the error of the method is the response's text");
        is_ready_as(request("name", "").await, &"untyped".to_owned());
        is_ready_as(request("typed", "").await, &6_u64);
        // It is a handler of the message `Request`, and asked as such.
        assert_eq!(module.ask(Request::new("get_status", "")).await.expect("a response").payload(), b"OK");
        system.shutdown().await;
    });
}

#[test]
fn the_source_of_a_request_is_the_module_that_asks() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Untyped::default()).await.expect("it starts");
        system.register_module(Asker).await.expect("it starts");
        let relayed = system.request("asker", relay("untyped", "source")).await.expect("a response");
        assert_eq!(relayed.decode::<Result<String, String>>(), Ok(Ok("\"asker\"".to_owned())));
        let given = Request { source: "elsewhere".to_owned(), ..Request::new("source", "") };
        is_ready_as(system.request("untyped", given).await, &"elsewhere".to_owned());
        system.shutdown().await;
    });
}

#[test]
fn a_module_is_found_by_its_name_before_what_it_provides_and_the_oldest_provider_first() {
    on_every_runtime(|| async {
        let system = System::new();
        let first = system.register_module(Untyped::default()).await.expect("it starts");
        system.register_module(Untyped::default()).name("second").await.expect("it starts");
        let name = |target: &'static str| {
            let request = system.request(target, Request::new("name", ""));
            async move { request.await.expect("a response").decode::<String>().expect("a name") }
        };
        assert_eq!(name("status").await, "untyped");
        system.register_module(Untyped::default()).name("status").await.expect("it starts");
        assert_eq!(name("status").await, "status");
        system.stop("status").await.expect("it is there");
        first.stop().await.unwrap();
        assert_eq!(name("status").await, "second");
        system.shutdown().await;
    });
}

#[test]
fn the_ends_of_an_ask_are_those_of_a_request() {
    on_every_runtime(|| async {
        let system = System::new();
        system.register_module(Narrow::default()).await.expect("it starts");
        let narrow = system.get::<Narrow>("narrow").expect("it is there");
        let (holding, mut held) = hold();
        narrow.send(Hold(Box::pin(holding))).await.expect("it is delivered");
        held.begun().await;
        narrow.send(Hold(Box::pin(async {}))).await.expect("there is room for one");
        let full = system.request("narrow", Request::new("count", "")).await;
        assert!(matches!(&full, Err(RequestError::Unanswered(AskError::Full { .. }))), "{full:?}");
        held.release();
        eventually("there is room", || narrow.depth() == 0).await;
        is_ready_as(system.request("narrow", Request::new("count", "")).await, &2_u64);

        let (holding, mut held) = hold();
        narrow.send(Hold(Box::pin(holding))).await.expect("it is delivered");
        held.begun().await;
        let waiting = {
            let system = system.reference();
            tokio::spawn(async move { system.request("narrow", Request::new("count", "")).await })
        };
        eventually("the request waits", || narrow.depth() == 1).await;
        let stopping = tokio::spawn({
            let narrow = narrow.clone();
            async move { narrow.stop().await.unwrap() }
        });
        let stopped = waiting.await.expect("no panic");
        assert!(matches!(&stopped, Err(RequestError::Unanswered(AskError::Stopped { .. }))), "{stopped:?}");
        held.release();
        stopping.await.expect("no panic");
        system.shutdown().await;
    });
}

#[module(name = "narrow", mailbox = 1, overflow = reject)]
#[derive(Default)]
struct Narrow {
    held: u64,
}

struct Hold(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

#[module]
impl Narrow {
    #[handler]
    async fn hold(&mut self, Hold(holding): Hold) {
        holding.await;
        self.held += 1;
    }

    #[handler(Count, remote)]
    fn count(&self) -> u64 {
        self.held
    }
}

/// A module of any kind of value.
#[module]
struct Cache<K, V> {
    entries: HashMap<K, V>,
}

#[module(remote)]
impl<K, V> Cache<K, V>
where
    K: std::hash::Hash + Eq + Serialize + serde::de::DeserializeOwned,
    V: Clone + Serialize + serde::de::DeserializeOwned,
{
    #[handler(Put)]
    fn put(&mut self, key: K, value: V) -> Option<V> {
        self.entries.insert(key, value)
    }

    #[handler(Find)]
    fn find(&self, key: K) -> Option<V> {
        self.entries.get(&key).cloned()
    }
}

#[test]
fn generic_modules_and_members_of_pools_are_asked_by_name() {
    on_every_runtime(|| async {
        let system = System::new();
        let cache = Cache::<String, Vec<u8>> { entries: HashMap::new() };
        system.register_module(cache).name("cache").await.expect("it starts");
        let put = Request::message_pack("put", &json!({ "key": "a", "value": [1, 2] })).expect("a map");
        is_ready_as(system.request("cache", put).await, &None::<Vec<u8>>);
        is_ready_as(system.request("cache", Request::new("find", r#"{"key": "a"}"#)).await, &Some(vec![1_u8, 2]));

        system.register_pool(3, |_| Doubler).await.expect("it starts");
        for member in ["doubler-0", "doubler-1", "doubler-2"] {
            is_ready_as(system.request(member, Request::new("double", "4")).await, &8_u64);
        }
        system.shutdown().await;
    });
}

#[test]
fn a_mock_is_asked_as_its_module_would_be() {
    on_paused(async || {
        let mock = mock::<Untyped>(|message| match message {
            UntypedMessage::Typed(Typed, reply) => reply.send(7),
            UntypedMessage::HandleRequest(request, reply) => reply.send(Response::ok(request.request_type.clone())),
        });
        assert_eq!(mock.typed().await, Ok(7));
        assert_eq!(mock.handle_request(Request::new("echo", "")).await.expect("a response").payload(), b"echo");
    });
}

#[test]
fn a_system_describes_its_modules_and_what_can_be_asked_of_them() {
    on_paused(async || {
        let system = System::builder("shop").build();
        system.register_module(Counter::default()).await.expect("it starts");
        system.register_module(Untyped::default()).await.expect("it starts");
        let description = system.describe();
        assert_eq!(description["system"], "shop");
        let counter = &description["modules"][0];
        let mut identity = counter.clone();
        identity["requests"] = Value::Null;
        assert_eq!(
            identity,
            json!({
                "id": 1, "name": "counter", "type": "Counter", "version": "1.2.0", "description": "Counts things.",
                "author": "A. N. Author", "license": "MIT", "flags": ["ESSENTIAL"], "provides": ["count"],
                "dependencies": [], "optional_dependencies": [], "parent": null, "state": "running",
                "requests": null, "takes_any_request": false,
            })
        );
        let requests = counter["requests"].as_array().expect("an array");
        let names: Vec<_> = requests.iter().map(|request| request["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["add", "get", "scale", "wait", "peek", "echo"]);
        let number = json!({ "type": "integer", "format": "uint64", "minimum": 0 });
        let add = json!({
            "name": "add",
            "description": "Adds to the count,\n\nand says what it is then.",
            "message": { "type": "Add", "schema": number },
            "reply": { "type": "u64", "schema": number },
        });
        assert_eq!(requests[0], add);
        assert_eq!(requests[1]["message"], json!({ "type": "Get", "schema": { "title": "Get", "type": "null" } }));
        assert_eq!(
            requests[2]["message"]["schema"],
            json!({
                "title": "Scale", "type": "object", "required": ["by"],
                "properties": { "by": number, "offset": number, "note": { "type": ["string", "null"] } },
            })
        );
        assert_eq!(requests[2]["reply"], json!({ "type": "Result<u64, Refusal>", "schema": true }));
        assert_eq!(requests[5]["message"], json!({ "type": "Everything", "schema": true }));

        let untyped = &description["modules"][1];
        assert_eq!(untyped["takes_any_request"], true);
        assert_eq!(untyped["requests"].as_array().map(Vec::len), Some(1));
        let text = description.to_string();
        assert!(!text.contains("::"), "no Rust path is shown: {text}");
        let reference = system.reference();
        system.shutdown().await;
        drop(system);
        assert_eq!(reference.describe(), json!({ "system": "", "modules": [] }));
    });
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Branch {
    branches: Vec<Branch>,
}

#[module(name = "forest")]
struct Forest;

#[module(remote)]
impl Forest {
    #[handler(Plant)]
    fn plant(&mut self, root: Branch, second: self::Branch) -> Vec<self::Branch> {
        vec![root, second]
    }
}

#[test]
fn the_schema_of_a_recursive_type_has_its_definitions_with_it() {
    on_paused(async || {
        let system = System::new();
        system.register_module(Forest).await.expect("it starts");
        let plant = &system.describe()["modules"][0]["requests"][0];
        assert_eq!(plant["reply"]["type"], "Vec<Branch>");
        for schema in [&plant["message"]["schema"], &plant["reply"]["schema"]] {
            assert_eq!(
                schema["$defs"]["Branch"]["properties"]["branches"]["items"]["$ref"], "#/$defs/Branch",
                "{schema}"
            );
        }
        system.shutdown().await;
    });
}

/// Anything that the types of the tests can be.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = any::<f64>().prop_filter("JSON has no NaN", |number| number.is_finite()).prop_map(Tree::Leaf);
    leaf.prop_recursive(4, 32, 5, |inner| prop::collection::vec(inner, 0..5).prop_map(Tree::Node))
}

fn everything() -> impl Strategy<Value = Everything> {
    let list = prop::collection::vec(any::<Option<i64>>(), 0..8);
    let map = prop::collection::btree_map(any::<String>(), any::<(u8, char)>(), 0..4);
    (any::<String>(), list, map, tree()).prop_map(|(text, list, map, tree)| Everything {
        text,
        list,
        map,
        tree,
        nothing: (),
    })
}

/// What happens to bytes on their way.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    /// An array, map, text, binary or extension that claims to be of any length.
    Claim(prop::sample::Index, u8, u32),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        prop_oneof![
            at().prop_map(Self::Cut),
            (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            (at(), prop::collection::vec(any::<u8>(), 0..8)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            (at(), prop_oneof![Just(0xdd), Just(0xdf), Just(0xdb), Just(0xc6), Just(0xc9)], any::<u32>())
                .prop_map(|(at, marker, length)| Self::Claim(at, marker, length)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Flip(_, _) if bytes.is_empty() => {}
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Insert(at, new) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Claim(at, marker, length) => {
                let at = at.index(bytes.len() + 1);
                let [a, b, c, d] = length.to_be_bytes();
                bytes.splice(at..at, [*marker, a, b, c, d]);
            }
        }
    }
}

/// Sends the bytes to every handler; gives what `echo` made of them. Panics where anything but a response or a typed error comes of it.
fn survive(payload: &[u8], format: Format) -> Result<Response, RequestError> {
    Flavor::Paused.run(|| async {
        let system = System::new();
        system.register_module(Counter::default()).await.expect("it starts");
        let mut echoed = None;
        for handler in ["add", "get", "scale", "peek", "echo"] {
            let request =
                Request { request_type: handler.to_owned(), payload: payload.to_vec(), format, ..Request::default() };
            let response = system.request("counter", request).await;
            match &response {
                Ok(response) => assert!(response.is_ok(), "{response:?}"),
                // A count may overflow, which is the handler's panic.
                Err(RequestError::Unanswered(AskError::Panicked { handler: "add" | "scale" | "peek", .. })) => {
                    if system.get::<Counter>("counter").is_err() {
                        eventually("its name is free", || system.modules().is_empty()).await;
                    }
                    let _ = system.stop("counter").await;
                    system.register_module(Counter::default()).await.expect("it starts");
                }
                Err(RequestError::Payload { source: PayloadError::Unreadable { .. }, .. }) => {}
                Err(error) => panic!("{handler}: {error:?}"),
            }
            echoed = Some(response);
        }
        system.shutdown().await;
        echoed.expect("it was asked")
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: dms_tests::cases(256, 20_000),
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    #[test]
    fn every_value_comes_back_as_it_was(value in everything(), json in any::<bool>()) {
        let (format, request) = if json {
            (Format::Json, Request::json("echo", &value))
        } else {
            (Format::MessagePack, Request::message_pack("echo", &value))
        };
        let response = survive(&request.expect("it can be written").payload, format).expect("a response");
        assert_eq!(response.decode::<Everything>().expect("it can be read"), value);
    }

    #[test]
    fn w1_random_bytes_are_an_answer_or_a_typed_error(bytes in prop::collection::vec(any::<u8>(), 0..64), json in any::<bool>()) {
        let _ = survive(&bytes, if json { Format::Json } else { Format::MessagePack });
    }

    #[test]
    fn w1_damaged_bytes_are_an_answer_or_a_typed_error(
        value in everything(),
        damages in prop::collection::vec(Damage::any(), 1..4),
        json in any::<bool>(),
    ) {
        let (format, request) = if json {
            (Format::Json, Request::json("echo", &value))
        } else {
            (Format::MessagePack, Request::message_pack("echo", &value))
        };
        let mut payload = request.expect("it can be written").payload;
        for damage in &damages {
            damage.apply(&mut payload);
        }
        let _ = survive(&payload, format);
    }
}

#[test]
fn w1_what_nests_too_deep_is_an_error() {
    for depth in [129, 10_000, 500_000] {
        let open = |text: &str| text.repeat(depth);
        for (payload, format) in [
            (open("[").into_bytes(), Format::Json),
            (open(r#"{"Node":["#).into_bytes(), Format::Json),
            (format!("{}{}", open("["), open("]")).into_bytes(), Format::Json),
            ([vec![0x91; depth], vec![0xc0]].concat(), Format::MessagePack),
            ([b"\x81\xa4Node\x91".repeat(depth), vec![0x90]].concat(), Format::MessagePack),
        ] {
            let ended = survive(&payload, format);
            assert!(matches!(ended, Err(RequestError::Payload { .. })), "{ended:?}");
        }
    }
}
