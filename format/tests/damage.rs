//! Damage is noticed, by `open` or by `verify`, and nothing panics on what `open` lets through.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use crc::{CRC_32_ISCSI, Crc, NoTable};
use tinderbox_format::{BLOCK, MAX_ONBOARDING, Model, OpenError, VerifyError};
use twox_hash::XxHash3_64;
use world::{Aligned, EVERYTHING, World};

const HEADER_LEN: usize = 128;
const ENTRY_LEN: usize = 24;

fn small_file() -> Vec<u8> {
    World::new(EVERYTHING, 1).bytes()
}

/// What `open` and then `verify` say. Every accessor is called on what opens.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(OpenError),
    Noticed(VerifyError),
    Fine,
}

fn outcome(bytes: &[u8]) -> Outcome {
    let file = Aligned::new(bytes);
    match Model::open(file.bytes()) {
        Err(error) => Outcome::Refused(error),
        Ok(model) => {
            call_everything(&model);
            model.verify().map_or_else(Outcome::Noticed, |()| Outcome::Fine)
        }
    }
}

fn call_everything(model: &Model<'_>) {
    let items = model.items();
    assert_eq!(model.rows().blocks().len(), items.next_multiple_of(BLOCK) * model.dim());
    assert_eq!(model.scales().len(), items);
    assert_eq!(model.step_sizes().len(), model.steps() * model.dim());
    assert!(model.onboarding().iter().all(|&item| (item as usize) < items));
    assert_eq!(model.rows().iter().count(), items.next_multiple_of(BLOCK));
    assert_eq!(model.prior().len(), model.dim());
    let square =
        |matrix: Option<&[f32]>| matrix.is_none_or(|matrix| matrix.len() == model.dim() * model.dim());
    assert!(square(model.gram()) && square(model.preconditioner()));
    assert!(model.new_item_base().is_none_or(|base| base.len() == model.dim()));
    if let Some(sketch) = model.sketch() {
        assert_eq!((sketch.scales().len(), sketch.rests().len()), (items, items));
        assert_eq!(sketch.axes().len() % model.dim(), 0);
    }
    for index in (0..items + 2).chain([usize::MAX]) {
        let _ =
            (model.id(index), model.title(index), model.levels().value(index), model.levels().liked(index));
        let _ = (model.levels().target(index), model.levels().weight(index));
        let _ = model.rows().row(index).map(|row| row.components().count());
        let _ =
            model.sketch().and_then(|sketch| sketch.rows().row(index)).map(|row| row.components().count());
        for table in [model.item_features(), model.user_features()] {
            let _ = (table.name(index), table.embedding(index));
        }
        let categories = model.categories();
        let _ = (categories.name(index), categories.bitmap(index), categories.contains(index, index));
        let _ = categories.contains(0, index);
    }
    for name in ["", "0977", "ü1", "genre:001", "age:002", "category:002", "\u{10FFFF}"] {
        assert!(model.item(name).is_none_or(|item| item < items));
        assert!(model.item_features().find(name).is_none_or(|feature| feature < model.item_features().len()));
        assert!(model.user_features().find(name).is_none_or(|feature| feature < model.user_features().len()));
        assert!(model.categories().find(name).is_none_or(|category| category < model.categories().len()));
    }
    for value in [f32::NAN, f32::MIN, 3.0, f32::MAX] {
        assert!(model.levels().closest(value).is_none_or(|level| level < model.levels().len()));
    }
    let _ = (model.levels().plain_like(), model.levels().plain_dislike(), model.card(), model.content_id());
    assert!(model.sections().all(|section| !section.name().is_empty()));
    assert!(format!("{model:?}").len() < 300);
}

#[test]
fn the_undamaged_file_is_fine() {
    let file = Aligned::new(&small_file());
    let model = Model::open(file.bytes()).unwrap();
    World::new(EVERYTHING, 1).assert_read_back(&model);
    assert_eq!(outcome(file.bytes()), Outcome::Fine);
    assert_eq!(model.sections().count(), 28);
}

