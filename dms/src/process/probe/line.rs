//! A line that is answered with a line.

use std::sync::Arc;

use super::Reason;
use crate::process::streams::Wires;
use crate::process::watched::Watched;

pub(super) async fn run(send: &str, expect: &str, wires: &Wires) -> Result<(), Reason> {
    let watched = wires.watched();
    // Before it is sent: the answer may come at once.
    let answer = watched.expect(expect);
    let mut unsent = Unsent(Some(watched));
    wires.input().send_line(send).await.map_err(|error| error.to_string())?;
    unsent.0 = None;
    answer.await.map_err(|_| "another probe took its place".to_owned())
}

/// Dropped, it expects no answer.
struct Unsent(Option<Arc<Watched>>);

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(watched) = &self.0 {
            watched.expect_less();
        }
    }
}
