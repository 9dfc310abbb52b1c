/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small virtio driver for tests: a virtio-mmio slot in the rig's machine, queues in the rig's RAM, split or packed.
 *
 *     struct vdrv *d = vdrv_new("virtio-rng-device", NULL, 0, 0);
 *     struct vbuf b = {BUF, 16, true};
 *     vdrv_add(d, 0, &b, 1);
 *     vdrv_kick(d, 0);
 *     CHECK_EQ(vdrv_used(d, 0, NULL), 16);
 */
#ifndef TESTS_DEV_VDRV_H
#define TESTS_DEV_VDRV_H

#include "dev/virtio/virtio.h"
#include "tests/dev/rig.h"

enum { VDRV_SLOT = 0x0a000000, VDRV_QUEUES = 8, VDRV_SIZE = 16 };
/* In RAM: 16 KiB for each queue's rings, then room for buffers. */
enum {
    VDRV_RINGS = RIG_RAM,
    VDRV_RING_LEN = 0x4000,
    VDRV_BUF = RIG_RAM + VDRV_QUEUES * VDRV_RING_LEN
};

enum vdrv_flags { VDRV_LEGACY = 1, VDRV_INDIRECT = 2 };

struct vbuf {
    paddr addr;
    uint32_t len;
    bool write; /* the device writes it */
};

struct vdrv_queue {
    uint16_t size, avail, used;
    bool wrap, used_wrap;
    uint16_t chain[64]; /* packed: descriptors of the chain with that id */
    unsigned next;      /* split: descriptor */
};

struct vdrv {
    struct rig *r;
    unsigned flags;
    uint64_t features; /* negotiated */
    struct vdrv_queue q[VDRV_QUEUES];
};

/* Devices that are made before the one under test, behind the slot; tests set it first.  Ends with a NULL type. */
struct vdrv_dev {
    const char *type, *props;
};
extern struct vdrv_dev vdrv_first[4];

/** vdrv_new - make the device (@props may be NULL, @before as of rig_with), negotiate @features of what it offers
 * (and VERSION_1 unless VDRV_LEGACY), set up its queues, DRIVER_OK. */
struct vdrv *vdrv_new(const char *type, const char *props, uint64_t features, unsigned flags,
                      void (*before)(struct rig *r));
/** vdrv_make - the device alone; vdrv_start - the rest, again after a reset. */
struct vdrv *vdrv_make(const char *type, const char *props, unsigned flags,
                       void (*before)(struct rig *r));
void vdrv_start(struct vdrv *d, uint64_t features);
void vdrv_free(struct vdrv *d);

uint32_t vdrv_reg(struct vdrv *d, unsigned off);
void vdrv_set(struct vdrv *d, unsigned off, uint32_t v);
uint32_t vdrv_status(struct vdrv *d);
uint8_t vdrv_config8(struct vdrv *d, unsigned off);
uint16_t vdrv_config16(struct vdrv *d, unsigned off);
uint32_t vdrv_config32(struct vdrv *d, unsigned off);
uint64_t vdrv_config64(struct vdrv *d, unsigned off);

/** vdrv_mem - host memory of a guest address. */
uint8_t *vdrv_mem(struct vdrv *d, paddr addr);
/** vdrv_add - a chain; its id.  vdrv_kick.  vdrv_used - waits for a chain (5 s) and takes it: bytes written, its id in *id;
 * -1: nothing came.  vdrv_ready - is one there? */
unsigned vdrv_add(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n);
void vdrv_kick(struct vdrv *d, unsigned queue);
int64_t vdrv_used(struct vdrv *d, unsigned queue, unsigned *id);
bool vdrv_ready(struct vdrv *d, unsigned queue);
/** vdrv_do - add, kick, wait: bytes written. */
int64_t vdrv_do(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n);

#endif
