// A counter for a view: what its handlers do is in s_call; its page is a template, or a plan with two slots.
#include "tests/worker/fake.h"

#include "proto/snapshot.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

const id16 FAKE_SESSION = {"session-session"}, FAKE_VIEW = {"view-view-view-"},
           FAKE_OTHER = {"other-other-oth"};

typedef struct {
    int count, kept;
} counter;

static void *
s_scope_begin(void *host, uint64_t epoch)
{
    (void)epoch;
    ((fake *)host)->open_scopes++;
    return host;
}

static void
s_scope_move(void *host, void *scope)
{
    CU_ASSERT_PTR_EQUAL(host, scope);
}

static void
s_scope_end(void *host, void **scope_p)
{
    ((fake *)host)->open_scopes--;
    *scope_p = NULL;
}

static err
s_open(void *host, const open_args *args, void **ret_instance, fault *ret_fault)
{
    fake *self = host;
    if (slice_is(args->path, "refused")) {
        fault_set_message(ret_fault, "refused");
        return ERR_VIEW_REFUSED;
    }
    counter *made = args->instance ? args->instance : calloc(1, sizeof *made);
    self->open_views++;
    self->owner = args->owner;
    *ret_instance = made;
    return OK;
}

static void
s_close(void *host, void **instance_p)
{
    ((fake *)host)->open_views--;
    free(*instance_p);
    *instance_p = NULL;
}

static err
s_mount(void *host, void *instance, const mount_args *args, response *ret_response, fault *ret_fault)
{
    fake *self = host;
    (void)args, (void)instance;
    if (self->forbid) {
        fault_set_message(ret_fault, "no");
        return ERR_FORBIDDEN;
    }
    ret_response->status = self->mount_status;
    if (self->mount_status) {
        writer writer = writer_on(&ret_response->body);
        writer_map(writer, 1);
        writer_key_uint(writer, "status", self->mount_status);
    }
    return OK;
}

static err
s_join(void *host, void *instance, const mount_args *args, fault *ret_fault)
{
    (void)instance;
    fake *self = host;
    snprintf(self->joined, sizeof self->joined, "%.*s", (int)args->url.size, (const char *)args->url.data);
    if (self->forbid || self->raises)
        fault_set_message(ret_fault, "no");
    fault_set_effects(ret_fault, self->raised);
    return self->raises ? ERR_PYTHON : self->forbid ? ERR_FORBIDDEN : OK;
}

static err
s_call(void *host, void *instance, const call_args *args, void **ret_awaitable, bool *ret_leaves,
       fault *ret_fault)
{
    counter *self = instance;
    *ret_leaves = ((fake *)host)->leaves;
    if (slice_is(args->name, "increment")) {
        self->count++;
    } else if (slice_is(args->name, "later")) {
        self->count += 10;
        *ret_awaitable = host;
    } else if (args->tick) {
        CU_ASSERT(slice_is(args->name, "handle_tick"));
        self->count += ((fake *)host)->tick_adds;
        if (!((fake *)host)->tick_adds) {
            fault_set_message(ret_fault, "a tick raised");
            fault_add_frame(ret_fault, slice_text("shop.py"), 7, slice_text("handle_tick"),
                            slice_text("1 / 0"));
            return ERR_PYTHON;
        }
        if (((fake *)host)->tick_awaits)
            *ret_awaitable = host;
    } else if (!slice_is(args->name, "nothing")) {
        fault_set_message(ret_fault, "Handler not found");
        return slice_is(args->name, "raise") ? ERR_PYTHON : ERR_HANDLER_NOT_FOUND;
    }
    return OK;
}

static void
s_await(void *host, void *awaitable, void *scope, const await_events *events, void *context)
{
    fake *self = host;
    (void)awaitable, (void)scope;
    self->done = events->done;
    self->note = events->note;
    self->done_context = context;
    self->awaits = true;
}

static void
s_pause(void *host, void *awaitable)
{
    (void)awaitable;
    ((fake *)host)->pauses++;
}

static bool
s_is_paused(void *host, void *awaitable)
{
    (void)awaitable;
    return ((fake *)host)->paused;
}

static void
s_go_on(void *host, void *awaitable, uint64_t again_ms)
{
    fake *self = host;
    (void)awaitable;
    CU_ASSERT(self->paused);
    self->paused = false;
    self->again_ms = again_ms;
}

