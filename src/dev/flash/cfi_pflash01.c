/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "cfi.pflash01": NOR flash with the Intel command set, one chip or several side by side.
 * Sources: Common Flash Memory Interface (JEDEC JESD68.01, JEP137), Intel StrataFlash P30 data sheet (306666).
 *
 * While it reads as an array it is memory for the CPU; the first command makes it talk.  Chips side by side
 * get the same command each: what the first one is told is done by all.
 */
#include "dev/flash/cfi_pflash01.h"

#include "base/bytes.h"
#include "base/trace.h"
#include "bus/machine.h"
#include "dev/backends.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK_SETUP = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_CFI_QUERY = 0x98,
    CMD_SUSPEND = 0xb0,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff,
    LOCK_SET = 0x01,
    LOCK_DOWN = 0x2f,
};

enum {
    SR_LOCKED = 0x02,
    SR_PROGRAM_ERROR = 0x10,
    SR_ERASE_ERROR = 0x20,
    SR_SEQUENCE = SR_PROGRAM_ERROR | SR_ERASE_ERROR,
    SR_READY = 0x80,
};

/* What reads give, and what the next write is. */
enum shows { SHOW_ARRAY, SHOW_STATUS, SHOW_ID, SHOW_CFI, SHOW_NUM };
enum expects {
    WANT_COMMAND,
    WANT_WORD,    /* CMD_PROGRAM: the data */
    WANT_ERASE,   /* the confirmation */
    WANT_LOCK,    /* which of the lock commands */
    WANT_COUNT,   /* CMD_BUFFER: words less one */
    WANT_DATA,    /* left of them */
    WANT_PROGRAM, /* the confirmation */
    WANT_NUM
};

enum { BUFFER_LEN = 4096 /* of the bank */, CFI_LEN = 0x40 };

struct pflash {
    struct dev dev;
    char *drive_id, *label;
    struct drive *drive; /* NULL: forgotten at the end */
    bool read_only;
    bool secure; /* only secure accesses may write: on PCs, code in SMM */
    uint64_t num_blocks, sector_length /* bytes of the bank */;
    uint64_t width, device_width, max_device_width; /* bytes: bank, chip as wired, chip at its widest */
    uint64_t id[4];
    struct ram *ram;
    uint8_t cfi[CFI_LEN];

    uint8_t shows, expects;
    uint8_t status;
    uint32_t left;            /* WANT_DATA: writes to come */
    uint64_t window;          /* the buffer's place in the bank; UINT64_MAX: not yet known */
    uint8_t buffer[BUFFER_LEN]; /* all ones where nothing is to be programmed */
    uint8_t *locked;          /* a byte for each block */
    uint32_t locked_len;
};

enum { TP_COMMAND, TP_PROGRAM, TP_ERASE };
static struct trace_point pflash_trace[] = {[TP_COMMAND] = {.name = "pflash_command"},
                                            [TP_PROGRAM] = {.name = "pflash_program"},
                                            [TP_ERASE] = {.name = "pflash_erase"},
                                            {.name = NULL}};

static struct pflash *pflash_of(struct dev *d)
{
    return (struct pflash *)d;
}

struct ram *cfi_pflash01_ram(struct dev *d)
{
    return pflash_of(d)->ram;
}

bool cfi_pflash01_has_drive(struct dev *d)
{
    return pflash_of(d)->drive;
}

/* --- Reading --- */

static void show(struct pflash *f, enum shows what)
{
    bool array = f->shows == SHOW_ARRAY;

    f->shows = what;
    if (array != (what == SHOW_ARRAY))
        mem_romd_mode(&f->dev.mmio, what == SHOW_ARRAY);
}

