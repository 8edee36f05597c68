//! What a module is: its identity and its settings, as constants.

use std::fmt;
use std::time::Duration;

use super::flags::ModuleFlags;
use crate::recovery::{Restart, Strategy};

/// The deadline of an [`ask`](crate::ModuleRef::ask) when neither the call, the module nor the system sets one: 5 seconds.
pub const DEFAULT_ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Says what a type is: written by `#[module]` on the struct.
///
/// Seed 001 asks for static metadata: [`Describe::INFO`] is a constant and allocates nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not described: `#[module]` is missing on the struct",
    label = "no `#[module]` on this type",
    note = "write `#[module]` above `struct {Self}` as well as above `impl {Self}`: the struct says what the module is, the impl what it does"
)]
pub trait Describe {
    /// The module's identity and settings.
    const INFO: ModuleInfo;

    /// What this one value says of itself, where that is not what its type says: it is asked once, when the value is registered, and counts for all that [`INFO`](Self::INFO) would.
    ///
    /// It is for a type that stands for others, as `ModuleAdapter` does. The value has to be there when it is registered: `register_with`, which builds it from its own
    /// reference, refuses one that says something here.
    fn instance_info(&self) -> Option<ModuleInfo> {
        None
    }
}

/// The identity and the settings of a module type.
///
/// `#[module(name = "counter", version = "1.2.0", mailbox = 64)]` writes it; by hand it is a constant expression:
///
/// ```
/// use dms::{ModuleInfo, Overflow};
/// use std::time::Duration;
///
/// const INFO: ModuleInfo = ModuleInfo::new("Counter")
///     .named("counter")
///     .version(1, 2, 0)
///     .description("Counts things.")
///     .mailbox(64)
///     .overflow(Overflow::Reject)
///     .timeout(Duration::from_secs(1));
/// assert_eq!(INFO.name, "counter");
/// assert_eq!(INFO.version.to_string(), "1.2.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// The name in errors, logs and metrics: the one given, else that of the type.
    pub name: &'static str,
    /// The name of the type.
    pub type_name: &'static str,
    /// Whether the name was given, and so belongs to one module of a system at a time.
    pub unique: bool,
    /// The version of what the module does.
    pub version: Version,
    /// One sentence on what the module does.
    pub description: &'static str,
    /// Who wrote it.
    pub author: &'static str,
    /// The terms on which it may be used, as an SPDX expression.
    pub license: &'static str,
    /// What it is besides.
    pub flags: ModuleFlags,
    /// What it cannot do without: names or capabilities, each with the versions that will do: `"store"`, `"cache >= 1.3"`.
    pub dependencies: &'static [&'static str],
    /// What it uses if it is there; written as [`dependencies`](Self::dependencies) are.
    pub optional_dependencies: &'static [&'static str],
    /// Its capabilities: what others may depend on, and find it by, without its name.
    pub provides: &'static [&'static str],
    /// The mailbox's bound in messages; `None` is unbounded.
    pub mailbox: Option<usize>,
    /// What happens to a message that finds a bounded mailbox full.
    pub overflow: Overflow,
    /// The deadline of asks that set none of their own.
    pub timeout: Timeout,
    /// How it is started again.
    pub restart: Restart,
    /// Which of its children are started again when one of them is.
    pub strategy: Strategy,
}

impl ModuleInfo {
    /// Describes a module by the name of its type: version 0.0.0, no flags, unbounded mailbox, the system's timeout.
    #[must_use]
    pub const fn new(type_name: &'static str) -> Self {
        Self {
            name: type_name,
            type_name,
            unique: false,
            version: Version { major: 0, minor: 0, patch: 0 },
            description: "",
            author: "",
            license: "",
            flags: ModuleFlags::NONE,
            dependencies: &[],
            optional_dependencies: &[],
            provides: &[],
            mailbox: None,
            overflow: Overflow::Wait,
            timeout: Timeout::Inherit,
            restart: Restart::never(),
            strategy: Strategy::OneForOne,
        }
    }

    /// Gives the name by which the module is found; one module of a system may have it at a time.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self.unique = true;
        self
    }

    /// Sets the version.
    #[must_use]
    pub const fn version(mut self, major: u64, minor: u64, patch: u64) -> Self {
        self.version = Version { major, minor, patch };
        self
    }

    /// Sets the description.
    #[must_use]
    pub const fn description(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Sets the author.
    #[must_use]
    pub const fn author(mut self, author: &'static str) -> Self {
        self.author = author;
        self
    }

    /// Sets the license, an SPDX expression.
    #[must_use]
    pub const fn license(mut self, license: &'static str) -> Self {
        self.license = license;
        self
    }

    /// Sets the flags.
    #[must_use]
    pub const fn flags(mut self, flags: ModuleFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Says what the module cannot do without: names or capabilities, each alone or with a requirement of versions as Cargo writes it: `"cache >= 1.3"`.
    #[must_use]
    pub const fn dependencies(mut self, dependencies: &'static [&'static str]) -> Self {
        self.dependencies = dependencies;
        self
    }

    /// Says what the module uses if it is there.
    #[must_use]
    pub const fn optional_dependencies(mut self, dependencies: &'static [&'static str]) -> Self {
        self.optional_dependencies = dependencies;
        self
    }

    /// Says what others may depend on, and find the module by, without its name.
    #[must_use]
    pub const fn provides(mut self, capabilities: &'static [&'static str]) -> Self {
        self.provides = capabilities;
        self
    }

    /// Bounds the mailbox to `capacity` waiting messages (the one being handled waits no more); 0 is taken as 1.
    #[must_use]
    pub const fn mailbox(mut self, capacity: usize) -> Self {
        self.mailbox = Some(if capacity == 0 { 1 } else { capacity });
        self
    }

    /// Says what happens to a message that finds the bounded mailbox full.
    #[must_use]
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets the deadline of asks that set none of their own.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Says how the module is started again. It must be registered in a way to build it again, with [`register_with`](crate::SystemRef::register_with) or
    /// [`restart_from_clone`](crate::Register::restart_from_clone).
    #[must_use]
    pub const fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Says which of the module's children are started again when one of them is.
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Lets asks that set no deadline of their own wait for as long as it takes.
    #[must_use]
    pub const fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }
}

/// A version as [semver.org](https://semver.org) orders it, without pre-release and build parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised by a change that breaks callers.
    pub major: u64,
    /// Raised by an addition.
    pub minor: u64,
    /// Raised by a fix.
    pub patch: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What happens to a message that finds a bounded mailbox full.
///
/// A module's sends to itself, its ticks and its delayed messages never meet the bound: waiting on itself would be a deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The sender waits, first come first served.
    #[default]
    Wait,
    /// The sender gets the message back in [`SendError::Full`](crate::SendError::Full).
    Reject,
    /// The oldest message that has not begun is dropped and counted; `send` is `Ok`.
    DropOldest,
    /// The new message is dropped and counted; `send` is `Ok`.
    DropNewest,
}

/// When an ask gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timeout {
    /// As the next outer setting says: call, module, system, and at last [`DEFAULT_ASK_TIMEOUT`].
    #[default]
    Inherit,
    /// After this long.
    After(Duration),
    /// Never.
    Never,
}
