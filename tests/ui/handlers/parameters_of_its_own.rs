use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    async fn add<N: Into<u64> + Send + 'static>(&mut self, n: N) {
        self.count += n.into();
    }
}

fn main() {}
