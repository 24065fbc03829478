//! What the firmware measures with: flash and RAM by the linker's symbols and a painted stack, instructions by SysTick.

#![no_std]

pub mod host;
pub mod instructions;
pub mod memory;
