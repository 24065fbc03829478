// Tinderbox: adapts a recommender to a new user and ranks the whole catalogue, in microseconds.
//
//     tbx_open(file, file_len, memory, tbx_model_size(), &model);
//     tbx_session_new(model, scratch, tbx_session_size(model, 20), &session);
//     tbx_item(model, "50", 2, &item);
//     tbx_like(model, item, &said[0]);
//     tbx_adapt(session, said, 1);
//     tbx_rank(session, NULL, best, 10, &found);
//
// - The caller owns all memory, and asks for sizes first. Nothing is allocated, printed or thrown; there is nothing to
//   close. Handles point into the caller's memory and must stay where they were made.
// - Every function that can fail returns a status, and says with tbx_status_text what to do. What is refused has no
//   effect. Pointers are checked for null, alignment, room and kind of handle; an array of no elements may be null.
// - A model may be used by any number of threads at once, a session by one at a time.
// - Lists come out the same, to the bit, on every CPU.
//
// What cannot be checked is the caller's: pointers lead to as many elements as the lengths say, which nobody else
// writes during the call (the file's bytes: as long as the model or a session of it is used).


#ifndef TINDERBOX_H
#define TINDERBOX_H

/* Made by cbindgen from bindings/c/src: edit there, then TINDERBOX_BLESS=1 cargo test -p tinderbox-c. */

#include <stddef.h>
#include <stdint.h>

// Goes up by one whenever a program compiled against an older header would misbehave.
#define TBX_ABI_VERSION 1

// What the address of a model file's bytes, and of memory for handles and scratch, must be a multiple of: memory from
// malloc is, and so are a mapped file and an asset that is stored aligned.
#define TBX_ALIGNMENT 8

// How a call went. What is refused has no effect, and writes no result.
enum tbx_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    TBX_STATUS_OK = 0,
    TBX_STATUS_NULL_POINTER = 1,
    TBX_STATUS_MISALIGNED_POINTER = 2,
    TBX_STATUS_LENGTH = 3,
    TBX_STATUS_MISALIGNED_MEMORY = 4,
    TBX_STATUS_MEMORY_TOO_SMALL = 5,
    TBX_STATUS_NOT_A_HANDLE = 6,
    TBX_STATUS_NOT_UTF8 = 7,
    TBX_STATUS_ABSENT = 8,
    TBX_STATUS_OTHER = 9,
    TBX_STATUS_FILE_MISALIGNED = 20,
    TBX_STATUS_FILE_MAGIC = 21,
    TBX_STATUS_FILE_VERSION = 22,
    TBX_STATUS_FILE_LENGTH = 23,
    TBX_STATUS_FILE_HEADER = 24,
    TBX_STATUS_FILE_SECTION = 25,
    TBX_STATUS_FILE_PADDING = 26,
    TBX_STATUS_FILE_VALUE = 27,
    TBX_STATUS_FILE_CHECKSUM = 28,
    TBX_STATUS_UNKNOWN_ID = 40,
    TBX_STATUS_UNKNOWN_ITEM = 41,
    TBX_STATUS_UNKNOWN_CATEGORY = 42,
    TBX_STATUS_UNKNOWN_FEATURE = 43,
    TBX_STATUS_UNKNOWN_LEVEL = 44,
    TBX_STATUS_NO_LIKES = 45,
    TBX_STATUS_NO_DISLIKES = 46,
    TBX_STATUS_OFF_SCALE = 47,
    TBX_STATUS_SUPPORT_TOO_LONG = 60,
    TBX_STATUS_NOT_ASCENDING = 61,
    TBX_STATUS_ROW_LENGTH = 62,
    TBX_STATUS_NO_DIRECTION = 63,
    TBX_STATUS_RATER_WITHOUT_DIRECTION = 64,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum tbx_status tbx_status;
#else
typedef int32_t tbx_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a model turns feedback into a user embedding.
enum tbx_rule
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Fixed gradient steps from the prior.
    TBX_RULE_MAML = 1,
    // Prior plus a weighted mean of the support.
    TBX_RULE_PROTOTYPICAL = 2,
    // Attention over the support.
    TBX_RULE_MATCHING = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum tbx_rule tbx_rule;
