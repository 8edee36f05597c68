use dms::prelude::*;

#[request]
fn handle_request(request: &Request) -> Response {
    Response::err(request.request_type.clone())
}

fn main() {}
