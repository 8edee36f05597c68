//! The server.

use std::collections::BTreeMap;

use dms::session::{Transport, TransportError};

use super::{ClientId, Incoming, Message, Reply, Request};

/// How many clients a server knows at most. It never forgets one, for then it could execute an operation again; another one gets no answer.
pub const MAX_CLIENTS: usize = 10_000;

/// A counter, and who was told what of it.
///
/// It believes whoever names itself as a client: where others can reach it, requests are to be [signed](dms::session::Signed).
#[derive(Debug, Default)]
pub struct Server {
    count: u64,
    executed: u64,
    /// The last answer of each client.
    answered: BTreeMap<ClientId, Reply>,
}

impl Server {
    /// How many operations were executed.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.executed
    }

    /// The counter.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The session: answers until nothing comes any more. The server is lent, so that it can be looked at when the session was dropped.
    ///
    /// A reply that cannot be sent to its client is lost, as any may be on its way: the client asks again, and the others do not suffer from it.
    ///
    /// # Errors
    /// No reply can be sent, to nobody.
    pub async fn serve<T: Transport<Reply>>(
        &mut self,
        transport: T,
        mut incoming: Incoming<T::Addr>,
    ) -> Result<(), TransportError> {
        while let Some((client, message)) = incoming.recv().await {
            let Message::Request(request) = message else { continue };
            if let Some(reply) = self.answer(&request) {
                transport.send_to(client, reply).await.or_else(TransportError::unless_lost)?;
            }
        }
        Ok(())
    }

    /// Executes what is new, and says again what is not. What the counter has no room for is not executed, and not answered.
    fn answer(&mut self, request: &Request) -> Option<Reply> {
        if let Some(last) = self.answered.get(&request.client)
            && last.sequence >= request.sequence
        {
            return (last.sequence == request.sequence).then(|| last.clone());
        }
        if self.answered.len() >= MAX_CLIENTS && !self.answered.contains_key(&request.client) {
            return None;
        }
        self.count = self.count.checked_add(request.add)?;
        self.executed += 1;
        let reply = Reply { client: request.client, sequence: request.sequence, count: self.count };
        self.answered.insert(request.client, reply.clone());
        Some(reply)
    }
}
