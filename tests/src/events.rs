//! What was logged.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use crate::Log;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How grave it is.
    pub level: Level,
    /// The message and the fields, as `message name=value`.
    pub text: String,
}

type Hear = Rc<dyn Fn(Event)>;

thread_local! {
    static HEARS: RefCell<Option<Hear>> = const { RefCell::new(None) };
}

/// Runs `body` and gives what was logged on this thread meanwhile, from INFO up.
pub fn events_of<R>(body: impl FnOnce() -> R) -> (R, Vec<Event>) {
    let log = Log::new();
    let hears = log.clone();
    let output = heard_by(move |event| hears.push(event), body);
    (output, log.take())
}

/// Runs `body` and has `hear` called with what is logged on this thread meanwhile, where it is logged.
///
/// There is one subscriber for all threads, which listens for those that want it: one for each thread would leave it to chance which of the
/// callsites, kept by `tracing` for all threads, it hears.
pub fn heard_by<R>(hear: impl Fn(Event) + 'static, body: impl FnOnce() -> R) -> R {
    static LISTENS: OnceLock<()> = OnceLock::new();
    LISTENS.get_or_init(|| {
        // Whoever was first listens for all.
        let _ = tracing::subscriber::set_global_default(Listener { spans: AtomicU64::new(1) });
    });
    HEARS.set(Some(Rc::new(hear)));
    let output = body();
    HEARS.set(None);
    output
}

struct Listener {
    spans: AtomicU64,
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("dms") && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        if let Some(hear) = HEARS.with_borrow(Clone::clone) {
            let mut text = Text::default();
            event.record(&mut text);
            hear(Event { level: *event.metadata().level(), text: text.message + &text.fields });
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a `String` does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
