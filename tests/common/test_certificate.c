// Key files as several tools write them, and files that are none.
#include "common/certificate.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

// As CZMQ 4.2 writes it.
static const char s_secret_file[] =
    "#   ****  Generated on 2026-11-27 07:40:00 by CZMQ  ****\n"
    "#   ZeroMQ CURVE **Secret** Certificate\n"
    "#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n\n"
    "metadata\n    name = \"web\"\n"
    "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n";

static void
test_secret(void)
{
    certificate read;
    CU_ASSERT_EQUAL(certificate_parse(slice_text(s_secret_file), &read), OK);
    CU_ASSERT_STRING_EQUAL(read.public_key, PUBLIC);
    CU_ASSERT_STRING_EQUAL(read.secret_key, SECRET);
}

static void
test_public(void)
{
    static const char *const good[] = {
        "curve\n    public-key = \"" PUBLIC "\"\n",
        "public-key='" PUBLIC "'",
        "  public-key  =  " PUBLIC "  \r\n",
        "public-keys = \"other\"\npublic-key = \"" PUBLIC "\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        certificate read;
        CU_ASSERT_EQUAL(certificate_parse(slice_text(good[i]), &read), OK);
        CU_ASSERT_STRING_EQUAL(read.public_key, PUBLIC);
        CU_ASSERT_STRING_EQUAL(read.secret_key, "");
    }
}

static void
test_bad(void)
{
    static const char *const bad[] = {
        "",
        "\n\n",
        "public-key",
        "public-key =",
        "public-key = \"\"",
        "# public-key = \"" PUBLIC "\"",
        "secret-key = \"" SECRET "\"",
        "public-key = \"" PUBLIC "x\"",
        "public-key = \"~ne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"",
        "public-key = \"" PUBLIC "\"\nsecret-key = \"short\"",
    };
    certificate read = {"kept", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(certificate_parse(slice_text(bad[i]), &read), ERR_MALFORMED);
    CU_ASSERT_EQUAL(certificate_parse(slice_of("public-key = \"\0", 15), &read), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(read.public_key, "kept");
}

static void
s_write(char *path, const char *text)
{
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd != -1);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
test_files(void)
{
    char pair[] = "/tmp/troupe-cert-XXXXXX", alone[] = "/tmp/troupe-cert-XXXXXX", why[200] = "";
    certificate read;
    s_write(pair, s_secret_file);
    s_write(alone, "public-key = \"" PUBLIC "\"");
    CU_ASSERT_EQUAL(certificate_load_secret(pair, &read, why, sizeof why), OK);
    CU_ASSERT_STRING_EQUAL(read.secret_key, SECRET);
    CU_ASSERT_EQUAL(certificate_load(alone, &read, why, sizeof why), OK);
    CU_ASSERT_STRING_EQUAL(why, "");
    CU_ASSERT_EQUAL(certificate_load_secret(alone, &read, why, sizeof why), ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "_secret"));
    CU_ASSERT_EQUAL(certificate_load("/tmp/troupe-no-such-file", &read, why, sizeof why), ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
    CU_ASSERT_EQUAL(certificate_load("/tmp", &read, why, sizeof why), ERR_SYSTEM);
    CU_ASSERT_EQUAL(certificate_load("/dev/zero", &read, why, sizeof why), ERR_MALFORMED);
    unlink(pair);
    unlink(alone);
}

static const unit_test s_tests[] = {
    {"a pair of keys", test_secret},
    {"a public key", test_public},
    {"what is none", test_bad},
    {"files", test_files},
};
UNIT_MAIN("certificate", s_tests)
