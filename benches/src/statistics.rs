//! Medians and ratios.

/// The middle value; the mean of the two in the middle if their number is even. Nothing without values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The median of the ratios round by round, of rounds that have both. Nothing without such a round, or where a ratio is not a number.
pub(crate) fn median_ratio(values: &[Option<f64>], to: &[Option<f64>]) -> Option<f64> {
    let ratios = values.iter().zip(to).filter_map(|(value, to)| Some((*value)? / (*to)?));
    median(ratios.filter(|ratio| ratio.is_finite()))
}

/// The least value of each round.
pub(crate) fn least_by_round<'a>(contestants: impl IntoIterator<Item = &'a [Option<f64>]>) -> Vec<Option<f64>> {
    let mut least = Vec::new();
    for values in contestants {
        if least.len() < values.len() {
            least.resize(values.len(), None);
        }
        for (least, value) in least.iter_mut().zip(values) {
            *least = match (*least, *value) {
                (Some(least), Some(value)) => Some(f64::min(least, value)),
                (least, value) => least.or(value),
            };
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        assert_eq!(median([5.0, 1.0, 3.0]), Some(3.0));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median([4.0, 1.0, 3.0, 100.0]), Some(3.5));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(median([]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The ratio of the medians would be 2.5: the second round was slow for both.
        let values = [Some(2.0), Some(30.0), Some(5.0)];
        let floor = [Some(1.0), Some(10.0), Some(2.0)];
        assert_eq!(median_ratio(&values, &floor), Some(2.5));
        let values = [Some(2.0), Some(20.0), Some(3.0)];
        let floor = [Some(1.0), Some(10.0), Some(10.0)];
        assert_eq!(median_ratio(&values, &floor), Some(2.0));
    }

    #[test]
    fn a_round_that_failed_has_no_ratio() {
        assert_eq!(median_ratio(&[Some(2.0), None, Some(6.0)], &[Some(1.0), Some(1.0), None]), Some(2.0));
        assert_eq!(median_ratio(&[None], &[Some(1.0)]), None);
    }

    #[test]
    fn a_ratio_to_nothing_is_none() {
        assert_eq!(median_ratio(&[Some(3.0)], &[Some(0.0)]), None);
        assert_eq!(median_ratio(&[Some(0.0)], &[Some(0.0)]), None);
    }

    #[test]
    fn the_best_may_be_another_in_each_round() {
        let (one, other) = ([Some(1.0), Some(9.0), None, None], [Some(2.0), Some(8.0), Some(3.0), None]);
        assert_eq!(least_by_round([&one[..], &other[..]]), [Some(1.0), Some(8.0), Some(3.0), None]);
    }
}
