//! A message may go to several, so what a network within the process carries is cloned; a simulated one also shows it.

use dms::prelude::*;
use dms::session::MemoryNetwork;
use dms::testing::{Faults, Network};

enum Message {}

#[derive(Clone)]
struct Secret;

#[module]
struct Counter;

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self) {}

    #[handler(Double, derive(Clone))]
    fn double(&mut self) {}
}

fn main() {
    let _network = MemoryNetwork::<Message>::new();
    let _network = MemoryNetwork::<CounterMessage>::new();
    let _network = Network::<Secret>::new(7, Faults::none());
}
