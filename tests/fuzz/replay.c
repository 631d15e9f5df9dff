// replay - runs every file in the given corpus folders through a fuzz target, as a regression test for
// whatever fuzzing has found. A failure aborts in the target; the last line on standard error then names the
// file. Prints "N passed, N failed" as the CUnit programs here do.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The file's bytes, which the caller frees; NULL: it cannot be read. Exactly as large as the file, so that
// AddressSanitizer detects reads beyond its end.
static uint8_t *
s_read(FILE *file, size_t *ret_size)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    rewind(file);
    uint8_t *data = size < 0 ? NULL : malloc(size > 0 ? (size_t)size : 1);
    if (data && fread(data, 1, (size_t)size, file) == (size_t)size) {
        *ret_size = (size_t)size;
        return data;
    }
    free(data);
    return NULL;
}

// 1: the file cannot be read. The name is printed first, as the target may abort.
static int
s_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return perror(path), 1;
    size_t size = 0;
    uint8_t *data = s_read(file, &size);
    fclose(file);
    if (!data)
        return perror(path), 1;
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

// Returns how many files failed. Skips hidden files, and so "." and "..".
static int
s_folder(const char *folder, unsigned *passed)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return perror(folder), 1;
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if (s_file(folder, entry->d_name))
            failed++;
        else
            ++*passed;
    }
    closedir(dir);
    return failed;
}

// Nothing passed is a failure, too: an empty corpus would be a mistake in the build.
int
main(int argc, char **argv)
{
    unsigned passed = 0;
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += s_folder(argv[i], &passed);
    printf("%u passed, %d failed\n", passed, failed);
    return failed || passed == 0 ? 1 : 0;
}
