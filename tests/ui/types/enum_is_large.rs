#![deny(warnings)]
use dms::prelude::*;

#[module]
pub struct Counter {
    count: u64,
}

pub struct Blob([u8; 1024]);

#[module]
impl Counter {
    #[handler]
    fn read(&mut self, blob: Blob) {
        self.count += u64::from(blob.0[0]);
    }
}

fn main() {}
