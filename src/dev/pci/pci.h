/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI devices and buses, conventional and Express.  A PCI device type is a struct dev_type with bus "pci" whose
 * class_ops is a struct pci_type; its structure begins with struct pci_dev.
 *
 *     struct foo { struct pci_dev pci; ... };
 *     static const struct field foo_props[] = { PCI_FIELDS(foo, pci), FIELD_END };
 *     static const struct state foo_state[] = { PCI_STATE(foo, pci), STATE(...), STATE_END };
 *
 *     init:   the header is there, with the ids of struct pci_type; add BARs, capabilities; when it fails,
 *             pci_dev_fini() undoes what was done by functions of this header
 *     reset:  pci_dev_reset() first; also called for function-level resets and resets of the bus
 *     loaded: pci_dev_loaded() first
 *     fini:   pci_dev_fini() last
 *
 * Under the machine's lock, unless a function says otherwise.
 * Source: PCI Local Bus 3.0, PCI-to-PCI Bridge 1.2, PCI Express Base 3.0; registers by name in pci_regs.h.
 */
#ifndef DEV_PCI_PCI_H
#define DEV_PCI_PCI_H

#include "bus/dev.h"
#include "bus/machine.h"
#include "dev/pci/pci_regs.h"

struct pci_bus;
struct pci_dev;

enum pci_kind {
    PCI_CONVENTIONAL, /* 256 bytes of configuration space, whatever the bus */
    PCI_HYBRID,       /* Express on an Express bus, else conventional */
    PCI_EXPRESS       /* plugs into Express buses only */
};

/** struct pci_type - what the core has to know.  Constant. */
struct pci_type {
    uint16_t vendor, device;
    uint16_t sub_vendor, sub_device; /* 0 and 0: 0x1af4 and 0x1100, as the reference has them */
    uint16_t class;                  /* class << 8 | subclass: PCI_CLASS_* */
    uint8_t prog_if, revision;
    enum pci_kind kind;
    bool bridge;     /* header type 1 */
    bool no_hotplug; /* only before the machine starts */
    const char *rom; /* file of the expansion ROM when the user says nothing; NULL: none */
    /** config_reading - bytes [off, off + size) of pci->config are about to be read: bring them up to date. */
    void (*config_reading)(struct pci_dev *d, unsigned off, unsigned size);
    /** config_written - they have been written (masks applied), and the core has done its part. */
    void (*config_written)(struct pci_dev *d, unsigned off, unsigned size);
    /** check_bus - may it plug in there?  Before init, address and bus are known.  NULL: what kind says. */
    int (*check_bus)(struct pci_dev *d, struct pci_bus *b, struct err *e);
};

/* Kinds of BAR, as the low bits of the register say it. */
enum { PCI_BAR_IO = 1, PCI_BAR_64 = 4, PCI_BAR_PREFETCH = 8 };
enum { PCI_BARS = 6, PCI_ROM_BAR = 6 };

struct pci_bar {
    struct mem *mem; /* NULL: none; borrowed from the device; its size is the BAR's */
    uint8_t flags;
    bool mapped;
    paddr at; /* while mapped */
};

struct pci_msix {
    uint16_t vectors; /* 0: none */
    uint8_t bar;      /* whose table it is */
    struct mem table_mem, pba_mem, bar_mem;
    uint8_t *table, *pba;
    uint32_t table_len, pba_len;
};

struct pci_dev {
    struct dev dev;
    const struct pci_type *ops;
    struct pci_bus *bus; /* set before init */
    uint8_t devfn;       /* device << 3 | function, set before init */
    bool express;        /* has extended configuration space; set before init */
    bool present;        /* answers on its bus */
    bool master;         /* may access memory [atomic] */
    bool intx;           /* the device drives its INTx */
    uint16_t pm_cap, msi_cap, msix_cap, exp_cap, next_ext_cap, last_ext_cap;
    uint8_t used[PCI_CONFIG_SIZE / 8]; /* bytes that capabilities have */
    struct pci_bar bar[PCI_BARS + 1];
    struct pci_msix msix;
    uint8_t *rom;
    struct mem rom_mem;
    bool remembered; /* power_on is there */
    bool intx_out;   /* what the bus sees, after masking */

