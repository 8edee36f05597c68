use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler]
    #[request]
    fn handle_request(&mut self, request: &Request) -> Response {
        Response::err(request.request_type.clone())
    }
}

fn main() {}
