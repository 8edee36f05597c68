//! Among which background tasks the running code is, so that a monitor that it makes is joined with them.

use tokio::task_local;

use crate::module::current;
use crate::module::task_list::TaskList;

task_local! {
    /// The tasks among which the running one is.
    pub(super) static AMONG: TaskList;
}

/// The tasks among which the running code is; `None` in the code of a module, also where a task runs it: a handler that its asker runs is none of the asker's.
pub(super) fn among() -> Option<TaskList> {
    let is_of_module = current::with(|module| module.is_some());
    if is_of_module { None } else { AMONG.try_with(TaskList::clone).ok() }
}
