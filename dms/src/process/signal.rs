//! What a process is told by number.

use std::fmt;
use std::str::FromStr;

/// A signal of the operating system, such as [`ProcessHandle::signal`](super::ProcessHandle::signal) sends.
///
/// ```
/// use dms::process::Signal;
///
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!("usr1".parse(), Ok(Signal::USR1));
/// assert!("SIGNAL".parse::<Signal>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signal(rustix::process::Signal);

/// Names each signal once: its constant, its text, its number.
macro_rules! signals {
    ($($name:ident = $raw:ident: $text:literal, $what:literal;)*) => {
        impl Signal {
            $(
                #[doc = $what]
                pub const $name: Self = Self(rustix::process::Signal::$raw);
            )*

            const NAMED: &[(Self, &str)] = &[$((Self::$name, $text)),*];
        }
    };
}

signals! {
    ABRT = ABORT: "SIGABRT", "`SIGABRT`: the program ended itself, as after a failed assertion.";
    ALRM = ALARM: "SIGALRM", "`SIGALRM`: a timer of the program's own.";
    BUS = BUS: "SIGBUS", "`SIGBUS`: memory that is not there was touched.";
    CHLD = CHILD: "SIGCHLD", "`SIGCHLD`: a child of the process changed.";
    CONT = CONT: "SIGCONT", "`SIGCONT`: goes on; what [`resume`](super::ProcessHandle::resume) sends.";
    FPE = FPE: "SIGFPE", "`SIGFPE`: an impossible calculation, such as a division by zero.";
    HUP = HUP: "SIGHUP", "`SIGHUP`: the terminal is gone; many daemons read their settings again.";
    ILL = ILL: "SIGILL", "`SIGILL`: an instruction that there is not.";
    INT = INT: "SIGINT", "`SIGINT`: Ctrl-C.";
    KILL = KILL: "SIGKILL", "`SIGKILL`: ends at once; no program can refuse it.";
    PIPE = PIPE: "SIGPIPE", "`SIGPIPE`: wrote where nobody reads any more.";
    QUIT = QUIT: "SIGQUIT", "`SIGQUIT`: ends, with a core dump.";
    SEGV = SEGV: "SIGSEGV", "`SIGSEGV`: memory that is not its own was touched.";
    STOP = STOP: "SIGSTOP", "`SIGSTOP`: halts until `SIGCONT`; what [`pause`](super::ProcessHandle::pause) sends.";
    SYS = SYS: "SIGSYS", "`SIGSYS`: a system call that is not allowed.";
    TERM = TERM: "SIGTERM", "`SIGTERM`: is asked to end; what [`stop`](super::ProcessHandle::stop) sends first.";
    TRAP = TRAP: "SIGTRAP", "`SIGTRAP`: a breakpoint.";
    TSTP = TSTP: "SIGTSTP", "`SIGTSTP`: Ctrl-Z.";
    TTIN = TTIN: "SIGTTIN", "`SIGTTIN`: read from the terminal in the background.";
    TTOU = TTOU: "SIGTTOU", "`SIGTTOU`: wrote to the terminal in the background.";
    URG = URG: "SIGURG", "`SIGURG`: urgent data on a socket.";
    USR1 = USR1: "SIGUSR1", "`SIGUSR1`: whatever the program takes it for.";
    USR2 = USR2: "SIGUSR2", "`SIGUSR2`: whatever the program takes it for.";
    VTALRM = VTALARM: "SIGVTALRM", "`SIGVTALRM`: a timer of CPU time.";
    WINCH = WINCH: "SIGWINCH", "`SIGWINCH`: the terminal's size changed.";
    XCPU = XCPU: "SIGXCPU", "`SIGXCPU`: used more CPU time than it may.";
    XFSZ = XFSZ: "SIGXFSZ", "`SIGXFSZ`: wrote a larger file than it may.";
}

impl Signal {
    /// The signal of this number, where it is one that has a name.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match rustix::process::Signal::from_named_raw(number) {
            Some(signal) => Some(Self(signal)),
            None => None,
        }
    }

    /// Its number on this platform.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0.as_raw()
    }

    pub(super) const fn raw(self) -> rustix::process::Signal {
        self.0
    }
}

/// The name of the signal of a number, or the number.
pub(super) fn name_of(number: i32) -> String {
    Signal::from_number(number).map_or_else(|| format!("signal {number}"), |signal| signal.to_string())
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(signal, _)| signal == self) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "signal {}", self.number()),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not the name of a signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of a signal: write one as in `SIGTERM`, `TERM` or `term`")]
pub struct UnknownSignal {
    /// The text.
    pub text: String,
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let wanted = text.trim().to_ascii_uppercase();
        let is_it = |name: &str| name == wanted || name.strip_prefix("SIG") == Some(&wanted);
        let found = Self::NAMED.iter().find(|(_, name)| is_it(name));
        found.map(|(signal, _)| *signal).ok_or_else(|| UnknownSignal { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_its_own_name_and_number() {
        for (signal, name) in Signal::NAMED {
            assert_eq!(name.parse(), Ok(*signal));
            assert_eq!(signal.to_string(), *name);
            assert_eq!(Signal::from_number(signal.number()), Some(*signal));
        }
        assert_eq!((Signal::HUP.number(), Signal::KILL.number(), Signal::TERM.number()), (1, 9, 15));
        assert_eq!(name_of(9), "SIGKILL");
        assert_eq!(name_of(40), "signal 40");
    }
}
