#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/list.h"
#include "worker/page/tree.h"

static const tree_key s_key = {{1, 2, 3}};

static const shape *
s_shape(const char *classes, const char *hash)
{
    const shape *made = shape_new(slice_text(classes), slice_text(hash), slice_text("{}"));
    ASSERT(made);
    return made;
}

static void
s_root(void)
{
    tree_key other = {{4, 5, 6}};
    tree shown;
    tree_init(&shown);
    CU_ASSERT_TRUE(
        tree_set(&shown, SLOT_ROOT, (slice){0}, &s_key)); // nothing was shown yet, not even nothing
    CU_ASSERT_FALSE(tree_set(&shown, SLOT_ROOT, (slice){0}, &s_key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key));
    CU_ASSERT_FALSE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &s_key));
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &other)); // the key counts
    tree_forget(&shown, SLOT_ROOT);
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("b"), &other));
    tree_fini(&shown);
    tree_fini(NULL);
}

static void
s_leaves(void)
{
    const shape *of = s_shape("ta", "h");
    tree shown;
    tree_init(&shown);
    part *top = tree_begin(&shown, &shown, of);
    CU_ASSERT_TRUE(part_leaf(top, 1, (slice){0}, &s_key));
    CU_ASSERT_TRUE(part_leaf(top, 2, slice_text("x"), &s_key));
    CU_ASSERT_FALSE(part_leaf(top, 1, (slice){0}, &s_key));
    CU_ASSERT_FALSE(part_leaf(top, 2, slice_text("x"), &s_key));
    CU_ASSERT_TRUE(part_leaf(top, 2, slice_text("y"), &s_key));
    CU_ASSERT_FALSE(part_leaf(top, 1, (slice){0}, &s_key));
    tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key);
    tree_lose(&shown);
    CU_ASSERT_PTR_NULL(shown.top);
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key));
    tree_fini(&shown);
    shape_release(&of);
}

static void
s_branches(void)
{
    const shape *of = s_shape("b", "h"), *inner = s_shape("t", "i");
    tree shown;
    tree_init(&shown);
    part *top = tree_begin(&shown, NULL, of);
    CU_ASSERT_EQUAL(part_alternative(top, 1), PART_UNKNOWN);
    CU_ASSERT_PTR_NULL(part_shown(top, 1));
    CU_ASSERT_PTR_NULL(part_show(top, 1, PART_NOTHING, NULL));
    CU_ASSERT_EQUAL(part_alternative(top, 1), PART_NOTHING);
    part *first = part_show(top, 1, 0, inner);
    CU_ASSERT_PTR_NOT_NULL(first);
    CU_ASSERT_PTR_EQUAL(part_shown(top, 1), first);
    CU_ASSERT_EQUAL(part_alternative(top, 1), 0);
    CU_ASSERT_TRUE(part_leaf(first, 1, slice_text("x"), &s_key));
    part *second = part_show(top, 1, 1, inner);
    CU_ASSERT_TRUE(part_leaf(second, 1, slice_text("x"), &s_key)); // another instance knows nothing
    CU_ASSERT_PTR_NULL(part_show(top, 1, PART_NOTHING, NULL));
    CU_ASSERT_PTR_NULL(part_shown(top, 1));
    tree_fini(&shown);
    shape_release(&of);
    shape_release(&inner);
}

