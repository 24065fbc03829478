//! Ids as they stand in the files, interned.

use std::collections::HashMap;

use super::error::{Fault, ReadError};
use super::file::{Cell, File};

/// Longest id, in bytes. A longer cell is text that a wrong separator left whole.
pub const MAX_ID: usize = 4096;

/// Numbers ids in the order of their first appearance.
#[derive(Default)]
pub(super) struct Ids<'a> {
    numbers: HashMap<Cell<'a>, u32>,
}

impl<'a> Ids<'a> {
    pub(super) fn intern(&mut self, id: &Cell<'a>) -> u32 {
        if let Some(&number) = self.numbers.get(id) {
            return number;
        }
        let number = self.numbers.len() as u32; // more ids than u32 holds would not fit in memory
        self.numbers.insert(id.clone(), number);
        number
    }

    pub(super) fn get(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The ids in byte order, and the place of each number in that order.
    pub(super) fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut numbered: Vec<(Cell, u32)> = self.numbers.into_iter().collect();
        numbered.sort_unstable();
        let mut place = vec![0; numbered.len()];
        for (position, (_, number)) in numbered.iter().enumerate() {
            place[*number as usize] = position as u32;
        }
        (numbered.into_iter().map(|(id, _)| id.into_owned()).collect(), place)
    }
}

/// Refuses ids that are empty or longer than [`MAX_ID`]; any other text is an id, as it stands.
pub(super) fn check(file: &File, line: usize, column: &str, id: &str) -> Result<(), ReadError> {
    let column = || column.to_owned();
    match id.len() {
        0 => Err(file.fail(line, Fault::EmptyId { column: column() })),
        found if found > MAX_ID => {
            Err(file.fail(line, Fault::LongId { column: column(), expected: MAX_ID, found }))
        }
        _ => Ok(()),
    }
}
