//! One user: feedback in, ranking out.

use crate::adapt::{Adaptation, Support, Work, feedback_share, matching};
use crate::diverse;
use crate::error::{FeedbackError, RankError, SessionError};
use crate::filter::Filter;
use crate::kernel::{Attention, Kernel, Scan, score_row};
use crate::new_item::{MAX_DIM, NewItems};
use crate::quantise::{embed, widen};
use crate::rank::Ranked;
use crate::request::Request;
use crate::sort::sort;
use tinderbox_format::{Model, Row, Rule};

/// What a user says of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feedback {
    /// A bare like.
    Like,
    /// A bare dislike.
    Dislike,
    /// A rating on the scale that the model was trained on; the nearest level counts.
    Rating(f32),
}

/// One piece of feedback: an item and a feedback level of the model. Apps keep the list of what the user
/// said, by id, and make interactions anew for each model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)] // the C interface lends arrays of them
pub struct Interaction {
    /// Number of the item; from [`Model::items`] on, the items added at run time.
    pub item: u32,
    /// Number of the feedback level in [`Model::levels`].
    pub level: u8,
}

impl Interaction {
    /// Feedback on the item with this id. Cost: a binary search over the catalogue.
    ///
    /// # Errors
    /// [`FeedbackError`]: an id that the catalogue does not have, feedback that the model does not know.
    pub fn of(model: &Model<'_>, id: &str, feedback: Feedback) -> Result<Self, FeedbackError> {
        let item = model.item(id).ok_or(FeedbackError::UnknownId)?;
        Self::at(model, item as u32, feedback)
    }

    /// Feedback on the item of this number.
    ///
    /// # Errors
    /// [`FeedbackError`]: feedback that the model does not know.
    pub fn at(model: &Model<'_>, item: u32, feedback: Feedback) -> Result<Self, FeedbackError> {
        let levels = model.levels();
        let level = match feedback {
            Feedback::Like => levels.plain_like().ok_or(FeedbackError::NoLikes)?,
            Feedback::Dislike => levels.plain_dislike().ok_or(FeedbackError::NoDislikes)?,
            Feedback::Rating(value) => levels.closest(value).ok_or(FeedbackError::OffScale {
                found: value,
                lowest: levels.value(0),
                highest: levels.value(levels.len() - 1),
            })?,
        };
        Ok(Self { item, level: level as u8 })
    }
}

/// One piece of the user's feedback, and what it does to an item: see [`Session::explain`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)] // as Interaction
pub struct Reason {
    /// The item that the feedback was on.
    pub item: u32,
    /// How much lower the explained item would score without that feedback; negative if it would be higher.
    pub effect: f32,
}

/// One user's adapted state, in memory that the caller owns.
///
/// Nothing here needs to be saved: the state of a user is the list of feedback, and adapting to all of it
/// again is as fast as adapting to one more. A session before [`Session::adapt`] is the prior's: it ranks
/// for a user of whom nothing is known.
#[derive(Debug)]
pub struct Session<'a> {
    pub(crate) model: Model<'a>,
    pub(crate) kernel: Kernel,
    pub(crate) new_items: NewItems<'a>,
    /// The prior and the user's features, dim.
    base: &'a mut [f32],
    /// The adapted user embedding, dim.
    user: &'a mut [f32],
    gradient: &'a mut [f32],
    direction: &'a mut [f32],
    /// The user embedding as it meets the rows, dim.
    query: &'a mut [i16],
    /// Turns an integer dot, times a row's scale, into a score.
    factor: f32,
    /// Number of interactions in the support.
    len: usize,
    /// Items of the support in the order given; as long as the capacity, like all below.
    items: &'a mut [u32],
    /// The same, ascending.
    ascending: &'a mut [u32],
    weights: &'a mut [f32],
    targets: &'a mut [f32],
    residual: &'a mut [f32],
    /// Embeddings of the support, capacity x dim; `matching` keeps queries here, two to a float.
    rows: &'a mut [f32],
}

/// Floats of scratch memory that do not depend on the capacity, in units of dim: base, user, gradient,
/// direction, and the query in half the space.
const HALVES_OF_DIM: usize = 9;
/// Floats of scratch memory for each interaction beside its embedding: item twice, weight, target, residual.
const PER_INTERACTION: usize = 5;

impl<'a> Session<'a> {
    /// The length of the scratch memory, in floats, for a support of up to `capacity` interactions.
    ///
    /// Cost per interaction: dim + 5 floats.
    pub fn scratch_len(model: &Model<'_>, capacity: usize) -> usize {
        let each = model.dim() + PER_INTERACTION;
        capacity.max(1).saturating_mul(each).saturating_add(model.dim() * HALVES_OF_DIM / 2)
    }

