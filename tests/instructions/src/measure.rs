//! What one operation takes: the difference between doing it often and doing it twice as often.

use std::path::Path;
use std::thread;

use crate::callgrind::{self, Spent};
use crate::operations::{OPERATIONS, Operation, Side};

/// The instructions of one operation.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) operation: &'static Operation,
    pub(crate) dms: PerOperation,
    pub(crate) by_hand: PerOperation,
}

/// On the average, so not a whole number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerOperation {
    /// Those of the program. They are what is recorded: the C library's depend on its version and on the processor.
    pub(crate) own: f64,
    pub(crate) libraries: f64,
}

/// Measures all operations; `program` is this one.
pub(crate) fn all(program: &Path) -> Result<Vec<Measured>, String> {
    let one = |operation: &'static Operation| {
        let [dms, by_hand] = thread::scope(|scope| {
            [Side::Dms, Side::ByHand]
                .map(|side| scope.spawn(move || per_operation(program, operation, side)))
                .map(|thread| thread.join().unwrap_or_else(|_| Err("a panic while measuring".to_owned())))
        });
        Ok(Measured { operation, dms: dms?, by_hand: by_hand? })
    };
    OPERATIONS.iter().map(one).collect()
}

fn per_operation(program: &Path, operation: &Operation, side: Side) -> Result<PerOperation, String> {
    let times = operation.times;
    let count = |times: u32| callgrind::count(program, &["--do", operation.name, side.name(), &times.to_string()]);
    let (once, twice) = (count(times)?, count(2 * times)?);
    let own = difference(&once, &twice, |spent| spent.own);
    let libraries = difference(&once, &twice, |spent| spent.libraries);
    Ok(PerOperation { own: own? / f64::from(times), libraries: libraries? / f64::from(times) })
}

fn difference(once: &Spent, twice: &Spent, part: fn(&Spent) -> u64) -> Result<f64, String> {
    let difference = part(twice).checked_sub(part(once)).and_then(|more| u32::try_from(more).ok());
    difference.map(f64::from).ok_or_else(|| format!("once took {once:?}, twice {twice:?}"))
}
