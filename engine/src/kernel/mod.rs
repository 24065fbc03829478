//! Arithmetic, one file per CPU feature. `scalar.rs` is the definition: every other kernel equals it bit
//! for bit, on every length (`tests/kernel.rs`).
//!
//! A [`Kernel`] can only be had from [`Kernel::detect`], [`Kernel::all`] or [`Kernel::scalar`]: holding one
//! is the proof that the CPU can run it.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(all(target_arch = "x86_64", feature = "vnni"))]
mod avx512;
#[cfg(all(target_arch = "x86_64", feature = "vnni"))]
mod avxvnni;
#[cfg(target_arch = "x86_64")]
mod detect;
#[cfg(target_arch = "aarch64")]
mod dotprod;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    expect(dead_code, reason = "simd128 has a scan of its own, and takes the place of the definition")
)]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar as definition;
pub(crate) use scalar::score_row;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as definition;
use tinderbox_format::BLOCK;

/// The largest magnitude of a component of a query.
///
/// 127 * 128: a kernel for eight-bit multipliers may split a query into two planes of int8, and with 1,024
/// dimensions a dot product with an int8 row still fits an i32 (127 * 16,256 * 1,024 < 2^31).
pub const QUERY_MAX: i16 = 127 * 128;

/// `scan(query, factor, scores)`: as [`Kernel::scan`], over rows that it knows.
pub(crate) type Scan<'a> = &'a dyn Fn(&[i16], f32, &mut [f32]);

/// Queries of a batch that share each load of a row, where a kernel has tiles.
const TILE: usize = 8;
/// The longest row for which the transposed rows of a tile find room on the stack.
const TILE_DIM: usize = 256;

/// One way to compute; a value is the proof that this CPU has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Isa);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    Definition,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
    AvxVnni,
    #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    Dotprod,
}

