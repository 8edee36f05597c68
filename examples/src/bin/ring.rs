//! A thousand modules in a ring pass a token on, a thousand times around.
//!
//! ```sh
//! cargo run --release -p dms-examples --bin ring
//! ```
//!
//! It prints, with the time that it took,
//!
//! ```text
//! 1000 modules passed the token 1000000 times in … ms
//! each had it 1000 times
//! stopped 1000 modules, 0 messages undelivered
//! ```

use std::error::Error;
use std::time::Instant;

use dms::prelude::*;

const MODULES: u32 = 1_000;
const ROUNDS: u32 = 1_000;

/// Passes a token on to the next in the ring.
#[module]
#[derive(Default)]
struct Link {
    next: Option<ModuleRef<Link>>,
    passed: u32,
}

/// What goes around, and with it the answer to whoever began it.
struct Token {
    left: u32,
    done: ReplyTo<()>,
}

#[module]
impl Link {
    /// A ring cannot be made in one go: the last must know the first.
    #[handler(Follow)]
    fn follow(&mut self, next: ModuleRef<Link>) {
        self.next = Some(next);
    }

    /// Lets a token be passed `times` times; the last module to have it answers in this one's place.
    #[handler(Begin)]
    async fn begin(&mut self, times: u32, reply: ReplyTo<()>) {
        self.pass(Token { left: times, done: reply }).await;
    }

    #[handler]
    async fn pass(&mut self, Token { left, done }: Token) {
        self.passed += 1;
        match &self.next {
            Some(next) if left > 1 => {
                if let Err(error) = next.send(Token { left: left - 1, done }).await {
                    println!("the token is lost: {error}");
                }
            }
            _ => done.send(()),
        }
    }

    #[handler(Passed)]
    fn passed(&self) -> u32 {
        self.passed
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new();
    let first = system.register_module(Link::default()).await?;
    let mut links = vec![first.clone()];
    let mut next = first.clone();
    for _ in 1..MODULES {
        next = system.register_module(Link { next: Some(next), passed: 0 }).await?;
        links.push(next.clone());
    }
    first.follow(next).await?;

    let begun = Instant::now();
    first.begin(MODULES * ROUNDS).no_timeout().await?;
    println!("{MODULES} modules passed the token {} times in {} ms", MODULES * ROUNDS, begun.elapsed().as_millis());

    for link in &links {
        assert_eq!(link.passed().await?, ROUNDS);
    }
    println!("each had it {ROUNDS} times");

    let report = system.shutdown().await;
    println!("stopped {} modules, {} messages undelivered", report.modules.len(), report.undelivered);
    Ok(())
}
