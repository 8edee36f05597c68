use dms::prelude::*;

#[module]
struct Cell<T> {
    value: T,
}

#[module]
impl<T: Clone> Cell<T> {
    #[handler(Get)]
    fn get(&self) -> T {
        self.value.clone()
    }
}

async fn register(system: &System) {
    let cell = Cell { value: std::rc::Rc::new(1) };
    let _ = system.register_module(cell);
}

fn main() {}