/* The query structure of one chip (JESD68.01, 2.2 to 2.5, and the P30's extended table). */
static void make_cfi(struct pflash *f)
{
    unsigned chips = f->width / f->device_width;
    uint64_t block = f->sector_length / chips;
    uint8_t *c = f->cfi;

    memcpy(c + 0x10, "QRY", 3);
    put_le16(c + 0x13, 0x0001); /* Intel/Sharp extended command set */
    put_le16(c + 0x15, 0x0031); /* its table */
    c[0x1b] = 0x45;             /* 4.5 to 5.5 V */
    c[0x1c] = 0x55;
    c[0x1f] = 0x07; /* typical times, powers of two: word 128 us, buffer 128 us, erase 1 s */
    c[0x20] = 0x07;
    c[0x21] = 0x0a;
    c[0x23] = 0x04; /* at most: times 2^n */
    c[0x24] = 0x04;
    c[0x25] = 0x04;
    c[0x27] = 63 - __builtin_clzll(block * f->num_blocks * 2 - 1); /* PCs' banks are as long as their files: rounded up */
    c[0x28] = f->max_device_width == 1 ? 0 : 2; /* x8, or x8/x16 */
    c[0x2a] = __builtin_ctz(BUFFER_LEN / chips);
    c[0x2c] = 1; /* kind of block */
    put_le16(c + 0x2d, f->num_blocks - 1);
    put_le16(c + 0x2f, block >> 8);
    memcpy(c + 0x31, "PRI10", 5);
    /* No optional features: locks work, but are not there at power-on, so nobody has to look. */
}

/* Reference and lock status: chip address 0 and 1 of the bank, 2 of each block. */
static uint16_t read_id(struct pflash *f, paddr off, uint64_t index)
{
    switch (index & 0xff) {
    case 0:
        return f->id[0] | f->id[2] << 8;
    case 1:
        return f->id[1] | f->id[3] << 8;
    case 2:
        return f->locked[off / f->sector_length];
    }
    return 0;
}

/* What one chip says at the bank's offset @off. */
static uint16_t chip_says(struct pflash *f, paddr off)
{
    uint64_t index = off / (f->width / f->device_width) / f->max_device_width;

    switch (f->shows) {
    case SHOW_ID:
        return read_id(f, off, index);
    case SHOW_CFI:
        index &= 0xff;
        return index < CFI_LEN ? f->cfi[index] : 0;
    }
    return f->status;
}

static uint64_t pflash_read(void *opaque, paddr off, struct access a)
{
    struct pflash *f = opaque;
    uint64_t v = 0;

    if (f->shows == SHOW_ARRAY) {
        memcpy(&v, f->ram->host + off, a.size);
        return le64toh(v);
    }
    for (unsigned i = 0; i < a.size; i++) { /* every chip says the same, in its byte lanes */
        unsigned lane = (off + i) & (f->device_width - 1);

        if (lane < 2)
            v |= (uint64_t)(chip_says(f, off) >> lane * 8 & 0xff) << i * 8;
    }
    return v;
}

/* --- Writing --- */

/* [off, off + len) has changed: the drive and the CPUs learn of it. */
static bool store(struct pflash *f, uint64_t off, uint64_t len)
{
    struct err e = {0};

    ram_written(f->dev.m, f->ram, off, len);
    if (f->drive && f->drive->blk && blk_write(f->drive->blk, off, len, f->ram->host + off, 0, &e) < 0) {
        host_error(&f->dev, "flash is not saved: %s", e.msg);
        return false;
    }
    return true;
}

static bool may_change(struct pflash *f, uint64_t off, uint8_t error)
{
    if (!f->read_only && !f->locked[off / f->sector_length])
        return true;
    f->status |= error | SR_LOCKED;
    return false;
}

/* Programming clears bits; only erasing sets them. */
static void program(struct pflash *f, uint64_t off, const uint8_t *data, uint64_t len)
{
    uint8_t *at = f->ram->host + off;

    TRACE(&pflash_trace[TP_PROGRAM], "off=%#" PRIx64 " len=%" PRIu64, off, len);
    if (!may_change(f, off, SR_PROGRAM_ERROR))
        return;
    for (uint64_t i = 0; i < len; i++)
        at[i] &= data[i];
    if (!store(f, off, len))
        f->status |= SR_PROGRAM_ERROR;
}

static void erase(struct pflash *f, uint64_t off)
{
    off = round_down(off, f->sector_length);
    TRACE(&pflash_trace[TP_ERASE], "off=%#" PRIx64, off);
    if (!may_change(f, off, SR_ERASE_ERROR))
        return;
    memset(f->ram->host + off, 0xff, f->sector_length);
    if (!store(f, off, f->sector_length))
        f->status |= SR_ERASE_ERROR;
}

