//! Bytes as a model file: aligned, and with checksums that do not keep the fuzzer out.

use crc::{CRC_32_ISCSI, Crc, Table};
use twox_hash::XxHash3_64;

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

// Where SPEC.md puts them; written down again rather than shared, so that a slip in one is found.
const HEADER_LEN: usize = 128;
const ENTRY_LEN: usize = 24;
const CRC_AT: usize = 12;
const FILE_LEN_AT: usize = 16;
const CONTENT_ID_AT: usize = 24;
const SECTIONS_AT: usize = 64;

/// A copy of a file at an address that suits [`tinderbox::Model::open`].
pub(crate) struct Aligned {
    words: Vec<u64>,
    len: usize,
}

impl Aligned {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(size_of::<u64>())];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// A copy in which the length and every checksum are right, as far as header and table make sense.
    /// Random changes then reach what lies behind the checksums.
    pub(crate) fn sealed(bytes: &[u8]) -> Self {
        let mut file = Self::new(bytes);
        seal(&mut bytemuck::cast_slice_mut(&mut file.words)[..bytes.len()]);
        file
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

/// The bytes that the header claims for the file, and those that follow it.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = u64_at(bytes, FILE_LEN_AT).unwrap_or(0);
    bytes.split_at_checked(len).unwrap_or((bytes, &[]))
}

/// Does nothing where the table reaches beyond the file.
fn seal(file: &mut [u8]) {
    let table_end = u32_at(file, SECTIONS_AT)
        .and_then(|sections| sections.checked_mul(ENTRY_LEN))
        .and_then(|table| table.checked_add(HEADER_LEN))
        .filter(|&end| end <= file.len());
    let Some(table_end) = table_end else { return };
    for entry in (HEADER_LEN..table_end).step_by(ENTRY_LEN) {
        if let Some(crc) = section(file, entry).map(|bytes| CRC.checksum(bytes)) {
            put(file, entry + 4, &crc.to_le_bytes());
        }
    }
    let first = if table_end == HEADER_LEN { None } else { u64_at(file, HEADER_LEN + 8) };
    let content_id = XxHash3_64::oneshot(first.and_then(|first| file.get(first..)).unwrap_or(&[]));
    put(file, CONTENT_ID_AT, &content_id.to_le_bytes());
    put(file, FILE_LEN_AT, &(file.len() as u64).to_le_bytes());
    put(file, CRC_AT, &[0; 4]);
    let crc = CRC.checksum(&file[..table_end]);
    put(file, CRC_AT, &crc.to_le_bytes());
}

/// The bytes of the section whose entry in the table is at `entry`.
fn section(file: &[u8], entry: usize) -> Option<&[u8]> {
    let (offset, len) = (u64_at(file, entry + 8)?, u64_at(file, entry + 16)?);
    file.get(offset..)?.get(..len)
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}
