// Endpoints that the broker may bind, and those that it must refuse.
#include "broker/io/address.h"

#include "tests/unit.h"

static void
test_good(void)
{
    static const char *const good[][2] = {
        {"ipc:///run/troupe/front", "ipc:///run/troupe/front"},
        {"ipc://front", "ipc://front"},
        {"tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"},
        {"tcp://127.9.8.7:1", "tcp://127.9.8.7:1"},
        {"tcp://localhost:65535", "tcp://127.0.0.1:65535"},
        {"tcp://[::1]:80", "tcp://[::1]:80"},
        {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char endpoint[MAX_ADDRESS] = "";
        CU_ASSERT_PTR_NULL(address_parse(good[i][0], false, endpoint));
        CU_ASSERT_STRING_EQUAL(endpoint, good[i][1]);
    }
}

static void
test_refused(void)
{
    static const char *const bad[] = {
        "",
        "front",
        "inproc://front",
        "udp://127.0.0.1:1",
        "ipc://",
        "ipc://*",
        "ipc://@front",
        "ipc:///run/troupe/",
        "tcp://*:5555",
        "tcp://0.0.0.0:5555",
        "tcp://[::]:5555",
        "tcp://[::ffff:127.0.0.1]:5555",
        "tcp://10.0.0.1:5555",
        "tcp://128.0.0.1:5555",
        "tcp://example.org:5555",
        "tcp://localhost.example.org:5555",
        "tcp://127.0.0.1.example.org:5555",
        "tcp://127.1:5555",
        "tcp://eth0:5555",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:99999999999",
        "tcp://127.0.0.1:55x",
        "tcp://:5555",
        "tcp://10.0.0.1;127.0.0.1:5555",
        "tcp://[::1:5555",
        "tcp://::1:5555",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char endpoint[MAX_ADDRESS] = "untouched";
        CU_ASSERT_PTR_NOT_NULL(address_parse(bad[i], false, endpoint));
        CU_ASSERT_STRING_EQUAL(endpoint, "untouched");
    }
}

// With keys any network may be served, but still by IP address.
static void
test_keys(void)
{
    static const char *const good[] = {"tcp://*:5555",    "tcp://0.0.0.0:5555", "tcp://10.0.0.1:*",
                                       "tcp://[::]:5555", "tcp://[fe80::1]:1",  "tcp://127.0.0.1:1",
                                       "ipc:///run/front"};
    static const char *const bad[] = {
        "tcp://example.org:5555",        "tcp://eth0:5555",  "tcp://[10.0.0.1]:1", "tcp://[]:1", "tcp://:1",
        "tcp://10.0.0.1;127.0.0.1:5555", "tcp://10.0.0.1:0", "udp://10.0.0.1:1"};
    char endpoint[MAX_ADDRESS];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_PTR_NULL(address_parse(good[i], true, endpoint));
        CU_ASSERT_STRING_EQUAL(endpoint, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_PTR_NOT_NULL(address_parse(bad[i], true, endpoint));
    const char *refused = address_parse("tcp://10.0.0.1:5555", false, endpoint);
    CU_ASSERT_PTR_NOT_NULL_FATAL(refused);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused, "--key"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refused, "troupe keygen"));
}

static void
test_long(void)
{
    char text[400] = "ipc:///", endpoint[MAX_ADDRESS];
    memset(text + 7, 'a', 106);
    CU_ASSERT_PTR_NULL(address_parse(text, false, endpoint));
    CU_ASSERT_STRING_EQUAL(endpoint, text);
    text[113] = 'a';
    CU_ASSERT_PTR_NOT_NULL(address_parse(text, false, endpoint));
    memset(text, 0, sizeof text);
    memcpy(text, "tcp://", 6);
    memset(text + 6, '1', 300);
    memcpy(text + 306, ":1", 2);
    CU_ASSERT_PTR_NOT_NULL(address_parse(text, false, endpoint));
}

static const unit_test s_tests[] = {
    {"what may be bound", test_good},
    {"what is refused", test_refused},
    {"with keys", test_keys},
    {"long ones", test_long},
};
UNIT_MAIN("address", s_tests)