#else
typedef int32_t tbx_rule;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A model: constant once it is open, so that any number of threads may use it at once. It borrows the file's bytes,
// which must stay as they are, where they are, as long as the model or a session of it is used.
typedef struct tbx_model tbx_model;

// One user's adapted state, in the caller's memory. It belongs to one thread at a time and needs no closing. Nothing
// in it needs to be saved: keep the list of what the user said, by id, and adapt to it again.
typedef struct tbx_session tbx_session;

// Text inside the model file, UTF-8, **not** ended by a zero byte; lives as long as the file's bytes.
typedef struct {
    // The first byte; never null after TBX_STATUS_OK.
    const char *data;
    // Bytes.
    size_t len;
} tbx_text;

// What a model is.
typedef struct {
    // Two files with the same content id hold the same model.
    uint64_t content_id;
    // Items of the catalogue, numbered from 0, most popular first.
    uint32_t items;
    // Length of an embedding.
    uint32_t dim;
    // Feedback levels, numbered from the lowest.
    uint32_t levels;
    // Categories, numbered in the order of their names.
    uint32_t categories;
    // Item features, numbered in the order of their names.
    uint32_t item_features;
    // User features, numbered in the order of their names.
    uint32_t user_features;
    // The adaptation rule.
    tbx_rule rule;
    // Inner steps; 0 unless the rule is TBX_RULE_MAML.
    uint32_t steps;
} tbx_shape;

// A feedback level.
typedef struct {
    // The rating that it stands for.
    float value;
    // 1 if it counts as liked, else 0.
    uint32_t liked;
} tbx_level;

// One piece of feedback: an item and a feedback level of the model.
typedef struct {
    // Number of the item; from the number of items on, the items of tbx_add_items.
    uint32_t item;
    // Number of the feedback level: tbx_like, tbx_dislike and tbx_rate find it.
    uint8_t level;
} tbx_interaction;

// Which items a ranking may contain. All zero: every item but those of the support. Arrays are not kept.
typedef struct {
    // Only these items, ascending and distinct. Null: all. To allow nothing: not null, with a length of 0.
    const uint32_t *allow;
    // Elements of `allow`.
    size_t allow_len;
    // None of these items, ascending and distinct.
    const uint32_t *deny;
    // Elements of `deny`.
    size_t deny_len;
    // Only items in at least one of these categories. None: whatever the category.
    const uint32_t *categories;
    // Elements of `categories`.
    size_t categories_len;
    // Not 0: the items of the support may appear, too.
    uint32_t keep_support;
} tbx_filter;

// An item and its score.
typedef struct {
    // Number of the item; from the number of items on, the items of tbx_add_items.
    uint32_t item;
    // Cosine to the user, or attended feedback: comparable within one list.
    float score;
} tbx_ranked;

// One piece of the user's feedback, and what it does to an item.
typedef struct {
    // The item that the feedback was on.
    uint32_t item;
    // How much lower the explained item would score without that feedback; negative if it would be higher.
    float effect;
} tbx_reason;

// One ranking of a batch: the arguments of tbx_rank, and its result.
typedef struct {
    // For whom; several requests may share a session.
    const tbx_session *session;
    // Null for every item but those of the support.
    const tbx_filter *filter;
    // Room for the list, this request's own.
    tbx_ranked *out;
    // Elements of `out`.
    size_t capacity;
    // Set to how many were written.
    size_t len;
} tbx_request;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What a status means and what to do about it: a sentence in English that ends in a zero byte and lives forever.
// Never null, for numbers that are no status neither.
const char *tbx_status_text(int32_t status);

// The TBX_ABI_VERSION that the library was built with: compare it with the header's where they may differ.
uint32_t tbx_abi_version(void);

// Name of the instruction set that this CPU is served with, such as "avx2". Results do not depend on it.
tbx_text tbx_kernel(void);

// Bytes for the memory of tbx_open.
size_t tbx_model_size(void);

