// What replies bring for the store, what a move packs, and what restoring either of them gives.
#include "proto/snapshot.h"

#include "tests/unit.h"
#include "tests/worker/fake.h"

static fake s_fake;
static session *s_session;
static turn_result s_result;

static void
s_begin(void)
{
    fake_init(&s_fake);
    s_fake.store = 1;
    s_session = session_new(FAKE_SESSION, 5);
}

static void
s_end_session(void)
{
    session_close_views(s_session, &s_fake.ops);
    session_destroy(&s_session);
}

static void
s_finish(void)
{
    s_end_session();
    fake_fini(&s_fake);
}

static const reply *
s_run(request *request)
{
    return fake_run(&s_fake, s_session, request, &s_result);
}

static const reply *
s_event(uint64_t sequence, const char *name, uint16_t flags)
{
    return s_run(fake_event(&s_fake, sequence, FAKE_VIEW, name, flags));
}

// The kind of what a reply brings along; 0: nothing.
static unsigned
s_kind(const reply *from)
{
    return from->snapshot.size ? from->snapshot.data[0] : 0;
}

// The count that it has; -1: none.
static int
s_count(const reply *from)
{
    snapshot_reader reader;
    snapshot_entry entry;
    int count = -1;
    if (snapshot_read(buffer_bytes(&from->snapshot), &reader))
        return -1;
    while (snapshot_next(&reader, &entry))
        if ((entry.root & 0xffff) == 3 && entry.bytes.size == sizeof count)
            memcpy(&count, entry.bytes.data, sizeof count);
    return count;
}

// What a broker would have after these answers: the newest bytes of each root, as one frame.
static void
s_store(buffer *kept, const reply *from)
{
    snapshot_reader old, new;
    snapshot_entry entry, other;
    buffer merged;
    buffer_init(&merged);
    snapshot_begin(&merged, SNAPSHOT_FULL);
    CU_ASSERT_EQUAL_FATAL(snapshot_read(buffer_bytes(&from->snapshot), &new), OK);
    if (new.kind == SNAPSHOT_CHANGES && !snapshot_read(buffer_bytes(kept), &old))
        while (snapshot_next(&old, &entry)) {
            bool replaced = false;
            for (snapshot_reader walk = new; snapshot_next(&walk, &other);)
                replaced |= other.root == entry.root;
            if (!replaced)
                snapshot_put(&merged, entry.root, entry.bytes);
        }
    while (snapshot_next(&new, &entry))
        if (!entry.gone)
            snapshot_put(&merged, entry.root, entry.bytes);
    buffer_fini(kept);
    *kept = merged;
}

static void
s_store_reply(buffer *kept, const reply *from)
{
    uint8_t head[HEADER_SIZE];
    header_encode(&from->head, head);
    size_t opened = snapshot_open(kept, ROOT_REPLIES | (uint32_t)(from->head.sequence % MAX_REPLIES_KEPT));
    buffer_append(kept, head, sizeof head);
    buffer_slice(kept, buffer_bytes(&from->body));
    snapshot_close(kept, opened);
}

// The session of that frame, in another worker.
static void
s_revive(const buffer *kept)
{
    s_end_session();
    s_session = session_new(FAKE_SESSION, 9);
    request *restore = fake_request(&s_fake, MSG_RESTORE, 0, 0, buffer_bytes(kept));
    restore->head.epoch = 9;
    turn_result result = dispatch_request(s_session, &restore, &s_fake.host);
    CU_ASSERT_EQUAL(result, TURN_ANSWERED);
}

static bool
s_is_restored(const reply *joined)
{
    reader reader;
    reader_init(&reader, buffer_bytes(&joined->body));
    return reader_opt_bool(&reader, "restored");
}

