/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The -L prefix: absolute paths that exist under it are taken from there.
 *
 * What the prefix does not hold at all (its /home, /tmp, ...) is asked for once per first component
 * and then remembered as absent.
 */
#include "user/path.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

enum { N_ABSENT = 32, N_NAME = 24, MAX_LINKS = 16 };

/* First components that the prefix has not; grows only.  A slot is written before the count. */
static char absent[N_ABSENT][N_NAME];
static atomic_uint n_absent;

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

static bool known_absent(const char *path, size_t len)
{
    unsigned n = atomic_load_explicit(&n_absent, memory_order_acquire);

    for (unsigned i = 0; i < n; i++) {
        if (strncmp(absent[i], path, len) == 0 && absent[i][len] == 0)
            return true;
    }
    return false;
}

/* Two threads may race for a slot: one of the names is then forgotten, which costs a lookup. */
static void learn_absent(const char *prefix, const char *path, size_t len)
{
    unsigned n = atomic_load_explicit(&n_absent, memory_order_relaxed);
    char dir[PATH_MAX];

    if (n >= N_ABSENT || len >= N_NAME || len < 2)
        return;
    if ((size_t)snprintf(dir, sizeof(dir), "%s%.*s", prefix, (int)len, path) >= sizeof(dir) ||
        faccessat(AT_FDCWD, dir, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    memcpy(absent[n], path, len);
    atomic_compare_exchange_strong(&n_absent, &n, n + 1);
}

const char *path_resolve(struct process *p, const char *path, char *buf)
{
    const char *prefix = p->opts.prefix;
    size_t len;

    if (!prefix || path[0] != '/' || is_kernel_fs(path))
        return path;
    len = first_component(path);
    if (known_absent(path, len) || strstr(path, "/../"))
        return path;
    if ((size_t)snprintf(buf, PATH_MAX, "%s%s", prefix, path) >= PATH_MAX)
        return path;
    if (faccessat(AT_FDCWD, buf, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return buf;
    learn_absent(prefix, path, len);
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
