/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=vvfat with rw=on.  Sectors that are written go to a file without name; when the guest flushes, the file
 * system is read back (proto_vvfat_walk.c), and the folder is made what it says: new files are written under another
 * name and renamed, what is gone is removed.  Contents that only the host's file has are kept before that changes.
 */
#include "block/proto_vvfat_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char temporary[] = ".vvfat-new";

struct vvfat_writes {
    pthread_mutex_t lock;
    int fd;         /* the sectors that have been written, in their places */
    int root;       /* the folder */
    uint8_t *have;  /* a bit for each sector: it is in @fd */
    uint8_t *fresh; /* it has been written since the folder was last made right */
    uint32_t sectors;
    bool dirty;
    struct vvfat_items known; /* what the folder has of ours, sorted by path */
};

static bool bit(const uint8_t *map, uint32_t i)
{
    return map[i / 8] >> i % 8 & 1;
}

static bool is_fresh(const struct vvfat_writes *w, uint32_t sector)
{
    return bit(w->fresh, sector);
}

/* Sectors ------------------------------------------------------------------------------------------ */

static int from_file(int fd, uint8_t *buf, uint64_t len, uint64_t off, struct err *e)
{
    for (ssize_t k; len; buf += k, off += (uint64_t)k, len -= (uint64_t)k)
        if ((k = pread(fd, buf, len, (off_t)off)) <= 0)
            return err_set(e, k < 0 ? -errno : -EIO, "vvfat: reading what was written: %s",
                           k < 0 ? strerror(errno) : "it has ended");
    return 0;
}

static int to_file(int fd, const uint8_t *buf, uint64_t len, uint64_t off, struct err *e)
{
    for (ssize_t k; len; buf += k, off += (uint64_t)k, len -= (uint64_t)k)
        if ((k = pwrite(fd, buf, len, (off_t)off)) <= 0)
            return err_set(e, k < 0 ? -errno : -EIO, "vvfat: writing: %s", strerror(errno));
    return 0;
}

int vvfat_read_now(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e)
{
    struct vvfat_writes *w = v->writes;
    int r = 0;

    for (uint64_t n; len && r >= 0; off += n, buf += n, len -= n) {
        uint32_t s = (uint32_t)(off / VVFAT_SECTOR);
        bool here = bit(w->have, s);

        n = VVFAT_SECTOR - off % VVFAT_SECTOR;
        while (n < len && bit(w->have, (uint32_t)((off + n) / VVFAT_SECTOR)) == here)
            n += VVFAT_SECTOR;
        n = min_u64(n, len);
        r = here ? from_file(w->fd, buf, n, off, e) : vvfat_read_host(v, off, buf, n, e);
    }
    return r;
}

int vvfat_read(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e)
{
    int r;

    if (!v->writes)
        return vvfat_read_host(v, off, buf, len, e);
    pthread_mutex_lock(&v->writes->lock);
    r = vvfat_read_now(v, off, buf, len, e);
    pthread_mutex_unlock(&v->writes->lock);
    return r;
}

int vvfat_write(struct vvfat *v, uint64_t off, const uint8_t *buf, uint64_t len, struct err *e)
{
    struct vvfat_writes *w = v->writes;
    int r;

    pthread_mutex_lock(&w->lock);
    r = to_file(w->fd, buf, len, off, e);
    for (uint64_t s = off / VVFAT_SECTOR; r >= 0 && s < (off + len) / VVFAT_SECTOR; s++) {
        w->have[s / 8] |= 1 << s % 8;
        w->fresh[s / 8] |= 1 << s % 8;
    }
    w->dirty = true;
    pthread_mutex_unlock(&w->lock);
    return r;
}

/* The host's file ------------------------------------------------------------------------------------ */

