//! The server.

use std::collections::BTreeMap;

use dms::session::{Transport, TransportError};

use super::{ClientId, Incoming, Message, Reply, Request};

/// A counter, and who was told what of it.
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
    /// # Errors
    /// The network is gone.
    pub async fn serve<T: Transport<Reply>>(
        &mut self,
        transport: T,
        mut incoming: Incoming<T::Addr>,
    ) -> Result<(), TransportError> {
        while let Some((client, message)) = incoming.recv().await {
            let Message::Request(request) = message else { continue };
            if let Some(reply) = self.answer(&request) {
                transport.send_to(client, reply).await?;
            }
        }
        Ok(())
    }

    /// Executes what is new, and says again what is not.
    fn answer(&mut self, request: &Request) -> Option<Reply> {
        if let Some(last) = self.answered.get(&request.client)
            && last.sequence >= request.sequence
        {
            return (last.sequence == request.sequence).then(|| last.clone());
        }
        self.count += request.add;
        self.executed += 1;
        let reply = Reply { client: request.client, sequence: request.sequence, count: self.count };
        self.answered.insert(request.client, reply.clone());
        Some(reply)
    }
}
