//! OS processes as supervised modules: real ones.
#![cfg(unix)]

mod health;
mod lifecycle;
mod real;
mod streams;