// Opens the bytes of a model file, in constant time, and copies nothing: the bytes must stay. `file` and `memory`
// begin at multiples of TBX_ALIGNMENT; `memory` has tbx_model_size() bytes and holds the model from now on.
//
// TBX_STATUS_OK means that the file is whole in its header and sections. One that may have been damaged since it was
// written should pass tbx_verify once; without, nothing worse comes of it than wrong rankings.
tbx_status tbx_open(const void *file,
                    size_t file_len,
                    void *memory,
                    size_t memory_size,
                    const tbx_model **model);

// Checks every byte of the file, in one pass or two over each section.
tbx_status tbx_verify(const tbx_model *model);

// What the model is.
tbx_status tbx_model_shape(const tbx_model *model, tbx_shape *shape);

// A feedback level, by its number.
tbx_status tbx_model_level(const tbx_model *model, uint32_t number, tbx_level *level);

// The model card, a JSON object: what the model was trained on, and how well it did.
tbx_status tbx_model_card(const tbx_model *model, tbx_text *card);

// Items to show a new user first, best first: an array inside the file, `len` long, possibly empty.
tbx_status tbx_onboarding(const tbx_model *model, const uint32_t **items, size_t *len);

// The item with this id, by binary search.
tbx_status tbx_item(const tbx_model *model, const char *id, size_t id_len, uint32_t *item);

// Id of an item.
tbx_status tbx_item_id(const tbx_model *model, uint32_t item, tbx_text *id);

// Title of an item; TBX_STATUS_ABSENT where it has none.
tbx_status tbx_item_title(const tbx_model *model, uint32_t item, tbx_text *title);

// The category of this name, by binary search.
tbx_status tbx_category(const tbx_model *model, const char *name, size_t name_len, uint32_t *category);

// Name of a category.
tbx_status tbx_category_name(const tbx_model *model, uint32_t category, tbx_text *name);

// Whether an item is in a category: 1 or 0.
tbx_status tbx_category_contains(const tbx_model *model,
                                 uint32_t category,
                                 uint32_t item,
                                 uint32_t *contains);

// The item feature of this name ("genre:Comedy"), by binary search.
tbx_status tbx_item_feature(const tbx_model *model, const char *name, size_t name_len, uint32_t *feature);

// Name of an item feature.
tbx_status tbx_item_feature_name(const tbx_model *model, uint32_t feature, tbx_text *name);

// The user feature of this name ("age:25"), by binary search.
tbx_status tbx_user_feature(const tbx_model *model, const char *name, size_t name_len, uint32_t *feature);

// Name of a user feature.
tbx_status tbx_user_feature_name(const tbx_model *model, uint32_t feature, tbx_text *name);

// Bytes for the memory of a session of up to `capacity` interactions; 0 if `model` is not a model.
size_t tbx_session_size(const tbx_model *model, size_t capacity);

// Makes a session that ranks for a user of whom nothing is known. `memory` begins at a multiple of TBX_ALIGNMENT,
// has tbx_session_size(model, capacity) bytes, whatever they hold, and is the session's as long as it is used.
// The model handle may go; the file's bytes must stay.
tbx_status tbx_session_new(const tbx_model *model,
                           void *memory,
                           size_t memory_size,
                           tbx_session **session);

// A bare like of an item.
tbx_status tbx_like(const tbx_model *model, uint32_t item, tbx_interaction *interaction);

// A bare dislike of an item; TBX_STATUS_NO_DISLIKES from a model of implicit feedback.
tbx_status tbx_dislike(const tbx_model *model, uint32_t item, tbx_interaction *interaction);

// A rating of an item, on the scale that the model was trained on; the nearest level counts.
tbx_status tbx_rate(const tbx_model *model, uint32_t item, float rating, tbx_interaction *interaction);

// Adapts to the whole support set; what the session had adapted to before is forgotten. The order has no influence
// beyond the rounding of sums. The array is not kept.
tbx_status tbx_adapt(tbx_session *session,
                     const tbx_interaction *support,
                     size_t len);

// Says what is known of the user beside feedback: numbers of user features. Replaces what was said before, and
// adapts to the present support again. The array is not kept.
tbx_status tbx_set_features(tbx_session *session,
                            const uint32_t *features,
                            size_t len);

