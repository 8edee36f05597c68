//! The same program with murmer in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    dms_benches::main()
}
