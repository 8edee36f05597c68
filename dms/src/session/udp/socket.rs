//! A place in a network of datagrams.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::net::{ToSocketAddrs, UdpSocket};

use super::codec::DatagramCodec;
use super::counts::{Counters, UdpCounts};
use super::failure;
use super::message::UdpMessage;
use crate::session::channel::EventSender;
use crate::session::transport::{Endpoint, Transport, TransportError};

/// The most bytes of a datagram over IPv4: 65,535, less the headers of IP (20) and UDP (8).
const LIMIT_V4: usize = 65_507;
/// The same over IPv6, whose header does not count.
const LIMIT_V6: usize = 65_527;

/// After so many errors on end there is a pause before the socket is asked again.
const ERRORS_ON_END: u32 = 16;
const PAUSE: Duration = Duration::from_millis(10);

/// A place in a network of UDP datagrams that carries `N`: a [`Transport<M>`](Transport) for every `M` that turns into `N`. A clone is the same place.
///
/// One message is one datagram. It is written as MessagePack, or as [`with_codec`](Self::with_codec) says, and has at most 65,507 bytes, or as [`with_limit`](Self::with_limit) says: what is nominally
/// 64 KiB, less the headers of IP and UDP; over IPv6 it is 65,527. A larger one is not sent, and the error says how large it is. Datagrams above some 1,200 bytes travel in fragments, of which
/// none may be lost; within one machine that is no matter.
///
/// `N` is an enum of your own, or that of a module whose handlers are `remote`: so what comes from outside goes to the module as if it had been sent within the system, by
/// [`Inbox::dispatch`](crate::Inbox::dispatch). Replies do not travel: a message that arrives has one that is nobody's.
///
/// There is nothing here that sends again what is lost, puts in order what arrives out of order, or drops what arrives twice: that is what sessions do who can afford it.
///
/// # What comes from outside
/// Anybody can send anything. What is empty, too large, no message, or says that it comes from port 0, to which nobody can answer, is counted, see [`counts`](Self::counts), and dropped; and so are reports of
/// the operating system that somebody cannot be reached. Neither ends [`listen`](Endpoint::listen). An answer may still not be sendable, as to an address that a firewall does not let through:
/// such an error is one of its [destination](TransportError::Destination), and nothing that a session ends for. Nothing is allocated for what a datagram merely promises, and what nests deeper than 128 levels is no message. What
/// takes more than 4.5 MiB of memory, or 6.5 MiB while it is read, as some types may with 64 KiB of bytes, is no message either: see [`DatagramCodec`]. Besides, listening takes a buffer for one datagram.
///
/// The address of a sender can be forged, and what travels can be read and changed: where that matters, carry `Signed` messages. Who listens into an
/// [event channel with a bound](super::super::event_within) leaves to the operating system what comes too quickly: it drops it. `event_within(n)` can hold `n` messages, one more waits for room; so a flood
/// holds at most `n + 1` times what a message of the type may take. A channel [without a bound](super::super::event) holds all that comes.
///
/// ```
/// use std::time::Duration;
/// use dms::session::{Endpoint, Transport, Udp, event_within};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let here = Udp::<(u64, String)>::bind("127.0.0.1:0").await?;
/// let there = Udp::<(u64, String)>::bind("127.0.0.1:0").await?;
///
/// let (events, mut source) = event_within(1_000);
/// let session = async {
///     here.send_to(there.addr(), (7, "hello".to_owned())).await?;
///     Ok::<_, dms::session::TransportError>(source.recv().await)
/// };
/// tokio::select! {
///     ended = there.listen(events) => ended?,
///     message = session => assert_eq!(message?, Some((here.addr(), (7, "hello".to_owned())))),
/// }
/// assert_eq!(there.counts().delivered, 1);
/// # Ok(()) }
/// ```
pub struct Udp<N> {
    shared: Arc<Shared>,
    codec: DatagramCodec,
    /// The most bytes of a datagram.
    limit: usize,
    carries: PhantomData<fn() -> N>,
}

/// What clones have together.
struct Shared {
    socket: UdpSocket,
    addr: SocketAddr,
    counters: Counters,
}

impl<N> Udp<N> {
    /// Takes a place at this address; with port 0, at a port that the operating system chooses.
    ///
    /// # Errors
    /// The operating system refuses: the address is taken, or not one of this machine.
    ///
    /// # Cancel safety
    /// Dropped, there is no socket.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::from_socket(UdpSocket::bind(addr).await?)
    }

    /// Takes the place of a socket that is set up already, as with larger buffers. It must not be connected: it sends to several.
    ///
    /// # Errors
    /// It has no address of its own.
    pub fn from_socket(socket: UdpSocket) -> io::Result<Self> {
        let addr = socket.local_addr()?;
        let limit = if addr.is_ipv4() { LIMIT_V4 } else { LIMIT_V6 };
        let shared = Shared { socket, addr, counters: Counters::default() };
        Ok(Self { shared: Arc::new(shared), codec: DatagramCodec::default(), limit, carries: PhantomData })
    }

    /// Writes and reads datagrams with another codec.
    #[must_use]
    pub fn with_codec(mut self, codec: DatagramCodec) -> Self {
        self.codec = codec;
        self
    }

    /// Sends and accepts datagrams of at most `limit` bytes, where that is less than the 65,507 of IPv4 or the 65,527 of IPv6.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = self.limit.min(limit);
        self
    }

    /// What became of its datagrams until now.
    #[must_use]
    pub fn counts(&self) -> UdpCounts {
        self.shared.counters.read()
    }

    async fn send(&self, destination: SocketAddr, datagram: &[u8]) -> Result<(), TransportError> {
        let (size, limit) = (datagram.len(), limit_to(destination));
        if size > limit {
            return Err(TransportError::MessageTooLarge { size, limit });
        }
        let sent = self.shared.socket.send_to(datagram, destination).await;
        sent.map_err(|error| failure::of_sending(error, size))?;
        self.shared.counters.sent.add();
        Ok(())
    }
}

