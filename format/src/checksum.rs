//! The two checksums of a file: CRC-32C per section and for the header, XXH3-64 as the content id.

use twox_hash::XxHash3_64;

#[cfg(feature = "std")]
pub(crate) use crc32c_by_instruction as crc32c;
#[cfg(not(feature = "std"))]
pub(crate) use crc32c_by_table as crc32c;

/// CRC-32C of the parts, one after the other: ten times as fast as by table, where the processor has it.
#[cfg(feature = "std")]
pub(crate) fn crc32c_by_instruction(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

/// The same on any processor, without `std`.
#[cfg(any(test, not(feature = "std")))]
pub(crate) fn crc32c_by_table(parts: &[&[u8]]) -> u32 {
    use crc::{CRC_32_ISCSI, Crc, Table};
    // 16 tables are several times as fast and 16 KiB: too much for flash, and for a small library. A page verifies
    // no more than the header, for which a table of 1 KiB is too much.
    const TABLES: usize = if cfg!(target_family = "wasm") { 0 } else { 1 };
    static CRC: Crc<u32, Table<TABLES>> = Crc::<u32, Table<TABLES>>::new(&CRC_32_ISCSI);
    let mut digest = CRC.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

/// XXH3-64 with seed 0.
pub(crate) fn content_id(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_the_published_ones() {
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283); // the check value of CRC-32C
        assert_eq!(crc32c_by_table(&[b"1234", b"56789"]), 0xE306_9283);
        assert_eq!(content_id(b""), 0x2D06_8005_38D3_94C2); // of XXH3-64
    }

    #[cfg(feature = "std")]
    #[test]
    fn instruction_and_table_agree_on_every_length() {
        let bytes: [u8; 3000] = core::array::from_fn(|at| ((at * at) >> 3) as u8);
        for len in 0..bytes.len() {
            let (one, two) = bytes[..len].split_at(len / 3);
            assert_eq!(crc32c_by_instruction(&[one, two]), crc32c_by_table(&[&bytes[..len]]), "{len} bytes");
        }
    }
}
