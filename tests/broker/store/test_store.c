// The store against a model of it: what was written is read again, in this process and in the next.
#include "broker/store/store.h"

#include "broker/routing/epochs.h"
#include "broker/store/journal_internal.h"
#include "common/limits.h"
#include "proto/snapshot.h"
#include "tests/unit.h"

#include <fcntl.h>
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
    store *made = store_new(s_folder, limit, 1, why, sizeof why);
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
    for (const char *const *name = (const char *const[]){"/data.mdb", "/journal", NULL}; *name; name++) {
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
    uint64_t first, second, third;
    CU_ASSERT_EQUAL(store_boot(self, 1000, &first), OK);
    CU_ASSERT_EQUAL(first, 1000);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, "kept", 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(s_put(self, B, SNAPSHOT_FULL, 1, "not committed", 5), OK);
    store_destroy(&self);
    self = s_open(1 << 20);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=kept");
    CU_ASSERT_FALSE(store_has(self, B));
    CU_ASSERT_EQUAL(store_boot(self, 1, &second), OK); // the clock was set back
    CU_ASSERT_EQUAL(second, first + BOOT_STEP);
    CU_ASSERT_EQUAL(store_boot(self, second + 1, &third),
                    OK); // it has moved on: nothing is to be made up for
    CU_ASSERT_EQUAL(third, second + 1);
    CU_ASSERT_EQUAL(store_boot(self, UINT64_C(1) << 41, &third), OK);
    CU_ASSERT_EQUAL(third, UINT64_C(1) << 41);
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
    CU_ASSERT_PTR_NULL(store_new("/proc/no/such/folder", 100, 1, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/proc/no/such/folder: "));
}

// The journal, as a process that was killed leaves it.
static int
s_journal(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/journal", s_folder);
    int file = open(path, O_RDWR);
    CU_ASSERT_FATAL(file >= 0);
    return file;
}

static void
s_again(store **self_p)
{
    store_destroy(self_p);
    *self_p = s_open(1 << 20);
}

// Cut off in the record of B, which nobody was told of.
static void
s_half_a_write(void)
{
    enum { BEHIND = sizeof(journal_head) + sizeof(journal_commit) + JOURNAL_END }; // B's record
    store *self = s_new();
    s_put(self, A, SNAPSHOT_FULL, 1, "one", 5);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    s_put(self, A, SNAPSHOT_CHANGES, 1, "two", 6);
    s_put(self, B, SNAPSHOT_FULL, 1, "two", 6);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    int file = s_journal();
    CU_ASSERT_EQUAL(ftruncate(file, lseek(file, 0, SEEK_END) - BEHIND - 1), 0);
    s_again(&self);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=two");
    CU_ASSERT_FALSE(store_has(self, B));
    close(file);
    s_end(&self);
}

// What was folded into the tables is not done again, nor what an older and longer journal left behind.
static void
s_generations(void)
{
    store *self = s_new();
    for (const char *const *text = (const char *const[]){"one", "two", "three", NULL}; *text; text++) {
        s_put(self, A, SNAPSHOT_FULL, 1, *text, 5);
        CU_ASSERT_EQUAL(store_commit(self), OK);
    }
    CU_ASSERT_EQUAL(store_checkpoint(self), OK);
    store_drop(self, A);
    s_put(self, B, SNAPSHOT_FULL, 1, "b", 5);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    s_again(&self);
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_STRING_EQUAL(s_roots(self, B), "1=b");
    store_drop(self, B);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_EQUAL(store_checkpoint(self), OK);
    s_again(&self);
    CU_ASSERT_EQUAL(store_count(self), 0);
    s_end(&self);
}

static void
s_folds_when_it_is_full(void)
{
    store *self = s_new();
    unsigned count = 0;
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    for (; count < 3000; count++)
        snapshot_put(&frame, count, slice_text("x"));
    CU_ASSERT_EQUAL(store_put(self, A, buffer_bytes(&frame), 5), OK);
    CU_ASSERT_TRUE(store_needs_checkpoint(self));
    CU_ASSERT_EQUAL(store_commit(self), OK);
    CU_ASSERT_TRUE(store_needs_checkpoint(self));
    CU_ASSERT_EQUAL(store_checkpoint(self), OK);
    CU_ASSERT_FALSE(store_needs_checkpoint(self));
    CU_ASSERT_FALSE(store_is_dirty(self));
    buffer read;
    buffer_init(&read);
    s_again(&self);
    CU_ASSERT_EQUAL(store_read(self, A, &read), OK);
    CU_ASSERT_TRUE(slice_equal(buffer_bytes(&read), buffer_bytes(&frame)));
    buffer_fini(&read);
    buffer_fini(&frame);
    s_end(&self);
}

// The same done to a store and to a few texts; now and then it is folded, or opened again.
enum { MODEL_SESSIONS = 4, MODEL_ROOTS = 5 };
static char s_model[MODEL_SESSIONS][MODEL_ROOTS][8];
static bool s_model_has[MODEL_SESSIONS];
static uint64_t s_random;

static unsigned
s_choose(unsigned below)
{
    s_random = s_random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(s_random >> 33) % below;
}

static const char *
s_model_roots(unsigned session)
{
    static char text[128];
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = 0; s_model_has[session] && i < MODEL_ROOTS; i++)
        if (s_model[session][i][0])
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%u=%s", at ? " " : "", i,
                                   s_model[session][i]);
    return text;
}

