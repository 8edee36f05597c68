//! The proposer: it has a value decided, its own or one that may have been.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dms::session::{EventSource, Transport, TransportError};
use tokio::time::{Instant, sleep, timeout_at};

use super::message::{Ballot, ToAcceptor, ToProposer, Value};
use crate::random::Random;

/// How long a proposer waits for a majority before it tries again.
pub const TURN: Duration = Duration::from_millis(60);

/// What a proposer is made of.
#[derive(Debug)]
pub struct Proposer<A> {
    /// Whose it is.
    pub replica: u32,
    /// What it would have decided.
    pub value: Value,
    /// Where the acceptors are.
    pub acceptors: Vec<A>,
    /// The last round it has used; it may not use one again, not even after a crash.
    pub round: Arc<AtomicU64>,
    /// How long it waits before it tries again follows from this, so that two do not get in each other's way for ever.
    pub seed: u64,
}

/// What became of one phase.
enum Phase {
    /// A majority agreed. Of what they had accepted, this has the highest ballot.
    Agreed(Option<(Ballot, Value)>),
    /// Not in time, or one has promised this higher ballot to another one.
    Failed(u64),
    /// The replica knows the value by now.
    Over,
}

impl<A: Clone + Ord + Send + Sync> Proposer<A> {
    /// The session: gives the value once it is decided, or `None` where `answers` ends before, or no round is left.
    ///
    /// Only the acceptors count, whoever else answers. What cannot be sent to one of them is lost, as any message may be on its way.
    ///
    /// # Errors
    /// Nothing can be sent, to nobody.
    pub async fn run<T: Transport<ToAcceptor, Addr = A>>(
        self,
        transport: T,
        mut answers: EventSource<(A, ToProposer)>,
    ) -> Result<Option<Value>, TransportError> {
        let mut random = Random(self.seed);
        let mut highest = 0;
        loop {
            let Some(ballot) = self.next_ballot(highest) else { return Ok(None) };
            let prepare = ToAcceptor::Prepare(ballot);
            transport.send_to_all(self.acceptors.clone(), prepare).await.or_else(TransportError::unless_lost)?;
            let prepared = self.phase(ballot, false, &mut answers).await;
            let failed = match prepared {
                Phase::Over => return Ok(None),
                Phase::Failed(round) => round,
                Phase::Agreed(accepted) => {
                    // What may have been decided is proposed again.
                    let value = accepted.map_or_else(|| self.value.clone(), |(_, value)| value);
                    let accept = ToAcceptor::Accept(ballot, value.clone());
                    transport.send_to_all(self.acceptors.clone(), accept).await.or_else(TransportError::unless_lost)?;
                    match self.phase(ballot, true, &mut answers).await {
                        Phase::Over => return Ok(None),
                        Phase::Failed(round) => round,
                        Phase::Agreed(_) => return Ok(Some(value)),
                    }
                }
            };
            highest = highest.max(failed);
            sleep(Duration::from_millis(random.below(40))).await;
        }
    }

    /// A ballot that was never used; `None` where there is none left, for a round that comes round again would undo what was agreed.
    fn next_ballot(&self, highest: u64) -> Option<Ballot> {
        let round = self.round.load(Ordering::Relaxed).max(highest).checked_add(1)?;
        // On a disk it would be written here, before it is used.
        self.round.store(round, Ordering::Relaxed);
        Some(Ballot { round, replica: self.replica })
    }

    /// Waits until a majority has promised, or accepted, `ballot`. What is an answer to something else was overtaken.
    async fn phase(&self, ballot: Ballot, is_accept: bool, answers: &mut EventSource<(A, ToProposer)>) -> Phase {
        let until = Instant::now() + TURN;
        let mut agreed = BTreeSet::new();
        let mut highest = None;
        while agreed.len() * 2 <= self.acceptors.len() {
            let (acceptor, answer) = match timeout_at(until, answers.recv()).await {
                Ok(Some(answer)) => answer,
                Ok(None) => return Phase::Over,
                Err(_) => return Phase::Failed(ballot.round),
            };
            if !self.acceptors.contains(&acceptor) {
                continue;
            }
            match answer {
                ToProposer::Promised(promised, accepted) if promised == ballot && !is_accept => {
                    highest = highest.max(accepted);
                    agreed.insert(acceptor);
                }
                ToProposer::Accepted(accepted) if accepted == ballot && is_accept => drop(agreed.insert(acceptor)),
                // After the last round there is no other, and nobody who keeps the rules has got there.
                ToProposer::Refused(refused, promised) if refused == ballot && promised.round < u64::MAX => {
                    return Phase::Failed(promised.round);
                }
                ToProposer::Promised(..) | ToProposer::Accepted(_) | ToProposer::Refused(..) => {}
            }
        }
        Phase::Agreed(highest)
    }
}
