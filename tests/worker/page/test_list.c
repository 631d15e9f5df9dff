// Lists, with a browser of a few lines: an array of keys to which removals and moves are applied as
// PROTOCOL.md 9.3 says. Whatever changes, it must show the new order, by the fewest moves.
#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/block_internal.h"
#include "worker/page/lis.h"
#include "worker/page/list.h"

#include <stdlib.h>
#include <time.h>

enum { MOST = 64 };

static const hash_key s_key = {{9, 8, 7}};
static const block_type *s_row;

// --- what is asked of the list ----------------------------------------------------------------------------

typedef struct {
    unsigned id;    // makes the key; 0: no key
    unsigned value; // with the id, makes the hash
} item;

typedef struct {
    item items[MOST];
    size_t count;
} order;

static uint64_t
s_hash(item item)
{
    return item.value == 99 ? LIST_UNKNOWN : ((uint64_t)item.id + 1) << 32 | (item.value + 1);
}

static size_t
s_text(unsigned id, char *text)
{
    return id ? (size_t)sprintf(text, "k%u", id) : 0;
}

static list_change
s_update(list *tested, const order *after, bool compare)
{
    uint64_t hashes[MOST];
    uint32_t ends[MOST];
    char keys[MOST * 8];
    size_t size = 0;
    for (size_t i = 0; i < after->count; i++)
        hashes[i] = s_hash(after->items[i]);
    list_same same = compare ? list_compare(tested, hashes, after->count) : (list_same){0, 0};
    for (size_t i = same.head; i < after->count - same.tail; i++) {
        size += s_text(after->items[i].id, keys + size);
        ends[i - same.head] = (uint32_t)size;
    }
    list_rows rows = {hashes, after->count, same, slice_of(keys, size), ends, s_row, &s_key};
    return list_update(tested, &rows);
}

// --- the browser ------------------------------------------------------------------------------------------

typedef struct {
    char key[16];
} shown_row;

typedef struct {
    shown_row rows[2 * MOST];
    size_t count;
} browser;

static size_t
s_where(const browser *self, slice key)
{
    size_t at = 0;
    while (at < self->count && !slice_is(key, self->rows[at].key))
        at++;
    return at;
}

static void
s_remove(browser *self, slice key)
{
    size_t at = s_where(self, key);
    CU_ASSERT_FATAL(at < self->count);
    memmove(self->rows + at, self->rows + at + 1, (--self->count - at) * sizeof *self->rows);
}

static void
s_insert(browser *self, slice key, slice after)
{
    size_t at = after.size ? s_where(self, after) + 1 : 0;
    CU_ASSERT_FATAL(at <= self->count);
    memmove(self->rows + at + 1, self->rows + at, (self->count++ - at) * sizeof *self->rows);
    snprintf(self->rows[at].key, sizeof self->rows[at].key, "%.*s", (int)key.size, (const char *)key.data);
}

// Returns how many rows were moved.
static size_t
s_apply(browser *self, const list *rows, list_change change)
{
    char room[LIST_KEY_SCRATCH], before[LIST_KEY_SCRATCH];
    size_t moves = 0;
    if (change.reset)
        self->count = 0;
    for (size_t i = 0; i < change.removed; i++)
        s_remove(self, list_removed_key(rows, i, room));
    for (size_t i = 0; i < list_count(rows); i++) {
        unsigned marks = list_marks(rows, i);
        CU_ASSERT_TRUE(!marks || (i >= change.head && i < list_count(rows) - change.tail));
        slice key = list_key(rows, i, room), after = i ? list_key(rows, i - 1, before) : (slice){0};
        if (marks & ROW_MOVED)
            s_remove(self, key), moves++;
        if (marks & (ROW_MOVED | ROW_NEW))
            s_insert(self, key, after);
    }
    return moves;
}

static bool
s_shows(const browser *self, const order *after, bool keyed)
{
    char key[24] = "";
    bool right = self->count == after->count;
    for (size_t i = 0; right && i < after->count; i++) {
        if (keyed)
            s_text(after->items[i].id, key);
        else
            snprintf(key, sizeof key, "%zu", i);
        right = strcmp(self->rows[i].key, key) == 0;
    }
    return right;
}

// --- what must come out -----------------------------------------------------------------------------------

static bool
s_good_keys(const order *order)
{
    for (size_t i = 0; i < order->count; i++)
        for (size_t j = 0; j <= i; j++)
            if (order->items[i].id == 0 || (j < i && order->items[i].id == order->items[j].id))
                return false;
    return true;
}

static size_t
s_find_id(const order *in, unsigned id)
{
    size_t at = 0;
    while (at < in->count && in->items[at].id != id)
        at++;
    return at;
}

