//! How sessions reach others: datagrams of one type, sent by those who know a part of it.

use std::error::Error;
use std::fmt::Debug;
use std::hash::Hash;
use std::io;

use super::channel::EventSender;

/// A place in a network: it has an address, and messages come to it.
///
/// What comes is of one type, which is that of the outermost session: it relays to the sessions within it what is theirs.
pub trait Endpoint: Clone + Send + Sync + 'static {
    /// What places of this network are named by.
    type Addr: Clone + Ord + Hash + Debug + Send + Sync + 'static;
    /// What travels.
    type Message: Send + 'static;

    /// Its own address.
    fn addr(&self) -> Self::Addr;

    /// Hands everything that comes to `events`, with the address of the sender, until the source of `events` has gone. To be run beside the session, as by a
    /// [`BackgroundSpawner`](super::BackgroundSpawner). If several listen, each message comes to one of them.
    ///
    /// # Errors
    /// Nothing can be received any more. A message that cannot be read is none.
    ///
    /// # Cancel safety
    /// Dropped, it takes nothing more; at most the message is lost for which it waited for room.
    fn listen(
        &self,
        events: EventSender<(Self::Addr, Self::Message)>,
    ) -> impl Future<Output = Result<(), TransportError>> + Send + 'static;
}

/// Sends messages of type `M`, as datagrams: each arrives once, several times or not at all, and in any order.
///
/// A network that carries `N` is a `Transport<M>` for each `M: Into<N>`. So sessions that know nothing of each other share one:
///
/// ```
/// use dms::session::{MemoryNetwork, Transport, TransportError, event};
///
/// #[derive(Debug, Clone, PartialEq)]
/// struct Ping(u64);
/// #[derive(Debug, Clone, PartialEq)]
/// struct Vote { yes: bool }
///
/// /// What travels. The sessions for its parts do not know of it.
/// #[derive(Debug, Clone, PartialEq)]
/// enum Message {
///     Ping(Ping),
///     Vote(Vote),
/// }
/// # impl From<Ping> for Message { fn from(ping: Ping) -> Self { Self::Ping(ping) } }
/// # impl From<Vote> for Message { fn from(vote: Vote) -> Self { Self::Vote(vote) } }
///
/// async fn ping<T: Transport<Ping>>(transport: T, peer: T::Addr) -> Result<(), TransportError> {
///     transport.send_to(peer, Ping(1)).await
/// }
/// async fn vote<T: Transport<Vote>>(transport: T, peers: Vec<T::Addr>) -> Result<(), TransportError> {
///     transport.send_to_all(peers, Vote { yes: true }).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let network = MemoryNetwork::<Message>::new();
/// let (here, there) = (network.bind(1)?, network.bind(2)?);
/// ping(here.clone(), 2).await?;
/// vote(here, vec![2]).await?;
///
/// let (sender, mut events) = event();
/// tokio::select! {
///     _ = dms::session::Endpoint::listen(&there, sender) => {}
///     _ = async {
///         assert_eq!(events.recv().await, Some((1, Message::Ping(Ping(1)))));
///         assert_eq!(events.recv().await, Some((1, Message::Vote(Vote { yes: true }))));
///     } => {}
/// }
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot send `{M}`",
    label = "no `Transport<{M}>`",
    note = "where `{Self}` is a type parameter, write `Transport<{M}>` among its bounds",
    note = "else it is to be a network, as `Udp<N>` or `Memory<N>`, which sends every `M` that turns into its `N`"
)]
pub trait Transport<M>: Endpoint {
    /// Sends `message` to `destination`.
    ///
    /// # Errors
    /// It cannot have arrived: it is too large, cannot be written, cannot be sent to this destination, or the network is gone. That it was sent does not say that it arrives.
    ///
    /// What cannot be sent to one destination is as good as lost on its way, and a session that copes with loss goes on. It ends for all else, which would be the same the next time:
    ///
    /// ```
    /// use dms::session::{Transport, TransportError};
    ///
    /// async fn reply<T: Transport<u64>>(transport: &T, client: T::Addr) -> Result<(), TransportError> {
    ///     // Where it is lost the client asks again.
    ///     transport.send_to(client, 7).await.or_else(TransportError::unless_lost)
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped, the message is sent whole or not at all.
    fn send_to(&self, destination: Self::Addr, message: M) -> impl Future<Output = Result<(), TransportError>> + Send;