static void
s_model_put(store *self, unsigned session, unsigned root, unsigned number)
{
    id16 id = {{7, (uint8_t)session}};
    char text[8];
    snprintf(text, sizeof text, "%.*u", (int)s_choose(6) + 1, number);
    snapshot_kind kind = s_choose(5) ? SNAPSHOT_CHANGES : SNAPSHOT_FULL;
    bool removed = kind == SNAPSHOT_CHANGES && s_choose(4) == 0;
    CU_ASSERT_EQUAL(s_put(self, id, kind, root, removed ? NULL : text, number),
                    kind == SNAPSHOT_FULL || s_model_has[session] ? OK : ERR_UNKNOWN_SESSION);
    if (kind == SNAPSHOT_FULL)
        memset(s_model[session], 0, sizeof s_model[session]);
    s_model_has[session] |= kind == SNAPSHOT_FULL;
    snprintf(s_model[session][root], sizeof s_model[session][root], "%s", removed ? "" : text);
}

static void
s_model_step(store **self_p, unsigned number)
{
    unsigned session = s_choose(MODEL_SESSIONS), root = s_choose(MODEL_ROOTS);
    id16 id = {{7, (uint8_t)session}};
    switch (s_choose(10)) {
    case 0:
        store_drop(*self_p, id);
        s_model_has[session] = false;
        break;
    case 1:
        CU_ASSERT_EQUAL(store_put_root(*self_p, id, root, slice_text("h"), slice_text("b")),
                        s_model_has[session] ? OK : ERR_UNKNOWN_SESSION);
        strcpy(s_model[session][root], "hb");
        break;
    case 2:
        CU_ASSERT_EQUAL(store_commit(*self_p), OK);
        if (s_choose(4) == 0)
            s_again(self_p);
        break;
    case 3:
        CU_ASSERT_EQUAL(s_choose(6) ? OK : store_checkpoint(*self_p), OK);
        break;
    default:
        s_model_put(*self_p, session, root, number);
    }
    if (!s_model_has[session])
        memset(s_model[session], 0, sizeof s_model[session]);
}