/* The folder that @path is in, through no symbolic link; *@name: the last component. */
static int open_parent(struct vvfat_writes *w, const char *path, const char **name, struct err *e)
{
    int fd = dup(w->root);
    const char *slash;

    for (; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char part[256];
        int next;

        snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    *name = path;
    return fd < 0 ? err_set(e, -errno, "vvfat: the folder of '%s': %s", path, strerror(errno)) : fd;
}

/* What is read from the host's file @path is kept, as that file is about to change. */
static int keep_contents(struct vvfat *v, const char *path, struct err *e)
{
    struct vvfat_writes *w = v->writes;
    size_t prefix = strlen(v->tree.nodes[0].path) + 1;
    uint8_t sector[VVFAT_SECTOR];
    int r = 0;

    for (uint32_t i = 1; i < v->tree.n; i++) {
        const struct vvfat_node *n = &v->tree.nodes[i];
        uint32_t s = n->first ? (uint32_t)(vvfat_cluster_at(v, n->first) / VVFAT_SECTOR) : 0;

        if (n->entries || !n->first || strcmp(n->path + prefix, path))
            continue;
        for (uint32_t end = s + (uint32_t)div_up(n->size, VVFAT_SECTOR); s < end && r >= 0; s++) {
            if (bit(w->have, s))
                continue;
            if ((r = vvfat_read_host(v, (uint64_t)s * VVFAT_SECTOR, sector, VVFAT_SECTOR, e)) >=
                    0 &&
                (r = to_file(w->fd, sector, VVFAT_SECTOR, (uint64_t)s * VVFAT_SECTOR, e)) >= 0)
                w->have[s / 8] |= 1 << s % 8;
        }
    }
    return r;
}

static int copy_out(struct vvfat *v, const uint8_t *table, const struct vvfat_item *it, int fd,
                    struct err *e)
{
    uint32_t n = 0, cluster = v->tree.cluster, *list;
    uint8_t *buf = malloc(cluster);
    int r = 0;

    list = it->size ? vvfat_chain(v, table, it->first, it->size, &n, e) : NULL;
    if (!buf || (it->size && !list))
        r = buf ? e->code : err_set(e, -ENOMEM, "out of memory for a cluster");
    for (uint32_t i = 0; r >= 0 && i < n; i++) {
        uint64_t at = (uint64_t)i * cluster, len = min_u64(cluster, it->size - at);

        if ((r = vvfat_read_now(v, vvfat_cluster_at(v, list[i]), buf, len, e)) >= 0)
            r = to_file(fd, buf, len, at, e);
    }
    free(buf);
    free(list);
    return r;
}

static int write_file(struct vvfat *v, const uint8_t *table, const struct vvfat_item *it,
                      struct err *e)
{
    struct vvfat_writes *w = v->writes;
    const char *name;
    struct stat st;
    int dir, fd, r = keep_contents(v, it->path, e);

    if (r < 0 || (dir = open_parent(w, it->path, &name, e)) < 0)
        return e->code;
    unlinkat(dir, temporary, 0);
    fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        r = err_set(e, -errno, "vvfat: '%s': %s", it->path, strerror(errno));
    } else {
        if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
            fchmod(fd, st.st_mode & 07777);
        r = copy_out(v, table, it, fd, e);
        if (close(fd) < 0 && r >= 0)
            r = err_set(e, -errno, "vvfat: '%s': %s", it->path, strerror(errno));
        if (r >= 0 && renameat(dir, temporary, dir, name) < 0)
            r = err_set(e, -errno, "vvfat: '%s': %s", it->path, strerror(errno));
        if (r < 0)
            unlinkat(dir, temporary, 0);
    }
    close(dir);
    return r;
}

static int make_folder(struct vvfat_writes *w, const char *path, struct err *e)
{
    const char *name;
    int dir = open_parent(w, path, &name, e), r = 0;

    if (dir < 0)
        return dir;
    if (mkdirat(dir, name, 0777) < 0 && errno != EEXIST)
        r = err_set(e, -errno, "vvfat: '%s': %s", path, strerror(errno));
    close(dir);
    return r;
}

