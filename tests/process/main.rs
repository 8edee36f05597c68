//! OS processes as supervised modules: real ones.
#![cfg(unix)]

mod check;
mod health;
mod lifecycle;
mod real;
mod streams;
