/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the translation cache: who may use them, finding and adding records, their number.
 * Contract: tcache.h; the form: tcache_priv.h. */
#include "cpu/tcache_priv.h"

#include "cpu/engine.h"
#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define K1 UINT64_C(0x9e3779b97f4a7c15)
#define K2 UINT64_C(0xbf58476d1ce4e5b9)

enum { SLOT = 8, PAGE = 4096, ALIGN = 16, MUCH = 1 << 20 };

/* --- hashes ------------------------------------------------------------------------------------*/

static uint64_t stir(uint64_t h, uint64_t w)
{
    unsigned __int128 m = (unsigned __int128)(h ^ w) * K1;

    return (uint64_t)m ^ (uint64_t)(m >> 64) ^ w << 1;
}

/* Four lanes, so that the multiplications overlap: it is computed for every region that is read. */
uint64_t tc_sum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h[4] = { len + 1, K1, K2, ~K1 }, w[4];

    for (; len >= 32; len -= 32, p += 32) {
        memcpy(w, p, 32);
        for (int i = 0; i < 4; i++)
            h[i] = stir(h[i], w[i]);
    }
    memset(w, 0, sizeof(w));
    memcpy(w, p, len);
    for (int i = 0; i < 4; i++)
        h[i] = stir(h[i], w[i]);
    return stir(stir(stir(h[0] * 3, h[1]), h[2] * 5), h[3]);
}

void tcache_mix(uint64_t h[2], const void *data, size_t len)
{
    uint64_t sum = tc_sum(data, len);

    h[0] = stir(h[0] + K2, sum);
    h[1] = stir(h[1] ^ K1, sum * K2 + h[0]);
}

/* Our own build: the linker's id of it. */
static int add_build_id(struct dl_phdr_info *info, size_t size, void *hash)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        const uint8_t *p = (const uint8_t *)(info->dlpi_addr + ph->p_vaddr), *end = p + ph->p_memsz;

        while (ph->p_type == PT_NOTE && (size_t)(end - p) > sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *n = (const void *)p;
            size_t name = (n->n_namesz + 3u) & ~3u, desc = (n->n_descsz + 3u) & ~3u;

            if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4) {
                tcache_mix(hash, p + sizeof(*n) + name, n->n_descsz);
                return 1;
            }
            p += sizeof(*n) + name + desc;
        }
    }
    return -1; /* the first object is our program: no other counts */
}

/* --- reading -----------------------------------------------------------------------------------*/

static uint64_t index_end(uint32_t bits)
{
    return TC_HEADER + ((uint64_t)SLOT << bits);
}

static bool header_holds(const struct tcache *t, const struct tc_header *h, uint64_t size)
{
    return h->magic == TC_MAGIC && h->key[0] == t->key[0] && h->key[1] == t->key[1] &&
           h->check == tc_sum(h, offsetof(struct tc_header, check)) && h->bits >= 10 &&
           h->bits <= 22 && h->end >= index_end(h->bits) && h->end <= size &&
           h->end <= TC_MAX && h->end % ALIGN == 0;
}

bool tc_attach(struct tcache *t, const void *map, uint64_t size)
{
    struct tc_header h;

    if (size < TC_HEADER || guard_copy(&h, map, sizeof(h)) || !header_holds(t, &h, size))
        return false;
    t->map = map;
    t->size = h.end;
    t->bits = h.bits;
    t->place[0] = h.place[0];
    t->place[1] = h.place[1];
    t->placed = true;
    return true;
}

/* Where slot number @probe for @pc is in the file.  Code of 8 KiB of the guest has its slots in two
 * pages; what has no room there, in two others. */
static uint64_t slot_at(uint64_t pc, unsigned probe, uint32_t bits)
{
    uint64_t h = ((pc >> 13) + probe / TC_RUN * K2) * K1 >> (64 - bits);
    uint64_t group = h & ~(TC_GROUP - 1);

    return TC_HEADER + SLOT * (group | (((pc >> 3) + probe % TC_RUN) & (TC_GROUP - 1)));
}

static uint32_t tag_of(uint64_t pc, uint32_t mode)
{
    return (uint32_t)(stir(pc, mode) >> 32);
}

