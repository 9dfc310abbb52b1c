/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "loader": puts a file or a number into memory at each reset, and may have a CPU start there.
 *
 *     -device loader,file=x.elf                     where its headers say; cpu-num=N starts at its entry
 *     -device loader,file=x,addr=A[,force-raw=on]
 *     -device loader,addr=A,data=V,data-len=N[,data-be=on]
 *     -device loader,addr=A,cpu-num=N
 */
#include "base/bytes.h"
#include "bus/machine.h"
#include "dev/firmware/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define NO_CPU UINT64_C(0xffffffff)

struct loader {
    struct dev dev;
    char *file;
    uint64_t addr, data, data_len, cpu_num;
    bool data_be, force_raw;
};

static int load_number(struct loader *l, struct err *e)
{
    struct image img = {.data = calloc(1, 8), .len = l->data_len};
    int r;

    if (!img.data)
        fatal("out of memory");
    if (!is_pow2(l->data_len) || l->data_len > 8) {
        image_free(&img);
        return err_set(e, -EINVAL, "data-len=%" PRIu64 ": want 1, 2, 4 or 8", l->data_len);
    }
    if (l->data_be)
        put_be64(img.data, l->data << (8 - l->data_len) * 8);
    else
        put_le64(img.data, l->data);
    r = image_place(l->dev.m, "loader", l->addr, &img, e);
    image_free(&img);
    return r;
}

/* Where a CPU would start. */
static int load_file(struct loader *l, uint64_t *pc, struct err *e)
{
    struct elf_image elf;
    struct image img;
    int r;

    if (image_open(&img, l->file, e) < 0)
        return e->code;
    if (image_is_elf(&img) && !l->force_raw) {
        unsigned arch = img.len > 20 ? get_le16(img.data + 18) : EM_NONE;

        r = image_place_elf(l->dev.m, l->file, arch, &img, &elf, e);
        *pc = elf.entry;
        return r;
    }
    r = image_place(l->dev.m, l->file, l->addr, &img, e);
    image_free(&img);
    return r;
}

static int start_cpu(struct loader *l, uint64_t pc, struct err *e)
{
    struct boot_cpus *b = machine_backend(l->dev.m, "boot", "cpus");

    if (!b || l->cpu_num >= b->n)
        return err_set(e, -EINVAL, "cpu-num=%" PRIu64 ": the machine has %u CPUs", l->cpu_num,
                       b ? b->n : 0);
    b->start_at(b->opaque, l->cpu_num, pc);
    return 0;
}

static int loader_init(struct dev *d, struct err *e)
{
    struct loader *l = (struct loader *)d;
    uint64_t pc = l->addr;
    int r = 0;

    if (l->file && (l->data || l->data_len || l->data_be))
        return err_set(e, -EINVAL, "specifying a file is not supported when a data value is specified");
    if (!l->file && !l->data_len && (l->data || l->data_be))
        return err_set(e, -EINVAL, "data-len is missing: 1, 2, 4 or 8");
    if (!l->file && !l->data_len && l->cpu_num == NO_CPU)
        return err_set(e, -EINVAL, "neither file=, nor data=, nor cpu-num=");
    if (l->file)
        r = load_file(l, &pc, e);
    else if (l->data_len)
        r = load_number(l, e);
    if (r == 0 && l->cpu_num != NO_CPU)
        r = start_cpu(l, pc, e);
    return r;
}

static const struct field loader_props[] = {
    FIELD(loader, addr, F_U64, "addr", "0", "where it goes, or where the CPU starts"),
    FIELD(loader, file, F_STR, "file", NULL, "what to load"),
    FIELD(loader, force_raw, F_BOOL, "force-raw", "off", "load an ELF file as it is"),
    FIELD(loader, data, F_U64, "data", "0", "number to store"),
    FIELD(loader, data_len, F_U64, "data-len", "0", "its length, bytes"),
    FIELD(loader, data_be, F_BOOL, "data-be", "off", "store it big endian"),
    FIELD(loader, cpu_num, F_U64, "cpu-num", "4294967295", "CPU that starts there"),
    FIELD_END,
};

const struct dev_type dev_loader = {
    .name = "loader",
    .help = "Generic Loader",
    .class = DEV_MISC,
    .size = sizeof(struct loader),
    .props = loader_props,
    .init = loader_init,
};