    /// Sends `message` to each of `destinations`. It is serialised once.
    ///
    /// # Errors
    /// As those of [`send_to`](Self::send_to). Where sending to one fails the others are still sent to; of several errors it is the gravest: one that [is final](TransportError::is_final), then one of the
    /// message, then one of a destination.
    ///
    /// # Cancel safety
    /// Dropped, it may have been sent to some and not to others.
    fn send_to_all(
        &self,
        destinations: impl IntoIterator<Item = Self::Addr, IntoIter: Send> + Send,
        message: M,
    ) -> impl Future<Output = Result<(), TransportError>> + Send;
}

/// A message was not sent, or none can be received any more.
///
/// Three things can be behind it. [`Destination`](Self::Destination) is the weather: the message is as good as lost on its way, and a session goes on as where it was. [`MessageTooLarge`](Self::MessageTooLarge)
/// and [`Encode`](Self::Encode) are mistakes in the program, and no sending again helps: who drops these has a session that waits for ever, without a word. [`Gone`](Self::Gone) is the end.
/// [`unless_lost`](Self::unless_lost) tells the first from the others.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// It takes more bytes than a datagram has: a mistake in the program. Of what others have sent a message may hold no more than fits, or they could end who sends it.
    #[error("the message takes {size} bytes, and a datagram at most {limit}: send less at once")]
    MessageTooLarge {
        /// How many bytes it takes.
        size: usize,
        /// How many a datagram may have at most. Where the way to the destination has a lower limit than datagrams have, it is not known, and this is one less than the size.
        limit: usize,
    },
    /// It cannot be written as bytes: a mistake in the program. Where it is a module's message whose handler is not `remote` the source says so.
    #[error("the message cannot be written as bytes: its `Serialize` fails")]
    Encode(#[source] Box<dyn Error + Send + Sync>),
    /// The operating system does not send to this destination, or not now. Others are not concerned.
    #[error("the message was not sent, for its destination cannot be reached or is none: it counts as lost")]
    Destination(#[source] io::Error),
    /// The network is gone: the socket is closed, or the runtime that it belongs to has been shut down.
    #[error("nothing is sent or received here any more: make a new place in the network, in a runtime that runs")]
    Gone(#[source] io::Error),
}

impl TransportError {
    /// Whether nothing can be sent or received here any more, whatever it is and wherever it goes. Any other error concerns one message; but only [`Destination`](Self::Destination) passes, as weather does:
    /// too large, and not to be written, a message is for ever, for these are mistakes in the program.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Gone(_))
    }

    /// Passes over what is as good as lost on its way. For sessions that cope with loss: `send_to(..).await.or_else(TransportError::unless_lost)?`
    ///
    /// # Errors
    /// The error itself, where it is a mistake in the program or the end of the network: any but [`Destination`](Self::Destination).
    pub fn unless_lost(self) -> Result<(), Self> {
        match self {
            Self::Destination(_) => Ok(()),
            error => Err(error),
        }
    }

    /// Of two errors the graver one: what ends all, then a mistake, then what concerns a destination. Of two that are as grave it is the first.
    #[cfg(feature = "udp")]
    pub(super) fn graver(self, other: Self) -> Self {
        if other.gravity() > self.gravity() { other } else { self }
    }

    #[cfg(feature = "udp")]
    fn gravity(&self) -> u8 {
        match self {
            Self::Destination(_) => 0,
            Self::MessageTooLarge { .. } | Self::Encode(_) => 1,
            Self::Gone(_) => 2,
        }
    }
}

#[cfg(all(test, feature = "udp"))]
mod tests {
    use super::*;

    fn of_each_kind() -> [TransportError; 4] {
        let system = || io::Error::other("whatever the system says");
        [
            TransportError::Destination(system()),
            TransportError::MessageTooLarge { size: 2, limit: 1 },
            TransportError::Encode("no".into()),
            TransportError::Gone(system()),
        ]
    }

    #[test]
    fn only_what_a_destination_is_to_blame_for_counts_as_lost() {
        let lost = of_each_kind().map(|error| error.unless_lost().is_ok());
        assert_eq!(lost, [true, false, false, false]);
    }

    #[test]
    fn of_several_errors_the_gravest_is_told_and_of_equals_the_first() {
        let kinds = || of_each_kind().into_iter().zip([0, 1, 1, 2]);
        for (which, (_, gravity)) in kinds().enumerate() {
            for (other, other_gravity) in kinds() {
                let one = kinds().nth(which).expect("a kind").0;
                let expected = format!("{:?}", if other_gravity > gravity { &other } else { &one });
                assert_eq!(format!("{:?}", one.graver(other)), expected);
            }
        }
    }
}
