/* Whom a search may find, in arrays (RULES "Whom to ask"): asked for every medic whom the index comes across, and
   so compiled. What the flags mean is said in availability.py. */

#include <stdint.h>

#define NEVER 0
#define ALWAYS 1

/* As `Sought` in whom_to_ask.py has it. */
typedef struct {
    /* By entry of one travel mode: whose it is, whether a fix or else a place, and when the place counts. */
    const int32_t *owner;
    const uint8_t *is_fix;
    const int32_t *schedule;
    /* By slot of a medic. */
    const int64_t *fix_at;
    const uint8_t *flags, *reach;
    const int16_t *urgency;
    const int64_t *certificate_until;
    const int32_t *skill_set, *quiet;
    /* By set of skills; null where any will do. */
    const uint8_t *skilled;
    /* By schedule and by time zone: its zone, the minute of the week there. And all turns, in order. */
    const int64_t *zone, *minute, *turns;
    int64_t turns_count, stride;
    /* What is asked. */
    int64_t at, fresh_after, own_urgency;
    uint8_t looked_at, must, ladder;
} Sought;

/* As each beginning has its end, an odd count of turns up to now says that hours hold. */
static int hold(const Sought *s, int32_t schedule) {
    if (schedule <= ALWAYS) return schedule == ALWAYS;
    int64_t now = schedule * s->stride + s->minute[s->zone[schedule]], low = 0, high = s->turns_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (s->turns[middle] <= now)
            low = middle + 1;
        else
            high = middle;
    }
    return low & 1;
}

static int may_be_asked(const Sought *s, int32_t slot) {
    return (s->flags[slot] & s->looked_at) == s->must && s->urgency[slot] > s->own_urgency
        && (s->reach[slot] & s->ladder) && s->certificate_until[slot] > s->at
        && (!s->skilled || s->skilled[s->skill_set[slot]]) && !hold(s, s->quiet[slot]);
}

/* A fix while it is fresh, and only where none is, a place whose hours hold. */
static int counts(const Sought *s, int64_t entry) {
    int fresh = s->fix_at[s->owner[entry]] > s->fresh_after;
    return fresh == s->is_fix[entry] && hold(s, s->schedule[entry]);
}

/* A `Keep` of the index: entries that count, of medics who may be asked. */
int32_t is_sought(const void *context, int32_t entry) {
    const Sought *s = context;
    return may_be_asked(s, s->owner[entry]) && counts(s, entry);
}

void which_hold(const Sought *s, const int32_t *schedules, int64_t count, uint8_t *which) {
    for (int64_t i = 0; i < count; i++) which[i] = hold(s, schedules[i]);
}

void which_may_be_asked(const Sought *s, const int32_t *slots, int64_t count, uint8_t *which) {
    for (int64_t i = 0; i < count; i++) which[i] = may_be_asked(s, slots[i]);
}

void which_count(const Sought *s, const int64_t *entries, int64_t count, uint8_t *which) {
    for (int64_t i = 0; i < count; i++) which[i] = counts(s, entries[i]);
}