static err
s_settle(void *host, void *instance, slice name, void **awaitable_p, bool *ret_leaves, fault *ret_fault)
{
    *ret_leaves = ((fake *)host)->leaves;
    (void)instance;
    (void)name;
    *awaitable_p = NULL;
    fault_set_message(ret_fault, "settled");
    return ((fake *)host)->settles;
}

static err
s_sync(void *host, void *instance, fault *ret_fault)
{
    (void)host, (void)instance, (void)ret_fault;
    return OK;
}

static void
s_slots(const fake *self, const render_args *args, rendering *ret, int count)
{
    char text[16];
    bool new, whole = args->whole || !args->tree->root_block || args->tree->unadoptable;
    if (whole) {
        tree_begin(args->tree, self, self->page);
        tree_chunk(args->tree, self->page, &new);
    }
    args->tree->unadoptable = self->loose;
    ret->kind = whole || self->loose ? RENDERED_ROOT : RENDERED_PATCH;
    block *top = args->tree->root_block;
    slice value = slice_of(text, (size_t)snprintf(text, sizeof text, "%d", count));
    rendered *html = &ret->html;
    buffer_format(&html->text, "<main dj-root>%s", text);
    if (block_leaf(top, 1, value, args->key) && !whole)
        patch_leaf(&ret->patch, 1, CLASS_TEXT, 0, value);
    rendered_anchor(html, count % 2 ? "<!--$b1-->" : "<!--$b-->");
    int shown = count % 2 ? 0 : BRANCH_NOTHING;
    if (shown != block_alternative(top, 2)) {
        block_show(top, 2, shown, shown ? NULL : self->branch);
        unsigned chunk = shown ? 0 : tree_chunk(args->tree, self->branch, &new);
        if (!whole && !shown && new)
            patch_chunk(&ret->patch, self->branch);
        patch_enter(&ret->patch, 2);
        if (shown)
            patch_hide(&ret->patch);
        else
            patch_show(&ret->patch, chunk);
        patch_leave(&ret->patch);
    }
    if (ret->kind == RENDERED_ROOT)
        patch_clear(&ret->patch);
    rendered_anchor(html, "<!--$-->");
    buffer_text(&html->text, "</main>");
}

static err
s_render(void *host, void *instance, const render_args *args, rendering *ret, fault *ret_fault)
{
    fake *self = host;
    if (!self->template) {
        fault_set_message(ret_fault, "no template");
        return ERR_TEMPLATE;
    }
    if (self->page && !args->tree->whole) {
        s_slots(self, args, ret, ((counter *)instance)->count);
        return OK;
    }
    if (args->tree->root_block)
        tree_invalidate(args->tree);
    ret->kind = RENDERED_ROOT;
    buffer_format(&ret->html.text, self->template, ((counter *)instance)->count);
    return OK;
}

static err
s_conclude(void *host, void *instance, effects *ret, fault *ret_fault)
{
    fake *self = host;
    (void)instance;
    if (self->not_stored) {
        fault_set_message(ret_fault, "the session is gone");
        return ERR_BAD_REQUEST;
    }
    if (self->members) {
        writer_map(writer_on(&ret->body), 0);
        buffer_text(&ret->members, self->members);
    }
    if (self->identity) {
        ret->changes_identity = true;
        buffer_text(&ret->identity, self->identity);
    }
    return OK;
}

// A counter's only attribute is its number 3.
static err
s_pack(void *host, void *instance, const pack_args *args, buffer *out, fault *ret_fault)
{
    fake *self = host;
    counter *counter = instance;
    if (self->unpackable) {
        fault_set_message(ret_fault, "a lock cannot be kept");
        return ERR_VIEW_REFUSED;
    }
    if (!args->whole && counter->count == counter->kept)
        return OK;
    counter->kept = counter->count;
    snapshot_put(out, snapshot_root(args->number, 3), slice_of(&counter->count, sizeof counter->count));
    return OK;
}

static err
s_restore(void *host, const restore_args *args, void **ret_instance, fault *ret_fault)
{
    open_args open = {.path = args->path, .owner = args->owner};
    err error = s_open(host, &open, ret_instance, ret_fault);
    if (!error && args->count == 1 && args->roots[0].bytes.size == sizeof(int))
        memcpy(&((counter *)*ret_instance)->count, args->roots[0].bytes.data, sizeof(int));
    return error;
}

