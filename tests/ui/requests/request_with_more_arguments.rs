use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[request(Get)]
    fn handle_request(&mut self, request: &Request, times: u64, reply: ReplyTo<u64>) -> Response {
        Response::err(request.request_type.clone())
    }
}

fn main() {}
