//! The `wc` that wordcount is held to.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The words that `wc -w` counts in all the files.
pub(crate) fn words(locale: &str, files: &[PathBuf]) -> u64 {
    let mut names = Vec::new();
    for file in files {
        names.extend_from_slice(file.to_str().unwrap().as_bytes());
        names.push(0);
    }
    // The last line is the total, or the only one.
    let printed = run(locale, &["-w", "--files0-from=-"], &names);
    let last = printed.lines().last().unwrap_or("0");
    last.split_whitespace().next().unwrap().parse().unwrap()
}

/// The locales in which this machine's `wc` can be compared with, if it is that of GNU.
pub(crate) fn locales() -> Vec<&'static str> {
    let version = Command::new("wc").arg("--version").output();
    if !version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains("GNU coreutils")) {
        eprintln!("not compared: there is no GNU wc here");
        return Vec::new();
    }
    // Without the locale, `wc` takes the two bytes of `é` for two characters.
    let has_utf8 = run("C.UTF-8", &["-m"], "é".as_bytes()).trim() == "1";
    // More recent versions take all that is not white space for words.
    let is_exact = run("C", &["-w"], b"\x01").trim() == "0";
    let locales = [("C", is_exact), ("C.UTF-8", has_utf8)];
    locales.into_iter().filter_map(|(locale, is_there)| is_there.then_some(locale)).collect()
}

/// Whether this `wc` takes only what can be printed for a word, as that of coreutils 9.1 does.
pub(crate) fn ignores_the_unprintable() -> bool {
    run("C", &["-w"], b"\x01").trim() == "0"
}

fn run(locale: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut wc = Command::new("wc")
        .args(arguments)
        .env("LC_ALL", locale)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wc.stdin.take().unwrap().write_all(input).unwrap();
    let output = wc.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