impl<N: DeserializeOwned + Send + 'static> Udp<N> {
    /// The message of a datagram, if it is one.
    fn message(&self, buffer: &[u8], length: usize, from: SocketAddr) -> Option<N> {
        let counters = &self.shared.counters;
        if from.port() == 0 {
            counters.unanswerable.add();
        } else if length == 0 {
            counters.empty.add();
        } else if length > self.limit {
            counters.oversized.add();
        } else {
            match self.codec.read(&buffer[..length]) {
                Ok(message) => return Some(message),
                Err(_) => counters.malformed.add(),
            }
        }
        None
    }

    async fn receive(self, events: EventSender<(SocketAddr, N)>) -> Result<(), TransportError> {
        let shared = &*self.shared;
        // With one byte more, so that what is too large shows.
        let mut buffer = vec![0; self.limit + 1];
        let mut closed = pin!(events.closed());
        let mut errors_on_end = 0_u32;
        loop {
            let next = {
                let mut next = pin!(shared.socket.recv_from(&mut buffer));
                let next = poll_fn(|cx| match next.as_mut().poll(cx) {
                    Poll::Ready(next) => Poll::Ready(Some(next)),
                    Poll::Pending => closed.as_mut().poll(cx).map(|()| None),
                });
                next.await
            };
            let (length, from) = match next {
                None => return Ok(()),
                Some(Ok(arrived)) => arrived,
                Some(Err(error)) if failure::is_final(&error) => return Err(TransportError::Gone(error)),
                Some(Err(error)) => {
                    // On Linux, and elsewhere more so, a report that an earlier datagram did not arrive comes here. None ends anything.
                    shared.counters.errors.add();
                    errors_on_end = errors_on_end.saturating_add(1);
                    if errors_on_end == ERRORS_ON_END {
                        tracing::warn!(addr = %shared.addr, %error, "one error after the other comes of a socket, and no datagram");
                    }
                    if errors_on_end > ERRORS_ON_END {
                        // It ends here as well: where there is one error after the other, there is nowhere else.
                        let _ = tokio::time::timeout(PAUSE, closed.as_mut()).await;
                    }
                    if events.is_closed() {
                        return Ok(());
                    }
                    continue;
                }
            };
            errors_on_end = 0;
            if let Some(message) = self.message(&buffer, length, from) {
                shared.counters.delivered.add();
                if events.send((from, message)).await.is_err() {
                    return Ok(());
                }
            } else if events.is_closed() {
                return Ok(());
            }
        }
    }
}

impl<N: DeserializeOwned + Send + 'static> Endpoint for Udp<N> {
    type Addr = SocketAddr;
    type Message = N;

    /// The address that it was bound to. Where that is an unspecified one, as `0.0.0.0`, others reach it at each of the machine's own.
    fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// As [every place](Endpoint::listen) does.
    ///
    /// # Errors
    /// [`TransportError::Gone`]: the runtime has been shut down that the socket belongs to. Other errors of the operating system are counted and logged, and end nothing.
    ///
    /// # Panics
    /// On a runtime without time: where one error comes after the other it makes pauses.
    fn listen(
        &self,
        events: EventSender<(SocketAddr, N)>,
    ) -> impl Future<Output = Result<(), TransportError>> + Send + 'static {
        self.clone().receive(events)
    }
}

impl<N, M> Transport<M> for Udp<N>
where
    N: UdpMessage,
    M: Into<N> + Send,
{
    async fn send_to(&self, destination: SocketAddr, message: M) -> Result<(), TransportError> {
        let datagram = self.codec.write(&message.into(), self.limit)?;
        self.send(destination, &datagram).await
    }

    async fn send_to_all(
        &self,
        destinations: impl IntoIterator<Item = SocketAddr, IntoIter: Send> + Send,
        message: M,
    ) -> Result<(), TransportError> {
        let datagram = self.codec.write(&message.into(), self.limit)?;
        let mut outcome: Result<(), TransportError> = Ok(());
        for destination in destinations {
            let sent = self.send(destination, &datagram).await;
            outcome = match (outcome, sent) {
                (Err(error), Err(other)) => Err(error.graver(other)),
                (outcome, sent) => outcome.and(sent),
            };
        }
        outcome
    }
}

/// The most bytes of a datagram to this address, whatever the socket: one of IPv6 sends over IPv4 to addresses of that which are written as of this.
fn limit_to(destination: SocketAddr) -> usize {
    if destination.ip().to_canonical().is_ipv4() { LIMIT_V4 } else { LIMIT_V6 }
}

impl<N> Clone for Udp<N> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), codec: self.codec, limit: self.limit, carries: PhantomData }
    }
}

impl<N> fmt::Debug for Udp<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Udp")
            .field("addr", &self.shared.addr)
            .field("codec", &self.codec)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
