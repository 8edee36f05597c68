//! A replica: an acceptor and a proposer that share a transport.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use dms::session::{BackgroundMonitor, EventSender, EventSource, Transport, TransportError, event, event_within};

use super::acceptor::{Acceptor, acceptor};
use super::message::{Decided, Message, ToAcceptor, ToProposer, Value};
use super::proposer::Proposer;

/// How many messages may wait for a session within the replica; what is too much is dropped, as the network might have done.
const WAITING: usize = 1_000;

/// What a replica is made of.
#[derive(Debug)]
pub struct Replica<R> {
    /// Its name among the others.
    pub id: u32,
    /// What it proposes.
    pub value: Value,
    /// How its acceptor answers.
    pub rules: R,
    /// The last round of its proposer: 0 at first. Like what its acceptor has promised it outlives a crash.
    pub round: Arc<AtomicU64>,
    /// Where its random numbers come from.
    pub seed: u64,
}

impl<R: Acceptor> Replica<R> {
    /// The session: takes part until nothing comes any more. Whatever it learns to be decided it tells `decided`, for which there is to be room; that this is always the
    /// same is what Paxos is for.
    ///
    /// What others than `replicas` send is nothing, and what cannot be sent to one of them is lost. That a replica says what is right is trusted, and that its address is its own: where
    /// that may not be so messages are to be [signed](dms::session::Signed).
    ///
    /// # Errors
    /// One of the sessions within it panicked, or nothing can be sent, to nobody.
    pub async fn run<T>(
        self,
        transport: T,
        replicas: Vec<T::Addr>,
        mut incoming: EventSource<(T::Addr, Message)>,
        decided: EventSender<Value>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        T: Transport<ToAcceptor> + Transport<ToProposer> + Transport<Decided>,
    {
        let sessions = BackgroundMonitor::new();
        let (to_acceptor, asked) = event_within(WAITING);
        let (to_proposer, answers) = event_within(WAITING);
        let (done, mut ends) = event();
        sessions.spawner().spawn("acceptor", acceptor(self.rules, transport.clone(), asked));
        let proposer = Proposer {
            replica: self.id,
            value: self.value,
            acceptors: replicas.clone(),
            round: self.round,
            seed: self.seed,
        };
        sessions.spawner().spawn_then("proposer", proposer.run(transport.clone(), answers), &done, |end| end);
        // There until the value is known: without it the proposer ends.
        let mut to_proposer = Some(to_proposer);
        let mut known: Option<Decided> = None;
        loop {
            // In this order, so that a run is the same again for the same network.
            let learned = tokio::select! {
                biased;
                error = sessions.failed() => return Err(error.into()),
                end = ends.recv() => {
                    let value = end.transpose()?.flatten();
                    if let Some(value) = &value {
                        let sent = transport.send_to_all(replicas.clone(), Decided(value.clone())).await;
                        sent.or_else(TransportError::unless_lost)?;
                    }
                    value
                }
                message = incoming.recv() => match message {
                    None => return Ok(()),
                    Some((from, _)) if !replicas.contains(&from) => None,
                    Some((_, Message::Decided(Decided(value)))) => Some(value),
                    Some((from, Message::ToAcceptor(asked))) => {
                        if let Some(known) = &known {
                            // Who asks does not know it yet.
                            transport.send_to(from, known.clone()).await.or_else(TransportError::unless_lost)?;
                        } else {
                            // Without waiting for room, or one session within could hold up all.
                            let _ = to_acceptor.try_send((from, asked));
                        }
                        None
                    }
                    Some((from, Message::ToProposer(answer))) => {
                        if let Some(to_proposer) = &to_proposer {
                            // It may have got what it waited for.
                            let _ = to_proposer.try_send((from, answer));
                        }
                        None
                    }
                },
            };
            if let Some(value) = learned {
                to_proposer = None;
                if known.as_ref().is_none_or(|Decided(known)| *known != value) {
                    // Somebody may have heard enough.
                    let _ = decided.try_send(value.clone());
                }
                known.get_or_insert(Decided(value));
            }
        }
    }
}
