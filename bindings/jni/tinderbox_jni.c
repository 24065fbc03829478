/* The C interface for a JVM: each function hands the addresses of direct buffers on. Handles live in direct buffers that
 * Java owns, so that the collector frees them and nothing is copied; tbx_* checks every one of them. Returns a status
 * where nothing else is said.
 */
#include <jni.h>
#include <string.h>
#include <tinderbox.h>

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_tinderbox_Native_##name

/* Null stays null, which tbx_* refuses where it must. */
static void *at(JNIEnv *env, jobject buffer) { return buffer ? (*env)->GetDirectBufferAddress(env, buffer) : NULL; }

static size_t room(JNIEnv *env, jobject buffer) {
    const jlong capacity = buffer ? (*env)->GetDirectBufferCapacity(env, buffer) : 0;
    return capacity > 0 ? (size_t)capacity : 0;
}

static size_t elements(JNIEnv *env, jobject buffer, size_t size) { return room(env, buffer) / size; }

NATIVE(jint, abiVersion)(JNIEnv *env, jclass self) {
    (void)env, (void)self;
    return (jint)tbx_abi_version();
}

NATIVE(jstring, statusText)(JNIEnv *env, jclass self, jint status) {
    (void)self;
    return (*env)->NewStringUTF(env, tbx_status_text(status));
}

NATIVE(jint, modelSize)(JNIEnv *env, jclass self) {
    (void)env, (void)self;
    return (jint)tbx_model_size();
}

NATIVE(jint, open)(JNIEnv *env, jclass self, jobject file, jobject memory) {
    const tbx_model *model;
    (void)self;
    return tbx_open(at(env, file), room(env, file), at(env, memory), room(env, memory), &model);
}

NATIVE(jint, verify)(JNIEnv *env, jclass self, jobject model) {
    (void)self;
    return tbx_verify(at(env, model));
}

/* shape: a tbx_shape */
NATIVE(jint, shape)(JNIEnv *env, jclass self, jobject model, jobject shape) {
    (void)self;
    return room(env, shape) < sizeof(tbx_shape) ? TBX_STATUS_MEMORY_TOO_SMALL
                                                : tbx_model_shape(at(env, model), at(env, shape));
}

/* Texts: a copy as UTF-8 bytes; null, with the status in `status[0]`, where there is none. */
static jbyteArray text_of(JNIEnv *env, tbx_status told, tbx_text text, jintArray status) {
    const jint code = told;
    jbyteArray bytes = NULL;
    (*env)->SetIntArrayRegion(env, status, 0, 1, &code);
    if (told == TBX_STATUS_OK && (bytes = (*env)->NewByteArray(env, (jsize)text.len)) != NULL) {
        (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)text.len, (const jbyte *)text.data);
    }
    return bytes;
}

/* which: 0 id, 1 title, 2 category, 3 item feature, 4 user feature, 5 card */
NATIVE(jbyteArray, text)(JNIEnv *env, jclass self, jobject model, jint which, jint number, jintArray status) {
    static tbx_status (*const told[])(const tbx_model *, uint32_t, tbx_text *) = {
        tbx_item_id, tbx_item_title, tbx_category_name, tbx_item_feature_name, tbx_user_feature_name};
    tbx_text text = {0};
    (void)self;
    const tbx_status code = which == 5 ? tbx_model_card(at(env, model), &text)
                                       : told[which](at(env, model), (uint32_t)number, &text);
    return text_of(env, code, text, status);
}

/* which: 0 item, 2 category, 3 item feature, 4 user feature, by a name in UTF-8; number: a direct buffer of one int */
NATIVE(jint, find)(JNIEnv *env, jclass self, jobject model, jint which, jobject name, jobject number) {
    static tbx_status (*const finds[])(const tbx_model *, const char *, size_t, uint32_t *) = {
        tbx_item, NULL, tbx_category, tbx_item_feature, tbx_user_feature};
    (void)self;
    return finds[which](at(env, model), at(env, name), room(env, name), at(env, number));
}

NATIVE(jintArray, onboarding)(JNIEnv *env, jclass self, jobject model) {
    const uint32_t *items;
    size_t len;
    (void)self;
    if (tbx_onboarding(at(env, model), &items, &len) != TBX_STATUS_OK) {
        return NULL;
    }
    jintArray copy = (*env)->NewIntArray(env, (jsize)len);
    if (copy) {
        (*env)->SetIntArrayRegion(env, copy, 0, (jsize)len, (const jint *)items);
    }
    return copy;
}

/* feedback: 0 like, 1 dislike, 2 `rating`; interaction: a tbx_interaction at this place of the buffer */
NATIVE(jint, interact)
(JNIEnv *env, jclass self, jobject model, jint item, jint feedback, jfloat rating, jobject support, jint place) {
    tbx_interaction *list = at(env, support);
    (void)self;
    if (place < 0 || (size_t)place >= elements(env, support, sizeof *list)) {
        return TBX_STATUS_MEMORY_TOO_SMALL;
    }
    const tbx_model *handle = at(env, model);
    return feedback == 0   ? tbx_like(handle, (uint32_t)item, list + place)
           : feedback == 1 ? tbx_dislike(handle, (uint32_t)item, list + place)
                           : tbx_rate(handle, (uint32_t)item, rating, list + place);
}

NATIVE(jlong, sessionSize)(JNIEnv *env, jclass self, jobject model, jint capacity) {
    (void)self;
    return (jlong)tbx_session_size(at(env, model), capacity > 0 ? (size_t)capacity : 0);
}

NATIVE(jint, newSession)(JNIEnv *env, jclass self, jobject model, jobject memory) {
    tbx_session *session;
    (void)self;
    return tbx_session_new(at(env, model), at(env, memory), room(env, memory), &session);
}

