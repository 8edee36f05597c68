//! What is scheduled: work that can be cut off at any point and gone on with later, by whichever worker.

use std::str::FromStr;

/// Counts the primes below a limit, the slow way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) limit: u64,
    /// All below this have been looked at.
    next: u64,
    pub(crate) primes: u64,
}

/// So many numbers are looked at between two looks whether the slice is over.
const STEP: u64 = 64;

impl Job {
    pub(crate) fn new(name: impl Into<String>, limit: u64) -> Self {
        Self { name: name.into(), limit, next: 0, primes: 0 }
    }

    /// Works until the job is done or `is_over` says so, whichever is first; a step at least, so that any slice gets on.
    pub(crate) fn run_until(&mut self, is_over: impl Fn() -> bool) {
        while !self.is_done() {
            let end = self.next.saturating_add(STEP).min(self.limit);
            self.primes += (self.next..end).map(|number| u64::from(is_prime(number))).sum::<u64>();
            self.next = end;
            if is_over() {
                return;
            }
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.next > 0
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next >= self.limit
    }
}

fn is_prime(number: u64) -> bool {
    number >= 2 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}

/// `NAME=LIMIT`
impl FromStr for Job {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, limit) = parts.ok_or_else(|| format!("`{text}` is no job: write NAME=LIMIT"))?;
        let limit = limit.replace('_', "").parse();
        limit.map(|limit| Self::new(name, limit)).map_err(|error| format!("the limit of job `{text}`: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_any_length_come_to_the_same_result() {
        for is_over in [|| true, || false] {
            let mut job = Job::new("a", 10_000);
            while !job.is_done() {
                job.run_until(is_over);
            }
            assert_eq!(job.primes, 1_229);
        }
    }

    #[test]
    fn a_job_without_numbers_is_done_at_once() {
        let job = Job::new("nothing", 0);
        assert!(job.is_done());
        assert_eq!(job.primes, 0);
    }

    #[test]
    fn a_job_is_a_name_and_a_limit() {
        assert_eq!("a=1_000".parse(), Ok(Job::new("a", 1_000)));
        assert_eq!("a".parse::<Job>(), Err("`a` is no job: write NAME=LIMIT".to_owned()));
        assert_eq!("=1".parse::<Job>(), Err("`=1` is no job: write NAME=LIMIT".to_owned()));
        assert_eq!("a=-1".parse::<Job>(), Err("the limit of job `a=-1`: invalid digit found in string".to_owned()));
    }
}
