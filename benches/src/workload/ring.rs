//! Actors that pass one message around.

use std::time::Instant;

use super::Sample;
use crate::contestant::{Contestant, Join, Side, Tell};
use crate::message::{Ball, Passing};

/// A ball goes around between `size` players, `hops` times from one to the next.
pub(super) async fn pass<C: Contestant>(contestant: &C, size: usize, hops: u64) -> Result<Sample, String> {
    // Whole rounds, so that the ball comes home to the first player.
    let hops = hops.next_multiple_of(size as u64);
    let (home, finished) = Passing::home(hops);
    let mut players = vec![contestant.player(Side::half(0, size), home).await];
    for index in 1..size {
        players.push(contestant.player(Side::half(index, size), Passing::on()).await);
    }
    for (index, player) in players.iter().enumerate() {
        player.join(&players[(index + 1) % size]).await;
    }
    let started = Instant::now();
    players[0].tell(Ball { remaining: hops, sum: 0 }).await;
    let finish = finished.await.map_err(|_| "the player ended before the ball came home")?;
    Sample::finished(started, &finish, hops, hops * (hops + 1) / 2)
}
