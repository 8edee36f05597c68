use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}


#[module]
impl Counter {
    #[handler(Get, derive(Clone), retry = "often")]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Take, derive(Clone), retry)]
    fn take(&self) -> u64 {
        self.count
    }

    #[handler(Put, derive(Clone), retry = 3u8)]
    fn put(&self) {}
}

fn main() {}
