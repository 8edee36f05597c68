//! Integration tests, a file per topic. The names begin with the line of the contract that they hold.

mod adapter;
mod asks;
mod bounds;
mod config;
mod context;
mod control;
mod deadlock;
mod events;
mod front_door;
mod identity;
mod inline;
mod life;
mod messages;
mod model;
mod pool;
mod registry;
mod requests;
mod seed_001;
mod session;
mod shutdown;
mod sources;
mod tasks_alive;
mod testing;
mod ticks;
mod wakes;
