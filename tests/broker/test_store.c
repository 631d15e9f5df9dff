#include "broker/store.h"

#include "common/limits.h"
#include "proto/snapshot.h"
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char s_folder[64];
static const id16 A = {{1}}, B = {{2}}, C = {{3}};

static store *
s_open(size_t limit)
{
    char why[256] = "";
    store *made = store_new(s_folder, limit, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    return made;
}

static store *
s_new(void)
{
    strcpy(s_folder, "/tmp/troupe-store-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_folder));
    return s_open(1 << 20);
}

static void
s_end(store **self_p)
{
    char path[96];
    store_destroy(self_p);
    for (const char *const *name = (const char *const[]){"/data.mdb", "/lock.mdb", NULL}; *name; name++) {
        snprintf(path, sizeof path, "%s%s", s_folder, *name);
        unlink(path);
    }
    rmdir(s_folder);
}

static err
s_put(store *self, id16 session, snapshot_kind kind, uint32_t root, const char *text, uint64_t now)
{
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, kind);
    if (text)
        snapshot_put(&frame, root, slice_text(text));
    else if (kind != SNAPSHOT_NONE)
        snapshot_gone(&frame, root);
    err error = store_put(self, session, buffer_bytes(&frame), now);
    buffer_fini(&frame);
    return error;
}

// "1=one 2=two": the roots of a session in their order; "": none.
static const char *
s_roots(store *self, id16 session)
{
    static char text[256];
    buffer frame;
    buffer_init(&frame);
    size_t at = 0;
    text[0] = '\0';
    snapshot_reader in;
    snapshot_entry entry;
    if (!store_read(self, session, &frame) && !snapshot_read(buffer_bytes(&frame), &in))
        while (snapshot_next(&in, &entry))
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%u=%.*s", at ? " " : "", entry.root,
                                   (int)entry.bytes.size, (const char *)entry.bytes.data);
    buffer_fini(&frame);
    return text;
}

static void
s_newest_of_each_root(void)
{
    store *self = s_new();
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 1, "early", 5), ERR_UNKNOWN_SESSION);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, "one", 5), OK);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 2, "two", 5), OK);
    CU_ASSERT_EQUAL(s_put(self, B, SNAPSHOT_FULL, 1, "other", 5), OK);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=one 2=two"); // what is not committed is seen
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 1, "ONE", 6), OK);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 2, NULL, 6), OK);
    CU_ASSERT_EQUAL(store_put_root(self, A, 9, slice_text("head"), slice_text("body")), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=ONE 9=headbody");
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 3, "three", 7), OK);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "3=three");
    CU_ASSERT_STRING_EQUAL(s_roots(self, B), "1=other");
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_NONE, 0, NULL, 8), OK);
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_TRUE(store_has(self, B));
    CU_ASSERT_EQUAL(store_put_root(self, A, 9, slice_text(""), slice_text("")), ERR_UNKNOWN_SESSION);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(store_count(self), 1);
    s_end(&self);
}

static void
s_outlives_its_process(void)
{
    store *self = s_new();
    uint32_t first, second;
    CU_ASSERT_EQUAL(store_boot(self, &first), OK);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, "kept", 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(s_put(self, B, SNAPSHOT_FULL, 1, "not committed", 5), OK);
    store_destroy(&self);
    self = s_open(1 << 20);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=kept");
    CU_ASSERT_FALSE(store_has(self, B));
    CU_ASSERT_EQUAL(store_boot(self, &second), OK);
    CU_ASSERT_EQUAL(second, first + 1);
    s_end(&self);
}

static void
s_limits(void)
{
    store *self = s_new();
    store_destroy(&self);
    self = s_open(100);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, "short", 5), OK);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 1, "SHORT", 5), OK); // takes no more room
    char text[101];
    memset(text, 'x', 100);
    text[100] = '\0';
    CU_ASSERT_EQUAL(s_put(self, B, SNAPSHOT_FULL, 1, text, 5), ERR_FULL);
    CU_ASSERT_FALSE(store_has(self, B));
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=SHORT");
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 2, text, 5), ERR_FULL); // rather nothing than half of it
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_EQUAL(s_put(self, C, SNAPSHOT_FULL, 1, "room again", 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    store_destroy(&self);
    self = s_open(100); // what is in it counts
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, text + 20, 5), ERR_FULL);
    CU_ASSERT_TRUE(store_has(self, C));
    s_end(&self);
}

