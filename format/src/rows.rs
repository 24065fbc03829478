//! Rows of int8 in blocks of four, as the file has them and the kernels read them.

/// Items of a block.
pub const BLOCK: usize = 4;

/// Components of an item that lie side by side.
const PART: usize = 4;

/// int8 rows of one length, in blocks of four; behind the last of them zeros up to a whole block.
///
/// A block holds the first four components of each of its items, then the next four of each, and so on. A register of any
/// width then has like parts of four items, which meet like parts of a query: each item's products are summed in a
/// place of its own, and next to nothing is left to be summed across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    blocks: &'a [i8],
    dim: usize,
}

/// One row, wherever its parts lie.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// From its first part on.
    parts: &'a [[i8; PART]],
    /// From one part to the next, in parts.
    stride: usize,
    /// Number of parts.
    len: usize,
}

impl<'a> Rows<'a> {
    /// Reads `blocks` as rows of `dim` components, a multiple of four.
    pub fn new(blocks: &'a [i8], dim: usize) -> Self {
        Self { blocks, dim }
    }

    /// All of them, 4 x dim to a block: what [`BLOCK`] times dim cuts is rows again.
    pub fn blocks(&self) -> &'a [i8] {
        self.blocks
    }

    /// The row at a place; `None` behind the last block.
    pub fn row(&self, at: usize) -> Option<Row<'a>> {
        let parts = self.blocks.as_chunks().0.get(first_part(at, self.dim)..)?;
        (!parts.is_empty()).then_some(Row { parts, stride: BLOCK, len: self.dim / PART })
    }

    /// One row after the other, also those of zeros behind the last.
    pub fn iter(self) -> impl Iterator<Item = Row<'a>> {
        (0..).map_while(move |at| self.row(at))
    }
}

impl<'a> Row<'a> {
    /// A row whose `components`, a multiple of four of them, lie side by side.
    pub fn whole(components: &'a [i8]) -> Self {
        Self { parts: components.as_chunks().0, stride: 1, len: components.len() / PART }
    }

    /// The components, four at a time.
    pub fn parts(self) -> impl Iterator<Item = &'a [i8; PART]> {
        (0..self.len).map_while(move |at| self.parts.get(at * self.stride))
    }

    /// The components.
    pub fn components(self) -> impl Iterator<Item = i8> + 'a {
        self.parts().flatten().copied()
    }

    /// Writes the row to place `at` of `blocks`, rows as long as this one. Does nothing where there is no such place.
    pub fn put(self, blocks: &mut [i8], at: usize) {
        let first = first_part(at, PART * self.len);
        let (places, _) = blocks.as_chunks_mut();
        for (place, part) in (first..).step_by(BLOCK).zip(self.parts()) {
            if let Some(place) = places.get_mut(place) {
                *place = *part;
            }
        }
    }
}

/// Where the row at a place begins, in parts.
fn first_part(at: usize, dim: usize) -> usize {
    (at / BLOCK).saturating_mul(dim).saturating_add(at % BLOCK)
}

/// Rows that lie one after the other, items x dim, in blocks.
#[cfg(feature = "std")]
pub fn in_blocks(rows: &[i8], dim: usize) -> std::vec::Vec<i8> {
    let items = rows.len() / dim.max(1);
    let mut blocks = std::vec![0; items.next_multiple_of(BLOCK) * dim];
    for (at, row) in rows.chunks_exact(dim.max(1)).enumerate() {
        Row::whole(row).put(&mut blocks, at);
    }
    blocks
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn rows_come_back_from_their_blocks() {
        for (items, dim) in [(0, 16), (1, 16), (4, 16), (7, 32), (9, 48)] {
            let rows: Vec<i8> = (0..items * dim).map(|at| (at * 37 % 251) as i8).collect();
            let blocks = in_blocks(&rows, dim);
            assert_eq!(blocks.len(), items.div_ceil(BLOCK) * BLOCK * dim);
            let read = Rows::new(&blocks, dim);
            for (at, row) in rows.chunks_exact(dim).enumerate() {
                assert!(
                    read.row(at).unwrap().components().eq(row.iter().copied()),
                    "{at} of {items} x {dim}"
                );
            }
            for at in items..items.next_multiple_of(BLOCK) {
                assert!(read.row(at).unwrap().components().all(|value| value == 0));
            }
            assert!(read.row(items.next_multiple_of(BLOCK)).is_none());
        }
    }

    #[test]
    fn a_block_has_four_components_of_each_item_in_turn() {
        let rows: Vec<i8> = (0..4 * 16).collect();
        let blocks = in_blocks(&rows, 16);
        assert_eq!(blocks[..20], [0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51, 4, 5, 6, 7]);
    }

    #[test]
    fn a_row_without_a_place_is_not_put() {
        let mut blocks = [0; 64];
        Row::whole(&[1; 16]).put(&mut blocks, 4);
        assert_eq!(blocks, [0; 64]);
    }
}