/* The buffer goes to the array, from its first byte that means something to its last. */
static void program_buffer(struct pflash *f)
{
    unsigned lo = 0, hi = BUFFER_LEN;

    while (hi > lo && f->buffer[hi - 1] == 0xff)
        hi--;
    while (lo < hi && f->buffer[lo] == 0xff)
        lo++;
    if (lo < hi)
        program(f, f->window + lo, f->buffer + lo, hi - lo);
}

static void bad_sequence(struct pflash *f, const char *what, uint64_t v)
{
    guest_error(&f->dev, "%s: %#" PRIx64, what, v);
    f->status |= SR_SEQUENCE;
    f->expects = WANT_COMMAND;
}

static void begin(struct pflash *f, enum expects next)
{
    f->expects = next;
    if (next != WANT_LOCK)
        f->status |= SR_READY;
    show(f, SHOW_STATUS);
}

static void command(struct pflash *f, uint8_t cmd)
{
    TRACE(&pflash_trace[TP_COMMAND], "cmd=%#x", cmd);
    switch (cmd) {
    case CMD_READ_ARRAY:
    case 0x00: /* no command, but written by probing drivers to end one */
        show(f, SHOW_ARRAY);
        return;
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
        begin(f, WANT_WORD);
        return;
    case CMD_ERASE:
        begin(f, WANT_ERASE);
        return;
    case CMD_LOCK_SETUP:
        begin(f, WANT_LOCK);
        return;
    case CMD_BUFFER:
        f->window = UINT64_MAX;
        memset(f->buffer, 0xff, sizeof(f->buffer));
        begin(f, WANT_COUNT);
        return;
    case CMD_CLEAR_STATUS: /* all of it until the next operation, and the array is seen: OVMF knows flash by this */
        f->status = 0;
        show(f, SHOW_ARRAY);
        return;
    case CMD_READ_STATUS:
    case CMD_SUSPEND: /* nothing takes time, so there is nothing to suspend or resume */
    case CMD_CONFIRM:
        show(f, SHOW_STATUS);
        return;
    case CMD_READ_ID:
        show(f, SHOW_ID);
        return;
    case CMD_CFI_QUERY:
        show(f, SHOW_CFI);
        return;
    }
    guest_error(&f->dev, "unknown flash command %#x", cmd);
    show(f, SHOW_ARRAY);
}

static void lock(struct pflash *f, paddr off, uint8_t v)
{
    f->expects = WANT_COMMAND;
    f->status |= SR_READY;
    if (v == LOCK_SET || v == LOCK_DOWN)
        f->locked[off / f->sector_length] = v == LOCK_SET ? 1 : 3;
    else if (v == CMD_CONFIRM)
        f->locked[off / f->sector_length] &= 2;
    else if (v == CMD_READ_ARRAY)
        show(f, SHOW_ARRAY);
    else
        bad_sequence(f, "bad lock command", v);
}

/* WANT_COUNT: words of a chip less one; a write to the bank is a word of each. */
static void count(struct pflash *f, uint64_t v)
{
    f->left = (v & (f->device_width == 1 ? 0xff : 0xffff)) + 1;
    if (f->left * f->width > BUFFER_LEN)
        bad_sequence(f, "more words than the write buffer has", f->left);
    else
        f->expects = WANT_DATA;
}

static void buffer_data(struct pflash *f, paddr off, uint64_t v, unsigned size)
{
    if (f->window == UINT64_MAX)
        f->window = round_down(off, BUFFER_LEN);
    if (round_down(off, BUFFER_LEN) != f->window) {
        bad_sequence(f, "write outside of the write buffer", off);
        return;
    }
    v = htole64(v);
    memcpy(f->buffer + (off - f->window), &v, size);
    if (--f->left == 0)
        f->expects = WANT_PROGRAM;
}