// Ranks these items together with the catalogue from now on, numbered from its end, and forgets the support. Replaces
// what was added before. `rows` (items x dim) and `scales` (items), as tbx_embed_item and tbx_adapt_item made them,
// are borrowed as long as the session is used, or until other items replace them.
tbx_status tbx_add_items(tbx_session *session,
                         const int8_t *rows,
                         const float *scales,
                         size_t items);

// The adapted user embedding, `dim` floats inside the session, until the session is used again.
tbx_status tbx_user(const tbx_session *session, const float **user, size_t *dim);

// Ranks the catalogue and the added items for the user, exactly, best first, ties to the lower number. Writes as many
// as exist, up to `capacity`, and sets `len` to how many. `filter`: null for every item but those of the support.
tbx_status tbx_rank(const tbx_session *session,
                    const tbx_filter *filter,
                    tbx_ranked *out,
                    size_t capacity,
                    size_t *len);

// Bytes for the memory of tbx_rank_diverse with so many candidates; 0 if `model` is not a model.
size_t tbx_rank_diverse_size(const tbx_model *model, size_t candidates);

// The best `candidates` items in an order that trades relevance for variety (maximal marginal relevance), the first
// `top` of them at the front of `out`, which has room for `candidates`. `diversity` 0 is the plain ranking, 1 ignores
// the user after the first place. The scores are those of the plain ranking. `memory`: tbx_rank_diverse_size bytes
// at a multiple of TBX_ALIGNMENT, for the time of the call.
tbx_status tbx_rank_diverse(const tbx_session *session,
                            const tbx_filter *filter,
                            float diversity,
                            size_t top,
                            void *memory,
                            size_t memory_size,
                            tbx_ranked *out,
                            size_t candidates,
                            size_t *len);

// The items nearest to `item` by cosine, whatever the user thinks of it; `item` itself is left out. Otherwise as
// tbx_rank.
tbx_status tbx_similar(const tbx_session *session,
                       uint32_t item,
                       const tbx_filter *filter,
                       tbx_ranked *out,
                       size_t capacity,
                       size_t *len);

// The score of one item: the same bits as in a ranking.
tbx_status tbx_score(const tbx_session *session, uint32_t item, float *score);

// Which of the user's feedback raised `item`, and by how much, the strongest first. Writes as many as there are
// interactions, up to `capacity`, and sets `len` to how many.
tbx_status tbx_explain(tbx_session *session,
                       uint32_t item,
                       tbx_reason *out,
                       size_t capacity,
                       size_t *len);

// Bytes for the memory of tbx_rank_batch.
size_t tbx_rank_batch_size(size_t requests);

// Does many rankings in one pass over the catalogue; each list is, to the bit, that of tbx_rank. Neighbours that rank
// the same model share the pass. `memory`: tbx_rank_batch_size(len) bytes at a multiple of TBX_ALIGNMENT, for
// the time of the call. If one request is refused, none is done.
tbx_status tbx_rank_batch(tbx_request *requests,
                          size_t len,
                          void *memory,
                          size_t memory_size);

// Embeds an item that training never saw by its item features, for tbx_add_items: writes `row` (dim bytes) and its
// scale.
tbx_status tbx_embed_item(const tbx_model *model,
                          const uint32_t *features,
                          size_t features_len,
                          int8_t *row,
                          size_t row_len,
                          float *scale);

// Bytes for the memory of tbx_adapt_item with so many raters; 0 if `model` is not a model.
size_t tbx_adapt_item_size(const tbx_model *model, size_t raters);

// Embeds an item by its item features and by its first raters. `users`: raters x dim, each the tbx_user of a session
// without the feedback at hand; `levels`: what they said, as feedback levels, raters. `memory`: tbx_adapt_item_size
// bytes at a multiple of TBX_ALIGNMENT, for the time of the call. Writes `row` (dim bytes) and its scale.
tbx_status tbx_adapt_item(const tbx_model *model,
                          const uint32_t *features,
                          size_t features_len,
                          const float *users,
                          const uint8_t *levels,
                          size_t raters,
                          void *memory,
                          size_t memory_size,
                          int8_t *row,
                          size_t row_len,
                          float *scale);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TINDERBOX_H */
