//! What travels.

use serde::{Deserialize, Serialize};

/// What is decided on.
pub type Value = String;

/// An attempt to have a value decided. The higher one counts, and no two are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ballot {
    /// Each attempt of a replica has a higher one.
    pub round: u64,
    /// Whose it is.
    pub replica: u32,
}

/// From a proposer to the acceptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAcceptor {
    /// Phase 1: promise to accept nothing of a lower ballot, and say what was accepted.
    Prepare(Ballot),
    /// Phase 2: accept this value.
    Accept(Ballot, Value),
}

/// From an acceptor to a proposer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToProposer {
    /// It is promised. Of what was accepted, this has the highest ballot.
    Promised(Ballot, Option<(Ballot, Value)>),
    /// It is accepted.
    Accepted(Ballot),
    /// The second ballot is promised to another one, and is higher.
    Refused(Ballot, Ballot),
}

/// From a replica to the others: the value is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided(pub Value);

/// All that travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// For the acceptor.
    ToAcceptor(ToAcceptor),
    /// For the proposer.
    ToProposer(ToProposer),
    /// For the replica itself.
    Decided(Decided),
}

impl From<ToAcceptor> for Message {
    fn from(message: ToAcceptor) -> Self {
        Self::ToAcceptor(message)
    }
}

impl From<ToProposer> for Message {
    fn from(message: ToProposer) -> Self {
        Self::ToProposer(message)
    }
}

impl From<Decided> for Message {
    fn from(message: Decided) -> Self {
        Self::Decided(message)
    }
}
