// The tree of a view: what counts as a change, branches, lists, chunk numbers and memory.
#include "common/errors.h"
#include "tests/unit.h"
#include "worker/page/difference.h"
#include "worker/page/list.h"
#include "worker/page/tree.h"

static const hash_key s_key = {{1, 2, 3}};

static const block_type *
s_type(const char *classes, const char *hash)
{
    const block_type *made = block_type_new(slice_text(classes), slice_text(hash), slice_text("{}"));
    ASSERT(made);
    return made;
}

static void
s_root(void)
{
    hash_key other = {{4, 5, 6}};
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
    const block_type *type = s_type("ta", "h");
    tree shown;
    tree_init(&shown);
    block *root = tree_begin(&shown, &shown, type);
    CU_ASSERT_TRUE(block_leaf(root, 1, (slice){0}, &s_key));
    CU_ASSERT_TRUE(block_leaf(root, 2, slice_text("x"), &s_key));
    CU_ASSERT_FALSE(block_leaf(root, 1, (slice){0}, &s_key));
    CU_ASSERT_FALSE(block_leaf(root, 2, slice_text("x"), &s_key));
    CU_ASSERT_TRUE(block_leaf(root, 2, slice_text("y"), &s_key));
    CU_ASSERT_FALSE(block_leaf(root, 1, (slice){0}, &s_key));
    tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key);
    tree_invalidate(&shown);
    CU_ASSERT_PTR_NULL(shown.root_block);
    CU_ASSERT_TRUE(tree_set(&shown, SLOT_ROOT, slice_text("a"), &s_key));
    tree_fini(&shown);
    block_type_release(&type);
}

// HTML that is long enough, which begins with this.
static slice
s_long(buffer *scratch, const char *begin)
{
    buffer_clear(scratch);
    buffer_text(scratch, begin);
    while (scratch->size < DIFFERENCE_MIN)
        buffer_text(scratch, "<p>and so on</p>");
    return buffer_bytes(scratch);
}

// Long markup is kept, and given back when it changes; a hash is enough of all else.
static void
s_markup(void)
{
    const block_type *type = s_type("th", "h");
    buffer html, before;
    buffer_init(&html);
    buffer_init(&before);
    tree shown;
    tree_init(&shown);
    block *root = tree_begin(&shown, &shown, type);
    CU_ASSERT_TRUE(block_markup(root, 1, slice_text("<b>short</b>"), &s_key, &before));
    CU_ASSERT_FALSE(block_markup(root, 1, slice_text("<b>short</b>"), &s_key, &before));
    size_t bytes = tree_bytes(&shown);
    CU_ASSERT_TRUE(block_markup(root, 1, s_long(&html, "1"), &s_key, &before));
    CU_ASSERT_EQUAL(before.size, 0);
    CU_ASSERT_TRUE(tree_bytes(&shown) >= bytes + DIFFERENCE_MIN);
    CU_ASSERT_FALSE(block_markup(root, 1, s_long(&html, "1"), &s_key, &before));
    CU_ASSERT_FALSE(block_leaf_is_new(root, 1));
    CU_ASSERT_TRUE(block_markup(root, 1, s_long(&html, "2"), &s_key, &before));
    CU_ASSERT_TRUE(slice_equal(buffer_bytes(&before), s_long(&html, "1")));
    buffer_fini(&before);
    CU_ASSERT_TRUE(block_markup(root, 1, slice_text("<b>short</b>"), &s_key, &before));
    CU_ASSERT_TRUE(slice_equal(buffer_bytes(&before), s_long(&html, "2")));
    buffer_fini(&before);
    CU_ASSERT_EQUAL(tree_bytes(&shown), bytes);
    CU_ASSERT_TRUE(block_markup(root, 2, s_long(&html, "3"), &s_key, &before));
    CU_ASSERT_TRUE(block_leaf(root, 2, s_long(&html, "3"), &s_key)); // from now on the hash alone
    CU_ASSERT_FALSE(block_markup(root, 2, slice_text("3"), &s_key, &before) && before.size);
    tree_fini(&shown);
    block_type_release(&type);
    buffer_fini(&html);
}

