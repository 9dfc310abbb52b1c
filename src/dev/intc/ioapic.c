/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ioapic": I/O APIC.  Sources: Intel 82093AA data sheet, order 290566-001; Intel ICH9 data sheet, 13.5 (EOI register). */
#include "dev/intc/ioapic.h"

#include "base/trace.h"
#include "bus/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { IOREGSEL = 0x00, IOWIN = 0x10, EOIR = 0x40 };
enum { ID = 0x00, VER = 0x01, ARB = 0x02, REDTBL = 0x10 };
enum {
    RT_VECTOR = 0xff,
    RT_MODE = 0x700,
    RT_LOGICAL = 1 << 11,
    RT_PENDING = 1 << 12,
    RT_LOW = 1 << 13, /* the input asks by going low */
    RT_REMOTE_IRR = 1 << 14,
    RT_LEVEL = 1 << 15,
    RT_MASKED = 1 << 16,
    RT_WRITABLE = 0x1ffff & ~(RT_PENDING | RT_REMOTE_IRR),
};
enum { MODE_SMI = 2, MODE_NMI = 4, MODE_INIT = 5, MODE_EXTINT = 7 };
#define MSI_BASE 0xfee00000u

struct ioapic {
    struct dev dev;
    uint8_t select, id;
    uint32_t lines;       /* inputs as they are */
    uint32_t waiting;     /* edges that came while masked or before they were sent */
    uint64_t redtbl[IOAPIC_PINS];
    uint64_t version;
    void (*send)(void *opaque, uint64_t address, uint32_t data);
    void *opaque;
    uint64_t rises[IOAPIC_PINS]; /* for monitors; not saved */
};

enum { TP_SEND, TP_EOI };
static struct trace_point ioapic_trace[] = {
    [TP_SEND] = {.name = "ioapic_send"}, [TP_EOI] = {.name = "ioapic_eoi"}, {.name = NULL}};

static struct ioapic *ioapic_of(struct dev *d)
{
    return (struct ioapic *)d;
}

static void store_message(void *opaque, uint64_t address, uint32_t data)
{
    struct ioapic *a = opaque;

    space_store(machine_space(a->dev.m), address, data, (struct access){.who = BUS_NOBODY, .size = 4, .posted = true});
}

static void send(struct ioapic *a, unsigned n)
{
    uint64_t rt = a->redtbl[n];
    uint64_t address = MSI_BASE | (rt >> 56) << 12 | (rt & RT_LOGICAL ? 1 << 2 : 0);
    uint32_t data = (uint32_t)(rt & (RT_VECTOR | RT_MODE)) | 1 << 14;

    if (rt & RT_LEVEL)
        data |= 1 << 15;
    TRACE(&ioapic_trace[TP_SEND], "pin=%u address=%#" PRIx64 " data=%#x", n, address, data);
    a->send(a->opaque, address, data);
}

/* Only fixed and lowest-priority interrupts have levels and are ended. */
static bool by_level(uint64_t rt)
{
    return rt & RT_LEVEL && (rt >> 8 & 7) <= 1;
}

/* A pin that asks and may is sent; a level stays in service until its end, an edge is gone. */
static void serve(struct ioapic *a, unsigned n)
{
    uint64_t *rt = &a->redtbl[n];
    uint32_t bit = 1u << n;

    if (*rt & RT_MASKED || (*rt & RT_MODE) == MODE_EXTINT << 8)
        return; /* ExtINT: the CPU asks the i8259 by its own wire */
    if (by_level(*rt)) {
        if (!(a->lines & bit) || *rt & RT_REMOTE_IRR)
            return;
        *rt |= RT_REMOTE_IRR;
    } else {
        if (!(a->waiting & bit))
            return;
        a->waiting &= ~bit;
    }
    send(a, n);
}

/* Boards say what is asked, whatever the polarity: RT_LOW has no effect. */
static void input(void *opaque, int n, bool level)
{
    struct ioapic *a = opaque;
    uint32_t bit = 1u << n;

    a->rises[n] += level && !(a->lines & bit);
    if (level && !(a->lines & bit) && !(a->redtbl[n] & RT_LEVEL))
        a->waiting |= bit;
    a->lines = level ? a->lines | bit : a->lines & ~bit;
    serve(a, (unsigned)n);
}

