//! One root span for each message, linked to that of its sender. A binary of its own: `tracing` keeps for all threads which spans are wanted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dms::prelude::*;
use dms_tests::{Flavor, Held, Puppet, act, held, hold, settle};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

/// A span as it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Recorded {
    fields: HashMap<&'static str, String>,
    is_root: bool,
    follows: Vec<u64>,
    entered: u32,
    is_closed: bool,
}

/// Spans by their ids, and events with the span that they were in.
#[derive(Debug, Default)]
struct Records {
    spans: Vec<Recorded>,
    events: Vec<(String, Option<u64>)>,
}

/// Records spans and events of one thread.
#[derive(Clone)]
struct Recorder {
    most: LevelFilter,
    targets: &'static [&'static str],
    records: Arc<Mutex<Records>>,
    references: Arc<Mutex<HashMap<u64, u64>>>,
    metadata: Arc<Mutex<HashMap<u64, &'static Metadata<'static>>>>,
    last: Arc<AtomicU64>,
}

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Recorder {
    fn new(most: LevelFilter, targets: &'static [&'static str]) -> Self {
        Self {
            most,
            targets,
            records: Arc::default(),
            references: Arc::default(),
            metadata: Arc::default(),
            last: Arc::default(),
        }
    }

    fn spans(&self) -> Vec<Recorded> {
        self.records.lock().unwrap().spans.clone()
    }

    /// The spans of messages: what they are of, and whom they follow.
    fn messages(&self) -> Vec<(String, Vec<u64>)> {
        let of = |span: &Recorded| ["module", "handler", "message"].map(|key| span.fields[key].clone()).join(" ");
        self.spans().iter().map(|span| (of(span), span.follows.clone())).collect()
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.most && self.targets.contains(&metadata.target())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = Recorded { fields: fields.0, is_root: attributes.is_root(), ..Recorded::default() };
        self.records.lock().unwrap().spans.push(span);
        self.references.lock().unwrap().insert(id, 1);
        self.metadata.lock().unwrap().insert(id, attributes.metadata());
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        assert!(self.references.lock().unwrap().contains_key(&follows.into_u64()), "what is followed is open");
        let place = usize::try_from(span.into_u64()).unwrap() - 1;
        self.records.lock().unwrap().spans[place].follows.push(follows.into_u64());
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let inside = ENTERED.with_borrow(|entered| entered.last().copied());
        let mut text = fields.0.remove("message").unwrap_or_default();
        for key in ["module", "id", "incarnation"] {
            text.extend(fields.0.get(key).map(|value| format!(" {key}={value}")));
        }
        self.records.lock().unwrap().events.push((text, inside));
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
        let place = usize::try_from(span.into_u64()).unwrap() - 1;
        self.records.lock().unwrap().spans[place].entered += 1;
    }

    fn exit(&self, span: &Id) {
        let left = ENTERED.with_borrow_mut(Vec::pop);
        assert_eq!(left, Some(span.into_u64()));
    }

    fn clone_span(&self, span: &Id) -> Id {
        *self.references.lock().unwrap().get_mut(&span.into_u64()).unwrap() += 1;
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut references = self.references.lock().unwrap();
        let count = references.get_mut(&span.into_u64()).unwrap();
        *count -= 1;
        let closes = *count == 0;
        if closes {
            references.remove(&span.into_u64());
            let place = usize::try_from(span.into_u64()).unwrap() - 1;
            self.records.lock().unwrap().spans[place].is_closed = true;
        }
        closes
    }

    fn current_span(&self) -> Current {
        ENTERED.with_borrow(|entered| match entered.last() {
            Some(id) => Current::new(Id::from_u64(*id), self.metadata.lock().unwrap()[id]),
            None => Current::none(),
        })
    }
}

#[derive(Default)]
struct Fields(HashMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

/// One after the other: which spans are wanted is known for all threads.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs `body` on one thread with a paused clock, and gives what was recorded.
fn recorded<F: Future<Output = ()>>(most: LevelFilter, body: impl FnOnce() -> F) -> Recorder {
    recorded_of(&["dms::message", "spans"], most, body)
}

fn recorded_of<F: Future<Output = ()>>(
    targets: &'static [&'static str],
    most: LevelFilter,
    body: impl FnOnce() -> F,
) -> Recorder {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let recorder = Recorder::new(most, targets);
    tracing::subscriber::with_default(recorder.clone(), || Flavor::Paused.run(body));
    recorder
}

