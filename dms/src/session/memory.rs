//! A network within one process: values, not bytes.

use std::cmp::{Ordering, Reverse};
use std::collections::binary_heap::PeekMut;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::{self, Debug};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::channel::EventSender;
use super::transport::{Endpoint, Transport, TransportError};

/// A network within this process that carries `N`. Each message arrives at once and one time; where one listens, in order.
///
/// Its addresses are numbers. For one that loses messages, see [`testing::Network`](crate::testing::Network).
pub struct MemoryNetwork<N> {
    hub: Arc<Hub<N>>,
}

impl<N: Clone + Send + 'static> MemoryNetwork<N> {
    /// Makes a network of nobody. What it carries is cloned where a message goes to several.
    #[must_use]
    pub fn new() -> Self {
        Self { hub: Hub::new(None) }
    }
}

impl<N> MemoryNetwork<N> {
    /// Makes a place in it. What comes before somebody listens there waits.
    ///
    /// # Errors
    /// The address is taken. It is free again when the last clone of its [`Memory`] and all who [listen](Endpoint::listen) there have gone.
    pub fn bind(&self, addr: u32) -> Result<Memory<N>, AddrInUse> {
        Hub::bind(&self.hub, addr)
    }
}

impl<N: Clone + Send + 'static> Default for MemoryNetwork<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N> Clone for MemoryNetwork<N> {
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub) }
    }
}

impl<N> Debug for MemoryNetwork<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNetwork").finish_non_exhaustive()
    }
}

/// An address is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address {addr} is taken: it is free when the last clone of its `Memory` and all who `listen` there have gone"
)]
pub struct AddrInUse {
    /// The address.
    pub addr: u32,
}

/// A place in a network within this process that carries `N`: a [`Transport<M>`](Transport) for every `M` that turns into `N`. A clone is the same place; it is there until the last clone and all who
/// [listen](Endpoint::listen) have gone.
///
/// Who listens takes a message once there is room where it hands it over, and whoever stops to listen loses none: what nobody has taken waits for the others who listen, and for the next one.
///
/// A message turns into `N` once, and is cloned for each further place to which it goes. To send to an address where nobody is is no error: the message is lost.
pub struct Memory<N> {
    place: Arc<Place<N>>,
}

struct Place<N> {
    addr: u32,
    hub: Arc<Hub<N>>,
    /// Something came.
    news: Arc<Notify>,
}

impl<N> Memory<N> {
    /// Its own address.
    #[must_use]
    pub fn addr(&self) -> u32 {
        self.place.addr
    }
}

impl<N: Send + 'static> Endpoint for Memory<N> {
    type Addr = u32;
    type Message = N;

    fn addr(&self) -> u32 {
        self.place.addr
    }

    fn listen(
        &self,
        events: EventSender<(u32, N)>,
    ) -> impl Future<Output = Result<(), TransportError>> + Send + 'static {
        let place = Arc::clone(&self.place);
        async move {
            let mut closed = pin!(events.closed());
            loop {
                let mut arrived = pin!(place.arrived());
                let is_open = poll_fn(|cx| {
                    if closed.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(false);
                    }
                    arrived.as_mut().poll(cx).map(|()| true)
                });
                if !is_open.await {
                    return Ok(());
                }
                // A message is taken once there is room for it, and handed over with no pause in between: so none goes with this future, or waits in it while others have room.
                let Ok(room) = events.reserve().await else { return Ok(()) };
                if let Some(arrived) = place.hub.take(place.addr) {
                    room.send(arrived);
                }
            }
        }
    }
}

impl<N, M> Transport<M> for Memory<N>
where
    N: Send + 'static,
    M: Into<N> + Send,
{
    async fn send_to(&self, destination: u32, message: M) -> Result<(), TransportError> {
        self.place.hub.send(self.place.addr, &[destination], message.into());
        Ok(())
    }

    async fn send_to_all(
        &self,
        destinations: impl IntoIterator<Item = u32, IntoIter: Send> + Send,
        message: M,
    ) -> Result<(), TransportError> {
        let destinations: Vec<_> = destinations.into_iter().collect();
        self.place.hub.send(self.place.addr, &destinations, message.into());
        Ok(())
    }
}

impl<N> Clone for Memory<N> {
    fn clone(&self) -> Self {
        Self { place: Arc::clone(&self.place) }
    }
}

impl<N> Debug for Memory<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("addr", &self.place.addr).finish_non_exhaustive()
    }
}

impl<N> Place<N> {
    /// Waits until there is a message that has arrived.
    ///
    /// Each who waits sees for itself what there is: all are told of each message, and all wait for the first. So it makes no difference who of them goes.
    async fn arrived(&self) {
        loop {
            // This tells also of what comes from here on until it is polled.
            let news = self.news.notified();
            match self.hub.next_due(self.addr) {
                Some(due) if due <= Instant::now() => return,
                // Whether it woke in time or for news makes no difference.
                Some(due) => drop(timeout_at(due, news).await),
                None => news.await,
            }
        }
    }
}