const struct tc_rec *tc_find(struct tcache *t, uint64_t pc, uint32_t mode, unsigned *probe,
                             struct tc_parts *p)
{
    uint32_t tag = tag_of(pc, mode);
    struct tc_rec *rec = (void *)t->buf;

    while (*probe < TC_PROBES) {
        uint64_t v, at;

        if (guard_copy(&v, t->map + slot_at(pc, (*probe)++, t->bits), sizeof(v)) || !v)
            break;
        at = (v & UINT32_MAX) * ALIGN;
        if (v >> 32 != tag || at < index_end(t->bits) || at + sizeof(*rec) > t->size ||
            guard_copy(rec, t->map + at, sizeof(*rec)))
            continue;
        if (rec->pc == pc && rec->mode == mode && rec->size > sizeof(*rec) &&
            rec->size <= TC_MAX_REC && rec->size <= t->size - at &&
            !guard_copy(rec + 1, t->map + at + sizeof(*rec), rec->size - sizeof(*rec)) &&
            tc_check(rec, rec->size, p))
            return rec;
    }
    return NULL;
}

/* --- who may use a file ------------------------------------------------------------------------*/

static void close_fd(struct tcache *t, int i)
{
    if (t->fd[i] >= 0)
        close(t->fd[i]);
    t->fd[i] = -1;
}

static bool is_ours(const struct tcache *t, const struct stat *st, mode_t type)
{
    return (st->st_mode & S_IFMT) == type && st->st_uid == t->uid && !(st->st_mode & 022) &&
           (type == S_IFDIR || st->st_nlink == 1);
}

/* Opens t->fd[i]; false and closed when it is not ours. */
static bool open_ours(struct tcache *t, int i, int at, const char *name, int flags, mode_t type,
                      struct stat *st)
{
    t->fd[i] = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (t->fd[i] < 0)
        return false;
    if (fstat(t->fd[i], st) == 0 && is_ours(t, st, type))
        return true;
    close_fd(t, i);
    errno = EPERM;
    return false;
}

static bool open_dir(struct tcache *t)
{
    struct stat st;

    return open_ours(t, 0, AT_FDCWD, t->dir, O_RDONLY | O_DIRECTORY, S_IFDIR, &st);
}

/* The folder is looked at, not opened: a file that is ours was made by us, wherever it is. */
static void map_file(struct tcache *t)
{
    struct stat st;
    void *map;
    char path[PATH_MAX];

    if (lstat(t->dir, &st) < 0)
        return;
    if (!is_ours(t, &st, S_IFDIR))
        t->off = true;
    if (t->off || snprintf(path, sizeof(path), "%s/%s", t->dir, t->name) >= PATH_MAX ||
        !open_ours(t, 1, AT_FDCWD, path, O_RDONLY, S_IFREG, &st))
        return;
    if (st.st_size >= TC_HEADER && st.st_size <= 2 * (off_t)TC_MAX) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, t->fd[1], 0);
        if (map != MAP_FAILED && !tc_attach(t, map, (uint64_t)st.st_size))
            munmap(map, (size_t)st.st_size);
    }
    close_fd(t, 1);
}

struct tcache *tcache_open(const char *dir, const uint64_t id[2], unsigned host_off)
{
    struct tcache *t = calloc(1, sizeof(*t));
    uint64_t features = host_features(host_off);

    if (!t)
        return NULL;
    t->fd[0] = t->fd[1] = -1;
    t->uid = (uid_t)getauxval(AT_EUID);
    t->all = TC_ALL;
    t->dir = strdup(dir);
    memcpy(t->key, id, sizeof(t->key));
    tcache_mix(t->key, &features, sizeof(features));
    if (!t->dir || dl_iterate_phdr(add_build_id, t->key) != 1) {
        tcache_close(t);
        return NULL;
    }
    snprintf(t->name, sizeof(t->name), "%016llx%016llx", (unsigned long long)t->key[0],
             (unsigned long long)t->key[1]);
    map_file(t);
    return t;
}

void tcache_close(struct tcache *t)
{
    free(t->buf);
    free(t->dir);
    free(t);
}

bool tcache_place(const struct tcache *t, uint64_t place[2])
{
    memcpy(place, t->place, sizeof(t->place));
    return t->placed;
}

