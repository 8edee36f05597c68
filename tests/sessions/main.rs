//! Tests of what sessions are made of, a file per topic.

mod memory;
mod signed;
