//! What an example's header says that it prints.

/// Holds what was printed to the `text` block of the header. An `…` there stands for anything within a line.
pub(crate) fn check(source: &str, printed: &str) {
    let block: Vec<_> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| *line != "```text")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    let lines: Vec<_> = printed.lines().collect();
    let same = block.len() == lines.len() && block.iter().zip(&lines).all(|(says, is)| is_like(says, is));
    assert!(!block.is_empty() && same, "the header says\n{}\nbut it prints\n{printed}", block.join("\n"));
}

fn is_like(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn a_header_that_lies_is_found_out() {
    let source = "//! It prints\n//! ```text\n//! took … ms\n//!\n//! end\n//! ```\nfn main() {}\n";
    check(source, "took 7 ms\n\nend\n");
    for printed in ["took 7 s\n\nend\n", "took 7 ms\n\n", "took 7 ms\n\nend\nmore\n", ""] {
        assert!(std::panic::catch_unwind(|| check(source, printed)).is_err(), "{printed:?} passed");
    }
}
