// Values of options with the sources they came from, so that sources may be read in any order: argp sees the
// flags first, and one of them names the file. A value keeps its text, which is what is passed on to other
// programs.
#include "common/option_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    option_source source;
    // One, unless it is a LIST or PATHS.
    size_t count;
    char *texts[MAX_OPTION_VALUES];
    // Of a NUMBER or SWITCH.
    uint64_t number;
} option_value;

struct option_set {
    option_value values[OPTION_COUNT];
    char problem[OPTION_PROBLEM_SIZE];
};

option_set *
option_set_new(void)
{
    option_set *self = calloc(1, sizeof *self);
    ASSERT(self);
    return self;
}

// Forgets the source as well: the option is unset.
static void
s_clear(option_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        free(value->texts[i]);
    *value = (option_value){0};
}

void
option_set_destroy(option_set **self_p)
{
    option_set *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        s_clear(&self->values[i]);
    free(self);
    *self_p = NULL;
}

// Kinds whose values add up instead of replacing each other.
static bool
s_is_list(option_name name)
{
    return option_table[name].kind == KIND_LIST || option_table[name].kind == KIND_PATHS;
}

// Copies a value. A relative path in a configuration file is relative to that file, not to the directory in
// which the program happens to be started.
static char *
s_copy(option_name name, const char *text, const char *directory)
{
    option_kind kind = option_table[name].kind;
    bool is_relative = directory && *text != '/' && (kind == KIND_PATH || kind == KIND_PATHS);
    char *copy = NULL;
    if (is_relative)
        ASSERT(asprintf(&copy, "%s/%s", directory, text) >= 0);
    else
        copy = strdup(text);
    ASSERT(copy);
    return copy;
}

// Refuses an invalid value from any source, even one that a stronger source replaces: it is a mistake in any
// case. *ret: the number of a NUMBER or SWITCH.
static err
s_check(option_set *self, option_name name, const char *text, uint64_t *ret)
{
    const option *row = &option_table[name];
    if (*text == '\0') {
        snprintf(self->problem, sizeof self->problem, "%s: the value is empty", row->key);
        return ERR_MALFORMED;
    }
    if (row->kind == KIND_NUMBER || row->kind == KIND_SWITCH)
        return option_parse(name, text, ret, self->problem);
    return OK;
}

// A weaker source changes nothing; a stronger one replaces all values; the same one adds to a list, and
// otherwise replaces what it said before, as users expect of a repeated flag.
err
option_set_put(option_set *self, option_name name, const char *text, option_source source,
               const char *directory)
{
    option_value *value = &self->values[name];
    uint64_t number = 0;
    err error = s_check(self, name, text, &number);
    if (error || source < value->source)
        return error;
    if (source > value->source || !s_is_list(name))
        s_clear(value);
    if (value->count == MAX_OPTION_VALUES) {
        snprintf(self->problem, sizeof self->problem, "%s: more than %d values", option_table[name].key,
                 MAX_OPTION_VALUES);
        return ERR_MALFORMED;
    }
    value->source = source;
    value->number = number;
    value->texts[value->count++] = s_copy(name, text, directory);
    return OK;
}

err
option_set_append(option_set *self, option_name name, const char *text)
{
    return option_set_put(self, name, text, self->values[name].source, NULL);
}

// A variable may hold several values of a list. strtok_r() skips empty ones, so a trailing separator is
// harmless.
static err
s_put_variable(option_set *self, option_name name, const char *text)
{
    if (!s_is_list(name))
        return option_set_put(self, name, text, SOURCE_ENVIRONMENT, NULL);
    const char *separator = option_table[name].kind == KIND_PATHS ? ":" : ",";
    char *copy = strdup(text), *rest = NULL;
    ASSERT(copy);
    err error = OK;
    for (char *part = strtok_r(copy, separator, &rest); part && !error;
         part = strtok_r(NULL, separator, &rest))
        error = option_set_put(self, name, part, SOURCE_ENVIRONMENT, NULL);
    free(copy);
    return error;
}

// An empty variable counts as unset: a shell cannot easily remove what it inherits.
err
option_set_put_environment(option_set *self, unsigned program, char *(*look)(const char *variable))
{
    for (unsigned name = 0; name < OPTION_COUNT; name++) {
        char variable[OPTION_VARIABLE_SIZE];
        if (!(option_table[name].variable & program))
            continue;
        const char *text = look(option_variable((option_name)name, variable));
        if (!text || *text == '\0')
            continue;
        err error = s_put_variable(self, (option_name)name, text);
        if (error)
            return error;
    }
    return OK;
}

// argp gives no text for a SWITCH: its presence means yes.
err
option_set_put_argp(option_set *self, unsigned program, int key, const char *text, bool *ret_found)
{
    option_name name = option_argp_find(key, program);
    *ret_found = name < OPTION_COUNT;
    if (!*ret_found)
        return OK;
    return option_set_put(self, name, text ? text : "yes", SOURCE_FLAG, NULL);
}

const char *
option_set_problem(const option_set *self)
{
    return self->problem;
}

bool
option_set_has(const option_set *self, option_name name)
{
    return self->values[name].source != SOURCE_NONE;
}

// Only a NUMBER has a default that this program needs; a SWITCH that is not set is off.
uint64_t
option_set_number(const option_set *self, option_name name)
{
    return option_set_has(self, name) ? self->values[name].number : option_default(name);
}

int
option_set_descriptor(const option_set *self, option_name name)
{
    return option_set_has(self, name) ? (int)self->values[name].number : -1;
}

const char *
option_set_text(const option_set *self, option_name name)
{
    return self->values[name].count ? self->values[name].texts[0] : NULL;
}

// Processes of the same machine connect over ipc:// if they can: it is faster and needs no keys.
const char *
option_set_local(const option_set *self, option_name name)
{
    for (size_t i = 0; i < option_set_count(self, name); i++)
        if (strncmp(option_set_value(self, name, i), "ipc://", 6) == 0)
            return option_set_value(self, name, i);
    return option_set_text(self, name);
}

size_t
option_set_count(const option_set *self, option_name name)
{
    return self->values[name].count;
}

const char *
option_set_value(const option_set *self, option_name name, size_t at)
{
    ASSERT(at < self->values[name].count);
    return self->values[name].texts[at];
}
