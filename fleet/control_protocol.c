// Encoding and decoding of the control protocol (PROTOCOL.md 11): maps with string keys, so that either side
// may be newer than the other while a fleet is upgraded. The socket is private to one user, but a command of
// another version, or anything else, may write to it: requests are decoded as carefully as those of a
// browser.
#include "fleet/control_protocol.h"

static const char *const s_words[CONTROL_VERB_COUNT] = {
#define CONTROL_VERB(name, word) [CONTROL_##name] = word,
#include "fleet/control_verbs.def"
#undef CONTROL_VERB
};

const char *
control_verb_word(control_verb verb)
{
    ASSERT(verb < CONTROL_VERB_COUNT);
    return s_words[verb];
}

// CONTROL_VERB_COUNT if there is no such verb.
static control_verb
s_find_verb(slice word)
{
    unsigned verb = 0;
    while (verb < CONTROL_VERB_COUNT && !slice_is(word, s_words[verb]))
        verb++;
    return (control_verb)verb;
}

// `workers` and `worker` are only sent with the verbs that need them.
void
control_request_encode(const control_request *self, buffer *out)
{
    bool scales = self->verb == CONTROL_SCALE, drains = self->verb == CONTROL_DRAIN;
    writer body = writer_on(out);
    writer_map(body, 2U + scales + drains);
    writer_key_uint(body, "version", CONTROL_VERSION);
    writer_key_str(body, "command", slice_text(control_verb_word(self->verb)));
    if (scales)
        writer_key_uint(body, "workers", self->workers);
    if (drains)
        writer_key_uint(body, "worker", self->worker);
}

// The version is checked before the verb, so that a newer command is told about its version and not of an
// unknown verb.
err
control_request_decode(slice body, control_request *ret)
{
    reader in;
    if (body.size > MAX_CONTROL_REQUEST)
        return ERR_TOO_LARGE;
    reader_init(&in, body);
    uint64_t version = reader_uint(&in, "version");
    slice word = reader_str(&in, "command", 32);
    if (in.error)
        return in.error;
    if (version != CONTROL_VERSION)
        return ERR_VERSION;
    control_request decoded = {.verb = s_find_verb(word)};
    if (decoded.verb == CONTROL_VERB_COUNT)
        return ERR_TYPE;
    if (decoded.verb == CONTROL_SCALE)
        decoded.workers = reader_uint(&in, "workers");
    if (decoded.verb == CONTROL_DRAIN)
        decoded.worker = reader_uint(&in, "worker");
    if (!in.error)
        *ret = decoded;
    return in.error;
}

// The report was encoded by report_encode() and is copied as it is.
void
control_reply_encode(const control_reply *self, buffer *out)
{
    writer body = writer_on(out);
    writer_map(body, 1U + (self->message.size > 0) + (self->report.size > 0));
    writer_key(body, "ok");
    writer_bool(body, self->ok);
    if (self->message.size)
        writer_key_str(body, "message", self->message);
    if (self->report.size) {
        writer_key(body, "report");
        writer_raw(body, self->report);
    }
}

// `ok` is required: reader_opt_bool() alone would take a reply without it for a refusal.
err
control_reply_decode(slice body, control_reply *ret)
{
    reader in;
    reader_init(&in, body);
    if (!reader_has(&in, "ok"))
        return in.error ? in.error : ERR_MALFORMED;
    control_reply decoded = {
        .ok = reader_opt_bool(&in, "ok"),
        .message = reader_opt_str(&in, "message", MAX_CONTROL_MESSAGE),
        .report = reader_opt_map(&in, "report", MAX_REPLY_BODY),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}
