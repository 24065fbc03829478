//! What an x86-64 CPU has, asked at run time without std, so that an engine on bare metal and in a C program
//! dispatches as one with std does. (The crate cpufeatures, made for this, does not know VNNI.)

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU32, Ordering};

/// The features that kernels ask for, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features(u32);

const KNOWN: u32 = 1;
const AVX2: u32 = 2;
const AVX512: u32 = 4;
const AVX_VNNI: u32 = 8;

impl Features {
    /// Asks the CPU once, then remembers: under a hypervisor a `cpuid` takes as long as a whole request.
    pub(crate) fn of_this_cpu() -> Self {
        static FOUND: AtomicU32 = AtomicU32::new(0);
        let mut found = FOUND.load(Ordering::Relaxed);
        if found == 0 {
            found = ask() | KNOWN;
            FOUND.store(found, Ordering::Relaxed);
        }
        Self(found)
    }

    /// AVX2, and the operating system keeps its registers.
    pub(crate) fn avx2(self) -> bool {
        self.0 & AVX2 != 0
    }

    /// AVX2 and AVX-VNNI, and the operating system keeps their registers.
    #[cfg(feature = "vnni")]
    pub(crate) fn avxvnni(self) -> bool {
        self.0 & AVX_VNNI != 0
    }

    /// AVX-512 F, BW, VL and VNNI, and the operating system keeps its registers.
    #[cfg(feature = "vnni")]
    pub(crate) fn avx512(self) -> bool {
        self.0 & AVX512 != 0
    }
}

/// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, sections 14.3 and 14.7.1.
fn ask() -> u32 {
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28; // leaf 1, ecx
    const LEAF_7_AVX2: u32 = 1 << 5; // ebx
    const LEAF_7_AVX512: u32 = 1 << 16 | 1 << 30 | 1 << 31; // ebx: F, BW, VL
    const LEAF_7_VNNI: u32 = 1 << 11; // ecx
    const LEAF_7_1_AVX_VNNI: u32 = 1 << 4; // eax; leaf 7, eax, says that there is a 7.1
    const YMM: u64 = 0x06; // xcr0: xmm and ymm
    const ZMM: u64 = 0xe6; // and the mask registers, the upper halves and the upper sixteen

    let has = |register: u32, bits: u32| register & bits == bits;
    if __cpuid(0).eax < 7 || !has(__cpuid(1).ecx, OSXSAVE_AND_AVX) {
        return 0;
    }
    #[expect(unsafe_code, reason = "the one question that cpuid does not answer")]
    // SAFETY: OSXSAVE says that the CPU and the operating system have xgetbv.
    let kept = unsafe { _xgetbv(0) };
    let leaf_7 = __cpuid_count(7, 0);
    let avx2 = kept & YMM == YMM && has(leaf_7.ebx, LEAF_7_AVX2);
    let avx512 = avx2 && kept & ZMM == ZMM && has(leaf_7.ebx, LEAF_7_AVX512) && has(leaf_7.ecx, LEAF_7_VNNI);
    let avxvnni = avx2 && leaf_7.eax >= 1 && has(__cpuid_count(7, 1).eax, LEAF_7_1_AVX_VNNI);
    (if avx2 { AVX2 } else { 0 }) | (if avx512 { AVX512 } else { 0 }) | (if avxvnni { AVX_VNNI } else { 0 })
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use std::is_x86_feature_detected as has;

    #[test]
    fn the_cpu_is_asked_what_std_asks_it() {
        let found = Features::of_this_cpu();
        assert_eq!(found, Features::of_this_cpu());
        assert_eq!(found.avx2(), has!("avx2"));
        let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512vnni");
        assert_eq!(found.avx512(), avx512);
        assert_eq!(found.avxvnni(), has!("avx2") && has!("avxvnni"));
    }
}
