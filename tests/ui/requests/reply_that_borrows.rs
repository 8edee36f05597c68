use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Unit, remote)]
    fn unit(&self) -> &'static str {
        "apples"
    }

    #[handler(Say, remote)]
    fn say(&self, text: &'static str, reply: ReplyTo<&'static [u8]>) {
        reply.send(text.as_bytes());
    }
}

fn main() {}