static void
s_like_a_few_texts(void)
{
    store *self = s_new();
    memset(s_model, 0, sizeof s_model);
    memset(s_model_has, 0, sizeof s_model_has);
    s_random = 1;
    for (unsigned i = 0; i < 4000; i++) {
        s_model_step(&self, i);
        unsigned session = s_choose(MODEL_SESSIONS);
        id16 id = {{7, (uint8_t)session}};
        CU_ASSERT_EQUAL(store_has(self, id), s_model_has[session]);
        if (s_choose(20) == 0)
            CU_ASSERT_STRING_EQUAL(s_roots(self, id), s_model_roots(session));
    }
    for (unsigned session = 0; session < MODEL_SESSIONS; session++)
        store_drop(self, (id16){{7, (uint8_t)session}});
    CU_ASSERT_EQUAL(store_count(self), 0);
    static char most[(1 << 20) - 8 + 2]; // all its room is there again
    memset(most, 'x', sizeof most - 2);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, most, 5), OK);
    most[sizeof most - 2] = 'x';
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_FULL, 1, most, 5), ERR_FULL);
    s_end(&self);
}

// No file may have more than this, as on a disk that is full.
static void
s_limit_files(rlim_t size)
{
    static struct rlimit before;
    static bool asked;
    if (!asked) {
        CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
        signal(SIGXFSZ, SIG_IGN);
    }
    asked = true;
    struct rlimit now = {size < before.rlim_max ? size : before.rlim_cur, before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &now), 0);
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
    s_limit_files(0);
    CU_ASSERT_EQUAL(s_put(self, A, SNAPSHOT_CHANGES, 1, "newer", 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), ERR_SYSTEM);
    CU_ASSERT_FALSE(store_has(self, A));
    s_limit_files(RLIM_INFINITY);
    s_again(&self); // the journal has nothing old, either
    CU_ASSERT_FALSE(store_has(self, A));
    s_end(&self);
}

// Large enough for the tables, and not for what is put.
static void
s_disk_without_much_room(void)
{
    enum { ROOM = 128 << 10 };
    static char text[ROOM + 1];
    memset(text, 'x', ROOM);
    store *self = s_new();
    s_put(self, A, SNAPSHOT_FULL, 1, "seen", 5);
    s_put(self, B, SNAPSHOT_FULL, 1, "other", 5);
    CU_ASSERT_EQUAL(store_checkpoint(self), OK);
    s_limit_files(ROOM);
    s_put(self, A, SNAPSHOT_CHANGES, 1, text, 6);
    CU_ASSERT_EQUAL(store_commit(self), ERR_SYSTEM);
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_STRING_EQUAL(s_roots(self, B), "1=other");
    CU_ASSERT_EQUAL(s_put(self, B, SNAPSHOT_CHANGES, 1, "newer", 7), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    s_limit_files(RLIM_INFINITY);
    s_again(&self);
    CU_ASSERT_FALSE(store_has(self, A));
    CU_ASSERT_STRING_EQUAL(s_roots(self, B), "1=newer");
    s_end(&self);
}

// The journal cannot grow: what was put goes into the tables at once.
static void
s_journal_without_room(void)
{
    enum { ROOM = 128 << 10 };
    static char text[1001];
    memset(text, 'x', 1000);
    store *self = s_new();
    for (unsigned i = 0; i < 2 * ROOM / 1000; i++) {
        s_put(self, A, i ? SNAPSHOT_CHANGES : SNAPSHOT_FULL, 1, text, 5);
        CU_ASSERT_EQUAL(store_commit(self), OK);
    }
    s_limit_files(ROOM);
    s_put(self, A, SNAPSHOT_CHANGES, 1, "newer", 6);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    s_limit_files(RLIM_INFINITY);
    s_again(&self);
    CU_ASSERT_STRING_EQUAL(s_roots(self, A), "1=newer");
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
    {"half a write", s_half_a_write},
    {"generations", s_generations},
    {"folds when it is full", s_folds_when_it_is_full},
    {"like a few texts", s_like_a_few_texts},
    {"a full disk", s_full_disk},
    {"a disk without much room", s_disk_without_much_room},
    {"a journal without room", s_journal_without_room},
};
UNIT_MAIN("store", s_tests)