static void
s_kept_root(void)
{
    buffer html, before;
    buffer_init(&html);
    buffer_init(&before);
    tree shown;
    tree_init(&shown);
    tree_keep_root(&shown, s_long(&html, "1"), &before);
    CU_ASSERT_EQUAL(before.size, 0);
    CU_ASSERT_TRUE(tree_bytes(&shown) > DIFFERENCE_MIN);
    tree_keep_root(&shown, s_long(&html, "2"), &before);
    CU_ASSERT_TRUE(slice_equal(buffer_bytes(&before), s_long(&html, "1")));
    buffer_fini(&before);
    tree_forget(&shown, SLOT_ROOT); // the page is sent all of the next one
    tree_keep_root(&shown, s_long(&html, "3"), &before);
    CU_ASSERT_EQUAL(before.size, 0);
    tree_invalidate(&shown);
    tree_keep_root(&shown, s_long(&html, "4"), &before);
    CU_ASSERT_EQUAL(before.size, 0);
    tree_keep_root(&shown, (slice){0}, &before);
    buffer_fini(&before);
    tree_keep_root(&shown, s_long(&html, "5"), &before);
    CU_ASSERT_EQUAL(before.size, 0);
    // A page that asks for its root after differences, again and again, is sent none.
    tree_note_refresh(&shown);
    tree_note_refresh(&shown);
    CU_ASSERT_FALSE(shown.full);
    shown.sent_differences = true;
    tree_note_refresh(&shown);
    CU_ASSERT_FALSE(shown.full || shown.sent_differences);
    shown.sent_differences = true;
    tree_note_refresh(&shown);
    CU_ASSERT_TRUE(shown.full);
    tree_keep_root(&shown, s_long(&html, "6"), &before);
    buffer_fini(&before);
    tree_keep_root(&shown, s_long(&html, "7"), &before);
    CU_ASSERT_EQUAL(before.size, 0);
    tree_fini(&shown);
    buffer_fini(&html);
}

static void
s_branches(void)
{
    const block_type *type = s_type("b", "h"), *inner = s_type("t", "i");
    tree shown;
    tree_init(&shown);
    block *root = tree_begin(&shown, NULL, type);
    CU_ASSERT_EQUAL(block_alternative(root, 1), BRANCH_UNKNOWN);
    CU_ASSERT_PTR_NULL(block_shown(root, 1));
    CU_ASSERT_PTR_NULL(block_show(root, 1, BRANCH_NOTHING, NULL));
    CU_ASSERT_EQUAL(block_alternative(root, 1), BRANCH_NOTHING);
    block *first = block_show(root, 1, 0, inner);
    CU_ASSERT_PTR_NOT_NULL(first);
    CU_ASSERT_PTR_EQUAL(block_shown(root, 1), first);
    CU_ASSERT_EQUAL(block_alternative(root, 1), 0);
    CU_ASSERT_TRUE(block_leaf(first, 1, slice_text("x"), &s_key));
    block *second = block_show(root, 1, 1, inner);
    CU_ASSERT_TRUE(block_leaf(second, 1, slice_text("x"), &s_key)); // another instance knows nothing
    CU_ASSERT_PTR_NULL(block_show(root, 1, BRANCH_NOTHING, NULL));
    CU_ASSERT_PTR_NULL(block_shown(root, 1));
    tree_fini(&shown);
    block_type_release(&type);
    block_type_release(&inner);
}

