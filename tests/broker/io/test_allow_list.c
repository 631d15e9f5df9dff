// Keys that may connect: each side's own, added and removed while the broker runs.
#include "broker/io/allow_list.h"

#include "tests/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANN "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define BOB "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static char s_folder[64];
static uint64_t s_now;

static void
s_command(const char *verb)
{
    char words[300];
    snprintf(words, sizeof words, verb, s_folder);
    CU_ASSERT_EQUAL_FATAL(system(words), 0); // NOLINT(cert-env33-c): of a test's own folder
}

static void
s_write(const char *name, const char *key)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", s_folder, name);
    FILE *file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "curve\n    public-key = \"%s\"\n", key);
    fclose(file);
}

static allow_list *
s_begin(void)
{
    char why[200];
    snprintf(s_folder, sizeof s_folder, "/tmp/troupe-allow-list-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s_folder));
    s_command("mkdir %s/clients");
    s_write("clients/ann.cert", ANN);
    s_now = 5000;
    allow_list *made = allow_list_new(s_folder, s_now, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    return made;
}

static void
s_end(allow_list *used)
{
    allow_list_destroy(&used);
    s_command("rm -r %s");
}

static void
test_sides(void)
{
    allow_list *allow_list = s_begin();
    CU_ASSERT_TRUE(allow_list_has(allow_list, SIDE_FRONT, ANN, s_now));
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_FRONT, BOB, s_now));
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_BACK, ANN, s_now)); // a client is no worker
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_FRONT, "", s_now));
    s_end(allow_list);
}

static void
test_changes(void)
{
    allow_list *allow_list = s_begin();
    s_command("mkdir %s/workers");
    s_write("workers/bob.key", BOB); // as pyzmq calls them
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_BACK, BOB, s_now + ALLOW_LIST_REREAD_MS - 1));
    CU_ASSERT_TRUE(allow_list_has(allow_list, SIDE_BACK, BOB, s_now + ALLOW_LIST_REREAD_MS));
    s_command("cd %s/clients && mv ann.cert ann.cert~");
    CU_ASSERT_TRUE(allow_list_has(allow_list, SIDE_FRONT, ANN, s_now + ALLOW_LIST_REREAD_MS + 1));
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_FRONT, ANN, s_now + 2 * ALLOW_LIST_REREAD_MS));
    s_command("rm -r %s/workers");
    CU_ASSERT_FALSE(allow_list_has(allow_list, SIDE_BACK, BOB, s_now + 3 * ALLOW_LIST_REREAD_MS));
    s_end(allow_list);
}

static void
test_other_files(void)
{
    allow_list *allow_list = s_begin();
    s_command("cd %s/clients && mkdir folder.cert && touch empty.cert && echo public-key=x > short.cert && "
              "cp ann.cert .hidden.cert && cp ann.cert ann.cert_secret && cp ann.cert notes.txt && ln -s "
              "nowhere gone.cert");
    CU_ASSERT_TRUE(allow_list_has(allow_list, SIDE_FRONT, ANN, s_now + ALLOW_LIST_REREAD_MS));
    CU_ASSERT_EQUAL(allow_list_count(allow_list, SIDE_FRONT), 1);
    s_end(allow_list);
}

static void
test_no_folder(void)
{
    char why[200] = "";
    CU_ASSERT_PTR_NULL(allow_list_new("/tmp/troupe-no-such-folder", 0, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
    CU_ASSERT_PTR_NULL(allow_list_new("/dev/null", 0, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "not a folder"));
}

static const unit_test s_tests[] = {
    {"each side has its own", test_sides},
    {"what is added and taken away", test_changes},
    {"files that are no keys", test_other_files},
    {"no folder", test_no_folder},
};
UNIT_MAIN("allow_list", s_tests)
