//! wordcount is held to `wc -w`, to its header and to what it promises of files that it cannot count.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wordcount");

/// What a run printed.
pub(crate) struct Printed {
    pub(crate) top: Vec<(u64, String)>,
    totals: HashMap<String, u64>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Printed {
    pub(crate) fn of(output: Output) -> Self {
        let stdout = String::from_utf8(output.stdout).unwrap();
        let mut lines = stdout.lines().map(str::split_whitespace);
        let mut top = Vec::new();
        let mut totals = HashMap::new();
        for mut words in &mut lines {
            let (Some(first), Some(second)) = (words.next(), words.next()) else { continue };
            match (first.parse(), second.parse()) {
                (Ok(count), _) => top.push((count, second.to_owned())),
                (_, Ok(total)) => drop(totals.insert(first.to_owned(), total)),
                _ => {}
            }
        }
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { top, totals, stdout, stderr, code: output.status.code() }
    }

    pub(crate) fn total(&self, name: &str) -> u64 {
        *self.totals.get(name).unwrap_or_else(|| panic!("no total `{name}` in\n{}\n{}", self.stdout, self.stderr))
    }
}

fn count(path: &Path) -> Printed {
    count_in("C.UTF-8", path)
}

fn count_in(locale: &str, path: &Path) -> Printed {
    Printed::of(Command::new(PROGRAM).arg(path).env("LC_ALL", locale).output().unwrap())
}

fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

#[test]
fn prints_what_its_header_says() {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/wordcount/main.rs")).unwrap();
    assert!(source.contains("//! cargo run --release -p dms-examples --bin wordcount -- PATH\n"));
    let directory = tree(&[("a", b"same same")]);
    let printed = count(directory.path());
    crate::header::check(&source, &printed.stdout);
    assert_eq!(printed.stderr, "");
    assert_eq!(printed.code, Some(0));
}

#[test]
fn counts_each_word_and_shows_the_most_frequent() {
    let mut text = String::new();
    let mut expected = Vec::new();
    for number in 0..300_u64 {
        // Longer than what is compared as a number, and shorter.
        let word = if number % 2 == 0 { format!("word-number-{number}") } else { format!("w{number}") };
        text.extend(std::iter::repeat_n(format!("{word} \n"), usize::try_from(number + 1).unwrap()));
        expected.push((number + 1, word));
    }
    expected.reverse();
    let directory = tree(&[("a/one", text.as_bytes()), ("b/two", text.as_bytes()), ("three", b"")]);
    let printed = count(directory.path());
    let top: Vec<_> = expected[..20].iter().map(|(count, word)| (2 * count, word.clone())).collect();
    assert_eq!(printed.top, top);
    assert_eq!(printed.total("words"), 300 * 301);
    assert_eq!(printed.total("distinct"), 300);
    assert_eq!(printed.total("files"), 3);
    assert_eq!(printed.total("bytes"), 2 * text.len() as u64);
}

#[test]
fn a_single_file_is_counted() {
    let directory = tree(&[("a.txt", b"one two"), ("b.txt", b"three")]);
    let printed = count(&directory.path().join("a.txt"));
    assert_eq!((printed.total("files"), printed.total("words")), (1, 2));
}

#[test]
fn an_empty_directory_has_no_words() {
    let directory = tempfile::tempdir().unwrap();
    let printed = count(directory.path());
    assert_eq!((printed.total("files"), printed.total("words"), printed.code), (0, 0, Some(0)));
    assert_eq!(printed.top, []);
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing");
    let printed = count(&path);
    assert_eq!(printed.code, Some(2));
    assert_eq!(printed.stdout, "");
    assert!(printed.stderr.starts_with(&format!("wordcount: {}: ", path.display())), "{}", printed.stderr);
}

#[test]
fn what_git_ignores_is_left_out_and_hidden_files_are_not() {
    let directory = tree(&[
        (".gitignore", b"ignored/\n*.log\n"),
        ("ignored/a", b"one two"),
        ("b.log", b"three"),
        ("sub/.gitignore", b"!kept.log\n"),
        ("sub/kept.log", b"four"),
        (".git/config", b"five"),
        (".hidden", b"six"),
    ]);
    let printed = count(directory.path());
    // Both `.gitignore` (2 words and 1), `kept.log` and `.hidden`.
    assert_eq!((printed.total("files"), printed.total("words")), (4, 5));
}

#[test]
fn binary_files_are_named_and_not_counted() {
    let (mut head, mut behind) = (vec![b'a'; 10_000], vec![b'a'; 10_000]);
    head[8 * 1024 - 1] = 0;
    behind[8 * 1024] = 0;
    let directory = tree(&[("head", &head), ("behind", &behind), ("text", b"one")]);
    let printed = count(directory.path());
    assert_eq!((printed.total("files"), printed.total("words"), printed.total("binary")), (2, 2, 1));
    let head = directory.path().join("head");
    assert_eq!(printed.stderr, format!("wordcount: skipped {}: binary\n", head.display()));
    assert_eq!(printed.code, Some(0));
}

/// The tests that need a unix: its `wc`, its signals, its permissions.
#[cfg(unix)]
mod on_unix {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::wc;

