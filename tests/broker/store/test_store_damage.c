// A store whose files were damaged while nobody had them: what is sound comes back, what is not is set aside,
// and nothing comes back wrong, or older than it was.
#include "broker/routing/epochs.h"
#include "broker/store/journal_internal.h"
#include "broker/store/store.h"
#include "common/limits.h"
#include "proto/snapshot.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SESSIONS = 40, ROOTS = 3, ROUNDS = 60, PAGE = 4096, LIMIT = 1 << 24 };

static char s_parent[64], s_folder[96];

// --- the store ------------------------------------------------------------------------------------------

static store *
s_open(void)
{
    char why[256] = "";
    store *made = store_new(s_folder, LIMIT, 7, why, sizeof why);
    CU_ASSERT_STRING_EQUAL(why, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    return made;
}

static int
s_remove(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static const char *
s_path(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", s_folder, name);
    return path;
}

static void
s_make_file(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL(write(file, bytes, size), (ssize_t)size);
    close(file);
}

static void
s_begin(void)
{
    strcpy(s_parent, "/tmp/troupe-damage-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_parent));
    snprintf(s_folder, sizeof s_folder, "%s/sessions", s_parent);
}

static void
s_end(void)
{
    CU_ASSERT_EQUAL(nftw(s_parent, s_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static id16
s_id(unsigned number)
{
    id16 id = {{0}};
    uint32_t spread = number * UINT32_C(2654435761);
    memcpy(id.bytes, &spread, sizeof spread);
    id.bytes[15] = (uint8_t)(number + 1);
    return id;
}

// What a root has after `version` changes: short ones, and one that takes pages of its own.
static slice
s_value(unsigned session, unsigned root, unsigned version)
{
    static uint8_t bytes[6000];
    size_t size = root == 2 ? sizeof bytes : 100 * (root + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(session * 7 + root * 13 + version * 101 + i);
    return slice_of(bytes, size);
}

static void
s_put(store *self, unsigned session, snapshot_kind kind, unsigned version)
{
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, kind);
    for (unsigned root = 0; root < ROOTS; root++)
        snapshot_put(&frame, root, s_value(session, root, version));
    CU_ASSERT_EQUAL(store_put(self, s_id(session), buffer_bytes(&frame), 5), OK);
    CU_ASSERT_EQUAL(store_commit(self), OK);
    buffer_fini(&frame);
}

// In the tables: version 1 of all; in the journal: version 2 of a half.
static void
s_fill(void)
{
    store *self = s_open();
    uint64_t boot;
    CU_ASSERT_EQUAL(store_boot(self, 1000, &boot), OK);
    for (unsigned version = 0; version < 2; version++) {
        for (unsigned i = 0; i < SESSIONS; i++)
            s_put(self, i, version ? SNAPSHOT_CHANGES : SNAPSHOT_FULL, version);
        CU_ASSERT_EQUAL(store_checkpoint(self), OK);
    }
    for (unsigned i = 0; i < SESSIONS / 2; i++)
        s_put(self, i, SNAPSHOT_CHANGES, 2);
    store_destroy(&self);
}

typedef enum { GONE, SOUND, WRONG } outcome_of;

static outcome_of
s_look(store *self, unsigned session, unsigned version)
{
    buffer frame;
    snapshot_reader in;
    snapshot_entry entry;
    unsigned roots = 0;
    bool same = true;
    if (!store_has(self, s_id(session)))
        return GONE;
    buffer_init(&frame);
    err error = store_read(self, s_id(session), &frame);
    if (!error && !snapshot_read(buffer_bytes(&frame), &in))
        for (; snapshot_next(&in, &entry); roots++)
            same &= slice_equal(entry.bytes, s_value(session, entry.root, version));
    buffer_fini(&frame);
    if (error)
        return GONE;
    return same && roots == ROOTS ? SOUND : WRONG;
}

// How many are there, as they were last.
static unsigned
s_count_sound(store *self)
{
    unsigned sound = 0;
    for (unsigned i = 0; i < SESSIONS; i++) {
        outcome_of is = s_look(self, i, i < SESSIONS / 2 ? 2 : 1);
        CU_ASSERT_NOT_EQUAL(is, WRONG);
        sound += is == SOUND;
    }
    return sound;
}

static unsigned
s_sound(void)
{
    store *self = s_open();
    unsigned sound = s_count_sound(self);
    store_destroy(&self);
    return sound;
}

// --- its files ------------------------------------------------------------------------------------------

static int
s_file(const char *name)
{
    int file = open(s_path(name), O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(file >= 0);
    return file;
}

static size_t
s_size(const char *name)
{
    int file = s_file(name);
    off_t size = lseek(file, 0, SEEK_END);
    close(file);
    return (size_t)size;
}

static void
s_cut(const char *name, size_t size)
{
    int file = s_file(name);
    CU_ASSERT_EQUAL(ftruncate(file, (off_t)size), 0);
    close(file);
}

static void
s_write(const char *name, size_t at, const void *bytes, size_t size)
{
    int file = s_file(name);
    CU_ASSERT_EQUAL(pwrite(file, bytes, size, (off_t)at), (ssize_t)size);
    close(file);
}

static void
s_flip(const char *name, size_t at, unsigned bit)
{
    uint8_t byte = 0;
    int file = s_file(name);
    CU_ASSERT_EQUAL(pread(file, &byte, 1, (off_t)at), 1);
    byte ^= (uint8_t)(1 << bit);
    CU_ASSERT_EQUAL(pwrite(file, &byte, 1, (off_t)at), 1);
    close(file);
}

static size_t
s_aside(const char *why) // how many folders
{
    char pattern[160];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s.%s-*", s_folder, why);
    size_t count = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
    if (count)
        globfree(&found);
    return count;
}

static uint64_t s_random;

static size_t
s_choose(size_t below)
{
    s_random = s_random * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(s_random >> 33) % below;
}

// Where that session's newest record is in the journal.
static size_t
s_record(unsigned session)
{
    id16 id = s_id(session);
    size_t size = s_size(JOURNAL_NAME);
    uint8_t *bytes = malloc(size);
    int file = s_file(JOURNAL_NAME);
    CU_ASSERT_EQUAL_FATAL(pread(file, bytes, size, 0), (ssize_t)size);
    close(file);
    const uint8_t *found = memmem(bytes, size, &id, sizeof id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    size_t at = (size_t)(found - bytes) - offsetof(journal_head, session);
    free(bytes);
    return at;
}

// --- tests ----------------------------------------------------------------------------------------------

static void
test_nothing_is_damaged(void)
{
    s_begin();
    s_fill();
    CU_ASSERT_EQUAL(s_sound(), SESSIONS);
    CU_ASSERT_EQUAL(s_sound(), SESSIONS);
    CU_ASSERT_EQUAL(s_aside("damaged"), 0);
    s_end();
}

static void
test_a_record_of_the_journal(void)
{
    s_begin();
    s_fill();
    s_flip(JOURNAL_NAME, s_record(3) + sizeof(journal_head) + 200, 4);
    store *self = s_open();
    CU_ASSERT_EQUAL(s_look(self, 3, 2), GONE); // its tables have an older one
    CU_ASSERT_EQUAL(s_count_sound(self), SESSIONS - 1);
    CU_ASSERT_EQUAL(s_aside("damaged"), 1);
    store_destroy(&self);
    CU_ASSERT_EQUAL(s_sound(), SESSIONS - 1);
    CU_ASSERT_EQUAL(s_aside("damaged"), 1);
    s_end();
}

// Nobody knows whose they were but for the counts; others that might have been meant are dropped with them.
static void
test_a_hole_in_the_journal(void)
{
    unsigned sharing = 0;
    uint8_t zeros[2000] = {0};
    s_begin();
    s_fill();
    for (unsigned i = 0; i < SESSIONS; i++)
        sharing += journal_bucket(s_id(i)) == journal_bucket(s_id(5));
    s_write(JOURNAL_NAME, s_record(5), zeros, sizeof zeros);
    store *self = s_open();
    CU_ASSERT_EQUAL(s_look(self, 5, 2), GONE);
    CU_ASSERT_EQUAL(s_count_sound(self), SESSIONS - sharing);
    CU_ASSERT_EQUAL(s_look(self, 19, 2), SOUND); // behind it
    CU_ASSERT_EQUAL(s_aside("damaged"), 1);
    store_destroy(&self);
    s_end();
}

// What a session says as a whole behind the hole is not in doubt.
static void
test_whole_behind_a_hole(void)
{
    s_begin();
    s_fill();
    store *self = s_open();
    s_put(self, 5, SNAPSHOT_CHANGES, 3);
    s_put(self, 5, SNAPSHOT_FULL, 4);
    store_destroy(&self);
    s_flip(JOURNAL_NAME, s_record(5) + 1, 1);
    self = s_open();
    CU_ASSERT_EQUAL(s_look(self, 5, 4), SOUND);
    store_destroy(&self);
    s_end();
}

static void
test_the_journal_is_cut_off(void)
{
    s_begin();
    s_fill();
    size_t size = s_record(10) + 30;
    s_cut(JOURNAL_NAME, size);
    store *self = s_open();
    CU_ASSERT_EQUAL(s_look(self, 9, 2), SOUND);
    CU_ASSERT_EQUAL(s_look(self, 10, 1), SOUND); // as if its last event had not been
    CU_ASSERT_EQUAL(s_aside("damaged"), 0);
    store_destroy(&self);
    s_end();
}

static void
test_bits_of_the_journal(void)
{
    for (s_random = 1; s_random < ROUNDS * 1000; s_random += 1000) {
        uint64_t seed = s_random;
        s_begin();
        s_fill();
        size_t used = s_record(SESSIONS / 2 - 1) + 6000;
        s_flip(JOURNAL_NAME, s_choose(used), (unsigned)s_choose(8));
        CU_ASSERT_TRUE(s_sound() >= SESSIONS - 6);
        CU_ASSERT_EQUAL(s_aside("damaged"), 1);
        s_end();
        s_random = seed;
    }
}

static void
test_bits_of_the_tables(void)
{
    for (s_random = 1; s_random < ROUNDS * 1000; s_random += 1000) {
        uint64_t seed = s_random;
        s_begin();
        s_fill();
        for (unsigned i = 0; i < 3; i++)
            s_flip("data.mdb", s_choose(s_size("data.mdb")), (unsigned)s_choose(8));
        unsigned sound = s_sound();
        CU_ASSERT_TRUE(sound == SESSIONS || s_aside("damaged") == 1);
        CU_ASSERT_EQUAL(s_sound(), sound); // and now it is well
        CU_ASSERT_TRUE(s_aside("damaged") <= 1);
        s_end();
        s_random = seed;
    }
}

static void
test_either_meta_page(void)
{
    const uint8_t zeros[PAGE] = {0};
    for (unsigned page = 0; page < 2; page++) {
        s_begin();
        s_fill();
        s_write("data.mdb", page * PAGE, zeros, PAGE);
        CU_ASSERT_EQUAL(s_sound(), SESSIONS);
        CU_ASSERT_EQUAL(s_aside("damaged"), 1);
        s_end();
    }
}

static void
test_the_tables_are_cut_off(void)
{
    s_begin();
    s_fill();
    size_t whole = s_size("data.mdb");
    s_end();
    const size_t sizes[] = {0, 1, PAGE, 2 * PAGE, 3 * PAGE + 5, whole / 2, whole - PAGE, whole - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        s_begin();
        s_fill();
        s_cut("data.mdb", sizes[i]);
        unsigned sound = s_sound();
        CU_ASSERT_TRUE(sound == SESSIONS || s_aside("damaged") == (sizes[i] >= 2 * PAGE));
        s_end();
    }
}

// Each start is known by a number that no other has had, whatever was lost.
static void
test_the_boot_number(void)
{
    uint64_t boot;
    s_begin();
    s_fill();
    store *self = s_open();
    CU_ASSERT_EQUAL(store_boot(self, 5000000, &boot), OK);
    CU_ASSERT_EQUAL(boot, 5000000);
    s_put(self, 1, SNAPSHOT_FULL, 1);
    store_destroy(&self);
    s_cut("data.mdb", 0);
    self = s_open();
    CU_ASSERT_EQUAL(store_boot(self, 1000, &boot), OK); // the clock was set back
    CU_ASSERT_EQUAL(boot, 5000000 + BOOT_STEP);
    CU_ASSERT_EQUAL(s_look(self, 1, 1), SOUND); // the journal had all of it
    store_destroy(&self);
    s_end();
}

static void
test_another_versions_tables(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi sessions;
    s_begin();
    CU_ASSERT_EQUAL(mkdir(s_folder, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 3);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, s_folder, 0, 0600), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL(mdb_dbi_open(txn, "sessions", MDB_CREATE, &sessions), 0);
    CU_ASSERT_EQUAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    s_make_file(s_path(JOURNAL_NAME), "older batches", 13);
    s_fill();
    CU_ASSERT_EQUAL(s_sound(), SESSIONS);
    CU_ASSERT_EQUAL(s_aside("other-version"), 1);
    CU_ASSERT_EQUAL(s_aside("damaged"), 0);
    s_end();
}

static void
s_put_in_place(unsigned damage)
{
    static uint8_t bytes[3 * PAGE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)s_choose(256);
    if (damage < 4)
        CU_ASSERT_EQUAL(mkdir(s_folder, 0700), 0);
    switch (damage) {
    case 0:
        CU_ASSERT_EQUAL(mkdir(s_path("data.mdb"), 0700), 0);
        break;
    case 1:
        CU_ASSERT_EQUAL(mkdir(s_path(JOURNAL_NAME), 0700), 0);
        break;
    case 2:
        CU_ASSERT_EQUAL(mkfifo(s_path(JOURNAL_NAME), 0600), 0);
        break;
    case 3:
        s_make_file(s_path("data.mdb"), bytes, sizeof bytes);
        break;
    default:
        s_make_file(s_folder, "no folder", 9);
    }
}

static void
test_what_is_no_store(void)
{
    for (unsigned damage = 0; damage < 5; damage++) {
        s_begin();
        s_put_in_place(damage);
        s_fill();
        CU_ASSERT_EQUAL(s_sound(), SESSIONS);
        CU_ASSERT_EQUAL(s_aside("damaged"), 1);
        s_end();
    }
}

static void
test_one_process_at_a_time(void)
{
    char why[256] = "";
    s_begin();
    store *self = s_open();
    CU_ASSERT_PTR_NULL(store_new(s_folder, LIMIT, 8, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "another broker is using it"));
    store_destroy(&self);
    self = s_open();
    store_destroy(&self);
    s_end();
}

// While it is open: what is damaged is not given out, and the others are.
static void
test_damage_to_open_tables(void)
{
    s_begin();
    s_fill();
    store *self = s_open();
    slice value = s_value(7, 2, 2);
    size_t size = s_size("data.mdb");
    uint8_t *bytes = malloc(size);
    int file = s_file("data.mdb");
    CU_ASSERT_EQUAL_FATAL(pread(file, bytes, size, 0), (ssize_t)size);
    const uint8_t *found = memmem(bytes, size, value.data, value.size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    for (; found; found = memmem(found + 1, size - (size_t)(found + 1 - bytes), value.data, value.size))
        s_flip("data.mdb", (size_t)(found - bytes) + 3000, 3);
    CU_ASSERT_TRUE(store_has(self, s_id(7)));
    CU_ASSERT_EQUAL(s_look(self, 7, 2), GONE);
    CU_ASSERT_FALSE(store_has(self, s_id(7)));
    CU_ASSERT_EQUAL(s_count_sound(self), SESSIONS - 1);
    s_put(self, 7, SNAPSHOT_FULL, 2);
    CU_ASSERT_EQUAL(s_count_sound(self), SESSIONS);
    free(bytes);
    close(file);
    store_destroy(&self);
    s_end();
}

static const unit_test s_tests[] = {
    {"nothing is damaged", test_nothing_is_damaged},
    {"a record of the journal", test_a_record_of_the_journal},
    {"a hole in the journal", test_a_hole_in_the_journal},
    {"whole behind a hole", test_whole_behind_a_hole},
    {"the journal is cut off", test_the_journal_is_cut_off},
    {"bits of the journal", test_bits_of_the_journal},
    {"bits of the tables", test_bits_of_the_tables},
    {"either meta page", test_either_meta_page},
    {"the tables are cut off", test_the_tables_are_cut_off},
    {"the boot number", test_the_boot_number},
    {"another version's tables", test_another_versions_tables},
    {"what is no store", test_what_is_no_store},
    {"one process at a time", test_one_process_at_a_time},
    {"damage to open tables", test_damage_to_open_tables},
};
UNIT_MAIN("store damage", s_tests)
