//! What a program is told that uses what a feature brings, but not the feature: a package of its own, for the tests have all features.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = r#"
[package]
name = "NAME"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
dms = { path = "DMS" }

[features]
state = []

[workspace]
"#;

/// Whether the program compiles, and what the compiler says.
fn compile(name: &str, program: &str) -> (bool, String) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let dms = tests.join("../dms");
    let manifest = MANIFEST.replace("NAME", name).replace("DMS", dms.to_str().expect("a path in UTF-8"));
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(folder.join("src/main.rs"), program).expect("a program");
    // The versions that the workspace has were downloaded when it was built.
    fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--offline", "--quiet", "--color", "never", "--target-dir", "../without-features"])
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    (checked.status.success(), String::from_utf8_lossy(&checked.stderr).into_owned())
}

/// That the program does not compile for this one reason, at this place.
fn refused(name: &str, program: &str, reason: &str, place: &str) {
    let (compiles, told) = compile(name, program);
    assert!(!compiles, "it compiles");
    let errors: Vec<_> = told.lines().filter(|line| line.starts_with("error")).collect();
    let last = format!("error: could not compile `{name}` (bin \"{name}\") due to 1 previous error");
    assert_eq!(errors, [format!("error: {reason}"), last], "{told}");
    assert!(told.contains(place), "at {place}: {told}");
}

#[test]
fn a_remote_handler_without_the_feature_is_one_error_that_names_it() {
    refused(
        "without-wire",
        r"
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
",
        "`remote` handlers and `#[request]` need the feature `wire` of `dms`: write `features = [\"wire\"]` beside its version in Cargo.toml",
        "src/main.rs:11:20",
    );
}

/// A module with this in its impl.
fn with(methods: &str) -> String {
    format!(
        "
use dms::prelude::*;
use dms::Version;

#[module]
struct Counter {{
    count: u64,
}}

#[module]
impl Counter {{
    #[handler(Get)]
    fn get(&self) -> u64 {{
        self.count
    }}
{methods}
}}

fn main() {{
    let _ = Get;
    let _ = Version {{ major: 1, minor: 0, patch: 0 }};
}}
"
    )
}

const NO_SNAPSHOTS: &str = "`#[snapshot]` and `#[restore]` need the feature `snapshot` of `dms`: write `features = [\"snapshot\"]` beside its version in Cargo.toml";

#[test]
fn a_snapshot_method_without_the_feature_is_one_error_that_names_it() {
    let program = with("    #[snapshot]\n    fn snapshot(&self) -> u64 {\n        self.count\n    }");
    refused("without-snapshot", &program, NO_SNAPSHOTS, "src/main.rs:16:7");
}

#[test]
fn a_restore_method_without_the_feature_is_one_error_that_names_it() {
    let program =
        with("    #[restore]\n    fn restore(&mut self, count: u64, _: Version) {\n        self.count = count;\n    }");
    refused("without-restore", &program, NO_SNAPSHOTS, "src/main.rs:16:7");
}

#[test]
fn a_module_may_have_a_state_where_a_feature_of_its_own_is_on() {
    let program = with(
        "
    #[cfg(feature = \"state\")]
    #[snapshot]
    fn snapshot(&self) -> u64 {
        self.count
    }

    #[cfg(feature = \"state\")]
    #[restore]
    fn restore(&mut self, count: u64, _: Version) {
        self.count = count;
    }",
    );
    let (compiles, told) = compile("with-a-feature-of-its-own", &program);
    assert!(compiles, "{told}");
}