static bool
s_is_a(void *context, id16 session)
{
    ++*(unsigned *)context;
    return id_equal(session, A);
}

static void
s_sweep(void)
{
    store *self = s_new();
    s_put(self, A, SNAPSHOT_FULL, 1, "old, alive", 5);
    s_put(self, B, SNAPSHOT_FULL, 1, "old", 5);
    s_put(self, C, SNAPSHOT_FULL, 1, "new", 50);
    unsigned asked = 0;
    CU_ASSERT_EQUAL(store_sweep(self, 55, 45, s_is_a, &asked), 1);
    CU_ASSERT_EQUAL(asked, 2);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_TRUE(store_has(self, A) && !store_has(self, B) && store_has(self, C));
    store_touch(self, C, 99); // the machine's clock began anew since
    CU_ASSERT_EQUAL(store_sweep(self, 55, 45, s_is_a, &asked), 1);
    CU_ASSERT_FALSE(store_has(self, C));
    for (unsigned i = 0; i < 600; i++) // more than one look
        s_put(self, (id16){{9, (uint8_t)i, (uint8_t)(i >> 8)}}, SNAPSHOT_FULL, 1, "x", 5);
    size_t dropped = 0;
    for (unsigned i = 0; i < 4; i++)
        dropped += store_sweep(self, 55, 45, s_is_a, &asked);
    CU_ASSERT_EQUAL(dropped, 600);
    CU_ASSERT_EQUAL(store_count(self), 1);
    s_end(&self);
}

static void
s_list(void)
{
    id16 got[3];
    store *self = s_new();
    CU_ASSERT_EQUAL(store_list(self, (id16){{0}}, got, 3), 0);
    s_put(self, C, SNAPSHOT_FULL, 1, "x", 5);
    s_put(self, A, SNAPSHOT_FULL, 1, "four", 5);
    CU_ASSERT_EQUAL(store_list(self, (id16){{0}}, got, 3), 2); // before it is written, too
    s_put(self, B, SNAPSHOT_FULL, 1, "x", 5);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(store_list(self, (id16){{0}}, got, 3), 3);
    CU_ASSERT_TRUE(id_equal(got[0], A) && id_equal(got[1], B) && id_equal(got[2], C));
    CU_ASSERT_EQUAL(store_list(self, A, got, 1), 1);
    CU_ASSERT_TRUE(id_equal(got[0], B));
    CU_ASSERT_EQUAL(store_list(self, C, got, 3), 0);
    CU_ASSERT_EQUAL(store_size(self, A), store_size(self, B) + 3);
    store_drop(self, A);
    CU_ASSERT_EQUAL(store_size(self, A), 0);
    s_end(&self);
}

static void
s_bad_frames(void)
{
    store *self = s_new();
    s_put(self, A, SNAPSHOT_FULL, 1, "one", 5);
    CU_ASSERT_EQUAL(store_put(self, A, slice_of("\1\0\0\0", 4), 5), ERR_MALFORMED);
    CU_ASSERT_EQUAL(store_put(self, A, slice_of("", MAX_SNAPSHOT + 1), 5), ERR_TOO_LARGE);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=one");
    s_end(&self);
}

static void
s_no_folder(void)
{
    char why[256] = "";
    CU_ASSERT_PTR_NULL(store_new("/proc/no/such/folder", 100, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/proc/no/such/folder: "));
}

// A disk that takes nothing more: what was put is not kept, and what was there before is not given out as
// new.
static void
s_full_disk(void)
{
    store *self = s_new();
    s_put(self, A, SNAPSHOT_FULL, 1, "seen", 5);
    s_put(self, B, SNAPSHOT_FULL, 1, "other", 5);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    struct rlimit before, none;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &none), 0);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 1, "newer", 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), ERR_SYSTEM);
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    s_end(&self);
}

static const unit_test s_tests[] = {
    {"the newest of each root", s_newest_of_each_root},
    {"outlives its process", s_outlives_its_process},
    {"limits", s_limits},
    {"sweep", s_sweep},
    {"list", s_list},
    {"bad frames", s_bad_frames},
    {"no folder", s_no_folder},
    {"a full disk", s_full_disk},
};
UNIT_MAIN("store", s_tests)
