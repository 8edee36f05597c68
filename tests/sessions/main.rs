//! Tests of what sessions are made of, a file per topic.

mod background;
mod carried;
mod channels;
mod listeners;
mod memory;
mod modules;
mod network;
mod seed_003;
mod signed;
mod udp;
