//! Has valgrind count the instructions of a process.

use std::io;
use std::path::Path;
use std::process::Command;

/// The instructions of a process from its start to its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Those of the program itself.
    pub(crate) own: u64,
    /// Those of the shared libraries it calls, the C library above all.
    pub(crate) libraries: u64,
}

/// Runs `program` with `arguments` in valgrind, and counts.
pub(crate) fn count(program: &Path, arguments: &[&str]) -> Result<Spent, String> {
    let mut valgrind = Command::new("valgrind");
    // Nothing but this command line counts: no `.valgrindrc`, no variable.
    valgrind.args(["--command-line-only=yes", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    // The operations print nothing themselves, so there is no file to remove.
    valgrind.arg("--callgrind-out-file=/dev/stdout").arg(program).args(arguments);
    let output = valgrind.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no valgrind: run `apt-get install valgrind` or `dnf install valgrind`".into()
        }
        _ => format!("valgrind does not start: {error}"),
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{arguments:?}` in valgrind: {}\n{said}", output.status));
    }
    Spent::of(&text, &program.to_string_lossy())
}

impl Spent {
    /// Reads what callgrind wrote of `program`.
    ///
    /// Lines of costs are `position instructions`; the one after a `calls=` is what the called function did, which stands in its own
    /// lines too. `ob=` names the file that the following costs belong to.
    fn of(text: &str, program: &str) -> Result<Self, String> {
        let mut spent = Self::default();
        let mut is_own = false;
        let mut is_callee = false;
        for line in text.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                is_own = object == program;
            } else if line.starts_with("calls=") {
                is_callee = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit()) && !std::mem::take(&mut is_callee) {
                let instructions = line.split_once(' ').and_then(|(_, cost)| cost.trim().parse::<u64>().ok());
                let instructions =
                    instructions.ok_or_else(|| format!("callgrind wrote `{line}`, which is not known"))?;
                *if is_own { &mut spent.own } else { &mut spent.libraries } += instructions;
            }
        }
        let total = text.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
        if total != Some(spent.own + spent.libraries) || spent.own == 0 {
            return Err(format!("callgrind's summary is {total:?}, and its lines give {spent:?}"));
        }
        Ok(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# callgrind format
cmd:  /bin/program tell dms 10
positions: line
events: Ir
summary: 37

ob=/lib/libc.so.6
fl=malloc.c
fn=malloc
12 5
14 2
ob=/bin/program
fl=???
fn=main
0 20
cob=/lib/libc.so.6
cfi=malloc.c
cfn=malloc
calls=1 12
0 7
0 10
totals: 37
";

    #[test]
    fn what_a_call_costs_counts_once_and_where_it_is_spent() {
        assert_eq!(Spent::of(TEXT, "/bin/program"), Ok(Spent { own: 30, libraries: 7 }));
    }

    #[test]
    fn a_format_that_is_not_understood_is_an_error() {
        assert!(Spent::of(&TEXT.replace("summary: 37", "summary: 44"), "/bin/program").is_err());
        assert!(Spent::of(TEXT, "/bin/other").is_err());
        assert!(Spent::of("", "/bin/program").is_err());
    }
}
