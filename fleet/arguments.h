// arguments - builds the argv of a program to be started. Pure.
#ifndef TROUPE_FLEET_ARGUMENTS_H
#define TROUPE_FLEET_ARGUMENTS_H

#include "common/option_set.h"

typedef struct arguments arguments;
arguments *arguments_new(const char *program); // copied
void arguments_destroy(arguments **self_p);    // NULL-safe

void arguments_add(arguments *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Adds --key=value for each option that the program takes from `troupe up` and that has a value, in the order
// of options.def. program: PROGRAM_BROKER or PROGRAM_WORKER.
void arguments_add_options(arguments *self, const option_set *options, unsigned program);
// NULL-terminated; borrowed until the next change.
char *const *arguments_argv(const arguments *self);

#endif
