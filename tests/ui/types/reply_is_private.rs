use dms::prelude::*;

struct Secret;

#[module]
pub struct Counter;

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> Secret {
        Secret
    }
}

fn main() {}
