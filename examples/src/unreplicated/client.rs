//! A client.

use std::time::Duration;

use dms::session::{SubmitSource, Transport, TransportError};
use tokio::time::interval;

use super::{ClientId, Incoming, Message, Request};

/// After how long without an answer a client asks again.
pub const RETRY: Duration = Duration::from_millis(50);

/// One that adds to the counter of a server.
#[derive(Debug)]
pub struct Client<A> {
    /// Its name.
    pub id: ClientId,
    /// Where the server is.
    pub server: A,
}

impl<A: Clone + PartialEq> Client<A> {
    /// The session: brings the operations that are submitted to the server, one after the other, and answers each with the counter right after it. It ends when nobody can submit any more.
    ///
    /// Only the server answers; what others send is nothing. A request that cannot be sent there is lost, as any may be on its way, and is sent again.
    ///
    /// # Errors
    /// No request can be sent, not another time either.
    pub async fn run<T: Transport<Request, Addr = A>>(
        self,
        transport: T,
        mut incoming: Incoming<A>,
        mut operations: SubmitSource<u64, u64>,
    ) -> Result<(), TransportError> {
        let mut sequence = 0;
        while let Some((add, answer)) = operations.recv().await {
            sequence += 1;
            let request = Request { client: self.id, sequence, add };
            let mut asks = interval(RETRY);
            let count = loop {
                // In this order, so that a run is the same again for the same network.
                tokio::select! {
                    biased;
                    message = incoming.recv() => match message {
                        Some((from, Message::Reply(reply)))
                            if from == self.server && reply.client == self.id && reply.sequence == sequence =>
                        {
                            break reply.count;
                        }
                        // An answer that has been here.
                        Some(_) => {}
                        None => return Ok(()),
                    },
                    _ = asks.tick() => {
                        let sent = transport.send_to(self.server.clone(), request.clone()).await;
                        sent.or_else(TransportError::unless_lost)?;
                    }
                }
            };
            answer.send(count);
        }
        Ok(())
    }
}
