use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[restore]
    fn restore(&mut self, text: &str, _from: Version) {
        self.count = text.len() as u64;
    }
}

fn main() {}