static void
s_what_comes_along(void)
{
    s_begin();
    const reply *reply = s_run(fake_mount(&s_fake, 0, FAKE_VIEW));
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_count(reply), 0);
    reply = s_event(1, "increment", 0);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(s_count(reply), 1);
    reply = s_event(2, "nothing", 0);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_CHANGES); // its number is used
    CU_ASSERT_EQUAL(s_count(reply), -1);
    CU_ASSERT_EQUAL(s_kind(s_event(3, "raise", 0)), SNAPSHOT_CHANGES); // so here
    reply = s_event(3, "raise", 0); // a repeat: its number shows whether the others were lost
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&reply->snapshot)), 5);
    CU_ASSERT_EQUAL(s_kind(s_event(9, "increment", 0)), 0); // a gap
    CU_ASSERT_EQUAL(s_kind(s_run(fake_refresh(&s_fake, FAKE_VIEW, NULL, false))), 0);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_mount(&s_fake, 0, FAKE_OTHER))), SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_view_request(&s_fake, MSG_UNMOUNT, FAKE_OTHER))), SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_view_request(&s_fake, MSG_UNMOUNT, FAKE_VIEW))), SNAPSHOT_NONE);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_mount(&s_fake, 0, FAKE_VIEW))), SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_kind(s_event(4, "increment", 0)), SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(s_kind(s_event(5, "increment", FLAG_WHOLE)), SNAPSHOT_FULL); // the store lost it
    CU_ASSERT_EQUAL(s_kind(s_event(6, "increment", 0)), SNAPSHOT_CHANGES);
    s_fake.store = 0;
    CU_ASSERT_EQUAL(s_kind(s_event(7, "increment", 0)), 0);
    s_finish();
}

static void
s_is_kept(unsigned number, uint8_t kind) // when it is asked for
{
    const reply *kept = s_run(fake_request(&s_fake, MSG_KEEP, 0, 0, (slice){0}));
    CU_ASSERT_EQUAL_FATAL(kept->head.type, MSG_KEPT);
    CU_ASSERT_EQUAL(kept->head.sequence, 0);
    CU_ASSERT_EQUAL(kept->client.size, 0);
    CU_ASSERT_EQUAL(s_kind(kept), kind);
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&kept->snapshot)), number);
}

static void
s_what_is_asked_for(void)
{
    s_begin();
    CU_ASSERT_EQUAL(s_kind(s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW))), 0);
    s_is_kept(0, 0);
    const reply *reply = s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    CU_ASSERT_EQUAL(snapshot_number(buffer_bytes(&reply->snapshot)), 1);
    s_event(1, "increment", 0);
    s_is_kept(3, SNAPSHOT_FULL);
    reply = s_event(2, "increment", 0);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(s_count(reply), 2);
    s_fake.unpackable = true;
    s_is_kept(0, SNAPSHOT_NONE);
    s_fake.unpackable = false;
    s_is_kept(6, SNAPSHOT_FULL);
    s_fake.store = 0;
    s_is_kept(0, 0);
    s_finish();
}

static void
s_a_page_that_nobody_joined(void)
{
    s_begin();
    CU_ASSERT_EQUAL(s_kind(s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW))), 0);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1))), SNAPSHOT_FULL);
    s_finish();
}

static void
s_what_cannot_be_kept(void)
{
    s_begin();
    s_fake.unpackable = true;
    CU_ASSERT_EQUAL(s_kind(s_run(fake_mount(&s_fake, 0, FAKE_VIEW))), SNAPSHOT_NONE);
    CU_ASSERT_EQUAL(s_kind(s_event(1, "increment", 0)), 0); // it was said
    s_fake.unpackable = false;
    CU_ASSERT_EQUAL(s_kind(s_event(2, "increment", 0)), 0);
    CU_ASSERT_EQUAL(s_kind(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1))), SNAPSHOT_FULL); // and is tried again
    CU_ASSERT_EQUAL(s_count(s_event(3, "increment", 0)), 3);
    s_finish();
}

