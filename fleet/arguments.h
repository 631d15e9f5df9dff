// arguments - the command line of a program that is about to be started. Pure.
#ifndef TROUPE_FLEET_ARGUMENTS_H
#define TROUPE_FLEET_ARGUMENTS_H

#include "fleet/settings.h"

typedef struct arguments arguments;
arguments *arguments_new(const char *program); // copied
void arguments_destroy(arguments **self_p);    // NULL-safe

void arguments_add(arguments *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// What is given of this program's settings, as --key=value, in the order of settings.def.
void arguments_add_settings(arguments *self, const settings *given, setting_program program);
char *const *arguments_argv(const arguments *self); // NULL at its end; borrowed until the next arguments_add

#endif
