/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The -L prefix: absolute paths that exist under it are taken from there.
 *
 * Whether the prefix holds a first component (/usr, /home, ...) at all is asked for once and then
 * remembered: most of what it has not is absent altogether.
 */
#include "user/path.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

enum { N_SEEN = 32, N_NAME = 24, MAX_LINKS = 16 };

/* First components looked for in the prefix; grows only. */
enum { EMPTY, BUSY, ABSENT, THERE };
static struct {
    atomic_int state;
    char name[N_NAME];
} seen[N_SEEN];

/* The kernel's own file systems are always the host's. */
static bool is_kernel_fs(const char *path)
{
    static const char *const roots[] = {"/proc", "/sys", "/dev"};

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        size_t n = strlen(roots[i]);

        if (strncmp(path, roots[i], n) == 0 && (path[n] == 0 || path[n] == '/'))
            return true;
    }
    return false;
}

static size_t first_component(const char *path)
{
    return 1 + strcspn(path + 1, "/");
}

/* ABSENT, THERE, or EMPTY: not known. */
static int look_up(const char *path, size_t len)
{
    for (unsigned i = 0; i < N_SEEN; i++) {
        int state = atomic_load_explicit(&seen[i].state, memory_order_acquire);

        if (state == EMPTY)
            break;
        if (state != BUSY && strncmp(seen[i].name, path, len) == 0 && seen[i].name[len] == 0)
            return state;
    }
    return EMPTY;
}

static void learn(const char *prefix, const char *path, size_t len)
{
    char dir[PATH_MAX];
    int state;

    if (len >= N_NAME || len < 2)
        return;
    if ((size_t)snprintf(dir, sizeof(dir), "%s%.*s", prefix, (int)len, path) >= sizeof(dir))
        return;
    state = faccessat(AT_FDCWD, dir, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? THERE : ABSENT;
    for (unsigned i = 0; i < N_SEEN; i++) {
        int empty = EMPTY;

        if (!atomic_compare_exchange_strong(&seen[i].state, &empty, BUSY))
            continue;
        memcpy(seen[i].name, path, len);
        atomic_store_explicit(&seen[i].state, state, memory_order_release);
        return;
    }
}

const char *path_resolve(struct process *p, const char *path, char *buf)
{
    const char *prefix = p->opts.prefix;
    size_t len;
    int known;

    if (!prefix || path[0] != '/' || is_kernel_fs(path))
        return path;
    len = first_component(path);
    known = look_up(path, len);
    if (known == ABSENT || strstr(path, "/../"))
        return path;
    if ((size_t)snprintf(buf, PATH_MAX, "%s%s", prefix, path) >= PATH_MAX)
        return path;
    if (faccessat(AT_FDCWD, buf, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return buf;
    if (known == EMPTY)
        learn(prefix, path, len);
    return path;
}

const char *path_resolve_follow(struct process *p, const char *path, char *buf)
{
    char link[PATH_MAX];
    const char *at = path_resolve(p, path, buf);

    for (int i = 0; at == buf && i < MAX_LINKS; i++) {
        ssize_t n = readlink(at, link, sizeof(link) - 1);

        if (n <= 0)
            return at;
        link[n] = 0;
        if (link[0] != '/') {
            char *dir = strrchr(buf, '/') + 1;

            if ((size_t)(dir - buf) + (size_t)n >= PATH_MAX)
                return path;
            memcpy(dir, link, (size_t)n + 1);
            continue;
        }
        if (path_resolve(p, link, buf) != buf) {
            memcpy(buf, link, (size_t)n + 1); /* outside: as the host sees it */
            return buf;
        }
    }
    return at;
}
