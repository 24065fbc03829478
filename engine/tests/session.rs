//! Sessions: every rule against its formula in f64, every list against a plain sort.

mod common;

use common::{LEVELS, RULES, file, noise};
use tinderbox::{
    EmbedError, Feedback, FeedbackError, Filter, Interaction, Kernel, Model, NewItems, RankError, Ranked,
    Reason, Rule, Session, SessionError, embed_item,
};

/// Likes, dislikes and what is between, on distinct items.
fn support(model: &Model<'_>, len: usize) -> Vec<Interaction> {
    let items = model.items();
    (0..len)
        .map(|at| Interaction { item: ((at * 37 + 5) % items) as u32, level: (at * 3 % 5) as u8 })
        .collect()
}

fn scratch(model: &Model<'_>, capacity: usize) -> Vec<f32> {
    vec![f32::NAN; Session::scratch_len(model, capacity)] // what it holds must not matter
}

/// Row of an item in f64.
fn row(model: &Model<'_>, item: usize) -> Vec<f64> {
    let scale = f64::from(model.scales()[item]);
    let row = model.rows().row(item).expect("an item");
    row.components().map(|value| scale * f64::from(value)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `columns` (column after column) times `vector`.
fn times(columns: &[f32], vector: &[f64]) -> Vec<f64> {
    let dim = vector.len();
    (0..dim).map(|at| (0..dim).map(|c| f64::from(columns[c * dim + at]) * vector[c]).sum()).collect()
}

/// DESIGN's serving form of each rule, written down naively.
fn scores_by_formula(model: &Model<'_>, support: &[Interaction], features: &[u32]) -> Vec<f64> {
    let dim = model.dim();
    let mut base: Vec<f64> = model.prior().iter().map(|&value| f64::from(value)).collect();
    for &feature in features {
        let embedding = model.user_features().embedding(feature as usize).expect("a known feature");
        base.iter_mut().zip(embedding).for_each(|(base, &value)| *base += f64::from(value));
    }
    let shots: Vec<(Vec<f64>, f64, f64)> = support
        .iter()
        .map(|i| {
            let (_, target, weight, ..) = LEVELS[usize::from(i.level)];
            let share = (20.0 / support.len() as f64).min(1.0);
            (row(model, i.item as usize), f64::from(target), share * f64::from(weight))
        })
        .collect();
    let mut user = base.clone();
    match model.rule() {
        Rule::Maml { pull } => {
            for step_sizes in model.step_sizes().chunks_exact(dim) {
                let mut gradient = times(model.gram().expect("a Gram matrix"), &user);
                for c in 0..dim {
                    gradient[c] += f64::from(pull) * (user[c] - base[c]);
                }
                for (row, target, weight) in &shots {
                    let residual = weight * (dot(row, &user) - target);
                    gradient.iter_mut().zip(row).for_each(|(gradient, value)| *gradient += residual * value);
                }
                let direction = times(model.preconditioner().expect("a preconditioner"), &gradient);
                for c in 0..dim {
                    user[c] -= f64::from(step_sizes[c]) * direction[c];
                }
            }
        }
        Rule::Prototypical { scale, shrinkage } => {
            let total: f64 = shots.iter().map(|(_, _, weight)| weight).sum();
            let mut sum = vec![0.0; dim];
            for (row, target, weight) in &shots {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * target * value);
            }
            let direction = times(model.preconditioner().expect("a preconditioner"), &sum);
            for c in 0..dim {
                user[c] += f64::from(scale) / (f64::from(shrinkage) + total) * direction[c];
            }
        }
        Rule::Matching { sharpness, null } => {
            let score = |item| {
                let item_row = row(model, item);
                let share =
                    |row: &[f64], weight: f64| weight * (f64::from(sharpness) * dot(row, &item_row)).exp();
                let total: f64 = shots.iter().map(|(row, _, weight)| share(row, *weight)).sum();
                let attended: f64 =
                    shots.iter().map(|(row, target, weight)| share(row, *weight) * target).sum();
                dot(&base, &item_row) + attended / (f64::from(null) + total)
            };
            return (0..model.items()).map(score).collect();
        }
    }
    let length = dot(&user, &user).sqrt();
    (0..model.items()).map(|item| dot(&user, &row(model, item)) / length).collect()
}

#[test]
fn every_rule_equals_its_formula() {
    for rule in RULES {
        for (items, dim) in [(70, 16), (130, 32), (40, 112)] {
            let file = file(rule, items, dim);
            let model = file.model().expect("a sound file");
            for shots in [0, 1, 2, 5, 17, 33] {
                let (support, mut scratch) = (support(&model, shots), scratch(&model, 40));
                let mut session = Session::new(model, &mut scratch).expect("enough scratch");
                session.set_features(&[1]).expect("a known feature");
                session.adapt(&support).expect("a sound support");
                let expected = scores_by_formula(&model, &support, &[1]);
                for (item, expected) in expected.iter().enumerate() {
                    let found = session.score(item as u32).expect("a known item");
                    assert!(
                        (f64::from(found) - expected).abs() < 2e-4,
                        "{} {items} x {dim}, {shots} shots, item {item}: {found} instead of {expected}",
                        rule.name()
                    );
                }
            }
        }
    }
}

/// What `rank` promises, by scoring each item on its own and sorting.
fn sorted_by_hand(session: &Session<'_>, candidates: impl Iterator<Item = u32>, len: usize) -> Vec<Ranked> {
    let score = |item| Ranked { item, score: session.score(item).expect("a known item") };
    let mut list: Vec<Ranked> = candidates.map(score).collect();
    list.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
    list.truncate(len);
    list
}

#[test]
fn a_ranking_is_the_sorted_catalogue_under_every_filter() {
    for rule in RULES {
        let items = 1_300; // more than two chunks
        let file = file(rule, items, 32);
        let model = file.model().expect("a sound file");
        let mut scratch = scratch(&model, 10);
        let mut session = Session::new(model, &mut scratch).expect("enough scratch");
        let support = support(&model, 10);
        session.adapt(&support).expect("a sound support");
        let in_support = |item: &u32| support.iter().any(|i| i.item == *item);
        let thirds: Vec<u32> = (0..items as u32).filter(|item| item % 3 == 1).collect();
        let few = [3, 511, 512, 1299];
        for len in [0, 1, 10, 64, 2_000] {
            for allow in [None, Some(&thirds[..]), Some(&few[..]), Some(&[][..])] {
                for deny in [&[][..], &thirds[..], &few[..]] {
                    for categories in [&[][..], &[1], &[0, 2]] {
                        for keep_support in [false, true] {
                            let filter = Filter { allow, deny, categories, keep_support };
                            let candidates = (0..items as u32)
                                .filter(|item| allow.is_none_or(|allow| allow.contains(item)))
                                .filter(|item| !deny.contains(item))
                                .filter(|item| keep_support || !in_support(item))
                                .filter(|item| {
                                    categories.is_empty()
                                        || categories.iter().any(|category| item % (category + 2) == 0)
                                });
                            let mut out = vec![Ranked::default(); len];
                            let found = session.rank(&filter, &mut out).expect("a sound filter");
                            assert_eq!(found, sorted_by_hand(&session, candidates, len), "{filter:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_longer_list_begins_with_the_shorter_one() {
    let file = file(RULES[0], 700, 32);
    let model = file.model().expect("a sound file");
    let mut scratch = scratch(&model, 5);
    let mut session = Session::new(model, &mut scratch).expect("enough scratch");
    session.adapt(&support(&model, 5)).expect("a sound support");
    let mut all = vec![Ranked::default(); 700];
    let all = session.rank(&Filter::default(), &mut all).expect("no filter").to_vec();
    assert_eq!(all.len(), 695);
    for len in 0..700 {
        let mut some = vec![Ranked::default(); len];
        let some = session.rank(&Filter::default(), &mut some).expect("no filter");
        assert_eq!(some, &all[..len.min(695)]);
    }
}

#[test]
fn ties_go_to_the_more_popular_item() {
    let file = file(RULES[0], 700, 16);
    let model = file.model().expect("a sound file");
    let mut scratch = scratch(&model, 1);
    let mut session = Session::new(model, &mut scratch).expect("enough scratch");
    let first: Vec<i8> = model.rows().row(0).expect("an item").components().collect();
    let (rows, scales) = (first.repeat(9), vec![model.scales()[0]; 9]);
    session.add_items(NewItems { rows: &rows, scales: &scales }).expect("items of the model's dim");
    let mut out = vec![Ranked::default(); 709];
    let list = session.rank(&Filter::default(), &mut out).expect("no filter");
    let equals: Vec<u32> = list.iter().filter(|r| r.item == 0 || r.item >= 700).map(|r| r.item).collect();
    assert_eq!(equals, [0, 700, 701, 702, 703, 704, 705, 706, 707, 708]);
}

#[test]
fn every_kernel_gives_the_same_session() {
    for rule in RULES {
        for dim in [16, 48, 64, 256] {
            let file = file(rule, 333, dim);
            let model = file.model().expect("a sound file");
            for shots in [0, 1, 7, 16, 30] {
                let run = |kernel| {
                    let mut scratch = scratch(&model, 30);
                    let mut session =
                        Session::with_kernel(model, kernel, &mut scratch).expect("enough scratch");
                    session.set_features(&[0]).expect("a known feature");
                    session.adapt(&support(&model, shots)).expect("a sound support");
                    let mut out = vec![Ranked::default(); 50];
                    let list = session.rank(&Filter::default(), &mut out).expect("no filter").to_vec();
                    let mut reasons = [Reason::default(); 3];
                    let reasons = session.explain(list[0].item, &mut reasons).expect("a known item");
                    let list: Vec<(u32, u32)> = list.iter().map(|r| (r.item, r.score.to_bits())).collect();
                    let reasons: Vec<(u32, u32)> =
                        reasons.iter().map(|r| (r.item, r.effect.to_bits())).collect();
                    (list, reasons)
                };
                for kernel in Kernel::all() {
                    assert_eq!(run(kernel), run(Kernel::scalar()), "{} {dim} {}", rule.name(), kernel.name());
                }
            }
        }
    }
}

#[test]
fn an_effect_is_the_difference_that_leaving_the_feedback_out_makes() {
    for rule in RULES {
        let file = file(rule, 90, 32);
        let model = file.model().expect("a sound file");
        let support = support(&model, 6);
        let score = |support: &[Interaction], item| {
            let mut scratch = scratch(&model, 6);
            let mut session = Session::new(model, &mut scratch).expect("enough scratch");
            session.adapt(support).expect("a sound support");
            session.score(item).expect("a known item")
        };
        let mut scratch = scratch(&model, 6);
        let mut session = Session::new(model, &mut scratch).expect("enough scratch");
        session.adapt(&support).expect("a sound support");
        let mut out = [Reason::default(); 9];
        let reasons = session.explain(60, &mut out).expect("a known item").to_vec();
        assert_eq!(reasons.len(), 6);
        assert!(reasons.windows(2).all(|pair| pair[0].effect >= pair[1].effect), "strongest first");
        for reason in &reasons {
            let without: Vec<Interaction> =
                support.iter().filter(|i| i.item != reason.item).copied().collect();
            let expected = score(&support, 60) - score(&without, 60);
            assert!((reason.effect - expected).abs() < 1e-4, "{}: {reason:?}, not {expected}", rule.name());
        }
        let mut two = [Reason::default(); 2];
        assert_eq!(session.explain(60, &mut two).expect("a known item"), &reasons[..2]);
        assert_eq!(session.score(60), Ok(score(&support, 60)), "explaining leaves the session as it was");
    }
}

#[test]
fn a_session_before_feedback_ranks_by_the_prior() {
    for rule in RULES {
        let file = file(rule, 90, 32);
        let model = file.model().expect("a sound file");
        let (mut one, mut two) = (scratch(&model, 6), scratch(&model, 6));
        let fresh = Session::new(model, &mut one).expect("enough scratch");
        let mut back = Session::new(model, &mut two).expect("enough scratch");
        back.adapt(&support(&model, 6)).expect("a sound support");
        assert_ne!(fresh.score(4), back.score(4), "{}: feedback has to matter", rule.name());
        back.adapt(&[]).expect("an empty support");
        assert_eq!(fresh.score(4), back.score(4));
    }
}

#[test]
fn a_new_item_is_ranked_with_the_catalogue_and_can_be_liked() {
    let file = file(RULES[0], 90, 32);
    let model = file.model().expect("a sound file");
    let features =
        ["genre:a", "genre:b"].map(|name| model.item_features().find(name).expect("a known feature") as u32);
    let mut row = [0_i8; 32];
    let scale = embed_item(&model, &features, &mut row).expect("features with a direction");

    let expected: Vec<f64> = (0..32)
        .map(|c| {
            let of =
                |f: u32| f64::from(model.item_features().embedding(f as usize).expect("a known feature")[c]);
            f64::from(model.new_item_base().expect("a base")[c]) + of(0) + of(1)
        })
        .collect();
    let length = dot(&expected, &expected).sqrt();
    for (value, expected) in row.iter().zip(&expected) {
        assert!((f64::from(scale) * f64::from(*value) - expected / length).abs() <= f64::from(scale) * 0.501);
    }

    let mut scratch = scratch(&model, 3);
    let mut session = Session::new(model, &mut scratch).expect("enough scratch");
    let scales = [scale];
    session.add_items(NewItems { rows: &row, scales: &scales }).expect("one row, one scale");
    let before = session.score(90).expect("the new item");
    session.adapt(&[Interaction::at(&model, 90, Feedback::Like).expect("a like")]).expect("a known item");
    assert_ne!(session.score(90), Ok(before));
    let mut out = [Ranked::default(); 100];
    assert_eq!(
        session.rank(&Filter::default(), &mut out).expect("no filter").len(),
        90,
        "the liked one is out"
    );
    let filter = Filter { keep_support: true, ..Filter::default() };
    assert_eq!(session.rank(&filter, &mut out).expect("no filter").len(), 91);
    let filter = Filter { categories: &[0], keep_support: true, ..Filter::default() };
    assert!(session.rank(&filter, &mut out).expect("a known category").iter().all(|r| r.item < 90));
}

#[test]
fn wrong_calls_are_refused_and_change_nothing() {
    let file = file(RULES[0], 90, 32);
    let model = file.model().expect("a sound file");
    let expected = Session::scratch_len(&model, 1);
    let found = expected - 1;
    let error = Session::new(model, &mut vec![0.0; found]).map(|_| ());
    assert_eq!(error, Err(SessionError::ScratchTooSmall { expected, found }));

    let mut scratch = scratch(&model, 16);
    let mut session = Session::new(model, &mut scratch).expect("enough scratch");
    session.adapt(&support(&model, 4)).expect("a sound support");
    let before = session.score(7);
    let interaction = |item, level| Interaction { item, level };
    for (support, error) in [
        (vec![interaction(1, 0); 17], SessionError::SupportTooLong { capacity: 16, found: 17 }),
        (vec![interaction(90, 0)], SessionError::UnknownItem { found: 90, items: 90 }),
        (vec![interaction(0, 5)], SessionError::UnknownLevel { found: 5, levels: 5 }),
    ] {
        assert_eq!(session.adapt(&support), Err(error));
    }
    assert_eq!(session.set_features(&[0, 2]), Err(SessionError::UnknownFeature { found: 2, features: 2 }));
    assert_eq!(
        session.add_items(NewItems { rows: &[0; 31], scales: &[1.0] }),
        Err(SessionError::NewItemsShape { expected: 32, found: 31 })
    );
    assert_eq!(session.score(90), Err(SessionError::UnknownItem { found: 90, items: 90 }));
    assert_eq!(
        session.explain(90, &mut []).map(<[Reason]>::len),
        Err(SessionError::UnknownItem { found: 90, items: 90 })
    );
    let rank = |filter: Filter<'_>| session.rank(&filter, &mut [Ranked::default()]).map(<[Ranked]>::len);
    let deny = |deny| Filter { deny, ..Filter::default() };
    assert_eq!(rank(deny(&[3, 3])), Err(RankError::NotAscending { position: 1, found: 3 }));
    assert_eq!(rank(deny(&[90])), Err(RankError::UnknownItem { found: 90, items: 90 }));
    assert_eq!(
        rank(Filter { categories: &[3], ..Filter::default() }),
        Err(RankError::UnknownCategory { found: 3, categories: 3 })
    );
    assert_eq!(session.score(7), before);

    assert_eq!(
        embed_item(&model, &[0], &mut [0; 31]),
        Err(EmbedError::RowLength { expected: 32, found: 31 })
    );
    assert_eq!(
        embed_item(&model, &[9], &mut [0; 32]),
        Err(EmbedError::UnknownFeature { found: 9, features: 2 })
    );
}

#[test]
fn all_feedback_beyond_twenty_together_weighs_what_twenty_do() {
    for rule in RULES {
        let file = file(rule, 90, 32);
        let model = file.model().expect("a sound model");
        let (mut scratch, mut scratch_of_thrice) = (scratch(&model, 20), scratch(&model, 60));
        let mut once = Session::new(model, &mut scratch).expect("enough scratch");
        let mut thrice = Session::new(model, &mut scratch_of_thrice).expect("enough scratch");
        once.adapt(&support(&model, 20)).expect("a sound support");
        thrice.adapt(&support(&model, 20).repeat(3)).expect("a sound support");
        for item in 0..90 {
            let (expected, found) =
                (once.score(item).expect("an item"), thrice.score(item).expect("an item"));
            assert!((expected - found).abs() < 1e-5, "{rule:?} {item}: {found}, not {expected}");
        }
    }
}

#[test]
fn feedback_is_matched_to_the_levels_of_the_model() {
    let file = file(RULES[0], 90, 32);
    let model = file.model().expect("a sound file");
    let of = |feedback| Interaction::of(&model, "id-7", feedback);
    for (feedback, level) in [
        (Feedback::Like, 3),
        (Feedback::Dislike, 0),
        (Feedback::Rating(5.0), 4),
        (Feedback::Rating(2.6), 2),
        (Feedback::Rating(1.0), 0),
    ] {
        assert_eq!(of(feedback), Ok(Interaction { item: 7, level }));
    }
    for found in [0.5, 5.5, f32::INFINITY] {
        assert_eq!(
            of(Feedback::Rating(found)),
            Err(FeedbackError::OffScale { found, lowest: 1.0, highest: 5.0 })
        );
    }
    assert!(of(Feedback::Rating(f32::NAN)).is_err());
    assert_eq!(Interaction::of(&model, "ID-7", Feedback::Like), Err(FeedbackError::UnknownId));
}

#[test]
fn any_support_and_filter_is_answered_without_a_panic() {
    let mut next = noise(5);
    for rule in RULES {
        let file = file(rule, 200, 16);
        let model = file.model().expect("a sound file");
        let mut scratch = scratch(&model, 8);
        let mut session = Session::new(model, &mut scratch).expect("enough scratch");
        for _ in 0..2_000 {
            let mut number = |below: f32| (next().abs() * below) as u32;
            let support: Vec<Interaction> = (0..number(20.0))
                .map(|_| Interaction { item: number(220.0), level: number(6.0) as u8 })
                .collect();
            let fits = support.len() <= 8 && support.iter().all(|i| i.item < 200 && i.level < 5);
            assert_eq!(session.adapt(&support).is_ok(), fits);
            let mut deny: Vec<u32> = (0..number(9.0)).map(|_| number(220.0)).collect();
            deny.sort_unstable();
            let mut out = [Ranked::default(); 7];
            let filter = Filter { deny: &deny, ..Filter::default() };
            let sound =
                deny.windows(2).all(|pair| pair[0] < pair[1]) && deny.last().is_none_or(|&item| item < 200);
            assert_eq!(session.rank(&filter, &mut out).is_ok(), sound);
        }
    }
}