/* A file whose place could not be kept is of no use, and must not get what belongs elsewhere. */
void tcache_set_place(struct tcache *t, const uint64_t place[2])
{
    if (t->map && (place[0] != t->place[0] || place[1] != t->place[1]))
        tcache_stop(t);
    memcpy(t->place, place, sizeof(t->place));
    t->placed = true;
}

void tcache_stop(struct tcache *t)
{
    __atomic_store_n(&t->off, true, __ATOMIC_SEQ_CST);
}

/* --- the size of the folder --------------------------------------------------------------------*/

struct entry {
    time_t used;
    uint64_t bytes;
    char name[36];
};

static int by_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->used < y->used ? -1 : x->used > y->used;
}

static size_t list_files(struct tcache *t, struct entry **list, uint64_t *total)
{
    DIR *d = fdopendir(dup(t->fd[0]));
    struct dirent *e;
    struct stat st;
    size_t n = 0;

    *list = NULL;
    *total = 0;
    while (d && (e = readdir(d))) {
        struct entry *more;

        if (strlen(e->d_name) != 32 || fstatat(t->fd[0], e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode) || !(more = realloc(*list, (n + 1) * sizeof(**list))))
            continue;
        *list = more;
        more[n].used = st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime;
        more[n].bytes = (uint64_t)st.st_blocks * 512;
        memcpy(more[n].name, e->d_name, 33);
        *total += more[n++].bytes;
    }
    if (d)
        closedir(d);
    return n;
}

/* Remove those not used for the longest time until a quarter of the room is free again. */
static void make_room(struct tcache *t)
{
    struct entry *list;
    uint64_t total;
    size_t n = list_files(t, &list, &total);

    if (total > t->all) {
        qsort(list, n, sizeof(*list), by_age);
        for (size_t i = 0; i < n && total > t->all / 4 * 3; i++) {
            unlinkat(t->fd[0], list[i].name, 0);
            total -= list[i].bytes;
        }
    }
    free(list);
}

/* --- adding ------------------------------------------------------------------------------------*/

/* The pages of the index that are changed, held in memory meanwhile. */
struct index {
    int fd;
    uint32_t bits;
    uint8_t **page;
    uint64_t end;
};

static bool write_all(int fd, const void *data, size_t len, uint64_t at)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)at);

        if (n <= 0)
            return false;
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static uint8_t *slot_of(struct index *x, uint64_t pc, unsigned probe)
{
    uint64_t at = slot_at(pc, probe, x->bits) - TC_HEADER;
    uint8_t **page = &x->page[at / PAGE];

    if (!*page) {
        *page = calloc(1, PAGE);
        if (*page && pread(x->fd, *page, PAGE, (off_t)(TC_HEADER + at / PAGE * PAGE)) != PAGE) {
            free(*page);
            *page = NULL;
        }
    }
    return *page ? *page + at % PAGE : NULL;
}

/* Does the file have @rec already, or, in *@worse, a cold one for a hot one's place? */
static bool has(const struct index *x, uint64_t at, const struct tc_rec *rec, bool *worse)
{
    uint8_t *buf = malloc(rec->size);
    struct tc_rec old;
    bool same = false;

    *worse = false;
    if (buf && at + sizeof(old) <= x->end &&
        pread(x->fd, &old, sizeof(old), (off_t)at) == sizeof(old) && old.pc == rec->pc &&
        old.mode == rec->mode) {
        *worse = (rec->flags & TC_HOT) && !(old.flags & TC_HOT);
        if (!*worse && old.guest_len == rec->guest_len && old.size >= rec->guest_len) {
            uint32_t len = (rec->guest_len + 7) & ~7u; /* guest code is the last part */

            same = pread(x->fd, buf, len, (off_t)(at + old.size - len)) == (ssize_t)len &&
                   !memcmp(buf, (const uint8_t *)rec + rec->size - len, len);
        }
    }
    free(buf);
    return same;
}

/* Give @rec, to be written at @at, its slot; false: it need not be written. */
static bool add_slot(struct index *x, const struct tc_rec *rec, uint64_t at)
{
    uint32_t tag = tag_of(rec->pc, rec->mode);

    for (unsigned i = 0; i < TC_PROBES; i++) {
        uint8_t *slot = slot_of(x, rec->pc, i);
        uint64_t v;
        bool worse = false;

        if (!slot)
            return false;
        memcpy(&v, slot, sizeof(v));
        if (v && v >> 32 == tag && has(x, (v & UINT32_MAX) * ALIGN, rec, &worse))
            return false;
        if (!v || worse) {
            v = (uint64_t)tag << 32 | at / ALIGN;
            memcpy(slot, &v, sizeof(v));
            return true;
        }
    }
    return false;
}

