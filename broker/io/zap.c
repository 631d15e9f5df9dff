// The ZAP handler (rfc.zeromq.org/spec/27): libzmq asks it about each peer that connects to a CURVE socket,
// and it answers from the allow list. Not CZMQ's zauth: that has one list for all sockets, and a thread of
// its own.
#include "broker/io/zap.h"

#include "broker/io/log_limit.h"
#include "common/log.h"

#include <stdlib.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

enum { MAX_REQUESTS = 64, ZAP_FRAMES = 7, ZAP_FRAME = 255, CURVE_BYTES = 32 };

struct zap {
    certificate own;
    allow_list *allow_list;
    zsock_t *requests; // a REP socket, to which libzmq connects by itself
    log_limit refusals;
};

// The endpoint is fixed by the specification, so a process can have only one handler.
zap *
zap_new(const char *key, const char *folder, uint64_t now)
{
    char why[512] = "", text[600];
    zap *self = calloc(1, sizeof *self);
    ASSERT(self);
    err error = certificate_load_secret(key, &self->own, why, sizeof why);
    if (!error)
        self->allow_list = allow_list_new(folder, now, why, sizeof why);
    if (self->allow_list) {
        self->requests = zsock_new(ZMQ_REP);
        ASSERT(self->requests);
        if (zsock_bind(self->requests, ZAP_ENDPOINT) == 0)
            return self;
        snprintf(why, sizeof why, "another ZAP handler is running in this process");
    }
    log_event(LEVEL_ERROR, "curve_failed", "reason=%s", log_quoted(slice_text(why), text, sizeof text));
    zap_destroy(&self);
    return NULL;
}

// Unbinds first, since libzmq frees the address of a closed socket only some time later. explicit_bzero, as
// the compiler may leave out a memset before free: the secret key must not stay in memory.
void
zap_destroy(zap **self_p)
{
    zap *self = *self_p;
    if (!self)
        return;
    if (self->requests)
        zsock_unbind(self->requests, ZAP_ENDPOINT);
    zsock_destroy(&self->requests);
    allow_list_destroy(&self->allow_list);
    explicit_bzero(&self->own, sizeof self->own);
    free(self);
    *self_p = NULL;
}

// The ZAP domain is how a request tells which socket it is about (s_side).
void
zap_require_curve(zap *self, zsock_t *socket, socket_side side)
{
    zsock_set_zap_domain(socket, side_word(side));
    zsock_set_curve_server(socket, 1);
    zsock_set_curve_publickey(socket, self->own.public_key);
    zsock_set_curve_secretkey(socket, self->own.secret_key);
}

zsock_t *
zap_socket(zap *self)
{
    return self->requests;
}

// Rate-limited: a peer with a wrong key reconnects several times a second.
static void
s_log_refused(zap *self, uint64_t now, const char *side, const char *address, const char *key,
              const char *why)
{
    unsigned suppressed;
    char address_text[2 * ZAP_FRAME], key_text[2 * KEY_TEXT + 8];
    if (log_limit_pass(&self->refusals, now, &suppressed))
        log_event(LEVEL_WARN, "peer_refused", "side=%s address=%s key=%s reason=\"%s\" suppressed=%u", side,
                  log_quoted(slice_text(address), address_text, sizeof address_text),
                  log_quoted(slice_text(key), key_text, sizeof key_text), why, suppressed);
}

// A ZAP request, frame by frame as in the enum below. Only libzmq can send one, but part of it comes from the
// peer.
typedef struct {
    size_t count, size[ZAP_FRAMES];
    char frame[ZAP_FRAMES][ZAP_FRAME + 1];
} zap_request;

enum { ZAP_VERSION, ZAP_REQUEST, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_CREDENTIALS };

// All frames are read, or REP would not send; ZAP_FRAMES of them are kept, truncated to ZAP_FRAME bytes.
// False: there is no request.
static bool
s_receive_request(zsock_t *from, zap_request *ret)
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
        size_t size = zmq_msg_size(&part), index = ret->count++;
        if (index < ZAP_FRAMES) {
            ret->size[index] = size < ZAP_FRAME ? size : ZAP_FRAME;
            memcpy(ret->frame[index], zmq_msg_data(&part), ret->size[index]);
            ret->frame[index][ret->size[index]] = '\0';
        }
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return true;
}

// From the ZAP domain, which zap_require_curve set.
static bool
s_side(const zap_request *request, socket_side *ret)
{
    for (socket_side side = SIDE_FRONT; side < SIDE_COUNT; side++) {
        if (strcmp(request->frame[ZAP_DOMAIN], side_word(side)) == 0) {
            *ret = side;
            return true;
        }
    }
    return false;
}

// NULL: the peer may connect, with ret_key. With CURVE the credentials are the client's public key,
// and libzmq has verified that the client holds the secret one.
static const char *
s_reason_to_refuse(zap *self, const zap_request *request, uint64_t now, char ret_key[KEY_TEXT])
{
    socket_side side;
    *ret_key = '\0';
    if (request->count != ZAP_FRAMES || !s_side(request, &side) ||
        strcmp(request->frame[ZAP_MECHANISM], "CURVE") != 0 || request->size[ZAP_CREDENTIALS] != CURVE_BYTES)
        return "no CURVE key";
    zmq_z85_encode(ret_key, (const uint8_t *)request->frame[ZAP_CREDENTIALS], CURVE_BYTES);
    return allow_list_has(self->allow_list, side, ret_key, now) ? NULL : "key not in the allow list";
}

// Answers one request: version, request id, status code and text, user id, metadata. REP must answer each
// request before it reads another. False: there was none.
static bool
s_answer(zap *self, uint64_t now)
{
    zap_request request = {0};
    char key[KEY_TEXT];
    if (!s_receive_request(self->requests, &request))
        return false;
    const char *why = s_reason_to_refuse(self, &request, now, key);
    if (why)
        s_log_refused(self, now, request.frame[ZAP_DOMAIN], request.frame[ZAP_ADDRESS], key, why);
    zstr_sendx(self->requests, "1.0", request.frame[ZAP_REQUEST], why ? "400" : "200", why ? "refused" : "OK",
               why ? "" : key, "", NULL);
    return true;
}

// libzmq refuses peers that fail the handshake by itself, without a ZAP request; its monitor reports a
// reason.
void
zap_log_refusal(zap *self, socket_side side, uint32_t reason, const char *address, uint64_t now)
{
    const char *why = "protocol error in the handshake";
    if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
        why = "wrong server key";
    else if (reason == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        why = strncmp(address, "tcp:", 4) == 0 ? "no CURVE key" : "CURVE peer on an address without CURVE";
    s_log_refused(self, now, side_word(side), address, "", why);
}

void
zap_process(zap *self, uint64_t now)
{
    for (unsigned i = 0; i < MAX_REQUESTS && s_answer(self, now); i++)
        ;
}
