#include "fleet/command/control_client.h"

#include "fleet/state_directory.h"

#include <czmq.h>
#include <sys/socket.h>
#include <sys/un.h>

struct call {
    zsock_t *socket;
    char file[HOME_ADDRESS];
};

// Whether somebody listens: ZeroMQ would wait for one to come.
static bool
s_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes = fd != -1 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
    if (fd != -1)
        close(fd);
    return yes;
}

err
call_open(const char *path, call **ret, char *ret_why, size_t size)
{
    call *self = calloc(1, sizeof *self);
    ASSERT(self);
    snprintf(self->file, sizeof self->file, "%s/control", path);
    if (!s_listens(self->file)) {
        snprintf(ret_why, size, "no fleet runs in %s: start one with `troupe up`, or name its --state", path);
        call_close(&self);
        return ERR_UNREACHABLE;
    }
    self->socket = zsock_new(ZMQ_DEALER);
    ASSERT(self->socket);
    zsock_set_linger(self->socket, 0);
    ASSERT(zsock_connect(self->socket, "ipc://%s", self->file) == 0);
    *ret = self;
    return OK;
}

void
call_close(call **self_p)
{
    call *self = *self_p;
    if (!self)
        return;
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

static err
s_read(call *self, report *ret, char *ret_why, size_t size)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    talk_answer answer;
    err error = ERR_UNREACHABLE;
    if (zmq_msg_recv(&frame, zsock_resolve(self->socket), 0) != -1)
        error = talk_answer_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), &answer);
    snprintf(ret_why, size, "the supervisor's answer is not understood: %s", err_text(error ? error : OK));
    if (!error && !answer.ok) {
        snprintf(ret_why, size, "%.*s", (int)answer.message.size, (const char *)answer.message.data);
        error = ERR_FORBIDDEN;
    } else if (!error) {
        error = report_decode(answer.report, ret);
    }
    zmq_msg_close(&frame);
    return error;
}

err
call_ask(call *self, const talk_request *request, report *ret, char *ret_why, size_t size)
{
    buffer body;
    buffer_init(&body);
    talk_request_encode(request, &body);
    int sent = zmq_send(zsock_resolve(self->socket), body.data, body.size, 0);
    buffer_fini(&body);
    zmq_pollitem_t item = {.socket = zsock_resolve(self->socket), .events = ZMQ_POLLIN};
    for (int waited = 0; sent != -1 && waited < CALL_MS; waited += 100) {
        if (zmq_poll(&item, 1, 100) > 0)
            return s_read(self, ret, ret_why, size);
        if (!s_listens(self->file))
            break;
    }
    snprintf(ret_why, size, "the supervisor did not answer");
    return ERR_UNREACHABLE;
}
