/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "fw_cfg_mem": the firmware configuration device, memory-mapped; "fw_cfg_io": the same by ports.  Sources: fw_cfg.h; for the
 * ports, edk2, OvmfPkg/Include/IndustryStandard/QemuFwCfg.h.
 *
 *      0           data: reads go on through the selected item, in the order of bytes
 *      8           selector, 16 bits, big endian
 *     16           DMA address, 64 bits, big endian; writing its low half starts.  Reads say "QEMU CFG".
 *
 *  0x510  selector, 16 bits, little endian
 *  0x511  data, a byte
 *  0x514  DMA address, as above
 *
 * What an item is and what selecting, reading and DMA do is independent of how the registers are reached.
 */
#include "dev/firmware/fw_cfg.h"

#include "base/bytes.h"
#include "base/trace.h"
#include "bus/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REG_DATA = 0, REG_SELECT = 8, REG_DMA = 16, REGS_LEN = 24 };
enum { ITEMS = 0x20, KEY_MASK = 0x3fff /* without "write" (0x4000) and "architecture" (0x8000) */ };

/* struct fw_cfg_dma_access: control, length, address. */
enum { DMA_LEN = 16, DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */

enum { ID_TRADITIONAL = 1, ID_DMA = 2 };

struct item {
    uint8_t *data; /* NULL: absent */
    uint32_t len;
    bool writable;
    void (*written)(void *opaque);
    void (*selected)(void *opaque);
    void *opaque;
};

struct file {
    char name[FW_CFG_NAME_LEN];
    struct item item;
};

struct fw_cfg {
    struct dev dev;
    bool dma;                    /* property dma_enabled */
    uint64_t file_slots;         /* property x-file-slots */
    struct item items[2][ITEMS]; /* ours; the architecture's */
    struct file *files;          /* key: FW_CFG_FILE_FIRST + index */
    unsigned n_files;
    bool dir_old; /* FW_CFG_FILE_DIR lacks a file */

    uint16_t key; /* selected */
    uint32_t at;  /* in the item */
    uint64_t dma_addr;
    bool busy;                   /* DMA that reaches our own registers does not start another */
    uint64_t iobase, dma_iobase; /* properties of fw_cfg_io */
    struct mem io_mem, dma_mem;  /* its registers */
};

enum { TP_SELECT, TP_DMA, TP_ADD };
static struct trace_point fw_cfg_trace[] = {[TP_SELECT] = {.name = "fw_cfg_select"},
                                            [TP_DMA] = {.name = "fw_cfg_dma"},
                                            [TP_ADD] = {.name = "fw_cfg_add_file"},
                                            {.name = NULL}};

static struct fw_cfg *fw_cfg_of(struct dev *d)
{
    return (struct fw_cfg *)d;
}

/* --- Items --- */

static struct item *item_of(struct fw_cfg *f, unsigned key)
{
    unsigned i = key & KEY_MASK;

    if (i < ITEMS)
        return &f->items[!!(key & FW_CFG_ARCH_LOCAL)][i];
    if (key & FW_CFG_ARCH_LOCAL || i - FW_CFG_FILE_FIRST >= f->n_files)
        return NULL;
    return &f->files[i - FW_CFG_FILE_FIRST].item;
}

static void item_set(struct item *it, const void *data, uint32_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        fatal("out of memory for %u bytes of firmware configuration", len);
    if (len)
        memcpy(copy, data, len);
    free(it->data);
    it->data = copy;
    it->len = len;
}

void fw_cfg_set(struct dev *d, unsigned key, const void *data, uint32_t len)
{
    struct item *it = (key & KEY_MASK) < ITEMS ? item_of(fw_cfg_of(d), key) : NULL;

    if (!it)
        bug("fw_cfg item %#x", key);
    item_set(it, data, len);
}

void fw_cfg_set_u16(struct dev *d, unsigned key, uint16_t v)
{
    uint8_t b[2];

    put_le16(b, v);
    fw_cfg_set(d, key, b, sizeof(b));
}

void fw_cfg_set_u32(struct dev *d, unsigned key, uint32_t v)
{
    uint8_t b[4];

    put_le32(b, v);
    fw_cfg_set(d, key, b, sizeof(b));
}

void fw_cfg_set_u64(struct dev *d, unsigned key, uint64_t v)
{
    uint8_t b[8];

    put_le64(b, v);
    fw_cfg_set(d, key, b, sizeof(b));
}

void fw_cfg_set_string(struct dev *d, unsigned key, const char *s)
{
    fw_cfg_set(d, key, s, strlen(s) + 1);
}

static struct file *find_file(struct fw_cfg *f, const char *name)
{
    for (unsigned i = 0; i < f->n_files; i++)
        if (strcmp(f->files[i].name, name) == 0)
            return &f->files[i];
    return NULL;
}

/* The file called @name, new when there is none. */
static struct file *get_file(struct fw_cfg *f, const char *name, struct err *e)
{
    struct file *file = find_file(f, name);

