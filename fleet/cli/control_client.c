// The DEALER that a command talks to the supervisor with. A probe of the socket file tells a supervisor that
// is gone from one that is slow.
#include "fleet/cli/control_client.h"

#include "fleet/state_directory.h"

#include <czmq.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

struct control_client {
    zsock_t *socket;
    char file[STATE_DIRECTORY_ADDRESS];
};

// Whether a process listens on the socket. ZeroMQ would wait for one to appear: a connect() of its ipc://
// transport fails in the background, and is retried for ever. EAGAIN: somebody listens, and the backlog is
// full (unix(7)). Sets errno if not.
static bool
s_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool listens =
        fd != -1 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
    int reason = errno;
    if (fd != -1)
        close(fd);
    errno = reason;
    return listens;
}

// The probe comes first, so that `troupe status` without a fleet answers at once.
err
control_client_open(const char *directory, control_client **ret, char *ret_why, size_t size)
{
    control_client *self = calloc(1, sizeof *self);
    ASSERT(self);
    snprintf(self->file, sizeof self->file, "%s/control", directory);
    if (!s_listens(self->file)) {
        if (errno == EACCES)
            snprintf(ret_why, size, "%s belongs to another user: be that user, or name another --state",
                     directory);
        else
            snprintf(ret_why, size,
                     "no fleet runs in %s: start one with `manage.py troupe up`, or name its --state",
                     directory);
        control_client_close(&self);
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
control_client_close(control_client **self_p)
{
    control_client *self = *self_p;
    if (!self)
        return;
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

// Receives and decodes the reply, which is one frame. ret_why gets the reason for any error.
static err
s_read_reply(control_client *self, report *ret, char *ret_why, size_t size)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    control_reply reply;
    err error = ERR_UNREACHABLE;
    if (zmq_msg_recv(&frame, zsock_resolve(self->socket), 0) != -1)
        error = control_reply_decode(slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), &reply);
    snprintf(ret_why, size, "invalid reply from the supervisor: %s", err_text(error ? error : OK));
    if (!error && !reply.ok) {
        snprintf(ret_why, size, "%.*s", (int)reply.message.size, (const char *)reply.message.data);
        error = ERR_FORBIDDEN;
    } else if (!error) {
        error = report_decode(reply.report, ret);
    }
    zmq_msg_close(&frame);
    return error;
}

// Waits in short intervals, and gives up early if nobody listens on the socket any more.
err
control_client_request(control_client *self, const control_request *request, report *ret, char *ret_why,
                       size_t size)
{
    buffer body;
    buffer_init(&body);
    control_request_encode(request, &body);
    int sent = zmq_send(zsock_resolve(self->socket), body.data, body.size, 0);
    buffer_fini(&body);
    zmq_pollitem_t item = {.socket = zsock_resolve(self->socket), .events = ZMQ_POLLIN};
    for (int waited = 0; sent != -1 && waited < CONTROL_CLIENT_MS; waited += 100) {
        if (zmq_poll(&item, 1, 100) > 0)
            return s_read_reply(self, ret, ret_why, size);
        if (!s_listens(self->file))
            break;
    }
    snprintf(ret_why, size, "the supervisor did not answer");
    return ERR_UNREACHABLE;
}