static err
s_pack_request(void *host, void *instance, buffer *out, fault *ret_fault)
{
    (void)instance, (void)ret_fault;
    if (!((fake *)host)->request)
        return OK;
    writer writer = writer_on(out);
    writer_map(writer, 2);
    writer_key(writer, "request");
    writer_map(writer, 0);
    writer_key_str(writer, "url", slice_text(((fake *)host)->request));
    return OK;
}

static bool
s_may_repeat(void *host, void *instance, slice name)
{
    (void)host, (void)instance;
    return slice_is(name, "nothing");
}

static void
s_listen(void *host, void (*changed)(void *context, void *owner), void *context)
{
    fake *self = host;
    self->tell = changed;
    self->tell_context = context;
}

static bool
s_take_changed(void *host, void *instance)
{
    fake *self = host;
    (void)instance;
    bool changed = self->changed;
    self->changed = false;
    return changed;
}

static uint64_t
s_tick_interval(void *host, void *instance)
{
    (void)instance;
    return ((fake *)host)->interval;
}

static void *
s_thread_begin(void *host)
{
    return host;
}

static void
s_thread(void *host, void *thread)
{
    CU_ASSERT_PTR_EQUAL(host, thread);
}

static bool
s_interrupt(void *host, void *thread)
{
    CU_ASSERT_PTR_EQUAL(host, thread);
    ((fake *)host)->interrupts++;
    return ((fake *)host)->interruptible;
}

static void
s_dump(void *host)
{
    ((fake *)host)->dumps++;
}

static uint64_t
s_now(void *context)
{
    return ((fake *)context)->now;
}

static void
s_random(void *context, void *ret_bytes, size_t size)
{
    (void)context;
    memset(ret_bytes, 7, size);
}

static void
s_emit(void *context, reply **reply_p)
{
    fake *self = context;
    CU_ASSERT_FATAL(self->count < sizeof self->answers / sizeof *self->answers);
    self->answers[self->count++] = *reply_p;
    *reply_p = NULL;
}

static void
s_arm(void *context, session *session, uint64_t due)
{
    fake *self = context;
    (void)session;
    self->armed = due;
    self->armed_times++;
}

static void
s_resumable(void *context, session *session)
{
    (void)session;
    ((fake *)context)->resumable++;
}

static void
s_note_await(void *context, session *session, await_note note)
{
    (void)session;
    ((fake *)context)->noted = note;
}

void
fake_init(fake *self)
{
    *self = (fake){
        .template = "<p>page</p><main dj-root>%d</main>", .now = 1000, .armed = TIMER_NEVER, .tick_adds = 1};
    self->ops = (view_ops){
        self,         s_thread_begin, s_thread,        s_thread,
        s_thread,     s_interrupt,    s_dump,          s_scope_begin,
        s_scope_move, s_scope_move,   s_scope_end,     s_open,
        s_close,      s_mount,        s_join,          s_call,
        s_await,      s_pause,        s_is_paused,     s_go_on,
        s_settle,     s_sync,         s_render,        s_conclude,
        s_pack,       s_pack_request, s_restore,       s_may_repeat,
        s_listen,     s_take_changed, s_tick_interval,
    };
    self->clock = (clock_ops){s_now, s_random, self};
    self->host = (turn_host){&self->ops, &self->clock, &self->key, s_emit,      s_resumable,
                             self,       &self->store, s_arm,      s_note_await};
}

void
fake_fini(fake *self)
{
    CU_ASSERT_EQUAL(self->open_views, 0);
    CU_ASSERT_EQUAL(self->open_scopes, 0);
    block_type_release(&self->page);
    block_type_release(&self->branch);
    while (self->count)
        reply_destroy(&self->answers[--self->count]);
}

request *
fake_request(fake *self, message_type type, uint64_t sequence, uint16_t flags, slice body)
{
    header head = {.version = PROTOCOL_VERSION,
                   .type = (uint8_t)type,
                   .flags = flags,
                   .session = FAKE_SESSION,
                   .sequence = sequence};
    request *made = request_new(&head, body);
    made->arrived = self->now;
    made->client = (client_id){2, "me"};
    return made;
}

static request *
s_finish(fake *self, message_type type, uint64_t sequence, uint16_t flags, buffer *body)
{
    request *made = fake_request(self, type, sequence, flags, buffer_bytes(body));
    buffer_fini(body);
    return made;
}

request *
fake_mount(fake *self, uint16_t flags, id16 id)
{
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 4);
    writer_key_str(writer, "path", slice_text("shop.Cart"));
    writer_key(writer, "params");
    writer_map(writer, 0);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_bin(writer, "identity", slice_text("ann"));
    return s_finish(self, MSG_MOUNT, SEQUENCE_REQUEST | 1, flags, &body);
}

