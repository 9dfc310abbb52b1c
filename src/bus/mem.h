/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest-physical world: RAM, device registers, and the address spaces that show them.
 *
 * An address space is a tree of struct mem: containers hold others at offsets, with priorities where they
 * overlap.  From the tree a flat view is made: sorted ranges that do not overlap.  Readers (CPUs, device
 * workers) take the view without a lock; it is replaced, never changed.
 *
 * Threads: the tree is changed under the machine's lock (bus/machine.h).  Reads and writes may come from any
 * thread: RAM without a lock; a device's registers are called with the machine's lock held, taken by
 * space_read and space_write when the thread has not got it (machine_lock is recursive by count).
 */
#ifndef BUS_MEM_H
#define BUS_MEM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr;
#define PRIpaddr PRIx64

struct machine;
struct space;

/* Who asks.  Registers that are private to a CPU and message-signalled interrupts want to know. */
#define BUS_CPU(n)   ((uint32_t)(n))
#define BUS_PCI(rid) (0x80000000u | (uint32_t)(rid)) /* rid: bus << 8 | device << 3 | function */
#define BUS_NOBODY   0xffffffffu
static inline bool bus_is_cpu(uint32_t who)
{
    return who < 0x80000000u;
}

/** struct access - one access as a device sees it. */
struct access {
    uint32_t who;
    uint8_t size; /* bytes: 1, 2, 4 or 8 */
    bool secure;
    bool debug; /* a debugger or the monitor looks: no side effects, as far as that is possible */
    /* A device writes by itself (DMA, MSI).  To registers, such writes are done when the machine's lock is given back: no device
     * is called from within another's work, or its own, whatever addresses the guest has told it.  Posted, as on PCI. */
    bool posted;
};

/**
 * struct mmio_ops - a device's registers.  @off is from the start of the struct mem; values are in the low
 * bits.  An access of a size outside min..max is split or widened by the bus: the device never sees one.
 * (A read that is widened takes the bytes asked for; a write that is narrower than min becomes one of
 * min bytes with the other bytes zero: registers that mind say min = 1.)
 * Misaligned accesses are split into bytes of what is legal unless @unaligned.
 */
struct mmio_ops {
    uint64_t (*read)(void *opaque, paddr off, struct access a);
    void (*write)(void *opaque, paddr off, uint64_t value, struct access a);
    uint8_t min, max; /* bytes; 0: 1 and 8 */
    bool big_endian;
    bool unaligned;
    bool messages; /* an interrupt controller's, which calls no other device: posted writes are done at once */
};

/* What has been written since somebody looked; bits of ram_dirty() and of a page's byte in ram->dirty. */
enum ram_client {
    RAM_CODE = 1, /* translations were made from the page while the bit is clear */
    RAM_DISPLAY = 2,
    RAM_MIGRATION = 4,
    RAM_ALL_DIRTY = 7, /* nobody minds: writes need tell no one */
};
#define RAM_PAGE_BITS 12

/** struct ram - memory of the guest's.  Kept in a list of the machine's; never moves. */
struct ram {
    const char *name; /* unique: "mach-virt.ram"; owned; "": it has ended */
    uint64_t size;    /* bytes, a multiple of 4 KiB */
    uint8_t *host;
    uint64_t
        offset; /* where it lies in the numbering of all RAM: ram->offset + off is a byte's own name,
                        * whatever addresses show it */
    uint8_t *dirty; /* enum ram_client bits, a byte for each page [atomic] */
    int fd;         /* shared with others by this file, or -1 */
    bool rom;       /* the guest cannot write */
    bool used;      /* of a memory backend: a board or a device shows it */
    struct ram *next;
};

/** struct mem - a node of the tree.  Owned by whoever embeds it; zero it, then use mem_init_*. */
struct mem {
    const char *name; /* for `info mtree` */
    uint64_t size;    /* 0 means 2^64 */
    enum { MEM_CONTAINER, MEM_RAM, MEM_ROM, MEM_MMIO, MEM_ROMD, MEM_ALIAS } kind;
    struct ram *ram; /* RAM, ROM, ROMD: what is read */
    uint64_t ram_off;
    const struct mmio_ops *ops; /* MMIO, and ROM and ROMD: where writes go (NULL: dropped) */
    void *opaque;
    struct mem *alias; /* ALIAS: shows this from @alias_off on */
    uint64_t alias_off;
    bool off;      /* not seen: mem_enable() */
    bool romd_off; /* ROMD whose reads go to ops, too (a flash that talks) */
    /* place in its container */
    struct mem *parent, *first, *next;
    paddr at;
    int priority; /* greater wins; later wins among equals */
    struct machine *shown; /* a view of this machine has met it; bus/view.c's */
};

void mem_init_container(struct mem *m, const char *name, uint64_t size);
void mem_init_mmio(struct mem *m, const char *name, uint64_t size, const struct mmio_ops *ops,
                   void *opaque);
void mem_init_ram(struct mem *m, const char *name, struct ram *ram, uint64_t off, uint64_t size);
void mem_init_romd(struct mem *m, const char *name, struct ram *ram, const struct mmio_ops *ops,
                   void *opaque);
void mem_init_alias(struct mem *m, const char *name, struct mem *of, uint64_t off, uint64_t size);

/* Changing the tree, under the machine's lock.  Every space that shows it gets a new view; between
 * mem_begin and mem_end (which nest) only at the end. */
