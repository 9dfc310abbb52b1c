/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that go into guest memory (image.h).  gzip: RFC 1952; zstd: RFC 8878. */
#include "dev/firmware/image.h"

#include "base/bytes.h"
#include "bus/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

int image_open(struct image *img, const char *name, struct err *e)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    void *p;

    *img = (struct image){0};
    if (fd < 0)
        return err_set(e, -errno, "could not load '%s': %s", name, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, -EINVAL, "could not load '%s': it is not a regular file", name);
    }
    if (st.st_size > IMAGE_MAX) {
        close(fd);
        return err_set(e, -EFBIG, "could not load '%s': %" PRIu64 " bytes, at most %d", name,
                       (uint64_t)st.st_size, IMAGE_MAX);
    }
    if (st.st_size) {
        p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            close(fd);
            return err_set(e, -errno, "could not load '%s': %s", name, strerror(errno));
        }
        img->data = p;
        img->len = img->mapped = st.st_size;
    }
    close(fd);
    return 0;
}

void image_free(struct image *img)
{
    if (img->mapped)
        munmap(img->data, img->mapped);
    else
        free(img->data);
    *img = (struct image){0};
}

/* --- Compressed files --- */

/* Make room in the growing @out for more than @used bytes; false: that would be too many. */
static bool grow(uint8_t **out, size_t *cap, size_t used)
{
    size_t want = *cap ? *cap * 2 : 16 * MiB;
    uint8_t *p;

    if (used < *cap)
        return true;
    if (want > IMAGE_MAX || !(p = realloc(*out, want)))
        return false;
    *out = p;
    *cap = want;
    return true;
}

static int too_big(struct err *e)
{
    return err_set(e, -EFBIG, "compressed image: unpacked it has more than %d bytes", IMAGE_MAX);
}

/* What follows the gzip member (padding of some tools) is ignored. */
static int gunzip(const uint8_t *in, size_t len, struct image *to, struct err *e)
{
    z_stream z = {.next_in = (uint8_t *)in, .avail_in = len};
    uint8_t *out = NULL;
    size_t cap = 0;
    int r = Z_OK;

    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return err_set(e, -ENOMEM, "compressed image: out of memory");
    while (r == Z_OK) {
        if (!grow(&out, &cap, z.total_out)) {
            r = too_big(e);
            break;
        }
        z.next_out = out + z.total_out;
        z.avail_out = cap - z.total_out;
        r = inflate(&z, Z_NO_FLUSH);
    }
    to->len = z.total_out;
    inflateEnd(&z);
    if (r != Z_STREAM_END) {
        free(out);
        return r == -EFBIG ? r : err_set(e, -EILSEQ, "compressed image: gzip data is damaged");
    }
    to->data = out;
    return 0;
}

static int unzstd(const uint8_t *in, size_t len, struct image *to, struct err *e)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in, len, 0};
    uint8_t *out = NULL;
    size_t cap = 0, used = 0, r = 1;
    int failed = 0;

    while (d && r && !failed) {
        ZSTD_outBuffer o;

        if (!grow(&out, &cap, used)) {
            failed = too_big(e);
            break;
        }
        o = (ZSTD_outBuffer){out, cap, used};
        r = ZSTD_decompressStream(d, &o, &from);
        if (ZSTD_isError(r) || (r && o.pos == used && from.pos == from.size))
            failed = err_set(e, -EILSEQ, "compressed image: zstd data is damaged");
        used = o.pos;
    }
    if (!d)
        failed = err_set(e, -ENOMEM, "compressed image: out of memory");
    ZSTD_freeDCtx(d);
    if (failed) {
        free(out);
        return failed;
    }
    to->data = out;
    to->len = used;
    return 0;
}