    if (file)
        return file;
    if (strlen(name) >= FW_CFG_NAME_LEN) {
        err_set(e, -ENAMETOOLONG, "fw_cfg file name '%s': at most %d bytes", name,
                FW_CFG_NAME_LEN - 1);
        return NULL;
    }
    if (f->n_files == f->file_slots) {
        err_set(e, -ENOSPC, "fw_cfg file '%s': all %" PRIu64 " slots are taken (x-file-slots=)",
                name, f->file_slots);
        return NULL;
    }
    TRACE(&fw_cfg_trace[TP_ADD], "name=%s key=%#x", name, FW_CFG_FILE_FIRST + f->n_files);
    file = &f->files[f->n_files++];
    snprintf(file->name, sizeof(file->name), "%s", name);
    f->dir_old = true;
    return file;
}

int fw_cfg_set_file(struct dev *d, const char *name, const void *data, uint32_t len, struct err *e)
{
    struct fw_cfg *f = fw_cfg_of(d);
    struct file *file = get_file(f, name, e);

    if (!file)
        return e->code;
    item_set(&file->item, data, len);
    f->dir_old = true;
    return 0;
}

int fw_cfg_add_writable(struct dev *d, const char *name, const void *data, uint32_t len,
                        void (*written)(void *opaque), void *opaque, uint8_t **bytes,
                        struct err *e)
{
    struct fw_cfg *f = fw_cfg_of(d);
    struct file *file;

