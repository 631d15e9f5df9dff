// The fixture of the tests of persistence and the gap buffer: what is sent, stored and restored of one
// session.
#include "tests/broker/stored_session.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE (400 << 10)

stage stored_stage;
char stored_folder[64];
zsock_t *stored_client, *stored_worker;
uint64_t stored_epoch;

void
stored_begin(void)
{
    strcpy(stored_folder, "/tmp/troupe-keep-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(stored_folder));
    stage_begin_in(&stored_stage, stored_folder);
    stored_open_peers("c1", "r1", "alpha");
    stage_send_request(stored_client, request_of(MSG_JOIN, 1, 0, SEQUENCE_REQUEST | 1));
    arrival asked = stage_receive(&stored_stage, stored_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_JOIN);
    stored_epoch = asked.head.epoch;
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_FULL);
    snapshot_put(&frame, 7, slice_text("joined"));
    stage_send_snapshot(stored_worker, "c1", header_reply(&asked.head, MSG_JOINED), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_JOINED);
    buffer_fini(&frame);
}

void
stored_end(void)
{
    char path[96];
    stored_close_peers();
    stage_end(&stored_stage);
    for (const char *const *name = (const char *const[]){"data.mdb", "lock.mdb", "journal", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", stored_folder, *name);
        unlink(path);
    }
    rmdir(stored_folder);
}

void
stored_event(uint64_t number, const char *now)
{
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, stored_epoch, number));
    arrival asked = stage_receive(&stored_stage, stored_worker);
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    buffer_init(&frame);
    snapshot_begin(&frame, SNAPSHOT_CHANGES);
    snapshot_put(&frame, 7, slice_text(now));
    stage_send_snapshot(stored_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    arrival done = stage_receive(&stored_stage, stored_client);
    CU_ASSERT_EQUAL(done.head.type, MSG_DONE);
    CU_ASSERT_EQUAL(done.frames, 2); // the snapshot is nobody else's
    buffer_fini(&frame);
}

const char *
stored_root(const arrival *restore, uint32_t root)
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
stored_lose_worker(void)
{
    zsock_t *socket = stored_worker;
    stored_worker = stage_worker(&stored_stage, "r2", "beta");
    stage_advance(&stored_stage, 7000);
    stage_heartbeat(stored_worker, 1);
    stage_advance(&stored_stage, 1500);
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_worker).head.type, MSG_HEARTBEAT);
    zsock_destroy(&socket);
}

arrival
stored_request_again(message_type type, uint16_t flags, uint64_t sequence)
{
    header head = request_of(type, 1, 0, sequence);
    head.flags = flags;
    stage_send_request(stored_client, head);
    return stage_receive(&stored_stage, stored_worker);
}

void
stored_fill_disk(bool full)
{
    char path[96];
    struct stat found;
    struct rlimit limit;
    snprintf(path, sizeof path, "%s/data.mdb", stored_folder);
    CU_ASSERT_EQUAL_FATAL(stat(path, &found), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = full ? (rlim_t)found.st_size : limit.rlim_max;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

arrival
stored_next_request(void)
{
    arrival asked = stage_receive(&stored_stage, stored_worker);
    while (asked.head.type == MSG_KEEP)
        asked = stage_receive(&stored_stage, stored_worker);
    return asked;
}

void
stored_frame(buffer *ret, uint8_t kind, uint32_t number, slice now)
{
    buffer_init(ret);
    snapshot_begin(ret, kind);
    if (number)
        snapshot_put_number(ret, number);
    snapshot_put(ret, 7, now);
}

uint16_t
stored_event_numbered(uint64_t number, uint8_t kind, uint32_t snapshot, slice now)
{
    stage_send_request(stored_client, request_of(MSG_EVENT, 1, stored_epoch, number));
    arrival asked = stored_next_request();
    CU_ASSERT_EQUAL_FATAL(asked.head.type, MSG_EVENT);
    buffer frame;
    stored_frame(&frame, kind, snapshot, now);
    stage_send_snapshot(stored_worker, "c1", header_reply(&asked.head, MSG_DONE), buffer_bytes(&frame));
    CU_ASSERT_EQUAL(stage_receive(&stored_stage, stored_client).head.type, MSG_DONE);
    buffer_fini(&frame);
    return asked.head.flags;
}

void
stored_open_peers(const char *as, const char *id, const char *name)
{
    stored_client = stage_client(&stored_stage, as);
    stored_worker = stage_worker(&stored_stage, id, name);
}

void
stored_close_peers(void)
{
    zsock_destroy(&stored_client);
    zsock_destroy(&stored_worker);
}

void
stored_large(buffer *ret)
{
    buffer_init(ret);
    memset(buffer_reserve(ret, LARGE), 'x', LARGE);
    buffer_wrote(ret, LARGE);
}