struct irq_in ioapic_in(struct dev *d, unsigned n)
{
    if (n >= IOAPIC_PINS)
        bug("input %u of %d", n, IOAPIC_PINS);
    return (struct irq_in){.set = input, .opaque = ioapic_of(d), .n = (int)n};
}

void ioapic_eoi(struct dev *d, uint8_t vector)
{
    struct ioapic *a = ioapic_of(d);

    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        uint64_t *rt = &a->redtbl[n];

        if ((*rt & RT_VECTOR) != vector || !(*rt & RT_REMOTE_IRR))
            continue;
        TRACE(&ioapic_trace[TP_EOI], "pin=%u vector=%#x", n, vector);
        *rt &= ~(uint64_t)RT_REMOTE_IRR;
        serve(a, n);
    }
}

void ioapic_send_to(struct dev *d, void (*send_fn)(void *opaque, uint64_t address, uint32_t data),
                    void *opaque)
{
    ioapic_of(d)->send = send_fn;
    ioapic_of(d)->opaque = opaque;
}

/* --- Registers --- */

static uint32_t read_window(const struct ioapic *a)
{
    unsigned n = (a->select - REDTBL) / 2u;

    switch (a->select) {
    case ID:
    case ARB:
        return (uint32_t)a->id << 24;
    case VER:
        return (uint32_t)a->version | (IOAPIC_PINS - 1) << 16;
    }
    if (a->select < REDTBL || n >= IOAPIC_PINS)
        return 0;
    return (uint32_t)(a->select & 1 ? a->redtbl[n] >> 32 : a->redtbl[n]);
}

/* Whoever makes an entry an edge forgets that it was in service: the only way to end an interrupt whose EOI is lost. */
static void write_low(struct ioapic *a, unsigned n, uint32_t v)
{
    uint64_t *rt = &a->redtbl[n];

    *rt = (*rt & ~(uint64_t)RT_WRITABLE) | (v & RT_WRITABLE);
    if (*rt & RT_LEVEL)
        a->waiting &= ~(1u << n);
    else
        *rt &= ~(uint64_t)RT_REMOTE_IRR;
    serve(a, n);
}

static void write_window(struct ioapic *a, uint32_t v)
{
    unsigned n = (a->select - REDTBL) / 2u;

    if (a->select == ID)
        a->id = v >> 24 & 0x0f;
    if (a->select < REDTBL || n >= IOAPIC_PINS)
        return;
    if (a->select & 1) /* 31..24: destination; 23..17 of what follows are reserved */
        a->redtbl[n] = (a->redtbl[n] & 0xffffffff) | (uint64_t)(v & 0xff000000) << 32;
    else
        write_low(a, n, v);
}

static uint64_t ioapic_read(void *opaque, paddr off, struct access acc)
{
    struct ioapic *a = opaque;

    return (off & 0xff) == IOREGSEL ? a->select : (off & 0xff) == IOWIN ? read_window(a) : 0;
}

static void ioapic_write(void *opaque, paddr off, uint64_t v, struct access acc)
{
    struct ioapic *a = opaque;

    switch (off & 0xff) {
    case IOREGSEL:
        a->select = (uint8_t)v;
        return;
    case IOWIN:
        write_window(a, (uint32_t)v);
        return;
    case EOIR:
        if (a->version >= 0x20)
            ioapic_eoi(&a->dev, (uint8_t)v);
        return;
    }
}

static const struct mmio_ops ioapic_ops = {.read = ioapic_read, .write = ioapic_write, .min = 1, .max = 4};

/* --- The device --- */

static void ioapic_reset(struct dev *d)
{
    struct ioapic *a = ioapic_of(d);

    a->select = a->id = 0;
    a->waiting = 0;
    for (unsigned i = 0; i < IOAPIC_PINS; i++)
        a->redtbl[i] = RT_MASKED;
}