static void write_index(struct index *x)
{
    uint32_t n = (uint32_t)(((uint64_t)SLOT << x->bits) / PAGE);

    for (uint32_t i = 0; i < n; i++)
        if (x->page[i])
            write_all(x->fd, x->page[i], PAGE, TC_HEADER + (uint64_t)i * PAGE);
}

static void write_batch(struct index *x, const struct tc_batch *b)
{
    uint64_t end = x->end;
    uint8_t *out = malloc(b->len);
    size_t len = 0;

    for (size_t i = 0; out && i < b->len;) {
        const struct tc_rec *rec = (const void *)(b->data + i);
        size_t size = (rec->size + ALIGN - 1) & ~(size_t)(ALIGN - 1);

        if (add_slot(x, rec, end + len)) {
            memcpy(out + len, rec, size);
            len += size;
        }
        i += size;
    }
    if (len && write_all(x->fd, out, len, end)) {
        write_index(x);
        end += len;
        write_all(x->fd, &end, sizeof(end), offsetof(struct tc_header, end));
    }
    free(out);
}

static void add_to(struct tcache *t, const struct tc_header *h, const struct tc_batch *b)
{
    uint32_t pages = (uint32_t)(((uint64_t)SLOT << h->bits) / PAGE);
    struct index x = { t->fd[1], h->bits, calloc(pages, sizeof(*x.page)), h->end };

    if (x.page)
        write_batch(&x, b);
    for (uint32_t i = 0; x.page && i < pages; i++)
        free(x.page[i]);
    free(x.page);
}

static bool begin_file(struct tcache *t, struct tc_header *h)
{
    *h = (struct tc_header){ .magic = TC_MAGIC, .bits = TC_BITS };
    memcpy(h->key, t->key, sizeof(h->key));
    memcpy(h->place, t->place, sizeof(h->place));
    h->check = tc_sum(h, offsetof(struct tc_header, check));
    h->end = index_end(h->bits);
    make_room(t);
    return ftruncate(t->fd[1], (off_t)h->end) == 0 && write_all(t->fd[1], h, sizeof(*h), 0);
}

/* With the file open and locked. */
static void append_locked(struct tcache *t, const struct tc_batch *b, bool useful)
{
    struct tc_header h;
    struct stat st;

    if (fstat(t->fd[1], &st) < 0 || st.st_nlink != 1)
        return; /* removed meanwhile */
    if (!st.st_size) {
        if (begin_file(t, &h))
            add_to(t, &h, b);
        return;
    }
    if (pread(t->fd[1], &h, sizeof(h), 0) != sizeof(h) || !header_holds(t, &h, (uint64_t)st.st_size))
        unlinkat(t->fd[0], t->name, 0); /* damaged: the next process begins a new one */
    else if (h.place[0] != t->place[0] || h.place[1] != t->place[1])
        return; /* another first process was quicker */
    else if (h.end + b->len <= TC_MAX) {
        if (b->len >= MUCH)
            make_room(t);
        add_to(t, &h, b);
    } else if (!useful)
        unlinkat(t->fd[0], t->name, 0); /* full of what is not used */
}

/* A file that grows beyond the limit is a signal to the guest. */
static bool may_write(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur > TC_MAX;
}

void tc_append(struct tcache *t, const struct tc_batch *b, bool useful)
{
    struct stat st;

    if (__atomic_load_n(&t->off, __ATOMIC_SEQ_CST) || !t->placed || geteuid() != t->uid ||
        getuid() != t->uid || !may_write())
        return;
    if ((open_dir(t) || (errno == ENOENT && mkdir(t->dir, 0700) == 0 && open_dir(t))) &&
        open_ours(t, 1, t->fd[0], t->name, O_RDWR | O_CREAT, S_IFREG, &st) &&
        flock(t->fd[1], LOCK_EX | LOCK_NB) == 0)
        append_locked(t, b, useful);
    close_fd(t, 1);
    close_fd(t, 0);
}