impl<N> Drop for Place<N> {
    fn drop(&mut self) {
        let left = self.hub.state.lock().places.remove(&self.addr);
        let mut letters = left.map(|letterbox| letterbox.letters).unwrap_or_default();
        while let Some(Reverse(letter)) = letters.pop() {
            self.hub.may_arrive(letter.number, letter.from, self.addr, false);
        }
    }
}

/// What decides over the messages of a network.
pub(crate) trait Carrier<N>: Send + Sync {
    /// Where and when `message` arrives, once for each copy of it. It is called in the order in which messages are sent.
    fn carry(&self, from: u32, destinations: &[u32], message: &N) -> Vec<Arrival>;

    /// Whether the copy `number` may arrive, now that its time has come. Where it `is_awaited` somebody is there.
    fn arrive(&self, number: u64, from: u32, to: u32, is_awaited: bool) -> bool;
}

/// A copy of a message that is to arrive.
pub(crate) struct Arrival {
    /// What the carrier calls it.
    pub(crate) number: u64,
    pub(crate) to: u32,
    pub(crate) due: Instant,
}

/// All the places of a network, and what is under way to them.
pub(crate) struct Hub<N> {
    /// Without one, everything arrives at once.
    carrier: Option<Arc<dyn Carrier<N>>>,
    /// That of `N`. It is known here, so that nobody need say `Clone` who sends.
    clone: fn(&N) -> N,
    state: Mutex<State<N>>,
}

struct State<N> {
    places: BTreeMap<u32, Letterbox<N>>,
    /// How many copies there have been: of those that arrive at the same time the earlier one is the first.
    copies: u64,
}

/// What is under way to a place.
struct Letterbox<N> {
    letters: BinaryHeap<Reverse<Letter<N>>>,
    news: Arc<Notify>,
}

struct Letter<N> {
    due: Instant,
    copy: u64,
    number: u64,
    from: u32,
    message: N,
}

impl<N: Clone> Hub<N> {
    pub(crate) fn new(carrier: Option<Arc<dyn Carrier<N>>>) -> Arc<Self> {
        let state = Mutex::new(State { places: BTreeMap::new(), copies: 0 });
        Arc::new(Self { carrier, clone: N::clone, state })
    }
}

impl<N> Hub<N> {
    pub(crate) fn bind(self: &Arc<Self>, addr: u32) -> Result<Memory<N>, AddrInUse> {
        let news = Arc::new(Notify::new());
        match self.state.lock().places.entry(addr) {
            Entry::Occupied(_) => return Err(AddrInUse { addr }),
            Entry::Vacant(place) => {
                place.insert(Letterbox { letters: BinaryHeap::new(), news: Arc::clone(&news) });
            }
        }
        Ok(Memory { place: Arc::new(Place { addr, hub: Arc::clone(self), news }) })
    }

    fn send(&self, from: u32, destinations: &[u32], message: N) {
        let mut arrivals = match &self.carrier {
            Some(carrier) => carrier.carry(from, destinations, &message),
            None => destinations.iter().map(|&to| Arrival { number: 0, to, due: Instant::now() }).collect(),
        };
        let last = arrivals.pop();
        for arrival in arrivals {
            self.put(from, &arrival, (self.clone)(&message));
        }
        if let Some(arrival) = last {
            self.put(from, &arrival, message);
        }
    }

    fn put(&self, from: u32, arrival: &Arrival, message: N) {
        let Arrival { number, to, due } = *arrival;
        let mut state = self.state.lock();
        let copy = state.copies;
        state.copies += 1;
        let Some(letterbox) = state.places.get_mut(&to) else {
            drop(state);
            self.may_arrive(number, from, to, false);
            return drop(message);
        };
        letterbox.letters.push(Reverse(Letter { due, copy, number, from, message }));
        let news = Arc::clone(&letterbox.news);
        drop(state);
        news.notify_waiters();
    }

    /// When the next message arrives at `to`, or did.
    fn next_due(&self, to: u32) -> Option<Instant> {
        self.state.lock().places.get(&to)?.letters.peek().map(|Reverse(letter)| letter.due)
    }

    /// The first message that has arrived at `to`.
    fn take(&self, to: u32) -> Option<(u32, N)> {
        loop {
            let mut state = self.state.lock();
            let letters = &mut state.places.get_mut(&to)?.letters;
            let first = letters.peek_mut()?;
            if first.0.due > Instant::now() {
                return None;
            }
            let Reverse(letter) = PeekMut::pop(first);
            drop(state);
            if self.may_arrive(letter.number, letter.from, to, true) {
                return Some((letter.from, letter.message));
            }
        }
    }

    fn may_arrive(&self, number: u64, from: u32, to: u32, is_awaited: bool) -> bool {
        self.carrier.as_ref().is_none_or(|carrier| carrier.arrive(number, from, to, is_awaited))
    }
}

impl<N> Letter<N> {
    fn key(&self) -> (Instant, u64) {
        (self.due, self.copy)
    }
}

impl<N> PartialEq for Letter<N> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<N> Eq for Letter<N> {}

impl<N> PartialOrd for Letter<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<N> Ord for Letter<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
