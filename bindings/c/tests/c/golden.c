/* Plays the golden requests: golden DIRECTORY, the one that engine/golden/README.md describes. Compiles as C99 and C++17.
 * Says how many answers were equal, to the bit; exits with 1 if one was not.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tinderbox.h>

enum { LINE = 4096, LIST = 64, SUPPORT = 32, RATERS = 4, NEW_ITEMS = 4, DIM = 64 };

static const char *directory;
static char line[LINE]; /* the one that was read last, without its end */
static int number;
static FILE *script;

static void fail(const char *what) {
    fprintf(stderr, "requests.txt, line %d: %s\n", number, what);
    exit(1);
}

static void ok(tbx_status status) {
    if (status != TBX_STATUS_OK) {
        fail(tbx_status_text(status));
    }
}

static void *some(size_t size) {
    void *memory = malloc(size + 1);
    if (!memory) {
        fail("no memory");
    }
    return memory;
}

/* The next line that says something, or null. */
static const char *next_line(void) {
    while (fgets(line, LINE, script)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        if (*line && *line != '#') {
            return line;
        }
    }
    return NULL;
}

/* An answer on its way. */
static char answer[LINE];
static size_t answered;

static void say(const char *format, ...) {
    va_list values;
    va_start(values, format);
    answered += (size_t)vsnprintf(answer + answered, LINE - answered, format, values);
    va_end(values);
}

static unsigned bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void say_list(const tbx_ranked *list, size_t len) {
    for (size_t at = 0; at < len; at++) {
        say(" %u:%08x", (unsigned)list[at].item, bits(list[at].score));
    }
}

static void say_text(tbx_status status, tbx_text text, tbx_status none) {
    if (status != none) {
        ok(status);
        say(" %.*s", (int)text.len, text.data);
    }
}

/* The numbers of a word's list: 1,2,3 */
static size_t numbers(const char *text, uint32_t *list) {
    size_t len = 0;
    for (char *end; *text && len < LIST; text = *end == ',' ? end + 1 : end) {
        list[len++] = (uint32_t)strtoul(text, &end, 10);
    }
    return len;
}

/* The numbers that are still to come in the line. */
static size_t numbers_left(uint32_t *list) {
    size_t len = 0;
    for (const char *word; (word = strtok(NULL, " ")) != NULL;) {
        list[len++] = (uint32_t)strtoul(word, NULL, 10);
    }
    return len;
}

static uint32_t next_number(void) {
    const char *word = strtok(NULL, " ");
    if (!word) {
        fail("a number is missing");
    }
    return (uint32_t)strtoul(word, NULL, 10);
}

static tbx_interaction interaction(const tbx_model *model, uint32_t item, const char *feedback) {
    tbx_interaction made;
    ok(*feedback == '+'   ? tbx_like(model, item, &made)
       : *feedback == '-' ? tbx_dislike(model, item, &made)
                          : tbx_rate(model, item, (float)atoi(feedback), &made));
    return made;
}

/* The interactions that are still to come in the line, up to a bar. */
static size_t interactions(const tbx_model *model, tbx_interaction *list) {
    size_t len = 0;
    for (const char *word; (word = strtok(NULL, " ")) != NULL && *word != '|';) {
        list[len++] = interaction(model, (uint32_t)strtoul(word, NULL, 10), strchr(word, ':') + 1);
    }
    return len;
}

static tbx_session *new_session(const tbx_model *model) {
    tbx_session *session = NULL;
    const size_t size = tbx_session_size(model, SUPPORT);
    ok(tbx_session_new(model, some(size), size, &session));
    return session;
}

