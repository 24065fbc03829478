//! The model files that the requests are put to.

/// Bytes at an address that a model file may have.
#[repr(C, align(64))]
struct Aligned<Bytes: ?Sized>(Bytes);

macro_rules! aligned {
    ($path:literal) => {{
        static FILE: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
        &FILE.0
    }};
}

/// Name and bytes of each model file, aligned.
pub static MODELS: [(&str, &[u8]); 5] = [
    ("maml", aligned!("../maml.tbx")),
    ("maml-48", aligned!("../maml-48.tbx")),
    ("matching", aligned!("../matching.tbx")),
    ("prototypical", aligned!("../prototypical.tbx")),
    ("sketched", aligned!("../sketched.tbx")),
];