static void pflash_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct pflash *f = opaque;
    uint64_t le = htole64(value);

    if (f->secure && !a.secure) {
        guest_error(&f->dev, "write of %#" PRIx64 " at %#" PRIx64 " is not a secure one", value, off);
        return;
    }
    switch (f->expects) {
    case WANT_COMMAND:
        command(f, value);
        return;
    case WANT_WORD:
        f->expects = WANT_COMMAND;
        program(f, off, (uint8_t *)&le, a.size);
        return;
    case WANT_ERASE:
        f->expects = WANT_COMMAND;
        if ((value & 0xff) == CMD_CONFIRM)
            erase(f, off);
        else
            bad_sequence(f, "erase is not confirmed", value);
        return;
    case WANT_LOCK:
        lock(f, off, value);
        return;
    case WANT_COUNT:
        count(f, value);
        return;
    case WANT_DATA:
        buffer_data(f, off, value, a.size);
        return;
    case WANT_PROGRAM:
        f->expects = WANT_COMMAND;
        if ((value & 0xff) == CMD_CONFIRM)
            program_buffer(f);
        else
            bad_sequence(f, "buffered programming is not confirmed", value);
        return;
    }
}

static const struct mmio_ops pflash_ops = {pflash_read, pflash_write, .min = 1, .max = 4};

/* --- Birth and state --- */

static void pflash_reset(struct dev *d)
{
    struct pflash *f = pflash_of(d);

    show(f, SHOW_ARRAY);
    f->expects = WANT_COMMAND;
    f->status = SR_READY;
    memset(f->locked, 0, f->locked_len);
}

static int check_shape(struct pflash *f, struct err *e)
{
    if (!f->device_width)
        f->device_width = f->width;
    if (!f->max_device_width)
        f->max_device_width = f->device_width;
    if (!is_pow2(f->width) || f->width > 4 || !is_pow2(f->device_width) ||
        f->device_width > f->width || !is_pow2(f->max_device_width) ||
        f->max_device_width < f->device_width || f->max_device_width > 4)
        return err_set(e, -EINVAL,
                       "width=%" PRIu64 ",device-width=%" PRIu64 ",max-device-width=%" PRIu64
                       ": want 1, 2 or 4, a bank at least as wide as its chips",
                       f->width, f->device_width, f->max_device_width);
    if (!is_pow2(f->sector_length) || f->sector_length < 4 * KiB || f->sector_length > 4 * MiB)
        return err_set(e, -EINVAL, "sector-length=%" PRIu64 ": want a power of two, 4K to 4M",
                       f->sector_length);
    if (!f->num_blocks || f->num_blocks > 65536 || f->num_blocks * f->sector_length > GiB)
        return err_set(e, -EINVAL, "num-blocks=%" PRIu64 ": want 1 to 65536, at most 1 GiB in all",
                       f->num_blocks);
    for (unsigned i = 0; i < 4; i++)
        if (f->id[i] > 0xff)
            return err_set(e, -EINVAL, "id%u=%" PRIu64 ": at most 255", i, f->id[i]);
    return 0;
}

/* The drive's bytes become the flash's; it has to be exactly as long. */
static int read_drive(struct pflash *f, struct err *e)
{
    struct blk *b;

    if (!f->drive_id)
        return 0;
    if (dev_take_drive(&f->dev, f->drive_id, &f->drive, e) < 0)
        return e->code;
    b = f->drive->blk;
    f->read_only = f->drive->read_only;
    if (!b || blk_size(b) != f->ram->size) {
        err_set(e, -EINVAL, "device requires %" PRIu64 " bytes, block backend provides %" PRIu64 " bytes",
                f->ram->size, b ? blk_size(b) : 0);
    } else if (blk_read(b, 0, f->ram->size, f->ram->host, e) == 0) {
        return 0;
    }
    dev_drop_drive(f->drive);
    return e->code;
}

static int pflash_init(struct dev *d, struct err *e)
{
    struct pflash *f = pflash_of(d);

    if (check_shape(f, e) < 0)
        return e->code;
    f->ram = ram_new(d->m, f->label ? f->label : "pflash", f->num_blocks * f->sector_length, e);
    if (!f->ram)
        return e->code;
    f->ram->rom = true;
    if (read_drive(f, e) < 0)
        return e->code;
    make_cfi(f);
    f->locked_len = f->num_blocks;
    f->locked = calloc(1, f->locked_len);
    if (!f->locked)
        fatal("out of memory");
    mem_init_romd(&d->mmio, f->label ? f->label : "pflash", f->ram, &pflash_ops, f);
    return 0;
}

