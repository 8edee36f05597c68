//! A replica: an acceptor and a proposer that share a transport.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use dms::session::{BackgroundMonitor, EventSender, EventSource, Transport, event};

use super::acceptor::{Acceptor, acceptor};
use super::message::{Decided, Message, ToAcceptor, ToProposer, Value};
use super::proposer::Proposer;

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
    /// The session: takes part until nothing comes any more. Whatever it learns to be decided it tells `decided`; that this is always the same is what Paxos is for.
    ///
    /// # Errors
    /// The network is gone, or one of the sessions within it failed.
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
        let mut sessions = BackgroundMonitor::new();
        let (to_acceptor, asked) = event();
        let (to_proposer, answers) = event();
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
                failed = sessions.wait() => return Err(failed.err().map_or("the acceptor has ended".into(), Into::into)),
                end = ends.recv() => match end {
                    Some(end) => {
                        let value = end?;
                        if let Some(value) = &value {
                            transport.send_to_all(replicas.clone(), Decided(value.clone())).await?;
                        }
                        value
                    }
                    None => None,
                },
                message = incoming.recv() => match message {
                    None => return Ok(()),
                    Some((_, Message::Decided(Decided(value)))) => Some(value),
                    Some((from, Message::ToAcceptor(asked))) => {
                        match &known {
                            // Who asks does not know it yet.
                            Some(known) => transport.send_to(from, known.clone()).await?,
                            None => to_acceptor.send((from, asked)).await?,
                        }
                        None
                    }
                    Some((from, Message::ToProposer(answer))) => {
                        if let Some(to_proposer) = &to_proposer {
                            // It may have got what it waited for.
                            let _ = to_proposer.send((from, answer)).await;
                        }
                        None
                    }
                },
            };
            if let Some(value) = learned {
                to_proposer = None;
                known.get_or_insert_with(|| Decided(value.clone()));
                // Somebody may have heard enough.
                let _ = decided.send(value).await;
            }
        }
    }
}
