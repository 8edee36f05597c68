//! Single-decree Paxos: replicas that agree on one of the values that they propose, though messages are lost, repeated and overtake each other.
//!
//! A [`Replica`] is a session with two within it, which share its transport and do not know of each other: its `acceptor` sends [`ToProposer`], its
//! `proposer` sends [`ToAcceptor`]. The replica itself sends [`Decided`]. What travels is a [`Message`], and the replica relays each to whom it is for.
//!
//! After Lamport, "Paxos made simple", 2001.

mod acceptor;
mod message;
mod proposer;
mod replica;

pub use acceptor::{Acceptor, Promises, acceptor};
pub use message::{Ballot, Decided, Message, ToAcceptor, ToProposer, Value};
pub use proposer::{Proposer, TURN};
pub use replica::Replica;
