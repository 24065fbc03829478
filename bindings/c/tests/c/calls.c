/* Every function and what it refuses, in the part of C that is C++ as well.
 *
 * calls FILE IMPLICIT DISLIKED: model files with every section, without dislikes, without likes. Prints what the engine
 * answers, floats as their bits; tests/c.rs says the same from Rust. Exits with 1 and names the line that found a fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tinderbox.h>

enum { TOP = 7, CAPACITY = 20, RATERS = 2 };

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "calls.c:%d: not so: %s\n", __LINE__, #condition); \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#define OK(call) EXPECT(OK, call)
#define EXPECT(status, call)                                                                        \
    do {                                                                                            \
        const tbx_status got = (tbx_status)(call);                                                  \
        if (got != TBX_STATUS_##status) {                                                           \
            fprintf(stderr, "calls.c:%d: %s, expected " #status "\n", __LINE__, tbx_status_text(got)); \
            exit(1);                                                                                \
        }                                                                                           \
    } while (0)

static void *some(size_t size) {
    void *memory = malloc(size ? size : 1);
    CHECK(memory);
    memset(memory, 0xa5, size); /* what memory holds before does not matter */
    return memory;
}

static unsigned char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    CHECK(file && !fseek(file, 0, SEEK_END));
    *len = (size_t)ftell(file);
    unsigned char *bytes = (unsigned char *)some(*len);
    CHECK(!fseek(file, 0, SEEK_SET) && fread(bytes, 1, *len, file) == *len);
    fclose(file);
    return bytes;
}

static unsigned bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void print_list(const char *name, const tbx_ranked *list, size_t len) {
    printf("%s", name);
    for (size_t at = 0; at < len; at++) {
        printf(" %u:%08x", (unsigned)list[at].item, bits(list[at].score));
    }
    printf("\n");
}

static void print_text(const char *name, tbx_text text) { printf("%s %.*s\n", name, (int)text.len, text.data); }

static const tbx_model *open_file(const unsigned char *file, size_t len) {
    const tbx_model *model = NULL;
    OK(tbx_open(file, len, some(tbx_model_size()), tbx_model_size(), &model));
    OK(tbx_verify(model));
    return model;
}

static tbx_session *new_session(const tbx_model *model) {
    tbx_session *session = NULL;
    const size_t size = tbx_session_size(model, CAPACITY);
    OK(tbx_session_new(model, some(size), size, &session));
    return session;
}

static void opening(unsigned char *file, size_t len) {
    const size_t size = tbx_model_size();
    unsigned char *memory = (unsigned char *)some(size + TBX_ALIGNMENT);
    const tbx_model *model = NULL;
    EXPECT(NULL_POINTER, tbx_open(NULL, len, memory, size, &model));
    EXPECT(NULL_POINTER, tbx_open(file, len, NULL, size, &model));
    EXPECT(NULL_POINTER, tbx_open(file, len, memory, size, NULL));
    EXPECT(MEMORY_TOO_SMALL, tbx_open(file, len, memory, size - 1, &model));
    EXPECT(MEMORY_TOO_SMALL, tbx_open(file, len, memory, 0, &model));
    EXPECT(MISALIGNED_MEMORY, tbx_open(file, len, memory + 4, size, &model));
    EXPECT(MISALIGNED_POINTER, tbx_open(file, len, memory, size, (const tbx_model **)(void *)(memory + 1)));
    EXPECT(LENGTH, tbx_open(file, (size_t)-1, memory, size, &model));
    EXPECT(NULL_POINTER, tbx_open(NULL, 0, memory, size, &model));
    EXPECT(FILE_MAGIC, tbx_open(file, 0, memory, size, &model));
    EXPECT(FILE_LENGTH, tbx_open(file, len - 1, memory, size, &model));
    EXPECT(FILE_LENGTH, tbx_open(file, 20, memory, size, &model));
    CHECK(model == NULL);

    unsigned char *copy = (unsigned char *)some(len + 8);
    memcpy(copy + 4, file, len);
    EXPECT(FILE_MISALIGNED, tbx_open(copy + 4, len, memory, size, &model));
    memcpy(copy, file, len);
    copy[0] ^= 1;
    EXPECT(FILE_MAGIC, tbx_open(copy, len, memory, size, &model));
    copy[0] ^= 1;
    copy[8] ^= 1;
    EXPECT(FILE_VERSION, tbx_open(copy, len, memory, size, &model));
    copy[8] ^= 1;
    copy[24] ^= 1;
    EXPECT(FILE_HEADER, tbx_open(copy, len, memory, size, &model));
    copy[24] ^= 1;
    OK(tbx_open(copy, len, memory, size, &model));
    copy[len - 1] ^= 1;
    EXPECT(FILE_CHECKSUM, tbx_verify(model));
    free(copy);
    free(memory);
}

