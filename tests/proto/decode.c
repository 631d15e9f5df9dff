// Decodes a body of any type, for the golden vectors and the fuzzer.
#include "tests/proto/decode.h"

#include "proto/listing.h"

#define ANY SIZE_MAX

static err
s_request(message_type type, slice body)
{
    // Static, to keep 64 views off the stack; nobody reads them.
    static join_body join;
    mount_body mount;
    event_body event;
    ack_body ack;
    refresh_body refresh;
    id16 view;
    slice identity;
    static exited_body exited;
    sessions_body sessions;
    reader in;
    switch ((int)type) {
    case MSG_MOUNT:
        return mount_decode(body, &mount);
    case MSG_JOIN:
        return join_decode(body, &join);
    case MSG_EVENT:
        return event_decode(body, &event);
    case MSG_UNMOUNT:
        return view_decode(body, &view);
    case MSG_REFRESH:
        return refresh_decode(body, &refresh);
    case MSG_ACK:
        return ack_decode(body, &ack);
    case MSG_LOGOUT:
        return logout_decode(body, &identity);
    case MSG_EXITED:
        return exited_decode(body, &exited);
    case MSG_SESSIONS:
        return sessions_decode(body, &sessions);
    default:
        reader_init(&in, body);
        return reader_error(&in);
    }
}

static void
s_mounted(reader *in)
{
    if (reader_has(in, "status")) {
        (void)reader_uint(in, "status");
        (void)reader_list(in, "headers", ANY);
        (void)reader_bin(in, "body", ANY);
        return;
    }
    (void)reader_bin(in, "view", ID_SIZE);
    (void)reader_uint(in, "version");
    (void)reader_bin(in, "html", ANY);
    (void)reader_opt_uint(in, "at", 0);
    (void)reader_uint(in, "last");
}

static void
s_failed(reader *in)
{
    (void)reader_str(in, "kind", ANY);
    (void)reader_str(in, "message", ANY);
    (void)reader_opt_str(in, "type", ANY);
    (void)reader_opt_list(in, "frames", ANY);
    (void)reader_opt_str(in, "view_path", ANY);
    (void)reader_opt_str(in, "event", ANY);
    (void)reader_opt_bin(in, "debug_page", ANY);
}

static void
s_done(reader *in)
{
    (void)reader_uint(in, "version");
    (void)reader_opt_bin(in, "frame", ANY);
    (void)reader_opt_bin(in, "patch", ANY);
    (void)reader_opt_bin(in, "html", ANY);
}

static err
s_listed(slice body)
{
    listed_body decoded;
    listed listed;
    size_t cursor = 0;
    err error = listed_decode(body, &decoded);
    while (!error && (error = listed_next(&decoded, &cursor, &listed)) == OK)
        ;
    return error == ERR_AGAIN ? OK : error;
}

static err
s_reply(message_type type, slice body)
{
    reader in;
    if (type == MSG_LISTED)
        return s_listed(body);
    reader_init(&in, body);
    if (type == MSG_MOUNTED)
        s_mounted(&in);
    if (type == MSG_FAILED)
        s_failed(&in);
    if (type == MSG_DONE)
        s_done(&in);
    if (type == MSG_JOINED) {
        (void)reader_uint(&in, "generation");
        (void)reader_uint(&in, "last");
        (void)reader_list(&in, "views", ANY);
        if (!reader_has(&in, "fresh"))
            return ERR_MALFORMED;
    }
    if (type == MSG_NOT_EXECUTED || type == MSG_UNKNOWN || type == MSG_ENDED)
        (void)reader_str(&in, "reason", ANY);
    if (type == MSG_NOT_EXECUTED || type == MSG_UNKNOWN)
        (void)reader_str(&in, "message", ANY);
    if (type == MSG_NOT_EXECUTED)
        (void)reader_opt_uint(&in, "retry_ms", 0);
    if (type == MSG_FIGURES)
        (void)reader_map(&in, "figures", ANY);
    if (type == MSG_PUSH) {
        (void)reader_bin(&in, "frame", ANY);
        (void)reader_opt_bin(&in, "view", ID_SIZE);
        (void)reader_opt_map(&in, "error", ANY);
    }
    return reader_error(&in);
}

static err
s_announce(slice body)
{
    announce_body decoded;
    announced announced;
    size_t cursor = 0;
    err error = announce_decode(body, &decoded);
    while (!error && (error = announce_next(&decoded, &cursor, &announced)) == OK)
        ;
    return error == ERR_AGAIN ? OK : error;
}

static err
s_control(message_type type, bool from_worker, slice body)
{
    register_body reg;
    welcome_body welcome;
    heartbeat_body beat;
    echo_body echo;
    reason_body reason;
    reader in;
    switch ((int)type) {
    case MSG_ANNOUNCE:
        return s_announce(body);
    case MSG_REGISTER:
        return register_decode(body, &reg);
    case MSG_WELCOME:
        return welcome_decode(body, &welcome);
    case MSG_HEARTBEAT:
        return from_worker ? heartbeat_decode(body, &beat) : echo_decode(body, &echo);
    case MSG_RESTORE:
    case MSG_DRAIN:
    case MSG_MOVE:
    case MSG_MOVED:
    case MSG_DISOWN:
    case MSG_KEEP:
    case MSG_KEPT:
        reader_init(&in, body);
        return reader_error(&in);
    case MSG_IDENTIFY:
        reader_init(&in, body);
        (void)reader_uint(&in, "boot");
        return reader_error(&in);
    default:
        return reason_decode(body, &reason);
    }
}

err
decode_any(message_type type, bool from_worker, slice body)
{
    switch (message_direction((uint8_t)type)) {
    case DIRECTION_REQUEST:
        return s_request(type, body);
    case DIRECTION_REPLY:
        return s_reply(type, body);
    case DIRECTION_CONTROL:
        return s_control(type, from_worker, body);
    case DIRECTION_NONE:
        break;
    }
    return ERR_TYPE;
}
