use dms::prelude::*;

#[module]
struct Cell<T> {
    value: T,
}

#[module]
impl<T: Send + 'static> Cell<T> {
    #[handler]
    fn set(&mut self, value: T) {
        self.value = value;
    }
}

fn main() {}
