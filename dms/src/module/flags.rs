//! The flags of a module.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// What a module is besides what it does, to treat it by and to find it by (seed 001).
///
/// [`ESSENTIAL`](Self::ESSENTIAL) and [`HOT_RELOADABLE`](Self::HOT_RELOADABLE) change what may be done with the module; the others are markers, with
/// [`user`](Self::user) for those of a program's own.
///
/// ```
/// use dms::ModuleFlags;
///
/// const BILLING: ModuleFlags = ModuleFlags::user(0);
/// const FLAGS: ModuleFlags = ModuleFlags::ESSENTIAL.union(BILLING);
/// assert!(FLAGS.contains(BILLING) && !FLAGS.contains(ModuleFlags::DRIVER));
/// assert_eq!((ModuleFlags::ESSENTIAL | BILLING).to_string(), "ESSENTIAL | user(0)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ModuleFlags(u64);

/// Where the bits of the user begin.
const USER: u32 = 32;

impl ModuleFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The system cannot do without it: nothing but a shutdown stops it, and its failure is the system's.
    pub const ESSENTIAL: Self = Self(1);
    /// Another value may [take its place](crate::ModuleRef::reload) while it runs.
    pub const HOT_RELOADABLE: Self = Self(1 << 1);
    /// It runs in user space.
    pub const USERSPACE: Self = Self(1 << 2);
    /// It drives hardware.
    pub const DRIVER: Self = Self(1 << 3);
    /// It provides a file system.
    pub const FILESYSTEM: Self = Self(1 << 4);
    /// It schedules work.
    pub const SCHEDULER: Self = Self(1 << 5);
    /// It allocates memory.
    pub const ALLOCATOR: Self = Self(1 << 6);
    /// It guards something.
    pub const SECURITY: Self = Self(1 << 7);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::ESSENTIAL, "ESSENTIAL"),
        (Self::HOT_RELOADABLE, "HOT_RELOADABLE"),
        (Self::USERSPACE, "USERSPACE"),
        (Self::DRIVER, "DRIVER"),
        (Self::FILESYSTEM, "FILESYSTEM"),
        (Self::SCHEDULER, "SCHEDULER"),
        (Self::ALLOCATOR, "ALLOCATOR"),
        (Self::SECURITY, "SECURITY"),
    ];

    /// The flag `number` of the program's own, from 0 to 31.
    ///
    /// # Panics
    /// Where `number` is above 31; in a constant that is a compile error.
    #[must_use]
    pub const fn user(number: u32) -> Self {
        assert!(number < 32, "a program has the flags 0 to 31");
        Self(1 << (USER + number))
    }

    /// Both sets of flags, as `|` outside of constants.
    #[must_use]
    pub const fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of `others` are set.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether none is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the flags that are set, in the order of their bits; those of the program's own as `user(0)`.
    pub fn names(self) -> impl Iterator<Item = String> {
        let own = Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag));
        let user = (0..64 - USER).filter(move |number| self.contains(Self::user(*number)));
        own.map(|(_, name)| name.to_owned()).chain(user.map(|number| format!("user({number})")))
    }
}

impl BitOr for ModuleFlags {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        self.union(others)
    }
}

impl BitOrAssign for ModuleFlags {
    fn bitor_assign(&mut self, others: Self) {
        *self = self.union(others);
    }
}

impl fmt::Display for ModuleFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.names().enumerate() {
            if number > 0 {
                f.write_str(" | ")?;
            }
            f.write_str(&name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ModuleFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleFlags({self})")
    }
}
