//! Making a call again that failed.
//!
//! Reading order: [`call`] makes the calls, [`budget`] is what all retries of a program's part may come to, [`error`] says why there was no further one.

mod budget;
mod call;
mod error;

pub use budget::RetryBudget;
pub use call::Retry;
pub use error::RetryError;
