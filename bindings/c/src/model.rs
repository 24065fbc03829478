//! A model file, opened.

#![expect(unsafe_code, reason = "C's pointers, functions exported by name")]

use crate::memory::{Kind, Memory, Out, Placed, Text, run, slice, text};
use crate::status::Status;
use core::ffi::{c_char, c_void};
use tinderbox::Model;

/// A model: constant once it is open, so that any number of threads may use it at once. It borrows the file's bytes,
/// which must stay as they are, where they are, as long as the model or a session of it is used.
pub struct ModelHandle {
    _opaque: [u8; 0], // a Placed<Model>
}

impl Kind for Model<'static> {
    const KIND: usize = 0x7462_784d; // "tbxM"
}

impl ModelHandle {
    /// # Safety
    /// The contract of `memory`.
    pub(crate) unsafe fn get<'a>(handle: *const Self) -> Result<&'a Model<'static>, Status> {
        // SAFETY: the same contract.
        unsafe { Placed::get(handle.cast()) }
    }
}

/// How a model turns feedback into a user embedding.
#[derive(Clone, Copy, Debug)]
#[repr(i32)]
pub enum Rule {
    /// Fixed gradient steps from the prior.
    Maml = 1,
    /// Prior plus a weighted mean of the support.
    Prototypical = 2,
    /// Attention over the support.
    Matching = 3,
}

/// What a model is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Shape {
    /// Two files with the same content id hold the same model.
    pub content_id: u64,
    /// Items of the catalogue, numbered from 0, most popular first.
    pub items: u32,
    /// Length of an embedding.
    pub dim: u32,
    /// Feedback levels, numbered from the lowest.
    pub levels: u32,
    /// Categories, numbered in the order of their names.
    pub categories: u32,
    /// Item features, numbered in the order of their names.
    pub item_features: u32,
    /// User features, numbered in the order of their names.
    pub user_features: u32,
    /// The adaptation rule.
    pub rule: Rule,
    /// Inner steps; 0 unless the rule is TBX_RULE_MAML.
    pub steps: u32,
}

/// A feedback level.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Level {
    /// The rating that it stands for.
    pub value: f32,
    /// 1 if it counts as liked, else 0.
    pub liked: u32,
}

/// Bytes for the memory of tbx_open.
#[unsafe(no_mangle)]
pub extern "C" fn tbx_model_size() -> usize {
    Memory::size_of::<Placed<Model<'static>>>(1)
}

/// Opens the bytes of a model file, in constant time, and copies nothing: the bytes must stay. `file` and `memory`
/// begin at multiples of TBX_ALIGNMENT; `memory` has tbx_model_size() bytes and holds the model from now on.
///
/// TBX_STATUS_OK means that the file is whole in its header and sections. One that may have been damaged since it was
/// written should pass tbx_verify once; without, nothing worse comes of it than wrong rankings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_open(
    file: *const c_void,
    file_len: usize,
    memory: *mut c_void,
    memory_size: usize,
    model: *mut *const ModelHandle,
) -> Status {
    run(|| {
        if file.is_null() {
            return Err(Status::NullPointer); // also where the length is 0: somebody forgot to look
        }
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice(file.cast::<u8>(), file_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(model) }?;
        // SAFETY: the caller's contract.
        let mut memory = unsafe { Memory::lent(memory, memory_size) }?;
        let room = memory.take(1)?;
        out.put(Placed::put(room, Model::open(bytes)?)?.cast());
        Ok(())
    })
}

/// Checks every byte of the file, in one pass or two over each section.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_verify(model: *const ModelHandle) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        Ok(model.verify()?)
    })
}

/// What the model is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_model_shape(model: *const ModelHandle, shape: *mut Shape) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(shape) }?;
        out.put(Shape {
            content_id: model.content_id(),
            items: model.items() as u32,
            dim: model.dim() as u32,
            levels: model.levels().len() as u32,
            categories: model.categories().len() as u32,
            item_features: model.item_features().len() as u32,
            user_features: model.user_features().len() as u32,
            rule: match model.rule() {
                tinderbox::Rule::Maml { .. } => Rule::Maml,
                tinderbox::Rule::Prototypical { .. } => Rule::Prototypical,
                tinderbox::Rule::Matching { .. } => Rule::Matching,
            },
            steps: model.steps() as u32,
        });
        Ok(())
    })
}

/// A feedback level, by its number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_model_level(
    model: *const ModelHandle,
    number: u32,
    level: *mut Level,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let levels = unsafe { ModelHandle::get(model) }?.levels();
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(level) }?;
        let at = number as usize;
        if at >= levels.len() {
            return Err(Status::UnknownLevel);
        }
        out.put(Level { value: levels.value(at), liked: levels.liked(at).into() });
        Ok(())
    })
}

/// The model card, a JSON object: what the model was trained on, and how well it did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_model_card(model: *const ModelHandle, card: *mut Text) -> Status {
    // SAFETY: the caller's contract.
    unsafe { tell(model, card, |model| model.card().ok_or(Status::NotUtf8)) }
}

