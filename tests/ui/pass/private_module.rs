//! A module that its crate keeps to itself: nothing that is generated for it is public.
#![deny(warnings, missing_docs, unreachable_pub)]

use dms::prelude::*;

mod inner {
    use dms::prelude::*;

    #[derive(Debug, PartialEq)]
    pub(crate) struct Half(pub(crate) u64);

    #[module]
    pub(crate) struct Hidden(pub(crate) u64);

    #[module(visibility = "pub(crate)")]
    impl Hidden {
        #[handler(Halve)]
        fn halve(&mut self) -> Half {
            Half(self.0 / 2)
        }
    }

    /// An enum is a module as well.
    #[module]
    #[derive(Default)]
    pub(super) enum Switch {
        #[default]
        On,
        Off,
    }

    #[module(visibility = "pub(super)")]
    impl Switch {
        #[handler(Flip)]
        pub(super) async fn flip(&mut self) -> bool {
            *self = match self {
                Self::On => Self::Off,
                Self::Off => Self::On,
            };
            matches!(self, Self::On)
        }
    }
}

use inner::{Flip, Half, Halve, Hidden, HiddenRef, Switch, SwitchRef};

#[module]
struct Private;

struct Secret;

// What is generated is `pub` here: it says no more than the types that it is made of.
#[module]
impl Private {
    #[handler]
    fn open(&self, _: Secret) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let hidden = system.register_module(Hidden(8)).await?;
    assert_eq!(hidden.halve().await?, Half(4));
    assert_eq!(hidden.ask(Halve).await?, Half(4));
    let switch = system.register_module(Switch::default()).await?;
    assert!(!switch.flip().await?);
    assert!(switch.ask(Flip).await?);
    system.register_module(Private).await?.open(Secret).await?;
    system.shutdown().await;
    Ok(())
}
