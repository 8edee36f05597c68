//! Short lives.

use std::time::Instant;

use super::{Sample, sum_below};
use crate::contestant::{Ask, Contestant, Side, Stop};
use crate::message::Kept;

/// Starts an actor, asks it once, stops it and waits for its end; then the next.
pub(super) async fn sequential<C: Contestant>(contestant: &C, lives: u64) -> Result<Sample, String> {
    // One that stays, as in a program: nobody's last actor ends each time.
    let resident = contestant.keeper(Side::Here, Kept::new(lives)).await;
    let own = contestant.clone();
    let (elapsed, sum) = contestant
        .spawn(Side::Here, async move {
            let started = Instant::now();
            let mut sum = 0;
            for number in 0..lives {
                let keeper = own.keeper(Side::Here, Kept::new(number)).await;
                sum += keeper.ask(number).await;
                keeper.stop().await;
            }
            (started.elapsed(), sum)
        })
        .await;
    resident.stop().await;
    let expected = sum_below(lives) + lives;
    if sum != expected {
        return Err(format!("{lives} answers came to {sum}, not to {expected}"));
    }
    Ok(Sample::time(elapsed, lives))
}
