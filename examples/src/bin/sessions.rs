//! Two sessions that share a network without knowing of each other, and the one around them.
//!
//! ```sh
//! cargo run -p dms-examples --bin sessions
//! ```
//!
//! This is a program of the README. It prints
//!
//! ```text
//! Hardly.
//! ```

use std::error::Error;
use std::time::Duration;

use dms::session::{BackgroundMonitor, Endpoint, EventSource, Transport, TransportError, Udp, event, event_within};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question(String);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer(String);

/// What travels. The sessions for its parts do not know of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Message {
    Question(Question),
    Answer(Answer),
}

impl From<Question> for Message {
    fn from(question: Question) -> Self {
        Self::Question(question)
    }
}

impl From<Answer> for Message {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// Answers what it is asked.
async fn oracle<T: Transport<Answer>>(
    transport: T,
    mut asked: EventSource<(T::Addr, Question)>,
) -> Result<(), TransportError> {
    while let Some((who, Question(text))) = asked.recv().await {
        // Anybody may have asked: the answer is no longer than we make it.
        let answer = if text.ends_with('?') { "Hardly." } else { "That is no question." };
        transport.send_to(who, Answer(answer.to_owned())).await.or_else(TransportError::unless_lost)?;
    }
    Ok(())
}

/// Asks again until it is answered: datagrams may be lost.
async fn seeker<T: Transport<Question>>(
    transport: T,
    oracle: T::Addr,
    mut answers: EventSource<Answer>,
) -> Result<String, TransportError> {
    let mut asks = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            Some(Answer(text)) = answers.recv() => return Ok(text),
            _ = asks.tick() => {
                let sent = transport.send_to(oracle.clone(), Question("Will it rain?".to_owned())).await;
                sent.or_else(TransportError::unless_lost)?;
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let udp = Udp::<Message>::bind("127.0.0.1:0").await?;
    let (sender, mut incoming) = event_within(1_000);
    let (questions, asked) = event();
    let (answers, answered) = event();
    let (done, mut ended) = event();

    let mut monitor = BackgroundMonitor::new();
    let spawner = monitor.spawner();
    spawner.spawn("listen", udp.listen(sender));
    spawner.spawn("oracle", oracle(udp.clone(), asked));
    spawner.spawn_then("seeker", seeker(udp.clone(), udp.addr(), answered), &done, |end| end);

    // The loop of the session around both: it relays what comes, and hears of what ends.
    let answer = loop {
        tokio::select! {
            Some(end) = ended.recv() => break end?,
            Some((from, message)) = incoming.recv() => match message {
                Message::Question(question) => questions.send((from, question)).await?,
                // The seeker may have heard enough.
                Message::Answer(answer) => drop(answers.send(answer).await),
            },
            error = monitor.failed() => return Err(error.into()),
        }
    };
    println!("{answer}");

    monitor.cancel();
    Ok(monitor.wait().await?)
}
