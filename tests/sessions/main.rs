//! Tests of what sessions are made of, a file per topic.

mod background;
mod channels;
mod memory;
mod modules;
mod network;
mod seed_003;
mod signed;
mod udp;
