//! Batches, similar items, variety and sketches: each against a plain statement of what it promises.

mod common;

use common::{RULES, bytes, file, on_disk};
use proptest::prelude::*;
use tinderbox::{
    Filter, Interaction, Kernel, Model, ModelFile, NewItems, RankError, Ranked, Session, embed_item,
    rank_batch,
};

fn support(model: &Model<'_>, user: usize) -> Vec<Interaction> {
    let items = model.items();
    (0..user % 12)
        .map(|at| Interaction {
            item: ((at * 37 + user * 11) % items) as u32,
            level: ((at + user) % 5) as u8,
        })
        .collect()
}

/// A session of this user, adapted.
fn session<'a>(model: Model<'a>, kernel: Kernel, user: usize, scratch: &'a mut Vec<f32>) -> Session<'a> {
    scratch.resize(Session::scratch_len(&model, 12), f32::NAN);
    let mut session = Session::with_kernel(model, kernel, scratch).expect("enough scratch");
    session.adapt(&support(&model, user)).expect("a sound support");
    session
}

/// Embedding of an item, in f64.
fn embedding(model: &Model<'_>, item: u32) -> Vec<f64> {
    let scale = f64::from(model.scales()[item as usize]);
    let row = model.rows().row(item as usize).expect("an item");
    row.components().map(|value| scale * f64::from(value)).collect()
}

fn cosine(model: &Model<'_>, a: u32, b: u32) -> f64 {
    embedding(model, a).iter().zip(embedding(model, b)).map(|(a, b)| a * b).sum()
}

