// process - the life of a worker's process, from its command line to its exit code. Two programs use it: the
// executable troupe-worker, which embeds CPython, and the extension module troupe._worker, which runs in an
// interpreter that was started before (docs/decisions/django/0032).
#ifndef TROUPE_WORKER_PROCESS_H
#define TROUPE_WORKER_PROCESS_H

// Runs a worker on the calling thread, which is the process's main thread, and ends the process. The command
// line is that of troupe-worker; argv is changed, and ends with NULL. launcher: what comes before argv[1]
// where the process's executable is a Python interpreter, ended by NULL; NULL: argv is the whole command
// line. It is for --reload. With an interpreter the GIL is held by the caller.
_Noreturn void worker_process(int argc, char **argv, const char *const *launcher);

#endif
