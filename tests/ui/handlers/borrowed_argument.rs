use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Print)]
    fn print(&mut self, text: &str, bytes: &[u8]) {
        self.count += (text.len() + bytes.len()) as u64;
    }
}

fn main() {}
