/* The engine called from C, many times over: what Python's calls cost is then the difference. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <tinderbox.h>

/* Users take turns: a core that has learned one user's branches by heart is not faster for the next. */
typedef struct loop {
    tbx_session *session;
    const tbx_interaction *supports; /* users x len */
    size_t users, len;
    tbx_ranked *out;
    size_t top;
} loop;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds of CPU time for so many adaptations, each with a ranking if `rank` is not 0; negative if one was refused. */
double loop_run(const loop *with, size_t times, int rank) {
    const double start = now();
    for (size_t at = 0; at < times; at++) {
        size_t found;
        const tbx_interaction *support = with->supports + at % with->users * with->len;
        if (tbx_adapt(with->session, support, with->len) ||
            (rank && tbx_rank(with->session, NULL, with->out, with->top, &found))) {
            return -1;
        }
    }
    return now() - start;
}