/// Asks the next one, if there is one.
#[module]
struct Link {
    next: Option<ModuleRef<Link>>,
}

#[module]
impl Link {
    #[handler(Pull)]
    async fn pull(&mut self, strength: u64) -> u64 {
        tracing::info!("before");
        let pulled = match &self.next {
            Some(next) => next.pull(strength - 1).await.unwrap() + 1,
            None => 0,
        };
        tracing::info!("after");
        pulled
    }

    #[handler(Look, inline)]
    fn look(&self) -> u64 {
        tracing::info!("looked");
        0
    }

    #[handler(LookOn)]
    async fn look_on(&mut self) {
        if let Some(next) = &self.next {
            next.look().await.unwrap();
        }
    }

    #[handler(PullLater)]
    fn pull_later(&mut self) {
        if let Some(next) = &self.next {
            next.send_after(Pull { strength: 1 }, Duration::from_secs(1));
        }
    }

    #[event]
    fn on_tick(&mut self, _: &dms::event::Custom) {}
}

async fn chain(system: &System) -> ModuleRef<Link> {
    let mut next = None;
    for name in ["last", "middle", "first"] {
        next = Some(system.register_module(Link { next }).name(name).await.unwrap());
    }
    settle().await;
    next.unwrap()
}

#[test]
fn nested_asks_are_root_spans_each_linked_to_the_one_that_asked() {
    let recorder = recorded(LevelFilter::DEBUG, || async {
        let system = System::new();
        let first = chain(&system).await;
        assert_eq!(first.pull(3).await.unwrap(), 2);
        system.shutdown().await;
    });
    let expected = [
        ("first pull Pull".to_owned(), vec![]),
        ("middle pull Pull".to_owned(), vec![1]),
        ("last pull Pull".to_owned(), vec![2]),
    ];
    assert_eq!(recorder.messages(), expected);
    assert!(recorder.spans().iter().all(|span| span.is_root && span.is_closed));
    // Each handler is polled twice but for the last, and is in its span each time.
    let entered: Vec<_> = recorder.spans().iter().map(|span| span.entered).collect();
    assert!(entered[0] >= 2 && entered[1] >= 2 && entered[2] >= 1, "{entered:?}");
    let events: Vec<_> =
        recorder.records.lock().unwrap().events.iter().map(|(text, span)| format!("{text} {span:?}")).collect();
    let expected =
        ["before Some(1)", "before Some(2)", "before Some(3)", "after Some(3)", "after Some(2)", "after Some(1)"];
    assert_eq!(events, expected);
}

#[test]
fn without_a_subscriber_that_wants_them_there_are_none() {
    let recorder = recorded(LevelFilter::INFO, || async {
        let system = System::new();
        let first = chain(&system).await;
        assert_eq!(first.pull(3).await.unwrap(), 2);
        system.shutdown().await;
    });
    assert_eq!(recorder.spans(), []);
    assert_eq!(recorder.records.lock().unwrap().events.len(), 6, "it listens");
}

#[test]
fn a_handler_that_its_asker_runs_has_a_span_too() {
    let recorder = recorded(LevelFilter::DEBUG, || async {
        let system = System::new();
        let first = chain(&system).await;
        first.look_on().await.unwrap();
        system.shutdown().await;
    });
    let expected = [("first look_on LookOn".to_owned(), vec![]), ("middle look Look".to_owned(), vec![1])];
    assert_eq!(recorder.messages(), expected);
    assert_eq!(recorder.records.lock().unwrap().events, [("looked".to_owned(), Some(2))]);
}

#[test]
fn delayed_messages_and_events_are_linked_to_who_sent_them() {
    let recorder = recorded(LevelFilter::DEBUG, || async {
        let system = System::new();
        let first = chain(&system).await;
        first.pull_later().await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let span = tracing::debug_span!(target: "dms::message", "outside", module = "", handler = "", message = "");
        span.in_scope(|| drop(system.publish(dms::event::Custom { name: "tick".to_owned(), data: Vec::new() })));
        settle().await;
        system.shutdown().await;
    });
    let messages = recorder.messages();
    assert_eq!(messages[0], ("first pull_later PullLater".to_owned(), vec![]));
    assert_eq!(messages[1], ("middle pull Pull".to_owned(), vec![1]));
    assert_eq!(messages[2], ("last pull Pull".to_owned(), vec![2]));
    let outside = 4;
    assert_eq!(messages[outside - 1].0, "  ");
    for message in &messages[outside..] {
        assert_eq!((message.0.ends_with("on_tick Custom"), &message.1), (true, &vec![outside as u64]), "{messages:?}");
    }
    assert_eq!(messages.len(), outside + 3);
}