/* The filter that is still to come in the line. */
static const tbx_filter *filter_left(void) {
    static uint32_t allow[LIST], deny[LIST], categories[LIST];
    static tbx_filter filter;
    memset(&filter, 0, sizeof filter);
    for (const char *word; (word = strtok(NULL, " ")) != NULL;) {
        if (!strncmp(word, "allow=", 6)) {
            filter.allow = allow;
            filter.allow_len = numbers(word + 6, allow);
        } else if (!strncmp(word, "deny=", 5)) {
            filter.deny = deny;
            filter.deny_len = numbers(word + 5, deny);
        } else if (!strncmp(word, "categories=", 11)) {
            filter.categories = categories;
            filter.categories_len = numbers(word + 11, categories);
        } else if (!strcmp(word, "keep")) {
            filter.keep_support = 1;
        } else {
            fail("an unknown filter");
        }
    }
    return &filter;
}

/* A request's session and what was added to it. */
static struct {
    const tbx_model *model;
    tbx_session *session;
    uint32_t dim;
    size_t new_items, raters;
    int8_t rows[NEW_ITEMS * DIM];
    float scales[NEW_ITEMS];
    float users[RATERS * DIM];
    uint8_t levels[RATERS];
} now;

static void open_model(const char *name) {
    char path[LINE];
    snprintf(path, sizeof path, "%.2000s/%.100s.tbx", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail(path);
    }
    fseek(file, 0, SEEK_END);
    const size_t len = (size_t)ftell(file);
    void *bytes = some(len);
    rewind(file);
    if (fread(bytes, 1, len, file) != len) {
        fail(path);
    }
    fclose(file);
    memset(&now, 0, sizeof now);
    tbx_shape shape;
    ok(tbx_open(bytes, len, some(tbx_model_size()), tbx_model_size(), &now.model));
    ok(tbx_verify(now.model));
    ok(tbx_model_shape(now.model, &shape));
    now.dim = shape.dim;
    now.session = new_session(now.model);
}

static void rater(void) {
    tbx_interaction support[SUPPORT];
    const float *user;
    size_t dim;
    tbx_session *session = new_session(now.model);
    now.levels[now.raters] = interaction(now.model, 0, strtok(NULL, " ")).level;
    ok(tbx_adapt(session, support, interactions(now.model, support)));
    ok(tbx_user(session, &user, &dim));
    memcpy(now.users + now.raters++ * dim, user, dim * sizeof *user);
}

static void new_item(void) {
    uint32_t features[LIST];
    const size_t len = numbers_left(features), size = tbx_adapt_item_size(now.model, now.raters);
    int8_t *row = now.rows + now.new_items * now.dim;
    float *scale = now.scales + now.new_items;
    ok(now.raters ? tbx_adapt_item(now.model, features, len, now.users, now.levels, now.raters, some(size), size, row,
                                   now.dim, scale)
                  : tbx_embed_item(now.model, features, len, row, now.dim, scale));
    say(" %08x ", bits(*scale));
    for (uint32_t at = 0; at < now.dim; at++) {
        say("%02x", (unsigned)(unsigned char)row[at]);
    }
    now.raters = 0;
    ok(tbx_add_items(now.session, now.rows, now.scales, ++now.new_items));
}

static void batch(void) {
    tbx_interaction support[SUPPORT];
    tbx_ranked lists[2][LIST];
    tbx_request requests[2];
    const size_t size = tbx_rank_batch_size(2);
    const uint32_t top = next_number();
    strtok(NULL, " "); /* the first bar */
    for (size_t at = 0; at < 2; at++) {
        tbx_session *session = new_session(now.model);
        ok(tbx_adapt(session, support, interactions(now.model, support)));
        requests[at].session = session;
        requests[at].filter = NULL;
        requests[at].out = lists[at];
        requests[at].capacity = top;
    }
    ok(tbx_rank_batch(requests, 2, some(size), size));
    say_list(lists[0], requests[0].len);
    say(" |");
    say_list(lists[1], requests[1].len);
}

