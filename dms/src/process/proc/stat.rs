//! `/proc/<pid>/stat`: one line, of which most of a sample is read.

/// What is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// A letter: `R` runs, `S` and `D` sleep, `T` is stopped, `Z` has ended and was not reaped.
    pub(crate) state: u8,
    /// The process group.
    pub(crate) group: i32,
    /// CPU time of the process and of those children that it has reaped, in clock ticks.
    pub(crate) ticks: u64,
    /// How many threads there are; 0 once it has ended.
    pub(crate) threads: u64,
    /// The size of the address space, in bytes.
    pub(crate) address_space: u64,
    /// Resident memory in pages.
    pub(crate) resident_pages: u64,
}

impl Stat {
    /// Reads the line; `None` if it is not one.
    ///
    /// The second field is the name of the program in parentheses, and may itself hold spaces, parentheses, line ends and bytes that are no text. No field behind it
    /// has a parenthesis, so the last one ends the name.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let behind_name = line.iter().rposition(|byte| *byte == b')')? + 1;
        let mut fields = std::str::from_utf8(line.get(behind_name..)?).ok()?.split_ascii_whitespace();
        let [state] = *fields.next()?.as_bytes() else { return None };
        // The numbers in brackets of proc(5) begin with 1, and the state is field 3.
        let mut field = 3;
        let mut number = |wanted: usize| {
            let skipped = wanted.checked_sub(field + 1)?;
            field = wanted;
            fields.nth(skipped)
        };
        let group = number(5)?.parse().ok()?;
        let user: u64 = number(14)?.parse().ok()?;
        let system: u64 = number(15)?.parse().ok()?;
        // Signed in the kernel's format, though neither is ever below zero.
        let children_user: i64 = number(16)?.parse().ok()?;
        let children_system: i64 = number(17)?.parse().ok()?;
        let threads = number(20)?.parse::<i64>().ok()?.try_into().ok()?;
        let address_space = number(23)?.parse().ok()?;
        let resident_pages = u64::try_from(number(24)?.parse::<i64>().ok()?).unwrap_or(0);
        let of_children = u64::try_from(children_user).ok()?.saturating_add(u64::try_from(children_system).ok()?);
        let ticks = user.saturating_add(system).saturating_add(of_children);
        Some(Self { state, group, ticks, threads, address_space, resident_pages })
    }

    /// Whether a signal has stopped it.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.state == b'T'
    }

    /// Whether it has ended, and only waits to be reaped.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields behind the name, of a process of `cat` that was looked at.
    const REST: &str = " R 21501 21501 18891 0 -1 4194304 102 0 0 0 7 5 3 2 20 0 1 0 2357892 3133440 416 18446744073709551615 94405321969664 94405321989545 \
                        140724940248000 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 94405322005552 94405322007168 94405338316800 140724940253854 140724940253874 \
                        140724940253874 140724940255211 0\n";

    const READ: Stat =
        Stat { state: b'R', group: 21501, ticks: 17, threads: 1, address_space: 3_133_440, resident_pages: 416 };

    #[test]
    fn a_name_may_have_spaces_parentheses_line_ends_and_no_text() {
        for name in ["cat", "", "a b", ") R 1 1 1 (", "((", "))", "tail\n) S 9", "R"] {
            let line = format!("21509 ({name}){REST}");
            assert_eq!(Stat::parse(line.as_bytes()), Some(READ), "{name:?}");
        }
        let line = [b"21509 (\xff\x00\xfe)".as_slice(), REST.as_bytes()].concat();
        assert_eq!(Stat::parse(&line), Some(READ));
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        for line in ["", ")", "1 (a) ", "1 (a) R", "1 (a) R 1 x", "1 (a) RR 1 1", "1 (a) R 1 2 3 4 5 6 7 8 9"] {
            assert_eq!(Stat::parse(line.as_bytes()), None, "{line:?}");
        }
        let negative = format!("1 (a){REST}").replace(" 3 2 20 0 1 ", " -3 2 20 0 1 ");
        assert_eq!(Stat::parse(negative.as_bytes()), None);
    }

    #[test]
    fn the_own_line_is_read() {
        let line = std::fs::read("/proc/self/stat").unwrap();
        let stat = Stat::parse(&line).unwrap();
        assert_eq!(stat.group, rustix::process::getpgrp().as_raw_nonzero().get());
        assert!(stat.threads >= 1 && stat.resident_pages > 0 && stat.address_space > 0, "{stat:?}");
        assert!(!stat.is_stopped() && !stat.has_ended());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Stat::parse(&line);
        }

        #[test]
        fn nothing_that_is_cut_or_flipped_makes_it_panic(at in 0..300usize, cut in any::<bool>(), byte in any::<u8>()) {
            let mut line = format!("21509 (cat){REST}").into_bytes();
            let at = at % line.len();
            if cut { line.truncate(at) } else { line[at] = byte }
            let _ = Stat::parse(&line);
        }

        #[test]
        fn any_name_and_any_figures_are_read(
            name in proptest::collection::vec(any::<u8>(), 0..64),
            group in 0..i32::MAX,
            times in proptest::array::uniform4(0..u64::MAX / 8),
            threads in 0..1_000_000u64,
            size in any::<u64>(),
            resident in 0..i64::MAX as u64,
        ) {
            let mut line = b"77 (".to_vec();
            line.extend(&name);
            let [user, system, children_user, children_system] = times;
            line.extend(
                format!(
                    ") S 1 {group} 1 0 -1 0 0 0 0 0 {user} {system} {children_user} {children_system} 20 0 {threads} 0 9 {size} {resident} 0 0"
                )
                .bytes(),
            );
            let expected = Stat {
                state: b'S',
                group,
                ticks: times.iter().sum(),
                threads,
                address_space: size,
                resident_pages: resident,
            };
            prop_assert_eq!(Stat::parse(&line), Some(expected));
        }
    }
}
