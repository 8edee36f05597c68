use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[request]
    fn handle_request(&mut self, request: &Request) -> Response {
        Response::err(request.request_type.clone())
    }

    #[request]
    async fn handle_others(&mut self, request: Request) -> Response {
        Response::err(request.request_type)
    }
}

fn main() {}