request *
fake_event(fake *self, uint64_t sequence, id16 id, const char *name, uint16_t flags)
{
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 3);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_str(writer, "name", slice_text(name));
    writer_key(writer, "params");
    writer_map(writer, 0);
    return s_finish(self, MSG_EVENT, sequence, flags, &body);
}

static void
s_join_view(writer writer, id16 id, uint64_t version)
{
    writer_map(writer, 4);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_uint(writer, "version", version);
    writer_key_str(writer, "path", slice_text("shop.Cart"));
    writer_key(writer, "params");
    writer_map(writer, 0);
}

static writer
s_join_begin(buffer *body, uint64_t generation, uint32_t views)
{
    buffer_init(body);
    writer writer = writer_on(body);
    writer_map(writer, 4);
    writer_key_uint(writer, "generation", generation);
    writer_key_bin(writer, "identity", slice_text("ann"));
    writer_key(writer, "request");
    writer_map(writer, 0);
    writer_key(writer, "views");
    writer_list(writer, views);
    return writer;
}

request *
fake_join(fake *self, uint64_t generation, id16 id, uint64_t version)
{
    buffer body;
    s_join_view(s_join_begin(&body, generation, 1), id, version);
    return s_finish(self, MSG_JOIN, SEQUENCE_REQUEST | (100 + self->joins++), FLAG_BROWSER, &body);
}

request *
fake_join_two(fake *self, uint64_t generation, id16 first, id16 second, uint64_t version)
{
    buffer body;
    writer writer = s_join_begin(&body, generation, 2);
    s_join_view(writer, first, version);
    s_join_view(writer, second, version);
    return s_finish(self, MSG_JOIN, SEQUENCE_REQUEST | (100 + self->joins++), FLAG_BROWSER, &body);
}

request *
fake_view_request(fake *self, message_type type, id16 id)
{
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 2);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key_uint(writer, "version", 1);
    return s_finish(self, type, SEQUENCE_REQUEST | 3, FLAG_BROWSER, &body);
}

request *
fake_refresh(fake *self, id16 id, const char *chunk, bool whole)
{
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, chunk ? 3 : 2);
    writer_key_bin(writer, "view", slice_of(id.bytes, ID_SIZE));
    writer_key(writer, "whole");
    writer_bool(writer, whole);
    if (chunk) {
        writer_key(writer, "chunks");
        writer_list(writer, 3); // the same twice: it is to be sent once
        writer_str(writer, slice_text(chunk));
        writer_str(writer, slice_text("nobody's"));
        writer_str(writer, slice_text(chunk));
    }
    return s_finish(self, MSG_REFRESH, SEQUENCE_REQUEST | 4, FLAG_BROWSER, &body);
}

void
fake_slots(fake *self)
{
    self->page = block_type_new(slice_text("tb"), slice_text("pagepage"), slice_text("{\"s\":[]}"));
    self->branch = block_type_new(slice_text("t"), slice_text("branches"), slice_text("{\"h\":\"odd\"}"));
}

static const reply *
s_ran(const fake *self, unsigned before, turn_result result, turn_result *ret_result)
{
    if (ret_result)
        *ret_result = result;
    return self->count > before ? self->answers[self->count - 1] : NULL;
}

const reply *
fake_run(fake *self, session *session, request *request, turn_result *ret_result)
{
    unsigned before = self->count;
    return s_ran(self, before, dispatch_request(session, &request, &self->host), ret_result);
}

const reply *
fake_push(fake *self, session *session, turn_result *ret_result)
{
    unsigned before = self->count;
    return s_ran(self, before, dispatch_push(session, &self->host), ret_result);
}

const char *
fake_text(const reply *from, const char *key, char room[2048])
{
    reader in;
    reader_init(&in, buffer_bytes(&from->body));
    reader again = in;
    slice found = reader_opt_bin(&in, key, 2047);
    if (in.error)
        found = reader_opt_str(&again, key, 2047);
    memcpy(room, found.data ? found.data : (const uint8_t *)"", found.size);
    room[found.size] = '\0';
    return room;
}

uint64_t
fake_uint(const reply *from, const char *key)
{
    reader reader;
    reader_init(&reader, buffer_bytes(&from->body));
    return reader_opt_uint(&reader, key, UINT64_MAX);
}
