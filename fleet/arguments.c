// Grows an argv. All memory belongs to the arguments object, so that the caller frees it with one call after
// fork.
#include "fleet/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    char **argv;
    size_t count;
};

// Consumes text. The array always ends with NULL, as execvp(3) needs it.
static void
s_append(arguments *self, char *text)
{
    self->argv = realloc(self->argv, (self->count + 2) * sizeof *self->argv);
    ASSERT(self->argv && text);
    self->argv[self->count++] = text;
    self->argv[self->count] = NULL;
}

// argv[0] is the program's path, which is also what is executed.
arguments *
arguments_new(const char *program)
{
    arguments *self = calloc(1, sizeof *self);
    ASSERT(self);
    s_append(self, strdup(program));
    return self;
}

void
arguments_destroy(arguments **self_p)
{
    arguments *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->argv[i]);
    free(self->argv);
    free(self);
    *self_p = NULL;
}

// For options that only the supervisor knows: names, addresses, descriptors.
void
arguments_add(arguments *self, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    ASSERT(vasprintf(&text, format, args) >= 0);
    va_end(args);
    s_append(self, text);
}

// Texts are passed on as they were given; both programs check them by the same table. A SWITCH that is off is
// left out: off is its default.
void
arguments_add_options(arguments *self, const option_set *options, unsigned program)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        option_name name = (option_name)i;
        const option *row = &option_table[name];
        if (!option_is_setting(name) || !(row->programs & program))
            continue;
        if (row->kind == KIND_SWITCH && option_set_number(options, name))
            arguments_add(self, "--%s", row->key);
        for (size_t k = 0; row->kind != KIND_SWITCH && k < option_set_count(options, name); k++)
            arguments_add(self, "--%s=%s", row->key, option_set_value(options, name, k));
    }
}

char *const *
arguments_argv(const arguments *self)
{
    return self->argv;
}
