use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

struct Blob(Vec<u8>);

#[module]
impl Counter {
    #[handler]
    fn read(&mut self, blob: &Blob) {
        self.count += blob.0.len() as u64;
    }

    #[handler]
    fn print(&mut self, text: &str) {
        self.count += text.len() as u64;
    }
}

fn main() {}
