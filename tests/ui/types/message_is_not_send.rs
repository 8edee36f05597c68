use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    fn add(&mut self, add: std::rc::Rc<u64>) {
        self.count += *add;
    }
}

fn main() {}
