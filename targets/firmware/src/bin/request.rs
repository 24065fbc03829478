//! A request as an app makes it, on a model of each rule, 300 items x 32: flash, RAM and instructions.

#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use tinderbox::{Feedback, Filter, Interaction, Model, NewItems, Ranked, Reason, Session, embed_item};
use tinderbox_firmware::instructions::Counter;
use tinderbox_firmware::{host, memory};
use tinderbox_golden::MODELS;

const ITEMS: usize = 300;
const DIM: usize = 32;
/// [`Session::scratch_len`] for up to ten interactions.
const SCRATCH: usize = 10 * (DIM + 5) + DIM * 9 / 2;

/// What firmware is to stay below: code and constants without the models, and RAM.
const MAX_CODE: usize = 32 * 1024;
const MAX_RAM: usize = 8 * 1024;

type Outcome<T> = Result<T, &'static str>;
type Request = fn(&[u8]) -> Outcome<Ranked>;

#[entry]
fn main() -> ! {
    host::exit(measure())
}

fn measure() -> Outcome<()> {
    let clock = cortex_m::Peripherals::take().ok_or("the peripherals are taken")?.SYST;
    let counter = Counter::calibrated(clock).ok_or("no instructions are counted: -icount is missing")?;
    let code = memory::flash() - MODELS.iter().map(|(_, model)| model.len()).sum::<usize>();
    hprintln!("{} bytes of code and constants, {} bytes of statics", code, memory::statics());
    if code > MAX_CODE {
        return Err("the code is larger than 32 KB");
    }
    for (name, bytes) in MODELS {
        if size(bytes)? == (ITEMS, DIM) {
            measure_model(&counter, name, bytes)?;
        }
    }
    Ok(())
}

/// In a frame of its own, so that no request is charged for it.
#[inline(never)]
fn size(file: &[u8]) -> Outcome<(usize, usize)> {
    let model = Model::open(file).map_err(|_| "the model file is refused")?;
    Ok((model.items(), model.dim()))
}

fn measure_model(counter: &Counter, name: &str, bytes: &[u8]) -> Outcome<()> {
    let requests: [(&str, Request); 3] = [
        ("adapt to 10, rank all", rank as Request),
        ("the same, explain the best", explain),
        ("the same, with a new item", rank_new_item),
    ];
    for (what, request) in requests {
        memory::paint_stack();
        let (instructions, best) = counter.count(|| request(bytes));
        let (ram, best) = (memory::statics() + memory::stack(), best?);
        hprintln!(
            "{}, {}: {} bytes of RAM, {} instructions; best: {}",
            name,
            what,
            ram,
            instructions,
            best.item
        );
        if ram > MAX_RAM {
            return Err("a request takes more than 8 KB of RAM");
        }
    }
    Ok(())
}

/// Adapts to ten interactions and ranks the catalogue.
#[inline(never)]
fn rank(file: &[u8]) -> Outcome<Ranked> {
    with_session(file, NewItems::default(), best)
}

/// The same, and says why the best item is there.
#[inline(never)]
fn explain(file: &[u8]) -> Outcome<Ranked> {
    with_session(file, NewItems::default(), |session| {
        let best = best(session)?;
        let mut reasons = [Reason::default(); 3];
        session.explain(best.item, &mut reasons).map_err(|_| "explain is refused")?;
        Ok(best)
    })
}

/// Embeds an item that training never saw first, and ranks it with the catalogue.
#[inline(never)]
fn rank_new_item(file: &[u8]) -> Outcome<Ranked> {
    let mut row = [0; DIM];
    let scales = [embed(file, &mut row)?];
    with_session(file, NewItems { rows: &row, scales: &scales }, best)
}

/// In a frame that is gone when the session comes.
#[inline(never)]
fn embed(file: &[u8], row: &mut [i8]) -> Outcome<f32> {
    let model = Model::open(file).map_err(|_| "the model file is refused")?;
    embed_item(&model, &[1, 14], row).map_err(|_| "the new item is refused")
}

/// Hands a session over that has adapted to ten interactions; its memory is on the stack.
#[inline(never)]
fn with_session(
    file: &[u8],
    new_items: NewItems<'_>,
    then: fn(&mut Session<'_>) -> Outcome<Ranked>,
) -> Outcome<Ranked> {
    let model = Model::open(file).map_err(|_| "the model file is refused")?;
    let mut scratch = [0.0; SCRATCH];
    let mut session = Session::new(model, &mut scratch).map_err(|_| "the session is refused")?;
    session.add_items(new_items).map_err(|_| "the new items are refused")?;
    let mut support = [Interaction { item: 0, level: 0 }; 10];
    let support = &mut support[..black_box(10)]; // an app's is as long as it happens to be
    for (at, interaction) in (0..).zip(&mut *support) {
        let feedback = if at % 3 == 1 { Feedback::Dislike } else { Feedback::Like };
        *interaction =
            Interaction::at(&model, 7 * at + 3, feedback).map_err(|_| "the feedback is refused")?;
    }
    session.adapt(support).map_err(|_| "the support is refused")?;
    then(&mut session)
}

fn best(session: &mut Session<'_>) -> Outcome<Ranked> {
    let mut list = [Ranked::default(); 10];
    let list =
        session.rank(&Filter::default(), &mut list[..black_box(10)]).map_err(|_| "the ranking is refused")?;
    list.first().copied().ok_or("the list is empty")
}