    /* Configuration space: bytes; bits that the guest may write; bits that writing 1 clears; values after reset. */
    uint8_t config[PCIE_CONFIG_SIZE], wmask[PCIE_CONFIG_SIZE], w1c[PCIE_CONFIG_SIZE],
        power_on[PCIE_CONFIG_SIZE];
    uint8_t *saved; /* config, as long as the device has it: */
    uint32_t saved_len;

    /* Properties: PCI_FIELDS. */
    struct json_object *addr; /* "5", "5.1", 5 */
    bool multifunction;
    char *romfile;
    uint64_t rombar, romsize, acpi_index;
};

#define PCI_FIELDS(type, m)                                                                        \
    FIELD(type, m.addr, F_TREE, "addr", NULL, "slot and function number, 06.0"),                   \
        FIELD(type, m.multifunction, F_BOOL, "multifunction", "off",                               \
              "other functions of the slot follow"),                                               \
        FIELD(type, m.romfile, F_STR, "romfile", NULL, "file of the expansion ROM, or empty"),     \
        FIELD(type, m.rombar, F_U64, "rombar", "1", "0: no expansion ROM is shown"),               \
        FIELD(type, m.romsize, F_SIZE, "romsize", "4294967295", "of the ROM BAR, a power of two"), \
        FIELD(type, m.acpi_index, F_U64, "acpi-index", "0", "number of the device for the guest")

extern const struct state pci_dev_state[];
#define PCI_STATE(type, m)                                                                         \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(struct pci_dev), .since = 1, .table = pci_dev_state                         \
    }

static inline struct pci_dev *pci_of(struct dev *d)
{
    return (struct pci_dev *)d;
}
static inline const struct pci_type *pci_type_of(const struct dev_type *t)
{
    return t->class_ops;
}

void pci_dev_reset(struct pci_dev *d);
int pci_dev_loaded(struct pci_dev *d, struct err *e);
void pci_dev_fini(struct pci_dev *d);

/* Configuration space from the inside: little endian, @off below 4096. */
uint16_t pci_get16(const struct pci_dev *d, unsigned off);
uint32_t pci_get32(const struct pci_dev *d, unsigned off);
void pci_set8(struct pci_dev *d, unsigned off, uint8_t v);
void pci_set16(struct pci_dev *d, unsigned off, uint16_t v);
void pci_set32(struct pci_dev *d, unsigned off, uint32_t v);
/** pci_wmask16, pci_w1c16, ... - which bits the guest may write, or clears by writing 1.  In init only. */
void pci_wmask8(struct pci_dev *d, unsigned off, uint8_t bits);
void pci_wmask16(struct pci_dev *d, unsigned off, uint16_t bits);
void pci_wmask32(struct pci_dev *d, unsigned off, uint32_t bits);
void pci_w1c16(struct pci_dev *d, unsigned off, uint16_t bits);
void pci_w1c32(struct pci_dev *d, unsigned off, uint32_t bits);
/** pci_pin - INTx that the function uses: 1 = INTA ... 4 = INTD. */
static inline void pci_pin(struct pci_dev *d, uint8_t pin)
{
    pci_set8(d, PCI_INTERRUPT_PIN, pin);
}

/* And as the guest sees it: @size 1, 2 or 4, aligned. */
uint32_t pci_config_read(struct pci_dev *d, unsigned off, unsigned size);
void pci_config_write(struct pci_dev *d, unsigned off, uint32_t value, unsigned size);
/** pci_touches - does an access of @size bytes at @off meet [at, at + len)? */
static inline bool pci_touches(unsigned off, unsigned size, unsigned at, unsigned len)
{
    return off < at + len && at < off + size;
}

/**
 * pci_add_cap - @len bytes (header of two bytes included) of a capability @id, zero and read-only until the device
 * fills them.  @off: where, 0: the next free place.  Returns the offset; there is a bug when there is no room.
 * pci_add_ext_cap - of extended configuration space; on an Express device only.
 */
