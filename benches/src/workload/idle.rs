//! What an actor costs that does nothing.

use std::time::Duration;

use tokio::time::sleep;

use super::{Sample, as_float};
use crate::allocations::Allocations;
use crate::contestant::{Ask, Contestant, Side};
use crate::message::Kept;

/// How long actors have to come to rest.
const SETTLE: Duration = Duration::from_millis(50);

/// Heap bytes of an actor with 64 bytes of state and of a reference to it, after one ask or after none.
pub(super) async fn heap<C: Contestant>(contestant: &C, actors: u64, asked: bool) -> Result<Sample, String> {
    // The first ones make what all share.
    let first = keepers(contestant, 16, asked).await;
    let before = live_bytes()?;
    let all = keepers(contestant, actors, asked).await;
    let room_for_references = as_float((all.capacity() * size_of::<C::Keeper>()) as u64);
    let after = live_bytes()?;
    drop((first, all));
    Ok(Sample::new((after - before - room_for_references) / as_float(actors), actors))
}

async fn keepers<C: Contestant>(contestant: &C, actors: u64, asked: bool) -> Vec<C::Keeper> {
    let mut keepers = Vec::with_capacity(usize::try_from(actors).expect("a number of actors"));
    for number in 0..actors {
        let keeper = contestant.keeper(Side::Here, Kept::new(number)).await;
        if asked {
            keeper.ask(number).await;
        }
        keepers.push(keeper);
    }
    sleep(SETTLE).await;
    keepers
}

#[allow(clippy::cast_precision_loss, reason = "heaps stay far below 2^52 bytes")]
fn live_bytes() -> Result<f64, String> {
    Allocations::now().map(|now| now.live_bytes as f64).ok_or_else(Allocations::uncounted)
}
