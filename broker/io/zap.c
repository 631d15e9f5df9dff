#include "broker/io/zap.h"

#include "broker/io/log_limit.h"
#include "common/log.h"

#include <stdlib.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

enum { TURN = 64, ZAP_FRAMES = 7, ZAP_FRAME = 255, CURVE_BYTES = 32 };

struct zap {
    certificate own;
    allow_list *allowed;
    zsock_t *asked; // a REP, where ZeroMQ asks
    log_limit refusals;
};

zap *
zap_new(const char *key, const char *folder, uint64_t now)
{
    char why[512] = "", text[600];
    zap *self = calloc(1, sizeof *self);
    ASSERT(self);
    err error = certificate_load_secret(key, &self->own, why, sizeof why);
    if (!error)
        self->allowed = allow_list_new(folder, now, why, sizeof why);
    if (self->allowed) {
        self->asked = zsock_new(ZMQ_REP);
        ASSERT(self->asked);
        if (zsock_bind(self->asked, ZAP_ENDPOINT) == 0)
            return self;
        snprintf(why, sizeof why, "keys are checked by somebody else in this process");
    }
    log_event(LEVEL_ERROR, "curve_failed", "reason=%s", log_quoted(slice_text(why), text, sizeof text));
    zap_destroy(&self);
    return NULL;
}

void
zap_destroy(zap **self_p)
{
    zap *self = *self_p;
    if (!self)
        return;
    if (self->asked) // closing it frees its address only some time later
        zsock_unbind(self->asked, ZAP_ENDPOINT);
    zsock_destroy(&self->asked);
    allow_list_destroy(&self->allowed);
    explicit_bzero(&self->own, sizeof self->own);
    free(self);
    *self_p = NULL;
}

void
zap_require_curve(zap *self, zsock_t *socket, socket_side where)
{
    zsock_set_zap_domain(socket, side_word(where));
    zsock_set_curve_server(socket, 1);
    zsock_set_curve_publickey(socket, self->own.public_key);
    zsock_set_curve_secretkey(socket, self->own.secret_key);
}

zsock_t *
zap_socket(zap *self)
{
    return self->asked;
}

static void
s_log(zap *self, uint64_t now, const char *side, const char *address, const char *key, const char *why)
{
    unsigned held;
    char at[2 * ZAP_FRAME], whose[2 * KEY_TEXT + 8];
    if (log_limit_pass(&self->refusals, now, &held))
        log_event(LEVEL_WARN, "peer_refused", "side=%s address=%s key=%s reason=\"%s\" suppressed=%u", side,
                  log_quoted(slice_text(address), at, sizeof at),
                  log_quoted(slice_text(key), whose, sizeof whose), why, held);
}

// One question: version, request, domain, address, routing id, mechanism, credentials. ZeroMQ asks, and
// nobody else can; but what it passes on is the peer's.
typedef struct {
    size_t count, size[ZAP_FRAMES];
    char frame[ZAP_FRAMES][ZAP_FRAME + 1];
} question;

enum { ZAP_VERSION, ZAP_REQUEST, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_CREDENTIALS };

static bool
s_receive(zsock_t *from, question *ret)
{
    zmq_msg_t part;
    bool more = true;
    ret->count = 0;
    while (more) {
        ASSERT(zmq_msg_init(&part) == 0);
        if (zmq_msg_recv(&part, zsock_resolve(from), ret->count ? 0 : ZMQ_DONTWAIT) == -1) {
            zmq_msg_close(&part);
            return false;
        }
        size_t size = zmq_msg_size(&part), at = ret->count++;
        if (at < ZAP_FRAMES) {
            ret->size[at] = size < ZAP_FRAME ? size : ZAP_FRAME;
            memcpy(ret->frame[at], zmq_msg_data(&part), ret->size[at]);
            ret->frame[at][ret->size[at]] = '\0';
        }
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return true;
}

static bool
s_side(const question *asked, socket_side *ret)
{
    for (socket_side where = SIDE_FRONT; where < SIDE_COUNT; where++) {
        if (strcmp(asked->frame[ZAP_DOMAIN], side_word(where)) == 0) {
            *ret = where;
            return true;
        }
    }
    return false;
}

// NULL: it may come in, as whoever has that key.
static const char *
s_why_not(zap *self, const question *asked, uint64_t now, char ret_key[KEY_TEXT])
{
    socket_side where;
    *ret_key = '\0';
    if (asked->count != ZAP_FRAMES || !s_side(asked, &where) ||
        strcmp(asked->frame[ZAP_MECHANISM], "CURVE") != 0 || asked->size[ZAP_CREDENTIALS] != CURVE_BYTES)
        return "it shows no key";
    zmq_z85_encode(ret_key, (const uint8_t *)asked->frame[ZAP_CREDENTIALS], CURVE_BYTES);
    return allow_list_has(self->allowed, where, ret_key, now) ? NULL : "its key is not allowed here";
}

static bool
s_answer(zap *self, uint64_t now)
{
    question asked = {0};
    char key[KEY_TEXT];
    if (!s_receive(self->asked, &asked))
        return false;
    const char *why = s_why_not(self, &asked, now, key);
    if (why)
        s_log(self, now, asked.frame[ZAP_DOMAIN], asked.frame[ZAP_ADDRESS], key, why);
    zstr_sendx(self->asked, "1.0", asked.frame[ZAP_REQUEST], why ? "400" : "200", why ? "refused" : "OK",
               why ? "" : key, "", NULL);
    return true;
}

void
zap_log_refusal(zap *self, socket_side where, uint32_t reason, const char *address, uint64_t now)
{
    const char *why = "it does not speak as a peer does";
    if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
        why = "it takes another key for the broker's";
    else if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        why = strncmp(address, "tcp:", 4) == 0 ? "it shows no key" : "it wants keys where there are none";
    s_log(self, now, side_word(where), address, "", why);
}

void
zap_process(zap *self, uint64_t now)
{
    for (unsigned i = 0; i < TURN && s_answer(self, now); i++)
        ;
}
