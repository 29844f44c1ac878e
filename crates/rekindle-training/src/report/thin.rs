//! Thinning of long series so that every spike stays visible.

/// At most `limit` of the indices of `values`, in order, that keep the shape of the series.
///
/// The first and the last stay. What lies between is cut into equal buckets, and each bucket keeps its lowest and its
/// highest value, so no spike is lost. A series of `limit` values or fewer stays whole.
///
/// Values for which `drawn` is false break the line. A bucket keeps the first of them; they come on top of `limit`.
///
/// # Panics
/// If `limit` is below 4: two ends, one low, one high.
pub(super) fn thin(values: &[f64], limit: usize, drawn: impl Fn(f64) -> bool) -> Vec<usize> {
    assert!(limit >= 4, "limit is {limit}, expected at least 4");
    if values.len() <= limit {
        return (0..values.len()).collect();
    }
    let inner = values.len() - 2;
    let buckets = (limit - 2) / 2;
    let mut kept = vec![0];
    for bucket in 0..buckets {
        let start = 1 + inner * bucket / buckets;
        let end = 1 + inner * (bucket + 1) / buckets;
        kept.extend(extremes(values, start..end, &drawn));
    }
    kept.push(values.len() - 1);
    kept
}

/// The places of the lowest value, the highest value and the first gap in `range`, in order.
fn extremes(
    values: &[f64],
    range: std::ops::Range<usize>,
    drawn: &impl Fn(f64) -> bool,
) -> Vec<usize> {
    let points = || range.clone().filter(|&i| drawn(values[i]));
    let lowest = points().min_by(|&a, &b| values[a].total_cmp(&values[b]));
    let highest = points().max_by(|&a, &b| values[a].total_cmp(&values[b]));
    let gap = range.clone().find(|&i| !drawn(values[i]));
    let mut kept: Vec<usize> = [lowest, highest, gap].into_iter().flatten().collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wave with two spikes that a stride would step over.
    fn spiky(len: usize) -> Vec<f64> {
        let mut values: Vec<f64> = (0..len).map(|i| (i as f64 / 50.0).sin()).collect();
        values[len / 3] = 90.0;
        values[len / 2 + 1] = -70.0;
        values
    }

    #[test]
    fn short_series_stay_whole() {
        assert_eq!(thin(&[3.0, 1.0, 2.0], 4, |_| true), vec![0, 1, 2]);
        assert!(thin(&[], 4, |_| true).is_empty());
    }

    #[test]
    fn keeps_ends_and_spikes_and_order_within_the_limit() {
        for (len, limit) in [(5, 4), (1001, 1000), (12_345, 1000), (50_000, 7)] {
            let values = spiky(len);
            let kept = thin(&values, limit, f64::is_finite);
            assert!(kept.len() <= limit, "{len} {limit}: {}", kept.len());
            assert_eq!((kept[0], *kept.last().unwrap()), (0, len - 1));
            assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(kept.contains(&(len / 3)) && kept.contains(&(len / 2 + 1)));
        }
    }

    #[test]
    fn every_bucket_keeps_its_lowest_and_highest() {
        let values = spiky(1002);
        let kept = thin(&values, 22, f64::is_finite);
        for bucket in 0..10 {
            let range = 1 + 100 * bucket..1 + 100 * (bucket + 1);
            let part = &values[range.clone()];
            let of_kept = kept
                .iter()
                .filter(|i| range.contains(i))
                .map(|&i| values[i]);
            let low = of_kept.clone().fold(f64::INFINITY, f64::min);
            let high = of_kept.fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(low, part.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(high, part.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn gaps_stay_gaps() {
        let mut values = spiky(5000);
        values[2000..2600].fill(f64::NAN);
        let kept = thin(&values, 100, f64::is_finite);
        assert!(kept.iter().any(|&i| values[i].is_nan()));
        let finite = kept.iter().filter(|&&i| values[i].is_finite()).count();
        assert!(finite <= 100, "{finite}");
    }
}
