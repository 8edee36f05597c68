//! How durations are spread: counts in buckets that grow with what they hold.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Each power of two is parted into this many buckets, so a bucket is at most an eighth of what it holds wide.
const PARTS: u64 = 8;

/// The power of two that [`PARTS`] is.
const PARTS_LOG: u32 = PARTS.trailing_zeros();

/// How durations are spread: counts in buckets of which each is at most an eighth of what it holds wide.
///
/// The count, the sum, the smallest and the largest are exact; a [`quantile`](Self::quantile) is as exact as its bucket. It keeps those buckets only in which there is anything, eight
/// bytes for each: some hundred bytes, where durations lie within a factor of a thousand.
///
/// ```
/// use dms::observe::Histogram;
/// use std::time::Duration;
///
/// let mut waits = Histogram::new();
/// for millis in 1..=100 {
///     waits.record(Duration::from_millis(millis));
/// }
/// assert_eq!(waits.count(), 100);
/// assert_eq!(waits.max(), Some(Duration::from_millis(100)));
/// assert_eq!(waits.mean(), Some(Duration::from_micros(50_500)));
/// let median = waits.quantile(0.5).unwrap();
/// assert!((50..57).contains(&median.as_millis()), "{median:?}");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Sorted by the number of the bucket; none is empty.
    buckets: Vec<Bucket>,
    count: u64,
    sum: Duration,
    min: Duration,
    max: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Bucket {
    number: u16,
    /// Stays where it is once it cannot rise any more.
    count: u32,
}

impl Histogram {
    /// One without any durations.
    #[must_use]
    pub const fn new() -> Self {
        Self { buckets: Vec::new(), count: 0, sum: Duration::ZERO, min: Duration::ZERO, max: Duration::ZERO }
    }

    /// Adds a duration; one of more than 584 years counts as that.
    pub fn record(&mut self, duration: Duration) {
        self.sum_up(1, duration, duration, duration);
        self.add(Bucket { number: number_of(duration), count: 1 });
    }

    /// Adds all durations of another one.
    pub fn merge(&mut self, other: &Self) {
        if other.count > 0 {
            self.sum_up(other.count, other.sum, other.min, other.max);
        }
        for bucket in &other.buckets {
            self.add(*bucket);
        }
    }

    fn sum_up(&mut self, count: u64, sum: Duration, min: Duration, max: Duration) {
        self.min = if self.count == 0 { min } else { self.min.min(min) };
        self.max = self.max.max(max);
        self.count = self.count.saturating_add(count);
        self.sum = self.sum.saturating_add(sum);
    }

    fn add(&mut self, bucket: Bucket) {
        match self.buckets.binary_search_by_key(&bucket.number, |bucket| bucket.number) {
            Ok(place) => self.buckets[place].count = self.buckets[place].count.saturating_add(bucket.count),
            Err(place) => self.buckets.insert(place, bucket),
        }
    }

    /// How many durations there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// All of them together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// The shortest; `None` where there is none.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.min)
    }

    /// The longest; `None` where there is none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The arithmetic mean; `None` where there is none.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.count))?;
        Some(u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos))
    }

    /// The duration that this part of all do not exceed, from 0 to 1: 0.99 for the one that only a hundredth exceeds. `None` where there is none.
    ///
    /// It is the upper end of the bucket in which that duration lies, but never more than the longest: at most an eighth too much, never too little.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let mut seen = 0;
        // Counts of durations are far below the numbers that an `f64` does not know.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        let wanted = part.clamp(0.0, 1.0) * self.count as f64;
        for bucket in &self.buckets {
            seen += u64::from(bucket.count);
            #[allow(clippy::cast_precision_loss, reason = "see above")]
            if seen as f64 >= wanted {
                return Some(upper_end(bucket.number).clamp(self.min, self.max));
            }
        }
        self.max()
    }

    /// The buckets in which there is anything, the shortest durations first: the longest duration that belongs there, and how many there are.
    #[must_use]
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (Duration, u64)> + '_ {
        self.buckets.iter().map(|bucket| (upper_end(bucket.number), u64::from(bucket.count)))
    }
}

