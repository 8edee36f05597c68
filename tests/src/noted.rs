//! A module that notes what becomes of it.

use dms::{Context, ModuleError, Register, SystemRef};

use crate::puppet::BoxFuture;
use crate::{Log, Puppet};

/// Notes its own end.
struct NotedDrop {
    name: String,
    log: Log<String>,
}

impl Drop for NotedDrop {
    fn drop(&mut self) {
        self.log.push(format!("drop {}", self.name));
    }
}

/// A puppet that notes `init`, `start`, `stop` and `drop` with its name.
#[must_use]
pub fn noted(log: &Log<String>, name: &str) -> Puppet {
    let note = |hook: &str| note(log, format!("{hook} {name}"));
    Puppet::default()
        .on_init(note("init"))
        .on_start(note("start"))
        .on_stop(note("stop"))
        .keeping(NotedDrop { name: name.to_owned(), log: log.clone() })
}

/// A hook that notes `entry`.
fn note(
    log: &Log<String>,
    entry: String,
) -> impl for<'a> FnOnce(&'a mut Context<Puppet>) -> BoxFuture<'a, Result<(), ModuleError>> + Send + 'static {
    let log = log.clone();
    move |_| {
        Box::pin(async move {
            // Whoever is not waited for comes too late.
            tokio::task::yield_now().await;
            log.push(entry);
            Ok(())
        })
    }
}

/// The registration of a [`noted`] puppet of this name that depends on these.
pub fn needing(system: &SystemRef, log: &Log<String>, name: &str, dependencies: &[&str]) -> Register<Puppet> {
    let module = system.register_module(noted(log, name)).name(name);
    dependencies.iter().fold(module, |module, dependency| module.depends_on(*dependency))
}

/// The names behind `what`, in the order in which they were noted.
#[must_use]
pub fn names_of(log: &Log<String>, what: &str) -> String {
    let entries = log.all();
    let names = entries.iter().filter_map(|entry| entry.strip_prefix(what)?.strip_prefix(' '));
    names.collect::<Vec<_>>().join(" ")
}