/* CRC-32C, one bit at a time. */
static unsigned crc32c(const unsigned char *bytes, size_t len) {
    unsigned crc = ~0u;
    for (size_t at = 0; at < 8 * len; at++) {
        const unsigned bit = (crc ^ (unsigned)bytes[at / 8] >> at % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78u : 0u);
    }
    return ~crc;
}

static unsigned read_u32(const unsigned char *bytes) {
    return bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16 | (unsigned)bytes[3] << 24;
}

static void write_u32(unsigned char *bytes, unsigned value) {
    for (int at = 0; at < 4; at++) {
        bytes[at] = (unsigned char)(value >> 8 * at);
    }
}

/* Puts the first section at `offset`, and the header's checksum right. The table: format/SPEC.md. */
static void move_first_section(unsigned char *file, size_t table_end, size_t offset) {
    write_u32(file + 128 + 8, (unsigned)offset);
    write_u32(file + 12, 0);
    write_u32(file + 12, crc32c(file, table_end));
}

/* Faults behind the header's checksum. */
static void faulty_sections(unsigned char *file, size_t len) {
    const size_t table_end = 128 + 24 * (size_t)read_u32(file + 64), first = read_u32(file + 128 + 8);
    void *const memory = some(tbx_model_size());
    const tbx_model *model = NULL;
    CHECK(table_end < first && first < len);
    file[first - 1] ^= 1;
    EXPECT(FILE_PADDING, tbx_open(file, len, memory, tbx_model_size(), &model));
    file[first - 1] ^= 1;
    move_first_section(file, table_end, first + 64);
    EXPECT(FILE_SECTION, tbx_open(file, len, memory, tbx_model_size(), &model));
    move_first_section(file, table_end, first);
    OK(tbx_open(file, len, memory, tbx_model_size(), &model));
    unsigned char *const prior = file + first; /* floats */
    const unsigned value = read_u32(prior);
    write_u32(prior, 0x7fc00000);
    EXPECT(FILE_VALUE, tbx_open(file, len, memory, tbx_model_size(), &model));
    write_u32(prior, value);
    free(memory);
}

static void handles(const tbx_model *model, tbx_session *session) {
    const size_t size = tbx_session_size(model, CAPACITY);
    unsigned char *memory = (unsigned char *)some(size);
    uint64_t nothing[64] = {0};
    float score;
    tbx_session *made;
    EXPECT(NULL_POINTER, tbx_verify(NULL));
    EXPECT(MISALIGNED_POINTER, tbx_verify((const tbx_model *)(const void *)(memory + 1)));
    EXPECT(NOT_A_HANDLE, tbx_verify((const tbx_model *)nothing));
    EXPECT(NOT_A_HANDLE, tbx_verify((const tbx_model *)(const void *)session));
    EXPECT(NOT_A_HANDLE, tbx_score((const tbx_session *)(const void *)model, 0, &score));
    memcpy(memory, session, tbx_session_size(model, CAPACITY));
    EXPECT(NOT_A_HANDLE, tbx_score((const tbx_session *)(const void *)memory, 0, &score));
    EXPECT(NULL_POINTER, tbx_session_new(NULL, memory, size, &made));
    EXPECT(NULL_POINTER, tbx_session_new(model, NULL, size, &made));
    EXPECT(NULL_POINTER, tbx_session_new(model, memory, size, NULL));
    EXPECT(MISALIGNED_MEMORY, tbx_session_new(model, memory + 4, size, &made));
    EXPECT(MEMORY_TOO_SMALL, tbx_session_new(model, memory, 64, &made));
    EXPECT(MEMORY_TOO_SMALL, tbx_session_new(model, memory, tbx_session_size(model, 0) - 8, &made));
    OK(tbx_session_new(model, memory, tbx_session_size(model, 0), &made));
    CHECK(tbx_session_size(NULL, 1) == 0 && tbx_rank_diverse_size(NULL, 1) == 0);
    CHECK(tbx_adapt_item_size(NULL, 1) == 0);
    CHECK(tbx_session_size(model, (size_t)-1) > (size_t)-1 / 2);
    free(memory);
}

