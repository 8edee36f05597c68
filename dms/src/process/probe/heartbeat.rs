//! Output that comes often enough.

use std::time::Duration;

use super::Reason;
use crate::process::streams::Wires;

pub(super) fn run(within: Duration, wires: &Wires) -> Result<(), Reason> {
    let silent = wires.watched().last_heard().elapsed();
    if silent <= within {
        Ok(())
    } else {
        Err(format!("it has written nothing for {silent:.1?}, and {within:?} are allowed"))
    }
}
