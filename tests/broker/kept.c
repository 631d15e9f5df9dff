// The fixture of the tests of persistence: starts the broker again on the same store.
#include "tests/broker/kept.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE (400 << 10)

stage kept_stage;
char kept_state[64];
zsock_t *kept_client, *kept_worker;
uint64_t kept_epoch;

void
kept_begin(void)
{
    strcpy(kept_state, "/tmp/troupe-keep-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(kept_state));
    stage_begin_in(&kept_stage, kept_state);
    kept_open_peers("c1", "r1", "alpha");
    stage_ask(kept_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1));
    arrival asked = stage_receive(&kept_stage, kept_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_JOIN);
    kept_epoch = asked.head.epoch;
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    snapshot_put(&frame, 7, slice_text("joined"));
    stage_say_kept(kept_worker, "c1", header_reply(&asked.head, MSG_JOINED), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_JOINED);
    buffer_fini(&frame);
}

void
kept_end(void)
{
    char path[96];
    kept_close_peers();
    stage_end(&kept_stage);
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", kept_state, *name);
        unlink(path);
    }
    rmdir(kept_state);
}

void
kept_event(uint64_t number, const char *now)
{
    stage_ask(kept_client, request_of(MSG_EVENT, 1, kept_epoch, number));
    arrival asked = stage_receive(&kept_stage, kept_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text(now));
    stage_say_kept(kept_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    arrival done = stage_receive(&kept_stage, kept_client);
    CU_ASSERT_EQUAL(done.head.type, MSG_DONE);
    CU_ASSERT_EQUAL(done.frames, 2); // the snapshot is nobody else's
    buffer_fini(&frame);
}

const char *
kept_root(const arrival *restore, uint32_t root)
{
    static char text[128];
    snapshot_reader in;
    snapshot_entry entry;
    CU_ASSERT_EQUAL_FATAL(snapshot_read(restore->snapshot, &in), OK);
    CU_ASSERT_EQUAL(in.kind, SNAPSHOT_FULL);
    while (snapshot_next(&in, &entry))
        if (entry.root == root && entry.bytes.size < sizeof text) {
            memcpy(text, entry.bytes.data, entry.bytes.size);
            text[entry.bytes.size] = '\0';
            return text;
        }
    return NULL;
}

void
kept_lose_worker(void)
{
    zsock_t *socket = kept_worker;
    kept_worker = stage_worker(&kept_stage, "r2", "beta");
    stage_advance(&kept_stage, 7000);
    stage_heartbeat(kept_worker, 1);
    stage_advance(&kept_stage, 1500);
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_worker).head.type, MSG_HEARTBEAT);
    zsock_destroy(&socket);
}

arrival
kept_ask_for_it(message_type type, uint16_t flags, uint64_t sequence)
{
    header head = request_of(type, 1, 0, sequence);
    head.flags = flags;
    stage_ask(kept_client, head);
    return stage_receive(&kept_stage, kept_worker);
}

void
kept_fill_disk(bool full)
{
    char path[96];
    struct stat found;
    struct rlimit limit;
    snprintf(path, sizeof path, "%s/data.mdb", kept_state);
    CU_ASSERT_EQUAL_FATAL(stat(path, &found), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = full ? (rlim_t)found.st_size : limit.rlim_max;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

arrival
kept_next_request(void)
{
    arrival asked = stage_receive(&kept_stage, kept_worker);
    while (asked.head.type == MSG_KEEP)
        asked = stage_receive(&kept_stage, kept_worker);
    return asked;
}

void
kept_frame(buffer *ret, uint8_t kind, uint32_t number, slice now)
{
    buffer_init(ret);
    snapshot_begin(ret, kind);
    if (number)
        snapshot_put_number(ret, number);
    snapshot_put(ret, 7, now);
}

uint16_t
kept_event_numbered(uint64_t number, uint8_t kind, uint32_t snapshot, slice now)
{
    stage_ask(kept_client, request_of(MSG_EVENT, 1, kept_epoch, number));
    arrival asked = kept_next_request();
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    kept_frame(&frame, kind, snapshot, now);
    stage_say_kept(kept_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&kept_stage, kept_client).head.type, MSG_DONE);
    buffer_fini(&frame);
    return asked.head.flags;
}

void
kept_open_peers(const char *as, const char *id, const char *name)
{
    kept_client = stage_client(&kept_stage, as);
    kept_worker = stage_worker(&kept_stage, id, name);
}

void
kept_close_peers(void)
{
    zsock_destroy(&kept_client);
    zsock_destroy(&kept_worker);
}

void
kept_large(buffer *ret)
{
    buffer_init(ret);
    memset(buffer_reserve(ret, LARGE), 'x', LARGE);
    buffer_wrote(ret, LARGE);
}
