#include "fleet/command/sessions.h"

#include "common/hex.h"
#include "common/host.h"
#include "common/log.h"
#include "fleet/command/inquiry.h"
#include "fleet/command/session_rows.h"
#include "proto/bodies.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct {
    const command *given;
    const char *front;
    inquiry *broker;
    id_prefix wanted; // no digits: all
    id16 after;
    bool more;
    uint64_t count;
    id16 found; // the last that matched
    char why[512];
} census;

static int
s_fail(const census *self)
{
    fflush(stdout);
    char text[sizeof self->why];
    fprintf(stderr, "troupe %s: %s\n", verb_word(self->given->verb),
            log_plain(slice_text(self->why), text, sizeof text));
    return 1;
}

// Asks, and wants that kind of answer. What else comes goes to why.
static err
s_ask(census *self, message_type type, id16 session, const buffer *body, message_type wanted, slice *ret)
{
    header head;
    err error = inquiry_ask(self->broker, type, session, body, &head, ret);
    if (error == ERR_UNREACHABLE)
        snprintf(self->why, sizeof self->why, "no broker answers at %s: `troupe status` says what runs",
                 self->front);
    else if (error)
        snprintf(self->why, sizeof self->why, "the broker's answer is not understood: %s", err_text(error));
    if (error || head.type == wanted)
        return error;
    reason_body said;
    bool read = reason_decode(*ret, &said) == OK;
    snprintf(self->why, sizeof self->why, "the broker says no: %.*s", read ? (int)said.message.size : 0,
             read ? (const char *)said.message.data : "");
    return ERR_FORBIDDEN;
}

// The next page. What is wanted of it is handed to `each`; ids come in their order, so one that is behind the
// prefix ends it all.
static err
s_page(census *self, void (*each)(census *, const listed *))
{
    buffer body;
    slice answer;
    listed_body page;
    listed one;
    size_t cursor = 0;
    buffer_init(&body);
    sessions_encode(&(sessions_body){self->after, slice_text(self->given->of ? self->given->of : "")}, &body);
    err error = s_ask(self, MSG_SESSIONS, (id16){{0}}, &body, MSG_LISTED, &answer);
    buffer_fini(&body);
    if (!error && (error = listed_decode(answer, &page)) == OK)
        self->more = page.more && msgpack_count(page.sessions);
    else if (error && !*self->why)
        snprintf(self->why, sizeof self->why, "the broker's answer is not understood: %s", err_text(error));
    while (!error && listed_next(&page, &cursor, &one) == OK) {
        self->after = one.session;
        if (self->wanted.digits && !id_prefix_has(&self->wanted, one.session)) {
            self->more = false;
            break;
        }
        self->count++;
        self->found = one.session;
        each(self, &one);
    }
    return error;
}

static void
s_print(census *self, const listed *one)
{
    buffer out;
    buffer_init(&out);
    if (self->given->json) {
        buffer_text(&out, self->count > 1 ? ",\n  " : "\n  ");
        session_rows_json(one, &out);
    } else {
        if (self->count == 1)
            session_rows_head(&out);
        session_rows_table(one, &out);
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_fini(&out);
}

static int
s_list(census *self)
{
    err error;
    if (self->given->json)
        fputs("{\"sessions\": [", stdout);
    do
        error = s_page(self, s_print);
    while (!error && self->more);
    if (error)
        return s_fail(self);
    if (self->given->json)
        puts(self->count ? "\n]}" : "]}");
    else
        printf("%" PRIu64 " session%s\n", self->count, self->count == 1 ? "" : "s");
    return 0;
}

static void
s_count(census *self, const listed *one)
{
    (void)self, (void)one;
}

static int
s_evict(census *self)
{
    char id[ID_TEXT];
    slice answer;
    buffer body;
    if (s_page(self, s_count))
        return s_fail(self);
    if (self->count != 1) {
        snprintf(self->why, sizeof self->why,
                 self->count ? "%s is the beginning of several ids: give more of it"
                             : "no session begins with %s",
                 self->given->word);
        return s_fail(self);
    }
    buffer_init(&body);
    empty_encode(&body);
    err error = s_ask(self, MSG_EVICT, self->found, &body, MSG_ENDED, &answer);
    buffer_fini(&body);
    if (error)
        return s_fail(self);
    printf("evicted %s: a page that shows it joins again, and begins afresh\n", id_text(self->found, id));
    return 0;
}

int
sessions_run(const command *given, const char *front)
{
    census self = {.given = given, .front = front};
    if (given->word && id_prefix_parse(given->word, &self.wanted)) {
        fprintf(stderr,
                "troupe %s: '%.64s' is no session's id, nor the beginning of one: up to 32 hex digits\n",
                verb_word(given->verb), given->word);
        return 2;
    }
    if (self.wanted.digits)
        self.after = id_prefix_before(&self.wanted);
    bool near = host_is_private(front);
    self.broker = near ? inquiry_new(front, clock_system()) : NULL;
    int code;
    if (!near) {
        snprintf(self.why, sizeof self.why, "%s: ask on the broker's machine, where it takes no key", front);
        code = s_fail(&self);
    } else if (!self.broker) {
        snprintf(self.why, sizeof self.why, "%s is no address", front);
        code = s_fail(&self);
    } else {
        code = given->verb == VERB_EVICT ? s_evict(&self) : s_list(&self);
    }
    inquiry_destroy(&self.broker);
    return code;
}
