/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-mmio: a slot of the board that shows one virtio device as registers.  Virtio 1.2, 4.2; legacy 4.2.4. */
#include "dev/virtio/wrap.h"

#include <errno.h>
#include <stdio.h>

enum {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_DEVICE_ID = 0x08,
    R_VENDOR_ID = 0x0c,
    R_DEVICE_FEATURES = 0x10,
    R_DEVICE_FEATURES_SEL = 0x14,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_GUEST_PAGE_SIZE = 0x28, /* legacy */
    R_QUEUE_SEL = 0x30,
    R_QUEUE_NUM_MAX = 0x34,
    R_QUEUE_NUM = 0x38,
    R_QUEUE_ALIGN = 0x3c, /* legacy */
    R_QUEUE_PFN = 0x40,   /* legacy */
    R_QUEUE_READY = 0x44,
    R_QUEUE_NOTIFY = 0x50,
    R_INTERRUPT_STATUS = 0x60,
    R_INTERRUPT_ACK = 0x64,
    R_STATUS = 0x70,
    R_QUEUE_DESC_LOW = 0x80,
    R_QUEUE_DESC_HIGH = 0x84,
    R_QUEUE_DRIVER_LOW = 0x90,
    R_QUEUE_DRIVER_HIGH = 0x94,
    R_QUEUE_DEVICE_LOW = 0xa0,
    R_QUEUE_DEVICE_HIGH = 0xa4,
    R_SHM_SEL = 0xac,
    R_SHM_LEN_LOW = 0xb0,
    R_SHM_BASE_HIGH = 0xbc,
    R_QUEUE_RESET = 0xc0,
    R_CONFIG_GENERATION = 0xfc,
    R_CONFIG = 0x100,
    MMIO_LEN = 0x200
};
enum { MAGIC = 0x74726976 /* "virt" */, VENDOR = 0x554d4551 };

struct slot {
    struct dev dev;
    struct bus bus;
    struct virtio *v; /* NULL: empty */
    bool legacy, ioeventfd;
    uint32_t device_sel, driver_sel, queue_sel, page_size, align;
};

static const struct field slot_props[] = {
    FIELD(slot, legacy, F_BOOL, "force-legacy", "on", "registers as before virtio 1.0"),
    FIELD(slot, ioeventfd, F_BOOL, "ioeventfd", "on", "has no effect"), FIELD_END};

static const struct state slot_state[] = {
    STATE(slot, device_sel, S_U32, 1, NULL), STATE(slot, driver_sel, S_U32, 1, NULL),
    STATE(slot, queue_sel, S_U32, 1, NULL),  STATE(slot, page_size, S_U32, 1, "bytes"),
    STATE(slot, align, S_U32, 1, "bytes"),   STATE_END};

static void update_irq(struct slot *s)
{
    irq_set(&s->dev.irq[0], s->v && __atomic_load_n(&s->v->isr, __ATOMIC_SEQ_CST));
}

static struct slot *slot_of(const struct virtio *v)
{
    return (struct slot *)v->dev->parent->owner;
}

static uint32_t features(const struct slot *s)
{
    if (s->device_sel > 1)
        return 0;
    return s->v->host_features >> 32 * s->device_sel;
}

static uint32_t legacy_pfn(const struct slot *s, const struct vq *q)
{
    return s->page_size && q->enabled ? q->desc / s->page_size : 0;
}

static uint64_t queue_read(struct slot *s, paddr off)
{
    struct vq *q = virtio_queue(s->v, s->queue_sel);

    if (!q)
        return 0;
    switch (off) {
    case R_QUEUE_NUM_MAX: return q->size_max;
    case R_QUEUE_READY: return q->enabled;
    case R_QUEUE_PFN: return legacy_pfn(s, q);
    }
    return 0;
}