    if (find_file(f, name))
        return err_set(e, -EEXIST, "fw_cfg file '%s' is there already", name);
    if (!(file = get_file(f, name, e)))
        return e->code;
    item_set(&file->item, data, len);
    file->item.writable = true;
    file->item.written = written;
    file->item.opaque = opaque;
    *bytes = file->item.data;
    return 0;
}

void fw_cfg_on_select(struct dev *d, const char *name, void (*fn)(void *opaque), void *opaque)
{
    struct file *file = find_file(fw_cfg_of(d), name);

    if (!file || file->item.written)
        bug("fw_cfg file '%s' cannot be made when it is read", name);
    file->item.selected = fn;
    file->item.opaque = opaque;
}

const uint8_t *fw_cfg_file(struct dev *d, const char *name, uint32_t *len)
{
    struct file *file = find_file(fw_cfg_of(d), name);

    if (!file)
        return NULL;
    *len = file->item.len;
    return file->item.data;
}

static int by_name(const void *a, const void *b)
{
    const struct file *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* struct fw_cfg_files: a count, then size, key and name of each, big endian; sorted by name. */
static void make_dir(struct fw_cfg *f)
{
    uint32_t len = 4 + f->n_files * 64;
    uint8_t *dir = calloc(1, len), *p = dir + 4;
    const struct file **order = calloc(f->n_files + 1, sizeof(*order));

    if (!dir || !order)
        fatal("out of memory");
    for (unsigned i = 0; i < f->n_files; i++)
        order[i] = &f->files[i];
    qsort(order, f->n_files, sizeof(*order), by_name);
    put_be32(dir, f->n_files);
    for (unsigned i = 0; i < f->n_files; i++, p += 64) {
        put_be32(p, order[i]->item.len);
        put_be16(p + 4, FW_CFG_FILE_FIRST + (order[i] - f->files));
        memcpy(p + 8, order[i]->name, FW_CFG_NAME_LEN);
    }
    item_set(&f->items[0][FW_CFG_FILE_DIR], dir, len);
    free(order);
    free(dir);
    f->dir_old = false;
}

/* --- What the guest does --- */

static void fw_select(struct fw_cfg *f, uint16_t key)
{
    struct item *it = item_of(f, key);

    TRACE(&fw_cfg_trace[TP_SELECT], "key=%#x", key);
    f->key = key;
    f->at = 0;
    if (it && it->selected)
        it->selected(it->opaque);
    if (key == FW_CFG_FILE_DIR && f->dir_old)
        make_dir(f);
}

/* How much of the selected item is left; its bytes. */
static uint32_t rest(struct fw_cfg *f, struct item **it)
{
    *it = item_of(f, f->key);
    return *it && f->at < (*it)->len ? (*it)->len - f->at : 0;
}

/* The next @n bytes, at most 8, as a big-endian number; past the end there are zeros. */
static uint64_t fw_read(struct fw_cfg *f, unsigned n)
{
    struct item *it;
    uint64_t v = 0;

    for (; n; n--) {
        v <<= 8;
        if (rest(f, &it))
            v |= it->data[f->at++];
    }
    return v;
}

/* Copy the next @len bytes to @addr, zeros past the item's end; false: there is no memory. */
static bool dma_read(struct fw_cfg *f, paddr addr, uint32_t len)
{
    static const uint8_t zeros[4096];
    struct access a = {.who = BUS_NOBODY, .posted = true};
    struct space *s = machine_space(f->dev.m);
    struct item *it;
    uint32_t n = rest(f, &it);

    if (n > len)
        n = len;
    if (n && space_write(s, addr, it->data + f->at, n, a) < 0)
        return false;
    f->at += n;
    for (addr += n, len -= n; len; addr += n, len -= n) {
        n = len < sizeof(zeros) ? len : sizeof(zeros);
        if (space_write(s, addr, zeros, n, a) < 0)
            return false;
    }
    return true;
}

/* Writing past the end of a file, or one that is not writable, is an error. */
static bool dma_write(struct fw_cfg *f, paddr addr, uint32_t len)
{
    struct access a = {.who = BUS_NOBODY, .posted = true};
    struct item *it;

    if (rest(f, &it) < len || !it->writable)
        return false;
    if (space_read(machine_space(f->dev.m), addr, it->data + f->at, len, a) < 0)
        return false;
    f->at += len;
    if (it->written)
        it->written(it->opaque);
    return true;
}

static bool dma_skip(struct fw_cfg *f, uint32_t len)
{
    uint64_t at = (uint64_t)f->at + len;

    f->at = at > UINT32_MAX ? UINT32_MAX : at;
    return true;
}

/* Do what the structure at dma_addr asks for, and say so there. */
static void do_dma(struct fw_cfg *f)
{
    struct access a = {.who = BUS_NOBODY, .posted = true};
    struct space *s = machine_space(f->dev.m);
    uint8_t d[DMA_LEN], status[4];
    paddr at = f->dma_addr, addr;
    uint32_t control, len;
    bool ok = true;

    f->dma_addr = 0;
    if (space_read(s, at, d, sizeof(d), a) < 0) {
        guest_error(&f->dev, "no DMA structure at %#" PRIpaddr, at);
        put_be32(status, DMA_ERROR);
        space_write(s, at, status, sizeof(status), a);
        return;
    }
    control = get_be32(d);
    len = get_be32(d + 4);
    addr = get_be64(d + 8);
    TRACE(&fw_cfg_trace[TP_DMA], "control=%#x len=%u addr=%#" PRIpaddr, control, len, addr);
    if (control & DMA_SELECT)
        fw_select(f, control >> 16);
    if (control & DMA_READ)
        ok = dma_read(f, addr, len);
    else if (control & DMA_WRITE)
        ok = dma_write(f, addr, len);
    else if (control & DMA_SKIP)
        ok = dma_skip(f, len);
    put_be32(status, ok ? 0 : DMA_ERROR);
    space_write(s, at, status, sizeof(status), a);
}

static void dma(struct fw_cfg *f)
{
    if (f->busy) {
        guest_error(&f->dev, "DMA to the registers that start it");
        return;
    }
    f->busy = true;
    do_dma(f);
    f->busy = false;
}

/* --- Registers --- */

static uint64_t data_read(struct fw_cfg *f, struct access a)
{
    uint32_t at = f->at;
    uint64_t v = fw_read(f, a.size);

    if (a.debug)
        f->at = at;
    return v;
}

/* @off from the DMA register's start. */
static uint64_t dma_reg_read(const struct fw_cfg *f, paddr off, struct access a)
{
    uint64_t v = f->dma ? DMA_SIGNATURE >> (8 - off - a.size) * 8 : 0;

    return a.size < 8 ? v & ((UINT64_C(1) << a.size * 8) - 1) : v;
}

/* False: there is no such register. */
static bool dma_reg_write(struct fw_cfg *f, paddr off, uint64_t v, struct access a)
{
    if (!f->dma || (off == 4 ? a.size != 4 : off || a.size < 4))
        return false;
    if (off == 0 && a.size == 4) {
        f->dma_addr = v << 32;
        return true;
    }
    f->dma_addr = off == 4 ? f->dma_addr | v : v;
    dma(f);
    return true;
}

static uint64_t fw_cfg_mem_read(void *opaque, paddr off, struct access a)
{
    struct fw_cfg *f = opaque;

    if (off < REG_SELECT)
        return data_read(f, a);
    return off < REG_DMA ? 0 : dma_reg_read(f, off - REG_DMA, a);
}

static void bad_write(struct fw_cfg *f, paddr off, uint64_t v, struct access a)
{
    guest_error(&f->dev, "write of %#" PRIx64 " to offset %#" PRIpaddr ", size %u", v, off, a.size);
}

static void fw_cfg_mem_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct fw_cfg *f = opaque;

    if (off == REG_SELECT && a.size == 2)
        fw_select(f, v);
    else if (off < REG_DMA || !dma_reg_write(f, off - REG_DMA, v, a))
        bad_write(f, off, v, a);
}

static const struct mmio_ops fw_cfg_mem_ops = {fw_cfg_mem_read, fw_cfg_mem_write,
                                               .big_endian = true};

/* The selector is a word at the even port, data a byte at the odd one. */
static uint64_t fw_cfg_io_read(void *opaque, paddr off, struct access a)
{
    return off == 1 && a.size == 1 ? data_read(opaque, a) : 0;
}

static void fw_cfg_io_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    if (off == 0 && a.size == 2)
        fw_select(opaque, v);
    else
        bad_write(opaque, off, v, a);
}

