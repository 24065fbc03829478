//! What many lists together do to a catalogue: how much of it they show, how evenly, and how popular what they show is.

use std::cmp::Reverse;

/// The names of the [`parts`] of a catalogue.
pub const PARTS: [&str; 3] = ["head", "middle", "tail"];

/// How lists of one length fill their places; every measure is from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Share of the items that are in at least one list.
    pub coverage: f64,
    /// Gini coefficient of the number of lists that an item is in: 0 where all items have equally many, almost 1 where
    /// a few have all.
    pub gini: f64,
    /// Share of the training users who like an item, mean over all places ("average recommendation popularity",
    /// Yin et al. 2012).
    pub popularity: f64,
}

impl Exposure {
    /// Of items that are in `times` lists and liked by the share `popularity` of the training users. Cost: a sort.
    pub fn of(times: &[u32], popularity: &[f64]) -> Self {
        let mut ascending = times.to_vec();
        ascending.sort_unstable();
        let items = times.len() as f64;
        let places: f64 = times.iter().map(|&times| f64::from(times)).sum();
        if places == 0.0 {
            return Self::default();
        }
        let listed = times.iter().filter(|&&times| times > 0).count() as f64;
        let ranked = ascending.iter().zip(1_u32..);
        let spread: f64 =
            ranked.map(|(&times, rank)| (2.0 * f64::from(rank) - items - 1.0) * f64::from(times)).sum();
        let popular: f64 = times.iter().zip(popularity).map(|(&times, share)| f64::from(times) * share).sum();
        Self { coverage: listed / items, gini: spread / (items * places), popularity: popular / places }
    }

    /// Adds `share` of another one.
    pub fn add(&mut self, other: Self, share: f64) {
        self.coverage += share * other.coverage;
        self.gini += share * other.gini;
        self.popularity += share * other.popularity;
    }
}

/// The part of each item, an index into [`PARTS`]: items by descending number of likes, ties in order, are cut where a
/// third and two thirds of all likes are reached. On MovieLens 100K about 110, 230 and 1,330 items.
pub fn parts(likes: &[u32]) -> Vec<u8> {
    let mut items: Vec<usize> = (0..likes.len()).collect();
    items.sort_by_key(|&item| Reverse(likes[item]));
    let total: u64 = likes.iter().map(|&likes| u64::from(likes)).sum();
    let (mut before, mut parts) = (0_u64, vec![0; likes.len()]);
    for item in items {
        parts[item] = u8::from(3 * before >= total) + u8::from(3 * before >= 2 * total);
        before += u64::from(likes[item]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_lists_have_no_gini_and_cover_everything() {
        let exposure = Exposure::of(&[3, 3, 3, 3], &[0.4, 0.2, 0.2, 0.0]);
        assert!((exposure.popularity - 0.2).abs() < 1e-12);
        assert_eq!((exposure.coverage, exposure.gini), (1.0, 0.0));
    }

    #[test]
    fn lists_of_one_item_have_the_largest_gini() {
        let exposure = Exposure::of(&[0, 8, 0, 0], &[0.4, 0.1, 0.2, 0.0]);
        assert_eq!(exposure, Exposure { coverage: 0.25, gini: 0.75, popularity: 0.1 });
    }

    #[test]
    fn the_gini_is_half_the_relative_mean_difference() {
        let times: [u32; 5] = [1, 0, 4, 2, 9];
        let pairs = times.iter().flat_map(|&a| times.iter().map(move |&b| f64::from(a.abs_diff(b))));
        let expected = pairs.sum::<f64>() / (2.0 * 5.0 * 16.0);
        assert!((Exposure::of(&times, &[0.0; 5]).gini - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_listed_is_nothing_shown() {
        assert_eq!(Exposure::of(&[0, 0], &[0.5, 0.5]), Exposure::default());
        assert_eq!(Exposure::of(&[], &[]), Exposure::default());
    }

    #[test]
    fn each_part_holds_a_third_of_the_likes() {
        assert_eq!(parts(&[1, 6, 1, 2, 1, 2, 2, 3]), [2, 0, 2, 1, 2, 1, 2, 1]);
        assert_eq!(parts(&[5, 5, 5]), [0, 1, 2]);
        assert_eq!(parts(&[0, 0]), [2, 2]);
    }
}