#[cfg(feature = "metrics")]
impl Histogram {
    /// As [`buckets`](Self::buckets), of what has come since it was as `before`; none longer than the longest of all.
    pub(crate) fn since(&self, before: &Self) -> impl Iterator<Item = (Duration, u64)> {
        self.buckets.iter().filter_map(|bucket| {
            let place = before.buckets.binary_search_by_key(&bucket.number, |bucket| bucket.number);
            let count = bucket.count.saturating_sub(place.map_or(0, |place| before.buckets[place].count));
            (count > 0).then(|| (upper_end(bucket.number).min(self.max), u64::from(count)))
        })
    }
}

/// Which bucket a duration belongs to.
fn number_of(duration: Duration) -> u16 {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if nanos < PARTS {
        // The smallest ones hold one number each.
        return u16::try_from(nanos).unwrap_or(0);
    }
    let power = nanos.ilog2() - PARTS_LOG;
    let number = u64::from(power) * PARTS + (nanos >> power);
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The longest duration that belongs to a bucket.
fn upper_end(number: u16) -> Duration {
    let number = u64::from(number);
    if number < PARTS {
        return Duration::from_nanos(number);
    }
    let power = number / PARTS - 1;
    let part = number % PARTS + PARTS;
    // The last bucket ends where the numbers do.
    let end = (u128::from(part) + 1) << power;
    Duration::from_nanos(u64::try_from(end - 1).unwrap_or(u64::MAX))
}

/// In nanoseconds: `count`, `sum_ns`, `min_ns`, `p50_ns`, `p90_ns`, `p99_ns`, `max_ns`, and `buckets` as pairs of a bucket's longest duration and its count.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let quantile = |part| self.quantile(part).map(nanos);
        let buckets: Vec<_> = self.buckets().map(|(end, count)| (nanos(end), count)).collect();
        let mut fields = serializer.serialize_struct("Histogram", 8)?;
        fields.serialize_field("count", &self.count)?;
        fields.serialize_field("sum_ns", &nanos(self.sum))?;
        fields.serialize_field("min_ns", &self.min().map(nanos))?;
        fields.serialize_field("p50_ns", &quantile(0.5))?;
        fields.serialize_field("p90_ns", &quantile(0.9))?;
        fields.serialize_field("p99_ns", &quantile(0.99))?;
        fields.serialize_field("max_ns", &self.max().map(nanos))?;
        fields.serialize_field("buckets", &buckets)?;
        fields.end()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("min", &self.min())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let last = number_of(Duration::MAX);
        let mut before = None;
        for number in 0..=last {
            let end = upper_end(number);
            assert_eq!(number_of(end), number);
            if let Some(before) = before {
                let begin = before + Duration::from_nanos(1);
                assert_eq!(number_of(begin), number, "{begin:?}");
                let wide = end.saturating_sub(before);
                assert!(wide <= Duration::from_nanos(1).max(begin / 8), "{begin:?} to {end:?}");
            }
            before = Some(end);
        }
        assert_eq!(upper_end(last), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn durations_that_are_alike_are_told_exactly() {
        let mut histogram = Histogram::new();
        assert_eq!((histogram.min(), histogram.mean(), histogram.quantile(0.5)), (None, None, None));
        for _ in 0..7 {
            histogram.record(Duration::from_millis(30));
        }
        for part in [0.0, 0.5, 0.99, 1.0] {
            assert_eq!(histogram.quantile(part), Some(Duration::from_millis(30)));
        }
        assert_eq!(histogram.mean(), Some(Duration::from_millis(30)));
    }

    #[test]
    fn merged_ones_are_what_one_would_be() {
        let (mut all, mut odd, mut even) = (Histogram::new(), Histogram::new(), Histogram::new());
        for number in 1..1_000_u32 {
            let duration = Duration::from_nanos(3).saturating_mul(number.pow(2));
            all.record(duration);
            if number % 2 == 0 { &mut even } else { &mut odd }.record(duration);
        }
        let mut merged = Histogram::new();
        merged.merge(&odd);
        merged.merge(&Histogram::new());
        merged.merge(&even);
        assert_eq!(merged, all);
        assert!(merged.buckets.len() * size_of::<Bucket>() <= 1_024);
        let median = 3.0 * 500.0_f64.powi(2);
        let seen = merged.quantile(0.5).unwrap().as_nanos();
        assert!((median..median * 1.125).contains(&(f64::from(u32::try_from(seen).unwrap()))), "{seen} for {median}");
    }
}
