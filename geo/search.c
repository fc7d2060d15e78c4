/* The nearest k among the buckets, as `nearest.py` asks for them and docs/geo.md proves it.

   Squared chords are made by the steps of `distance.chord_squared` in the same order, and must be compiled
   without contraction, so that they are the same to the last bit. No library is called. */

#include <stdint.h>

#define SLOTS 256
#define GROUP 64
#define ABOVE_ROUNDING (1.0 + 1e-12)
#define ABOVE_ROUNDING_M 1e-14 /* of coordinates of at most 1, in Earth radii: far below a micrometre */

/* Whether a key may be among the answers. */
typedef int32_t (*Keep)(const void *context, int32_t key);

/* As `_Arena` in search.py has it. */
typedef struct {
    /* By slot: bucket * SLOTS + place in it. An empty slot's x is infinite. */
    const int32_t *key;
    const double *x, *y, *z;
    /* By bucket: its ball, the centre times -2. */
    const double *radius, *centre_x_minus_2, *centre_y_minus_2, *centre_z_minus_2;
    const int64_t *members;
    /* By place on the curve: which bucket, and its ball once more, x, y, z and radius in four rows. */
    const int64_t *bucket;
    double *ball;
    /* By group of GROUP neighbours on the curve: a ball around their balls, in four rows, and working space. */
    double *group, *group_distance;
    int64_t buckets, places, groups;
    /* What is asked: about where, as sines and cosines of latitude and longitude, and about whom. */
    const double *sine, *cosine;
    Keep keep;
    const void *context;
    /* What was found, nearest first: room for k. Squared chords while it is looked for, half chords at the end. */
    double *half_chord;
    int64_t *found;
    /* The squared chord within which all that matters lies, while it is looked for and at the end. */
    double bound;
    int64_t close;
    /* Squares of those left out for nearer ones: the two least that differ. */
    double passed[2];
} Arena;

static const double INFINITE = __builtin_inf();

static double larger(double a, double b) { return a > b ? a : b; }
static double smaller(double a, double b) { return a < b ? a : b; }

static double distance(const double *x, const double *y, const double *z, int64_t at, const double *q) {
    double dx = x[at] - q[0], dy = y[at] - q[1], dz = z[at] - q[2];
    return __builtin_sqrt(dx * dx + dy * dy + dz * dz);
}

/* Balls by place on the curve, and a ball around each group of them. After any ball or the curve changed. */
void arrange(Arena *a) {
    int64_t places = a->places, groups = a->groups;
    double *x = a->ball, *y = x + places, *z = y + places, *radius = z + places;
    for (int64_t place = 0; place < places; place++) {
        int64_t bucket = a->bucket[place];
        x[place] = a->members[bucket] ? -0.5 * a->centre_x_minus_2[bucket] : INFINITE;
        y[place] = -0.5 * a->centre_y_minus_2[bucket];
        z[place] = -0.5 * a->centre_z_minus_2[bucket];
        radius[place] = a->radius[bucket];
    }
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = group * GROUP, end = begin + GROUP < places ? begin + GROUP : places;
        double low[3] = {INFINITE, INFINITE, INFINITE}, high[3] = {-INFINITE, -INFINITE, -INFINITE};
        for (int64_t place = begin; place < end; place++)
            for (int axis = 0; axis < 3 && x[place] < INFINITE; axis++) {
                double middle = a->ball[axis * places + place];
                low[axis] = smaller(low[axis], middle - radius[place]);
                high[axis] = larger(high[axis], middle + radius[place]);
            }
        double middle[3] = {0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5 * (low[2] + high[2])};
        double edge = 0.0;
        for (int64_t place = begin; place < end; place++)
            if (x[place] < INFINITE) edge = larger(edge, distance(x, y, z, place, middle) + radius[place]);
        for (int axis = 0; axis < 3; axis++) a->group[axis * groups + group] = middle[axis];
        if (!(low[0] < INFINITE)) a->group[group] = INFINITE; /* nobody in it */
        a->group[3 * groups + group] = edge * ABOVE_ROUNDING + ABOVE_ROUNDING_M;
    }
}

/* Found ones are kept as a heap, the farthest first, by square and then key. */
typedef struct {
    double *square;
    int64_t *key;
    int64_t size, room;
} Heap;

static int before(double square, int64_t key, double other, int64_t other_key) {
    return square < other || (square == other && key < other_key);
}

static void sink(Heap *heap, int64_t size, double square, int64_t key) {
    int64_t at = 0;
    for (int64_t child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size
            && before(heap->square[child], heap->key[child], heap->square[child + 1], heap->key[child + 1]))
            child++;
        if (!before(square, key, heap->square[child], heap->key[child])) break;
        heap->square[at] = heap->square[child];
        heap->key[at] = heap->key[child];
        at = child;
    }
    heap->square[at] = square;
    heap->key[at] = key;
}

