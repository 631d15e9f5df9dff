// The commands for the broker. A listing is requested page by page (LISTED has at most 256 sessions), and
// printed as it comes: a broker may have hundreds of thousands.
#include "fleet/cli/session_commands.h"

#include "common/hex.h"
#include "common/log.h"
#include "common/loopback.h"
#include "fleet/cli/admin_client.h"
#include "fleet/cli/session_rows.h"
#include "proto/bodies.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct {
    const command *command;
    const char *front;
    admin_client *client;
    // No digits: all sessions.
    id_prefix prefix;
    // The last session of the page before, and whether there is another page.
    id16 after;
    bool more;
    // The sessions that matched so far, and the last of them.
    uint64_t count;
    id16 found;
    // Why the last request failed.
    char why[512];
} session_query;

// Flushes standard output first, so that the error follows the rows on a terminal. Returns the exit code.
static int
s_print_query_failure(const session_query *self)
{
    fflush(stdout);
    char text[sizeof self->why];
    fprintf(stderr, "troupe %s: %s\n", command_word(self->command->name),
            log_plain(slice_text(self->why), text, sizeof text));
    return 1;
}

// Sends a request and expects this type of answer; anything else is explained in why.
static err
s_exchange(session_query *self, message_type type, id16 session, const buffer *body, message_type expected,
           slice *ret)
{
    header head;
    err error = admin_client_request(self->client, type, session, body, &head, ret);
    if (error == ERR_UNREACHABLE)
        snprintf(self->why, sizeof self->why, "no broker answers at %s: `troupe status` says what runs",
                 self->front);
    else if (error)
        snprintf(self->why, sizeof self->why, "invalid answer from the broker: %s", err_text(error));
    if (error || head.type == expected)
        return error;
    reason_body reason;
    bool read = reason_decode(*ret, &reason) == OK;
    snprintf(self->why, sizeof self->why, "the broker refused: %.*s", read ? (int)reason.message.size : 0,
             read ? (const char *)reason.message.data : "");
    return ERR_FORBIDDEN;
}

// Fetches the next page and calls visit for each session with the prefix. Ids arrive in ascending order, so
// the first session without it ends the query.
static err
s_fetch_page(session_query *self, void (*visit)(session_query *, const listed *))
{
    buffer body;
    slice answer;
    listed_body page;
    listed session;
    size_t cursor = 0;
    buffer_init(&body);
    sessions_encode(
        &(sessions_body){self->after,
                         slice_text(self->command->worker_name ? self->command->worker_name : "")},
        &body);
    err error = s_exchange(self, MSG_SESSIONS, (id16){{0}}, &body, MSG_LISTED, &answer);
    buffer_fini(&body);
    if (!error && (error = listed_decode(answer, &page)) == OK)
        self->more = page.more && msgpack_count(page.sessions);
    else if (error && !*self->why)
        snprintf(self->why, sizeof self->why, "invalid answer from the broker: %s", err_text(error));
    while (!error && listed_next(&page, &cursor, &session) == OK) {
        self->after = session.session;
        if (self->prefix.digits && !id_prefix_has(&self->prefix, session.session)) {
            self->more = false;
            break;
        }
        self->count++;
        self->found = session.session;
        visit(self, &session);
    }
    return error;
}

// One write for each row, so that a reader such as head(1) sees whole lines.
static void
s_print_session(session_query *self, const listed *session)
{
    buffer out;
    buffer_init(&out);
    if (self->command->json) {
        buffer_text(&out, self->count > 1 ? ",\n  " : "\n  ");
        session_rows_json(session, &out);
    } else {
        if (self->count == 1)
            session_rows_head(&out);
        session_rows_table(session, &out);
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_fini(&out);
}

// Sessions are printed page by page; JSON is one object around all of them.
static int
s_list(session_query *self)
{
    err error;
    if (self->command->json)
        fputs("{\"sessions\": [", stdout);
    do
        error = s_fetch_page(self, s_print_session);
    while (!error && self->more);
    if (error)
        return s_print_query_failure(self);
    if (self->command->json)
        puts(self->count ? "\n]}" : "]}");
    else
        printf("%" PRIu64 " session%s\n", self->count, self->count == 1 ? "" : "s");
    return 0;
}

// s_fetch_page() has counted it, and remembers its id.
static void
s_count_only(session_query *self, const listed *session)
{
    (void)self, (void)session;
}

// The prefix must match exactly one session.
static int
s_evict(session_query *self)
{
    char id[ID_TEXT];
    slice answer;
    buffer body;
    if (s_fetch_page(self, s_count_only))
        return s_print_query_failure(self);
    if (self->count != 1) {
        snprintf(self->why, sizeof self->why,
                 self->count ? "several session ids start with %s: type more of it"
                             : "no session id starts with %s",
                 self->command->operand);
        return s_print_query_failure(self);
    }
    buffer_init(&body);
    empty_encode(&body);
    err error = s_exchange(self, MSG_EVICT, self->found, &body, MSG_ENDED, &answer);
    buffer_fini(&body);
    if (error)
        return s_print_query_failure(self);
    printf("evicted %s: a page that shows it joins again and starts afresh\n", id_text(self->found, id));
    return 0;
}

// Only from the broker's machine: these commands have no keys, and the broker requires them of tcp://
// peers.
int
session_command_run(const command *parsed, const char *front)
{
    session_query self = {.command = parsed, .front = front};
    if (parsed->operand && id_prefix_parse(parsed->operand, &self.prefix)) {
        fprintf(stderr, "troupe %s: '%.64s' is not a session id or a prefix of one (up to 32 hex digits)\n",
                command_word(parsed->name), parsed->operand);
        return 2;
    }
    if (self.prefix.digits)
        self.after = id_prefix_before(&self.prefix);
    bool local = loopback_is_private(front);
    self.client = local ? admin_client_new(front, clock_system()) : NULL;
    int code;
    if (!local) {
        snprintf(self.why, sizeof self.why, "%s: run this on the broker's machine, where no key is needed",
                 front);
        code = s_print_query_failure(&self);
    } else if (!self.client) {
        snprintf(self.why, sizeof self.why, "%s is not an address", front);
        code = s_print_query_failure(&self);
    } else {
        code = parsed->name == COMMAND_EVICT ? s_evict(&self) : s_list(&self);
    }
    admin_client_destroy(&self.client);
    return code;
}