static int ioapic_init(struct dev *d, struct err *e)
{
    struct ioapic *a = ioapic_of(d);

    if (a->version != 0x11 && a->version != 0x20)
        return err_set(e, -EINVAL, "version=%#" PRIx64 ": want 0x11 or 0x20", a->version);
    a->send = store_message;
    a->opaque = a;
    mem_init_mmio(&d->mmio, "ioapic", 4096, &ioapic_ops, a);
    return 0;
}

static int ioapic_loaded(struct dev *d, int version, struct err *e)
{
    struct ioapic *a = ioapic_of(d);
    const uint64_t legal = 0xff0000000001ffffull & ~(uint64_t)RT_PENDING;

    for (unsigned i = 0; i < IOAPIC_PINS; i++)
        if (a->redtbl[i] & ~legal)
            return err_set(e, -EILSEQ, "entry %u is %#" PRIx64, i, a->redtbl[i]);
    if ((a->lines | a->waiting) >> IOAPIC_PINS)
        return err_set(e, -EILSEQ, "inputs %#x: there are %d", a->lines | a->waiting, IOAPIC_PINS);
    return 0;
}

static const struct field ioapic_props[] = {
    FIELD(ioapic, version, F_U64, "version", "32", "0x20: with an EOI register; 0x11: the 82093AA"),
    FIELD_END,
};

static const struct state ioapic_state[] = {
    STATE(ioapic, select, S_U8, 1, NULL),
    STATE(ioapic, id, S_U8, 1, NULL),
    STATE(ioapic, lines, S_U32, 1, "inputs"),
    STATE(ioapic, waiting, S_U32, 1, "edges that are not sent"),
    STATE(ioapic, redtbl, S_U64, 1, "redirection table"),
    STATE_END,
};

static void print_pin(FILE *f, unsigned n, uint64_t rt)
{
    static const char *const modes[] = {"fixed", "lowest", "SMI", "...", "NMI", "INIT", "...", "extINT"};

    fprintf(f, "  pin %-2u 0x%016" PRIx64 " dest=%" PRIx64 " vec=%-3u %s %-5s %-6s %-6s %s\n", n, rt, rt >> 56, (unsigned)(rt & RT_VECTOR),
            rt & RT_LOW ? "active-lo" : "active-hi", rt & RT_LEVEL ? "level" : "edge", rt & RT_MASKED ? "masked" : "", modes[rt >> 8 & 7],
            rt & RT_LOGICAL ? "logical" : "physical");
}

static void print_pins(FILE *f, const char *what, uint32_t pins)
{
    fprintf(f, "  %-8s", what);
    for (unsigned n = 0; n < IOAPIC_PINS; n++)
        if (pins >> n & 1)
            fprintf(f, " %u", n);
    fprintf(f, "%s\n", pins ? "" : " (none)");
}

static void ioapic_print(struct dev *d, FILE *f)
{
    struct ioapic *a = ioapic_of(d);
    uint32_t served = 0, masked = 0;

    fprintf(f, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x", (unsigned)a->version & 0xff, a->id, a->select);
    if (a->select >= REDTBL)
        fprintf(f, " (redir[%d])", (a->select - REDTBL) / 2);
    fputc('\n', f);
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        print_pin(f, n, a->redtbl[n]);
        served |= (uint32_t)!!(a->redtbl[n] & RT_REMOTE_IRR) << n;
        masked |= (uint32_t)!!(a->redtbl[n] & RT_MASKED) << n;
    }
    print_pins(f, "IRR", (a->waiting | a->lines) & ~masked);
    print_pins(f, "Remote IRR", served);
}

static unsigned ioapic_counts(struct dev *d, uint64_t count[DEV_INPUTS])
{
    memcpy(count, ioapic_of(d)->rises, sizeof(ioapic_of(d)->rises));
    return IOAPIC_PINS;
}

static const struct dev_controller ioapic_controller = {.print = ioapic_print, .counts = ioapic_counts};

const struct dev_type dev_ioapic = {
    .name = "ioapic",
    .help = "I/O APIC",
    .class = DEV_BOARD,
    .size = sizeof(struct ioapic),
    .props = ioapic_props,
    .state = ioapic_state,
    .state_version = 1,
    .init = ioapic_init,
    .reset = ioapic_reset,
    .loaded = ioapic_loaded,
    .controller = &ioapic_controller,
    .trace = ioapic_trace,
};
