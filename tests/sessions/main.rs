//! Tests of what sessions are made of, a file per topic.

mod background;
mod channels;
mod memory;
mod signed;
mod udp;
