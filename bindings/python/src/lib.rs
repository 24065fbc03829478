//! The Tinderbox engine as a Python extension module.
//!
//! What a caller may rely on: nothing that Python passes in makes it panic or touch memory that is not its own; errors
//! are Python exceptions with the engine's words; long work releases the interpreter. The package around it, with the
//! types of all this, is `python/tinderbox`.

#![deny(unsafe_code)]

mod array;
mod batch;
mod error;
mod feedback;
mod filter;
mod model;
mod new_item;
mod session;

use pyo3::pymodule;

#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::error::{EmbedError, FeedbackError, OpenError, RankError, SessionError, VerifyError};
    #[pymodule_export]
    use crate::filter::PyFilter;
    #[pymodule_export]
    use crate::model::PyModel;
    #[pymodule_export]
    use crate::new_item::PyNewItem;
    #[pymodule_export]
    use crate::session::PySession;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python expects")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Name of the instruction set that the engine uses on this CPU; the results do not depend on it.
    #[pyfunction]
    fn kernel() -> &'static str {
        tinderbox::Kernel::detect().name()
    }
}