/* Does what the line says; 1 if it is a question. */
static int play(char *said) {
    tbx_ranked list[LIST];
    tbx_reason reasons[LIST];
    tbx_interaction support[SUPPORT];
    uint32_t features[LIST], found;
    const uint32_t *items;
    tbx_text text;
    size_t len;
    float score;
    answered = 0;
    say("=");
    if (!strncmp(said, "find ", 5)) { /* an id may hold spaces */
        const tbx_status status = tbx_item(now.model, said + 5, strlen(said + 5), &found);
        if (status != TBX_STATUS_UNKNOWN_ID) {
            ok(status);
            say(" %u", (unsigned)found);
        }
        return 1;
    }
    const char *verb = strtok(said, " ");
    if (!strcmp(verb, "model")) {
        open_model(strtok(NULL, " "));
        return 0;
    }
    if (!strcmp(verb, "rater")) {
        rater();
        return 0;
    }
    if (!strcmp(verb, "user")) {
        ok(tbx_set_features(now.session, features, numbers_left(features)));
        return 0;
    }
    if (!strcmp(verb, "feedback")) {
        ok(tbx_adapt(now.session, support, interactions(now.model, support)));
        return 0;
    }
    if (!strcmp(verb, "new")) {
        new_item();
    } else if (!strcmp(verb, "rank")) {
        const uint32_t top = next_number();
        ok(tbx_rank(now.session, filter_left(), list, top, &len));
        say_list(list, len);
    } else if (!strcmp(verb, "diverse")) {
        const uint32_t top = next_number(), candidates = next_number(), percent = next_number();
        const size_t size = tbx_rank_diverse_size(now.model, candidates);
        ok(tbx_rank_diverse(now.session, filter_left(), (float)percent / 100.0F, top, some(size), size, list,
                            candidates, &len));
        say_list(list, len);
    } else if (!strcmp(verb, "similar")) {
        const uint32_t item = next_number(), top = next_number();
        ok(tbx_similar(now.session, item, filter_left(), list, top, &len));
        say_list(list, len);
    } else if (!strcmp(verb, "batch")) {
        batch();
    } else if (!strcmp(verb, "score")) {
        ok(tbx_score(now.session, next_number(), &score));
        say(" %08x", bits(score));
    } else if (!strcmp(verb, "explain")) {
        const uint32_t item = next_number(), top = next_number();
        ok(tbx_explain(now.session, item, reasons, top, &len));
        for (size_t at = 0; at < len; at++) {
            say(" %u:%08x", (unsigned)reasons[at].item, bits(reasons[at].effect));
        }
    } else if (!strcmp(verb, "onboarding")) {
        ok(tbx_onboarding(now.model, &items, &len));
        for (size_t at = 0; at < len; at++) {
            say(" %u", (unsigned)items[at]);
        }
    } else if (!strcmp(verb, "id")) {
        const tbx_status status = tbx_item_id(now.model, next_number(), &text);
        say_text(status, text, TBX_STATUS_UNKNOWN_ITEM);
    } else if (!strcmp(verb, "title")) {
        const tbx_status status = tbx_item_title(now.model, next_number(), &text);
        say_text(status, text, TBX_STATUS_ABSENT);
    } else {
        fail("an unknown question");
    }
    return 1;
}

int main(int count, char **arguments) {
    char path[LINE];
    int equal = 0, different = 0;
    if (count != 2) {
        fprintf(stderr, "usage: golden DIRECTORY\n");
        return 2;
    }
    directory = arguments[1];
    snprintf(path, sizeof path, "%.2000s/requests.txt", directory);
    script = fopen(path, "rb");
    if (!script) {
        perror(path);
        return 1;
    }
    while (next_line()) {
        if (!play(line)) {
            continue;
        }
        const int asked = number;
        if (!next_line() || *line != '=') {
            fail("an answer is missing");
        }
        if (strcmp(line, answer) == 0) {
            equal++;
        } else {
            different++;
            fprintf(stderr, "requests.txt, line %d:\n  %s\n  golden %s\n", asked, answer, line);
        }
    }
    const tbx_text kernel = tbx_kernel();
    printf("%d answers, bits equal; %d different (%.*s)\n", equal, different, (int)kernel.len, kernel.data);
    return different > 0 || equal == 0;
}