/* A folder that still has what FAT cannot say stays. */
static int remove_item(struct vvfat *v, const struct vvfat_item *it, struct err *e)
{
    const char *name;
    int dir, r = it->dir ? 0 : keep_contents(v, it->path, e);

    if (r < 0 || (dir = open_parent(v->writes, it->path, &name, e)) < 0)
        return e->code;
    if (unlinkat(dir, name, it->dir ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT &&
        errno != ENOTEMPTY)
        r = err_set(e, -errno, "vvfat: '%s': %s", it->path, strerror(errno));
    close(dir);
    return r;
}

/* Making the folder right ----------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct vvfat_item *)a)->path, ((const struct vvfat_item *)b)->path);
}

static const struct vvfat_item *same_path(const struct vvfat_items *sorted,
                                          const struct vvfat_item *it)
{
    return sorted->n ? bsearch(it, sorted->at, sorted->n, sizeof(*it), by_path) : NULL;
}

static const struct vvfat_item *find(const struct vvfat_items *sorted, const struct vvfat_item *it)
{
    const struct vvfat_item *k = same_path(sorted, it);

    return k && k->dir == it->dir ? k : NULL;
}

static bool changed(const struct vvfat_item *it, const struct vvfat_item *was)
{
    return !was || (!it->dir && (it->fresh || it->first != was->first || it->size != was->size));
}

/* Is @k, or a folder that it is in, something else of the same name now? */
static bool replaced(const struct vvfat_items *sorted, const struct vvfat_item *k)
{
    char part[4096];

    if (same_path(sorted, k))
        return true;
    snprintf(part, sizeof(part), "%s", k->path);
    for (char *slash; (slash = strrchr(part, '/'));) {
        const struct vvfat_item folder = {.path = part}, *there;

        *slash = 0;
        there = same_path(sorted, &folder);
        if (there && !there->dir)
            return true;
    }
    return false;
}

/* A file where a folder was, or the reverse, must be gone first. */
static int remove_others(struct vvfat *v, const struct vvfat_items *sorted, bool now, struct err *e)
{
    const struct vvfat_items *known = &v->writes->known;
    int r = 0;

    for (uint32_t i = known->n; i-- && r >= 0;) {
        const struct vvfat_item *k = &known->at[i];

        if (find(sorted, k))
            continue;
        if (replaced(sorted, k) == now)
            r = remove_item(v, k, e);
    }
    return r;
}

/* @items: folders before what is in them. */
static int apply(struct vvfat *v, const struct vvfat_items *items, struct vvfat_items *sorted,
                 struct err *e)
{
    uint8_t *table = vvfat_load_table(v, e);
    int r = table ? remove_others(v, sorted, true, e) : e->code;

    for (uint32_t i = 0; i < items->n && r >= 0; i++) {
        const struct vvfat_item *it = &items->at[i];

        if (changed(it, find(&v->writes->known, it)))
            r = it->dir ? make_folder(v->writes, it->path, e) : write_file(v, table, it, e);
    }
    if (r >= 0)
        r = remove_others(v, sorted, false, e);
    free(table);
    return r;
}

static int copy_sorted(const struct vvfat_items *from, struct vvfat_items *to, struct err *e)
{
    int r = 0;

    for (uint32_t i = 0; i < from->n && r >= 0; i++)
        r = vvfat_items_add(to, from->at[i].path, from->at[i].first, from->at[i].size,
                            from->at[i].dir, e);
    if (to->n)
        qsort(to->at, to->n, sizeof(*to->at), by_path);
    for (uint32_t i = 1; i < to->n && r >= 0; i++)
        if (!strcmp(to->at[i].path, to->at[i - 1].path))
            r = err_set(e, -EILSEQ, "two files are called '%s'", to->at[i].path);
    return r;
}

int vvfat_writes_sync(struct blk *b, bool last, struct err *e)
{
    struct vvfat *v = b->state;
    struct vvfat_writes *w = v->writes;
    struct vvfat_items items = {0}, sorted = {0};
    struct err why = {0};
    int r = 0;

    pthread_mutex_lock(&w->lock);
    if (!w->dirty)
        goto out;
    if (vvfat_walk(v, is_fresh, &items, &why) < 0 || copy_sorted(&items, &sorted, &why) < 0) {
        /* The guest is in the midst of something, and will flush again. */
        if (last)
            blk_env_warn(b->env, "vvfat: the folder '%s' does not have the last changes: %s",
                         v->tree.nodes[0].path, why.msg);
        goto out;
    }
    if ((r = apply(v, &items, &sorted, e)) < 0)
        goto out;
    vvfat_items_free(&w->known);
    w->known = sorted;
    sorted = (struct vvfat_items){0};
    memset(w->fresh, 0, div_up(w->sectors, 8));
    w->dirty = false;
out:
    pthread_mutex_unlock(&w->lock);
    vvfat_items_free(&items);
    vvfat_items_free(&sorted);
    return r;
}

/* Birth and end ------------------------------------------------------------------------------------- */

static int know_tree(struct vvfat *v, struct err *e)
{
    size_t prefix = strlen(v->tree.nodes[0].path) + 1;
    struct vvfat_items *known = &v->writes->known;
    int r = 0;

    for (uint32_t i = 1; i < v->tree.n && r >= 0; i++) {
        const struct vvfat_node *n = &v->tree.nodes[i];

        r = vvfat_items_add(known, n->path + prefix, n->first, n->entries ? 0 : n->size, n->entries,
                            e);
    }
    if (known->n)
        qsort(known->at, known->n, sizeof(*known->at), by_path);
    return r;
}

static int unnamed_file(struct err *e)
{
    int fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? err_set(e, -errno, "vvfat: a file in /var/tmp for what is written: %s",
                            strerror(errno))
                  : fd;
}

int vvfat_writes_open(struct blk *b, const char *dir, struct err *e)
{
    struct vvfat *v = b->state;
    struct vvfat_writes *w = calloc(1, sizeof(*w));

    if (!w)
        fatal("out of memory");
    v->writes = w;
    pthread_mutex_init(&w->lock, NULL);
    w->fd = w->root = -1;
    w->sectors = (uint32_t)(b->size / VVFAT_SECTOR);
    w->have = calloc(w->sectors / 8 + 1, 1);
    w->fresh = calloc(w->sectors / 8 + 1, 1);
    if (!w->have || !w->fresh)
        return err_set(e, -ENOMEM, "out of memory for what is written");
    if ((w->fd = unnamed_file(e)) < 0)
        return e->code;
    if (ftruncate(w->fd, (off_t)b->size) < 0 ||
        (w->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_set(e, -errno, "vvfat: '%s': %s", dir, strerror(errno));
    b->align = VVFAT_SECTOR;
    return know_tree(v, e);
}

void vvfat_writes_close(struct blk *b)
{
    struct vvfat *v = b->state;
    struct vvfat_writes *w = v->writes;

    if (!w)
        return;
    vvfat_items_free(&w->known);
    if (w->fd >= 0)
        close(w->fd);
    if (w->root >= 0)
        close(w->root);
    free(w->have);
    free(w->fresh);
    pthread_mutex_destroy(&w->lock);
    free(w);
    v->writes = NULL;
}
