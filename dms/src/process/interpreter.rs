//! What a program is run by: the interpreter of a script, and the loader of a binary. Where that is missing the operating system says that the program is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What the program is run by, where the program is there and that is not.
pub(super) fn missing(program: &Path) -> Option<PathBuf> {
    interpreter(program).filter(|interpreter| !interpreter.exists())
}

fn interpreter(program: &Path) -> Option<PathBuf> {
    let mut file = File::open(program).ok()?;
    let mut head = Vec::new();
    file.by_ref().take(256).read_to_end(&mut head).ok()?;
    let path = match head.strip_prefix(b"#!") {
        Some(line) => {
            let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
            line.split(u8::is_ascii_whitespace).next()?.to_vec()
        }
        None => loader(&file, &head)?,
    };
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(&path)))
}

/// The loader that an ELF file of 64 bits names: the segment `PT_INTERP`.
fn loader(file: &File, head: &[u8]) -> Option<Vec<u8>> {
    const INTERPRETER: u32 = 3;
    const SEGMENT: usize = 56;
    let is_64_bits_of_this_order =
        head.starts_with(b"\x7fELF\x02") && head.get(5) == Some(if cfg!(target_endian = "little") { &1 } else { &2 });
    if !is_64_bits_of_this_order {
        return None;
    }
    let (begin, count) = (long(head, 32)?, u16::from_ne_bytes(head.get(56..58)?.try_into().ok()?));
    for number in 0..u64::from(count) {
        let mut segment = [0; SEGMENT];
        file.read_exact_at(&mut segment, begin.checked_add(number * SEGMENT as u64)?).ok()?;
        if u32::from_ne_bytes(segment[..4].try_into().ok()?) == INTERPRETER {
            let mut path = vec![0; usize::try_from(long(&segment, 32)?).ok().filter(|length| *length <= 4096)?];
            file.read_exact_at(&mut path, long(&segment, 8)?).ok()?;
            path.retain(|byte| *byte != 0);
            return Some(path);
        }
    }
    None
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_and_a_binary_name_what_runs_them() {
        let folder = tempfile::tempdir().expect("a directory");
        let script = folder.path().join("script");
        for (text, expected) in [("#!/bin/sh\n", "/bin/sh"), ("#! /no/such -x\nrest", "/no/such"), ("#!/a/b", "/a/b")] {
            std::fs::write(&script, text).expect("it is written");
            assert_eq!(interpreter(&script).as_deref(), Some(Path::new(expected)));
        }
        for text in ["", "#!", "#!\n/x", "echo", "\x7fELF\x02"] {
            std::fs::write(&script, text).expect("it is written");
            assert_eq!(interpreter(&script), None, "{text:?}");
        }
        let this = std::env::current_exe().expect("this test");
        let loader = interpreter(&this).expect("it is loaded");
        assert!(loader.exists(), "{}", loader.display());
        assert_eq!(missing(&this), None);
    }
}
