/* What to show to somebody who likes some items and dislikes others.
 *
 *   cc -std=c99 recommend.c -I ../include -L LIBRARY_DIRECTORY -ltinderbox_c -o recommend
 *   ./recommend movies.tbx +50 +181 -313
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tinderbox.h>

enum { BEST = 10 };

/* Memory from malloc is aligned for a model file. */
static void *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    long end = -1;
    void *bytes = NULL;
    if (file && !fseek(file, 0, SEEK_END) && (end = ftell(file)) > 0 && !fseek(file, 0, SEEK_SET) &&
        (bytes = malloc((size_t)end)) && fread(bytes, 1, (size_t)end, file) != (size_t)end) {
        free(bytes);
        bytes = NULL;
    }
    if (file) {
        fclose(file);
    }
    *len = bytes ? (size_t)end : 0;
    return bytes;
}

static int fail(const char *what, tbx_status status) {
    fprintf(stderr, "recommend: %s: %s\n", what, tbx_status_text(status));
    return 1;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: recommend FILE [+ID | -ID]...\n");
        return 2;
    }
    size_t file_len;
    void *file = read_file(arguments[1], &file_len);
    void *memory = malloc(tbx_model_size());
    if (!file || !memory) {
        perror(arguments[1]);
        return 1;
    }
    const tbx_model *model;
    tbx_status status = tbx_open(file, file_len, memory, tbx_model_size(), &model);
    if (status || (status = tbx_verify(model))) {
        return fail(arguments[1], status);
    }

    size_t said = (size_t)count - 2;
    tbx_interaction *support = calloc(said + 1, sizeof *support);
    size_t size = tbx_session_size(model, said);
    void *scratch = malloc(size);
    if (!support || !scratch) {
        perror("recommend");
        return 1;
    }
    for (size_t at = 0; at < said; at++) {
        const char *argument = arguments[at + 2];
        uint32_t item;
        status = tbx_item(model, argument + 1, *argument ? strlen(argument + 1) : 0, &item);
        if (!status) {
            status = (*argument == '-' ? tbx_dislike : tbx_like)(model, item, &support[at]);
        }
        if (status) {
            return fail(argument, status);
        }
    }

    tbx_session *session;
    tbx_ranked best[BEST];
    size_t found;
    if ((status = tbx_session_new(model, scratch, size, &session)) ||
        (status = tbx_adapt(session, support, said)) ||
        (status = tbx_rank(session, NULL, best, BEST, &found))) {
        return fail("ranking", status);
    }
    for (size_t at = 0; at < found; at++) {
        tbx_text name;
        if (tbx_item_title(model, best[at].item, &name) && tbx_item_id(model, best[at].item, &name)) {
            name.len = 0;
        }
        printf("%6.3f %.*s\n", best[at].score, (int)name.len, name.data);
    }
    free(scratch);
    free(support);
    free(memory);
    free(file);
    return 0;
}