static void texts(const tbx_model *model) {
    tbx_shape shape;
    tbx_level level;
    tbx_text text;
    uint32_t number;
    const uint32_t *items;
    size_t len;
    OK(tbx_model_shape(model, &shape));
    EXPECT(NULL_POINTER, tbx_model_shape(model, NULL));
    printf("shape %016llx %u %u %u %u %u %u %d %u\n", (unsigned long long)shape.content_id, (unsigned)shape.items,
           (unsigned)shape.dim, (unsigned)shape.levels, (unsigned)shape.categories,
           (unsigned)shape.item_features, (unsigned)shape.user_features, (int)shape.rule, (unsigned)shape.steps);
    for (uint32_t at = 0; at < shape.levels; at++) {
        OK(tbx_model_level(model, at, &level));
        printf("level %08x %u\n", bits(level.value), (unsigned)level.liked);
    }
    EXPECT(UNKNOWN_LEVEL, tbx_model_level(model, shape.levels, &level));
    EXPECT(NULL_POINTER, tbx_model_level(model, 0, NULL));
    OK(tbx_model_card(model, &text));
    print_text("card", text);
    OK(tbx_onboarding(model, &items, &len));
    printf("onboarding");
    for (size_t at = 0; at < len; at++) {
        printf(" %u", (unsigned)items[at]);
    }
    printf("\n");
    EXPECT(NULL_POINTER, tbx_onboarding(model, NULL, &len));
    EXPECT(NULL_POINTER, tbx_onboarding(model, &items, NULL));

    OK(tbx_item_id(model, 3, &text));
    print_text("id", text);
    OK(tbx_item(model, text.data, text.len, &number));
    CHECK(number == 3);
    EXPECT(UNKNOWN_ID, tbx_item(model, "no such", 7, &number));
    EXPECT(UNKNOWN_ID, tbx_item(model, NULL, 0, &number));
    EXPECT(NOT_UTF8, tbx_item(model, "\xff", 1, &number));
    EXPECT(NULL_POINTER, tbx_item(model, NULL, 1, &number));
    EXPECT(LENGTH, tbx_item(model, "x", (size_t)-1, &number));
    EXPECT(UNKNOWN_ITEM, tbx_item_id(model, shape.items, &text));
    EXPECT(NULL_POINTER, tbx_item_id(model, 0, NULL));
    OK(tbx_item_title(model, 3, &text));
    print_text("title", text);
    EXPECT(UNKNOWN_ITEM, tbx_item_title(model, shape.items, &text));

    for (uint32_t at = 0; at < shape.categories; at++) {
        uint32_t contains;
        OK(tbx_category_name(model, at, &text));
        print_text("category", text);
        OK(tbx_category(model, text.data, text.len, &number));
        CHECK(number == at);
        OK(tbx_category_contains(model, at, 3, &contains));
        printf("contains %u\n", (unsigned)contains);
        EXPECT(UNKNOWN_ITEM, tbx_category_contains(model, at, shape.items, &contains));
    }
    EXPECT(UNKNOWN_CATEGORY, tbx_category(model, "no such", 7, &number));
    EXPECT(UNKNOWN_CATEGORY, tbx_category_name(model, shape.categories, &text));
    EXPECT(UNKNOWN_CATEGORY, tbx_category_contains(model, shape.categories, 0, &number));
    OK(tbx_item_feature_name(model, 1, &text));
    print_text("item feature", text);
    OK(tbx_item_feature(model, text.data, text.len, &number));
    CHECK(number == 1);
    EXPECT(UNKNOWN_FEATURE, tbx_item_feature(model, "no such", 7, &number));
    EXPECT(UNKNOWN_FEATURE, tbx_item_feature_name(model, shape.item_features, &text));
    OK(tbx_user_feature_name(model, 1, &text));
    print_text("user feature", text);
    OK(tbx_user_feature(model, text.data, text.len, &number));
    CHECK(number == 1);
    EXPECT(UNKNOWN_FEATURE, tbx_user_feature(model, "no such", 7, &number));
    EXPECT(UNKNOWN_FEATURE, tbx_user_feature_name(model, shape.user_features, &text));
}

