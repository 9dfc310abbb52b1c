/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -daemonize and -pidfile. */
#include "app/system/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first process waits until the second one says that all is well, or has gone. */
int daemon_begin(struct sys *s, struct err *e)
{
    int pipes[2];
    pid_t pid;
    char ok;

    s->daemon_fd = -1;
    if (!s->cli.daemonize)
        return 0;
    if (s->cli.nographic)
        return err_set(e, -EINVAL, "-nographic cannot be used with -daemonize");
    if (pipe2(pipes, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        return err_set(e, -errno, "-daemonize: %s", strerror(errno));
    if (pid) {
        close(pipes[1]);
        _exit(read(pipes[0], &ok, 1) == 1 ? 0 : 1);
    }
    close(pipes[0]);
    setsid();
    s->daemon_fd = pipes[1];
    return 0;
}

void daemon_ready(struct sys *s)
{
    int null;

    if (s->daemon_fd < 0)
        return;
    if (chdir("/") < 0 || (null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        return;
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    close(null);
    if (write(s->daemon_fd, "", 1) == 1)
        close(s->daemon_fd);
    s->daemon_fd = -1;
}

int pidfile_make(struct sys *s, struct err *e)
{
    const char *path = s->cli.pidfile;
    char text[32];
    int fd, n;

    if (!path)
        return 0;
    if ((fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600)) < 0)
        return err_set(e, -errno, "cannot create PID file: Could not create '%s': %s", path,
                       strerror(errno));
    n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n) {
        err_set(e, -errno, "cannot create PID file: Cannot lock '%s': %s", path, strerror(errno));
        close(fd);
        return e->code;
    }
    s->pidfile_made = realpath(path, NULL); /* the descriptor stays open: it is the lock */
    return 0;
}
