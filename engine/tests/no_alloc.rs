//! The engine does not allocate: every call of a session's life, under an allocator that counts.

#![allow(unsafe_code, reason = "a global allocator is unsafe to implement")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use tinderbox::{
    Feedback, Filter, Interaction, Model, NewItems, Ranked, Rater, Reason, Session, adapt_item, embed_item,
    rank_batch,
};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise about `pointer` and `layout` is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test in this file: the counter is the process's.
#[test]
fn a_whole_session_allocates_nothing() {
    for rule in common::RULES {
        let file = common::file(rule, 1_500, 64);
        let model = file.model().expect("a sound file");
        let mut scratch = vec![0.0; Session::scratch_len(&model, 40)];
        let mut out = vec![Ranked::default(); 100];
        let mut for_variety = vec![0.0; Session::diverse_scratch_len(&model, 50)];
        let before = ALLOCATIONS.load(Ordering::Relaxed);

        let model = Model::open(model.bytes()).expect("a sound file");
        model.verify().expect("a sound file");
        let mut session = Session::new(model, &mut scratch).expect("enough scratch");
        let (mut row, mut support) = ([0; 64], [Interaction { item: 0, level: 0 }; 33]);
        let scale = [embed_item(&model, &[0, 1], &mut row).expect("features with a direction")];
        session.add_items(NewItems { rows: &row, scales: &scale }).expect("a row of the model's dim");
        session.set_features(&[0]).expect("a known feature");
        for (at, interaction) in support.iter_mut().enumerate() {
            let id = model.id(at * 40).expect("an id");
            let feedback = if at % 4 == 0 { Feedback::Dislike } else { Feedback::Like };
            *interaction = Interaction::of(&model, id, feedback).expect("a known item");
        }
        session.adapt(&support).expect("a sound support");
        let filter = Filter { deny: &[1, 2, 3], categories: &[0, 1], ..Filter::default() };
        let (raters, mut memory) = ([Rater { user: session.user(), level: 0 }], [0.0; 3 * 64]);
        adapt_item(&model, &[1], &raters, &mut memory, &mut [0; 64]).expect("a rater with a direction");
        let best = session.rank(&filter, &mut out).expect("a sound filter")[0];
        let mut reasons = [Reason::default(); 5];
        assert_eq!(session.explain(best.item, &mut reasons).expect("a known item").len(), 5);
        session.similar(best.item, &filter, &mut out).expect("a known item");
        session.rank_diverse(&filter, 0.3, 10, &mut for_variety, &mut out[..50]).expect("enough scratch");
        let (one, two) = out.split_at_mut(50);
        rank_batch(&mut [one, two].map(|out| session.request(&filter, out).expect("a sound filter")));
        assert!(model.title(best.item as usize).is_some());

        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{}", rule.name());
    }
}
