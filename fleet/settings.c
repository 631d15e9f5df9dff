#include "fleet/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const setting settings_table[SETTING_COUNT] = {
#define SETTING(name, key, kind, program, least, most, argument, text)                                       \
    [SET_##name] = {key, KIND_##kind, PROGRAM_##program, least, most, argument, text},
#include "fleet/settings.def"
#undef SETTING
};

typedef struct {
    setting_source source;
    size_t count;
    char *text[SETTING_VALUES];
    uint64_t number;
} value;

struct settings {
    value of[SETTING_COUNT];
    char problem[SETTING_PROBLEM];
};

settings *
settings_new(void)
{
    settings *self = calloc(1, sizeof *self);
    ASSERT(self);
    return self;
}

static void
s_forget(value *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->text[i]);
    *self = (value){0};
}

void
settings_destroy(settings **self_p)
{
    settings *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        s_forget(&self->of[i]);
    free(self);
    *self_p = NULL;
}

setting_name
settings_find(const char *key)
{
    size_t at = 0;
    while (at < SETTING_COUNT && strcmp(settings_table[at].key, key) != 0)
        at++;
    return (setting_name)at;
}

static err
s_number(settings *self, const setting *of, const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end || end == text || number < (long long)of->least || number > (long long)of->most) {
        snprintf(self->problem, sizeof self->problem, "%s: '%.40s' is not a number from %llu to %llu",
                 of->key, text, (unsigned long long)of->least, (unsigned long long)of->most);
        return ERR_MALFORMED;
    }
    *ret = (uint64_t)number;
    return OK;
}

static err
s_switch(settings *self, const setting *of, const char *text, uint64_t *ret)
{
    static const char *const words[] = {"0", "no", "off", "false", "1", "yes", "on", "true"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i >= 4;
            return OK;
        }
    }
    snprintf(self->problem, sizeof self->problem, "%s: '%.40s' is neither yes nor no", of->key, text);
    return ERR_MALFORMED;
}

static char *
s_copy(const setting *of, const char *text, const char *folder)
{
    bool seen_from_there = folder && *text != '/' && (of->kind == KIND_PATH || of->kind == KIND_PATHS);
    char *copy = NULL;
    if (seen_from_there)
        ASSERT(asprintf(&copy, "%s/%s", folder, text) >= 0);
    else
        copy = strdup(text);
    ASSERT(copy);
    return copy;
}

err
settings_put(settings *self, setting_name name, const char *text, setting_source source, const char *folder)
{
    const setting *of = &settings_table[name];
    value *to = &self->of[name];
    uint64_t number = 0;
    err error = OK;
    if (of->kind == KIND_NUMBER)
        error = s_number(self, of, text, &number);
    else if (of->kind == KIND_SWITCH)
        error = s_switch(self, of, text, &number);
    else if (*text == '\0')
        error = ERR_MALFORMED;
    if (error && *text == '\0')
        snprintf(self->problem, sizeof self->problem, "%s: nothing is given", of->key);
    if (error || source < to->source)
        return error;
    bool several = of->kind == KIND_LIST || of->kind == KIND_PATHS;
    if (source > to->source || !several)
        s_forget(to);
    if (to->count == SETTING_VALUES) {
        snprintf(self->problem, sizeof self->problem, "%s: more than %d", of->key, SETTING_VALUES);
        return ERR_MALFORMED;
    }
    to->source = source;
    to->number = number;
    to->text[to->count++] = s_copy(of, text, folder);
    return OK;
}

err
settings_append(settings *self, setting_name name, const char *text)
{
    return settings_put(self, name, text, self->of[name].source, NULL);
}

static void
s_variable(const setting *of, char *ret, size_t size)
{
    snprintf(ret, size, "TROUPE_%s", of->key);
    for (char *at = ret; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

static err
s_put_list(settings *self, setting_name name, const char *text)
{
    const char *between = settings_table[name].kind == KIND_PATHS ? ":" : ",";
    char *copy = strdup(text), *rest = NULL;
    ASSERT(copy);
    err error = OK;
    for (char *each = strtok_r(copy, between, &rest); each && !error; each = strtok_r(NULL, between, &rest))
        error = settings_put(self, name, each, SOURCE_ENVIRONMENT, NULL);
    free(copy);
    return error;
}

err
settings_put_environment(settings *self, char *(*look)(const char *variable))
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char variable[64];
        s_variable(&settings_table[i], variable, sizeof variable);
        const char *text = look(variable);
        if (!text || *text == '\0')
            continue;
        setting_kind kind = settings_table[i].kind;
        err error = kind == KIND_LIST || kind == KIND_PATHS
                        ? s_put_list(self, (setting_name)i, text)
                        : settings_put(self, (setting_name)i, text, SOURCE_ENVIRONMENT, NULL);
        if (error)
            return error;
    }
    return OK;
}

const char *
settings_problem(const settings *self)
{
    return self->problem;
}

bool
settings_given(const settings *self, setting_name name)
{
    return self->of[name].source != SOURCE_NONE;
}

uint64_t
settings_number(const settings *self, setting_name name, uint64_t fallback)
{
    return settings_given(self, name) ? self->of[name].number : fallback;
}

const char *
settings_text(const settings *self, setting_name name)
{
    return self->of[name].count ? self->of[name].text[0] : NULL;
}

const char *
settings_local(const settings *self, setting_name name)
{
    for (size_t i = 0; i < settings_count(self, name); i++)
        if (strncmp(settings_value(self, name, i), "ipc://", 6) == 0)
            return settings_value(self, name, i);
    return settings_text(self, name);
}

size_t
settings_count(const settings *self, setting_name name)
{
    return self->of[name].count;
}

const char *
settings_value(const settings *self, setting_name name, size_t at)
{
    ASSERT(at < self->of[name].count);
    return self->of[name].text[at];
}