static void
s_chunks(void)
{
    const block_type *first = s_type("t", "one"), *two = s_type("t", "two"), *same = s_type("t", "one");
    int page, other;
    bool new = false;
    tree shown;
    tree_init(&shown);
    tree_begin(&shown, &page, first);
    CU_ASSERT_EQUAL(tree_chunk(&shown, first, &new), 0);
    CU_ASSERT_TRUE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 1);
    CU_ASSERT_TRUE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, first, &new), 0);
    CU_ASSERT_FALSE(new);
    CU_ASSERT_EQUAL(tree_chunk(&shown, same, &new), 0); // the same content is one chunk
    CU_ASSERT_FALSE(new);
    CU_ASSERT_PTR_EQUAL(tree_find_chunk(&shown, slice_text("two")), two);
    CU_ASSERT_PTR_NULL(tree_find_chunk(&shown, slice_text("three")));
    tree_invalidate(&shown);
    tree_begin(&shown, &page, first);
    CU_ASSERT_EQUAL(shown.chunk_count, 2); // numbers stay for the page…
    tree_truncate_chunks(&shown, 2);
    CU_ASSERT_EQUAL(shown.chunk_count, 2);
    tree_truncate_chunks(&shown, 1); // …unless what numbered them was not sent
    CU_ASSERT_PTR_NULL(tree_find_chunk(&shown, slice_text("two")));
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 1);
    CU_ASSERT_TRUE(new);
    tree_begin(&shown, &other, first);
    CU_ASSERT_EQUAL(shown.chunk_count, 0); // …and start anew with another
    block_type_release(&first);
    block_type_release(&same);
    CU_ASSERT_EQUAL(tree_chunk(&shown, two, &new), 0);
    block_type_release(&two); // the tree holds it
    CU_ASSERT_TRUE(slice_is(block_type_hash(shown.chunks[0]), "two"));
    tree_fini(&shown);
}

// Branches and lists in turn, as deep as they may be; freed without trouble.
static void
s_nesting(void)
{
    const block_type *branch = s_type("b", "b"), *rows = s_type("l", "l");
    uint64_t hash = 7;
    tree shown;
    tree_init(&shown);
    block *inner = tree_begin(&shown, NULL, branch);
    unsigned depth = 0;
    for (; !block_is_full(inner); depth++) {
        if (depth % 2 == 0) {
            inner = block_show(inner, 1, 0, depth % 4 == 0 ? rows : branch);
        } else {
            list *rows_ = block_list(inner, 1, false);
            list_update(rows_, &(list_rows){.hashes = &hash, .count = 1, .type = branch, .key = &s_key});
            list_settle(rows_);
            inner = list_block(rows_, 0);
        }
        if (depth % 2 == 0 && depth % 4)
            inner = block_show(inner, 1, 0, rows), depth++;
    }
    CU_ASSERT_EQUAL(depth, BLOCK_MAX_NESTING);
    CU_ASSERT_TRUE(tree_bytes(&shown) > BLOCK_MAX_NESTING * 24);
    tree_fini(&shown);
    block_type_release(&branch);
    block_type_release(&rows);
}

// A thousand rows of five slots in 200 KB, the mark of `scripts/bench memory` with room to spare.
static void
s_memory(void)
{
    enum { ROWS = 1000 };
    const block_type *type = s_type("l", "r"), *row = s_type("ttttt", "t");
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
    list *rows = block_list(tree_begin(&shown, NULL, type), 1, true);
    list_update(rows, &(list_rows){hashes, ROWS, {0, 0}, slice_of(keys, 4 * ROWS), ends, row, &s_key});
    list_settle(rows);
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned slot = 1; slot <= 5; slot++)
            block_leaf(list_block(rows, i), slot, slice_text("value"), &s_key);
    size_t bytes = tree_bytes(&shown) - before;
    CU_ASSERT_TRUE(bytes > ROWS * (5 * 16 + 24));
    CU_ASSERT_TRUE(bytes < 150000);
    printf(" %zu bytes for %d rows of 5 slots", bytes, ROWS);
    tree_fini(&shown);
    block_type_release(&type);
    block_type_release(&row);
}

static const unit_test s_tests[] = {
    {"root", s_root},         {"markup", s_markup}, {"kept_root", s_kept_root}, {"leaves", s_leaves},
    {"branches", s_branches}, {"chunks", s_chunks}, {"nesting", s_nesting},     {"memory", s_memory}};
UNIT_MAIN("tree", s_tests)
