//! Where a module is in its life, and how it ended.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::info::ModuleInfo;

/// Identifies a module within its system; a restart keeps it, no other module ever gets it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) NonZeroU64);

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleId({})", self.0)
    }
}

/// What is kept of modules by their ids.
pub(crate) type IdMap<V> = HashMap<ModuleId, V, BuildHasherDefault<IdHasher>>;

/// Ids are numbers given out in order, and addresses are the allocator's: they need no mixing against an adversary.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        // The product's upper bits are the mixed ones: addresses are multiples of a power of two.
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// The name of a module as errors and logs show it: the one given at registration, else the type's, with the id unless there is one of the type only.
///
/// It is written when it is shown, so a report costs no allocation for a name that nobody reads. Names are compared, ordered and hashed as what they are
/// shown as, with each other and with strings.
#[derive(Clone)]
pub struct ModuleName(Name);

#[derive(Clone)]
enum Name {
    Given(Arc<str>),
    Type(&'static str),
    Numbered(&'static str, ModuleId),
}

impl ModuleName {
    pub(crate) fn new(given: Option<Arc<str>>, info: &ModuleInfo, id: ModuleId) -> Self {
        Self(match given {
            Some(name) => Name::Given(name),
            None if info.unique => Name::Type(info.name),
            None => Name::Numbered(info.name, id),
        })
    }

    /// The name as text: borrowed, unless the id is to be written into it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Name::Given(name) => Cow::Borrowed(name),
            Name::Type(name) => Cow::Borrowed(name),
            Name::Numbered(name, id) => Cow::Owned(format!("{name}#{id}")),
        }
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // Written piece by piece, where no width asks for the whole.
            Name::Numbered(name, id) if f.width().is_none() && f.precision().is_none() => write!(f, "{name}#{id}"),
            _ => f.pad(&self.text()),
        }
    }
}

impl fmt::Debug for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl PartialEq for ModuleName {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for ModuleName {}

impl PartialOrd for ModuleName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ModuleName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text().cmp(&other.text())
    }
}

impl Hash for ModuleName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

impl From<ModuleName> for String {
    fn from(name: ModuleName) -> Self {
        name.text().into_owned()
    }
}

impl PartialEq<str> for ModuleName {
    fn eq(&self, other: &str) -> bool {
        self.text() == other
    }
}

impl PartialEq<&str> for ModuleName {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<String> for ModuleName {
    fn eq(&self, other: &String) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<ModuleName> for str {
    fn eq(&self, other: &ModuleName) -> bool {
        other == self
    }
}

impl PartialEq<ModuleName> for &str {
    fn eq(&self, other: &ModuleName) -> bool {
        other == *self
    }
}

impl PartialEq<ModuleName> for String {
    fn eq(&self, other: &ModuleName) -> bool {
        other == self.as_str()
    }
}

/// Where a module is in its life (contract L1; the states are seed 001's).
///
/// A module goes down this list, skips what it does not come to, and ends in one of the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ModuleState {
    /// Registered; nothing has run.
    Created,
    /// The `#[init]` hook runs; in a [set](crate::SystemRef::register_all), also while those of the others do.
    Init,
    /// The `#[start]` hook runs.
    Start,
    /// Messages are handled.
    Running,
    /// No further message is accepted; the running handler, the children and the `#[stop]` hook end.
    Stopping,
    /// Ended as asked, and dropped.
    Stopped,
    /// Ended by a [`Failure`], and dropped.
    Failed,
}

impl ModuleState {
    pub(crate) const ALL: [Self; 7] =
        [Self::Created, Self::Init, Self::Start, Self::Running, Self::Stopping, Self::Stopped, Self::Failed];

    pub(crate) fn from_u8(value: u8) -> Self {
        Self::ALL[usize::from(value).min(Self::ALL.len() - 1)]
    }

    /// Whether the module has ended, its value dropped.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

impl fmt::Display for ModuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Init => "init",
            Self::Start => "start",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        })
    }
}

/// How a module ended, or that it is still ending.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModuleReport {
    /// The module's name.
    pub name: ModuleName,
    /// The module's id.
    pub id: ModuleId,
    /// [`Stopped`](ModuleState::Stopped) or [`Failed`](ModuleState::Failed); [`Stopping`](ModuleState::Stopping) where the
    /// module itself asked, whose handler must return first.
    pub state: ModuleState,
    /// How many accepted messages were never handled.
    pub undelivered: u64,
    /// What it failed of.
    pub failure: Option<Failure>,
}

