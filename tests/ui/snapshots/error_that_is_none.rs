use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&self) -> Result<u64, u8> {
        Ok(self.count)
    }
}

fn main() {}
