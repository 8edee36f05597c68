use dms::prelude::*;

#[module]
struct Cache<T> {
    values: Vec<T>,
}

#[module]
impl<T: Clone> Cache<T> {
    #[snapshot]
    fn snapshot(&self) -> Vec<T> {
        self.values.clone()
    }

    #[restore]
    fn restore(&mut self, values: Vec<T>, _from: Version) {
        self.values = values;
    }
}

fn main() {}
