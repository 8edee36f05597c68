//! The mistakes that the compiler reports, and what it says of each: `ui/TOPIC/MISTAKE.rs` beside `.stderr`.
//!
//! `TRYBUILD=overwrite cargo test -p dms-tests --test ui` writes the `.stderr` files anew; read each before you commit it.

#[test]
fn every_mistake_is_explained() {
    let cases = trybuild::TestCases::new();
    for topic in [
        "module",
        "handlers",
        "hooks",
        "health",
        "requests",
        "ticks",
        "events",
        "snapshots",
        "replaces",
        "types",
        "session",
    ] {
        cases.compile_fail(format!("ui/{topic}/*.rs"));
    }
    cases.pass("ui/pass/*.rs");
}
