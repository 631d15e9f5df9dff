// Which addresses require keys, and what is wrong with files.
#include "worker/io/curve_keys.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define BROKER "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static char s_pair[] = "/tmp/troupe-keys-XXXXXX", s_broker[] = "/tmp/troupe-keys-XXXXXX";

static void
s_write(char *path, const char *text)
{
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd != -1);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static err
s_load(const char *address, const char *key, const char *broker, curve_keys *ret, const char *why_has)
{
    char why[512] = "";
    err error = curve_keys_load(address, key, broker, ret, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, why_has));
    return error;
}

static void
test_load(void)
{
    curve_keys got;
    s_write(s_pair, "public-key = \"" PUBLIC "\"\nsecret-key = \"" SECRET "\"\n");
    s_write(s_broker, "public-key = \"" BROKER "\"\n");
    CU_ASSERT_EQUAL(s_load("tcp://broker.example.org:1", s_pair, s_broker, &got, ""), OK);
    CU_ASSERT_STRING_EQUAL(got.own.public_key, PUBLIC);
    CU_ASSERT_STRING_EQUAL(got.own.secret_key, SECRET);
    CU_ASSERT_STRING_EQUAL(got.broker_key, BROKER);
    CU_ASSERT_EQUAL(s_load("tcp://127.0.0.1:1", s_pair, s_broker, &got, ""), OK);
    CU_ASSERT_STRING_EQUAL(got.broker_key, BROKER);
    CU_ASSERT_EQUAL(s_load("tcp://10.0.0.1:1", s_broker, s_broker, &got, "_secret"), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s_load("tcp://10.0.0.1:1", s_pair, "/tmp/troupe-none", &got, "No such file"), ERR_SYSTEM);
}

static void
test_without(void)
{
    curve_keys got;
    CU_ASSERT_EQUAL(s_load("tcp://127.0.0.1:1", NULL, NULL, &got, ""), OK);
    CU_ASSERT_STRING_EQUAL(got.broker_key, "");
    CU_ASSERT_EQUAL(s_load("ipc:///run/back", "/tmp/troupe-none", NULL, &got, ""), OK); // not even read
    CU_ASSERT_STRING_EQUAL(got.broker_key, "");
    CU_ASSERT_EQUAL(s_load("tcp://10.0.0.1:1", NULL, NULL, &got, "requires keys"), ERR_FORBIDDEN);
    CU_ASSERT_EQUAL(s_load("tcp://10.0.0.1:1", s_pair, NULL, &got, "--server-key"), ERR_FORBIDDEN);
    CU_ASSERT_EQUAL(s_load("tcp://127.0.0.1:1", NULL, s_broker, &got, "or neither"), ERR_FORBIDDEN);
    unlink(s_pair);
    unlink(s_broker);
}

static const unit_test s_tests[] = {
    {"from files", test_load},
    {"without", test_without},
};
UNIT_MAIN("keys", s_tests)