static void
s_chunks(void)
{
    const shape *one = s_shape("t", "one"), *two = s_shape("t", "two"), *same = s_shape("t", "one");
    int page, other;
    bool new = false;
    tree shown;
    tree_init(&shown);
    tree_begin(&shown, &page, one);
    CU_ASSERT_EQUAL(tree_chunk(&shown, one, &new), 0);
    CU_ASSERT_TRUE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 1);
    CU_ASSERT_TRUE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, one, &new), 0);
    CU_ASSERT_FALSE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, same, &new), 0); // the same content is one chunk
    CU_ASSERT_FALSE(new);
    CU_ASSERT_PTR_EQUAL(tree_chunk_of(&shown, slice_text("two")), two);
    CU_ASSERT_PTR_NULL(tree_chunk_of(&shown, slice_text("three")));
    tree_lose(&shown);
    tree_begin(&shown, &page, one);
    CU_ASSERT_EQUAL(shown.chunk_count, 2); // numbers stay for the page…
    tree_cut_chunks(&shown, 2);
    CU_ASSERT_EQUAL(shown.chunk_count, 2);
    tree_cut_chunks(&shown, 1); // …unless what numbered them was not sent
    CU_ASSERT_PTR_NULL(tree_chunk_of(&shown, slice_text("two")));
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 1);
    CU_ASSERT_TRUE(new);
    tree_begin(&shown, &other, one);
    CU_ASSERT_EQUAL(shown.chunk_count, 0); // …and start anew with another
    shape_release(&one);
    shape_release(&same);
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 0);
    shape_release(&two); // the tree holds it
    CU_ASSERT_TRUE(slice_is(shape_hash(shown.chunks[0]), "two"));
    tree_fini(&shown);
}

// Branches and lists in turn, as deep as they may be; freed without trouble.
static void
s_nesting(void)
{
    const shape *branch = s_shape("b", "b"), *rows = s_shape("l", "l");
    uint64_t hash = 7;
    tree shown;
    tree_init(&shown);
    part *at = tree_begin(&shown, NULL, branch);
    unsigned depth = 0;
    for (; !part_full(at); depth++) {
        if (depth % 2 == 0) {
            at = part_show(at, 1, 0, depth % 4 == 0 ? rows : branch);
        } else {
            list *of = part_list(at, 1, false);
            list_update(of, &(list_rows){.hashes = &hash, .count = 1, .shape = branch, .key = &s_key});
            list_settle(of);
            at = list_part(of, 0);
        }
        if (depth % 2 == 0 && depth % 4)
            at = part_show(at, 1, 0, rows), depth++;
    }
    CU_ASSERT_EQUAL(depth, TREE_MAX_NESTING);
    CU_ASSERT_TRUE(tree_bytes(&shown) > TREE_MAX_NESTING * 24);
    tree_fini(&shown);
    shape_release(&branch);
    shape_release(&rows);
}

// A thousand rows of five slots in 200 KB, the mark of `scripts/bench memory` with room to spare.
static void
s_memory(void)
{
    enum { ROWS = 1000 };
    const shape *of = s_shape("l", "r"), *row = s_shape("ttttt", "t");
    static uint64_t hashes[ROWS];
    static uint32_t ends[ROWS];
    static char keys[ROWS * 4 + 1];
    for (unsigned i = 0; i < ROWS; i++) {
        snprintf(keys + 4 * i, 5, "%04u", i);
        hashes[i] = i + 1;
        ends[i] = 4 * i + 4;
    }
    tree shown;
    tree_init(&shown);
    size_t before = tree_bytes(&shown);
    list *rows = part_list(tree_begin(&shown, NULL, of), 1, true);
    list_update(rows, &(list_rows){hashes, ROWS, {0, 0}, slice_of(keys, 4 * ROWS), ends, row, &s_key});
    list_settle(rows);
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned slot = 1; slot <= 5; slot++)
            part_leaf(list_part(rows, i), slot, slice_text("value"), &s_key);
    size_t bytes = tree_bytes(&shown) - before;
    CU_ASSERT_TRUE(bytes > ROWS * (5 * 16 + 24));
    CU_ASSERT_TRUE(bytes < 150000);
    printf(" %zu bytes for %d rows of 5 slots", bytes, ROWS);
    tree_fini(&shown);
    shape_release(&of);
    shape_release(&row);
}

static const unit_test s_tests[] = {{"root", s_root},     {"leaves", s_leaves},   {"branches", s_branches},
                                    {"chunks", s_chunks}, {"nesting", s_nesting}, {"memory", s_memory}};
UNIT_MAIN("tree", s_tests)
