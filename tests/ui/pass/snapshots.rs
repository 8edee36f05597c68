//! Every form of `#[snapshot]` and `#[restore]`, under all lints.
#![deny(warnings, missing_docs, clippy::pedantic)]
#![forbid(unsafe_code)]

use dms::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::rc::Rc;

/// A state.
#[derive(Clone, Serialize, Deserialize)]
pub struct State {
    count: u64,
}

/// It lends its state, and takes the version by another name.
#[module]
pub struct Lends {
    state: State,
}

type Written = Version;

#[module]
impl Lends {
    /// The state itself.
    #[snapshot]
    pub fn snapshot(&self) -> &State {
        &self.state
    }

    /// Takes it.
    #[restore]
    pub fn restore(&mut self, state: State, from: Written) {
        assert_eq!(from, self.version());
        self.state = state;
    }

    fn version(&self) -> Version {
        Version { major: 1, minor: self.state.count, patch: 0 }
    }
}

/// It may fail.
#[module]
pub struct Fails {
    name: String,
}

#[module]
impl Fails {
    #[dms::snapshot]
    fn state(&self) -> Result<Cow<'_, str>, std::fmt::Error> {
        if self.name.is_empty() { Err(std::fmt::Error) } else { Ok(Cow::Borrowed(&self.name)) }
    }

    #[dms::restore]
    async fn set_state(
        &mut self,
        ctx: &mut Context<Self>,
        Pair { name, .. }: Pair,
        Version { major, .. }: dms::Version,
    ) -> Result<(), ModuleError> {
        if major == 0 {
            return Err(format!("`{}` wrote `{name}`", ctx.self_ref().name()).into());
        }
        self.name = name;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    _more: Vec<u64>,
}

/// It only reads what another type wrote, which need not go from thread to thread.
#[module]
pub struct Reads;

#[derive(Deserialize)]
struct Local(#[serde(deserialize_with = "shared")] Rc<str>);

fn shared<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rc<str>, D::Error> {
    String::deserialize(deserializer).map(Rc::from)
}

#[module]
impl Reads {
    #[restore]
    fn restore(&self, Local(name): Local, _: Version) {
        println!("{name}");
    }
}

/// It only writes, what has no name.
#[module]
pub struct Writes(Vec<u64>);

#[module]
impl Writes {
    #[snapshot]
    fn snapshot(&self) -> impl Serialize + use<'_> {
        (&self.0, self.0.len())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let writes = system.register_module(Writes(vec![7])).await?;
    assert_eq!(writes.snapshot().await?.decode::<(Vec<u64>, usize)>()?, (vec![7], 1));
    let lends = system.register_module(Lends { state: State { count: 1 } }).await?;
    assert_eq!(lends.snapshot().await?.decode::<State>()?.count, 1);
    let fails = system.register_module(Fails { name: String::new() }).await?;
    assert!(fails.snapshot().await.is_err());
    let name = Snapshot::new("a", "A", Version { major: 1, minor: 0, patch: 0 }, "a")?;
    system.register_module(Reads).restored_from(name).await?;
    system.shutdown().await;
    Ok(())
}
