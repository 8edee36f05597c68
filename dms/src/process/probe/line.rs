//! A line that is answered with a line.

use super::Reason;
use crate::process::streams::Wires;

pub(super) async fn run(send: &str, expect: &str, wires: &Wires) -> Result<(), Reason> {
    let watched = wires.watched();
    // Before it is sent: the answer may come at once.
    let answer = watched.expect(expect);
    wires.input().send_line(send).await.map_err(|error| error.to_string())?;
    answer.await.map_err(|_| "another probe took its place".to_owned())
}
