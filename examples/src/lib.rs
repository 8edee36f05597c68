//! The examples of dms; each is a binary that says in its first lines how to run it and what it prints.
//!
//! What two of them are made of is here, where tests reach it over a network that misbehaves: [`unreplicated`], and [`paxos`].

mod random;

pub mod paxos;
pub mod places;
pub mod unreplicated;