static void
s_there_and_back(void)
{
    static const char html[] = "<main dj-root>1</main>";
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_store(&kept, s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1)));
    const reply *reply = s_event(1, "increment", FLAG_BROWSER);
    s_store(&kept, reply);
    s_store_reply(&kept, reply);
    s_revive(&kept);
    CU_ASSERT_EQUAL(session_last_event(s_session), 1);
    CU_ASSERT_EQUAL(session_generation(s_session), 1);
    CU_ASSERT_TRUE(slice_is(session_identity(s_session), "ann"));
    CU_ASSERT_TRUE(session_deadline(s_session) < UINT64_MAX); // its page may never come
    reply = s_event(1, "increment", FLAG_BROWSER);
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_TRUE(reply->head.flags & FLAG_REPEAT);
    CU_ASSERT_EQUAL(reply->head.epoch, 9);
    reply = s_run(fake_join(&s_fake, 1, FAKE_VIEW, 2)); // the very version that it shows
    CU_ASSERT_EQUAL(reply->head.type, MSG_JOINED);
    CU_ASSERT_TRUE(s_is_restored(reply));
    CU_ASSERT_EQUAL(fake_uint(reply, "last"), 1);
    CU_ASSERT_PTR_NOT_NULL(memmem(reply->body.data, reply->body.size, html, strlen(html)));
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_FULL); // numbers of attributes are this worker's
    CU_ASSERT_EQUAL(s_count(s_event(2, "increment", 0)), 2);
    CU_ASSERT_FALSE(s_is_restored(s_run(fake_join(&s_fake, 2, FAKE_VIEW, 3))));
    s_finish();
    buffer_fini(&kept);
}

// A page that did not hear how its join went has to be told by the next one, on whatever worker that is: what
// it had sent may have been done by the dead one.
static void
s_an_answer_that_was_not_heard(void)
{
    buffer kept, moved;
    buffer_init(&kept);
    buffer_init(&moved);
    s_begin();
    s_store(&kept, s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1)));
    s_revive(&kept);
    CU_ASSERT_TRUE(s_is_restored(s_run(fake_join(&s_fake, 1, FAKE_VIEW, 2))));
    s_run(fake_request(&s_fake, MSG_LEAVE, SEQUENCE_REQUEST | 2, 0, slice_text("\x80")));
    const reply *joined = s_run(fake_join(&s_fake, 1, FAKE_VIEW, 2));
    CU_ASSERT_TRUE(s_is_restored(joined));
    uint64_t generation = fake_uint(joined, "generation");
    s_fake.request = "/";
    buffer_slice(&moved, buffer_bytes(&s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}))->snapshot));
    s_revive(&moved);
    joined = s_run(fake_join(&s_fake, generation, FAKE_VIEW, 2));
    CU_ASSERT_TRUE(s_is_restored(joined));
    generation = fake_uint(joined, "generation");
    CU_ASSERT_EQUAL(s_event(1, "increment", FLAG_BROWSER | FLAG_AGAIN)->head.type, MSG_UNKNOWN);
    CU_ASSERT_FALSE(s_is_restored(s_run(fake_join(&s_fake, generation, FAKE_VIEW, 2))));
    s_finish();
    buffer_fini(&kept);
    buffer_fini(&moved);
}

// A session that goes to another worker between two turns: nothing of it is in doubt, and nobody joins it.
static void
s_moves(void)
{
    buffer moved;
    buffer_init(&moved);
    s_begin();
    s_run(fake_mount(&s_fake, FLAG_PAGE | FLAG_UNADOPTED, FAKE_VIEW));
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    s_event(1, "increment", FLAG_BROWSER);
    s_event(2, "increment", FLAG_BROWSER);
    s_fake.request = "/page?1";
    const reply *reply = s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}));
    CU_ASSERT_EQUAL(s_result, TURN_MOVES);
    CU_ASSERT_EQUAL(reply->head.type, MSG_MOVED);
    CU_ASSERT_EQUAL(s_fake.open_views, 0);
    buffer_slice(&moved, buffer_bytes(&reply->snapshot));
    s_revive(&moved);
    CU_ASSERT_STRING_EQUAL(s_fake.joined, "/page?1");
    CU_ASSERT_EQUAL(session_deadline(s_session), UINT64_MAX); // its page is there
    reply = s_event(2, "increment", FLAG_BROWSER);
    CU_ASSERT_TRUE(reply->head.flags & FLAG_REPEAT);
    CU_ASSERT_EQUAL(reply->head.epoch, 9);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_FULL); // this worker has stored nothing of it yet
    reply = s_event(3, "increment", FLAG_BROWSER);
    CU_ASSERT_EQUAL(reply->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_CHANGES);
    CU_ASSERT_EQUAL(s_count(reply), 3);
    CU_ASSERT_FALSE(s_is_restored(s_run(fake_join(&s_fake, 1, FAKE_VIEW, 1))));
    s_finish();
    buffer_fini(&moved);
}

