// Writing and reading the entries of a snapshot frame.
#include "proto/snapshot.h"

#include "common/limits.h"
#include "tests/proto/exact.h"
#include "tests/unit.h"

static void
s_write(buffer *out)
{
    snapshot_begin(out, SNAPSHOT_CHANGES);
    snapshot_put(out, snapshot_root(3, 7), slice_text("seven"));
    snapshot_gone(out, snapshot_root(3, 8));
    size_t opened = snapshot_open(out, ROOT_PROGRESS);
    buffer_text(out, "progress");
    snapshot_close(out, opened);
    opened = snapshot_open(out, 1);
    buffer_text(out, "no");
    snapshot_cancel(out, opened);
    snapshot_put(out, ROOT_SESSION, (slice){0});
}

static void
test_there_and_back(void)
{
    buffer frame;
    buffer_init(&frame);
    s_write(&frame);
    snapshot_reader in;
    CU_ASSERT_EQUAL_FATAL(snapshot_read(buffer_bytes(&frame), &in), OK);
    CU_ASSERT_EQUAL(in.kind, SNAPSHOT_CHANGES);
    static const struct {
        uint32_t root;
        bool gone;
        const char *bytes;
    } expected[] = {{0x00030007, false, "seven"},
                    {0x00030008, true, ""},
                    {0xffff0001, false, "progress"},
                    {0xffff0000, false, ""}};
    snapshot_entry entry;
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_TRUE_FATAL(snapshot_next(&in, &entry));
        CU_ASSERT_EQUAL(entry.root, expected[i].root);
        CU_ASSERT_EQUAL(entry.gone, expected[i].gone);
        CU_ASSERT_TRUE(slice_is(entry.bytes, expected[i].bytes));
    }
    CU_ASSERT_FALSE(snapshot_next(&in, &entry));
    buffer_fini(&frame);
}

// Whatever is cut off, or stands behind, is noticed.
static void
test_cut_anywhere(void)
{
    buffer frame;
    buffer_init(&frame);
    s_write(&frame);
    unsigned whole = 0;
    for (size_t cut = 0; cut <= frame.size; cut++) {
        slice copy = exact_copy(slice_of(frame.data, cut));
        snapshot_reader in;
        err error = snapshot_read(copy, &in);
        CU_ASSERT_TRUE(error == OK || error == ERR_MALFORMED);
        whole += error == OK;
        exact_free(copy);
    }
    CU_ASSERT_EQUAL(whole, 5); // behind the kind, and behind each entry
    buffer_fini(&frame);
}

static void
test_kinds(void)
{
    snapshot_reader in;
    for (unsigned kind = 0; kind < 256; kind++) {
        uint8_t byte = (uint8_t)kind;
        err wanted = kind >= SNAPSHOT_FULL && kind <= SNAPSHOT_NONE ? OK : ERR_MALFORMED;
        CU_ASSERT_EQUAL(snapshot_read(slice_of(&byte, 1), &in), wanted);
    }
    static const uint8_t none[] = {SNAPSHOT_NONE, 0, 0, 0, 1, 0, 0, 0, 0};
    CU_ASSERT_EQUAL(snapshot_read(slice_of(none, sizeof none), &in), ERR_MALFORMED);
    CU_ASSERT_EQUAL(snapshot_read(slice_of(none, MAX_SNAPSHOT + 1), &in), ERR_TOO_LARGE); // nothing is read
}

static void
test_number(void)
{
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put_number(&frame, 0xfedcba98);
    snapshot_put(&frame, 7, slice_text("x"));
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&frame)), 0xfedcba98);
    for (size_t size = 0; size < 13; size++) // cut off
        CU_ASSERT_EQUAL(snapshot_number(slice_of(frame.data, size)), 0);
    buffer_clear(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&frame)), 0);
    snapshot_put(&frame, ROOT_NUMBER, slice_text("short"));
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&frame)), 0);
    buffer_clear(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text("x")); // it must stand first
    snapshot_put_number(&frame, 5);
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&frame)), 0);
    buffer_fini(&frame);
}

static const unit_test s_tests[] = {
    {"number", test_number},
    {"there and back", test_there_and_back},
    {"cut anywhere", test_cut_anywhere},
    {"kinds", test_kinds},
};
UNIT_MAIN("snapshot", s_tests)
