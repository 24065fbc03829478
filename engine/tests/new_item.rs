//! New items: what their first raters make of them.

mod common;

use common::{RULES, file, noise};
use tinderbox::{EmbedError, Model, Rater, adapt_item, embed_item};

const DIM: usize = 48;
const LIKED: u8 = 3;
const DISLIKED: u8 = 0;

/// A new item with the first feature, as a row in floats.
fn item(model: &Model<'_>, raters: &[Rater<'_>]) -> Vec<f64> {
    let (mut row, mut scratch) = ([0; DIM], [f32::NAN; 3 * DIM]);
    let scale = adapt_item(model, &[0], raters, &mut scratch, &mut row).expect("sound raters");
    row.iter().map(|&value| f64::from(scale) * f64::from(value)).collect()
}

fn users(count: usize) -> Vec<Vec<f32>> {
    let mut next = noise(7);
    // Lengths differ, and users have much in common, as they do.
    (1..=count).map(|user| (0..DIM).map(|c| user as f32 * (next() + (c % 2) as f32)).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(user: &[f32]) -> Vec<f64> {
    let user: Vec<f64> = user.iter().map(|&x| f64::from(x)).collect();
    let length = dot(&user, &user).sqrt();
    user.iter().map(|x| x / length).collect()
}

#[test]
fn without_raters_an_item_is_what_its_features_say() {
    let file = file(RULES[0], 90, DIM);
    let model = file.model().expect("a sound file");
    for features in [&[][..], &[0], &[1, 0]] {
        let (mut alone, mut adapted) = ([0; DIM], [0; DIM]);
        let scale = embed_item(&model, features, &mut alone);
        assert_eq!(adapt_item(&model, features, &[], &mut [0.0; 3 * DIM], &mut adapted), scale);
        assert_eq!(alone, adapted);
    }
}

#[test]
fn an_item_comes_nearer_to_those_who_like_it_than_to_those_who_do_not() {
    let file = file(RULES[1], 90, DIM);
    let model = file.model().expect("a sound file");
    for user in users(6) {
        let by = |level| dot(&item(&model, &[Rater { user: &user, level }]), &unit(&user));
        let (before, liked, disliked) = (dot(&item(&model, &[]), &unit(&user)), by(LIKED), by(DISLIKED));
        assert!(liked > disliked + 0.02, "{liked} {disliked}");
        assert!((liked - 0.5).abs() < (before - 0.5).abs(), "{before} {liked}");
    }
}

#[test]
fn an_item_solves_the_normal_equations_of_its_raters() {
    let file = file(RULES[0], 90, DIM);
    let model = file.model().expect("a sound file");
    for count in [1, 2, 5, 12, 40] {
        let users = users(count);
        let level = |at: usize| if at.is_multiple_of(3) { DISLIKED } else { LIKED };
        let raters: Vec<Rater<'_>> =
            users.iter().enumerate().map(|(at, user)| Rater { user, level: level(at) }).collect();
        let found = item(&model, &raters);
        let expected = solved(&item(&model, &[]), &raters);
        let difference: f64 = found.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        assert!(difference < 0.02, "{count} raters: {difference}"); // rows are int8
    }
}

/// The minimum that [`adapt_item`] looks for, by coordinate descent in f64.
fn solved(prior: &[f64], raters: &[Rater<'_>]) -> Vec<f64> {
    let users: Vec<Vec<f64>> = raters.iter().map(|rater| unit(rater.user)).collect();
    let mut item = prior.to_vec();
    for _ in 0..500 {
        for axis in 0..DIM {
            let (mut slope, mut curvature) = (3.0 * (item[axis] - prior[axis]), 3.0);
            for (user, rater) in users.iter().zip(raters) {
                let target = if rater.level == LIKED { 0.3 } else { 0.15 };
                slope += (dot(user, &item) - target) * user[axis];
                curvature += user[axis] * user[axis];
            }
            item[axis] -= slope / curvature;
        }
    }
    let length = dot(&item, &item).sqrt();
    item.iter().map(|x| x / length).collect()
}

#[test]
fn bad_raters_are_refused_and_the_row_stays() {
    let file = file(RULES[0], 90, DIM);
    let model = file.model().expect("a sound file");
    let good = users(1).remove(0);
    let good = Rater { user: &good, level: LIKED };
    let with = |user| [good, Rater { user, level: LIKED }];
    let no_direction = Err(EmbedError::RaterWithoutDirection { rater: 1 });
    for (raters, error) in [
        (with(&[1.0; 16]), Err(EmbedError::RaterLength { rater: 1, expected: DIM, found: 16 })),
        (with(&[0.0; DIM]), no_direction),
        (with(&[f32::NAN; DIM]), no_direction),
        (with(&[f32::INFINITY; DIM]), no_direction),
        (with(&[f32::MAX; DIM]), no_direction),
        (with(&[1e-30; DIM]), no_direction),
        ([good, Rater { level: 5, ..good }], Err(EmbedError::UnknownLevel { found: 5, levels: 5 })),
    ] {
        let mut row = [7; DIM];
        assert_eq!(adapt_item(&model, &[0], &raters, &mut [0.0; 3 * DIM], &mut row), error);
        assert_eq!(row, [7; DIM]);
    }
    assert_eq!(
        adapt_item(&model, &[0], &[good], &mut [0.0; 3 * DIM - 1], &mut [0; DIM]),
        Err(EmbedError::ScratchTooSmall { expected: 3 * DIM, found: 3 * DIM - 1 })
    );
    assert_eq!(
        adapt_item(&model, &[0], &[good], &mut [0.0; 3 * DIM], &mut [0; DIM - 1]),
        Err(EmbedError::RowLength { expected: DIM, found: DIM - 1 })
    );
}
