// troupe-worker, the executable: a worker that embeds CPython.
#include "worker/process.h"

#include <stddef.h>

int
main(int argc, char **argv)
{
    worker_process(argc, argv, NULL);
}