/// Who waits for room is linked though another task lets the message in, and what is dropped keeps nothing open.
#[test]
fn a_sender_that_waits_is_linked_and_what_never_begins_keeps_no_span_open() {
    let recorder = recorded(LevelFilter::DEBUG, || async {
        let system = System::new();
        let puppet = system.register_module(Puppet::default()).name("puppet").mailbox(1).await.unwrap();
        let held: Held = held(&puppet).await;
        let span = || tracing::debug_span!(target: "dms::message", "outside", module = "", handler = "", message = "");
        let (first, second) = (span(), span());
        first.in_scope(|| puppet.try_send(act(async {})).unwrap());
        let (target, waits) = (puppet.clone(), second.clone());
        let waiting =
            tokio::spawn(tracing::Instrument::instrument(async move { target.send(act(async {})).await }, waits));
        settle().await;
        held.release();
        waiting.await.unwrap().unwrap();
        settle().await;
        let (holding, mut held) = hold();
        puppet.try_send(act(holding)).unwrap();
        held.begun().await;
        second.in_scope(|| puppet.try_send(act(async {})).unwrap());
        let stop = tokio::spawn(puppet.stop().into_future());
        settle().await;
        held.release();
        stop.await.unwrap().unwrap();
        drop((first, second));
        system.shutdown().await;
    });
    let messages = recorder.messages();
    let follows: Vec<_> = messages.iter().map(|(_, follows)| follows.clone()).collect();
    assert_eq!(follows, [vec![], vec![], vec![], vec![2], vec![3], vec![]], "{messages:?}");
    assert!(recorder.spans().iter().all(|span| span.is_closed));
}

#[module]
struct Whole;

#[module]
impl Whole {
    #[init]
    fn init(&mut self) {}

    #[start]
    fn start(&mut self) {}

    #[handler(Fail)]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("told to"));
    }
}

#[test]
fn each_step_of_a_life_and_each_failure_is_logged_once() {
    let targets = &["dms::life", "dms::module::worker", "dms::module::supervised", "dms::system::failure"];
    let recorder = recorded_of(targets, LevelFilter::DEBUG, || async {
        let system = System::new();
        let restart = dms::recovery::Restart::on_failure().max_restarts(1, Duration::from_mins(1));
        let whole = system.register_with(|_| Whole).name("whole").restart(restart).await.unwrap();
        for _ in 0..2 {
            whole.send(Fail).await.unwrap();
            settle().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        system.shutdown().await;
        let system = System::new();
        let whole = system.register_module(Whole).name("whole").await.unwrap();
        whole.stop().await.unwrap();
        system.shutdown().await;
    });
    let events: Vec<_> = recorder.records.lock().unwrap().events.iter().map(|(text, _)| text.clone()).collect();
    let expected = [
        "module registered module=whole id=1 incarnation=1",
        "module is initialised module=whole id=1 incarnation=1",
        "module is started module=whole id=1 incarnation=1",
        "module runs module=whole id=1 incarnation=1",
        "module is stopping module=whole id=1 incarnation=1",
        "module failed and is started again: panicked in `fail`: told to module=whole id=1 incarnation=1",
        "module is initialised module=whole id=1 incarnation=2",
        "module is started module=whole id=1 incarnation=2",
        "module runs again module=whole id=1 incarnation=2",
        "module is stopping module=whole id=1 incarnation=2",
        "module failed: panicked in `fail`: told to module=whole id=1 incarnation=2",
        "module `whole` failed, and the system with it, which shuts down",
        "module registered module=whole id=1 incarnation=1",
        "module is initialised module=whole id=1 incarnation=1",
        "module is started module=whole id=1 incarnation=1",
        "module runs module=whole id=1 incarnation=1",
        "module is stopping module=whole id=1 incarnation=1",
        "module stopped module=whole id=1 incarnation=1",
    ];
    assert_eq!(events, expected);
}