static void rankings(const tbx_model *model, tbx_session *session, uint32_t items) {
    tbx_interaction said[3];
    tbx_interaction unknown = {0, 0};
    tbx_ranked list[TOP], again[TOP];
    tbx_reason reasons[TOP];
    size_t len, again_len;
    float score;
    const float *user;
    const uint32_t features[] = {1}, deny[] = {1, 5}, allow[] = {0, 2, 6, 9, 12, 30}, categories[] = {0, 2};
    const uint32_t unsorted[] = {5, 1}, beyond[] = {9999999}, no_category[] = {99};

    OK(tbx_rank(session, NULL, list, TOP, &len));
    print_list("prior", list, len);
    OK(tbx_set_features(session, features, 1));
    OK(tbx_like(model, 3, &said[0]));
    OK(tbx_dislike(model, 0, &said[1]));
    OK(tbx_rate(model, 8, 2.0F, &said[2]));
    EXPECT(OFF_SCALE, tbx_rate(model, 8, 99.0F, &said[2]));
    EXPECT(NULL_POINTER, tbx_like(model, 3, NULL));
    OK(tbx_adapt(session, said, 3));
    OK(tbx_rank(session, NULL, list, TOP, &len));
    print_list("adapted", list, len);
    OK(tbx_user(session, &user, &len));
    printf("user %u %08x\n", (unsigned)len, bits(user[0]));
    EXPECT(NULL_POINTER, tbx_user(session, NULL, &len));

    /* What is refused has no effect. */
    unknown.item = items;
    EXPECT(UNKNOWN_ITEM, tbx_adapt(session, &unknown, 1));
    unknown.item = 0;
    unknown.level = 200;
    EXPECT(UNKNOWN_LEVEL, tbx_adapt(session, &unknown, 1));
    EXPECT(UNKNOWN_FEATURE, tbx_set_features(session, beyond, 1));
    EXPECT(NULL_POINTER, tbx_adapt(session, NULL, 1));
    EXPECT(LENGTH, tbx_adapt(session, said, (size_t)-1 / 4));
    EXPECT(MISALIGNED_POINTER, tbx_set_features(session, (const uint32_t *)(const void *)((const char *)features + 1), 1));
    {
        tbx_interaction *many = (tbx_interaction *)some(1000 * sizeof *many);
        for (size_t at = 0; at < 1000; at++) {
            many[at] = said[0];
        }
        EXPECT(SUPPORT_TOO_LONG, tbx_adapt(session, many, 1000));
        free(many);
    }
    OK(tbx_rank(session, NULL, again, TOP, &again_len));
    CHECK(memcmp(list, again, sizeof list) == 0);

    OK(tbx_score(session, 4, &score));
    printf("score %08x\n", bits(score));
    EXPECT(UNKNOWN_ITEM, tbx_score(session, items, &score));
    OK(tbx_explain(session, 4, reasons, TOP, &len));
    print_list("explain", (const tbx_ranked *)(const void *)reasons, len);
    EXPECT(UNKNOWN_ITEM, tbx_explain(session, items, reasons, TOP, &len));
    OK(tbx_similar(session, 4, NULL, list, TOP, &len));
    print_list("similar", list, len);
    EXPECT(UNKNOWN_ITEM, tbx_similar(session, items, NULL, list, TOP, &len));

    tbx_filter filter;
    memset(&filter, 0, sizeof filter);
    OK(tbx_rank(session, &filter, list, TOP, &len));
    CHECK(len == again_len && memcmp(list, again, sizeof list) == 0);
    filter.allow = allow;
    filter.allow_len = 6;
    filter.deny = deny;
    filter.deny_len = 2;
    filter.categories = categories;
    filter.categories_len = 2;
    filter.keep_support = 1;
    OK(tbx_rank(session, &filter, list, TOP, &len));
    print_list("filtered", list, len);
    filter.allow_len = 0;
    OK(tbx_rank(session, &filter, list, TOP, &len));
    CHECK(len == 0);
    filter.allow = NULL;
    filter.allow_len = 6;
    EXPECT(NULL_POINTER, tbx_rank(session, &filter, list, TOP, &len));
    filter.allow_len = 0;
    filter.deny = unsorted;
    EXPECT(NOT_ASCENDING, tbx_rank(session, &filter, list, TOP, &len));
    filter.deny = beyond;
    filter.deny_len = 1;
    EXPECT(UNKNOWN_ITEM, tbx_rank(session, &filter, list, TOP, &len));
    filter.deny_len = 0;
    filter.categories = no_category;
    filter.categories_len = 1;
    EXPECT(UNKNOWN_CATEGORY, tbx_rank(session, &filter, list, TOP, &len));
    EXPECT(NULL_POINTER, tbx_rank(session, NULL, NULL, TOP, &len));
    EXPECT(NULL_POINTER, tbx_rank(session, NULL, list, TOP, NULL));
    EXPECT(LENGTH, tbx_rank(session, NULL, list, (size_t)-1 / 8, &len));
    OK(tbx_rank(session, NULL, NULL, 0, &len));
    CHECK(len == 0);

    const size_t size = tbx_rank_diverse_size(model, TOP);
    void *scratch = some(size);
    OK(tbx_rank_diverse(session, NULL, 0.5F, 5, scratch, size, list, TOP, &len));
    print_list("diverse", list, len);
    EXPECT(MEMORY_TOO_SMALL, tbx_rank_diverse(session, NULL, 0.5F, 5, scratch, size - 8, list, TOP, &len));
    EXPECT(NULL_POINTER, tbx_rank_diverse(session, NULL, 0.5F, 5, NULL, size, list, TOP, &len));
    free(scratch);
}

