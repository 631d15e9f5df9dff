// settings - what a fleet is to be like, from flags, the environment and a file (settings.def). A stronger
// source replaces what a weaker one said, whichever comes first; one source may say a LIST's values one by
// one. Pure.
#ifndef TROUPE_FLEET_SETTINGS_H
#define TROUPE_FLEET_SETTINGS_H

#include "common/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
#define SETTING(name, key, kind, program, least, most, argument, text) SET_##name,
#include "fleet/settings.def"
#undef SETTING
    SETTING_COUNT
} setting_name;

typedef enum { KIND_TEXT, KIND_PATH, KIND_LIST, KIND_PATHS, KIND_NUMBER, KIND_SWITCH } setting_kind;
typedef enum { PROGRAM_FLEET, PROGRAM_BROKER, PROGRAM_WORKER, PROGRAM_ALL } setting_program;
typedef enum {
    SOURCE_NONE,
    SOURCE_DEFAULT,
    SOURCE_FILE,
    SOURCE_ENVIRONMENT,
    SOURCE_FLAG
} setting_source; // weakest first

typedef struct {
    const char *key;
    setting_kind kind;
    setting_program program;
    uint64_t least, most;
    const char *argument; // NULL: a SWITCH's
    const char *text;
} setting;
extern const setting settings_table[SETTING_COUNT];

enum { SETTING_VALUES = 16, SETTING_PROBLEM = 256 };

typedef struct settings settings;
settings *settings_new(void);
void settings_destroy(settings **self_p); // NULL-safe

setting_name settings_find(const char *key); // SETTING_COUNT: there is none
// Copies text. folder: where a relative path is seen from, or NULL. ERR_MALFORMED: settings_problem says why.
err settings_put(settings *self, setting_name name, const char *text, setting_source source,
                 const char *folder);
// TROUPE_KEY for each, by look(name); a LIST has commas between its values, PATHS colons. Errors as above.
err settings_put_environment(settings *self, char *(*look)(const char *variable));
// One more value for a LIST that has some, from whichever source they are. ERR_MALFORMED as above.
err settings_append(settings *self, setting_name name, const char *text);
const char *settings_problem(const settings *self); // a sentence without a full stop

bool settings_given(const settings *self, setting_name name);
uint64_t settings_number(const settings *self, setting_name name, uint64_t fallback); // NUMBER, SWITCH
const char *settings_text(const settings *self, setting_name name); // the first value; NULL: not given
const char *settings_local(const settings *self,
                           setting_name name); // its first ipc:// address, else the first
size_t settings_count(const settings *self, setting_name name);
const char *settings_value(const settings *self, setting_name name, size_t at); // at < settings_count

#endif
