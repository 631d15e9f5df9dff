// The ZAP authenticator: which key may connect to which socket.
#include "broker/io/zap.h"

#include "tests/unit.h"

#include <sys/stat.h>

enum { CURVE_BYTES = 32 };

static struct {
    char folder[64], broker[100], client[100];
    uint8_t allowed[CURVE_BYTES], other[CURVE_BYTES];
    zsock_t *peer; // what ZeroMQ does for a socket
    zap *zap;
} s_world;

static void
s_key_file(const char *path, uint8_t ret_public[CURVE_BYTES])
{
    zcert_t *made = zcert_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL_FATAL(zcert_save(made, path), 0);
    memcpy(ret_public, zcert_public_key(made), CURVE_BYTES);
    zcert_destroy(&made);
}

static void
s_begin(void)
{
    uint8_t own[CURVE_BYTES];
    char clients[100], key[120];
    setenv("ZSYS_SIGHANDLER", "false", 1);
    snprintf(s_world.folder, sizeof s_world.folder, "/tmp/troupe-zap-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_world.folder));
    snprintf(clients, sizeof clients, "%s/clients", s_world.folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(clients, 0700), 0);
    snprintf(s_world.broker, sizeof s_world.broker, "%s/broker.cert", s_world.folder);
    snprintf(s_world.client, sizeof s_world.client, "%s/clients/ann.cert", s_world.folder);
    s_key_file(s_world.broker, own);
    s_key_file(s_world.client, s_world.allowed);
    memcpy(s_world.other, own, CURVE_BYTES);
    snprintf(key, sizeof key, "%s_secret", s_world.broker);
    s_world.zap = zap_new(key, s_world.folder, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_world.zap);
    s_world.peer = zsock_new_dealer(">inproc://zeromq.zap.01");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s_world.peer);
}

static void
s_end(void)
{
    zsock_destroy(&s_world.peer);
    zap_destroy(&s_world.zap);
    zdir_t *folder = zdir_new(s_world.folder, NULL);
    zdir_remove(folder, true);
    zdir_destroy(&folder);
}

// The ZAP request that ZeroMQ sends for a peer: an empty delimiter, as from a REQ socket, then seven frames.
static void
s_ask(const char *domain, const char *mechanism, const void *key, size_t size)
{
    const char *frames[] = {"", "1.0", "7", domain, "10.0.0.1", "", mechanism};
    void *socket = zsock_resolve(s_world.peer);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        CU_ASSERT_NOT_EQUAL(zmq_send(socket, frames[i], strlen(frames[i]), ZMQ_SNDMORE), -1);
    CU_ASSERT_NOT_EQUAL(zmq_send(socket, key, size, 0), -1);
    zap_process(s_world.zap, 1000);
}

// The status code of the answer. user: the user id in it.
static bool
s_answer_is(const char *status, const char *user)
{
    zmsg_t *answer = zmsg_recv(s_world.peer);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_EQUAL(zmsg_size(answer), 7);
    free(zmsg_popstr(answer));
    char *text[6];
    for (size_t i = 0; i < 6; i++)
        text[i] = zmsg_popstr(answer);
    bool is = strcmp(text[0], "1.0") == 0 && strcmp(text[1], "7") == 0 && strcmp(text[2], status) == 0 &&
              strcmp(text[4], user) == 0;
    for (size_t i = 0; i < 6; i++)
        free(text[i]);
    zmsg_destroy(&answer);
    return is;
}

static void
test_keys(void)
{
    char name[KEY_TEXT];
    s_begin();
    zmq_z85_encode(name, s_world.allowed, CURVE_BYTES);
    s_ask("front", "CURVE", s_world.allowed, CURVE_BYTES);
    CU_ASSERT_TRUE(s_answer_is("200", name));
    s_ask("back", "CURVE", s_world.allowed, CURVE_BYTES); // a client's key is no worker's
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_ask("front", "CURVE", s_world.other, CURVE_BYTES);
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_ask("front", "CURVE", s_world.allowed, CURVE_BYTES);
    CU_ASSERT_TRUE(s_answer_is("200", name));
    s_end();
}

static void
test_others(void)
{
    static const char *const domains[] = {"", "middle", "fronts"};
    static uint8_t large[1000];
    s_begin();
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        s_ask(domains[i], "CURVE", s_world.allowed, CURVE_BYTES);
        CU_ASSERT_TRUE(s_answer_is("400", ""));
    }
    s_ask("front", "NULL", s_world.allowed, CURVE_BYTES);
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_ask("front", "PLAIN", "secret", 6);
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_ask("front", "CURVE", s_world.allowed, CURVE_BYTES - 1);
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_ask("front", "CURVE", large, sizeof large);
    CU_ASSERT_TRUE(s_answer_is("400", ""));
    s_end();
}

static void
test_files(void)
{
    s_begin();
    CU_ASSERT_PTR_NULL(zap_new(s_world.client, s_world.folder, 0)); // only a public key
    CU_ASSERT_PTR_NULL(zap_new("/tmp/troupe-no-such-key", s_world.folder, 0));
    char key[120];
    snprintf(key, sizeof key, "%s_secret", s_world.broker);
    CU_ASSERT_PTR_NULL(zap_new(key, "/tmp/troupe-no-such-folder", 0));
    CU_ASSERT_PTR_NULL(zap_new(key, s_world.folder, 0)); // one at a time
    s_end();
}

static const unit_test s_tests[] = {
    {"which key may connect where", test_keys},
    {"peers without a key", test_others},
    {"files", test_files},
};
UNIT_MAIN("zap", s_tests)
