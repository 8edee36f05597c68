//! `supervisor` is held to its header, to the order in which it starts and stops, to what it does when a process fails, and to what it draws on a terminal.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
use rustix::process::{Pid, Signal, kill_process, test_kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, LocalModes, Winsize, tcflow, tcgetattr, tcsetwinsize};
use tempfile::NamedTempFile;

const PROGRAM: &str = env!("CARGO_BIN_EXE_supervisor");

/// A file that holds `text`.
fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// A process of a file that is a script of the shell.
fn script(id: &str, script: &str, settings: &str) -> String {
    format!("[[process]]\nid = \"{id}\"\ncommand = \"sh\"\nargs = [\"-c\", '''{script}''']\n{settings}\n")
}

/// A run of which the news go through a pipe.
struct Run {
    child: Child,
    /// What it runs, for as long as it does.
    _file: NamedTempFile,
    /// What it has printed so far.
    printed: String,
}

/// What is left of a run.
struct Ended {
    printed: String,
    code: Option<i32>,
}

impl Run {
    fn new(text: &str) -> Self {
        let file = file(text);
        let mut command = Command::new(PROGRAM);
        // What does not come ends the test, and does not hold it up.
        let command = command.arg(file.path()).args(["--seconds", "100"]).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, _file: file, printed: String::new() }
    }

    /// Reads on until `wanted` has been printed in one line.
    fn read_until(mut self, wanted: &str) -> Self {
        let mut output = BufReader::with_capacity(1, self.child.stdout.as_mut().unwrap());
        loop {
            let begin = self.printed.len();
            let is_over = output.read_line(&mut self.printed).unwrap() == 0;
            assert!(!is_over, "no {wanted:?} in\n{}", self.printed);
            if self.printed[begin..].contains(wanted) {
                return self;
            }
        }
    }

    /// Reads on until all of these have been printed, in whichever order.
    fn read_all(mut self, wanted: &[&str]) -> Self {
        for wanted in wanted {
            if !self.printed.lines().any(|line| line.contains(wanted)) {
                self = self.read_until(wanted);
            }
        }
        self
    }

    fn signal(self, signal: Signal) -> Self {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    /// Waits for the end; nothing that was started is left then.
    fn end(mut self) -> Ended {
        self.child.stdout.take().unwrap().read_to_string(&mut self.printed).unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{}", self.printed);
        for pid in pids(&self.printed) {
            is_gone(pid);
        }
        Ended { printed: self.printed, code: output.status.code() }
    }
}

/// The numbers of all processes that came up; each leads a group.
fn pids(printed: &str) -> Vec<i32> {
    let pids = printed.lines().filter_map(|line| line.split_once(": up, pid ")?.1.trim().parse().ok());
    pids.collect()
}

/// That no process of the group is left. One that has lost its parent may still wait for the system to bury it.
fn is_gone(pid: i32) {
    let since = Instant::now();
    while test_kill_process_group(Pid::from_raw(pid).unwrap()).is_ok() {
        assert!(since.elapsed() < Duration::from_secs(20), "something of group {pid} is left");
        std::thread::yield_now();
    }
}

impl Ended {
    /// Where the line begins that contains this.
    fn position(&self, wanted: &str) -> usize {
        self.printed.find(wanted).unwrap_or_else(|| panic!("no {wanted:?} in\n{}", self.printed))
    }

    /// That these were printed in this order.
    fn has_in_order(&self, wanted: &[&str]) {
        let positions: Vec<_> = wanted.iter().map(|wanted| self.position(wanted)).collect();
        assert!(positions.is_sorted(), "{wanted:?} come in another order in\n{}", self.printed);
    }

    /// What is said at the end of a process.
    fn last_of(&self, id: &str) -> &str {
        let last = self.printed.lines().rev().find_map(|line| line.strip_prefix(id)).unwrap_or_default();
        last.trim_start()
    }
}

