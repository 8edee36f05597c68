use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn print(&mut self, text: impl Into<String>) {
        self.count += text.into().len() as u64;
    }

    #[handler(Call)]
    fn call(&mut self, function: impl Fn(u64) -> u64 + Send) {
        self.count = function(self.count);
    }
}

fn main() {}
