use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn print(&mut self, text: std::borrow::Cow<'_, str>) {
        self.count += text.len() as u64;
    }
}

fn main() {}
