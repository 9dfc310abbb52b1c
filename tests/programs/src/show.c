/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what a program sees of itself: "args", "arg0", "env NAME", "stack MIB", "exe", "cmdline",
 * "maps", "auxv", "cpuinfo", "exec PROGRAM ARG0", "run PROGRAM ARGS...", "ok". */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static void ok(bool yes)
{
    puts(yes ? "ok" : "wrong");
}

static unsigned deep(unsigned mib)
{
    volatile char room[1 << 20];

    memset((char *)room, mib, sizeof(room));
    return mib > 1 ? deep(mib - 1) + room[7] : room[0];
}

static size_t slurp(const char *path, char *buf, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(buf, 1, size - 1, f) : 0;

    if (f)
        fclose(f);
    buf[n] = 0;
    return n;
}

static bool auxv_matches(void)
{
    static uint64_t aux[128];
    size_t n = slurp("/proc/self/auxv", (char *)aux, sizeof(aux)) / 16;

    for (size_t i = 0; i < n; i++)
        if (aux[2 * i] == AT_ENTRY)
            return aux[2 * i + 1] == getauxval(AT_ENTRY) && getauxval(AT_PAGESZ) == 4096 &&
                   strcmp((char *)getauxval(AT_PLATFORM), "aarch64") == 0 && getauxval(AT_RANDOM);
    return false;
}

/* Our code, our stack and nothing that is not ours to see. */
static bool maps_match(const char *self)
{
    static char text[1 << 16];
    uint64_t lo, hi, code = (uintptr_t)maps_match, stack = (uintptr_t)&self;
    bool seen_code = false, seen_stack = false;

    slurp("/proc/self/maps", text, sizeof(text));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (sscanf(line, "%lx-%lx", &lo, &hi) != 2)
            return false;
        if (lo <= code && code < hi && strstr(line, self) && strstr(line, "r-x"))
            seen_code = true;
        if (lo <= stack && stack < hi && strstr(line, "[stack]"))
            seen_stack = true;
        if (strstr(line, "qemu") || strstr(line, "emu-user"))
            return false;
    }
    return seen_code && seen_stack;
}

static void cmdline(void)
{
    char text[4096];
    size_t n = slurp("/proc/self/cmdline", text, sizeof(text));

    for (size_t i = 0; i < n; i++)
        putchar(text[i] ? text[i] : '|');
    putchar('\n');
}

static void run(char **argv)
{
    if (fork() == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "args";
    char text[8192];

    if (strncmp(what, "args", 4) == 0) {
        for (int i = strcmp(what, "args") ? 1 : 2; i < argc; i++)
            printf("arg %d %s\n", strcmp(what, "args") ? i : i - 1, argv[i]);
    } else if (strcmp(what, "arg0") == 0) {
        printf("arg 0 %s\n", argv[0]);
    } else if (strcmp(what, "env") == 0) {
        const char *v = getenv(argv[2]);
        printf(v ? "%s=%s\n" : "%s unset\n", argv[2], v);
    } else if (strcmp(what, "stack") == 0) {
        ok(deep(atoi(argv[2])));
    } else if (strcmp(what, "exe") == 0) {
        ssize_t n = readlink("/proc/self/exe", text, sizeof(text) - 1);
        text[n < 0 ? 0 : n] = 0;
        puts(text);
    } else if (strcmp(what, "cmdline") == 0) {
        cmdline();
    } else if (strcmp(what, "maps") == 0) {
        ok(maps_match(strrchr(argv[0], '/')));
    } else if (strcmp(what, "auxv") == 0) {
        ok(auxv_matches());
    } else if (strcmp(what, "cpuinfo") == 0) {
        slurp("/proc/cpuinfo", text, sizeof(text));
        ok(strstr(text, "CPU implementer") && strstr(text, "Features") && !strstr(text, "GenuineIntel") &&
           !strstr(text, "AuthenticAMD"));
    } else if (strcmp(what, "exec") == 0) {
        execv(argv[2], (char *[]){argv[3], "arg0", NULL});
        perror(argv[2]);
    } else if (strcmp(what, "run") == 0) {
        fflush(stdout);
        run(argv + 2);
    } else {
        ok(true);
    }
    return 0;
}
