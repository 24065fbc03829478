//! Meta-parameters as one vector with named blocks, so that the optimiser, the moving average and
//! the finite differences of the tests are loops over one slice.

use std::ops::{Index, IndexMut, Range};

use super::Kind;

/// `f32` in training, `f64` where gradients are checked.
pub trait Real: nalgebra::RealField + faer::traits::ComplexField + Copy {
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// The value as `f64`, exactly.
    fn f64(self) -> f64;
    /// `e^self`; for `f32` the engine's, which the compiler vectorises.
    fn exponential(self) -> Self;
}

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn f64(self) -> f64 {
        self.into()
    }
    fn exponential(self) -> Self {
        tinderbox::exp(self)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn f64(self) -> f64 {
        self
    }
    fn exponential(self) -> Self {
        self.exp()
    }
}

/// A named part of the meta-parameters. Shapes are rows x columns, column-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// dim x items: what is particular to each item; with its features added, normalised, a row.
    Items,
    /// dim x item features.
    ItemFeatures,
    /// dim x user features.
    UserFeatures,
    /// dim: the user embedding before any feedback.
    Prior,
    /// One per feedback level: what its product with the user is pulled to.
    Targets,
    /// One per feedback level: how hard. Positive.
    Weights,
    /// 1: what scores are divided by before the softmax. Training only. Positive.
    Temperature,
    /// dim x inner steps (maml). Positive.
    StepSizes,
    /// dim x dim (maml, prototypical).
    Preconditioner,
    /// 1: weight of the catalogue's Gram matrix in the inner loss (maml). Positive.
    GramWeight,
    /// 1: weight of the pull towards the prior in the inner loss (maml). Positive.
    Pull,
    /// 1: length of the step towards the prototype under much feedback (prototypical). Positive.
    Scale,
    /// 1: the weight of feedback at which that step is half as long (prototypical). Positive.
    Shrinkage,
    /// 1: what cosines are multiplied by before the attention (matching). Positive.
    Sharpness,
    /// 1: what feedback competes with for attention (matching). Positive.
    Null,
}

impl Block {
    /// Every block, in the order of the vector.
    pub const ALL: [Self; 15] = [
        Self::Items,
        Self::ItemFeatures,
        Self::UserFeatures,
        Self::Prior,
        Self::Targets,
        Self::Weights,
        Self::Temperature,
        Self::StepSizes,
        Self::Preconditioner,
        Self::GramWeight,
        Self::Pull,
        Self::Scale,
        Self::Shrinkage,
        Self::Sharpness,
        Self::Null,
    ];

    /// Whether the block is trained as its logarithm, so that what is served stays positive.
    pub fn is_positive(self) -> bool {
        match self {
            Self::Items
            | Self::ItemFeatures
            | Self::UserFeatures
            | Self::Prior
            | Self::Targets
            | Self::Preconditioner => false,
            Self::Weights
            | Self::Temperature
            | Self::StepSizes
            | Self::GramWeight
            | Self::Pull
            | Self::Scale
            | Self::Shrinkage
            | Self::Sharpness
            | Self::Null => true,
        }
    }

    /// Whether the block holds one embedding per item or feature: many numbers, each seen rarely.
    pub fn is_embedding(self) -> bool {
        matches!(self, Self::Items | Self::ItemFeatures | Self::UserFeatures)
    }
}

/// Counts that fix the size of every block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The rule; blocks of the other rules are empty.
    pub kind: Kind,
    /// Length of an embedding.
    pub dim: usize,
    /// Inner steps; counts for maml only.
    pub steps: usize,
    /// Whether there is a Gram matrix; counts for maml only.
    pub gram: bool,
    /// Catalogue rows.
    pub items: usize,
    /// Feedback levels.
    pub levels: usize,
    /// Item features.
    pub item_features: usize,
    /// User features.
    pub user_features: usize,
}

impl Shape {
    fn len(&self, block: Block) -> usize {
        let only = |kind: Kind, len: usize| if self.kind == kind { len } else { 0 };
        match block {
            Block::Items => self.dim * self.items,
            Block::ItemFeatures => self.dim * self.item_features,
            Block::UserFeatures => self.dim * self.user_features,
            Block::Prior => self.dim,
            Block::Targets | Block::Weights => self.levels,
            Block::Temperature => 1,
            Block::StepSizes => only(Kind::Maml, self.dim * self.steps),
            Block::Preconditioner if self.kind == Kind::Matching => 0,
            Block::Preconditioner => self.dim * self.dim,
            Block::GramWeight => only(Kind::Maml, self.gram.into()),
            Block::Pull => only(Kind::Maml, 1),
            Block::Scale | Block::Shrinkage => only(Kind::Prototypical, 1),
            Block::Sharpness | Block::Null => only(Kind::Matching, 1),
        }
    }

    /// The same without the blocks of the item encoder: what one episode's gradient is dense in.
    pub(crate) fn without_items(self) -> Self {
        Self { items: 0, item_features: 0, ..self }
    }
}

/// One number per meta-parameter: the parameters themselves, their served values, or a gradient.
///
/// Indexed by [`Block`]; a block that the rule does not have is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<T> {
    /// The counts behind the blocks.
    pub shape: Shape,
    /// All blocks, one after the other, in the order of [`Block::ALL`].
    pub values: Vec<T>,
}

impl<T: Real> Parameters<T> {
    /// All zero.
    pub fn zeros(shape: Shape) -> Self {
        let len = Block::ALL.iter().map(|&block| shape.len(block)).sum();
        Self { shape, values: vec![T::zero(); len] }
    }

    /// Adds every block that `other` has; the shapes agree but for blocks that are empty there.
    pub(crate) fn add(&mut self, other: &Self) {
        for block in Block::ALL {
            self[block].iter_mut().zip(&other[block]).for_each(|(sum, &value)| *sum += value);
        }
    }
}

impl<T> Parameters<T> {
    /// Where `block` lies in `values`.
    pub fn range(&self, block: Block) -> Range<usize> {
        let before = Block::ALL.iter().take_while(|&&other| other != block);
        let start = before.map(|&other| self.shape.len(other)).sum();
        start..start + self.shape.len(block)
    }
}

impl<T> Index<Block> for Parameters<T> {
    type Output = [T];
    fn index(&self, block: Block) -> &[T] {
        &self.values[self.range(block)]
    }
}

impl<T> IndexMut<Block> for Parameters<T> {
    fn index_mut(&mut self, block: Block) -> &mut [T] {
        let range = self.range(block);
        &mut self.values[range]
    }
}
