//! Two modules that know each other, written without the macro: the message set is open, and each message boxed.
//!
//! ```sh
//! cargo run -p dms-examples --bin ping_pong
//! ```
//!
//! It prints
//!
//! ```text
//! ping hits ball 1
//! pong hits ball 2
//! ping hits ball 3
//! pong hits ball 4
//! ping hits ball 5
//! pong hits ball 6
//! ping misses ball 7
//! ping hit 3, pong hit 3
//! ```

use std::error::Error;

use dms::prelude::*;
use tokio::sync::oneshot;

/// Hits a ball back until there have been enough. `#[module]` on the struct says what it is; what it does is written
/// by hand below.
#[module]
struct Player {
    side: &'static str,
    hits: u32,
    /// Says that the game is over.
    over: Option<oneshot::Sender<()>>,
}

/// A ball carries who hit it, as the one message that matters about them: whoever takes balls can play.
struct Ball {
    number: u32,
    from: Recipient<Ball>,
}

struct Hits;

impl Module for Player {
    type Message = DynMessage<Self>;
}

impl Handler<Ball> for Player {
    type Reply = ();

    async fn handle(&mut self, ball: Ball, ctx: &mut Context<Self>) {
        if ball.number > 6 {
            println!("{} misses ball {}", self.side, ball.number);
            if let Some(over) = self.over.take() {
                // Nobody is left to be told if `main` has given up.
                let _ = over.send(());
            }
            return;
        }
        println!("{} hits ball {}", self.side, ball.number);
        self.hits += 1;
        let back = Ball { number: ball.number + 1, from: ctx.self_ref().into() };
        if ball.from.send(back).await.is_err() {
            println!("{} plays alone", self.side);
        }
    }
}

impl Handler<Hits> for Player {
    type Reply = u32;

    async fn handle(&mut self, _: Hits, _: &mut Context<Self>) -> u32 {
        self.hits
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (over, game) = oneshot::channel();
    let system = System::new();
    let first = system.register_module(Player { side: "ping", hits: 0, over: Some(over) }).await?;
    let second = system.register_module(Player { side: "pong", hits: 0, over: None }).await?;

    first.send(Ball { number: 1, from: second.recipient() }).await?;
    game.await?;
    println!("ping hit {}, pong hit {}", first.ask(Hits).await?, second.ask(Hits).await?);

    system.shutdown().await;
    Ok(())
}