#[test]
fn every_truncation_is_noticed() {
    let file = Aligned::new(&small_file());
    for len in 0..file.bytes().len() {
        let error = Model::open(&file.bytes()[..len]).unwrap_err();
        let expected = if len < HEADER_LEN { HEADER_LEN } else { file.bytes().len() } as u64;
        match error {
            OpenError::Magic => assert!(len < 8),
            error => assert_eq!(error, OpenError::Length { expected, found: len as u64 }),
        }
    }
}

#[test]
fn every_trailing_byte_is_noticed() {
    let file = small_file();
    for more in 1..=2 * 64 {
        let longer = [&*file, &vec![0; more]].concat();
        let (expected, found) = (file.len() as u64, longer.len() as u64);
        assert_eq!(outcome(&longer), Outcome::Refused(OpenError::Length { expected, found }));
    }
}

#[test]
fn every_single_bit_flip_is_noticed() {
    let mut file = Aligned::new(&small_file()).bytes().to_vec();
    for bit in 0..8 * file.len() {
        file[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(outcome(&file), Outcome::Fine, "bit {} of byte {}", bit % 8, bit / 8);
        file[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_misalignment_is_refused() {
    let file = small_file();
    for found in 1..8 {
        let shifted = Aligned::new(&[&vec![0; found], &*file].concat());
        let error = Model::open(&shifted.bytes()[found..]).unwrap_err();
        assert_eq!(error, OpenError::Misaligned { expected: 8, found });
    }
}

/// Damage behind correct checksums: what a faulty writer makes, and all that a fuzzer could.
#[test]
fn nothing_panics_on_any_byte_behind_correct_checksums() {
    let file = small_file();
    let mut opened = 0;
    for at in HEADER_LEN..file.len() {
        for value in [0x00, 0x7F, 0x80, 0xFF] {
            let mut damaged = file.clone();
            damaged[at] = value;
            seal(&mut damaged);
            opened += usize::from(!matches!(outcome(&damaged), Outcome::Refused(_)));
        }
    }
    assert!(opened > file.len(), "too few of the damaged files open for this to be a test: {opened}");
}

/// A file taken apart, to be put together wrongly: SPEC.md a second time, independent of the writer.
struct Draft {
    header: [u32; 17],
    sections: Vec<(u32, Vec<u8>)>,
}

/// Positions in `Draft::header`.
const VERSION: usize = 2;
const ITEMS: usize = 8;
const DIM: usize = 9;
const STEPS: usize = 10;
const LEVELS: usize = 11;
const RULE: usize = 12;
const ITEM_FEATURES: usize = 13;
const USER_FEATURES: usize = 14;
const CATEGORIES: usize = 15;
const SECTIONS: usize = 16;

impl Draft {
    fn of(file: &[u8]) -> Self {
        let header = std::array::from_fn(|word| u32_at(file, 4 * word));
        let entries = (0..header[SECTIONS] as usize).map(|index| HEADER_LEN + ENTRY_LEN * index);
        let section = |entry| {
            (u32_at(file, entry), file[u64_at(file, entry + 8)..][..u64_at(file, entry + 16)].to_vec())
        };
        Self { header, sections: entries.map(section).collect() }
    }

    fn file(&self) -> Vec<u8> {
        let mut file: Vec<u8> = self.header.iter().flat_map(|word| word.to_le_bytes()).collect();
        file[4 * SECTIONS..].copy_from_slice(&(self.sections.len() as u32).to_le_bytes());
        file.resize(HEADER_LEN + ENTRY_LEN * self.sections.len(), 0);
        for (index, (kind, bytes)) in self.sections.iter().enumerate() {
            file.resize(file.len().next_multiple_of(64), 0);
            let entry = HEADER_LEN + ENTRY_LEN * index;
            file[entry..][..4].copy_from_slice(&kind.to_le_bytes());
            let offset = (file.len() as u64).to_le_bytes();
            file[entry + 8..][..8].copy_from_slice(&offset);
            file[entry + 16..][..8].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            file.extend_from_slice(bytes);
        }
        file.resize(file.len().next_multiple_of(64), 0);
        let len = (file.len() as u64).to_le_bytes();
        file[16..24].copy_from_slice(&len);
        seal(&mut file);
        file
    }

    fn section(&mut self, kind: u32) -> &mut Vec<u8> {
        &mut self.sections.iter_mut().find(|section| section.0 == kind).unwrap().1
    }

    fn remove(&mut self, kind: u32) {
        self.sections.retain(|section| section.0 != kind);
    }

    fn set_f32(&mut self, kind: u32, index: usize, value: f32) {
        self.set_u32(kind, index, value.to_bits());
    }

    fn set_u32(&mut self, kind: u32, index: usize, value: u32) {
        self.section(kind)[4 * index..][..4].copy_from_slice(&value.to_le_bytes());
    }
}

fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

fn u64_at(file: &[u8], at: usize) -> usize {
    u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize
}

fn crc32c(bytes: &[u8]) -> [u8; 4] {
    Crc::<u32, NoTable>::new(&CRC_32_ISCSI).checksum(bytes).to_le_bytes()
}

/// Makes every checksum of `file` right, as far as its table makes sense.
fn seal(file: &mut [u8]) {
    let table_end = HEADER_LEN + ENTRY_LEN * u32_at(file, 4 * SECTIONS) as usize;
    for entry in (HEADER_LEN..table_end).step_by(ENTRY_LEN) {
        let (offset, len) = (u64_at(file, entry + 8), u64_at(file, entry + 16));
        if let Some(section) = file.get(offset..).and_then(|rest| rest.get(..len)) {
            let crc = crc32c(section);
            file[entry + 4..entry + 8].copy_from_slice(&crc);
        }
    }
    let start = if table_end == HEADER_LEN { file.len() } else { u64_at(file, HEADER_LEN + 8) };
    let content_id = XxHash3_64::oneshot(file.get(start..).unwrap_or(&[])).to_le_bytes();
    file[24..32].copy_from_slice(&content_id);
    seal_header(file);
}

fn seal_header(file: &mut [u8]) {
    let table_end = HEADER_LEN + ENTRY_LEN * u32_at(file, 4 * SECTIONS) as usize;
    file[12..16].fill(0);
    let crc = crc32c(&file[..table_end]);
    file[12..16].copy_from_slice(&crc);
}

#[test]
fn the_writer_follows_the_specification() {
    let file = small_file();
    assert!(Draft::of(&file).file() == file);
}

#[test]
fn counts_and_sections_that_do_not_fit_are_refused() {
    use OpenError::{
        Length, Limit, MissingSection, SectionLength, SectionOrder, UnexpectedSection, UnknownSection,
        Version,
    };
    let limit = |field, expected, found| Limit { field, expected, found };
    let dim = |found| limit("dim", "a multiple of 16 from 16 to 1024", found);
    let length = |section, expected, found| SectionLength { section, expected, found };
    let twenty_items_of = |len: u64| 20 * len;
    type Damage = fn(&mut Draft);
    let table: &[(Damage, OpenError)] = &[
        (|d| d.header[VERSION] = 0, Version { expected: 2, found: 0 }),
        (|d| d.header[VERSION] = 1, Version { expected: 2, found: 1 }),
        (|d| d.header[VERSION] = 3, Version { expected: 2, found: 3 }),
        (|d| d.header[ITEMS] = 1 << 31, limit("items", "less than 2^31", 1 << 31)),
        (|d| d.header[ITEMS] = (1 << 31) - 1, length("rows", (1 << 31) * 16, twenty_items_of(16))),
        (|d| d.header[ITEMS] = 19, length("scales", 76, 80)),
        (|d| d.header[ITEMS] = 16, length("rows", 16 * 16, twenty_items_of(16))),
        (|d| d.header[DIM] = 0, dim(0)),
        (|d| d.header[DIM] = 17, dim(17)),
        (|d| d.header[DIM] = 1040, dim(1040)),
        (|d| d.header[DIM] = 1024, length("prior", 4096, 64)),
        (|d| d.header[STEPS] = 65, limit("steps", "at most 64, and 0 unless the rule is maml", 65)),
        (|d| d.header[STEPS] = 0, length("step sizes", 0, 128)),
        (|d| d.header[LEVELS] = 0, limit("levels", "from 1 to 255", 0)),
        (|d| d.header[LEVELS] = 256, limit("levels", "from 1 to 255", 256)),
        (|d| d.header[LEVELS] = 4, length("level values", 16, 20)),
        (|d| d.header[RULE] = 0, limit("rule", "1 (maml), 2 (prototypical) or 3 (matching)", 0)),
        (|d| d.header[RULE] = 4, limit("rule", "1 (maml), 2 (prototypical) or 3 (matching)", 4)),
        (|d| d.header[RULE] = 3, limit("steps", "at most 64, and 0 unless the rule is maml", 2)),
        (|d| d.header[ITEM_FEATURES] = 1 << 24, limit("item features", "less than 2^24", 1 << 24)),
        (|d| d.header[ITEM_FEATURES] = 0, UnexpectedSection { section: "item feature names" }),
        (|d| d.header[USER_FEATURES] = 1 << 24, limit("user features", "less than 2^24", 1 << 24)),
        (|d| d.header[USER_FEATURES] = 2, length("user feature name ends", 8, 12)),
        (|d| d.header[CATEGORIES] = 4097, limit("categories", "at most 4096", 4097)),
        (|d| d.header[CATEGORIES] = 0, UnexpectedSection { section: "category names" }),
        (|d| d.remove(1), MissingSection { section: "prior" }),
        (|d| d.remove(3), MissingSection { section: "step sizes" }),
        (|d| d.remove(15), MissingSection { section: "titles" }),
        (|d| d.remove(16), MissingSection { section: "title ends" }),
        (|d| d.remove(19), MissingSection { section: "category bitmaps" }),
        (|d| d.remove(28), MissingSection { section: "card" }),
        (|d| d.sections.clear(), MissingSection { section: "prior" }),
        (|d| d.sections.swap(4, 5), SectionOrder { previous: 6, found: 5 }),
        (|d| d.sections.insert(0, (0, vec![])), SectionOrder { previous: 0, found: 0 }),
        (|d| d.sections.insert(1, (1, vec![0; 64])), SectionOrder { previous: 1, found: 1 }),
        (|d| d.sections.push((29, vec![])), UnknownSection { found: 29 }),
        (|d| d.sections.push(((1 << 31) - 1, vec![])), UnknownSection { found: (1 << 31) - 1 }),
        (|d| d.sections.extend((29..66).map(|kind| (kind, vec![]))), limit("sections", "at most 64", 65)),
        (|d| d.section(2).extend([0; 4]), length("rule scalars", 4, 8)),
        (|d| d.section(11).truncate(76), length("scales", 80, 76)),
        (|d| d.section(12).push(b'x'), length("ids", 77, 78)),
        (|d| d.set_u32(13, 19, u32::MAX), length("ids", u64::from(u32::MAX), 77)),
        (|d| d.section(27).push(0), length("onboarding", 24, 21)),
        (|d| d.section(27).resize(84, 0), length("onboarding", 80, 84)),
    ];
    for (index, (damage, expected)) in table.iter().enumerate() {
        let mut draft = Draft::of(&small_file());
        damage(&mut draft);
        assert_eq!(outcome(&draft.file()), Outcome::Refused(*expected), "damage {index}");
    }
    let mut headless = small_file();
    headless[4 * SECTIONS..][..4].copy_from_slice(&64_u32.to_le_bytes());
    headless.truncate(256);
    headless[16..24].copy_from_slice(&256_u64.to_le_bytes());
    assert_eq!(outcome(&headless), Outcome::Refused(Length { expected: 128 + 24 * 64, found: 256 }));
}

#[test]
fn sketches_that_do_not_fit_are_refused() {
    use OpenError::{MissingSection, SectionLength, UnexpectedSection};
    const AXES: u32 = (1 << 31) + 1;
    let shape = world::Shape { items: 9, dim: 32, sketch: true, ..EVERYTHING };
    let sound = Draft::of(&World::new(shape, 1).bytes());
    let damaged = |damage: &dyn Fn(&mut Draft)| {
        let mut draft = Draft { header: sound.header, sections: sound.sections.clone() };
        damage(&mut draft);
        outcome(&draft.file())
    };
    assert_eq!(damaged(&|_| ()), Outcome::Fine);
    for (kind, section) in (AXES..).zip(["sketch axes", "sketch rows", "sketch scales", "sketch rests"]) {
        assert_eq!(damaged(&|d| d.remove(kind)), Outcome::Refused(MissingSection { section }));
        let found = sound.sections.iter().find(|other| other.0 == kind).unwrap().1.len() as u64;
        let longer = SectionLength { section, expected: found, found: found + 1 };
        assert_eq!(damaged(&|d| d.section(kind).push(0)), Outcome::Refused(longer));
    }
    let not_finite = OpenError::Value { section: "sketch axes", index: 3, expected: "finite" };
    assert_eq!(damaged(&|d| d.set_f32(AXES, 3, f32::NAN)), Outcome::Refused(not_finite));
    let value = |section, index, expected| Outcome::Noticed(VerifyError::Value { section, index, expected });
    let row = damaged(&|d| d.section(AXES + 1)[16 + 5] = 0x80);
    assert_eq!(row, value("sketch rows", 1, "from -127 to 127"));
    let padding = damaged(&|d| d.section(AXES + 1)[2 * 64 + 4] = 1);
    assert_eq!(padding, value("sketch rows", 9, "zero behind the last item"));
    let padding = damaged(&|d| d.section(10)[2 * 4 * 32 + 4] = 1);
    assert_eq!(padding, value("rows", 9, "zero behind the last item"));
    assert_eq!(damaged(&|d| d.set_f32(AXES + 2, 8, -1.0)), value("sketch scales", 8, "at least 0"));
    assert_eq!(damaged(&|d| d.set_f32(AXES + 3, 0, f32::INFINITY)), value("sketch rests", 0, "finite"));
    let mut narrow = Draft::of(&small_file());
    narrow.sections.extend((0..4).map(|kind| (AXES + kind, vec![])));
    assert_eq!(outcome(&narrow.file()), Outcome::Refused(UnexpectedSection { section: "sketch axes" }));
}

#[test]
fn holes_overlaps_and_bad_padding_are_refused() {
    use OpenError::{HeaderChecksum, Length, Magic, Padding, Reserved, SectionLength, SectionOffset};
    let file = small_file();
    let damaged = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut damaged = file.clone();
        damage(&mut damaged);
        seal_header(&mut damaged);
        outcome(&damaged)
    };
    let (len, start) = (file.len() as u64, u64_at(&file, HEADER_LEN + 8) as u64);
    let set = |at: usize, value: u64| {
        move |file: &mut Vec<u8>| file[at..at + 8].copy_from_slice(&value.to_le_bytes())
    };
    let last = HEADER_LEN + 27 * ENTRY_LEN;
    let (last_offset, last_len) = (u64_at(&file, last + 8) as u64, u64_at(&file, last + 16) as u64);
    let offset = |found| SectionOffset { section: "prior", expected: start, found };
    type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);
    let table: &[(Damage<'_>, OpenError)] = &[
        (&|file| file[0] = b'T', Magic),
        (&|file| file[4..8].copy_from_slice(b"\n\x1a\n\n"), Magic),
        (&|file| file[127] = 1, Reserved),
        (&set(16, len + 64), Length { expected: len + 64, found: len }),
        (&set(16, u64::MAX), Length { expected: u64::MAX, found: len }),
        (&set(HEADER_LEN + 8, start + 64), offset(start + 64)),
        (&set(HEADER_LEN + 8, start - 64), offset(start - 64)),
        (&set(HEADER_LEN + 8, start + 1), offset(start + 1)),
        (&set(HEADER_LEN + 8, u64::MAX - 63), offset(u64::MAX - 63)),
        (
            &set(HEADER_LEN + 16, u64::MAX),
            SectionLength { section: "prior", expected: len - start, found: u64::MAX },
        ),
        (
            &set(HEADER_LEN + 16, len - start + 1),
            SectionLength { section: "prior", expected: len - start, found: len - start + 1 },
        ),
        (
            &set(HEADER_LEN + 16, 65),
            SectionOffset { section: "rule scalars", expected: start + 128, found: start + 64 },
        ),
        (&set(last + 16, 0), Length { expected: last_offset, found: len }),
        (&|file| file[start as usize - 1] = 1, Padding { offset: start - 1 }),
        (&|file| file[len as usize - 1] = 1, Padding { offset: len - 1 }),
        (&|file| file[(last_offset + last_len) as usize] = 1, Padding { offset: last_offset + last_len }),
    ];
    for (index, (damage, expected)) in table.iter().enumerate() {
        assert_eq!(damaged(damage), Outcome::Refused(*expected), "damage {index}");
    }
    let mut unsealed = file.clone();
    unsealed[24] ^= 1;
    assert!(matches!(outcome(&unsealed), Outcome::Refused(HeaderChecksum { .. })));
}

#[test]
fn meta_parameters_out_of_range_are_refused() {
    const PLAIN_LIKE: u32 = 3;
    type Damage = fn(&mut Draft);
    let table: &[(Damage, &str, usize, &str)] = &[
        (|d| d.set_f32(1, 15, f32::NAN), "prior", 15, "finite"),
        (|d| d.set_f32(2, 0, f32::INFINITY), "rule scalars", 0, "finite"),
        (|d| d.set_f32(2, 0, -1.0), "rule scalars", 0, "a pull of at least 0"),
        (|d| d.set_f32(3, 31, f32::NEG_INFINITY), "step sizes", 31, "finite"),
        (|d| d.set_f32(4, 255, f32::NAN), "gram", 255, "finite"),
        (|d| d.set_f32(5, 7, f32::NAN), "preconditioner", 7, "finite"),
        (|d| d.set_f32(6, 4, f32::NAN), "level values", 4, "finite"),
        (|d| d.set_f32(6, 2, 2.0), "level values", 2, "above the one before"),
        (|d| d.set_f32(6, 0, 9.0), "level values", 1, "above the one before"),
        (|d| d.set_f32(7, 1, f32::NAN), "level targets", 1, "finite"),
        (|d| d.set_f32(8, 1, f32::INFINITY), "level weights", 1, "finite"),
        (|d| d.set_f32(8, 3, -0.5), "level weights", 3, "at least 0"),
        (|d| d.set_u32(9, 2, 4), "level flags", 2, "a set of known flags"),
        (|d| d.set_u32(9, 3, PLAIN_LIKE), "level flags", 4, "the only plain like or the only plain dislike"),
        (|d| d.set_f32(23, 3, f32::NAN), "new item base", 3, "finite"),
        (|d| d.set_u32(27, 4, 20), "onboarding", 4, "an item"),
    ];
    for &(damage, section, index, expected) in table {
        let mut draft = Draft::of(&small_file());
        damage(&mut draft);
        let expected = OpenError::Value { section, index, expected };
        assert_eq!(outcome(&draft.file()), Outcome::Refused(expected));
    }
}

#[test]
fn values_out_of_range_open_and_do_not_verify() {
    const ORDER: &str = "unique, not empty and in the order of its bytes";
    const UTF_8: &str = "text in UTF-8";
    type Damage = fn(&mut Draft);
    let table: &[(Damage, &str, usize, &str)] = &[
        (|d| d.section(10)[4 * 16 + 4] = 0x80, "rows", 5, "from -127 to 127"),
        (
            |d| (0..4).for_each(|part| d.section(10)[4 * 16 + 16 * part + 4..][..4].fill(0)),
            "rows",
            5,
            "of unit norm",
        ),
        (|d| d.set_f32(11, 7, 2e9), "rows", 7, "of unit norm"),
        (|d| d.set_f32(11, 7, 0.0), "scales", 7, "finite and above 0"),
        (|d| d.set_f32(11, 7, -0.01), "scales", 7, "finite and above 0"),
        (|d| d.set_f32(11, 7, f32::NAN), "scales", 7, "finite and above 0"),
        (|d| d.section(12)[0] = 0xFF, "ids", 0, UTF_8),
        (|d| d.set_u32(13, 3, 2_000), "ids", 3, UTF_8),
        (|d| d.set_u32(13, 0, 0), "ids", 0, ORDER),
        (|d| d.section(14).copy_within(0..4, 4), "ids", 0, ORDER),
        (|d| d.set_u32(14, 6, 20), "ids", 20, ORDER),
        (|d| d.section(15)[0] = 0xC0, "titles", 0, UTF_8),
        (|d| d.section(17)[..12].copy_from_slice(b"category:001"), "category names", 1, ORDER),
        (|d| d.section(19)[2] = 0x10, "category bitmaps", 0, "zero beyond the last item"),
        (|d| d.section(20)[0] = b'z', "item feature names", 1, ORDER),
        (|d| d.set_f32(22, 63, f32::NAN), "item features", 63, "finite"),
        (|d| d.section(24)[4] = 0xFF, "user feature names", 0, UTF_8),
        (|d| d.set_f32(26, 9, f32::INFINITY), "user features", 9, "finite"),
        (|d| d.set_u32(27, 4, 4), "onboarding", 4, "distinct from those before"),
        (|d| d.section(28).clear(), "card", 0, "a JSON object in UTF-8"),
        (|d| d.section(28)[0] = b'[', "card", 0, "a JSON object in UTF-8"),
        (|d| d.section(28)[3] = 0xFF, "card", 0, "a JSON object in UTF-8"),
    ];
    for &(damage, section, index, expected) in table {
        let mut draft = Draft::of(&small_file());
        damage(&mut draft);
        let expected = VerifyError::Value { section, index, expected };
        assert_eq!(outcome(&draft.file()), Outcome::Noticed(expected));
    }
}

#[test]
fn the_content_id_is_checked_apart_from_the_sections() {
    let mut file = small_file();
    file[24] ^= 1;
    seal_header(&mut file);
    assert!(matches!(outcome(&file), Outcome::Noticed(VerifyError::ContentId { .. })));
}

#[test]
fn an_optional_section_of_a_later_version_is_skipped_but_checked() {
    let mut draft = Draft::of(&small_file());
    draft.sections.push((1 << 31, vec![7; 100]));
    let mut file = draft.file();
    assert_eq!(outcome(&file), Outcome::Fine);
    let in_it = file.len() - 128;
    file[in_it] ^= 1;
    assert!(matches!(outcome(&file), Outcome::Noticed(VerifyError::Checksum { .. })));
    let padding = file.len() - 1;
    file[padding] ^= 1;
    assert_eq!(outcome(&file), Outcome::Refused(OpenError::Padding { offset: padding as u64 }));
}

#[test]
fn the_number_of_onboarding_items_is_limited() {
    let shape = world::Shape { items: 2000, onboarding: MAX_ONBOARDING as usize, ..EVERYTHING };
    let mut draft = Draft::of(&World::new(shape, 1).bytes());
    draft.section(27).extend([0; 4]);
    let expected = OpenError::SectionLength { section: "onboarding", expected: 4096, found: 4100 };
    assert_eq!(outcome(&draft.file()), Outcome::Refused(expected));
}
