// option_set - the values of one program's options, from flags, the environment and a file. A stronger source
// replaces the values of a weaker one, in whichever order they are read; one source may add the values of a
// LIST or PATHS one by one. Pure.
#ifndef TROUPE_COMMON_OPTION_SET_H
#define TROUPE_COMMON_OPTION_SET_H

#include "common/options.h"

// Weakest first.
typedef enum { SOURCE_NONE, SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG } option_source;

// Values of one LIST or PATHS.
enum { MAX_OPTION_VALUES = 16 };

typedef struct option_set option_set;
option_set *option_set_new(void);
void option_set_destroy(option_set **self_p); // NULL-safe

// Copies text. directory: what a PATH is relative to, or NULL. ERR_MALFORMED: option_set_problem says why.
err option_set_put(option_set *self, option_name name, const char *text, option_source source,
                   const char *directory);
// One more value for a LIST that has values, from whichever source they are. ERR_MALFORMED as above.
err option_set_append(option_set *self, option_name name, const char *text);
// The variables that the program reads, by look(variable). A LIST has commas between its values, PATHS
// colons; an empty variable counts as unset. ERR_MALFORMED as above.
err option_set_put_environment(option_set *self, unsigned program, char *(*look)(const char *variable));
// Puts what argp's parser was called with. *ret_found: whether it is an option of the table. ERR_MALFORMED as
// above.
err option_set_put_argp(option_set *self, unsigned program, int key, const char *text, bool *ret_found);
// Why the last value was refused, in a sentence without a full stop.
const char *option_set_problem(const option_set *self);

bool option_set_has(const option_set *self, option_name name);
// NUMBER and SWITCH: the value, else the default of the table.
uint64_t option_set_number(const option_set *self, option_name name);
// The same for the number of a descriptor; -1: not given.
int option_set_descriptor(const option_set *self, option_name name);
// The first value; NULL: not given.
const char *option_set_text(const option_set *self, option_name name);
// The first ipc:// address, else the first value.
const char *option_set_local(const option_set *self, option_name name);
size_t option_set_count(const option_set *self, option_name name);
const char *option_set_value(const option_set *self, option_name name, size_t at); // at < option_set_count

#endif