unsigned pci_add_cap(struct pci_dev *d, uint8_t id, unsigned off, unsigned len);
unsigned pci_add_ext_cap(struct pci_dev *d, uint16_t id, uint8_t version, unsigned off,
                         unsigned len);
/** pci_find_cap - its offset, 0: none. */
unsigned pci_find_cap(const struct pci_dev *d, uint8_t id);
/** pci_add_pm - power management 1.2 with D0 and D3hot (which resets nothing). */
void pci_add_pm(struct pci_dev *d, unsigned off);
/** pcie_add_endpoint - the Express capability of an endpoint (integrated on a root bus).  Does nothing on a device that is
 * not Express.  @flr: function-level reset is offered (it calls the type's reset). */
void pcie_add_endpoint(struct pci_dev *d, unsigned off, bool flr);
/** pcie_add_endpoint_v1 - the short form of before Express 2.0, 0x14 bytes long. */
void pcie_add_endpoint_v1(struct pci_dev *d, unsigned off);

/**
 * pci_add_bar - @m, of a size that is a power of two (at least 16 bytes, I/O: at least 4), appears where the guest says.
 * PCI_BAR_64 takes BAR @nr and the next one.  @m stays the device's, and must live until pci_dev_fini().
 */
void pci_add_bar(struct pci_dev *d, unsigned nr, unsigned flags, struct mem *m);
/** pci_bar_at - where BAR @nr is mapped now; false: nowhere. */
bool pci_bar_at(const struct pci_dev *d, unsigned nr, paddr *at);

/*
 * Memory as the device sees it.  Any thread.  -EFAULT when nothing is there, or bus mastering is off
 * (reads give zeros then, writes are lost).  Devices that want to keep host pointers use the space itself.
 */
struct space *pci_dma_space(const struct pci_dev *d);
struct access pci_dma_access(const struct pci_dev *d);
static inline bool pci_dma_on(const struct pci_dev *d)
{
    return __atomic_load_n(&d->master, __ATOMIC_ACQUIRE);
}
int pci_dma_read(const struct pci_dev *d, paddr addr, void *buf, uint64_t len);
int pci_dma_write(const struct pci_dev *d, paddr addr, const void *buf, uint64_t len);
/** pci_dma_map - as space_map; NULL also when bus mastering is off. */
void *pci_dma_map(const struct pci_dev *d, paddr addr, uint64_t *len, bool write);
void pci_dma_unmap(const struct pci_dev *d, void *host, uint64_t written);
/** pci_rid - requester id: bus << 8 | devfn, with the bus number that the guest gave. */
uint16_t pci_rid(const struct pci_dev *d);

/* Interrupts.  pci_set_irq drives INTx; it is wired OR with others, through bridges, to the host's lines. */
void pci_set_irq(struct pci_dev *d, bool level);

/** msi_add - MSI with @vectors (1, 2, 4 ... 32), 64-bit addresses; @maskable: mask and pending bits. */
void msi_add(struct pci_dev *d, unsigned off, unsigned vectors, bool maskable);
bool msi_enabled(const struct pci_dev *d);
/** msi_notify - vector 0..; what the guest has not enabled folds onto those it has.  Any thread. */
void msi_notify(struct pci_dev *d, unsigned vector);

/**
 * msix_add - MSI-X whose table and pending bits lie in container @bar_mem, which is or will be BAR @bar, at @table_off
 * and @pba_off.  1..2048 vectors.
 * msix_add_bar - in a BAR of its own, which is made (32-bit memory): table at 0, pending bits at half of it.
 */
void msix_add(struct pci_dev *d, unsigned off, unsigned vectors, unsigned bar, struct mem *bar_mem,
              uint32_t table_off, uint32_t pba_off);
