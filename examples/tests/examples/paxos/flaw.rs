//! How acceptors and proposers can be wrong.

use std::collections::{BTreeMap, BTreeSet};

use dms_examples::paxos::{Acceptor, Ballot, Message, Promises, ToAcceptor, ToProposer, Value};

use super::simulation::REPLICAS;

/// How an acceptor can be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AcceptorFlaw {
    /// Says that it has accepted, whatever comes, and keeps nothing.
    Pushover,
    /// Accepts a lower ballot than it has promised.
    Unprincipled,
    /// Compares ballots by their rounds alone.
    IgnoresReplica,
    /// Does not say what it has accepted.
    Secretive,
    /// Says what it accepted first, not last.
    TellsFirst,
    /// After a crash it has forgotten what it promised and accepted.
    ForgetsAll,
    /// After a crash it has forgotten what it promised.
    ForgetsPromise,
    /// Does not promise what it accepts, and so may accept a lower ballot after a higher one, which is what it then tells.
    RaisesNoPromise,
    /// Does not promise what it accepts, yet tells the highest that it has accepted. That breaks nothing: Lamport's acceptors are no other.
    RaisesNoPromiseButTellsHighest,
}

/// An acceptor that keeps the rules, or has a flaw.
pub(super) struct Rules {
    flaw: Option<AcceptorFlaw>,
    kept: Promises,
    promised: Option<Ballot>,
    accepted: Option<(Ballot, Value)>,
}

impl Rules {
    pub(super) fn new(flaw: Option<AcceptorFlaw>) -> Self {
        Self { flaw, kept: Promises::default(), promised: None, accepted: None }
    }

    pub(super) fn begin_again(&mut self) {
        match self.flaw {
            Some(AcceptorFlaw::ForgetsAll) => *self = Self::new(self.flaw),
            Some(AcceptorFlaw::ForgetsPromise) => self.promised = None,
            _ => {}
        }
    }

    fn answer_wrongly(&mut self, flaw: AcceptorFlaw, asked: ToAcceptor) -> ToProposer {
        let (ToAcceptor::Prepare(ballot) | ToAcceptor::Accept(ballot, _)) = asked;
        let is_refused = |promised: &Ballot| match (flaw, &asked) {
            (AcceptorFlaw::Pushover | AcceptorFlaw::Unprincipled, ToAcceptor::Accept(..)) => false,
            (AcceptorFlaw::IgnoresReplica, _) => promised.round > ballot.round,
            _ => *promised > ballot,
        };
        if let Some(promised) = self.promised.filter(is_refused) {
            return ToProposer::Refused(ballot, promised);
        }
        match asked {
            ToAcceptor::Prepare(_) => {
                self.promised = Some(ballot);
                let told = if flaw == AcceptorFlaw::Secretive { None } else { self.accepted.clone() };
                ToProposer::Promised(ballot, told)
            }
            ToAcceptor::Accept(_, value) => {
                match flaw {
                    AcceptorFlaw::RaisesNoPromise | AcceptorFlaw::RaisesNoPromiseButTellsHighest => {}
                    _ => self.promised = Some(ballot),
                }
                match flaw {
                    AcceptorFlaw::Pushover => {}
                    AcceptorFlaw::TellsFirst if self.accepted.is_some() => {}
                    AcceptorFlaw::RaisesNoPromiseButTellsHighest => {
                        self.accepted = self.accepted.take().max(Some((ballot, value)));
                    }
                    _ => self.accepted = Some((ballot, value)),
                }
                ToProposer::Accepted(ballot)
            }
        }
    }
}

impl Acceptor for Rules {
    fn answer(&mut self, asked: ToAcceptor) -> ToProposer {
        match self.flaw {
            None => self.kept.answer(asked),
            Some(flaw) => self.answer_wrongly(flaw, asked),
        }
    }
}

/// How a proposer can be wrong. It is a right one to whom this is done to the answers that it gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ProposerFlaw {
    /// It goes on with one acceptor less than a majority.
    MajorityMinusOne,
    /// An answer that is repeated counts for another acceptor.
    CountsRepeated,
    /// An answer from an address of nobody counts for another acceptor.
    CountsStrangers,
    /// It proposes its own value, whatever was accepted.
    IgnoresAccepted,
    /// Of what was accepted it proposes what has the lowest ballot.
    TakesLowest,
}

/// What a proposer with a flaw takes the answers for.
pub(super) struct Hearing {
    flaw: ProposerFlaw,
    /// Who has promised, or accepted, a ballot, as it sees that.
    heard: BTreeMap<(Ballot, bool), BTreeSet<u32>>,
}

impl Hearing {
    pub(super) fn new(flaw: ProposerFlaw) -> Self {
        Self { flaw, heard: BTreeMap::new() }
    }

    pub(super) fn hear(&mut self, from: u32, message: Message) -> Vec<(u32, Message)> {
        let (ballot, is_accepted, told) = match &message {
            Message::ToProposer(ToProposer::Promised(ballot, told)) => (*ballot, false, told.clone()),
            Message::ToProposer(ToProposer::Accepted(ballot)) => (*ballot, true, None),
            _ => return vec![(from, message)],
        };
        let heard = self.heard.entry((ballot, is_accepted)).or_default();
        let is_new = heard.insert(from);
        let counts_for_another = match self.flaw {
            ProposerFlaw::MajorityMinusOne => is_new && heard.len() == 2,
            ProposerFlaw::CountsRepeated => !is_new,
            ProposerFlaw::CountsStrangers => is_new && from > REPLICAS,
            ProposerFlaw::IgnoresAccepted | ProposerFlaw::TakesLowest => false,
        };
        let message = match self.flaw {
            ProposerFlaw::IgnoresAccepted if !is_accepted => ToProposer::Promised(ballot, None).into(),
            ProposerFlaw::TakesLowest if !is_accepted => {
                let mirrored =
                    |Ballot { round, replica }| Ballot { round: u64::MAX - round, replica: u32::MAX - replica };
                ToProposer::Promised(ballot, told.map(|(ballot, value)| (mirrored(ballot), value))).into()
            }
            _ => message,
        };
        let mut taken = vec![(from, message.clone())];
        if counts_for_another && let Some(other) = (1..=REPLICAS).find(|id| !heard.contains(id)) {
            heard.insert(other);
            taken.push((other, message));
        }
        taken
    }
}
