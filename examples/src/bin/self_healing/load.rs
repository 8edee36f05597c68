//! The orders that come in.

use dms::prelude::*;

use crate::STATIONS;
use crate::station::{Station, Work};

/// Sends each station an order, again and again, whether or not it is well.
#[module]
#[derive(Default)]
pub(crate) struct Load {
    /// Orders for stations that were not there.
    refused: u64,
}

#[module]
impl Load {
    #[tick(every = "5ms")]
    async fn order(&mut self, ctx: &mut Context<Self>) {
        let system = ctx.system();
        for name in STATIONS {
            // While a supervisor begins again, its stations are not there.
            let is_taken = match system.get::<Station>(name) {
                Ok(station) => station.send(Work).await.is_ok(),
                Err(_) => false,
            };
            self.refused += u64::from(!is_taken);
        }
    }

    #[handler(Refused)]
    fn refused(&self) -> u64 {
        self.refused
    }
}