    /// A session with the fastest kernel, at the prior. What `scratch` holds does not matter.
    ///
    /// # Errors
    /// [`SessionError::ScratchTooSmall`], see [`Session::scratch_len`].
    pub fn new(model: Model<'a>, scratch: &'a mut [f32]) -> Result<Self, SessionError> {
        Self::with_kernel(model, Kernel::detect(), scratch)
    }

    /// A session with a kernel of one's own choice; the results do not depend on it.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn with_kernel(
        model: Model<'a>,
        kernel: Kernel,
        scratch: &'a mut [f32],
    ) -> Result<Self, SessionError> {
        let (dim, found) = (model.dim(), scratch.len());
        let expected = Self::scratch_len(&model, 1);
        let too_small = SessionError::ScratchTooSmall { expected, found };
        let for_support = found.checked_sub(dim * HALVES_OF_DIM / 2).ok_or(too_small)?;
        let capacity = for_support / (dim + PER_INTERACTION);
        if capacity == 0 {
            return Err(too_small);
        }
        let mut free = scratch;
        let mut take = |len: usize| free.split_off_mut(..len).unwrap_or_default();
        let mut session = Self {
            model,
            kernel,
            new_items: NewItems::default(),
            base: take(dim),
            user: take(dim),
            gradient: take(dim),
            direction: take(dim),
            query: bytemuck::cast_slice_mut(take(dim / 2)),
            factor: 0.0,
            len: 0,
            items: bytemuck::cast_slice_mut(take(capacity)),
            ascending: bytemuck::cast_slice_mut(take(capacity)),
            weights: take(capacity),
            targets: take(capacity),
            residual: take(capacity),
            rows: take(capacity * dim),
        };
        session.base.copy_from_slice(model.prior());
        session.readapt();
        Ok(session)
    }

    /// Ranks these items together with the catalogue from now on; forgets the support.
    ///
    /// # Errors
    /// [`SessionError::NewItemsShape`] if there are not dim bytes for each scale.
    pub fn add_items(&mut self, new_items: NewItems<'a>) -> Result<(), SessionError> {
        let (expected, found) =
            (new_items.scales.len().saturating_mul(self.model.dim()), new_items.rows.len());
        if expected != found {
            return Err(SessionError::NewItemsShape { expected, found });
        }
        self.new_items = new_items;
        self.len = 0;
        self.readapt();
        Ok(())
    }

    /// Says what is known of the user beside feedback: numbers of [`Model::user_features`]. Replaces what
    /// was said before and adapts to the present support again.
    ///
    /// # Errors
    /// [`SessionError::UnknownFeature`]; the session is then as it was.
    pub fn set_features(&mut self, features: &[u32]) -> Result<(), SessionError> {
        let table = self.model.user_features();
        if let Some(&found) = features.iter().find(|&&feature| feature as usize >= table.len()) {
            return Err(SessionError::UnknownFeature { found, features: table.len() });
        }
        self.base.copy_from_slice(self.model.prior());
        for embedding in features.iter().filter_map(|&feature| table.embedding(feature as usize)) {
            self.kernel.accumulate(embedding, &[1.0], self.base);
        }
        self.readapt();
        Ok(())
    }

    /// Adapts from the prior to the whole support set; what the session had adapted to before is forgotten.
    ///
    /// The order of the support has no influence beyond the rounding of sums. More than twenty interactions weigh
    /// together what twenty do. Cost: for `maml`
    /// steps * (2 support + 2 dim) * dim multiplications, see [`Session::scratch_len`] for the memory.
    ///
    /// # Errors
    /// [`SessionError`]: more interactions than there is room for, an unknown item or level; the session
    /// is then as it was.
    pub fn adapt(&mut self, support: &[Interaction]) -> Result<(), SessionError> {
        let (capacity, found) = (self.items.len(), support.len());
        if found > capacity {
            return Err(SessionError::SupportTooLong { capacity, found });
        }
        let (levels, items) = (self.model.levels(), self.items());
        for interaction in support {
            if usize::from(interaction.level) >= levels.len() {
                return Err(SessionError::UnknownLevel { found: interaction.level, levels: levels.len() });
            }
            if interaction.item as usize >= items {
                return Err(SessionError::UnknownItem { found: interaction.item, items });
            }
        }
        self.len = support.len();
        let share = feedback_share(self.len);
        let kept = self.items.iter_mut().zip(&mut *self.targets).zip(&mut *self.weights);
        for (((item, target), weight), interaction) in kept.zip(support) {
            let level = usize::from(interaction.level);
            (*item, *target, *weight) =
                (interaction.item, levels.target(level), share * levels.weight(level));
        }
        let ascending = &mut self.ascending[..self.len];
        ascending.copy_from_slice(&self.items[..self.len]);
        sort(ascending, u32::cmp);
        self.embed_support();
        self.readapt();
        Ok(())
    }

    /// Ranks the catalogue and the new items for the user, exactly, best first, ties to the lower number,
    /// and returns as many as exist, up to the length of `out`. Cost: at most one pass over the rows, under `matching` one
    /// more for each interaction.
    ///
    /// # Errors
    /// [`RankError`]: a list that is not ascending, an unknown item or category.
    pub fn rank<'o>(&self, filter: &Filter<'_>, out: &'o mut [Ranked]) -> Result<&'o [Ranked], RankError> {
        Ok(self.request(filter, out)?.rank())
    }

    /// The same ranking as a request that waits for others, so that [`rank_batch`](crate::rank_batch) brings
    /// the rows to many users at once.
    ///
    /// # Errors
    /// As [`Session::rank`].
    pub fn request<'r, 'o>(
        &'r self,
        filter: &Filter<'r>,
        out: &'o mut [Ranked],
    ) -> Result<Request<'r, 'o>, RankError> {
        Request::of_user(self, filter, out)
    }

    /// The items nearest to `item` by cosine, whatever the user thinks of it; `item` itself is left out.
    /// Otherwise as [`Session::rank`]: the same filter, order and cost, and 2 KB of stack.
    ///
    /// # Errors
    /// [`RankError`]: an unknown item, and as [`Session::rank`].
    #[inline(never)] // its stack is not to be its caller's
    pub fn similar<'o>(
        &self,
        item: u32,
        filter: &Filter<'_>,
        out: &'o mut [Ranked],
    ) -> Result<&'o [Ranked], RankError> {
        let unknown = RankError::UnknownItem { found: item, items: self.items() as u32 };
        let (row, scale) = self.row(item).ok_or(unknown)?;
        let mut query = [0; MAX_DIM];
        let query = &mut query[..self.model.dim()];
        widen(row, query);
        Ok(Request::of_item(self, &item, query, scale, filter, out)?.rank())
    }

    /// The length of the scratch memory of [`Session::rank_diverse`] for so many candidates, in floats.
    pub fn diverse_scratch_len(model: &Model<'_>, candidates: usize) -> usize {
        diverse::scratch_len(model.dim(), candidates)
    }

    /// The best `candidates.len()` items in an order that trades relevance for variety, and of these the first
    /// `len`: maximal marginal relevance (Carbonell and Goldstein 1998).
    ///
    /// Each place goes to the item with the highest `(1 - diversity) score - diversity nearest`, where `nearest` is its
    /// largest cosine to the items that already have a place. `diversity` 0 is the plain ranking, 1 ignores the
    /// user after the first place; what is outside is moved to the nearer end, NaN to 0. The scores returned are those
    /// of the plain ranking. `scratch`: [`Session::diverse_scratch_len`] floats, whatever they hold. Cost: that of
    /// [`Session::rank`], and len x candidates dot products.
    ///
    /// # Errors
    /// As [`Session::rank`], and [`RankError::ScratchTooSmall`].
    pub fn rank_diverse<'o>(
        &self,
        filter: &Filter<'_>,
        diversity: f32,
        len: usize,
        scratch: &mut [f32],
        candidates: &'o mut [Ranked],
    ) -> Result<&'o [Ranked], RankError> {
        let mut pool = diverse::Pool::new(self.model.dim(), candidates.len(), scratch)?;
        let found = self.request(filter, candidates)?.rank();
        for (at, ranked) in found.iter().enumerate() {
            if let Some((row, scale)) = self.row(ranked.item) {
                pool.put(at, row, scale);
            }
        }
        Ok(pool.order(self.kernel, diversity, len, found))
    }

    /// The score of one item: the same bits as in a ranking.
    ///
    /// # Errors
    /// [`SessionError::UnknownItem`].
    pub fn score(&self, item: u32) -> Result<f32, SessionError> {
        let (row, scale) =
            self.row(item).ok_or(SessionError::UnknownItem { found: item, items: self.items() })?;
        let scan = |query: &[i16], factor: f32, scores: &mut [f32]| {
            scores.fill(score_row(row, query, scale, factor));
        };
        let mut score = [0.0];
        scan(self.query, self.factor, &mut score);
        self.attend(&scan, &mut score);
        Ok(score[0])
    }

    /// Which of the user's feedback raised `item`, and by how much: the strongest first, up to the length
    /// of `out`.
    ///
    /// Each effect is counterfactual: the score with all feedback minus the score without this one, the others weighing
    /// what they do beside it (beyond twenty they weigh less, see [`Session::adapt`]). It means the same for every
    /// adaptation rule. Cost: one adaptation for each interaction of the support.
    ///
    /// # Errors
    /// [`SessionError::UnknownItem`].
    pub fn explain<'o>(&mut self, item: u32, out: &'o mut [Reason]) -> Result<&'o [Reason], SessionError> {
        let score = self.score(item)?;
        let mut filled = 0;
        for at in 0..self.len {
            let weight = core::mem::take(&mut self.weights[at]);
            self.readapt();
            let reason = Reason { item: self.items[at], effect: score - self.score(item)? };
            self.weights[at] = weight;
            let place = out[..filled].partition_point(|kept| kept.effect >= reason.effect);
            if place < out.len() {
                filled = out.len().min(filled + 1);
                out[place..filled].rotate_right(1);
                out[place] = reason;
            }
        }
        self.readapt();
        Ok(&out[..filled])
    }

    /// The adapted user embedding, dim floats; for `matching`, the prior and the user's features.
    pub fn user(&self) -> &[f32] {
        self.user
    }

    /// The model that the session ranks with.
    pub fn model(&self) -> Model<'a> {
        self.model
    }

    /// Items of the catalogue and added at run time.
    pub(crate) fn items(&self) -> usize {
        self.model.items() + self.new_items.scales.len()
    }

    /// The user embedding as it meets the rows, dim, and what turns an integer dot, times a row's scale, into a score.
    pub(crate) fn query(&self) -> (&[i16], f32) {
        (self.query, self.factor)
    }

    /// Items of the support, ascending.
    pub(crate) fn left_out(&self) -> &[u32] {
        &self.ascending[..self.len]
    }

    fn row(&self, item: u32) -> Option<(Row<'a>, f32)> {
        row(&self.model, self.new_items, item)
    }

    /// Fetches the rows of the support into scratch memory.
    fn embed_support(&mut self) {
        let dim = self.model.dim();
        let matching = matches!(self.model.rule(), Rule::Matching { .. });
        let embedded = self.rows.chunks_exact_mut(dim).zip(&mut *self.residual);
        for (&item, (floats, kept_scale)) in self.items.iter().take(self.len).zip(embedded) {
            let Some((row, scale)) = row(&self.model, self.new_items, item) else { continue };
            if matching {
                // Attention needs integers for the kernel, and the row's scale.
                widen(row, bytemuck::cast_slice_mut(floats));
                *kept_scale = scale;
            } else {
                embed(row, scale, floats);
            }
        }
    }

    /// Brings the user embedding and its query in line with the prior, the features and the support.
    fn readapt(&mut self) {
        self.factor = Adaptation {
            model: &self.model,
            base: self.base,
            support: Support {
                rows: &self.rows[..self.len * self.model.dim()],
                targets: &self.targets[..self.len],
                weights: &self.weights[..self.len],
            },
            work: Work {
                kernel: self.kernel,
                residual: &mut self.residual[..self.len],
                gradient: self.gradient,
                direction: self.direction,
            },
            user: self.user,
            query: self.query,
        }
        .run();
    }

    /// Adds what attention gives under the rule `matching`, to at most [`CHUNK`](crate::rank::CHUNK) scores, of the rows
    /// that `scan` goes over.
    pub(crate) fn attend(&self, scan: Scan<'_>, scores: &mut [f32]) {
        if let Rule::Matching { sharpness, null } = self.model.rule() {
            let dim = self.model.dim();
            let embedded = self.rows.chunks_exact(dim).zip(&*self.residual).take(self.len);
            let support = embedded.zip(self.weights.iter().zip(&*self.targets)).map(
                |((floats, &scale), (&weight, &target))| matching::Attended {
                    query: bytemuck::cast_slice(floats).get(..dim).unwrap_or_default(),
                    scale,
                    attention: Attention { sharpness, weight, target },
                },
            );
            matching::attend(self.kernel, null, support, scan, scores);
        }
    }
}

/// The int8 row of an item and its scale.
fn row<'a>(model: &Model<'a>, new_items: NewItems<'a>, item: u32) -> Option<(Row<'a>, f32)> {
    let (item, dim) = (item as usize, model.dim());
    let (row, scale) = match item.checked_sub(model.items()) {
        None => (model.rows().row(item)?, model.scales().get(item)),
        Some(new) => (Row::whole(new_items.rows.get(new * dim..)?.get(..dim)?), new_items.scales.get(new)),
    };
    Some((row, *scale?))
}
