use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[request(deadline = 2)]
    fn handle_request(&self, request: &Request) -> Response {
        Response::ok(Vec::new())
    }
}

fn main() {}
