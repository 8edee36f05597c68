use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[tick(every = "30s")]
    async fn report(&self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

fn main() {}
