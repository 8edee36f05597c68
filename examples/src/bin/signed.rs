//! Datagrams that say who sent them, each taken once.
//!
//! ```sh
//! cargo run -p dms-examples --bin signed
//! ```
//!
//! This is a program of the README. It prints
//!
//! ```text
//! alice pays 42 to bob
//! alice has said that before
//! 1 datagram was no message
//! ```

use std::error::Error;
use std::net::UdpSocket;
use std::time::SystemTime;

use dms::session::{
    Algorithm, Endpoint, KeyRing, Signed, Signer, SigningKey, Transport, Udp, Verifier, VerifyError, event_within,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Transfer {
    to: String,
    amount: u64,
}

#[derive(Serialize, Deserialize)]
enum Message {
    Transfer(Signed<Transfer>),
    Bye,
}

impl From<Signed<Transfer>> for Message {
    fn from(transfer: Signed<Transfer>) -> Self {
        Self::Transfer(transfer)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(Algorithm::Ed25519, "alice")?;
    let mut trusted = KeyRing::new();
    trusted.insert(key.verifying_key())?;
    // What is signed in one domain is nothing in another.
    let signer = Signer::new(key, "ledger/transfer")?;
    let verifier = Verifier::new(trusted, "ledger/transfer")?;

    let alice = Udp::<Message>::bind("127.0.0.1:0").await?;
    let ledger = Udp::<Message>::bind("127.0.0.1:0").await?;

    let transfer = signer.sign(&Transfer { to: "bob".to_owned(), amount: 42 }, SystemTime::now())?;
    alice.send_to(ledger.addr(), transfer.clone()).await?;
    alice.send_to(ledger.addr(), transfer).await?; // a replay
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"\xc1 hello", ledger.addr())?; // no message
    alice.send_to(ledger.addr(), Message::Bye).await?;

    let (events, mut incoming) = event_within(1_000);
    let session = async {
        while let Some((_, Message::Transfer(signed))) = incoming.recv().await {
            // The only way to the transfer: it is decoded from the bytes that were verified.
            match verifier.verify(&signed, SystemTime::now()) {
                Ok(transfer) => {
                    let Transfer { to, amount } = transfer.message();
                    println!("{} pays {amount} to {to}", transfer.signer());
                }
                Err(VerifyError::Replayed { key, .. }) => println!("{key} has said that before"),
                Err(error) => println!("refused: {error}"),
            }
        }
    };
    tokio::select! {
        ended = ledger.listen(events) => ended?,
        () = session => {}
    }
    println!("{} datagram was no message", ledger.counts().dropped());
    Ok(())
}
