//! What is logged of a module's life (feature `observe`): each step once, as an event of the level DEBUG and the target `dms::life`.
//!
//! Failures and restarts are not among them. They are logged in any case, where they are met, at levels of their own: `worker.rs`, `supervised.rs`.

use super::cell::Core;
use super::lifecycle::ModuleState;
use super::span;

/// Says that a module has its place in the system.
#[inline]
pub(crate) fn registered(core: &Core) {
    if span::are_wanted() {
        log(core, "module registered");
    }
}

/// Says that a module is in another state than before.
#[inline]
pub(super) fn changed(core: &Core, before: ModuleState, now: ModuleState) {
    if span::are_wanted() && before != now {
        log_state(core, now);
    }
}

#[cold]
fn log_state(core: &Core, state: ModuleState) {
    log(
        core,
        match state {
            ModuleState::Init => "module is initialised",
            ModuleState::Start => "module is started",
            // That it runs again is logged in any case.
            ModuleState::Running if core.incarnation() == 1 => "module runs",
            ModuleState::Stopping => "module is stopping",
            ModuleState::Stopped => "module stopped",
            // So are failures, and that it is started again.
            ModuleState::Running | ModuleState::Created | ModuleState::Failed => return,
        },
    );
}

#[cold]
fn log(core: &Core, what: &'static str) {
    let (module, id, incarnation) = (core.module_name(), core.id, core.incarnation());
    tracing::debug!(target: "dms::life", %module, %id, incarnation, "{what}");
}