#[test]
fn a_batch_gives_each_user_the_list_of_a_ranking_alone() {
    let mut cases = 0;
    for rule in RULES {
        let file = file(rule, 1_300, 48);
        let model = file.model().expect("a sound file");
        for kernel in Kernel::all() {
            for users in [0, 1, 2, 3, 4, 5, 8, 33] {
                let mut scratches = vec![Vec::new(); users];
                let sessions: Vec<Session<'_>> =
                    (0..).zip(&mut scratches).map(|(user, s)| session(model, kernel, user, s)).collect();
                let thirds: Vec<u32> = (0..1_300).filter(|item| item % 3 == 1).collect();
                let filters = [
                    Filter::default(),
                    Filter { allow: Some(&thirds), ..Filter::default() },
                    Filter { deny: &thirds, keep_support: true, ..Filter::default() },
                    Filter { categories: &[1], ..Filter::default() },
                ];
                let mut outs = vec![[Ranked::default(); 40]; users];
                let mut requests: Vec<_> = (0..)
                    .zip(sessions.iter().zip(&mut outs))
                    .map(|(user, (session, out))| {
                        session.request(&filters[user % 4], &mut out[..user % 41]).expect("a sound filter")
                    })
                    .collect();
                rank_batch(&mut requests);
                for (user, request) in requests.into_iter().enumerate() {
                    let mut out = [Ranked::default(); 40];
                    let alone = sessions[user]
                        .rank(&filters[user % 4], &mut out[..user % 41])
                        .expect("a sound filter");
                    assert_eq!(
                        request.ranked(),
                        alone,
                        "{} {} user {user} of {users}",
                        rule.name(),
                        kernel.name()
                    );
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} lists of batches");
}

#[test]
fn a_batch_may_mix_models_and_new_items() {
    let files = [file(RULES[0], 600, 32), file(RULES[2], 520, 16)];
    let models = [&files[0], &files[1]].map(|file| file.model().expect("a sound file"));
    let rows: Vec<(Vec<i8>, f32)> = models
        .iter()
        .map(|model| {
            let mut row = vec![0; model.dim()];
            let scale = embed_item(model, &[1], &mut row).expect("a known feature");
            (row, scale)
        })
        .collect();
    let mut scratches = vec![Vec::new(); 6];
    let sessions: Vec<Session<'_>> = (0..)
        .zip(&mut scratches)
        .map(|(user, scratch)| {
            let at = user / 2 % 2; // runs of two
            let mut session = session(models[at], Kernel::detect(), user, scratch);
            if user % 3 == 0 {
                let (row, scale) = &rows[at];
                session
                    .add_items(NewItems { rows: row, scales: std::slice::from_ref(scale) })
                    .expect("one row");
            }
            session
        })
        .collect();
    let mut outs = vec![[Ranked::default(); 700]; 6];
    let mut requests: Vec<_> = sessions
        .iter()
        .zip(&mut outs)
        .map(|(s, out)| s.request(&Filter::default(), out).expect("no filter"))
        .collect();
    rank_batch(&mut requests);
    for (session, request) in sessions.iter().zip(requests) {
        let mut out = [Ranked::default(); 700];
        assert_eq!(request.ranked(), session.rank(&Filter::default(), &mut out).expect("no filter"));
    }
}

#[test]
fn a_request_that_is_done_stays_as_it_is() {
    let file = file(RULES[0], 700, 32);
    let model = file.model().expect("a sound file");
    let mut scratches = [Vec::new(), Vec::new()];
    let [one, two] = &mut scratches;
    let sessions = [session(model, Kernel::detect(), 5, one), session(model, Kernel::detect(), 6, two)];
    for len in [10, 900] {
        let mut outs = [vec![Ranked::default(); len], vec![Ranked::default(); len]];
        let filter = Filter { deny: &[7, 9], ..Filter::default() };
        let mut requests: Vec<_> = sessions
            .iter()
            .zip(&mut outs)
            .map(|(session, out)| session.request(&filter, out).expect("a sound filter"))
            .collect();
        rank_batch(&mut requests[..1]);
        rank_batch(&mut requests); // the first one again, beside one that is not done
        rank_batch(&mut requests);
        for (session, request) in sessions.iter().zip(requests) {
            let mut out = vec![Ranked::default(); len];
            assert_eq!(request.ranked(), session.rank(&filter, &mut out).expect("a sound filter"), "{len}");
        }
    }
}

#[test]
fn similar_items_are_the_nearest_by_cosine() {
    for rule in RULES {
        let file = file(rule, 700, 32);
        let model = file.model().expect("a sound file");
        let mut scratch = Vec::new();
        let session = session(model, Kernel::detect(), 5, &mut scratch);
        let filter = Filter { deny: &[7, 9], keep_support: true, ..Filter::default() };
        for item in [0, 8, 699] {
            let mut out = [Ranked::default(); 700];
            let found = session.similar(item, &filter, &mut out).expect("a known item");
            assert_eq!(found.len(), 697, "all but two and itself");
            assert!(found.iter().all(|ranked| ![7, 9, item].contains(&ranked.item)));
            assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for ranked in found {
                assert!((f64::from(ranked.score) - cosine(&model, item, ranked.item)).abs() < 1e-5);
            }
        }
        let unknown = RankError::UnknownItem { found: 700, items: 700 };
        assert_eq!(session.similar(700, &filter, &mut [Ranked::default()]), Err(unknown));
    }
}

/// Maximal marginal relevance, written down naively: the order of `ranking`.
fn diverse_by_formula(model: &Model<'_>, ranking: &[Ranked], diversity: f64, len: usize) -> Vec<u32> {
    let mut left = ranking.to_vec();
    let mut placed: Vec<u32> = Vec::new();
    while placed.len() < len && !left.is_empty() {
        let value = |ranked: &Ranked| {
            let cosines = placed.iter().map(|&item| cosine(model, item, ranked.item));
            (1.0 - diversity) * f64::from(ranked.score)
                - diversity * cosines.fold(f64::NEG_INFINITY, f64::max)
        };
        let by_value = (0..left.len()).max_by(|&a, &b| value(&left[a]).total_cmp(&value(&left[b])));
        let best = if placed.is_empty() { 0 } else { by_value.expect("one is left") };
        placed.push(left.remove(best).item);
    }
    placed
}

#[test]
fn variety_is_maximal_marginal_relevance_with_every_kernel() {
    for rule in RULES {
        let file = file(rule, 700, 48);
        let model = file.model().expect("a sound file");
        for kernel in Kernel::all() {
            let mut scratch = Vec::new();
            let session = session(model, kernel, 7, &mut scratch);
            for (candidates, len) in [(0, 0), (1, 1), (50, 10), (50, 50), (33, 90), (900, 20)] {
                for diversity in [0.0, 0.3, 0.7, 1.0] {
                    let mut out = vec![Ranked::default(); candidates];
                    let plain = session.rank(&Filter::default(), &mut out).expect("no filter").to_vec();
                    let mut memory = vec![f32::NAN; Session::diverse_scratch_len(&model, candidates)];
                    let found = session
                        .rank_diverse(&Filter::default(), diversity, len, &mut memory, &mut out)
                        .expect("enough scratch");
                    let items: Vec<u32> = found.iter().map(|ranked| ranked.item).collect();
                    assert_eq!(items, diverse_by_formula(&model, &plain, f64::from(diversity), len));
                    assert!(found.iter().all(|ranked| plain.contains(ranked)), "scores are the ranking's");
                }
            }
        }
    }
}

#[test]
fn a_diversity_off_the_scale_is_moved_to_its_nearer_end() {
    let file = file(RULES[0], 300, 16);
    let model = file.model().expect("a sound file");
    let mut scratch = Vec::new();
    let session = session(model, Kernel::detect(), 3, &mut scratch);
    let list = |diversity| {
        let (mut memory, mut out) =
            (vec![0.0; Session::diverse_scratch_len(&model, 30)], [Ranked::default(); 30]);
        session
            .rank_diverse(&Filter::default(), diversity, 30, &mut memory, &mut out)
            .expect("enough scratch")
            .to_vec()
    };
    assert_eq!(list(-1.0), list(0.0));
    assert_eq!(list(f32::NAN), list(0.0));
    assert_eq!(list(f32::INFINITY), list(1.0));
    assert_ne!(list(1.0), list(0.0));
}

#[test]
fn too_little_memory_for_the_candidates_is_refused() {
    let file = file(RULES[0], 300, 16);
    let model = file.model().expect("a sound file");
    let mut scratch = Vec::new();
    let session = session(model, Kernel::detect(), 3, &mut scratch);
    let expected = Session::diverse_scratch_len(&model, 30);
    let (mut memory, mut out) = (vec![0.0; expected - 1], [Ranked::default(); 30]);
    let found = session.rank_diverse(&Filter::default(), 0.5, 10, &mut memory, &mut out);
    assert_eq!(found, Err(RankError::ScratchTooSmall { expected, found: expected - 1 }));
}

/// Both lists of a session, ranked and similar, after this support; `kernel` by its place.
fn lists(
    file: &ModelFile,
    kernel: Kernel,
    support: &[Interaction],
    filter: &Filter<'_>,
    len: usize,
) -> [Vec<Ranked>; 3] {
    let model = file.model().expect("a sound file");
    let mut scratch = vec![f32::NAN; Session::scratch_len(&model, 20)];
    let mut session = Session::with_kernel(model, kernel, &mut scratch).expect("enough scratch");
    let mut row = vec![0; model.dim()];
    let scale = [embed_item(&model, &[0], &mut row).expect("a known feature")];
    session.add_items(NewItems { rows: &row, scales: &scale }).expect("one row");
    session.adapt(support).expect("a sound support");
    let mut out = vec![Ranked::default(); len];
    let ranked = session.rank(filter, &mut out).expect("a sound filter").to_vec();
    let similar = session.similar(model.items() as u32 / 2, filter, &mut out).expect("a known item").to_vec();
    let mut second = vec![Ranked::default(); len];
    let mut requests =
        [&mut out, &mut second].map(|out| session.request(filter, out).expect("a sound filter"));
    rank_batch(&mut requests);
    let [batched, _] = requests;
    [ranked, similar, batched.ranked().to_vec()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn sketches_change_no_list(
        rule in 0..2_usize,
        sixteens in 2..7_usize,
        items in 2..3_000_usize,
        decay in 0.7..1.0_f32,
        support in proptest::collection::vec((any::<u32>(), 0..5_u8), 0..12),
        len in 0..60_usize,
        third in any::<bool>(),
    ) {
        let file = |sketched| on_disk(&bytes(RULES[rule], items, 16 * sixteens, decay, sketched));
        let (plain, sketched) = (file(false), file(true));
        prop_assert!(sketched.model().expect("a sound file").sketch().is_some());
        let support: Vec<Interaction> =
            support.into_iter().map(|(item, level)| Interaction { item: item % items as u32, level }).collect();
        let thirds: Vec<u32> = (0..items as u32).step_by(3).collect();
        let filter = Filter { allow: third.then_some(&thirds), ..Filter::default() };
        let expected = lists(&plain, Kernel::scalar(), &support, &filter, len);
        for kernel in Kernel::all() {
            prop_assert_eq!(&lists(&sketched, kernel, &support, &filter, len), &expected, "{}", kernel.name());
        }
    }
}
