//! Integration tests, a file per topic. The names begin with the line of the contract that they hold.

mod asks;
mod bounds;
mod deadlock;
mod messages;
mod shutdown;
mod ticks;