static void pflash_fini(struct dev *d)
{
    struct pflash *f = pflash_of(d);

    if (f->drive && f->drive->blk && !f->read_only)
        blk_flush(f->drive->blk, ERR_IGNORE);
    dev_drop_drive(f->drive);
    free(f->locked);
}

static int pflash_loaded(struct dev *d, int version, struct err *e)
{
    struct pflash *f = pflash_of(d);

    if (f->shows >= SHOW_NUM || f->expects >= WANT_NUM)
        return err_set(e, -EILSEQ, "flash shows %u, expects %u: at most %d and %d", f->shows,
                       f->expects, SHOW_NUM - 1, WANT_NUM - 1);
    if (f->expects == WANT_DATA && (f->left < 1 || f->left * f->width > BUFFER_LEN))
        return err_set(e, -EILSEQ, "%u words to come: at most %" PRIu64, f->left,
                       BUFFER_LEN / f->width);
    if (f->window != UINT64_MAX && (f->window & (BUFFER_LEN - 1) || f->window >= f->ram->size))
        return err_set(e, -EILSEQ, "write buffer at %#" PRIx64, f->window);
    if (f->expects == WANT_PROGRAM && f->window == UINT64_MAX)
        return err_set(e, -EILSEQ, "write buffer without a place");
    mem_romd_mode(&d->mmio, f->shows == SHOW_ARRAY);
    return 0;
}

static const struct field pflash_props[] = {
    FIELD(pflash, drive_id, F_STR, "drive", NULL, "Node name or ID of a block device to use as a backend"),
    FIELD(pflash, num_blocks, F_U64, "num-blocks", "0", "blocks that are erased as one"),
    FIELD(pflash, sector_length, F_SIZE, "sector-length", "0", "of a block in the bank, bytes"),
    FIELD(pflash, width, F_U64, "width", "0", "of the bank, bytes"),
    FIELD(pflash, device_width, F_U64, "device-width", "0", "of a chip as it is wired, bytes"),
    FIELD(pflash, max_device_width, F_U64, "max-device-width", "0", "of a chip at its widest"),
    FIELD(pflash, id[0], F_U64, "id0", "0", "manufacturer"),
    FIELD(pflash, id[1], F_U64, "id1", "0", "device"),
    FIELD(pflash, id[2], F_U64, "id2", "0", "manufacturer, high byte"),
    FIELD(pflash, id[3], F_U64, "id3", "0", "device, low byte"),
    FIELD(pflash, label, F_STR, "name", NULL, "of its memory"),
    FIELD(pflash, secure, F_BOOL, "secure", "off", "only code in SMM or the secure world may write"),
    FIELD_END,
};

/* What it holds travels as RAM. */
static const struct state pflash_state[] = {
    STATE(pflash, shows, S_U8, 1, "what reads give"),
    STATE(pflash, expects, S_U8, 1, "what the next write is"),
    STATE(pflash, status, S_U8, 1, "status register"),
    STATE(pflash, left, S_U32, 1, "words to come for the write buffer"),
    STATE(pflash, window, S_U64, 1, "where the write buffer goes"),
    STATE(pflash, buffer, S_U8, 1, "write buffer"),
    STATE_BYTES(pflash, locked, locked_len, 65536, 1, "lock bits of each block"),
    STATE_END,
};

const struct dev_type dev_cfi_pflash01 = {
    .name = "cfi.pflash01",
    .help = "NOR flash with the Intel command set",
    .class = DEV_BOARD,
    .size = sizeof(struct pflash),
    .props = pflash_props,
    .state = pflash_state,
    .state_version = 1,
    .init = pflash_init,
    .reset = pflash_reset,
    .fini = pflash_fini,
    .loaded = pflash_loaded,
    .trace = pflash_trace,
};
