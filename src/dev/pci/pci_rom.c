/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expansion ROMs (PCI Local Bus 3.0, 6.3): a file, shown read-only behind the ROM BAR. */
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROM_PATH = 4096 };
enum { ROM_MIN = 2048, ROM_MAX = 16 * 1024 * 1024 };

static uint64_t rom_read(void *opaque, paddr off, struct access a)
{
    struct pci_dev *d = opaque;
    uint64_t v = 0;

    memcpy(&v, d->rom + off, a.size);
    return le64toh(v);
}

static void rom_write(void *opaque, paddr off, uint64_t value, struct access a)
{
}

static const struct mmio_ops rom_ops = {.read = rom_read, .write = rom_write, 1, 8};

/* The whole of @fd, which is @len bytes long. */
static int read_whole(int fd, uint8_t *buf, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(fd, buf + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        done += n;
    }
    return 0;
}

static int rom_load(struct pci_dev *d, int fd, const char *path, uint64_t *size, struct err *e)
{
    struct stat st;
    uint64_t need = ROM_MIN;
    int r;

    if (fstat(fd, &st) < 0)
        return err_set(e, -errno, "failed to load romfile \"%s\": %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || !st.st_size)
        return err_set(e, -EINVAL, "romfile \"%s\" is empty", path);
    if (st.st_size > ROM_MAX)
        return err_set(e, -EFBIG, "romfile \"%s\" too large (size cannot exceed 16 MiB)", path);
    while (need < (uint64_t)st.st_size)
        need *= 2;
    if (d->romsize && d->romsize < (uint64_t)st.st_size)
        return err_set(e, -EINVAL, "romfile \"%s\" (%llu bytes) is too large for ROM size %llu",
                       path, (unsigned long long)st.st_size, (unsigned long long)d->romsize);
    *size = d->romsize ? d->romsize : need;
    if (!(d->rom = malloc(*size)))
        return err_set(e, -ENOMEM, "no memory for romfile \"%s\"", path);
    memset(d->rom, 0xff, *size);
    r = read_whole(fd, d->rom, st.st_size);
    if (r < 0) {
        pci_rom_free(d);
        return err_set(e, r, "failed to load romfile \"%s\": %s", path, strerror(-r));
    }
    return 0;
}

/* The image says whose it is (6.3.1.1 and .2); devices whose ids are not the type's get a fitting one. */
static void rom_patch_ids(struct pci_dev *d, uint64_t size)
{
    uint64_t pcir = size >= 0x1a ? get_le16(d->rom + 0x18) : 0;
    uint8_t fix;

    if (!pcir || get_le16(d->rom) != 0xaa55 || pcir + 8 > size || memcmp(d->rom + pcir, "PCIR", 4))
        return;
    fix = d->rom[pcir + 4] + d->rom[pcir + 5] + d->rom[pcir + 6] + d->rom[pcir + 7];
    memcpy(d->rom + pcir + 4, d->config + PCI_VENDOR_ID, 4);
    fix -= d->rom[pcir + 4] + d->rom[pcir + 5] + d->rom[pcir + 6] + d->rom[pcir + 7];
    d->rom[6] += fix; /* the sum over the image stays zero */
}

/* @name, or what is called so in a folder of firmware (-L and the usual ones: the program adds them as back end). */
static int rom_open(struct pci_dev *d, const char *name, char path[ROM_PATH], struct err *e)
{
    char *const *dir = machine_backend(d->dev.m, "firmware", "dirs");
    int fd;

    snprintf(path, ROM_PATH, "%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    for (; fd < 0 && dir && *dir && !strchr(name, '/'); dir++) {
        snprintf(path, ROM_PATH, "%s/%s", *dir, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return fd < 0 ? err_set(e, -ENOENT, "failed to find romfile \"%s\"", name) : fd;
}

int pci_rom_add(struct pci_dev *d, struct err *e)
{
    const char *name = d->romfile ? d->romfile : d->ops->rom;
    char path[ROM_PATH];
    uint64_t size = 0;
    int fd, r;

    if (d->romsize == UINT32_MAX)
        d->romsize = 0; /* not said */
    if (d->romsize &&
        (d->romsize & (d->romsize - 1) || d->romsize < ROM_MIN || d->romsize > ROM_MAX))
        return err_set(e, -EINVAL, "ROM size %llu is not a power of two from 2k to 16M",
                       (unsigned long long)d->romsize);
    if (!name || !*name || !d->rombar)
        return 0;
    fd = rom_open(d, name, path, d->romfile ? e : ERR_IGNORE);
    if (fd < 0)
        return d->romfile ? fd : 0; /* the usual one is on no machine but those that have its package */
    r = rom_load(d, fd, path, &size, e);
    close(fd);
    if (r < 0)
        return r;
    rom_patch_ids(d, size);
    mem_init_mmio(&d->rom_mem, "rom", size, &rom_ops, d);
    pci_add_bar(d, PCI_ROM_BAR, 0, &d->rom_mem);
    return 0;
}

void pci_rom_free(struct pci_dev *d)
{
    free(d->rom);
    d->rom = NULL;
}
