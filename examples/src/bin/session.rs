//! A module that drives its own loop: `#[run]` waits for messages, for a peer and for its silence, all at once.
//!
//! ```sh
//! cargo run -p dms-examples --bin session
//! ```
//!
//! It runs on a paused clock, which jumps ahead when all wait. It prints
//!
//! ```text
//! peer: hello
//! server: hello, peer
//! server: news: lunch is ready
//! peer: bye?
//! server: after 3 s already?
//! server: nothing heard for 10 s, bye
//! the session has stopped after 13 s
//! ```

use std::error::Error;
use std::time::Duration;

use dms::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a peer may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks with one peer, whose end of the stream may as well be a socket's.
#[module]
struct Session {
    reader: Option<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    begun: Instant,
}

#[module]
impl Session {
    /// Messages come while the peer is waited for.
    #[handler(Tell)]
    async fn tell(&mut self, news: String) -> Result<(), std::io::Error> {
        self.write(&format!("news: {news}")).await
    }

    /// The module lives until this returns. What it waits for must be cancel safe: `recv` and `next_line` are.
    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        let reader = self.reader.take().ok_or("a session runs once")?;
        let mut lines = BufReader::new(reader).lines();
        let mut silence = Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => inbox.dispatch(message, self, ctx).await,
                    None => return Ok(()),
                },
                line = lines.next_line() => match line?.as_deref() {
                    Some("hello") => self.write("hello, peer").await?,
                    Some(_) => self.write(&format!("after {} s already?", self.begun.elapsed().as_secs())).await?,
                    None => return Ok(()),
                },
                () = sleep_until(silence) => {
                    self.write("nothing heard for 10 s, bye").await?;
                    return Ok(());
                }
            }
            silence = Instant::now() + PATIENCE;
        }
    }

    async fn write(&mut self, line: &str) -> Result<(), std::io::Error> {
        self.writer.write_all(format!("{line}\n").as_bytes()).await
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = tokio::io::duplex(1024);
    let (reader, writer) = tokio::io::split(ours);
    let (system, begun) = (System::new(), Instant::now());
    let session = Session { reader: Some(reader), writer, begun };
    let session = system.register_module(session).await?;

    let (lines, mut peer) = tokio::io::split(theirs);
    let mut lines = BufReader::new(lines).lines();
    println!("peer: hello");
    peer.write_all(b"hello\n").await?;
    println!("server: {}", lines.next_line().await?.unwrap_or_default());
    session.tell("lunch is ready".to_owned()).await??;
    println!("server: {}", lines.next_line().await?.unwrap_or_default());

    sleep(Duration::from_secs(3)).await;
    println!("peer: bye?");
    peer.write_all(b"bye?\n").await?;
    while let Some(line) = lines.next_line().await? {
        println!("server: {line}");
    }
    println!("the session has {} after {} s", session.stopped().await.state, begun.elapsed().as_secs());
    Ok(())
}
