#include "fleet/command/keygen.h"

#include <czmq.h>
#include <errno.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, MAX_NAME = 64 };

static int
s_fail(const char *what, const char *why)
{
    fprintf(stderr, "troupe keygen: %s: %s\n", what, why);
    return 1;
}

static bool
s_is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(text);
    return length > 0 && length <= MAX_NAME && *text != '.' && strspn(text, letters) == length;
}

// The machine's, as most machines have one key.
static void
s_default_name(char ret[MAX_NAME + 1])
{
    snprintf(ret, MAX_NAME + 1, "troupe");
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) == 0) {
        host[strcspn(host, ".")] = '\0';
        if (s_is_name(host))
            snprintf(ret, MAX_NAME + 1, "%s", host);
    }
}

static void
s_say(const char *public, const char *secret)
{
    printf(
        "%s  the secret key: it stays on this machine\n"
        "%s         the public key: copy it to the machines that are to know this one\n\n"
        "If it is the broker's:\n"
        "  troupe up --front tcp://ADDRESS:7600 --back tcp://ADDRESS:7601 --key %s --allow DIR\n"
        "  DIR/clients/*.cert: the public keys that Django comes with; DIR/workers/*.cert: those of "
        "workers\n\n"
        "If it is Django's (its public key goes into DIR/clients at the broker's):\n"
        "  TROUPE = {\"BROKER\": \"tcp://ADDRESS:7600\", \"KEY\": \"%s\",\n"
        "            \"SERVER_KEY\": \"the broker's public key file\"}\n\n"
        "If it is a worker's (its public key goes into DIR/workers at the broker's):\n"
        "  troupe-worker --back tcp://ADDRESS:7601 --key %s --server-key \"the broker's public key file\"\n",
        secret, public, secret, secret, secret);
}

static int
s_make(const char *name, const char *public, const char *secret)
{
    zcert_t *pair = zcert_new();
    if (!pair)
        return s_fail(name, "ZeroMQ was built without CURVE");
    zcert_set_meta(pair, "name", "%s", name);
    mode_t before = umask(0077);
    bool saved = zcert_save(pair, public) == 0 && access(secret, R_OK) == 0;
    int reason = errno;
    umask(before);
    zcert_destroy(&pair);
    if (!saved || chmod(public, 0644) == -1)
        return s_fail(public, strerror(saved ? errno : reason));
    char *public_path = realpath(public, NULL), *secret_path = realpath(secret, NULL);
    s_say(public_path ? public_path : public, secret_path ? secret_path : secret);
    free(public_path);
    free(secret_path);
    return 0;
}

int
keygen_run(const command *given)
{
    const char *folder = given->out ? given->out : ".";
    char name[MAX_NAME + 1], public[PATH_SIZE], secret[PATH_SIZE + 8];
    s_default_name(name);
    if (given->word && !s_is_name(given->word))
        return s_fail(given->word, "a name has up to 64 letters, digits, dots and dashes");
    if (given->word)
        snprintf(name, sizeof name, "%s", given->word);
    if (snprintf(public, sizeof public, "%s/%s.cert", folder, name) >= (int)sizeof public)
        return s_fail(folder, "the path is too long");
    snprintf(secret, sizeof secret, "%s_secret", public);
    if (mkdir(folder, 0700) == -1 && errno != EEXIST)
        return s_fail(folder, strerror(errno));
    struct stat found;
    if (stat(folder, &found) == -1 || !S_ISDIR(found.st_mode))
        return s_fail(folder, "it is no folder");
    const char *taken = lstat(public, &found) == 0 ? public : lstat(secret, &found) == 0 ? secret : NULL;
    if (taken)
        return s_fail(taken, "is there already, and keys are not overwritten: give another NAME or --out");
    return s_make(name, public, secret);
}