static void
s_moves_while_its_page_is_away(void)
{
    buffer moved;
    buffer_init(&moved);
    s_begin();
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    s_run(fake_request(&s_fake, MSG_LEAVE, SEQUENCE_REQUEST | 2, 0, slice_text("\x80")));
    s_fake.now += 20000;
    buffer_slice(&moved, buffer_bytes(&s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}))->snapshot));
    s_fake.now += 1000;
    s_revive(&moved);
    CU_ASSERT_EQUAL(session_deadline(s_session), s_fake.now + DETACHED_MS - 20000);
    s_finish();
    buffer_fini(&moved);
}

// A view whose user cannot be asked, or may no longer see it: its page is told, and nothing runs before it
// joins.
static void
s_moves_unjoined(void)
{
    buffer moved;
    buffer_init(&moved);
    s_begin();
    s_fake.interval = 1000;
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    s_event(1, "increment", FLAG_BROWSER);
    s_fake.request = "/";
    buffer_slice(&moved, buffer_bytes(&s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}))->snapshot));
    s_fake.armed = TIMER_NEVER;
    s_fake.forbid = true;
    s_revive(&moved);
    CU_ASSERT_FATAL(s_fake.count > 0);
    const reply *push = s_fake.answers[s_fake.count - 1];
    CU_ASSERT_EQUAL(push->head.type, MSG_PUSH);
    CU_ASSERT_EQUAL(push->head.sequence, 0);
    CU_ASSERT_EQUAL(push->snapshot.size, 0);
    s_fake.forbid = false;
    s_fake.changed = true;
    s_fake.now += 60000;
    CU_ASSERT_PTR_NULL(fake_push(&s_fake, s_session, &s_result)); // what changed is not shown
    CU_ASSERT_EQUAL(s_fake.armed, TIMER_NEVER);                   // and it does not tick
    s_fake.changed = false;
    const reply *refused = s_event(2, "increment", FLAG_BROWSER);
    CU_ASSERT_EQUAL(refused->head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_STRING_EQUAL(fake_text(refused, "reason", (char[2048]){0}), "unknown_session");
    refused = s_run(fake_refresh(&s_fake, FAKE_VIEW, NULL, false));
    CU_ASSERT_EQUAL(refused->head.type, MSG_NOT_EXECUTED);
    CU_ASSERT_EQUAL(s_run(fake_join(&s_fake, 1, FAKE_VIEW, 1))->head.type, MSG_JOINED);
    CU_ASSERT_EQUAL(s_count(s_event(2, "increment", FLAG_BROWSER)), 2); // its state has come along
    s_finish();
    buffer_fini(&moved);
}

// What cannot be packed cannot move: the page begins anew.
static void
s_moves_not(void)
{
    buffer moved;
    buffer_init(&moved);
    s_begin();
    s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1));
    s_fake.unpackable = true;
    s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}));
    CU_ASSERT_EQUAL(s_result, TURN_ENDS);
    s_fake.unpackable = false;
    s_fake.request = "/";
    buffer_slice(&moved, buffer_bytes(&s_run(fake_request(&s_fake, MSG_MOVE, 0, 0, (slice){0}))->snapshot));
    s_end_session();
    s_session = session_new(FAKE_SESSION, 11);
    request *restore = fake_request(&s_fake, MSG_RESTORE, 0, 0, slice_of(moved.data, moved.size - 1));
    CU_ASSERT_EQUAL(dispatch_request(s_session, &restore, &s_fake.host),
                    TURN_ANSWERED); // unreadable, and so not known to move
    s_finish();
    buffer_fini(&moved);
}

// What the worker before may have begun is not run again, but where that does no harm; either uses the
// number.
static void
s_again(void)
{
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_store(&kept, s_run(fake_mount(&s_fake, 0, FAKE_VIEW)));
    s_revive(&kept);
    const reply *reply = s_event(1, "increment", FLAG_AGAIN);
    CU_ASSERT_EQUAL(reply->head.type, MSG_UNKNOWN);
    CU_ASSERT_EQUAL(s_kind(reply), SNAPSHOT_FULL);
    CU_ASSERT_EQUAL(s_count(reply), 0);
    CU_ASSERT_EQUAL(s_event(2, "nothing", FLAG_AGAIN)->head.type, MSG_DONE);
    CU_ASSERT_EQUAL(s_count(s_event(3, "increment", 0)), 1);
    CU_ASSERT_EQUAL(s_event(1, "increment", 0)->head.type, MSG_UNKNOWN); // a repeat
    s_finish();
    buffer_fini(&kept);
}

