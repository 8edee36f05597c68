//! OS processes as supervised modules: real ones.
#![cfg(unix)]

mod check;
mod endings;
mod health;
mod last_words;
mod lifecycle;
mod limits;
mod many;
mod programs;
mod real;
mod refusals;
mod restarts;
mod seed_002;
mod settings;
mod signals;
mod streams;
