//! A network that loses, repeats, reorders and delays, the same way for the same seed.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::trace::Trace;
use crate::recovery::Random;
use crate::session::{AddrInUse, Arrival, Carrier, Hub, Memory};

/// How much later than the others a message arrives at most that is reordered: so many times the longest delay, and a millisecond.
const HELD_BACK: u64 = 3;

/// What a [`Network`] does to messages. [`none`](Self::none) at first.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Faults {
    loss: f64,
    duplication: f64,
    reordering: f64,
    delay: RangeInclusive<Duration>,
}

impl Faults {
    /// No fault: each message arrives once, at once, and in order.
    pub const fn none() -> Self {
        Self { loss: 0.0, duplication: 0.0, reordering: 0.0, delay: Duration::ZERO..=Duration::ZERO }
    }

    /// How probable it is that a message is lost.
    ///
    /// # Panics
    /// Outside of 0 to 1.
    pub fn loss(mut self, probability: f64) -> Self {
        self.loss = checked(probability);
        self
    }

    /// How probable it is that a message that is not lost arrives twice.
    ///
    /// # Panics
    /// Outside of 0 to 1.
    pub fn duplication(mut self, probability: f64) -> Self {
        self.duplication = checked(probability);
        self
    }

    /// How probable it is that what arrives is held back, so that what is sent later overtakes it. What is not held back arrives in order, however it is delayed.
    ///
    /// # Panics
    /// Outside of 0 to 1.
    pub fn reordering(mut self, probability: f64) -> Self {
        self.reordering = checked(probability);
        self
    }

    /// How long a message is under way: any time in this range is as probable, to the microsecond.
    ///
    /// Tokio's timers have a millisecond: on a paused clock that nothing else moves, who listens gets a message at the first full millisecond, since the runtime began, at which it is due. Those
    /// of the same millisecond come at the same time, in the order of their microseconds.
    ///
    /// # Panics
    /// Where the range is empty.
    pub fn delay(mut self, range: RangeInclusive<Duration>) -> Self {
        assert!(!range.is_empty(), "no delay is between {:?} and {:?}", range.start(), range.end());
        self.delay = range;
        self
    }
}

fn checked(probability: f64) -> f64 {
    assert!((0.0..=1.0).contains(&probability), "{probability} is no probability: one is from 0 to 1");
    probability
}

/// A network within the process whose faults are drawn from a seed. A clone is the same network.
///
/// Everything that it does follows from its seed, from what is sent and from Tokio's clock. So a test on one thread with a paused clock
/// sees the same run again, if what it tests does the same again: its `select!` is `biased`, its random numbers have a seed, and it does not iterate
/// over what has no order.
///
/// All that happens in it makes a trace, which is the same for the same run, byte for byte. A simulation may be long, so [`new`](Self::new) keeps the [hash](Self::trace_hash) of it alone; to read what
/// happened, do the run again with the same seed on a network [`with_trace`](Self::with_trace).
///
/// ```
/// use std::time::Duration;
/// use dms::session::{BackgroundMonitor, Endpoint, Transport, event};
/// use dms::testing::{Faults, Network};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let faults = Faults::none().loss(0.2).delay(Duration::from_millis(1)..=Duration::from_millis(9));
/// let network = Network::<u64>::new(7, faults);
/// let (here, there) = (network.bind(1)?, network.bind(2)?);
///
/// let monitor = BackgroundMonitor::new();
/// let (sender, mut events) = event();
/// monitor.spawner().spawn("listen", there.listen(sender));
/// for number in 0..100_u64 {
///     here.send_to(2, number).await?;
/// }
/// let mut arrived = 0;
/// while let Ok(Some(_)) = tokio::time::timeout(Duration::from_secs(1), events.recv()).await {
///     arrived += 1;
/// }
/// assert_eq!(arrived, 100 - network.counts().lost);
/// # Ok(()) }
/// ```
pub struct Network<N> {
    hub: Arc<Hub<N>>,
    weather: Arc<Weather>,
}

/// What became of the messages of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NetworkCounts {
    /// How many were sent.
    pub sent: u64,
    /// Of these, how many were lost.
    pub lost: u64,
    /// Of these, how many were sent across a partition.
    pub cut: u64,
    /// Of these, how many were made two.
    pub duplicated: u64,
    /// How many, of two each counts, were held back so that others overtake it.
    pub reordered: u64,
    /// How many, of two each counts, arrived.
    pub arrived: u64,
    /// How many, of two each counts, were under way when a partition came between or their place went, or were sent where nobody is.
    pub undelivered: u64,
}

impl<N: Clone + Debug + Send + 'static> Network<N> {
    /// Makes a network of nobody. It keeps the hash of its trace, in which messages are as `Debug` shows them, and not the text.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self::of(seed, faults, Trace::new(false))
    }

    /// As [`new`](Self::new), and keeps the text of its [`trace`](Self::trace), which grows with each message.
    #[must_use]
    pub fn with_trace(seed: u64, faults: Faults) -> Self {
        Self::of(seed, faults, Trace::new(true))
    }

    fn of(seed: u64, faults: Faults, trace: Trace) -> Self {
        let state = State {
            random: Random::seeded(seed),
            faults,
            groups: None,
            last_due: BTreeMap::new(),
            counts: NetworkCounts::default(),
            trace,
        };
        let weather = Arc::new(Weather(Mutex::new(state)));
        Self { hub: Hub::new(Some(Arc::clone(&weather) as Arc<dyn Carrier<N>>)), weather }
    }
}