static const struct mmio_ops fw_cfg_io_ops = {fw_cfg_io_read, fw_cfg_io_write, 1, 2};

static uint64_t fw_cfg_dma_read(void *opaque, paddr off, struct access a)
{
    return dma_reg_read(opaque, off, a);
}

static void fw_cfg_dma_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    if (!dma_reg_write(opaque, off, v, a))
        bad_write(opaque, off, v, a);
}

static const struct mmio_ops fw_cfg_dma_ops = {fw_cfg_dma_read, fw_cfg_dma_write,
                                               .big_endian = true};

/* --- Birth and state --- */

static void fw_cfg_reset(struct dev *d)
{
    struct fw_cfg *f = fw_cfg_of(d);

    f->dma_addr = 0;
    fw_select(f, 0);
}

static int make_items(struct fw_cfg *f, struct err *e)
{
    struct dev *d = &f->dev;

    if (f->file_slots < 1 || f->file_slots > KEY_MASK + 1 - FW_CFG_FILE_FIRST)
        return err_set(e, -EINVAL, "x-file-slots=%" PRIu64 ": want 1 to %d", f->file_slots,
                       KEY_MASK + 1 - FW_CFG_FILE_FIRST);
    f->files = calloc(f->file_slots, sizeof(*f->files));
    if (!f->files)
        fatal("out of memory");
    f->dir_old = true;
    fw_cfg_set(d, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_set_u32(d, FW_CFG_ID, ID_TRADITIONAL | (f->dma ? ID_DMA : 0));
    return 0;
}

static int fw_cfg_mem_init(struct dev *d, struct err *e)
{
    mem_init_mmio(&d->mmio, "fwcfg", REGS_LEN, &fw_cfg_mem_ops, fw_cfg_of(d));
    return make_items(fw_cfg_of(d), e);
}

static int fw_cfg_io_init(struct dev *d, struct err *e)
{
    struct fw_cfg *f = fw_cfg_of(d);
    int r;

    if (f->iobase > 0xfffe || f->dma_iobase > 0xfff8)
        return err_set(e, -EINVAL,
                       "iobase=%#" PRIx64 ",dma_iobase=%#" PRIx64 ": they are 16-bit ports",
                       f->iobase, f->dma_iobase);
    if ((r = make_items(f, e)) < 0)
        return r;
    mem_init_mmio(&f->io_mem, "fwcfg", 2, &fw_cfg_io_ops, f);
    mem_add(machine_io_mem(d->m), f->iobase, &f->io_mem, 0);
    mem_init_mmio(&f->dma_mem, "fwcfg.dma", 8, &fw_cfg_dma_ops, f);
    if (f->dma)
        mem_add(machine_io_mem(d->m), f->dma_iobase, &f->dma_mem, 0);
    return 0;
}

static void fw_cfg_fini(struct dev *d)
{
    struct fw_cfg *f = fw_cfg_of(d);

    mem_remove(&f->dma_mem);
    mem_remove(&f->io_mem);

    for (unsigned i = 0; i < ITEMS; i++) {
        free(f->items[0][i].data);
        free(f->items[1][i].data);
    }
    for (unsigned i = 0; i < f->n_files; i++)
        free(f->files[i].item.data);
    free(f->files);
}

#define PROPS                                                                                      \
    FIELD(fw_cfg, dma, F_BOOL, "dma_enabled", "on", "the guest may have items copied to memory"),  \
        FIELD(fw_cfg, file_slots, F_U64, "x-file-slots", "32", "how many files there may be")
static const struct field fw_cfg_props[] = {PROPS, FIELD_END};
static const struct field fw_cfg_io_props[] = {
    PROPS,
    FIELD(fw_cfg, iobase, F_U64, "iobase", "0x510", "ports of selector and data"),
    FIELD(fw_cfg, dma_iobase, F_U64, "dma_iobase", "0x514", "ports of the DMA address"),
    FIELD_END,
};

/* Items come from the command line, which is the same where the state arrives.  Any selection is a legal one. */
static const struct state fw_cfg_state[] = {
    STATE(fw_cfg, key, S_U16, 1, "selected item"),
    STATE(fw_cfg, at, S_U32, 1, "bytes of it that were read"),
    STATE(fw_cfg, dma_addr, S_U64, 1, "high half, while the low one is missing"),
    STATE_END,
};

const struct dev_type dev_fw_cfg = {
    .name = "fw_cfg_mem",
    .help = "firmware configuration, memory-mapped",
    .class = DEV_BOARD,
    .size = sizeof(struct fw_cfg),
    .props = fw_cfg_props,
    .state = fw_cfg_state,
    .state_version = 1,
    .init = fw_cfg_mem_init,
    .reset = fw_cfg_reset,
    .fini = fw_cfg_fini,
    .trace = fw_cfg_trace,
};

const struct dev_type dev_fw_cfg_io = {
    .name = "fw_cfg_io",
    .help = "firmware configuration, by ports",
    .class = DEV_BOARD,
    .size = sizeof(struct fw_cfg),
    .props = fw_cfg_io_props,
    .state = fw_cfg_state,
    .state_version = 1,
    .init = fw_cfg_io_init,
    .reset = fw_cfg_reset,
    .fini = fw_cfg_fini,
    .trace = fw_cfg_trace,
};

static bool is_fw_cfg(void *opaque, struct dev *d)
{
    struct dev **found = opaque;

    if (d->type == &dev_fw_cfg || d->type == &dev_fw_cfg_io)
        *found = d;
    return !*found;
}

struct dev *fw_cfg_find(struct machine *m)
{
    struct dev *d = NULL;

    machine_each_dev(m, is_fw_cfg, &d);
    return d;
}
