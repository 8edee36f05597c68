//! One server, and clients that ask again until they are answered: each operation is executed once, whatever the network does with messages.
//!
//! A client numbers its operations, and begins one when the one before is answered. The server keeps the last answer of each client: a request that it has
//! executed gets the same answer again, and an older one none, for its client has it.

mod client;
mod server;

use dms::session::EventSource;
use serde::{Deserialize, Serialize};

pub use client::{Client, RETRY};
pub use server::{MAX_CLIENTS, Server};

/// Names a client. Each is another one, also where a program is started again.
pub type ClientId = u64;

/// To the server: add to the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub client: ClientId,
    /// Which of the client's operations this is: 1, 2, 3.
    pub sequence: u64,
    /// What is added.
    pub add: u64,
}

/// To a client: the operation was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Who asked.
    pub client: ClientId,
    /// For which of its operations.
    pub sequence: u64,
    /// The counter, right after it.
    pub count: u64,
}

/// What travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// To the server.
    Request(Request),
    /// To a client.
    Reply(Reply),
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Reply> for Message {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// What comes from the network, with the address of its sender.
pub type Incoming<A> = EventSource<(A, Message)>;