static bool is_gzip(const uint8_t *p, size_t len)
{
    return len > 18 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

static bool is_zstd(const uint8_t *p, size_t len)
{
    return len > 8 && get_le32(p) == 0xfd2fb528;
}

/* [in, in + len) unpacked takes the place of @img. */
static int replace(struct image *img, const uint8_t *in, size_t len, struct err *e)
{
    struct image new = {0};
    int r = is_gzip(in, len) ? gunzip(in, len, &new, e) : unzstd(in, len, &new, e);

    if (r < 0)
        return r;
    image_free(img);
    *img = new;
    return 0;
}

int image_unpack(struct image *img, struct err *e)
{
    if (!is_gzip(img->data, img->len) && !is_zstd(img->data, img->len))
        return 0;
    return replace(img, img->data, img->len, e);
}

/* "MZ", "zimg", offset and size of the payload, two reserved words, name of its compression. */
int image_unzboot(struct image *img, struct err *e)
{
    const uint8_t *p = img->data;
    uint32_t off, len;
    char how[33] = "";

    if (img->len < 64 || memcmp(p, "MZ", 2) != 0 || memcmp(p + 4, "zimg", 4) != 0)
        return 0;
    off = get_le32(p + 8);
    len = get_le32(p + 12);
    if (off > img->len || len > img->len - off)
        return err_set(e, -EILSEQ, "EFI zboot image: payload of %u bytes at %u: the file has %zu", len,
                       off, img->len);
    memcpy(how, p + 24, 32);
    if (!is_gzip(p + off, len) && !is_zstd(p + off, len))
        return err_set(e, -ENOTSUP, "EFI zboot image: compression '%s': gzip and zstd are understood",
                       how);
    return replace(img, p + off, len, e);
}

/* --- Into memory --- */

struct placed {
    struct machine *m;
    char *name;
    paddr addr;
    struct image img;
};

/* False: there is something that is not memory. */
static bool put(struct machine *m, paddr addr, const uint8_t *data, size_t len, bool dry)
{
    struct mem_hit hit;

    for (size_t n; len; addr += n, data += n, len -= n) {
        if (!space_find(machine_space(m), addr, &hit) || !hit.host)
            return false;
        n = min_u64(len, hit.len);
        if (!dry) {
            memcpy(hit.host, data, n);
            ram_written(m, hit.ram, hit.ram_off, n);
        }
    }
    return true;
}

static void place_again(void *opaque)
{
    struct placed *p = opaque;

    if (!machine_wakes(p->m))
        put(p->m, p->addr, p->img.data, p->img.len, false);
}

static void placed_free(void *opaque)
{
    struct placed *p = opaque;

    image_free(&p->img);
    free(p->name);
    free(p);
}

int image_place(struct machine *m, const char *name, paddr addr, struct image *img, struct err *e)
{
    struct placed *p;
    char id[32];

    if (!put(m, addr, img->data, img->len, true))
        return err_set(e, -EINVAL, "%s: %#" PRIpaddr " to %#" PRIpaddr " is not all memory", name, addr,
                       addr + img->len);
    p = calloc(1, sizeof(*p));
    if (!p)
        fatal("out of memory");
    if (!(p->name = strdup(strrchr(name, '/') ? strrchr(name, '/') + 1 : name)))
        fatal("out of memory");
    p->m = m;
    p->addr = addr;
    p->img = *img;
    snprintf(id, sizeof(id), "%" PRIpaddr, addr);
    machine_add_backend(m, "rom", id, p, ERR_IGNORE); /* two at one place: the first is listed */
    *img = (struct image){0};
    machine_on_reset(m, place_again, p);
    machine_on_end(m, placed_free, p);
    return 0;
}

struct each {
    bool (*fn)(void *opaque, const char *name, paddr addr, size_t len, bool rom);
    void *opaque;
};

static bool each_one(void *opaque, const char *id, void *backend)
{
    const struct each *x = opaque;
    const struct placed *p = backend;
    struct mem_hit hit;
    bool rom = space_find(machine_space(p->m), p->addr, &hit) && hit.host && !hit.writable;

    return x->fn(x->opaque, p->name, p->addr, p->img.len, rom);
}

void image_each_placed(struct machine *m, bool (*fn)(void *opaque, const char *name, paddr addr, size_t len, bool rom),
                       void *opaque)
{
    machine_each_backend(m, "rom", each_one, &(struct each){fn, opaque});
}
