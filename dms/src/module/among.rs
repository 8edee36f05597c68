//! Among which tasks the running code is, so that what it begins can be joined with them.

use std::cell::RefCell;

use super::current;
use super::task_list::TaskList;

thread_local! {
    static AMONG: RefCell<Option<TaskList>> = const { RefCell::new(None) };
}

/// Lays the list of a task into the thread-local while the task's code runs. The slot holds meanwhile what was there before.
pub(super) struct Among<'a>(&'a mut Option<TaskList>);

impl<'a> Among<'a> {
    pub(super) fn new(slot: &'a mut Option<TaskList>) -> Self {
        swap(slot);
        Self(slot)
    }
}

impl Drop for Among<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

fn swap(slot: &mut Option<TaskList>) {
    // While a thread ends nobody asks.
    let _ = AMONG.try_with(|among| std::mem::swap(&mut *among.borrow_mut(), slot));
}

/// The tasks with which those are to be joined that the running code begins: the module's whose code it is, else those among which its task is.
pub(crate) fn among() -> Option<TaskList> {
    let of_module = current::with(|module| module.map(|module| module.core().nested_tasks()));
    of_module.or_else(|| AMONG.try_with(|among| among.borrow().clone()).ok().flatten())
}