#[test]
fn prints_what_its_header_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let source = fs::read_to_string(format!("{folder}src/bin/supervisor/main.rs")).unwrap();
    assert!(source.contains("//! cargo run --release -p dms-examples --bin supervisor -- FILE.toml [--seconds N]"));
    let sample = fs::read_to_string(format!("{folder}supervisor.toml")).unwrap();
    // Its port may be taken on this machine.
    let held = taken_port();
    let port = held.local_addr().unwrap().port();
    let run = Run::new(&sample.replace("48613", &port.to_string()));
    let run = run.read_all(&["crasher: given up", "hog: given up", "web | Serving", "clock | tick"]);
    let ended = run.signal(Signal::INT).end();
    let (says, is) = (in_turn(&shown(&source)), in_turn(&ended.printed));
    let says: String = says.lines().flat_map(|line| ["//! ", line, "\n"]).collect();
    crate::header::check(&format!("//! ```text\n{says}//! ```\n"), &is);
    assert_eq!(ended.code, Some(1));
}

/// A port that nobody else gets: it is taken by a socket that does not listen, and leaves it to who asks for it by its number, as the server does.
fn taken_port() -> TcpListener {
    let held = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_reuseaddr(&held, true).unwrap();
    bind(&held, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    TcpListener::from(held)
}

/// What the header shows.
fn shown(source: &str) -> String {
    let lines = source.lines().skip_while(|line| *line != "//! ```text").skip(1).take_while(|line| *line != "//! ```");
    lines.flat_map(|line| [line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default(), "\n"]).collect()
}

/// Until it is stopped, what happens to one process is in no order to what happens to the others: first all of one. How near a limit is seen is left to chance.
fn in_turn(printed: &str) -> String {
    let at = printed.find("SIGINT").map_or(0, |at| printed[..at].rfind('\n').unwrap_or_default() + 1);
    let (before, after) = printed.split_at(at);
    let mut lines: Vec<_> = before.lines().filter(|line| !line.contains(" in use")).collect();
    // What a process writes comes by another way than what becomes of it.
    let process = |line: &&str| {
        let what = line.split(" s   ").nth(1).unwrap_or_default();
        (what.split([':', ' ']).next().unwrap_or_default().to_owned(), what.contains(" | "))
    };
    lines.sort_by_key(process);
    lines.into_iter().chain(after.lines()).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn a_process_starts_when_those_that_it_depends_on_are_up() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let health = format!(
        "health = {{ command = [\"test\", \"-e\", \"{}\"], every = \"20ms\", start_period = \"1h\" }}",
        ready.display()
    );
    let look = format!("test -e '{}' && echo after it || echo before it; exec sleep 1000", ready.display());
    let file = [
        script("api", &look, "depends = [\"db\", \"job\"]"),
        script("db", "echo begun; exec sleep 1000", &health),
        script("job", "echo done", ""),
    ];
    let run = Run::new(&file.concat()).read_all(&["db | begun", "job: exited with 0"]);
    fs::write(&ready, "").unwrap();
    let ended = run.read_until("api | ").signal(Signal::INT).end();
    ended.has_in_order(&["db | begun", "db: up, pid ", "api: up, pid ", "api | after it"]);
    assert_eq!((ended.last_of("job"), ended.code), ("exited with 0", Some(0)));
}

#[test]
fn what_depends_on_a_process_that_fails_is_not_started_and_the_others_go_on() {
    // It is not up before its first check, and fails before that.
    let file = [
        script("db", "exit 4", "health = { command = [\"false\"], every = \"1h\" }"),
        script("other", "exec sleep 1000", ""),
        script("api", "exec sleep 1000", "depends = [\"db\"]"),
        script("web", "exec sleep 1000", "depends = [\"api\"]"),
    ];
    let run = Run::new(&file.concat()).read_all(&["web: was not started", "other: up"]);
    let ended = run.signal(Signal::TERM).end();
    assert!(ended.last_of("api").ends_with("was not started: it depends on `db`, which failed"), "{}", ended.printed);
    assert!(ended.last_of("web").ends_with("was not started: it depends on `api`, which failed"), "{}", ended.printed);
    assert!(ended.last_of("db").contains("exited with 4"), "{}", ended.printed);
    assert_eq!((ended.last_of("other"), ended.code), ("was ended by SIGTERM", Some(1)));
}

#[test]
fn a_process_that_fails_is_started_again_with_delays_until_it_is_given_up_and_the_others_go_on() {
    let settings = "restart = { policy = \"on_failure\", max_restarts = 2, within = \"1h\", delay = \"20ms\", longest_delay = \"1s\" }";
    let file = [script("stays", "exec sleep 1000", ""), script("crasher", "echo out of luck >&2; exit 3", settings)];
    let ended = Run::new(&file.concat()).read_until("crasher: given up after 3 starts").signal(Signal::INT).end();
    let count = |text| ended.printed.matches(text).count();
    assert_eq!(count("crasher: up, pid "), 3, "{}", ended.printed);
    assert_eq!(count("exited with 3; it said: out of luck"), 3 + 1, "{}", ended.printed);
    assert_eq!(count("crasher: starts again in "), 2, "{}", ended.printed);
    assert_eq!(count("stays: up, pid "), 1, "it had nothing to do with it: {}", ended.printed);
    assert!(ended.last_of("crasher").ends_with(" (3 starts)"), "{}", ended.printed);
    assert_eq!((ended.last_of("stays"), ended.code), ("was ended by SIGTERM", Some(1)));
}

#[test]
fn ctrl_c_stops_all_in_the_opposite_order_and_their_children_too() {
    let family = "sleep 1000 & exec sleep 1000";
    let file = [
        script("third", family, "depends = [\"second\"]"),
        script("second", family, "depends = [\"first\"]"),
        script("first", family, ""),
    ];
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let ended = Run::new(&file.concat()).read_until("third: up").signal(signal).end();
        ended.has_in_order(&["first: up", "second: up", "third: up", ": stopping all"]);
        let stops = [
            "third: stopping",
            "third: was ended",
            "second: stopping",
            "second: was ended",
            "first: stopping",
            "first: was ended",
        ];
        ended.has_in_order(&stops);
        assert_eq!(ended.code, Some(0), "{}", ended.printed);
    }
}

