//! Messages that come by themselves.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, sleep};

use super::{Sample, as_float, nanoseconds};
use crate::contestant::{Contestant, Side, Ticks};

/// How many actors take ticks; fewer in tests, whose unoptimised actors would not keep up.
const ACTORS: usize = if cfg!(test) { 100 } else { 10_000 };

/// How often each does.
const PERIOD: Duration = Duration::from_millis(10);

/// How long ticks go on before they are counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// CPU time of the process for each tick that came, while so many were due.
pub(super) async fn cpu<C: Contestant>(contestant: &C, due: u64) -> Result<Sample, String> {
    let window = PERIOD * u32::try_from(due.div_ceil(ACTORS as u64)).expect("a number of periods");
    let mut actors = Vec::with_capacity(ACTORS);
    let mut counts = Vec::with_capacity(ACTORS);
    for index in 0..ACTORS {
        let ticks = Ticks::default();
        counts.push(ticks.clone());
        actors.push(contestant.ticker(Side::half(index, ACTORS), PERIOD, ticks).await);
    }
    let counted = || counts.iter().map(Ticks::counted).sum::<u64>();
    sleep(WARM_UP).await;

    let (started, cpu, ticks) = (Instant::now(), cpu_time(), counted());
    sleep(window).await;
    let (elapsed, cpu, ticks) = (started.elapsed(), cpu_time().saturating_sub(cpu), counted() - ticks);

    if ticks == 0 {
        return Err("no tick came".to_owned());
    }
    let due = as_float(ACTORS as u64) * elapsed.as_secs_f64() / PERIOD.as_secs_f64();
    let sample = Sample::new(nanoseconds(cpu) / as_float(ticks), ticks);
    Ok(Sample { kept_up: Some(as_float(ticks) / due), ..sample })
}

/// The time that all threads of this process have worked.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("time goes forward")
}