/// Calls `$function` of the module that `$kernel` stands for.
macro_rules! dispatch {
    ($kernel:expr, $function:ident($($argument:expr),*)) => {
        match $kernel.0 {
            Isa::Definition => definition::$function($($argument),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an Avx2 kernel is made by `avx2()` alone, after it found the feature.
            Isa::Avx2 => unsafe { avx2::$function($($argument),*) },
            #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
            // SAFETY: an AvxVnni kernel is made by `avxvnni()` alone, after it found the features.
            Isa::AvxVnni => unsafe { avxvnni::$function($($argument),*) },
            #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
            // SAFETY: an Avx512 kernel is made by `avx512()` alone, after it found the features.
            Isa::Avx512 => unsafe { avx512::$function($($argument),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: a Neon kernel is made by `neon()` alone, after it found the feature.
            Isa::Neon => unsafe { neon::$function($($argument),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: a Dotprod kernel is made by `dotprod()` alone, after it found the features.
            Isa::Dotprod => unsafe { dotprod::$function($($argument),*) },
        }
    };
}

/// Whether the CPU has the feature: asked at run time with feature `std`, at compile time without, as only the
/// operating system knows.
#[cfg(target_arch = "aarch64")]
macro_rules! has_on_aarch64 {
    ($feature:tt) => {{
        #[cfg(feature = "std")]
        let found = std::arch::is_aarch64_feature_detected!($feature);
        #[cfg(not(feature = "std"))]
        let found = cfg!(target_feature = $feature);
        found
    }};
}

// What computes is never inlined: each call would hold the choice among the kernels, and the scalar one whole.
#[allow(unsafe_code, reason = "functions with a target feature, where there are any, are unsafe to call")]
impl Kernel {
    /// The fastest that this CPU has, asked at run time.
    pub fn detect() -> Self {
        let x86 = Self::avx512().or(Self::avxvnni()).or(Self::avx2());
        x86.or(Self::dotprod()).or(Self::neon()).unwrap_or(Self::scalar())
    }

    /// The definition; every target has it. A WebAssembly module that was compiled with SIMD has `simd128` in its place: it
    /// is not loaded where the host lacks that, and so needs no other.
    pub fn scalar() -> Self {
        Self(Isa::Definition)
    }

    /// All that this CPU has, slowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::avx2(), Self::avxvnni(), Self::avx512(), Self::neon(), Self::dotprod()];
        [Self::scalar()].into_iter().chain(others.into_iter().flatten())
    }

    fn avx2() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return detect::Features::of_this_cpu().avx2().then_some(Self(Isa::Avx2));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    fn avxvnni() -> Option<Self> {
        #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
        return detect::Features::of_this_cpu().avxvnni().then_some(Self(Isa::AvxVnni));
        #[cfg(not(all(target_arch = "x86_64", feature = "vnni")))]
        None
    }

    fn avx512() -> Option<Self> {
        #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
        return detect::Features::of_this_cpu().avx512().then_some(Self(Isa::Avx512));
        #[cfg(not(all(target_arch = "x86_64", feature = "vnni")))]
        None
    }

    fn neon() -> Option<Self> {
        #[cfg(target_arch = "aarch64")]
        return has_on_aarch64!("neon").then_some(Self(Isa::Neon));
        #[cfg(not(target_arch = "aarch64"))]
        None
    }

    fn dotprod() -> Option<Self> {
        #[cfg(target_arch = "aarch64")]
        return (has_on_aarch64!("neon") && has_on_aarch64!("dotprod")).then_some(Self(Isa::Dotprod));
        #[cfg(not(target_arch = "aarch64"))]
        None
    }

    /// Name of the instruction set, in lower case.
    pub fn name(self) -> &'static str {
        match self.0 {
            Isa::Definition => definition::NAME,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
            Isa::AvxVnni => "avxvnni",
            #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Isa::Dotprod => "dotprod",
        }
    }

    /// `scores[i] = dot(rows[i], query) * scales[i] * factor`, the dot product in exact integers.
    ///
    /// `rows`: blocks of four items x dim as [`Rows`](tinderbox_format::Rows) has them, `query`: dim (a multiple of 16,
    /// components within ±[`QUERY_MAX`]), `scales` and `scores`: items. What is longer than the shortest of them is left
    /// alone, and all of it if `query` is empty.
    #[inline(never)]
    pub fn scan(self, rows: &[i8], query: &[i16], scales: &[f32], factor: f32, scores: &mut [f32]) {
        if query.is_empty() {
            return; // rows of no length cannot be told apart
        }
        dispatch!(self, scan(rows, query, scales, factor, scores))
    }

    /// [`Kernel::scan`] for several queries of one length: the same scores, `scores`: queries x items. AVX-512 loads
    /// each row once for eight queries.
    ///
    /// `rows`: as there, `queries` and `factors`: as many, `scales`: items. Scores nothing where the lengths do not fit.
    pub fn scan_batch(
        self,
        rows: &[i8],
        queries: &[&[i16]],
        scales: &[f32],
        factors: &[f32],
        scores: &mut [f32],
    ) {
        let dim = queries.first().map_or(0, |query| query.len());
        let fits = rows.len() / dim.max(1) >= scales.len().next_multiple_of(BLOCK)
            && scores.len() / scales.len().max(1) >= queries.len();
        let fits = fits && factors.len() == queries.len() && queries.iter().all(|query| query.len() == dim);
        if dim == 0 || !fits {
            return;
        }
        let done = match self.0 {
            #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
            // SAFETY: an Avx512 kernel is made by `avx512()` alone, after it found the features.
            Isa::Avx512 => unsafe { avx512::scan_tiles(rows, queries, scales, factors, scores) },
            _ => 0,
        };
        let alone = queries.iter().zip(factors).zip(scores.chunks_exact_mut(scales.len().max(1)));
        for ((query, &factor), scores) in alone.skip(done) {
            self.scan(rows, query, scales, factor, scores);
        }
    }

    /// Whether [`Kernel::scan_batch`] loads a row once for several of so many queries of this length.
    pub(crate) fn shares_rows(self, queries: usize, dim: usize) -> bool {
        self.has_tiles() && queries >= TILE && dim <= TILE_DIM
    }

    fn has_tiles(self) -> bool {
        #[cfg(all(target_arch = "x86_64", feature = "vnni"))]
        return self.0 == Isa::Avx512;
        #[cfg(not(all(target_arch = "x86_64", feature = "vnni")))]
        false
    }

    /// `out += sum_c coefficients[c] * columns[c]`, first the even `c` in their order and apart from them the odd
    /// ones: a matrix times a vector, without a horizontal sum, so that every vector width gives the same bits.
    /// `columns`: c x out. Coefficients without a whole column are left out. The length of `out` is a multiple of 16;
    /// what goes beyond is left alone.
    #[inline(never)]
    pub fn accumulate(self, columns: &[f32], coefficients: &[f32], out: &mut [f32]) {
        let mut coefficients = coefficients;
        if columns.len() < coefficients.len().saturating_mul(out.len()) {
            coefficients = &coefficients[..columns.len() / out.len()];
        }
        dispatch!(self, accumulate(columns, coefficients, out))
    }

    /// `out[i] = dot(rows[i], vector)`, see [`Kernel::dot`]. `rows`: out x vector.
    #[inline(never)]
    pub fn dots(self, rows: &[f32], vector: &[f32], out: &mut [f32]) {
        dispatch!(self, dots(rows, vector, out))
    }

    /// The dot product in 16 lanes, added up by a fixed tree. The length is a multiple of 16.
    #[inline(never)]
    pub fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        dispatch!(self, dot(a, b))
    }

    /// One support item's share of the attention: for the cosine `c` of every row to that item,
    /// `a = weight * exp(sharpness * c)`, `attended += a * target`, `total += a`. All slices: items.
    #[inline(never)]
    pub fn attend(self, cosines: &[f32], attention: Attention, attended: &mut [f32], total: &mut [f32]) {
        dispatch!(self, attend(cosines, attention, attended, total))
    }

    /// Which scores exceed the bound: bit i of `above[j]` for `scores[64 * j + i]`, 0 where there is no such score. NaN
    /// does not exceed it. What is longer than the other is left alone.
    #[inline(never)]
    pub fn above(self, scores: &[f32], bound: f32, above: &mut [u64]) {
        let (blocks, rest) = scores.as_chunks();
        dispatch!(self, above(blocks, bound, above));
        if !rest.is_empty()
            && let Some(last) = above.get_mut(blocks.len()..)
        {
            let mut block = [f32::NEG_INFINITY; 64];
            block[..rest.len()].copy_from_slice(rest);
            self.above(&block, bound, last);
        }
    }
}

/// Components of a query, split for eight-bit multipliers: `query = 128 * high + low`.
#[cfg(all(target_arch = "x86_64", feature = "vnni"))]
#[derive(Clone, Copy)]
struct Planes<const PART: usize> {
    high: [i8; PART],
    low: [i8; PART],
}

#[cfg(all(target_arch = "x86_64", feature = "vnni"))]
impl<const PART: usize> Planes<PART> {
    const ZERO: Self = Self { high: [0; PART], low: [0; PART] };

    /// Inlined, so that it is compiled for what the kernel has.
    #[inline(always)]
    fn of(query: &[i16; PART]) -> Self {
        let mut planes = Self::ZERO;
        for ((high, low), &value) in planes.high.iter_mut().zip(&mut planes.low).zip(query) {
            *high = (value.wrapping_add(64) >> 7) as i8; // within ±127 if value is within ±QUERY_MAX
            *low = value.wrapping_sub(i16::from(*high) << 7) as i8;
        }
        planes
    }
}

/// How one support item is attended to: see [`Kernel::attend`].
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Inverse temperature of the softmax over cosines.
    pub sharpness: f32,
    /// The feedback's weight.
    pub weight: f32,
    /// The feedback's target.
    pub target: f32,
}
