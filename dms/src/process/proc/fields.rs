//! Files of lines as `VmHWM:      1616 kB`: `/proc/<pid>/status` and `/proc/<pid>/smaps_rollup`.

/// The value in bytes of the first line with this name; `None` where there is none: what has ended has no memory, and so no such line.
///
/// The name of the program stands in such a file too, but in a line of its own, in which the kernel writes the end of a line as two other characters.
pub(crate) fn bytes_of(text: &[u8], name: &str) -> Option<u64> {
    let line =
        text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (number, unit) = (words.next()?.parse::<u64>().ok()?, words.next()?);
    if unit == "kB" { number.checked_mul(1024) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_found_by_its_whole_name() {
        let text = b"Name:\tVmRSS: 1 kB\\nVmRSS: 2 kB\nVmRSSx:\t3 kB\nVmHWM:\t    1616 kB\nVmRSS:\t    1500 kB\nVmRSS:\t1 kB\n";
        assert_eq!(bytes_of(text, "VmRSS"), Some(1500 * 1024));
        assert_eq!(bytes_of(text, "VmHWM"), Some(1616 * 1024));
        assert_eq!(bytes_of(text, "Vm"), None);
        assert_eq!(bytes_of(b"", "VmRSS"), None);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for line in ["VmRSS:", "VmRSS: kB", "VmRSS: 5", "VmRSS: 5 MB", "VmRSS: -5 kB", "VmRSS: 18446744073709551615 kB"]
        {
            assert_eq!(bytes_of(line.as_bytes(), "VmRSS"), None, "{line:?}");
        }
        assert_eq!(bytes_of(b"VmRSS: \xff kB", "VmRSS"), None);
    }

    #[test]
    fn the_own_files_are_read() {
        let status = std::fs::read("/proc/self/status").unwrap();
        let (resident, peak) = (bytes_of(&status, "VmRSS").unwrap(), bytes_of(&status, "VmHWM").unwrap());
        assert!(resident > 0 && peak >= resident, "{resident} {peak}");
        let rollup = std::fs::read("/proc/self/smaps_rollup").unwrap();
        assert!(bytes_of(&rollup, "Pss").unwrap() > 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = bytes_of(&text, "VmRSS");
        }

        #[test]
        fn a_line_is_found_between_any_others(
            before in "([A-Z][a-z]{0,6}:\t[ -~]{0,20}\n){0,5}",
            kilobytes in 0..u64::MAX / 1024,
            after in "[ -~\n]{0,40}",
        ) {
            prop_assume!(!before.contains("VmHWM:"));
            let text = format!("{before}VmHWM:\t{kilobytes:>8} kB\n{after}");
            prop_assert_eq!(bytes_of(text.as_bytes(), "VmHWM"), Some(kilobytes * 1024));
        }
    }
}