void mem_add(struct mem *container, paddr at, struct mem *m, int priority);
/** mem_remove - nothing happens when it is nowhere.  mem_place - @on: it is at @at of @container, and only there; else nowhere. */
void mem_remove(struct mem *m);
void mem_place(struct mem *container, struct mem *m, bool on, paddr at, int priority);
/** mem_remove_within - remove from below @root what lies in [@from, @from + @len) of our memory: a device that goes. */
void mem_remove_within(struct mem *root, const void *from, size_t len);
void mem_move(struct mem *m, paddr at);
void mem_enable(struct mem *m, bool on);
void mem_romd_mode(struct mem *m, bool rom);
void mem_begin(struct machine *m);
void mem_end(struct machine *m);

/**
 * ram_new - zeroed memory of @size bytes (rounded up to 4 KiB), named uniquely; lives as long as the machine.
 * NULL with -ENOMEM "cannot set up guest memory 'NAME': ..." when the host has not got it.
 */
struct ram *ram_new(struct machine *m, const char *name, uint64_t size, struct err *e);
/** ram_end - nothing shows it any more, and nobody asks for it: its pages are the host's again, its name is free.  What else it is lives
 * as long as the machine, so that numbers of bytes (->offset) stay what they were. */
void ram_end(struct ram *r);
/** ram_new_file - the same over @fd (owned from now on), which is as long; @shared: others see what is written. */
struct ram *ram_new_file(struct machine *m, const char *name, uint64_t size, int fd, bool shared,
                         struct err *e);
/** ram_each - in the order of birth; @fn false: stop. */
void ram_each(struct machine *m, bool (*fn)(void *opaque, struct ram *r), void *opaque);
/** ram_at - the RAM and the offset in it that @ram_addr (ram->offset + off) names; NULL: none. */
struct ram *ram_at(struct machine *m, uint64_t ram_addr, uint64_t *off);
/** ram_written - who writes guest memory behind the CPU's back tells it: sets dirty bits, forgets translations. */
void ram_written(struct machine *m, struct ram *r, uint64_t off, uint64_t len);
/**
 * ram_take_dirty - true when a page in the range has @client's bit set; clears it in all of them.  @pages: NULL, or a byte for each page
 * that is touched, set to whether it had.  Under the machine's lock; a whole range at a time costs CPUs least.
 * What a CPU writes from then on sets the bit anew; a store that is under way at this moment may not, so who copies what is there
 * looks once more at what it found written last time.
 */
bool ram_take_dirty(struct machine *m, struct ram *r, uint64_t off, uint64_t len,
                    enum ram_client client, uint8_t *pages);

/** struct mem_hit - what is at an address. */
struct mem_hit {
    struct mem *mem; /* the leaf, never an alias or container; to be looked into under the machine's lock only */
    uint64_t off;    /* in the leaf */
    uint64_t len;    /* bytes from there on that are alike */
    uint8_t *host; /* RAM, ROM and ROMD while it reads as memory: where the bytes are; else NULL */
    struct ram *ram;
    uint64_t ram_off;
    bool
        writable; /* host may be written: then ram_written(), unless the page is dirty for everyone */
};

/** space_new - an address space that shows @root.  Lives as long as the machine, or until space_free (a device's, which
 * goes with it), under the machine's lock, when nobody uses it any more. */
struct space *space_new(struct machine *m, const char *name, struct mem *root);
void space_free(struct space *s);
/** space_find - what a CPU or device meets at @addr; false: nothing. */
bool space_find(struct space *s, paddr addr, struct mem_hit *hit);

/**
 * space_read, space_write - copy, whatever is there, across boundaries.
 * @a: its size is taken from @len for registers: aligned pieces of up to 8 bytes.
 * Returns 0, or -EFAULT when there is nothing at some byte (reads give zeros there, writes are lost).
 */
int space_read(struct space *s, paddr addr, void *buf, uint64_t len, struct access a);
int space_write(struct space *s, paddr addr, const void *buf, uint64_t len, struct access a);
/** space_load, space_store - one access of a.size bytes, little endian; false: nothing is there. */
bool space_load(struct space *s, paddr addr, uint64_t *value, struct access a);
bool space_store(struct space *s, paddr addr, uint64_t value, struct access a);
/**
 * space_map - host memory for [addr, addr + *len), *len cut to what is contiguous; NULL: no RAM there, or
 * @write and it is not writable.  space_unmap tells what was written.
 */
void *space_map(struct space *s, paddr addr, uint64_t *len, bool write);
void space_unmap(struct space *s, void *host, uint64_t written);

/** space_on_change - @fn(opaque) is called after each new view, under the machine's lock: CPUs forget what they
 * know of addresses. */
void space_on_change(struct space *s, void (*fn)(void *opaque), void *opaque);
/** machine_on_code_written - @fn is called, on any thread, when pages whose RAM_CODE bit was clear are
 * written; ram_addr as in struct ram.  It sets no bits itself: they are set before it is called. */
void machine_on_code_written(struct machine *m,
                             void (*fn)(void *opaque, uint64_t ram_addr, uint64_t len),
                             void *opaque);

/** machine_on_dirty_taken - @fn is called by ram_take_dirty with the host addresses of pages whose bits were cleared: whoever writes
 * without looking at the bits looks from now on. */
void machine_on_dirty_taken(struct machine *m,
                            void (*fn)(void *opaque, const uint8_t *host, uint64_t len), void *opaque);

/** struct mem_line - a row of `info mtree -f`: the flat view, in order. */
void space_print(struct space *s, bool flat, void (*line)(void *opaque, const char *text),
                 void *opaque);

#endif
