use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[request(timeout = "2s")]
    fn handle_request(&self, request: &Request) -> Response {
        Response::ok(Vec::new())
    }
}

fn main() {}
