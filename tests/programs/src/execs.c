/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to execve: prints the same on every Linux (tests/cli/exec.sh compares runs).  With
 * arguments it is the program executed, and shows what it got. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096];

static void show(int argc, char **argv)
{
    char comm[17] = "";
    sigset_t set;
    int fds = 0;

    prctl(PR_GET_NAME, comm);
    sigprocmask(SIG_BLOCK, NULL, &set);
    for (int fd = 3; fd < 2000; fd++)
        fds += fcntl(fd, F_GETFD) >= 0;
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
    printf(" execfn %s, comm %s, %d more descriptors", (char *)getauxval(AT_EXECFN), comm, fds);
    printf(", USR1 %s, USR2 %s", sigismember(&set, SIGUSR1) ? "blocked" : "open",
           signal(SIGUSR2, SIG_DFL) == SIG_IGN ? "ignored" : "default");
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, "EMU", 3) == 0 || strncmp(*e, "X", 1) == 0)
            printf(" {%s}", *e);
    }
    puts("");
}

/* Run in a child; says how the call failed when it did. */
static void try(const char *what, int dirfd, const char *path, char **argv, char **envp, int flags)
{
    int status;

    printf("%s: ", what);
    fflush(stdout);
    if (fork() == 0) {
        if (dirfd == AT_FDCWD && !flags)
            execve(path, argv, envp);
        else
            syscall(SYS_execveat, dirfd, path, argv, envp, flags);
        printf("%s\n", strerrorname_np(errno));
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    if (status)
        printf("status %x\n", status);
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

int main(int argc, char **argv)
{
    char *args[] = {"zero", "one", "", NULL}, *env[] = {"X=1", NULL}, *none[] = {NULL};
    char text[5000], *big;
    int fd, dir;

    if (argc > 1 || !strcmp(argv[0], "")) {
        show(argc, argv);
        return 0;
    }
    readlink("/proc/self/exe", self, sizeof(self) - 1);
    try("a program", AT_FDCWD, self, args, env, 0);
    try("no arguments", AT_FDCWD, self, none, env, 0);
    try("by /proc/self/exe", AT_FDCWD, "/proc/self/exe", args, env, 0);
    try("not there", AT_FDCWD, "/no/such", args, env, 0);
    try("empty", AT_FDCWD, "", args, env, 0);
    try("a directory", AT_FDCWD, "/", args, env, 0);
    try("below a file", AT_FDCWD, "/proc/self/exe/x", args, env, 0);
    put("plain", "text\n", 0755);
    try("text", AT_FDCWD, "plain", args, env, 0);
    put("plain", "", 0755);
    try("an empty file", AT_FDCWD, "./plain", args, env, 0);
    put("locked", "#!/bin/true\n", 0644);
    try("no permission", AT_FDCWD, "./locked", args, env, 0);
    snprintf(text, sizeof(text), "#! %s -x  y \nrest\n", self);
    put("script", text, 0755);
    try("a script", AT_FDCWD, "./script", args, env, 0);
    try("a script without arguments", AT_FDCWD, "script", none, env, 0);
    snprintf(text, sizeof(text), "#!./script again\n");
    put("script2", text, 0755);
    try("a script's script", AT_FDCWD, "./script2", args, env, 0);
    put("script3", "#!/no/such\n", 0755);
    try("a script without its program", AT_FDCWD, "./script3", args, env, 0);
    put("loop", "#!./loop\n", 0755);
    try("a script that is its own program", AT_FDCWD, "./loop", args, env, 0);
    put("nothing", "#!\n", 0755);
    try("a script that names nothing", AT_FDCWD, "./nothing", args, env, 0);
    fd = open(self, O_RDONLY | O_CLOEXEC);
    try("by descriptor", fd, "", args, env, AT_EMPTY_PATH);
    try("a bad flag", fd, "", args, env, 0x40);
    try("by a bad descriptor", 999, "", args, env, AT_EMPTY_PATH);
    close(fd);
    fd = open("script", O_RDONLY);
    try("a script by descriptor", fd, "", args, env, AT_EMPTY_PATH);
    close(fd);
    fd = open("script", O_RDONLY | O_CLOEXEC);
    try("a script by descriptor that closes", fd, "", args, env, AT_EMPTY_PATH);
    close(fd);
    dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    try("a script in a folder that closes", dir, "script", args, env, 0);
    try("a program in a folder that closes", dir, "execs", args, env, 0);
    close(dir);
    dir = open(".", O_RDONLY | O_DIRECTORY);
    try("in a folder", dir, "script", args, env, 0);
    symlink("script", "link");
    try("through a link", AT_FDCWD, "./link", args, env, 0);
    try("not through a link", dir, "link", args, env, AT_SYMLINK_NOFOLLOW);
    close(dir);
    fd = open("script", O_WRONLY);
    try("being written", AT_FDCWD, "./script", args, env, 0);
    close(fd);
    big = malloc(200001);
    memset(big, 'x', 200000);
    big[200000] = 0;
    args[1] = big;
    try("too long", AT_FDCWD, self, args, env, 0);
    args[1] = "one";
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR2, SIG_IGN);
    try("signals", AT_FDCWD, self, args, env, 0);
    return 0;
}
