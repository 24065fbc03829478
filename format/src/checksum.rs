//! The two checksums of a file: CRC-32C per section and for the header, XXH3-64 as the content id.

use crc::{CRC_32_ISCSI, Crc, Table};
use twox_hash::XxHash3_64;

// 16 tables are 16 KiB and several times faster: too much for a microcontroller's flash, nothing elsewhere.
#[cfg(target_os = "none")]
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);
#[cfg(not(target_os = "none"))]
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// CRC-32C of the parts, one after the other.
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
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
        assert_eq!(content_id(b""), 0x2D06_8005_38D3_94C2); // of XXH3-64
    }
}
