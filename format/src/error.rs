//! Why bytes are not a model file.

use core::error::Error;
use core::fmt;

/// Why [`Model::open`](crate::Model::open) refused the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The first byte's address is not a multiple of [`ALIGNMENT`](crate::ALIGNMENT).
    Misaligned {
        /// What the address must be a multiple of.
        expected: usize,
        /// The address modulo that.
        found: usize,
    },
    /// The bytes do not begin with the magic of a model file.
    Magic,
    /// The file is of another version of the format.
    Version {
        /// The version that this crate reads.
        expected: u32,
        /// The version of the file.
        found: u32,
    },
    /// There are fewer or more bytes than the file should have.
    Length {
        /// Bytes that the header asks for, or the length of a header.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// The header or the section table is damaged.
    HeaderChecksum {
        /// CRC-32C in the header.
        expected: u32,
        /// CRC-32C of the bytes.
        found: u32,
    },
    /// A count of the header is outside the limits of the format.
    Limit {
        /// Name of the count.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: u32,
    },
    /// The header's reserved bytes are not zero.
    Reserved,
    /// The kinds of the section table do not ascend.
    SectionOrder {
        /// The kind before.
        previous: u32,
        /// The kind that should have been above it.
        found: u32,
    },
    /// A section that this version does not know and must not skip.
    UnknownSection {
        /// The kind in the table.
        found: u32,
    },
    /// A section that the header's counts and rule ask for is not there.
    MissingSection {
        /// Name of the section.
        section: &'static str,
    },
    /// A section that makes no sense under the header's counts and rule.
    UnexpectedSection {
        /// Name of the section.
        section: &'static str,
    },
    /// A section leaves a hole, or overlaps the one before.
    SectionOffset {
        /// Name of the section.
        section: &'static str,
        /// Where it must begin, in bytes from the start of the file.
        expected: u64,
        /// Where it begins.
        found: u64,
    },
    /// The length of a section does not follow from the header's counts.
    SectionLength {
        /// Name of the section.
        section: &'static str,
        /// Bytes that it must have, or may have at most.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A byte between two sections is not zero.
    Padding {
        /// Where, in bytes from the start of the file.
        offset: u64,
    },
    /// A value that is not allowed.
    Value {
        /// Name of the section.
        section: &'static str,
        /// Index of the value in the section.
        index: usize,
        /// What the value must be.
        expected: &'static str,
    },
}

/// Why [`Model::verify`](crate::Model::verify) refused a file that opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A section is damaged.
    Checksum {
        /// Name of the section.
        section: &'static str,
        /// CRC-32C in the table.
        expected: u32,
        /// CRC-32C of the bytes.
        found: u32,
    },
    /// The sections are not the ones that the header was written for.
    ContentId {
        /// Content id in the header.
        expected: u64,
        /// XXH3-64 of the sections.
        found: u64,
    },
    /// A value that is not allowed.
    Value {
        /// Name of the section.
        section: &'static str,
        /// Index of the value in the section: of the item in rows, of the text among texts.
        index: usize,
        /// What the value must be.
        expected: &'static str,
    },
}

const DAMAGED: &str = "the file is damaged: fetch or export it again";
const FAULTY: &str = "the tool that wrote the file is at fault: export it again with a current one";

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Misaligned { expected, found } => write!(
                f,
                "the bytes begin {found} past a multiple of {expected}: map the file, or read it into memory \
                 aligned to {expected}"
            ),
            Self::Magic => {
                f.write_str("not a model file, or one that was transferred as text: transfer it as binary")
            }
            Self::Version { expected, found } if found > expected => {
                write!(f, "format version {found}, expected {expected}: update the engine to read this file")
            }
            Self::Version { expected, found: found @ 1 } => {
                write!(
                    f,
                    "format version {found}, which no release wrote, expected {expected}: export the run again"
                )
            }
            Self::Version { expected, found } => {
                write!(f, "format version {found}, expected {expected}: {DAMAGED}")
            }
            Self::Length { expected, found } => write!(f, "{found} bytes, expected {expected}: {DAMAGED}"),
            Self::HeaderChecksum { expected, found } => {
                write!(f, "header checksum {found:08x}, expected {expected:08x}: {DAMAGED}")
            }
            Self::Limit { field, expected, found } => {
                write!(f, "{field} is {found}, expected {expected}: {FAULTY}")
            }
            Self::Reserved => write!(f, "reserved header bytes are not zero: {FAULTY}"),
            Self::SectionOrder { previous, found } => {
                write!(f, "section kind {found} after {previous}, expected ascending kinds: {FAULTY}")
            }
            Self::UnknownSection { found } => {
                write!(
                    f,
                    "section kind {found} is unknown and not optional: update the engine to read this file"
                )
            }
            Self::MissingSection { section } => write!(f, "section '{section}' is missing: {FAULTY}"),
            Self::UnexpectedSection { section } => {
                write!(f, "section '{section}' does not belong in this file: {FAULTY}")
            }
            Self::SectionOffset { section, expected, found } => {
                write!(f, "section '{section}' begins at byte {found}, expected {expected}: {FAULTY}")
            }
            Self::SectionLength { section, expected, found } => {
                write!(f, "section '{section}' has {found} bytes, expected {expected}: {FAULTY}")
            }
            Self::Padding { offset } => write!(f, "padding byte {offset} is not zero: {DAMAGED}"),
            Self::Value { section, index, expected } => {
                write!(f, "value {index} of section '{section}' is not {expected}: {FAULTY}")
            }
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Checksum { section, expected, found } => {
                write!(f, "section '{section}' has checksum {found:08x}, expected {expected:08x}: {DAMAGED}")
            }
            Self::ContentId { expected, found } => {
                write!(f, "content id {found:016x}, expected {expected:016x}: {DAMAGED}")
            }
            Self::Value { section, index, expected } => {
                write!(f, "value {index} of section '{section}' is not {expected}: {FAULTY}")
            }
        }
    }
}

impl Error for OpenError {}
impl Error for VerifyError {}
