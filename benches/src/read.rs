//! The line that no scan can be faster than: reading every byte once.

/// Reads all of `bytes` once with the widest loads that this CPU has and gives their xor, so that nothing of it can
/// be left out.
///
/// This is what the bandwidth of a ranking is compared with, so it must not wait for anything but memory: eight
/// accumulators of 64 bytes.
pub fn read(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature was just found.
            return unsafe { read_avx512(bytes) };
        }
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just found.
            return unsafe { read_avx2(bytes) };
        }
    }
    fold(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn read_avx512(bytes: &[u8]) -> u64 {
    fold(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_avx2(bytes: &[u8]) -> u64 {
    fold(bytes)
}

/// Words of one step: eight registers of 64 bytes.
const WORDS: usize = 64;

/// Compiled into each of the above, for its loads.
#[inline(always)]
fn fold(bytes: &[u8]) -> u64 {
    let mut lanes = [0; WORDS];
    let (blocks, rest) = bytes.as_chunks::<{ 8 * WORDS }>();
    for block in blocks {
        let words: &[[u8; 8]; WORDS] = bytemuck::must_cast_ref(block);
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane ^= u64::from_le_bytes(*word);
        }
    }
    let mut sum = lanes.iter().fold(0, |sum, lane| sum ^ lane);
    for word in rest.chunks(8) {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        sum ^= u64::from_le_bytes(padded);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read() {
        for len in [0, 1, 8, 511, 512, 513, 1_500] {
            let mut bytes: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
            let before = read(&bytes);
            assert_eq!(before, fold(&bytes));
            for at in 0..len {
                bytes[at] ^= 0x55;
                assert_ne!(read(&bytes), before, "byte {at} of {len}");
                bytes[at] ^= 0x55;
            }
        }
    }
}
