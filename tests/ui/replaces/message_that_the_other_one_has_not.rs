use dms::prelude::*;

#[module(flags(HOT_RELOADABLE))]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add)]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }
}

#[module]
struct CounterV2 {
    count: u64,
}

#[module(replaces = Counter)]
impl CounterV2 {
    #[handler(Add)]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler]
    fn reset(&mut self, Reset(to): Reset) {
        self.count = to;
    }
}

struct Reset(u64);

fn main() {}