/// Items to show a new user first, best first: an array inside the file, `len` long, possibly empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_onboarding(
    model: *const ModelHandle,
    items: *mut *const u32,
    len: *mut usize,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let onboarding = unsafe { ModelHandle::get(model) }?.onboarding();
        // SAFETY: the caller's contract.
        let items = unsafe { Out::at(items) }?;
        // SAFETY: the caller's contract.
        let len = unsafe { Out::at(len) }?;
        items.put(onboarding.as_ptr());
        len.put(onboarding.len());
        Ok(())
    })
}

/// The item with this id, by binary search.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_item(
    model: *const ModelHandle,
    id: *const c_char,
    id_len: usize,
    item: *mut u32,
) -> Status {
    // SAFETY: the caller's contract.
    unsafe { find(model, id, id_len, item, |model, id| model.item(id).ok_or(Status::UnknownId)) }
}

/// Id of an item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_item_id(model: *const ModelHandle, item: u32, id: *mut Text) -> Status {
    // SAFETY: the caller's contract.
    unsafe { tell(model, id, |model| model.id(known(model, item)?).ok_or(Status::NotUtf8)) }
}

/// Title of an item; TBX_STATUS_ABSENT where it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_item_title(model: *const ModelHandle, item: u32, title: *mut Text) -> Status {
    // SAFETY: the caller's contract.
    unsafe { tell(model, title, |model| model.title(known(model, item)?).ok_or(Status::Absent)) }
}

/// The category of this name, by binary search.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_category(
    model: *const ModelHandle,
    name: *const c_char,
    name_len: usize,
    category: *mut u32,
) -> Status {
    let look =
        |model: &Model<'static>, name: &str| model.categories().find(name).ok_or(Status::UnknownCategory);
    // SAFETY: the caller's contract.
    unsafe { find(model, name, name_len, category, look) }
}

/// Name of a category.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_category_name(
    model: *const ModelHandle,
    category: u32,
    name: *mut Text,
) -> Status {
    let look =
        |model: &Model<'static>| model.categories().name(category as usize).ok_or(Status::UnknownCategory);
    // SAFETY: the caller's contract.
    unsafe { tell(model, name, look) }
}

/// Whether an item is in a category: 1 or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_category_contains(
    model: *const ModelHandle,
    category: u32,
    item: u32,
    contains: *mut u32,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(contains) }?;
        let (category, item) = (category as usize, known(model, item)?);
        if category >= model.categories().len() {
            return Err(Status::UnknownCategory);
        }
        out.put(model.categories().contains(category, item).into());
        Ok(())
    })
}

/// The item feature of this name ("genre:Comedy"), by binary search.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_item_feature(
    model: *const ModelHandle,
    name: *const c_char,
    name_len: usize,
    feature: *mut u32,
) -> Status {
    let look =
        |model: &Model<'static>, name: &str| model.item_features().find(name).ok_or(Status::UnknownFeature);
    // SAFETY: the caller's contract.
    unsafe { find(model, name, name_len, feature, look) }
}

/// Name of an item feature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_item_feature_name(
    model: *const ModelHandle,
    feature: u32,
    name: *mut Text,
) -> Status {
    let look =
        |model: &Model<'static>| model.item_features().name(feature as usize).ok_or(Status::UnknownFeature);
    // SAFETY: the caller's contract.
    unsafe { tell(model, name, look) }
}

/// The user feature of this name ("age:25"), by binary search.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_user_feature(
    model: *const ModelHandle,
    name: *const c_char,
    name_len: usize,
    feature: *mut u32,
) -> Status {
    let look =
        |model: &Model<'static>, name: &str| model.user_features().find(name).ok_or(Status::UnknownFeature);
    // SAFETY: the caller's contract.
    unsafe { find(model, name, name_len, feature, look) }
}

/// Name of a user feature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tbx_user_feature_name(
    model: *const ModelHandle,
    feature: u32,
    name: *mut Text,
) -> Status {
    let look =
        |model: &Model<'static>| model.user_features().name(feature as usize).ok_or(Status::UnknownFeature);
    // SAFETY: the caller's contract.
    unsafe { tell(model, name, look) }
}

/// An item of the catalogue.
fn known(model: &Model<'_>, item: u32) -> Result<usize, Status> {
    let item = item as usize;
    if item < model.items() { Ok(item) } else { Err(Status::UnknownItem) }
}

/// Tells a text of the model.
///
/// # Safety
/// The contract of `memory`.
unsafe fn tell(
    model: *const ModelHandle,
    out: *mut Text,
    look: impl FnOnce(&Model<'static>) -> Result<&'static str, Status>,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(out) }?;
        out.put(look(model)?.into());
        Ok(())
    })
}

/// Finds the number of what has a name.
///
/// # Safety
/// The contract of `memory`.
unsafe fn find(
    model: *const ModelHandle,
    name: *const c_char,
    name_len: usize,
    out: *mut u32,
    look: impl FnOnce(&Model<'static>, &str) -> Result<usize, Status>,
) -> Status {
    run(|| {
        // SAFETY: the caller's contract.
        let model = unsafe { ModelHandle::get(model) }?;
        // SAFETY: the caller's contract.
        let name = unsafe { text(name, name_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { Out::at(out) }?;
        out.put(look(model, name)? as u32);
        Ok(())
    })
}