static void
s_answered_by_the_broker(void)
{
    static const uint8_t settled[8] = {[7] = 4};
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_store(&kept, s_run(fake_mount(&s_fake, 0, FAKE_VIEW)));
    snapshot_put(&kept, ROOT_SETTLED, slice_of(settled, sizeof settled));
    s_revive(&kept);
    CU_ASSERT_EQUAL(session_last_event(s_session), 4);
    CU_ASSERT_EQUAL(s_event(5, "increment", 0)->head.type, MSG_DONE);
    s_finish();
    buffer_fini(&kept);
}

// Whatever is wrong with a snapshot, the session is as new, and its page is mounted afresh.
static void
s_bad_snapshots(void)
{
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_store(&kept, s_run(fake_mount(&s_fake, 0, FAKE_VIEW)));
    for (size_t index = 0; index < kept.size; index++) {
        uint8_t before = kept.data[index];
        kept.data[index] ^= 0x55;
        s_revive(&kept);
        kept.data[index] = before;
    }
    for (size_t size = kept.size; size-- > 0;) {
        kept.size = size;
        s_revive(&kept);
        CU_ASSERT_TRUE(session_view_count(s_session) <= 1);
    }
    CU_ASSERT_TRUE(session_is_new(s_session));
    CU_ASSERT_EQUAL(s_run(fake_join(&s_fake, 0, FAKE_VIEW, 1))->head.type, MSG_JOINED);
    s_finish();
    buffer_fini(&kept);
}

typedef struct {
    id16 first, second; // ids of two views
    uint64_t number, last, numbers;
} made_up;

static void
s_put_made_up(buffer *out, const made_up *like)
{
    const id16 ids[] = {like->first, like->second};
    snapshot_begin(out, SNAPSHOT_FULL);
    size_t opened = snapshot_open(out, ROOT_PROGRESS);
    writer writer = writer_on(out);
    writer_map(writer, 4);
    writer_key_uint(writer, "last", like->last);
    writer_key_uint(writer, "generation", 1);
    writer_key_uint(writer, "numbers", like->numbers);
    writer_key(writer, "versions");
    writer_list(writer, 0);
    snapshot_close(out, opened);
    opened = snapshot_open(out, ROOT_SESSION);
    writer_map(writer, 2);
    writer_key_bin(writer, "identity", slice_text("ann"));
    writer_key(writer, "views");
    writer_list(writer, 2);
    for (unsigned i = 0; i < 2; i++) {
        writer_map(writer, 3);
        writer_key_bin(writer, "view", slice_of(ids[i].bytes, ID_SIZE));
        writer_key_uint(writer, "number", i ? like->number : 0);
        writer_key_str(writer, "path", slice_text("shop.Cart"));
    }
    snapshot_close(out, opened);
}

// As if it moved, with a request for each of its views.
static void
s_put_requests(buffer *out)
{
    writer writer = writer_on(out);
    size_t opened = snapshot_open(out, ROOT_LEASE);
    writer_map(writer, 2);
    writer_key_uint(writer, "kind", 0);
    writer_key_uint(writer, "left_ms", 1000);
    snapshot_close(out, opened);
    for (unsigned i = 0; i < 2; i++) {
        opened = snapshot_open(out, ROOT_REQUESTS | i);
        writer_map(writer, 1);
        writer_key_str(writer, "url", slice_text("/"));
        snapshot_close(out, opened);
    }
}

static unsigned
s_views_of(const made_up *like, bool moves)
{
    buffer frame;
    buffer_init(&frame);
    s_put_made_up(&frame, like);
    if (moves)
        s_put_requests(&frame);
    s_end_session();
    s_session = session_new(FAKE_SESSION, 9);
    request *restore = fake_request(&s_fake, MSG_RESTORE, 0, 0, buffer_bytes(&frame));
    (void)dispatch_request(s_session, &restore, &s_fake.host);
    buffer_fini(&frame);
    return session_view_count(s_session);
}