impl<N> Network<N> {
    /// Makes a place in it. What comes before somebody listens there waits.
    ///
    /// # Errors
    /// The address is taken. It is free again when the last clone of its [`Memory`] and all who [listen](crate::session::Endpoint::listen) there have gone, with which what is under way to it is lost.
    pub fn bind(&self, addr: u32) -> Result<Memory<N>, AddrInUse> {
        Hub::bind(&self.hub, addr)
    }

    /// Does this to messages from now on.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.weather.0.lock();
        state.trace.note(format_args!("faults: {faults:?}"));
        state.faults = faults;
    }

    /// Parts the network: messages pass within a group, and not between groups; nor do those that are under way. Who is in no group is alone. An earlier partition is over.
    pub fn partition<'a>(&self, groups: impl IntoIterator<Item = &'a [u32]>) {
        let groups: Vec<Vec<u32>> = groups.into_iter().map(<[u32]>::to_vec).collect();
        let mut state = self.weather.0.lock();
        state.trace.note(format_args!("partition: {groups:?}"));
        state.groups = Some(groups);
    }

    /// Ends the partition.
    pub fn heal(&self) {
        let mut state = self.weather.0.lock();
        state.trace.note(format_args!("healed"));
        state.groups = None;
    }

    /// What became of its messages.
    #[must_use]
    pub fn counts(&self) -> NetworkCounts {
        self.weather.0.lock().counts
    }

    /// All that happened in it, a line each, with the time since it was made: what was sent, what became of it, when it is due and when it arrived. `None` unless it was made
    /// [`with_trace`](Self::with_trace).
    #[must_use]
    pub fn trace(&self) -> Option<String> {
        self.weather.0.lock().trace.text().map(str::to_owned)
    }

    /// The hash of the bytes of its trace, whether the text is kept or not: FNV-1a, 64 bits.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.weather.0.lock().trace.hash()
    }
}

impl<N> Clone for Network<N> {
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub), weather: Arc::clone(&self.weather) }
    }
}

impl<N> Debug for Network<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// What decides over the messages.
struct Weather(Mutex<State>);

struct State {
    random: Random,
    faults: Faults,
    /// Between which nothing passes.
    groups: Option<Vec<Vec<u32>>>,
    /// When the last message that was not held back arrives, from one place at another.
    last_due: BTreeMap<(u32, u32), Instant>,
    counts: NetworkCounts,
    trace: Trace,
}

impl<N: Debug> Carrier<N> for Weather {
    fn carry(&self, from: u32, destinations: &[u32], message: &N) -> Vec<Arrival> {
        // This is code of the user's: no lock is held meanwhile.
        let message = format!("{message:?}");
        let mut state = self.0.lock();
        destinations.iter().flat_map(|&to| state.carry(from, to, &message)).collect()
    }

    fn arrive(&self, number: u64, from: u32, to: u32, is_awaited: bool) -> bool {
        let mut state = self.0.lock();
        let why = match () {
            () if state.is_cut(from, to) => "cut under way",
            () if !is_awaited => "for nobody",
            () => {
                state.counts.arrived += 1;
                state.trace.note(format_args!("#{number} {from} -> {to} arrived"));
                return true;
            }
        };
        state.counts.undelivered += 1;
        state.trace.note(format_args!("#{number} {why}"));
        false
    }
}

impl State {
    /// Draws what becomes of a message.
    fn carry(&mut self, from: u32, to: u32, message: &str) -> Vec<Arrival> {
        self.counts.sent += 1;
        let number = self.counts.sent;
        self.trace.note(format_args!("#{number} {from} -> {to} sent: {message}"));
        if self.is_cut(from, to) {
            self.counts.cut += 1;
            self.trace.note(format_args!("#{number} cut"));
            return Vec::new();
        }
        if self.happens(self.faults.loss) {
            self.counts.lost += 1;
            self.trace.note(format_args!("#{number} lost"));
            return Vec::new();
        }
        let mut copies = 1;
        if self.happens(self.faults.duplication) {
            self.counts.duplicated += 1;
            self.trace.note(format_args!("#{number} duplicated"));
            copies = 2;
        }
        (0..copies).map(|_| self.arrival(number, from, to)).collect()
    }

    /// Draws when a copy arrives.
    fn arrival(&mut self, number: u64, from: u32, to: u32) -> Arrival {
        let now = Instant::now();
        let (shortest, longest) = (micros(*self.faults.delay.start()), micros(*self.faults.delay.end()));
        let mut due = now + Duration::from_micros(shortest + self.below(longest - shortest + 1));
        if self.happens(self.faults.reordering) {
            self.counts.reordered += 1;
            due += Duration::from_micros(1 + self.below(longest * HELD_BACK + 1_000));
            self.trace.note(format_args!("#{number} held back"));
        } else {
            let last_due = self.last_due.entry((from, to)).or_insert(due);
            due = due.max(*last_due);
            *last_due = due;
        }
        let since = self.trace.since(due);
        self.trace.note(format_args!("#{number} due at {since}"));
        Arrival { number, to, due }
    }

    fn is_cut(&self, from: u32, to: u32) -> bool {
        let Some(groups) = &self.groups else { return false };
        from != to && !groups.iter().any(|group| group.contains(&from) && group.contains(&to))
    }

    /// Whether something of this probability happens, this time.
    fn happens(&mut self, probability: f64) -> bool {
        // 53 bits, which is what an `f64` holds.
        #[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let drawn = (self.random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < probability
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.random.draw() % bound.max(1)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX >> 3)
}
