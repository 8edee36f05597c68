use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[request]
    fn handle_request(&mut self, request: &Request) -> Vec<u8> {
        request.payload.clone()
    }
}

fn main() {}