static void batches(const tbx_model *model, tbx_session *session) {
    tbx_ranked alone[TOP], lists[3][TOP];
    tbx_filter filter;
    tbx_request requests[3];
    const size_t size = tbx_rank_batch_size(3);
    void *memory = some(size);
    size_t len;
    memset(&filter, 0, sizeof filter);
    filter.keep_support = 1;
    for (size_t at = 0; at < 3; at++) {
        requests[at].session = at == 2 ? new_session(model) : session;
        requests[at].filter = at == 1 ? &filter : NULL;
        requests[at].out = lists[at];
        requests[at].capacity = TOP;
        requests[at].len = 0;
    }
    EXPECT(MEMORY_TOO_SMALL, tbx_rank_batch(requests, 3, memory, size - 8));
    EXPECT(NULL_POINTER, tbx_rank_batch(NULL, 3, memory, size));
    requests[1].session = NULL;
    EXPECT(NULL_POINTER, tbx_rank_batch(requests, 3, memory, size));
    requests[1].session = session;
    OK(tbx_rank_batch(requests, 3, memory, size));
    for (size_t at = 0; at < 3; at++) {
        OK(tbx_rank(requests[at].session, requests[at].filter, alone, TOP, &len));
        CHECK(len == requests[at].len && memcmp(alone, lists[at], len * sizeof *alone) == 0);
    }
    OK(tbx_rank_batch(NULL, 0, memory, size));
    free(memory);
}