    /// Whether to run what takes minutes.
    fn is_long() -> bool {
        std::env::var_os("DMS_LONG").is_some()
    }

    #[test]
    fn counts_the_words_of_this_repository_as_wc_does() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let listed = Command::new("git")
            .args(["-C", repository.to_str().unwrap(), "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate"])
            .output();
        let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
            eprintln!("not compared: this is not a git repository");
            return;
        };
        let files: Vec<_> = String::from_utf8(listed.stdout)
            .unwrap()
            .split_terminator('\0')
            .map(|name| repository.join(name))
            .filter(|path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()))
            .filter(|path| !is_binary(path))
            .collect();
        for locale in wc::locales() {
            // Somebody may be writing in it right now.
            let is_same = || {
                let (ours, theirs) = (count_in(locale, repository).total("words"), wc::words(locale, &files));
                eprintln!("{locale}: {ours} words, wc -w says {theirs}");
                ours == theirs
            };
            assert!((0..5).any(|_| is_same()), "wordcount and wc -w differ");
        }
    }

    fn is_binary(path: &Path) -> bool {
        let mut head = Vec::new();
        File::open(path).unwrap().take(8 * 1024).read_to_end(&mut head).unwrap();
        head.contains(&0)
    }

    #[test]
    fn counts_the_words_of_nasty_files_as_wc_does() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let sizes = [0, 1, 2, 3, 100, 8_191, 8_192, 8_193, 262_143, 262_144, 262_145, 262_147, 600_000];
        for (number, size) in sizes.into_iter().cycle().take(if is_long() { 1_000 } else { 65 }).enumerate() {
            let path = directory.path().join(number.to_string());
            fs::write(&path, nasty(&mut random, size)).unwrap();
            files.push(path);
        }
        if !wc::ignores_the_unprintable() {
            eprintln!("not compared: this wc takes the unprintable for words");
            return;
        }
        for locale in wc::locales() {
            for file in &files {
                let (ours, theirs) =
                    (count_in(locale, file).total("words"), wc::words(locale, std::slice::from_ref(file)));
                let size = file.metadata().unwrap().len();
                assert_eq!(ours, theirs, "in {locale}, file {} of {size} bytes", file.display());
            }
            let all = count_in(locale, directory.path());
            assert_eq!(all.total("words"), wc::words(locale, &files), "in {locale}, all files");
        }
    }

    /// Text of spaces of all kinds, words of all kinds, and what is neither.
    fn nasty(random: &mut Random, size: usize) -> Vec<u8> {
        const SPACES: &[&[u8]] = &[b" ", b"\n", b"\t", b"\x0b", b"\x0c", b"\r", b"\r\n", b"  "];
        const WORDS: &[&[u8]] = &[
            b"a",
            b"words",
            b"a-longer-word",
            "\u{e9}".as_bytes(),
            "ж".as_bytes(),
            "世界".as_bytes(),
            "😀".as_bytes(),
            "\u{ad}".as_bytes(),
            "\u{feff}".as_bytes(),
            "\u{200b}".as_bytes(),
            "\u{301}".as_bytes(),
            "\u{e000}".as_bytes(),
        ];
        const WIDE_SPACES: &[&[u8]] = &[
            "\u{a0}".as_bytes(),
            "\u{1680}".as_bytes(),
            "\u{2003}".as_bytes(),
            "\u{2007}".as_bytes(),
            "\u{202f}".as_bytes(),
            "\u{205f}".as_bytes(),
            "\u{2060}".as_bytes(),
            "\u{3000}".as_bytes(),
            "\u{2028}".as_bytes(),
            "\u{2029}".as_bytes(),
            "\u{85}".as_bytes(),
        ];
        // Control characters, broken and overlong sequences, a surrogate, what is beyond Unicode.
        const NEITHER: &[&[u8]] = &[
            b"\x01",
            b"\x08",
            b"\x0e",
            b"\x1b",
            b"\x7f",
            b"\x80",
            b"\xa0",
            b"\xc3",
            b"\xe2\x80",
            b"\xf0\x9f\x98",
            b"\xff",
            b"\xc0\xa0",
            b"\xe0\x80\xa0",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc2",
            b"\xe3\x80",
        ];
        // One file is mostly words, another has hardly any space.
        let weights = [random.below(40), 1 + random.below(40), random.below(10), random.below(20)];
        let kinds = [SPACES, WORDS, WIDE_SPACES, NEITHER];
        let mut text = Vec::with_capacity(size + 16);
        while text.len() < size {
            let mut at = random.below(weights.iter().sum());
            for (kind, weight) in kinds.iter().zip(weights) {
                if at < weight {
                    text.extend_from_slice(kind[random.below(kind.len())]);
                    break;
                }
                at -= weight;
            }
            // Behind the head a NUL does not make a file binary.
            if text.len() > 8 * 1024 && random.below(1_000) == 0 {
                text.push(0);
            }
        }
        text.truncate(size);
        text
    }

    #[test]
    fn unreadable_files_are_named_and_the_rest_is_counted() {
        let directory = tree(&[("closed/a", b"one"), ("secret", b"two three"), ("open", b"four")]);
        // Nothing is closed to root, so that the program runs as somebody else then; there it must be where it can be
        // reached.
        let program = directory.path().join("wordcount");
        fs::copy(PROGRAM, &program).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (secret, closed) = (directory.path().join("secret"), directory.path().join("closed"));
        mode(directory.path(), 0o755);
        mode(&secret, 0o000);
        mode(&closed, 0o000);
        let mut command = Command::new(&program);
        command.arg(directory.path());
        if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
            command.uid(65_534);
        }
        let printed = Printed::of(command.output().unwrap());
        mode(&closed, 0o755);

        assert_eq!((printed.total("files"), printed.total("words"), printed.total("unreadable")), (1, 1, 2));
        for path in [&secret, &closed] {
            let line = format!("wordcount: skipped {}: permission denied", path.display()).to_lowercase();
            assert!(printed.stderr.to_lowercase().contains(&line), "no `{line}` in\n{}", printed.stderr);
        }
        assert_eq!(printed.code, Some(1));
    }

    #[test]
    fn ctrl_c_ends_the_reading_and_prints_what_has_been_counted() {
        // Words of eight bytes, so that the bytes that were read say how many words there were. With the links it is
        // 16 GiB.
        let directory = tree(&[("0", "sevenby\n".repeat(1 << 19).as_bytes())]);
        for number in 1..4_000 {
            fs::hard_link(directory.path().join("0"), directory.path().join(number.to_string())).unwrap();
        }
        for number in 0..200 {
            fs::write(directory.path().join(format!("binary-{number}")), [0]).unwrap();
        }
        let printed = interrupt(directory.path());
        assert!(printed.total("files") < 4_000);
        // Nothing that was counted is lost.
        let words = printed.total("words");
        assert!(words > 0);
        assert_eq!(words * 8, printed.total("bytes"));
        assert_eq!(printed.top, [(words, "sevenby".to_owned())]);
    }

    #[test]
    fn ctrl_c_ends_the_reading_of_a_file() {
        let directory = tree(&[("binary", &[0])]);
        // Behind its first words it is a hole, in which there are none.
        let mut large = File::create(directory.path().join("large")).unwrap();
        large.write_all("sevenby\n".repeat(2_000).as_bytes()).unwrap();
        large.set_len(1 << 38).unwrap();
        let printed = interrupt(directory.path());
        assert_eq!((printed.total("files"), printed.total("words"), printed.total("binary")), (0, 2_000, 1));
        assert!(printed.stdout.contains("\ninterrupted: 1 "), "{}", printed.stdout);
    }

    /// Presses Ctrl-C when the program is at work: when it has named a binary file, and has read some MiB.
    fn interrupt(path: &Path) -> Printed {
        let mut child = Command::new(PROGRAM).arg(path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut String::new()).unwrap();
        while bytes_read(child.id()) < 4 << 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let interrupted = Instant::now();
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let printed = Printed::of(child.wait_with_output().unwrap());
        assert!(interrupted.elapsed() < Duration::from_secs(10), "it took {:?} to end", interrupted.elapsed());
        assert_eq!(printed.code, Some(130), "{}\n{rest}", printed.stdout);
        assert!(printed.stdout.contains("\ninterrupted: "), "{}", printed.stdout);
        printed
    }

    /// How many bytes a process has read so far; that is known on Linux only, and taken to be enough elsewhere.
    fn bytes_read(pid: u32) -> u64 {
        let Ok(counts) = fs::read_to_string(format!("/proc/{pid}/io")) else { return u64::MAX };
        counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
    }

    #[test]
    fn memory_stays_flat() {
        let size = if is_long() { 1 << 30 } else { 1 << 26 };
        // One file, and links to another: as if there were as much of each.
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random(1);
        fs::write(directory.path().join("0"), text(&mut random, 1 << 22, 1_000)).unwrap();
        for number in 1..size >> 22 {
            fs::hard_link(directory.path().join("0"), directory.path().join(number.to_string())).unwrap();
        }
        let (printed, most) = watch(directory.path());
        assert_eq!(printed.total("bytes"), size);
        eprintln!("{} MiB of 1,000 words: {} MiB of memory at most", size >> 20, most >> 20);
        assert!(most < 40 << 20, "{} MiB", most >> 20);
    }

    /// The figures of the header.
    #[test]
    fn a_gibibyte_of_prose_takes_its_vocabulary_and_little_more() {
        if !is_long() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let mut random = Random(2);
        let mut files = vec![directory.path().join("large")];
        fs::write(&files[0], text(&mut random, 1 << 28, u64::MAX)).unwrap();
        for number in 0..768 {
            files.push(directory.path().join(number.to_string()));
            fs::write(&files[number + 1], text(&mut random, 1 << 20, u64::MAX)).unwrap();
        }
        let begun = Instant::now();
        let (printed, most) = watch(directory.path());
        let ours = begun.elapsed();
        let begun = Instant::now();
        let words = wc::words("C.UTF-8", &files);
        eprintln!("{}{} MiB of memory at most, {ours:.1?}; wc -w: {:.1?}", printed.stdout, most >> 20, begun.elapsed());
        assert_eq!(printed.total("words"), words);
        assert!(most < 256 << 20);
    }

    /// Prose-like text: the first 8,000 words as frequent as Zipf's law says, the others as rare as in natural
    /// languages.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is a small number")]
    fn text(random: &mut Random, size: usize, vocabulary: u64) -> Vec<u8> {
        const KERNEL: f64 = 8_000.0;
        const TAIL: f64 = 0.7;
        let (within, beyond) = (KERNEL.ln(), 1.0 / TAIL);
        let mut text = Vec::with_capacity(size + 64);
        let mut words = 0;
        while text.len() < size {
            let at = random.fraction() * (within + beyond);
            let rank =
                if at < within { at.exp() } else { KERNEL * ((at - within) / beyond).max(1e-9).powf(-1.0 / TAIL) };
            let mut rank = rank as u64 % vocabulary;
            loop {
                text.push(b"bcdfghklmnprstvwzjqx"[(rank % 20) as usize]);
                text.push(b"aeiou"[(rank / 20 % 5) as usize]);
                rank /= 100;
                if rank == 0 {
                    break;
                }
            }
            words += 1;
            if random.below(9) == 0 {
                text.push(b',');
            }
            text.push(if words % 13 == 0 { b'\n' } else { b' ' });
        }
        text.truncate(size);
        text
    }

    /// Runs wordcount and watches how much memory it takes at most; that is known on Linux only.
    fn watch(path: &Path) -> (Printed, u64) {
        let child = Command::new(PROGRAM).arg(path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut most = 0;
        let mut child = Some(child);
        loop {
            let running = child.as_mut().unwrap();
            most = most.max(memory(running));
            if running.try_wait().unwrap().is_some() {
                let output = child.take().unwrap().wait_with_output().unwrap();
                return (Printed::of(output), most);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn memory(child: &Child) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1024
    }

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, limit: usize) -> usize {
            (self.next() >> 11) as usize % limit
        }

        fn fraction(&mut self) -> f64 {
            f64::from(u32::try_from(self.next() >> 32).unwrap()) / f64::from(u32::MAX)
        }
    }
}
