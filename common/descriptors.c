// Keeps descriptors 0 to 2 taken, so that no socket or database is opened in their place.
#include "common/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

// open(2) returns the lowest free number, so it is called until the number is above standard error; the
// descriptors below stay open for the life of the process. They are inherited by children on purpose: no
// O_CLOEXEC.
err
descriptors_reserve_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd == -1)
        return ERR_SYSTEM;
    close(fd);
    return OK;
}
