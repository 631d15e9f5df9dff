#include "fleet/control_protocol.h"

void
talk_request_encode(const talk_request *self, buffer *out)
{
    bool scales = self->verb == VERB_SCALE, drains = self->verb == VERB_DRAIN;
    writer to = writer_on(out);
    writer_map(to, 2U + scales + drains);
    writer_key_uint(to, "version", TALK_VERSION);
    writer_key_str(to, "command", slice_text(verb_word(self->verb)));
    if (scales)
        writer_key_uint(to, "workers", self->workers);
    if (drains)
        writer_key_uint(to, "worker", self->worker);
}

err
talk_request_decode(slice body, talk_request *ret)
{
    reader in;
    if (body.size > TALK_REQUEST)
        return ERR_TOO_LARGE;
    reader_init(&in, body);
    uint64_t version = reader_uint(&in, "version");
    slice word = reader_str(&in, "command", 32);
    if (in.error)
        return in.error;
    if (version != TALK_VERSION)
        return ERR_VERSION;
    talk_request decoded = {.verb = verb_find(word)};
    if (decoded.verb == VERB_UP || decoded.verb >= VERB_KEYGEN)
        return ERR_TYPE;
    if (decoded.verb == VERB_SCALE)
        decoded.workers = reader_uint(&in, "workers");
    if (decoded.verb == VERB_DRAIN)
        decoded.worker = reader_uint(&in, "worker");
    if (!in.error)
        *ret = decoded;
    return in.error;
}

void
talk_answer_encode(const talk_answer *self, buffer *out)
{
    writer to = writer_on(out);
    writer_map(to, 1U + (self->message.size > 0) + (self->report.size > 0));
    writer_key(to, "ok");
    writer_bool(to, self->ok);
    if (self->message.size)
        writer_key_str(to, "message", self->message);
    if (self->report.size) {
        writer_key(to, "report");
        writer_raw(to, self->report);
    }
}

err
talk_answer_decode(slice body, talk_answer *ret)
{
    reader in;
    reader_init(&in, body);
    if (!reader_has(&in, "ok"))
        return in.error ? in.error : ERR_MALFORMED;
    talk_answer decoded = {
        .ok = reader_opt_bool(&in, "ok"),
        .message = reader_opt_str(&in, "message", TALK_MESSAGE),
        .report = reader_opt_map(&in, "report", MAX_REPLY_BODY),
    };
    if (!in.error)
        *ret = decoded;
    return in.error;
}
