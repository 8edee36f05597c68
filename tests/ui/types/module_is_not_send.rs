use dms::prelude::*;

#[module]
struct Counter {
    count: std::rc::Rc<u64>,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        *self.count
    }
}

fn main() {}
