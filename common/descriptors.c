// Keeps descriptors 0 to 2 taken, so that no socket or database is opened in their place.
#include "common/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

err
descriptors_reserve_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR); // the lowest number that is free
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd == -1)
        return ERR_SYSTEM;
    close(fd);
    return OK;
}