static uint64_t slot_read(void *opaque, paddr off, struct access a)
{
    struct slot *s = opaque;

    if (off < R_CONFIG && (a.size != 4 || off & 3)) {
        guest_error(&s->dev, "%u-byte read at %#" PRIx64, a.size, off);
        return 0;
    }
    switch (off) {
    case R_MAGIC: return MAGIC;
    case R_VERSION: return s->legacy ? 1 : 2;
    case R_VENDOR_ID: return VENDOR;
    case R_DEVICE_ID: return s->v ? s->v->type->id : 0;
    }
    if (!s->v)
        return 0;
    if (off >= R_CONFIG)
        return virtio_config_read(s->v, off - R_CONFIG, a.size);
    switch (off) {
    case R_DEVICE_FEATURES: return features(s);
    case R_QUEUE_NUM_MAX:
    case R_QUEUE_READY:
    case R_QUEUE_PFN: return queue_read(s, off);
    case R_INTERRUPT_STATUS: return __atomic_load_n(&s->v->isr, __ATOMIC_SEQ_CST);
    case R_STATUS: return s->v->status;
    case R_CONFIG_GENERATION: return s->legacy ? 0 : s->v->generation;
    }
    if (off >= R_SHM_LEN_LOW && off <= R_SHM_BASE_HIGH && !s->legacy)
        return UINT32_MAX; /* 4.2.2: a length of all ones is a region that does not exist */
    guest_error(&s->dev, "read of register %#" PRIx64, off);
    return 0;
}

static void low(uint64_t *reg, uint32_t v)
{
    *reg = (*reg & ~UINT64_C(0xffffffff)) | v;
}

static void high(uint64_t *reg, uint32_t v)
{
    *reg = (*reg & UINT64_C(0xffffffff)) | (uint64_t)v << 32;
}

static void write_pfn(struct slot *s, struct vq *q, uint32_t pfn)
{
    if (!pfn)
        virtio_reset_queue(q);
    else if (s->page_size)
        virtio_legacy_layout(q, (uint64_t)pfn * s->page_size, s->align);
    else
        guest_error(&s->dev, "queue address without page size");
}

/* Registers of the selected queue; true: it was one. */
static bool queue_write(struct slot *s, paddr off, uint32_t v)
{
    struct vq *q = virtio_queue(s->v, s->queue_sel);
    struct vq none = {.v = s->v};
    bool is = true;

    q = q ? q : &none; /* writes to a queue that does not exist go nowhere */
    switch (off) {
    case R_QUEUE_NUM: is = q == &none || (virtio_set_size(q, v), true); break;
    case R_QUEUE_DESC_LOW: low(&q->desc, v); break;
    case R_QUEUE_DESC_HIGH: high(&q->desc, v); break;
    case R_QUEUE_DRIVER_LOW: low(&q->driver, v); break;
    case R_QUEUE_DRIVER_HIGH: high(&q->driver, v); break;
    case R_QUEUE_DEVICE_LOW: low(&q->device, v); break;
    case R_QUEUE_DEVICE_HIGH: high(&q->device, v); break;
    case R_QUEUE_READY:
        if (q != &none && v && !s->legacy)
            virtio_enable(q, true);
        else if (q != &none && !s->legacy)
            virtio_reset_queue(q);
        break;
    case R_QUEUE_RESET:
        if (q != &none && v && virtio_has(s->v, VIRTIO_F_RING_RESET))
            virtio_reset_queue(q);
        break;
    case R_QUEUE_ALIGN: s->align = v; break;
    case R_QUEUE_PFN:
        if (q != &none && s->legacy)
            write_pfn(s, q, v);
        break;
    default: is = false;
    }
    return is;
}

static void slot_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct slot *s = opaque;
    uint32_t v = value;

    if (!s->v)
        return;
    if (off >= R_CONFIG) {
        virtio_config_write(s->v, off - R_CONFIG, value, a.size);
        return;
    }
    if (a.size != 4 || off & 3) {
        guest_error(&s->dev, "%u-byte write at %#" PRIx64, a.size, off);
        return;
    }
    switch (off) {
    case R_QUEUE_NOTIFY: virtio_kick(s->v, v & 0xffff); return;
    case R_INTERRUPT_ACK: __atomic_fetch_and(&s->v->isr, ~v, __ATOMIC_SEQ_CST); break;
    case R_STATUS: virtio_set_status(s->v, v); break;
    case R_DEVICE_FEATURES_SEL: s->device_sel = v; return;
    case R_DRIVER_FEATURES_SEL: s->driver_sel = v; return;
    case R_DRIVER_FEATURES:
        if (s->driver_sel < (s->legacy ? 1 : 2))
            virtio_set_features(s->v, s->driver_sel, v);
        return;
    case R_QUEUE_SEL: s->queue_sel = v; return;
    case R_SHM_SEL: return;
    case R_GUEST_PAGE_SIZE: s->page_size = is_pow2(v) ? v : 0; return;
    default:
        if (!queue_write(s, off, v))
            guest_error(&s->dev, "write to register %#" PRIx64, off);
        return;
    }
    update_irq(s);
}

