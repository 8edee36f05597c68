//! The acceptor: it promises, and accepts.

use std::sync::{Arc, Mutex, PoisonError};

use dms::session::{EventSource, Transport, TransportError};

use super::message::{Ballot, ToAcceptor, ToProposer, Value};

/// How an acceptor answers. What it has answered it may not forget, not even in a crash.
pub trait Acceptor: Send + 'static {
    /// The answer.
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer;
}

/// What an acceptor has promised and accepted: the rules of Paxos.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promises {
    promised: Option<Ballot>,
    accepted: Option<(Ballot, Value)>,
}

impl Acceptor for Promises {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        let (ToAcceptor::Prepare(ballot) | ToAcceptor::Accept(ballot, _)) = asked;
        match self.promised {
            Some(promised) if promised > ballot => return ToProposer::Refused(ballot, promised),
            _ => self.promised = Some(ballot),
        }
        match asked {
            ToAcceptor::Prepare(_) => ToProposer::Promised(ballot, self.accepted.clone()),
            ToAcceptor::Accept(_, value) => {
                self.accepted = Some((ballot, value));
                ToProposer::Accepted(ballot)
            }
        }
    }
}

/// One whose state outlives its replica, as it would on a disk.
impl<A: Acceptor> Acceptor for Arc<Mutex<A>> {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        self.lock().unwrap_or_else(PoisonError::into_inner).answer(asked)
    }
}

/// The session of an acceptor: answers whatever comes until nothing comes any more. An answer that cannot be sent there is lost, as any may be on its way.
///
/// # Errors
/// No answer can be sent, to nobody.
pub async fn acceptor<T: Transport<ToProposer>>(
    mut rules: impl Acceptor,
    transport: T,
    mut asked: EventSource<(T::Addr, ToAcceptor)>,
) -> Result<(), TransportError> {
    while let Some((proposer, asked)) = asked.recv().await {
        transport.send_to(proposer, rules.answer(asked)).await.or_else(TransportError::unless_lost)?;
    }
    Ok(())
}