// Views that cannot be told apart, and numbers that leave none for what comes next.
static void
s_senseless_snapshots(void)
{
    const made_up good = {FAKE_VIEW, FAKE_OTHER, 1, 4, 2};
    made_up one_id = good, one_number = good, no_next_view = good, no_next_event = good;
    one_id.second = FAKE_VIEW;
    one_number.number = 0;
    no_next_view.numbers = 1;
    no_next_event.last = UINT64_MAX;
    s_begin();
    CU_ASSERT_EQUAL(s_views_of(&good, true), 2);
    CU_ASSERT_EQUAL(s_views_of(&one_id, false), 0);
    CU_ASSERT_EQUAL(s_views_of(&one_number, false), 0);
    CU_ASSERT_EQUAL(s_views_of(&no_next_view, false), 0);
    CU_ASSERT_EQUAL(s_views_of(&no_next_event, false), 0);
    s_fake.forbid = true; // authorize() closes the first, and the second has its id
    CU_ASSERT_EQUAL(s_views_of(&one_id, true), 0);
    s_finish();
}

// A reply that answers no event is nobody's to hear.
static void
s_senseless_replies(void)
{
    uint8_t bytes[HEADER_SIZE + 1] = {[HEADER_SIZE] = 0x80};
    header welcome = {.version = PROTOCOL_VERSION, .type = MSG_WELCOME, .sequence = 1};
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_store(&kept, s_run(fake_mount(&s_fake, 0, FAKE_VIEW)));
    s_store(&kept, s_event(1, "increment", 0));
    header_encode(&welcome, bytes);
    snapshot_put(&kept, ROOT_REPLIES | 1, slice_of(bytes, sizeof bytes));
    s_revive(&kept);
    CU_ASSERT_EQUAL(s_event(1, "increment", 0)->head.type, MSG_UNKNOWN);
    s_finish();
    buffer_fini(&kept);
}

// A reply goes to who asked in this session, whatever its header says.
static void
s_a_reply_of_another_session(void)
{
    uint8_t bytes[HEADER_SIZE + 1] = {[HEADER_SIZE] = 0x80};
    header done = {
        .version = PROTOCOL_VERSION, .type = MSG_DONE, .flags = 7, .session = FAKE_OTHER, .sequence = 1};
    buffer kept;
    buffer_init(&kept);
    s_begin();
    s_store(&kept, s_run(fake_mount(&s_fake, 0, FAKE_VIEW)));
    s_store(&kept, s_event(1, "increment", 0));
    header_encode(&done, bytes);
    snapshot_put(&kept, ROOT_REPLIES | 1, slice_of(bytes, sizeof bytes));
    s_revive(&kept);
    const reply *again = s_event(1, "increment", 0);
    CU_ASSERT_EQUAL(again->head.type, MSG_DONE);
    CU_ASSERT(id_equal(again->head.session, FAKE_SESSION));
    CU_ASSERT_EQUAL(again->head.flags, FLAG_REPEAT);
    s_finish();
    buffer_fini(&kept);
}

static const unit_test s_tests[] = {
    {"what comes along", s_what_comes_along},
    {"what is asked for", s_what_is_asked_for},
    {"a page that nobody joined", s_a_page_that_nobody_joined},
    {"what cannot be kept", s_what_cannot_be_kept},
    {"there and back", s_there_and_back},
    {"an answer that was not heard", s_an_answer_that_was_not_heard},
    {"moves", s_moves},
    {"moves while its page is away", s_moves_while_its_page_is_away},
    {"moves unjoined", s_moves_unjoined},
    {"moves not", s_moves_not},
    {"what may have been done", s_again},
    {"what the broker answered", s_answered_by_the_broker},
    {"bad snapshots", s_bad_snapshots},
    {"snapshots that make no sense", s_senseless_snapshots},
    {"replies that make no sense", s_senseless_replies},
    {"a reply of another session", s_a_reply_of_another_session},
};
UNIT_MAIN("snapshot", s_tests)