// Rows that are in both, less the longest sequence of them that keeps its order: by brute comparison.
static size_t
s_fewest(const order *from, const order *after)
{
    size_t lengths[MOST], both = 0, longest = 0;
    for (size_t i = 0; i < after->count; i++) {
        size_t before = s_find_id(from, after->items[i].id);
        lengths[i] = 0;
        if (before == from->count)
            continue;
        both++;
        lengths[i] = 1;
        for (size_t j = 0; j < i; j++)
            if (lengths[j] >= lengths[i] && s_find_id(from, after->items[j].id) < before)
                lengths[i] = lengths[j] + 1;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    return both - longest;
}

// The marks of changes, and that a kept row keeps its block. By id, of the order before.
static void
s_check_rows(const list *rows, const order *from, const order *after, bool keyed, bool reset)
{
    for (size_t i = 0; i < after->count; i++) {
        size_t before = keyed ? s_find_id(from, after->items[i].id) : i;
        bool new = reset || before >= from->count;
        unsigned marks = list_marks(rows, i);
        CU_ASSERT_EQUAL(new, (marks & ROW_NEW) != 0);
        if (new)
            continue;
        uint64_t now = s_hash(after->items[i]);
        CU_ASSERT_EQUAL(now == LIST_UNKNOWN || now != s_hash(from->items[before]),
                        (marks & ROW_CHANGED) != 0);
    }
}

// Slot 1 of each row's block holds its key (by position: its index): a block that came to another row is
// noticed.
static void
s_check_blocks(const list *rows)
{
    char room[LIST_KEY_SCRATCH];
    for (size_t i = 0; i < list_count(rows); i++) {
        bool differs = block_leaf(list_block(rows, i), 1, list_key(rows, i, room), &s_key);
        CU_ASSERT_EQUAL(differs, (list_marks(rows, i) & ROW_NEW) != 0);
    }
}

static bool
s_step(list *rows, browser *page, const order *from, const order *after, bool compare)
{
    unsigned failures = CU_get_number_of_failures();
    bool was_keyed = list_keyed(rows);
    list_change change = s_update(rows, after, compare);
    bool keyed = list_keyed(rows);
    CU_ASSERT_EQUAL(keyed, s_good_keys(after) || (was_keyed && after->count == 0));
    CU_ASSERT_EQUAL(change.reset, keyed != was_keyed);
    size_t moves = s_apply(page, rows, change);
    CU_ASSERT_TRUE(s_shows(page, after, keyed));
    CU_ASSERT_EQUAL(moves, keyed && !change.reset ? s_fewest(from, after) : 0);
    s_check_rows(rows, from, after, keyed, change.reset);
    s_check_blocks(rows);
    list_settle(rows);
    return CU_get_number_of_failures() == failures;
}

// --- cases ------------------------------------------------------------------------------------------------

static void
s_run(const char *const *texts, size_t count)
{
    list *rows = list_new(1, true);
    browser page = {.count = 0};
    order from = {.count = 0};
    for (size_t n = 0; n < count; n++) {
        order after = {.count = strlen(texts[n])};
        for (size_t i = 0; i < after.count; i++)
            after.items[i] = (item){texts[n][i] == '-' ? 0 : (unsigned)texts[n][i], 0};
        CU_ASSERT_TRUE(s_step(rows, &page, &from, &after, true));
        from = after;
    }
    list_destroy(&rows);
    CU_ASSERT_PTR_NULL(rows);
    list_destroy(&rows);
}

#define RUN(...)                                                                                             \
    s_run((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void
s_named(void)
{
    RUN("", "a", "");
    RUN("abc", "abcd", "zabcd", "zabd", "bd");
    RUN("abcdef", "fedcba", "abcdef");
    RUN("abcdef", "bcdefa", "abcdef", "afbecd");
    RUN("abcdefgh", "ahcdefgb", "xahyz", "zyx");
    RUN("abc", "xyz", "abc");
}

static void
s_bad_keys(void)
{
    RUN("abc", "aba", "abac", "abc");      // twice, still, and good again
    RUN("abc", "ab-", "ab-x", "", "ab");   // none
    RUN("aa", "aa", "ab");                 // from the start
    RUN("ab", "aab", "ab", "abb", "abab"); // the twin stands in what stayed
    RUN("abcd", "abxcd", "abxxcd", "abxcd");
}

static void
s_positions(void)
{
    list *tested = list_new(1, false);
    CU_ASSERT_FALSE(list_keyed(tested));
    uint64_t hashes[] = {1, 2, 3, 4};
    list_rows rows = {.hashes = hashes, .count = 2, .type = s_row, .key = &s_key};
    list_update(tested, &rows);
    CU_ASSERT_EQUAL(list_marks(tested, 1), ROW_NEW);
    block *first = list_block(tested, 0);
    list_settle(tested);
    rows.count = 4;
    rows.same = list_compare(tested, hashes, 4);
    CU_ASSERT_EQUAL(rows.same.head, 2);
    CU_ASSERT_EQUAL(rows.same.tail, 0);
    list_change change = list_update(tested, &rows);
    CU_ASSERT_FALSE(change.reset);
    CU_ASSERT_EQUAL(list_marks(tested, 1), 0);
    CU_ASSERT_EQUAL(list_marks(tested, 2), ROW_NEW);
    CU_ASSERT_PTR_EQUAL(list_block(tested, 0), first);
    list_settle(tested);
    rows.same = list_compare(tested, hashes + 1, 3); // the first went: all the others are at other places now
    CU_ASSERT_EQUAL(rows.same.head + rows.same.tail, 0);
    hashes[0] = 9;
    rows.same = list_compare(tested, hashes, 1);
    rows.count = 1;
    change = list_update(tested, &rows);
    CU_ASSERT_EQUAL(list_marks(tested, 0), ROW_CHANGED);
    CU_ASSERT_EQUAL(change.removed, 3);
    char room[LIST_KEY_SCRATCH];
    CU_ASSERT_TRUE(slice_is(list_removed_key(tested, 0, room), "1"));
    CU_ASSERT_TRUE(slice_is(list_removed_key(tested, 2, room), "3"));
    list_destroy(&tested); // not settled: nothing is lost
}

static void
s_empty(void)
{
    list *rows = list_new(1, true);
    CU_ASSERT_PTR_NULL(list_empty(rows));
    block *shown = list_show_empty(rows, s_row);
    CU_ASSERT_PTR_NOT_NULL(shown);
    CU_ASSERT_PTR_EQUAL(list_empty(rows), shown);
    CU_ASSERT_PTR_NULL(list_show_empty(rows, NULL));
    CU_ASSERT_PTR_NULL(list_empty(rows));
    list_show_empty(rows, s_row);
    list_destroy(&rows);
}

static void
s_long_keys(void)
{
    static char key[LIST_MAX_KEY + 1];
    memset(key, 'x', sizeof key);
    uint64_t hash = 5;
    for (uint32_t size = LIST_MAX_KEY; size <= LIST_MAX_KEY + 1; size++) {
        list *rows = list_new(1, true);
        list_update(rows, &(list_rows){&hash, 1, {0, 0}, slice_of(key, size), &size, s_row, &s_key});
        CU_ASSERT_EQUAL(list_keyed(rows), size <= LIST_MAX_KEY);
        list_destroy(&rows);
    }
}

// --- random -----------------------------------------------------------------------------------------------

static uint64_t s_state;

static unsigned
s_random(unsigned below)
{
    s_state = s_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(s_state >> 33) % below;
}

static void
s_swap(item *a, item *b)
{
    item c = *a;
    *a = *b;
    *b = c;
}

static void
s_insert_item(order *order)
{
    if (order->count == MOST)
        return;
    size_t at = s_random((unsigned)order->count + 1);
    memmove(order->items + at + 1, order->items + at, (order->count++ - at) * sizeof *order->items);
    order->items[at] = (item){1 + s_random(1000), s_random(3)};
}

static void
s_change(order *order)
{
    unsigned kind = s_random(16), count = (unsigned)order->count;
    if (kind < 4)
        s_insert_item(order);
    else if (count == 0)
        return;
    else if (kind < 8)
        order->items[s_random(count)].value = s_random(20) ? s_random(3) : 99;
    else if (kind < 11)
        order->items[s_random(count)] = order->items[--order->count];
    else if (kind < 13)
        s_swap(order->items + s_random(count), order->items + s_random(count));
    else if (kind == 13)
        for (size_t i = 0; i < order->count / 2; i++)
            s_swap(order->items + i, order->items + order->count - 1 - i);
    else if (kind == 14)
        for (unsigned i = count; i > 1; i--)
            s_swap(order->items + i - 1, order->items + s_random(i));
    else if (s_random(8) == 0)
        order->items[s_random(count)].id = s_random(2) ? 0 : order->items[s_random(count)].id; // a bad key
}

// Bad keys are repaired sooner or later, so that most steps are keyed.
static void
s_repair(order *order)
{
    if (s_random(3))
        return;
    for (size_t i = 0; i < order->count; i++)
        while (order->items[i].id == 0 || s_find_id(order, order->items[i].id) < i)
            order->items[i].id = 1 + s_random(100000);
}

static void
s_sequences(void)
{
    const char *given = getenv("TROUPE_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) % 1000000;
    printf(" TROUPE_SEED=%llu", (unsigned long long)seed);
    s_state = seed;
    bool good = true;
    for (unsigned sequence = 0; good && sequence < 300; sequence++) {
        list *rows = list_new(1, true);
        browser page = {.count = 0};
        order from = {.count = 0};
        for (unsigned step = 0; good && step < 60; step++) {
            order after = from;
            for (unsigned changes = s_random(4); changes; changes--)
                s_change(&after);
            s_repair(&after);
            good = s_step(rows, &page, &from, &after, s_random(8) != 0);
            from = after;
        }
        list_destroy(&rows);
    }
    CU_ASSERT_TRUE(good);
}

// --- large ------------------------------------------------------------------------------------------------

enum { MANY = 100000 };

typedef struct {
    uint64_t hashes[MANY];
    uint32_t ends[MANY];
    char keys[MANY * 8];
} many;

static list_rows
s_many(many *self, const unsigned *ids, list_same same)
{
    size_t size = 0;
    for (size_t i = 0; i < MANY; i++) {
        self->hashes[i] = ids[i] + 1;
        if (i < same.head || i >= MANY - same.tail)
            continue;
        size += (size_t)sprintf(self->keys + size, "%u", ids[i]);
        self->ends[i - same.head] = (uint32_t)size;
    }
    return (list_rows){self->hashes, MANY, same, slice_of(self->keys, size), self->ends, s_row, &s_key};
}

static size_t
s_moved(const list *rows)
{
    size_t moved = 0;
    for (size_t i = 0; i < MANY; i++)
        moved += (list_marks(rows, i) & ROW_MOVED) != 0;
    return moved;
}

// Reversed, rotated, shuffled: nothing here may be quadratic, or this takes minutes.
static void
s_large(void)
{
    many *work = malloc(sizeof *work);
    unsigned *ids = malloc(MANY * sizeof *ids);
    list *tested = list_new(1, true);
    for (unsigned i = 0; i < MANY; i++)
        ids[i] = i;
    list_rows rows = s_many(work, ids, (list_same){0});
    list_update(tested, &rows);
    list_settle(tested);
    for (unsigned i = 0; i < MANY; i++)
        ids[i] = MANY - 1 - i;
    rows = s_many(work, ids, (list_same){0});
    list_update(tested, &rows);
    CU_ASSERT_EQUAL(s_moved(tested), MANY - 1);
    list_settle(tested);
    memmove(ids, ids + 1, (MANY - 1) * sizeof *ids);
    ids[MANY - 1] = MANY - 1;
    rows = s_many(work, ids, (list_same){0});
    list_update(tested, &rows);
    CU_ASSERT_EQUAL(s_moved(tested), 1);
    list_settle(tested);
    for (unsigned i = MANY; i > 1; i--) {
        unsigned j = s_random(i), c = ids[j];
        ids[j] = ids[i - 1];
        ids[i - 1] = c;
    }
    rows = s_many(work, ids, (list_same){0});
    list_update(tested, &rows);
    CU_ASSERT_TRUE(s_moved(tested) > MANY * 9 / 10);
    list_settle(tested);
    work->hashes[500] = 77777777;
    rows.same = list_compare(tested, work->hashes, MANY);
    CU_ASSERT_EQUAL(rows.same.head, 500);
    CU_ASSERT_EQUAL(rows.same.tail, MANY - 501);
    list_destroy(&tested);
    free(ids);
    free(work);
}

static void
s_moves(void)
{
    bool stays[5];
    lis_find((uint32_t[]){0, LIS_NEW, 1, 7}, 4, stays);
    CU_ASSERT_TRUE(stays[0] && !stays[1] && stays[2] && stays[3]);
    lis_find((uint32_t[]){3, 0, 1, LIS_NEW, 2}, 5, stays);
    CU_ASSERT_TRUE(!stays[0] && stays[1] && stays[2] && !stays[3] && stays[4]);
    lis_find((uint32_t[]){LIS_NEW}, 1, stays);
    CU_ASSERT_FALSE(stays[0]);
}

static const unit_test s_tests[] = {
    {"named", s_named},         {"bad keys", s_bad_keys}, {"positions", s_positions}, {"empty", s_empty},
    {"long keys", s_long_keys}, {"moves", s_moves},       {"sequences", s_sequences}, {"large", s_large}};

int
main(void)
{
    s_row = block_type_new(slice_text("t"), slice_text("row"), slice_text("{}"));
    ASSERT(s_row);
    int failed = unit_main("list", s_tests, sizeof s_tests / sizeof *s_tests);
    block_type_release(&s_row);
    return failed;
}