static void rise(Heap *heap, double square, int64_t key) {
    int64_t at = heap->size++;
    while (at > 0) {
        int64_t parent = (at - 1) / 2;
        if (!before(heap->square[parent], heap->key[parent], square, key)) break;
        heap->square[at] = heap->square[parent];
        heap->key[at] = heap->key[parent];
        at = parent;
    }
    heap->square[at] = square;
    heap->key[at] = key;
}

static void pass_over(Arena *a, double square) {
    if (square < a->passed[0]) {
        a->passed[1] = a->passed[0];
        a->passed[0] = square;
    } else if (square > a->passed[0] && square < a->passed[1])
        a->passed[1] = square;
}

static void look(Arena *a, int64_t bucket, const double *q, Heap *heap) {
    double square[SLOTS];
    const double *x = a->x + bucket * SLOTS, *y = a->y + bucket * SLOTS, *z = a->z + bucket * SLOTS;
    for (int i = 0; i < SLOTS; i++) {
        double dx = x[i] - q[0], dy = y[i] - q[1], dz = z[i] - q[2];
        square[i] = dx * dx + dy * dy + dz * dz;
    }
    for (int i = 0; i < SLOTS; i++) {
        if (!(square[i] <= a->bound)) continue;
        int32_t key = a->key[bucket * SLOTS + i];
        if (a->keep && !a->keep(a->context, key)) continue;
        if (heap->size < heap->room)
            rise(heap, square[i], key);
        else if (before(square[i], key, heap->square[0], heap->key[0])) {
            pass_over(a, heap->square[0]);
            sink(heap, heap->size, square[i], key);
        } else
            pass_over(a, square[i]);
        if (heap->size == heap->room) a->bound = smaller(a->bound, heap->square[0] * ABOVE_ROUNDING);
    }
}

/* The next to look at: the nearest by its centre of those whose ball the bound reaches. -1: none is left. */
static int64_t next(const double *to_centre, const double *radius, int64_t count, double bound) {
    double reach = __builtin_sqrt(bound) * ABOVE_ROUNDING + ABOVE_ROUNDING_M, nearest = INFINITE;
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++)
        if (to_centre[i] < nearest && to_centre[i] - radius[i] <= reach) {
            nearest = to_centre[i];
            best = i;
        }
    return best;
}

/* Fills `half_chord` and `found` with the k nearest within a squared chord; says how many. `close`: squares differ by no more than rounding, so that the
   distances made of them may come in another order, and one left out may be as near. */
int64_t nearest(Arena *a, int64_t k, double bound) {
    const double q[3] = {a->cosine[0] * a->cosine[1], a->cosine[0] * a->sine[1], a->sine[0]};
    int64_t places = a->places, groups = a->groups;
    Heap heap = {a->half_chord, a->found, 0, k};
    a->bound = bound;
    a->passed[0] = a->passed[1] = INFINITE;
    for (int64_t group = 0; group < groups; group++)
        a->group_distance[group] = distance(a->group, a->group + groups, a->group + 2 * groups, group, q);
    int64_t group;
    while ((group = next(a->group_distance, a->group + 3 * groups, groups, a->bound)) >= 0) {
        a->group_distance[group] = INFINITE;
        int64_t begin = group * GROUP, count = begin + GROUP < places ? GROUP : places - begin, nth;
        const double *x = a->ball + begin, *radius = x + 3 * places;
        double to_centre[GROUP];
        for (int64_t i = 0; i < count; i++)
            to_centre[i] = distance(x, x + places, x + 2 * places, i, q);
        while ((nth = next(to_centre, radius, count, a->bound)) >= 0) {
            to_centre[nth] = INFINITE;
            look(a, a->bucket[begin + nth], q, &heap);
        }
    }
    int64_t size = heap.size;
    double last = size ? heap.square[0] : -1.0, passed = a->passed[a->passed[0] == last];
    a->close = size == k && passed <= last * ABOVE_ROUNDING;
    for (int64_t end = size - 1; end > 0; end--) {
        double square = heap.square[end];
        int64_t key = heap.key[end];
        heap.square[end] = heap.square[0];
        heap.key[end] = heap.key[0];
        sink(&heap, end, square, key);
    }
    for (int64_t i = 1; i < size; i++)
        a->close |= heap.square[i] != heap.square[i - 1] && heap.square[i] <= heap.square[i - 1] * ABOVE_ROUNDING;
    for (int64_t i = 0; i < size; i++) a->half_chord[i] = smaller(__builtin_sqrt(heap.square[i]) * 0.5, 1.0);
    return size;
}

typedef struct {
    const uint8_t *through;
    int64_t count;
} Mask;

/* A `Keep`: what the mask, by key, lets through. */
int32_t in_mask(const void *context, int32_t key) {
    const Mask *mask = context;
    return key < mask->count && mask->through[key];
}
