use dms::event::Shutdown;
use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[event(remote)]
    fn on_shutdown(&mut self, _event: &Shutdown) {}

    #[tick(every = "1s", remote)]
    fn flush(&mut self) {}

    #[init(remote)]
    fn init(&mut self) {}

    #[request(remote)]
    fn handle_request(&mut self, request: &Request) -> Response {
        Response::err(request.request_type.clone())
    }
}

fn main() {}