static void new_items(const tbx_model *model, tbx_session *session, uint32_t items, uint32_t dim) {
    const uint32_t features[] = {0}, beyond[] = {9999};
    const size_t size = tbx_adapt_item_size(model, RATERS);
    int8_t *rows = (int8_t *)some(2 * dim);
    float *users = (float *)some(RATERS * dim * sizeof *users);
    uint8_t levels[RATERS] = {4, 0};
    float scales[2];
    void *memory = some(size);
    tbx_interaction said;
    tbx_ranked list[TOP];
    size_t len;
    const float *user;
    OK(tbx_embed_item(model, features, 1, rows, dim, &scales[0]));
    EXPECT(UNKNOWN_FEATURE, tbx_embed_item(model, beyond, 1, rows + dim, dim, &scales[1]));
    EXPECT(ROW_LENGTH, tbx_embed_item(model, features, 1, rows + dim, dim - 1, &scales[1]));
    EXPECT(NULL_POINTER, tbx_embed_item(model, features, 1, rows, dim, NULL));
    for (size_t at = 0; at < RATERS; at++) {
        tbx_session *rater = new_session(model);
        OK(tbx_like(model, (uint32_t)at + 5, &said));
        OK(tbx_adapt(rater, &said, 1));
        OK(tbx_user(rater, &user, &len));
        memcpy(users + at * dim, user, dim * sizeof *users);
    }
    int8_t *row = rows + dim;
    OK(tbx_adapt_item(model, features, 1, users, levels, RATERS, memory, size, row, dim, &scales[1]));
    printf("new %08x %d %08x %d\n", bits(scales[0]), rows[0], bits(scales[1]), row[0]);
    EXPECT(MEMORY_TOO_SMALL,
           tbx_adapt_item(model, features, 1, users, levels, RATERS, memory, size - 8, row, dim, &scales[1]));
    EXPECT(LENGTH, tbx_adapt_item(model, features, 1, users, levels, (size_t)-1 / 2, memory, size, row, dim, &scales[1]));
    levels[1] = 99;
    EXPECT(UNKNOWN_LEVEL,
           tbx_adapt_item(model, features, 1, users, levels, RATERS, memory, size, row, dim, &scales[1]));
    levels[1] = 0;
    memset(users, 0, dim * sizeof *users);
    EXPECT(RATER_WITHOUT_DIRECTION,
           tbx_adapt_item(model, features, 1, users, levels, RATERS, memory, size, row, dim, &scales[1]));

    OK(tbx_add_items(session, rows, scales, 2));
    EXPECT(NULL_POINTER, tbx_add_items(session, NULL, scales, 2));
    EXPECT(LENGTH, tbx_add_items(session, rows, scales, (size_t)-1));
    OK(tbx_like(model, items + 1, &said));
    OK(tbx_adapt(session, &said, 1));
    OK(tbx_rank(session, NULL, list, TOP, &len));
    print_list("with new items", list, len);
    OK(tbx_add_items(session, NULL, NULL, 0));
    free(memory);
    free(users);
    free(rows);
}

static void disliked_only(const tbx_model *model) {
    tbx_interaction said;
    EXPECT(NO_LIKES, tbx_like(model, 0, &said));
    OK(tbx_dislike(model, 0, &said));
}

static void implicit(const tbx_model *model) {
    tbx_interaction said;
    tbx_text title;
    int8_t row[64];
    float scale;
    EXPECT(NO_DISLIKES, tbx_dislike(model, 0, &said));
    EXPECT(ABSENT, tbx_item_title(model, 0, &title));
    EXPECT(NO_DIRECTION, tbx_embed_item(model, NULL, 0, row, 16, &scale));
}

int main(int count, char **arguments) {
    CHECK(count == 4);
    CHECK(tbx_abi_version() == TBX_ABI_VERSION);
    CHECK(tbx_kernel().len > 0);
    CHECK(strcmp(tbx_status_text(-1), tbx_status_text(12345)) == 0);
    size_t len, implicit_len, disliked_len;
    unsigned char *file = read_file(arguments[1], &len);
    opening(file, len);
    faulty_sections(file, len);
    const tbx_model *model = open_file(file, len);
    tbx_session *session = new_session(model);
    tbx_shape shape;
    OK(tbx_model_shape(model, &shape));
    handles(model, session);
    texts(model);
    rankings(model, session, shape.items);
    batches(model, session);
    new_items(model, session, shape.items, shape.dim);
    unsigned char *without = read_file(arguments[2], &implicit_len);
    implicit(open_file(without, implicit_len));
    unsigned char *disliked = read_file(arguments[3], &disliked_len);
    disliked_only(open_file(disliked, disliked_len));
    return 0;
}