#[test]
fn a_second_ctrl_c_kills_at_once_what_does_not_stop() {
    let deaf = "trap '' TERM; echo deaf; while :; do sleep 1; done";
    let file = [script("deaf", deaf, "grace = \"60s\""), script("deafer", deaf, "grace = \"60s\"")];
    let run = Run::new(&file.concat()).read_all(&["deaf | deaf", "deafer | deaf"]);
    let ended = run.signal(Signal::INT).read_until("deafer: stopping").signal(Signal::INT).end();
    assert_eq!((ended.last_of("deaf "), ended.last_of("deafer")), ("was ended by SIGKILL", "was ended by SIGKILL"));
}

#[test]
fn a_process_that_does_not_stop_is_killed_when_its_grace_has_passed() {
    let run = Run::new(&script("deaf", "trap '' TERM; echo deaf; while :; do sleep 1; done", "grace = \"100ms\""));
    let ended = run.read_until("deaf | deaf").signal(Signal::INT).end();
    assert_eq!(ended.last_of("deaf"), "was ended by SIGKILL, as its grace had passed");
}

#[test]
fn a_process_over_its_limit_is_ended_and_told_with_both_figures() {
    let hog = "import time; hoard = [(b'x' * (1 << 20), time.sleep(0.002)) for _ in range(10000)]";
    let file = format!(
        "[[process]]\nid = \"hog\"\ncommand = \"python3\"\nargs = [\"-c\", \"{hog}\"]\n\
         limits = {{ memory = \"64MiB\" }}\nsample_every = \"20ms\"\n"
    );
    let ended = Run::new(&file).end();
    let last = ended.last_of("hog");
    assert!(last.contains("64MiB") && last.contains("memory"), "{}", ended.printed);
    assert!(ended.printed.contains("hog: given up after 1 start\n"), "{}", ended.printed);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn it_ends_by_itself_when_nothing_is_left_to_look_after() {
    let mut command = Command::new(PROGRAM);
    let file = file(&(script("a", "echo hello", "") + &script("b", "exit 0", "depends = [\"a\"]")));
    let output = command.arg(file.path()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("a | hello") && printed.ends_with("\na           exited with 0\nb           exited with 0\n"),
        "{printed}"
    );
    assert!(output.status.success());
}

#[test]
fn the_time_can_be_bounded() {
    let file = file(&script("a", "exec sleep 1000", ""));
    let output = Command::new(PROGRAM).arg(file.path()).args(["--seconds", "0.1"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("the time is over: stopping all"), "{printed}");
    assert!(output.status.success());
}

#[test]
fn it_goes_on_when_nobody_reads_what_it_prints() {
    let mut run = Run::new(&script("a", "while :; do echo more; done", "")).read_until("a | more");
    let pids = pids(&run.printed);
    drop(run.child.stdout.take());
    run = run.signal(Signal::TERM);
    assert!(run.child.wait().unwrap().success());
    pids.into_iter().for_each(is_gone);
}

#[test]
fn it_stops_them_when_what_it_prints_is_not_taken() {
    let run = Run::new(&script("a", "while :; do echo more; done", "")).read_until(": up").signal(Signal::TERM);
    // It has more to say than there is room for in the pipe.
    pids(&run.printed).into_iter().for_each(is_gone);
    assert_eq!(run.end().code, Some(0));
}

#[test]
fn wrong_arguments_are_told() {
    for (arguments, told) in [
        (&[][..], "which file?"),
        (&["a.toml", "--minutes"], "unknown argument `--minutes`"),
        (&["a.toml", "b.toml"], "`b.toml` is another"),
        (&["a.toml", "--seconds"], "`--seconds` wants a number"),
        (&["a.toml", "--seconds", "-1"], "`--seconds -1`"),
        (&["a.toml", "--seconds", "soon"], "`--seconds soon`"),
        (&["/nowhere/a.toml"], "/nowhere/a.toml: No such file"),
    ] {
        let (errors, output) = refused(Command::new(PROGRAM).args(arguments));
        assert!(errors.contains(told), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

/// What is said by a run that comes to nothing.
fn refused(command: &mut Command) -> (String, Output) {
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    (errors, output)
}

#[test]
fn a_wrong_file_is_told_with_the_line_and_what_to_do_and_nothing_is_started() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("started");
    let first = script("first", &format!("touch {}", mark.display()), "");
    for (line, told) in [
        ("comand = \"sh\"", ":7: unknown field `comand`, expected one of `id`, `command`, "),
        ("id = 'a'", ":6: missing field `command`"),
        (
            "id = 'a'\ncommand = 'sh'\ndepends = ['b']",
            ":9: `a` depends on `b`, which is not there; there are: first, a",
        ),
        ("id = 'a'\ncommand = 'sh'\ndepends = ['a']", ":9: `a` depends on itself; take that out"),
        ("id = 'first'\ncommand = 'sh'", ":7: `first` is the id of the process at "),
        ("id = 'a b'\ncommand = 'sh'", ":7: \"a b\" cannot be an id; write letters, digits, "),
        (
            "id = 'a'\ncommand = 'sh'\ndepends = ['b']\n[[process]]\nid = 'b'\ncommand = 'sh'\ndepends = ['a']",
            ":7: none of these can start first: `a` depends on `b` depends on `a`; take one of the dependencies out",
        ),
        (
            "id = 'a'\ncommand = 'nosuchprogram'",
            ":8: process `a` was not spawned: there is no program nosuchprogram in ",
        ),
        ("id = 'a'\ncommand = '/nowhere/sh'", ":8: process `a` was not spawned: there is no program /nowhere/sh"),
        (
            "id = 'a'\ncommand = '/etc/passwd'",
            ":8: process `a` was not spawned: /etc/passwd may not be run; see that it is ",
        ),
        (
            "id = 'a'\ncommand = 'sh'\ncurrent_dir = '/nowhere'",
            ":8: process `a` was not spawned: its working directory /nowhere cannot be ",
        ),
        (
            "id = 'a'\ncommand = 'sh'\nuser = 'nosuchuser'",
            ":8: process `a` was not spawned: /etc/passwd knows no user `nosuchuser`",
        ),
        ("id = 'a'\ncommand = 'sh'\ngrace = 'soon'", ":9: "),
        ("id = 'a'\ncommand = 'sh'\nrestart = 'often'", ":9: "),
        ("id = 'a'\ncommand = 'sh'\nlimits = { memory = 'much' }", ":9: "),
        (
            "id = 'a'\ncommand = 'sh'\nlimits = { memroy = '1MiB' }",
            ":9: unknown field `memroy`, expected one of `memory`",
        ),
        ("id = 'a'\ncommand = 'sh'\nhealth = { every = '1s' }", ":9: "),
        ("id = 'a'\nid = 'a'", ":8: duplicate key"),
        ("id = 'a", ":7: "),
    ] {
        let file = file(&format!("{first}[[process]]\n{line}\n"));
        let (errors, _) = refused(Command::new(PROGRAM).arg(file.path()));
        let told = format!("{}{told}", file.path().display());
        assert!(errors.contains(&told), "no {told:?} in {errors}");
    }
    assert!(!mark.exists(), "something was started");
}

/// A terminal, and what is drawn on it.
struct Screen {
    terminal: File,
    drawn: String,
}

impl Screen {
    /// A run on a terminal of its own, which it gets Ctrl-C from; and the terminal's other end.
    fn run(file: &Path, rows: u16, columns: u16) -> (Self, Child, File) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        // Who runs on a terminal does not hold its other end.
        fcntl_setfd(&master, FdFlags::CLOEXEC).unwrap();
        let mut screen = Self { terminal: File::from(master), drawn: String::new() };
        screen.resize(rows, columns);
        let end = || OwnedFd::from(slave.try_clone().unwrap());
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", PROGRAM])
            .arg(file)
            .args(["--seconds", "100"])
            .stdin(end())
            .stdout(end())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        (screen, child, slave)
    }

    fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.terminal, size).unwrap();
    }

    /// Reads on until a whole frame is such.
    fn read_until(&mut self, what: &str, is_it: impl Fn(&[&str]) -> bool) {
        let mut bytes = [0; 4096];
        let from = self.drawn.rfind("\x1b[H").unwrap_or_default();
        loop {
            let frames: Vec<_> = self.drawn[from..].split("\x1b[H").skip(1).collect();
            // The last one may not be whole yet.
            if let [.., frame, _] = frames[..]
                && is_it(&lines(frame))
            {
                return;
            }
            let read = self.terminal.read(&mut bytes).unwrap();
            assert!(read > 0, "no {what} in {:?}", self.drawn);
            self.drawn.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// Reads on until this has been drawn.
    fn read_on(&mut self, wanted: &str) {
        let mut bytes = [0; 4096];
        while !self.drawn.contains(wanted) {
            let read = self.terminal.read(&mut bytes).unwrap();
            self.drawn.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }
}

/// The lines of a frame, as they are seen. Each is cleared first; but where Ctrl-C was pressed, the terminal has dropped what was not drawn yet.
fn lines(frame: &str) -> Vec<&str> {
    frame.split('\n').map(|line| line.trim_end().strip_prefix("\x1b[2K").unwrap_or_default()).collect()
}

/// The row of a process, by columns.
fn row<'a>(lines: &[&'a str], id: &str) -> Vec<&'a str> {
    let row = lines.iter().find_map(|line| line.strip_prefix(id)?.strip_prefix(' ')).unwrap_or_default();
    row.split_whitespace().collect()
}

#[test]
fn on_a_terminal_it_draws_a_table_and_leaves_the_terminal_as_it_was() {
    let settings = "restart = { policy = \"on_failure\", max_restarts = 1, within = \"1h\", delay = \"1h\", longest_delay = \"1h\" }";
    let file = file(
        &[
            script(
                "last",
                "echo a line of it; printf 'broken \\033[2J off\\n'; exec sleep 1000",
                "depends = [\"first\"]",
            ),
            script("first", "trap '' TERM; exec sleep 1000", "sample_every = \"20ms\"\ngrace = \"60s\""),
            script("crasher", "exit 3", settings),
        ]
        .concat(),
    );
    let (mut screen, mut child, slave) = Screen::run(file.path(), 24, 100);
    screen.read_until("all of them", |lines| {
        let (first, last, crasher) = (row(lines, "first"), row(lines, "last"), row(lines, "crasher"));
        let has_figures = first.len() >= 8 && first[..1] == ["idle"] && first[4] == "MiB" && first[5..7] == ["0", "0"];
        lines[0].starts_with("2 of 3 processes run ")
            && has_figures
            && last.first() == Some(&"idle")
            && crasher.first() == Some(&"backoff")
            && lines.iter().any(|line| line.ends_with("last | a line of it"))
            && lines.iter().any(|line| line.ends_with("last | broken  off"))
    });
    assert!(!tcgetattr(&slave).unwrap().local_modes.contains(LocalModes::ECHO), "what is typed does not garble it");

    // In a smaller window it is drawn anew, as far as it fits.
    for (height, width) in [(10, 60), (3, 12), (30, 200)] {
        screen.resize(height, width);
        screen.read_until("smaller frame", |lines| lines.len() == usize::from(height));
        screen
            .read_until("narrower frame", |lines| lines.iter().all(|line| line.chars().count() <= usize::from(width)));
    }

    // Ctrl-C comes from the terminal, as its key does.
    rustix::io::write(&screen.terminal, b"\x03").unwrap();
    screen.read_until("stop", |lines| {
        let asks = lines.iter().any(|line| line.ends_with("Ctrl-C kills those that are left"));
        asks && row(lines, "first").first() == Some(&"stopping") && row(lines, "last").first() == Some(&"ended")
    });
    rustix::io::write(&screen.terminal, b"\x03").unwrap();
    screen.read_on("crasher     exited with 3");
    let status = child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((errors.as_str(), status.code()), ("", Some(0)));
    let modes = tcgetattr(&slave).unwrap().local_modes;
    assert!(modes.contains(LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON), "it is as it was");
    let drawn = screen.drawn;
    let (before, after) = drawn.split_once("\x1b[?7h\x1b[?25h\x1b[?1049l").expect("the screen is given back");
    assert!(before.starts_with("\x1b[?1049h\x1b[?25l\x1b[?7l"), "it has a screen of its own");
    assert!(after.contains("first       was ended by SIGKILL"), "{after}");
    pids(before).into_iter().for_each(is_gone);
}

#[test]
fn it_stops_them_though_its_terminal_is_halted() {
    let said = NamedTempFile::new().unwrap();
    let more = format!("while :; do echo more >> '{}'; sleep 0.1; done", said.path().display());
    let file = file(&script("a", &more, ""));
    let (mut screen, mut child, slave) = Screen::run(file.path(), 24, 100);
    screen.read_on("a: up, pid ");
    screen.read_until("frame", |_| true);
    let pids = pids(&screen.drawn);
    assert!(!pids.is_empty());
    tcflow(&slave, Action::OOff).unwrap();
    // It has been halted for some frames.
    let count = || fs::read_to_string(said.path()).unwrap().lines().count();
    let before = count();
    while count() < before + 5 {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    pids.into_iter().for_each(is_gone);
    tcflow(&slave, Action::OOn).unwrap();
    screen.read_on("a           was ended by SIGTERM");
    assert!(child.wait().unwrap().success());
}
