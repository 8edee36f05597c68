use dms::prelude::*;

#[derive(Clone)]
struct State {
    count: u64,
}

#[module]
struct Counter {
    state: State,
}

#[module]
impl Counter {
    #[snapshot]
    fn snapshot(&self) -> State {
        self.state.clone()
    }

    #[restore]
    fn restore(&mut self, state: State, _from: Version) {
        self.state = state;
    }
}

#[module]
struct Careful {
    state: State,
}

#[module]
impl Careful {
    #[snapshot]
    fn snapshot(&self) -> Result<State, ModuleError> {
        Ok(self.state.clone())
    }
}

fn main() {}
