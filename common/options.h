// options - common/options.def as a table: what the options of the three programs are called, and which
// values they take; and their side of argp. Not thread-safe: for main, before there are threads.
#ifndef TROUPE_COMMON_OPTIONS_H
#define TROUPE_COMMON_OPTIONS_H

#include "common/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
#define OPTION(name, ...) OPTION_##name,
#include "common/options.def"
#undef OPTION
    OPTION_COUNT
} option_name;

typedef enum { KIND_TEXT, KIND_PATH, KIND_LIST, KIND_PATHS, KIND_NUMBER, KIND_SWITCH } option_kind;

// A set of programs.
enum { PROGRAM_FLEET = 1, PROGRAM_BROKER = 2, PROGRAM_WORKER = 4 };

typedef struct {
    const char *key;
    // 0: no short option.
    int letter;
    option_kind kind;
    // Sets of programs: those that have the flag, and those that read the variable.
    unsigned programs, variable;
    // The limits of a NUMBER.
    uint64_t least, most;
    // The default; NULL: none.
    const char *fallback;
    // NULL: a SWITCH.
    const char *argument;
    const char *help;
} option;
extern const option option_table[OPTION_COUNT];

enum { OPTION_VARIABLE_SIZE = 64, OPTION_PROBLEM_SIZE = 256 };

// The option of one program with this key, without dashes. OPTION_COUNT: there is none.
option_name option_find(const char *key, unsigned program);
// Whether a configuration file may have it.
bool option_is_setting(option_name name);
// TROUPE_KEY. Returns ret_text.
const char *option_variable(option_name name, char ret_text[OPTION_VARIABLE_SIZE]);

// The value of a NUMBER within its limits, or of a SWITCH ("yes", "off", ...). ERR_MALFORMED: ret_problem
// gets a sentence without a full stop.
err option_parse(option_name name, const char *text, uint64_t *ret, char ret_problem[OPTION_PROBLEM_SIZE]);
// The default of a NUMBER; 0 if it has none, and for the other kinds.
uint64_t option_default(option_name name);

// For argp, in one program: an option with its help, in which its default stands; all options of the program,
// with the entry that ends the list; and the option of a key that argp's parser is called with, or
// OPTION_COUNT.
struct argp_option;
enum { OPTION_ARGP_SIZE = OPTION_COUNT + 1 };
void option_argp(option_name name, unsigned program, struct argp_option *ret);
// ret has room for OPTION_ARGP_SIZE.
void option_argp_all(unsigned program, struct argp_option *ret);
option_name option_argp_find(int key, unsigned program);

#endif
