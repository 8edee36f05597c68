//! Measures dms beside other actor frameworks: `cargo run --release --manifest-path benches/Cargo.toml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dms_benches::main()
}
