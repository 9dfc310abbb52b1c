/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine around one device, for its tests: no CPU, no main loop, 1 MiB of RAM at RIG_RAM, the device's registers
 * (dev->mmio) at RIG_DEV, its interrupt lines recorded, and a clock that stands still until rig_step().
 *
 *     struct rig *r = rig_new("pl011", "chardev=c0");       fails the test and ends it when that does not work
 *     rig_write32(r, UARTDR, 'x');
 *     CHECK_EQ(rig_irq(r, 0), 1);
 *     rig_free(r);
 */
#ifndef TESTS_DEV_RIG_H
#define TESTS_DEV_RIG_H

#include "bus/machine.h"
#include "tests/test.h"

enum { RIG_RAM = 0x40000000, RIG_RAM_SIZE = 1 << 20, RIG_DEV = 0x10000000 };

/** struct rig - what rig_save_load makes again is under the same addresses. */
struct rig {
    struct machine *m;
    struct dev *dev; /* NULL: rig_machine only */
    struct ram *ram;
    char *type, *props;
    void (*before)(struct rig *r); /* rig_with's */
    struct mem ram_mem;
    struct irq_state {
        bool level;
        unsigned rose; /* how often */
    } irq[8];
};

/** rig_machine - a machine without a device: back ends can be added, then rig_plug. */
struct rig *rig_machine(void);
/** rig_plug - make the device, map and connect it, reset it.  @props: "name=value,...", or NULL. */
void rig_plug(struct rig *r, const char *type, const char *props);
/** rig_new - both.  rig_with - @before(rig) adds back ends (chr_memory() and the like) each time the machine is made. */
struct rig *rig_new(const char *type, const char *props);
struct rig *rig_with(const char *type, const char *props, void (*before)(struct rig *r));
/** rig_refused - the message with which the device is refused; static. */
const char *rig_refused(const char *type, const char *props);
void rig_free(struct rig *r);

/* Registers, by the offset in the device. */
uint8_t rig_read8(struct rig *r, paddr off);
uint16_t rig_read16(struct rig *r, paddr off);
uint32_t rig_read32(struct rig *r, paddr off);
uint64_t rig_read64(struct rig *r, paddr off);
void rig_write8(struct rig *r, paddr off, uint8_t v);
void rig_write16(struct rig *r, paddr off, uint16_t v);
void rig_write32(struct rig *r, paddr off, uint32_t v);
void rig_write64(struct rig *r, paddr off, uint64_t v);
/** rig_load, rig_store - any address of the machine's, @size 1, 2, 4 or 8; nothing there: zero, and the test fails. */
uint64_t rig_load(struct rig *r, paddr addr, unsigned size);
void rig_store(struct rig *r, paddr addr, uint64_t v, unsigned size);

bool rig_irq(const struct rig *r, unsigned n);
/** rig_irq_rose - how often since it was last asked. */
unsigned rig_irq_rose(struct rig *r, unsigned n);
/** rig_step - the clock goes on; due timers fire. */
void rig_step(struct rig *r, int64_t ns);
/** rig_late - the clock goes on, and the host is too busy for timers: they fire in the next rig_step. */
void rig_late(struct rig *r, int64_t ns);
void rig_reset(struct rig *r);
/** rig_run - the machine runs, or stands still.  rig_await_stop - until a device asks it to stop because the host's disk failed
 * (5 s); then it stands still. */
void rig_run(struct rig *r, bool on);
bool rig_await_stop(struct rig *r);
/** rig_full_disk - a drive of @size zeros where the host has no room for the first write, and never for writes with @always. */
struct blk *rig_full_disk(uint64_t size, bool always);

/**
 * rig_save_load - save the machine, free it, make it anew, load: tests go on with the new one.  RAM is carried over.
 * rig_load_bytes - load @buf into a machine made anew: its result, the message in *@e.
 */
void rig_save_load(struct rig *r);
int rig_load_bytes(struct rig *r, const uint8_t *buf, size_t len, struct err *e);
/** rig_hostile - the saved state, cut short and with bytes changed in some ways (some hundred places), is loaded: refused or
 * not, nothing breaks, and the device goes on working with its registers read and written. */
void rig_hostile(struct rig *r);

#endif
