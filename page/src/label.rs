//! Where labels go: beside what they name, and not over each other.

/// A box in pixels: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    /// A box of this width and height around a point.
    pub(crate) fn around((x, y): (f64, f64), width: f64, height: f64) -> Self {
        Self {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        }
    }

    /// The part of the box that lies over `other`, in square pixels.
    fn over(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    fn size(&self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// Moves the centres of labels in one column apart until each is `gap` from the next: by the least sum of squared
/// moves, as isotonic regression by pooling adjacent violators (Ayer et al. 1955). All end within `low..=high`, and
/// closer together where that has no room for them. Answers in the order of `wanted`.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let gap = gap.min((high - low) / wanted.len().saturating_sub(1).max(1) as f64);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // Without the gaps before them, positions need only ascend. A pool: mean position, labels.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (place, &at) in order.iter().enumerate() {
        let mut pool = (wanted[at] - gap * place as f64, 1);
        while let Some(&(mean, count)) = pools.last().filter(|(mean, _)| *mean > pool.0) {
            pools.pop();
            let both = count + pool.1;
            pool = ((mean * count as f64 + pool.0 * pool.1 as f64) / both as f64, both);
        }
        pools.push(pool);
    }
    let most = high - gap * wanted.len().saturating_sub(1) as f64;
    let positions = pools.iter().flat_map(|&(mean, count)| std::iter::repeat_n(mean.clamp(low, most), count));
    let mut moved = vec![0.0; wanted.len()];
    for ((place, &at), position) in order.iter().enumerate().zip(positions) {
        moved[at] = position + gap * place as f64;
    }
    moved
}

/// Directions in which a label may lie from its point, best first: steps of half its width and of its height.
const SIDES: [(f64, f64); 12] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (1.0, -0.8),
    (1.0, 0.8),
    (-1.0, -0.8),
    (-1.0, 0.8),
    (1.0, -2.0),
    (1.0, 2.0),
    (-1.0, -2.0),
    (-1.0, 2.0),
];

/// A label beside each of `points`, of the widths given and of one `height`: each in turn where it lies least over
/// points, `obstacles`, earlier labels and the outside of `frame`. `clearance` keeps it off its own point.
pub(crate) fn place(
    points: &[(f64, f64)],
    widths: &[f64],
    height: f64,
    clearance: f64,
    obstacles: &[Area],
    frame: Area,
) -> Vec<Area> {
    let points_taken = points.iter().map(|&point| Area::around(point, 2.0 * clearance, 2.0 * clearance));
    let mut taken: Vec<Area> = points_taken.chain(obstacles.iter().copied()).collect();
    let mut placed = Vec::new();
    for (&(x, y), &width) in points.iter().zip(widths) {
        let candidates = SIDES.map(|(right, down)| {
            let centre = (x + right * (width / 2.0 + clearance), y + down * (height / 2.0 + clearance));
            Area::around(centre, width, height)
        });
        let cost = |area: &Area| {
            let outside = area.size() - area.over(&frame);
            // Text that is cut off is worse than text that touches.
            10.0 * outside + taken.iter().map(|other| area.over(other)).sum::<f64>()
        };
        let best = candidates.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let best = best.copied().unwrap_or(candidates[0]);
        taken.push(best);
        placed.push(best);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_have_room_stay_where_they_are() {
        assert_eq!(spread(&[30.0, 10.0, 50.0], 10.0, 0.0, 100.0), [30.0, 10.0, 50.0]);
    }

    #[test]
    fn crowded_labels_move_apart_around_their_middle() {
        assert_eq!(spread(&[20.0, 20.0, 23.0, 90.0], 10.0, 0.0, 100.0), [11.0, 21.0, 31.0, 90.0]);
    }

    #[test]
    fn labels_stay_within_bounds_and_share_what_room_there_is() {
        assert_eq!(spread(&[-5.0, 99.0, 99.0], 10.0, 0.0, 100.0), [0.0, 90.0, 100.0]);
        assert_eq!(spread(&[50.0; 5], 40.0, 0.0, 100.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(spread(&[50.0], 40.0, 0.0, 10.0), [10.0]);
        assert!(spread(&[], 40.0, 0.0, 10.0).is_empty());
    }

    #[test]
    fn placed_labels_lie_over_nothing_while_there_is_room() {
        let points: Vec<(f64, f64)> =
            (0..12).map(|i| (150.0 + 9.0 * f64::from(i % 4), 40.0 + 22.0 * f64::from(i))).collect();
        let frame = Area { left: 0.0, top: 0.0, right: 330.0, bottom: 330.0 };
        let placed = place(&points, &[70.0; 12], 14.0, 6.0, &[], frame);
        for (at, label) in placed.iter().enumerate() {
            assert_eq!(label.over(&frame), label.size());
            assert!(placed[..at].iter().all(|other| label.over(other) == 0.0), "{label:?}");
        }
    }
}
