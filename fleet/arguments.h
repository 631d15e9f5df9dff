// arguments - builds the argv of a program to be started. Pure.
#ifndef TROUPE_FLEET_ARGUMENTS_H
#define TROUPE_FLEET_ARGUMENTS_H

#include "fleet/settings.h"

typedef struct arguments arguments;
arguments *arguments_new(const char *program); // copied
void arguments_destroy(arguments **self_p);    // NULL-safe

void arguments_add(arguments *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Adds --key=value for each of this program's settings that has a value, in the order of settings.def.
void arguments_add_settings(arguments *self, const settings *settings_p, setting_program program);
// NULL-terminated; borrowed until the next change.
char *const *arguments_argv(const arguments *self);

#endif
