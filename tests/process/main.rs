//! OS processes as supervised modules: real ones.
#![cfg(unix)]

mod lifecycle;
mod real;