NATIVE(jint, adapt)(JNIEnv *env, jclass self, jobject session, jobject support, jint len) {
    (void)self;
    return len < 0 || (size_t)len > elements(env, support, sizeof(tbx_interaction))
               ? TBX_STATUS_MEMORY_TOO_SMALL
               : tbx_adapt(at(env, session), at(env, support), (size_t)len);
}

NATIVE(jint, setFeatures)(JNIEnv *env, jclass self, jobject session, jobject features) {
    (void)self;
    return tbx_set_features(at(env, session), at(env, features), elements(env, features, sizeof(uint32_t)));
}

NATIVE(jint, addItems)(JNIEnv *env, jclass self, jobject session, jobject rows, jobject scales, jint dim) {
    const size_t items = elements(env, scales, sizeof(float));
    (void)self;
    return room(env, rows) < items * (size_t)dim ? TBX_STATUS_ROW_LENGTH
                                                 : tbx_add_items(at(env, session), at(env, rows), at(env, scales), items);
}

/* users: raters x dim, levels: raters; no raters: by features alone. memory: adaptItemSize. scale: one float. */
NATIVE(jint, embedItem)
(JNIEnv *env, jclass self, jobject model, jobject features, jobject users, jobject levels, jobject memory, jobject row,
 jobject scale) {
    const size_t count = elements(env, features, sizeof(uint32_t)), raters = room(env, levels);
    const tbx_model *handle = at(env, model);
    tbx_shape shape;
    (void)self;
    if (raters == 0) {
        return tbx_embed_item(handle, at(env, features), count, at(env, row), room(env, row), at(env, scale));
    }
    const tbx_status status = tbx_model_shape(handle, &shape);
    if (status != TBX_STATUS_OK || elements(env, users, sizeof(float)) < raters * shape.dim) {
        return status != TBX_STATUS_OK ? status : TBX_STATUS_ROW_LENGTH;
    }
    return tbx_adapt_item(handle, at(env, features), count, at(env, users), at(env, levels), raters, at(env, memory),
                          room(env, memory), at(env, row), room(env, row), at(env, scale));
}

NATIVE(jlong, adaptItemSize)(JNIEnv *env, jclass self, jobject model, jint raters) {
    (void)self;
    return (jlong)tbx_adapt_item_size(at(env, model), (size_t)raters);
}

NATIVE(jint, user)(JNIEnv *env, jclass self, jobject session, jobject out) {
    const float *user;
    size_t dim;
    (void)self;
    const tbx_status status = tbx_user(at(env, session), &user, &dim);
    if (status == TBX_STATUS_OK && elements(env, out, sizeof *user) < dim) {
        return TBX_STATUS_MEMORY_TOO_SMALL;
    }
    if (status == TBX_STATUS_OK) {
        memcpy(at(env, out), user, dim * sizeof *user);
    }
    return status;
}

/* A list's length, or minus the status. */
static jint length(tbx_status status, size_t len) { return status == TBX_STATUS_OK ? (jint)len : -(jint)status; }

static tbx_filter filter_of(JNIEnv *env, jobject allow, jobject deny, jobject categories, jboolean keep) {
    tbx_filter filter = {0};
    filter.allow = at(env, allow);
    filter.allow_len = elements(env, allow, sizeof(uint32_t));
    filter.deny = at(env, deny);
    filter.deny_len = elements(env, deny, sizeof(uint32_t));
    filter.categories = at(env, categories);
    filter.categories_len = elements(env, categories, sizeof(uint32_t));
    filter.keep_support = keep;
    return filter;
}

/* out: tbx_ranked, as many as it has room for; similar: an item, or -1 for the user */
NATIVE(jint, rank)
(JNIEnv *env, jclass self, jobject session, jint similar, jobject allow, jobject deny, jobject categories, jboolean keep,
 jobject out) {
    const tbx_filter filter = filter_of(env, allow, deny, categories, keep);
    const size_t capacity = elements(env, out, sizeof(tbx_ranked));
    size_t len = 0;
    (void)self;
    const tbx_status status =
        similar < 0 ? tbx_rank(at(env, session), &filter, at(env, out), capacity, &len)
                    : tbx_similar(at(env, session), (uint32_t)similar, &filter, at(env, out), capacity, &len);
    return length(status, len);
}

NATIVE(jlong, rankDiverseSize)(JNIEnv *env, jclass self, jobject model, jint candidates) {
    (void)self;
    return (jlong)tbx_rank_diverse_size(at(env, model), (size_t)candidates);
}

NATIVE(jint, rankDiverse)
(JNIEnv *env, jclass self, jobject session, jint top, jfloat diversity, jobject memory, jobject allow, jobject deny,
 jobject categories, jboolean keep, jobject out) {
    const tbx_filter filter = filter_of(env, allow, deny, categories, keep);
    size_t len = 0;
    (void)self;
    const tbx_status status =
        tbx_rank_diverse(at(env, session), &filter, diversity, top > 0 ? (size_t)top : 0, at(env, memory),
                         room(env, memory), at(env, out), elements(env, out, sizeof(tbx_ranked)), &len);
    return length(status, len);
}

NATIVE(jint, score)(JNIEnv *env, jclass self, jobject session, jint item, jobject out) {
    (void)self;
    return tbx_score(at(env, session), (uint32_t)item, at(env, out));
}

NATIVE(jint, explain)(JNIEnv *env, jclass self, jobject session, jint item, jobject out) {
    size_t len = 0;
    (void)self;
    const tbx_status status =
        tbx_explain(at(env, session), (uint32_t)item, at(env, out), elements(env, out, sizeof(tbx_reason)), &len);
    return length(status, len);
}