/// Why a module failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A handler or a hook panicked.
    #[error("panicked in `{place}`: {text}")]
    Panic {
        /// The handler or the hook.
        place: String,
        /// What the panic said.
        text: String,
    },
    /// A hook returned an error.
    #[error("`{hook}` failed: {text}")]
    Hook {
        /// `init`, `start`, `run` or `stop`.
        hook: &'static str,
        /// The error and its causes.
        text: String,
    },
    /// A task of the module panicked or returned an error that nobody awaited.
    #[error("task `{task}` failed: {text}")]
    Task {
        /// The task's name.
        task: String,
        /// The error, or what the panic said.
        text: String,
    },
    /// A handler ran longer than it may.
    #[error("`{handler}` ran for {elapsed:?}, its deadline is {deadline:?}")]
    Overrun {
        /// The handler's name.
        handler: &'static str,
        /// How long it had run when it was dropped, or came back.
        elapsed: Duration,
        /// How long it may run: `#[handler(deadline = "2s")]`.
        deadline: Duration,
    },
    /// Somebody [killed](crate::ModuleRef::kill) the module.
    #[error("killed")]
    Killed,
    /// The module's [health checks](macro@crate::health) failed.
    #[error("failed {}: {reason}", checks(*.failures))]
    Health {
        /// What the last check said, or why it said nothing.
        reason: String,
        /// How many failed, one after the other.
        failures: u32,
    },
    /// The module was ended before it had stopped by itself: a shutdown's deadline passed, or the runtime went down.
    #[error("ended before it had stopped by itself (a deadline passed, or the runtime went down)")]
    Aborted,
    /// The module ended though nobody had asked for that: its loop returned, or its parent ended. It is one that the system cannot do without
    /// ([essential](crate::ModuleFlags::ESSENTIAL)), or one that is always started again and has been too often.
    #[error("ended though it was to run on (its loop returned, or its parent ended)")]
    Ended,
    /// The module's supervisor has it begin again with a sibling that failed.
    #[error("its supervisor starts it again with `{sibling}`, which failed")]
    Supervisor {
        /// The sibling's name.
        sibling: ModuleName,
    },
    /// A child of the module failed, and was not started again, because it had been too often.
    #[error("child `{child}` failed for good: {failure}")]
    Child {
        /// The child's name.
        child: ModuleName,
        /// What it failed of at last.
        failure: Box<Failure>,
    },
}

fn checks(failures: u32) -> String {
    if failures == 1 { "its health check".to_owned() } else { format!("{failures} health checks in a row") }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_name_equals_what_it_is_shown_as() {
        const INFO: ModuleInfo = ModuleInfo::new("Counter");
        let id = ModuleId(NonZeroU64::MIN.saturating_add(11));
        let numbered = ModuleName::new(None, &INFO, id);
        let given = ModuleName::new(Some("visits".into()), &INFO, id);
        for (name, shown) in [(numbered, "Counter#12"), (given, "visits")] {
            assert_eq!(name.to_string(), shown);
            assert!(name == shown && name != "Counter" && name != "Counter#1" && name != "Counter12");
            let text = shown.to_owned();
            assert_eq!(name, text);
            assert_eq!(text, name);
            assert_eq!(shown, name);
            assert_eq!(*shown, name);
            assert_eq!((name.text(), String::from(name.clone())), (shown.into(), text));
        }
    }

    #[test]
    fn names_are_compared_and_ordered_as_what_they_are_shown_as() {
        const INFO: ModuleInfo = ModuleInfo::new("Counter");
        const NAMED: ModuleInfo = INFO.named("visits");
        let id = |number: u64| ModuleId(NonZeroU64::MIN.saturating_add(number - 1));
        let given = |name: &str| ModuleName::new(Some(name.into()), &INFO, id(1));
        let numbered = |number| ModuleName::new(None, &INFO, id(number));
        let of_type = ModuleName::new(None, &NAMED, id(3));
        assert_eq!(of_type, given("visits"));
        assert_eq!(numbered(12), given("Counter#12"));
        assert_ne!(numbered(12), numbered(1));
        let hasher = std::hash::RandomState::new();
        assert_eq!(hasher.hash_one(numbered(12)), hasher.hash_one(given("Counter#12")));
        let mut names = [of_type, numbered(12), given("audit"), given("Counter"), numbered(1)];
        names.sort();
        assert_eq!(names.map(String::from), ["Counter", "Counter#1", "Counter#12", "audit", "visits"]);
    }

    #[test]
    fn a_name_is_padded_as_text_is() {
        const INFO: ModuleInfo = ModuleInfo::new("Counter");
        let numbered = ModuleName::new(None, &INFO, ModuleId(NonZeroU64::MIN));
        assert_eq!(format!("{numbered:>12}|{numbered:.3}"), "   Counter#1|Cou");
    }
}
