//! What a program is told that has handlers on the wire, but not the feature: a package of its own, for the tests have all features.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = r#"
[package]
name = "without-wire"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
dms = { path = "DMS" }

[workspace]
"#;

const PROGRAM: &str = r"
use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Add, remote, derive(Clone))]
    fn add(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }
}

fn main() {
    let _ = Add { by: 1 }.clone();
}
";

#[test]
fn a_remote_handler_without_the_feature_is_one_error_that_names_it() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-wire");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let dms = tests.join("../dms");
    let manifest = MANIFEST.replace("DMS", dms.to_str().expect("a path in UTF-8"));
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(folder.join("src/main.rs"), PROGRAM).expect("a program");
    // The versions that the workspace has were downloaded when it was built.
    fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--offline", "--quiet", "--color", "never", "--target-dir", "target"])
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let told = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success(), "it compiles");
    let errors: Vec<_> = told.lines().filter(|line| line.starts_with("error")).collect();
    let expected = "error: `remote` handlers and `#[request]` need the feature `wire` of `dms`: write `features = [\"wire\"]` beside its version in Cargo.toml";
    assert_eq!(
        errors,
        [expected, "error: could not compile `without-wire` (bin \"without-wire\") due to 1 previous error"],
        "{told}"
    );
    assert!(told.contains("src/main.rs:11:20"), "at the word `remote`: {told}");
}