void msix_add_bar(struct pci_dev *d, unsigned off, unsigned vectors, unsigned bar);
bool msix_enabled(const struct pci_dev *d);
/** msix_notify - sends, or when masked remembers; vectors that do not exist are ignored.  Any thread. */
void msix_notify(struct pci_dev *d, unsigned vector);
bool msix_masked(const struct pci_dev *d, unsigned vector);

/** pci_set_irq_any - for devices with one interrupt: by MSI-X vector 0, MSI vector 0 on a rising edge, else the level of INTx. */
void pci_set_irq_any(struct pci_dev *d, bool level);

/* Buses. */

/** struct pci_slots - hotplug of a bus: a bridge with slots, or ACPI.  Constant. */
struct pci_slots {
    /** plugged - @d has arrived while the machine runs, or before it starts (then nothing is to be said). */
    void (*plugged)(void *opaque, struct pci_dev *d);
    /** ask - the guest is asked to let @d go: 0, or 1: it may go at once, or -errno. */
    int (*ask)(void *opaque, struct pci_dev *d, struct err *e);
    void (*unplugged)(void *opaque, struct pci_dev *d);
    /** gone - the bus goes with its bridge; may be NULL. */
    void (*gone)(void *opaque);
};

/** struct pci_root - what a host bridge gives to the buses below it. */
struct pci_root {
    struct pci_bus *bus;
    struct space *dma; /* what devices see of memory: the machine's */
    /** iommu - the space of a requester; NULL: dma. */
    struct space *(*iommu)(void *opaque, const struct pci_dev *d);
    void *iommu_opaque;
    struct irq_line *intx; /* 4 lines, or 8 when there is a route */
    /** route - pin 0..3 of a device on the root bus -> line 0..7; NULL: (device + pin) % 4. */
    unsigned (*route)(void *opaque, unsigned slot, unsigned pin);
    void *opaque;
    bool zero_unset; /* a BAR at 0 is one that nobody has placed, and shows nowhere */
    uint16_t asserted[8]; /* how many drive each line */
    struct pci_root *next;
};

struct pci_bus {
    struct bus bus;
    struct pci_root *root;
    struct pci_dev *bridge; /* it is behind; NULL: root bus */
    struct pci_dev *fn[256];
    struct mem *mem, *io; /* where BARs appear; NULL: nowhere */
    uint8_t number;       /* of a root bus; else the bridge's secondary bus number counts */
    bool express;
    bool one_slot;                 /* device 0 only: what is behind an Express port */
    uint8_t first;                 /* lowest device number handed out */
    bool extra;                    /* an extra root bus (pxb), found by its number */
    const struct pci_slots *slots; /* NULL: no hotplug */
    void *slots_opaque;
};

/** pci_bus_init - before bus_add(): @b's fields set, its functions are filled in; kind "pci". */
void pci_bus_init(struct pci_bus *b);
static inline struct pci_bus *pci_bus_of(struct bus *b)
{
    return (struct pci_bus *)b;
}
static inline bool pci_bus_is_root(const struct pci_bus *b)
{
    return !b->bridge;
}
unsigned pci_bus_number(const struct pci_bus *b);
/** pci_bus_behind - the bus that a bridge offers; NULL: none. */
struct pci_bus *pci_bus_behind(const struct pci_dev *d);
/** pci_find - the function that answers to @devfn on the bus of that number; NULL: none. */
struct pci_dev *pci_find(struct pci_root *r, unsigned bus, unsigned devfn);
/** pci_bus_reset - devices behind it and below. */
void pci_bus_reset(struct pci_bus *b);
/** pci_root_config_read, _write - by address: bus << 20 | devfn << 12 | offset; all ones when nobody answers. */
uint32_t pci_root_config_read(struct pci_root *r, uint32_t addr, unsigned size);
void pci_root_config_write(struct pci_root *r, uint32_t addr, uint32_t value, unsigned size);

/** pci_class_name - in words, as `info pci` has them; @buf for those that have none. */
const char *pci_class_name(uint16_t class, char buf[static 12]);
/** pci_print - `info pci`: the devices of the machine, lines without newline. */
void pci_print(struct machine *m, void (*line)(void *opaque, const char *text), void *opaque);

#endif
