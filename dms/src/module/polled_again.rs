//! What becomes of a future that is polled again after it was ready.
//!
//! None of ours is pending for ever then: in a `select!` in a loop that would be a hang without a word. What has given its result away panics here; what tells of something that lasts, as a
//! [`Stop`](super::Stop), tells it again.

/// Ends a poll that should not be.
///
/// # Panics
/// Always: it says which future it was, and what to do.
#[cold]
#[inline(never)]
pub(crate) fn polled_again(future: &str) -> ! {
    panic!(
        "`{future}` was polled again after it was ready, and its result has been given away: await it once; in a `select!` in a loop, have an `if` disable its branch from then on"
    )
}
