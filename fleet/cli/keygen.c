// `troupe keygen`: makes a CURVE key pair, chooses the names of its two files, and says what to do with them
// next. CZMQ writes the files: NAME.cert, and NAME.cert_secret with both keys.
#include "fleet/cli/keygen.h"

#include <czmq.h>
#include <errno.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, MAX_NAME = 64 };

// Returns the exit code.
static int
s_keygen_failed(const char *subject, const char *why)
{
    fprintf(stderr, "troupe keygen: %s: %s\n", subject, why);
    return 1;
}

// A name becomes part of a path: no slashes, and no leading dot, which the broker's directory of keys
// would skip.
static bool
s_is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(text);
    return length > 0 && length <= MAX_NAME && *text != '.' && strspn(text, letters) == length;
}

// The host name: most machines need one key pair.
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

// For each of the three roles, since keygen does not know which one the key is for.
static void
s_print_instructions(const char *public, const char *secret)
{
    printf(
        "%s  the secret key: keep it on this machine\n"
        "%s         the public key: copy it to the machines that should accept this one\n\n"
        "If it is the broker's:\n"
        "  troupe up --front tcp://ADDRESS:7600 --back tcp://ADDRESS:7601 --key %s --allow DIR\n"
        "  DIR/clients/*.cert: the public keys of Django processes; DIR/workers/*.cert: those of workers\n\n"
        "If it is Django's (copy its public key into the broker's DIR/clients):\n"
        "  TROUPE = {\"BROKER\": \"tcp://ADDRESS:7600\", \"KEY\": \"%s\",\n"
        "            \"SERVER_KEY\": \"the broker's public key file\"}\n\n"
        "If it is a worker's (copy its public key into the broker's DIR/workers):\n"
        "  troupe-worker --back tcp://ADDRESS:7601 --key %s --server-key \"the broker's public key file\"\n",
        secret, public, secret, secret, secret);
}

// The secret file is created unreadable for others, before it has any content.
static int
s_make_pair(const char *name, const char *public, const char *secret)
{
    zcert_t *pair = zcert_new();
    if (!pair)
        return s_keygen_failed(name, "ZeroMQ was built without CURVE");
    zcert_set_meta(pair, "name", "%s", name);
    mode_t before = umask(0077);
    bool saved = zcert_save(pair, public) == 0 && access(secret, R_OK) == 0;
    int reason = errno;
    umask(before);
    zcert_destroy(&pair);
    if (!saved || chmod(public, 0644) == -1)
        return s_keygen_failed(public, strerror(saved ? errno : reason));
    char *public_path = realpath(public, NULL), *secret_path = realpath(secret, NULL);
    s_print_instructions(public_path ? public_path : public, secret_path ? secret_path : secret);
    free(public_path);
    free(secret_path);
    return 0;
}

// lstat(), not stat(): a dangling link is taken, too, since writing to it would create its target.
int
keygen_run(const command *parsed)
{
    const char *directory = parsed->out ? parsed->out : ".";
    char name[MAX_NAME + 1], public[PATH_SIZE], secret[PATH_SIZE + 8];
    s_default_name(name);
    if (parsed->operand && !s_is_name(parsed->operand))
        return s_keygen_failed(parsed->operand,
                               "a name has up to 64 letters, digits, dots, underscores and dashes");
    if (parsed->operand)
        snprintf(name, sizeof name, "%s", parsed->operand);
    if (snprintf(public, sizeof public, "%s/%s.cert", directory, name) >= (int)sizeof public)
        return s_keygen_failed(directory, "the path is too long");
    snprintf(secret, sizeof secret, "%s_secret", public);
    if (mkdir(directory, 0700) == -1 && errno != EEXIST)
        return s_keygen_failed(directory, strerror(errno));
    struct stat found;
    if (stat(directory, &found) == -1 || !S_ISDIR(found.st_mode))
        return s_keygen_failed(directory, "not a directory");
    const char *taken = lstat(public, &found) == 0 ? public : lstat(secret, &found) == 0 ? secret : NULL;
    if (taken)
        return s_keygen_failed(
            taken, "exists already, and keys are never overwritten: choose another NAME or --out");
    return s_make_pair(name, public, secret);
}
