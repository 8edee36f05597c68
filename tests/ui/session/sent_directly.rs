//! As `message_that_is_no_part`, where no session is in between.

use dms::session::{Memory, Transport};

struct Stranger;

enum Message {}

fn parent(memory: &Memory<Message>) {
    drop(memory.send_to(1, Stranger));
}

fn main() {}
