//! What the system itself tells its modules: each kind as a type of its own, and all of them as one.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use crate::module::tally::{AnyLetter, Letter};

/// Time has passed: comes each [`tick_every`](crate::SystemBuilder::tick_every).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tick {
    /// Nanoseconds since the system was built, on Tokio's clock.
    pub timestamp_ns: u64,
}

/// The system shuts down. Every subscriber handles it, once and ahead of what is queued, before the `stop` hook of any module runs.
///
/// What its handler asks of other modules is answered, as for `stop` hooks.
///
/// It is imported as `dms::event::Shutdown`; `std::net::Shutdown`, which rustc proposes, is another type, and nobody publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shutdown;

/// How much memory is left has changed: comes with each change of the level, and when the first module subscribes where the level is not `None` then.
///
/// The host is looked at each second, or as [`watch_host_every`](crate::SystemBuilder::watch_host_every) says. Where the platform has no figures, that is logged once
/// and there are no such events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MemoryPressure {
    /// The new level.
    pub level: PressureLevel,
}

/// How scarce memory is, by the worst of what Linux says. Higher levels are greater.
///
/// | | some task stood still for want of memory | all stood still | of a control group's limit in use |
/// |--|--|--|--|
/// | [`Low`](Self::Low) | 10 % of the last ten seconds | | 80 % |
/// | [`Medium`](Self::Medium) | 40 % | 10 % | 90 % |
/// | [`Critical`](Self::Critical) | | 40 % | 95 % |
///
/// The first two are the kernel's pressure stall information, of the whole machine and of the process's control group. The last counts the group and
/// those above it, each without the file pages that the kernel drops first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PressureLevel {
    /// There is enough.
    #[default]
    None,
    /// The kernel reclaims memory now and then: caches could shrink.
    Low,
    /// Work is held up by it: caches should go.
    Medium,
    /// Little is left before the kernel ends processes: free what can be freed.
    Critical,
}

impl fmt::Display for PressureLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::Critical => "critical",
        })
    }
}

/// A processor came or went, as Linux lists them. It is looked for as for [`MemoryPressure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CpuHotplug {
    /// The processor's number.
    pub cpu_id: u32,
    /// Whether it came.
    pub online: bool,
}

/// An event that a name tells from others, for what has no type of its own. `#[event(custom = "name")]` takes those of one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Custom {
    /// The name.
    pub name: String,
    /// What it says, in a form that publisher and subscribers agree on.
    pub data: Vec<u8>,
}

impl Custom {
    /// Makes an event of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into() }
    }
}

/// Any event of the system's: who takes `&Event` gets all five kinds.
///
/// Either form may be published, and reaches the subscribers of both.
///
/// ```
/// use dms::prelude::*;
///
/// #[module]
/// struct Cache { entries: Vec<u8> }
///
/// #[module]
/// impl Cache {
///     #[event]
///     fn on_event(&mut self, event: &Event) -> EventResponse {
///         match event {
///             Event::MemoryPressure { .. } => {
///                 self.entries.clear();
///                 EventResponse::Handled
///             }
///             _ => EventResponse::Ignored,
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// See [`Tick`].
    Tick {
        /// Nanoseconds since the system was built, on Tokio's clock.
        timestamp_ns: u64,
    },
    /// See [`Shutdown`].
    Shutdown,
    /// See [`MemoryPressure`].
    MemoryPressure {
        /// The new level.
        level: PressureLevel,
    },
    /// See [`CpuHotplug`].
    CpuHotplug {
        /// The processor's number.
        cpu_id: u32,
        /// Whether it came.
        online: bool,
    },
    /// See [`Custom`].
    Custom {
        /// The name.
        name: String,
        /// What it says.
        data: Vec<u8>,
    },
}

/// The struct of each kind becomes the enum, and the enum that struct if it is of the kind.
macro_rules! kinds {
    ($($kind:ident $({ $($field:ident),* })?;)*) => {
        $(
            impl From<$kind> for Event {
                fn from(event: $kind) -> Self {
                    let $kind $({ $($field),* })? = event;
                    Self::$kind $({ $($field),* })?
                }
            }

            impl TryFrom<Event> for $kind {
                type Error = Event;

                /// Gives the event back where it is of another kind.
                fn try_from(event: Event) -> Result<Self, Event> {
                    match event {
                        Event::$kind $({ $($field),* })? => Ok($kind $({ $($field),* })?),
                        other => Err(other),
                    }
                }
            }
        )*

        impl Event {
            /// The type of this kind.
            fn kind(&self) -> TypeId {
                match self {
                    $(Self::$kind { .. } => TypeId::of::<$kind>(),)*
                }
            }
        }

        /// The type in which the same event is published too.
        pub(super) fn other_form(event: &dyn Any) -> Option<TypeId> {
            if let Some(event) = event.downcast_ref::<Event>() {
                return Some(event.kind());
            }
            [$(TypeId::of::<$kind>()),*].contains(&event.type_id()).then(TypeId::of::<Event>)
        }

        /// The same event in its other form, counted with `letter`.
        pub(super) fn in_other_form(event: &dyn Any, letter: Arc<dyn AnyLetter>) -> Option<Arc<dyn AnyLetter>> {
            if let Some(event) = event.downcast_ref::<Event>() {
                return Some(match event.clone() {
                    $(Event::$kind $({ $($field),* })? => {
                        Arc::new(Letter::counted_by($kind $({ $($field),* })?, letter)) as Arc<dyn AnyLetter>
                    })*
                });
            }
            $(if let Some(event) = event.downcast_ref::<$kind>() {
                let event = Event::from(event.clone());
                return Some(Arc::new(Letter::counted_by(event, letter)));
            })*
            None
        }
    };
}

kinds! {
    Tick { timestamp_ns };
    Shutdown;
    MemoryPressure { level };
    CpuHotplug { cpu_id, online };
    Custom { name, data };
}

/// The name of a custom event, in either form.
pub(super) fn custom_name(event: &dyn Any) -> Option<&str> {
    match event.downcast_ref::<Event>() {
        Some(Event::Custom { name, .. }) => Some(name),
        Some(_) => None,
        None => event.downcast_ref::<Custom>().map(|custom| custom.name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_survives_its_other_form() {
        let custom = Custom::new("flushed", b"7".to_vec());
        assert_eq!(Custom::try_from(Event::from(custom.clone())), Ok(custom));
        let tick = Tick { timestamp_ns: 7 };
        assert_eq!(Tick::try_from(Event::from(tick)), Ok(tick));
        assert_eq!(Shutdown::try_from(Event::from(tick)), Err(Event::Tick { timestamp_ns: 7 }));
    }
}
