//! Exports on a model: opening it, and what stands in it.

#![expect(unsafe_code, reason = "exports have names of their own and take addresses")]

use crate::list::{list, text};
use crate::reply::Reply;
use core::mem::MaybeUninit;
use tinderbox::{FeatureTable, Kernel, Model};

/// A model whose file the host keeps.
pub(crate) type Opened = Model<'static>;

/// Bytes of a [`Model`].
#[unsafe(no_mangle)]
extern "C" fn model_size() -> usize {
    size_of::<Opened>()
}

/// Opens the `len` bytes at `file`, as [`Model::open`].
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn model_open(
    file: *const u8,
    len: usize,
    out: &mut MaybeUninit<Opened>,
    reply: &mut Reply,
) -> i32 {
    // SAFETY: the contract of the crate.
    let bytes = unsafe { list(file, len) };
    reply.result(Model::open(bytes).map(|model| {
        out.write(model);
        0
    }))
}

#[unsafe(no_mangle)]
extern "C" fn model_items(model: &Opened) -> usize {
    model.items()
}

#[unsafe(no_mangle)]
extern "C" fn model_dim(model: &Opened) -> usize {
    model.dim()
}

#[unsafe(no_mangle)]
extern "C" fn model_steps(model: &Opened) -> usize {
    model.steps()
}

#[unsafe(no_mangle)]
extern "C" fn model_content_id(model: &Opened) -> u64 {
    model.content_id()
}

#[unsafe(no_mangle)]
extern "C" fn model_rule(model: &Opened, reply: &mut Reply) -> i32 {
    reply.text(Some(model.rule().name()))
}

/// Name of the kernel that every session computes with.
#[unsafe(no_mangle)]
extern "C" fn kernel_name(reply: &mut Reply) -> i32 {
    reply.text(Some(Kernel::detect().name()))
}

#[unsafe(no_mangle)]
extern "C" fn model_card(model: &Opened, reply: &mut Reply) -> i32 {
    reply.text(model.card())
}

#[unsafe(no_mangle)]
extern "C" fn model_id(model: &Opened, item: usize, reply: &mut Reply) -> i32 {
    reply.text(model.id(item))
}

#[unsafe(no_mangle)]
extern "C" fn model_title(model: &Opened, item: usize, reply: &mut Reply) -> i32 {
    reply.text(model.title(item))
}

/// The item of this id, or -1.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn model_item(model: &Opened, id: *const u8, len: usize) -> i32 {
    // SAFETY: the contract of the crate.
    let id = unsafe { text(id, len) };
    number(model.item(id))
}

/// Where the numbers of [`Model::onboarding`] begin.
#[unsafe(no_mangle)]
extern "C" fn model_onboarding(model: &Opened) -> *const u32 {
    model.onboarding().as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn model_onboarding_len(model: &Opened) -> usize {
    model.onboarding().len()
}

#[unsafe(no_mangle)]
extern "C" fn model_levels(model: &Opened) -> usize {
    model.levels().len()
}

#[unsafe(no_mangle)]
extern "C" fn model_level_value(model: &Opened, level: usize) -> f32 {
    model.levels().value(level)
}

#[unsafe(no_mangle)]
extern "C" fn model_level_liked(model: &Opened, level: usize) -> bool {
    model.levels().liked(level)
}

/// The level nearest to a rating, or -1 off the scale.
#[unsafe(no_mangle)]
extern "C" fn model_level_closest(model: &Opened, rating: f32) -> i32 {
    number(model.levels().closest(rating))
}

/// The level of a bare like, or -1.
#[unsafe(no_mangle)]
extern "C" fn model_plain_like(model: &Opened) -> i32 {
    number(model.levels().plain_like())
}

/// The level of a bare dislike, or -1.
#[unsafe(no_mangle)]
extern "C" fn model_plain_dislike(model: &Opened) -> i32 {
    number(model.levels().plain_dislike())
}

#[unsafe(no_mangle)]
extern "C" fn model_categories(model: &Opened) -> usize {
    model.categories().len()
}

#[unsafe(no_mangle)]
extern "C" fn model_category_name(model: &Opened, category: usize, reply: &mut Reply) -> i32 {
    reply.text(model.categories().name(category))
}

/// The category of this name, or -1.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn model_category(model: &Opened, name: *const u8, len: usize) -> i32 {
    // SAFETY: the contract of the crate.
    let name = unsafe { text(name, len) };
    number(model.categories().find(name))
}

#[unsafe(no_mangle)]
extern "C" fn model_category_contains(model: &Opened, category: usize, item: usize) -> bool {
    model.categories().contains(category, item)
}

/// The feature tables: 0 for items, 1 for users.
fn table(model: &Opened, of_users: bool) -> FeatureTable<'static> {
    if of_users { model.user_features() } else { model.item_features() }
}

#[unsafe(no_mangle)]
extern "C" fn model_features(model: &Opened, of_users: bool) -> usize {
    table(model, of_users).len()
}

#[unsafe(no_mangle)]
extern "C" fn model_feature_name(model: &Opened, of_users: bool, feature: usize, reply: &mut Reply) -> i32 {
    reply.text(table(model, of_users).name(feature))
}

/// The feature of this name, or -1.
///
/// # Safety
/// See the crate.
#[unsafe(no_mangle)]
unsafe extern "C" fn model_feature(model: &Opened, of_users: bool, name: *const u8, len: usize) -> i32 {
    // SAFETY: the contract of the crate.
    let name = unsafe { text(name, len) };
    number(table(model, of_users).find(name))
}

/// A number that was looked up, or -1.
fn number(found: Option<usize>) -> i32 {
    found.map_or(-1, |number| number as i32)
}
