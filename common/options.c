// The table of options, the check of their values, and what argp needs to know about them. common/options.def
// is the only place where an option is described; the guide's table is compared with it by tests/scripts.
#include "common/options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLEET = PROGRAM_FLEET,
    BROKER = PROGRAM_BROKER,
    WORKER = PROGRAM_WORKER,
    // Above all letters, which argp would take for short options.
    ARGP_KEY_FIRST = 1000,
    HELP_SIZE = 256,
};

const option option_table[OPTION_COUNT] = {
#define OPTION(name, key, letter, kind, programs, variable, least, most, fallback, argument, help)           \
    [OPTION_##name] = {key, letter, KIND_##kind, programs, variable, least, most, fallback, argument, help},
#include "common/options.def"
#undef OPTION
};

// A key may have several rows, as long as no program has two of them.
option_name
option_find(const char *key, unsigned program)
{
    unsigned name = 0;
    while (name < OPTION_COUNT &&
           (!(option_table[name].programs & program) || strcmp(option_table[name].key, key) != 0))
        name++;
    return (option_name)name;
}

// What `troupe up` reads from the environment it reads from a configuration file, too.
bool
option_is_setting(option_name name)
{
    return option_table[name].variable & FLEET;
}

// --max-rss-mb becomes TROUPE_MAX_RSS_MB.
const char *
option_variable(option_name name, char ret_text[OPTION_VARIABLE_SIZE])
{
    snprintf(ret_text, OPTION_VARIABLE_SIZE, "TROUPE_%s", option_table[name].key);
    for (char *c = ret_text; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return ret_text;
}

// strtoll() and not strtoull(), which takes "-1" for 2^64 - 1.
static err
s_parse_number(const option *row, const char *text, uint64_t *ret, char ret_problem[OPTION_PROBLEM_SIZE])
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end || end == text || number < (long long)row->least || number > (long long)row->most) {
        snprintf(ret_problem, OPTION_PROBLEM_SIZE, "%s: '%.40s' is not a number from %llu to %llu", row->key,
                 text, (unsigned long long)row->least, (unsigned long long)row->most);
        return ERR_MALFORMED;
    }
    *ret = (uint64_t)number;
    return OK;
}

// The words of ZPL and of common shells; a flag without a value arrives as "yes".
static err
s_parse_switch(const option *row, const char *text, uint64_t *ret, char ret_problem[OPTION_PROBLEM_SIZE])
{
    static const char *const words[] = {"0", "no", "off", "false", "1", "yes", "on", "true"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i >= 4;
            return OK;
        }
    }
    snprintf(ret_problem, OPTION_PROBLEM_SIZE, "%s: '%.40s' is neither yes nor no", row->key, text);
    return ERR_MALFORMED;
}

err
option_parse(option_name name, const char *text, uint64_t *ret, char ret_problem[OPTION_PROBLEM_SIZE])
{
    const option *row = &option_table[name];
    ASSERT(row->kind == KIND_NUMBER || row->kind == KIND_SWITCH);
    return row->kind == KIND_NUMBER ? s_parse_number(row, text, ret, ret_problem)
                                    : s_parse_switch(row, text, ret, ret_problem);
}

// The text is the table's own, and was compared with the limits by a test.
uint64_t
option_default(option_name name)
{
    const option *row = &option_table[name];
    return row->kind == KIND_NUMBER && row->fallback ? strtoull(row->fallback, NULL, 10) : 0;
}

// The default as help shows it. Broker and worker read variables only for options that `troupe up` has other
// defaults for.
static void
s_append_default(option_name name, unsigned program, char *text)
{
    const option *row = &option_table[name];
    size_t used = strlen(text);
    char variable[OPTION_VARIABLE_SIZE];
    if (program != FLEET && row->variable & program)
        snprintf(text + used, HELP_SIZE - used, " (default: $%s)", option_variable(name, variable));
    else if (row->fallback)
        snprintf(text + used, HELP_SIZE - used, " (default: %s)", row->fallback);
}

// The commands of `troupe` have long options only.
void
option_argp(option_name name, unsigned program, struct argp_option *ret)
{
    // argp keeps the pointer for as long as it parses.
    static char help[OPTION_COUNT][HELP_SIZE];
    const option *row = &option_table[name];
    snprintf(help[name], HELP_SIZE, "%s", row->help);
    s_append_default(name, program, help[name]);
    bool has_letter = row->letter && program != FLEET;
    *ret = (struct argp_option){
        .name = row->key,
        .key = has_letter ? row->letter : ARGP_KEY_FIRST + (int)name,
        .arg = row->argument,
        .doc = help[name],
    };
}

// The entry of zeros ends argp's list.
void
option_argp_all(unsigned program, struct argp_option *ret)
{
    for (unsigned name = 0; name < OPTION_COUNT; name++)
        if (option_table[name].programs & program)
            option_argp((option_name)name, program, ret++);
    *ret = (struct argp_option){0};
}

// argp calls back with the letter of an option that has one, and otherwise with the number that
// option_argp() gave.
option_name
option_argp_find(int key, unsigned program)
{
    unsigned name = 0;
    if (key >= ARGP_KEY_FIRST && key < ARGP_KEY_FIRST + OPTION_COUNT)
        return (option_name)(key - ARGP_KEY_FIRST);
    while (name < OPTION_COUNT &&
           (!(option_table[name].programs & program) || !key || option_table[name].letter != key))
        name++;
    return (option_name)name;
}