static const struct mmio_ops slot_ops = {
    .read = slot_read, .write = slot_write, .min = 1, .max = 4};

static void slot_reset(struct dev *d)
{
    struct slot *s = (struct slot *)d;

    s->device_sel = s->driver_sel = s->queue_sel = s->page_size = 0;
    s->align = 4096;
}

static int bus_plug(struct bus *b, struct dev *d, struct err *e)
{
    return ((struct slot *)b->owner)->v || (b->devs && b->devs != d)
               ? err_set(e, -EBUSY, "Bus '%s' is full", b->name)
               : 0;
}

static bool bus_full(const struct bus *b)
{
    return b->devs;
}

static int bus_placed(struct bus *b, struct dev *d, struct err *e)
{
    ((struct slot *)b->owner)->v = virtio_of(d);
    return 0;
}

static void bus_unplug(struct bus *b, struct dev *d)
{
    ((struct slot *)b->owner)->v = NULL;
    update_irq((struct slot *)b->owner);
}

static int bus_unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    return err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", b->name);
}

static int slot_init(struct dev *d, struct err *e)
{
    struct slot *s = (struct slot *)d;
    char name[32];

    mem_init_mmio(&d->mmio, "virtio-mmio", MMIO_LEN, &slot_ops, s);
    s->bus = (struct bus){.kind = "virtio-mmio",
                          .plug = bus_plug,
                          .placed = bus_placed,
                          .unplug = bus_unplug,
                          .unplug_request = bus_unplug_request,
                          .full = bus_full};
    for (unsigned n = 0;; n++) {
        snprintf(name, sizeof(name), "virtio-mmio-bus.%u", n);
        if (!bus_find(d->m, name))
            break;
    }
    bus_add(d, &s->bus, name);
    return 0;
}

const struct dev_type dev_virtio_mmio = {
    .name = "virtio-mmio",
    .help = "slot for a virtio device",
    .class = DEV_BOARD,
    .size = sizeof(struct slot),
    .props = slot_props,
    .state = slot_state,
    .state_version = 1,
    .init = slot_init,
    .reset = slot_reset,
};

/* The device in the slot: virtio-NAME-device. */

static void raise_queue(struct virtio *v, struct vq *q)
{
    update_irq(slot_of(v));
}

static void raise_config(struct virtio *v)
{
    update_irq(slot_of(v));
}

static const struct virtio_transport transport = {.queue = raise_queue, .config = raise_config};

static int plug_init(struct dev *d, struct err *e)
{
    struct slot *s = (struct slot *)d->parent->owner;
    struct virtio *v = virtio_of(d);
    int r = virtio_init(v, d, virtio_type_of(d->type), &transport, machine_space(d->m), e);

    if (r < 0)
        return r;
    if (s->legacy)
        v->host_features &= UINT32_MAX;
    else
        v->host_features =
            (v->host_features | VIRTIO_BIT(VIRTIO_F_VERSION_1)) &
            ~(VIRTIO_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT));
    return 0;
}

static void plug_reset(struct dev *d)
{
    virtio_reset(virtio_of(d));
    update_irq((struct slot *)d->parent->owner);
}

static void plug_fini(struct dev *d)
{
    virtio_fini(virtio_of(d));
}

static int plug_loaded(struct dev *d, int version, struct err *e)
{
    int r = virtio_loaded(virtio_of(d), version, e);

    update_irq((struct slot *)d->parent->owner);
    return r;
}

const struct virtio_wrap virtio_wrap_mmio = {
    .name = "virtio-%s-device",
    .bus = "virtio-mmio",
    .size = sizeof(struct dev),
    .init = plug_init,
    .reset = plug_reset,
    .fini = plug_fini,
    .loaded = plug_loaded,
};
