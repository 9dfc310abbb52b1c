/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small virtio driver for tests (tests/dev/vdrv.h), written from virtio 1.2, 2.7, 2.8 and 4.2.3. */
#include "tests/dev/vdrv.h"

enum {
    R_DEVICE_FEATURES = 0x10,
    R_DEVICE_FEATURES_SEL = 0x14,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_GUEST_PAGE_SIZE = 0x28,
    R_QUEUE_SEL = 0x30,
    R_QUEUE_NUM_MAX = 0x34,
    R_QUEUE_NUM = 0x38,
    R_QUEUE_ALIGN = 0x3c,
    R_QUEUE_PFN = 0x40,
    R_QUEUE_READY = 0x44,
    R_QUEUE_NOTIFY = 0x50,
    R_STATUS = 0x70,
    R_QUEUE_DESC = 0x80,
    R_QUEUE_DRIVER = 0x90,
    R_QUEUE_DEVICE = 0xa0,
    R_CONFIG = 0x100
};
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
/* Within a queue's 16 KiB; the legacy layout with pages of 4 KiB has the same. */
enum { AT_DRIVER = 16 * VDRV_SIZE, AT_DEVICE = 0x1000, AT_TABLES = 0x2000, TABLE_LEN = 16 * 16 };

static void (*user_before)(struct rig *r);
static bool legacy_slot;

struct vdrv_dev vdrv_first[4];

static void make_slot(struct rig *r)
{
    struct err e = {0};
    struct dev *slot;

    if (user_before)
        user_before(r);
    machine_lock(r->m);
    slot = dev_add(r->m, "virtio-mmio", "slot", legacy_slot ? NULL : "force-legacy=off", &e);
    if (!slot) {
        printf("slot: %s\n", e.msg);
        exit(TEST_FAILED);
    }
    mem_add(machine_mem(r->m), VDRV_SLOT, &slot->mmio, 0);
    for (struct vdrv_dev *f = vdrv_first; f->type; f++) {
        if (!dev_add(r->m, f->type, f->type, f->props, &e)) {
            printf("%s: %s\n", f->type, e.msg);
            exit(TEST_FAILED);
        }
    }
    machine_unlock(r->m);
}

uint32_t vdrv_reg(struct vdrv *d, unsigned off)
{
    return (uint32_t)rig_load(d->r, VDRV_SLOT + off, 4);
}

void vdrv_set(struct vdrv *d, unsigned off, uint32_t v)
{
    rig_store(d->r, VDRV_SLOT + off, v, 4);
}

uint32_t vdrv_status(struct vdrv *d)
{
    return vdrv_reg(d, R_STATUS);
}

uint8_t vdrv_config8(struct vdrv *d, unsigned off)
{
    return (uint8_t)rig_load(d->r, VDRV_SLOT + R_CONFIG + off, 1);
}

uint16_t vdrv_config16(struct vdrv *d, unsigned off)
{
    return (uint16_t)rig_load(d->r, VDRV_SLOT + R_CONFIG + off, 2);
}

uint32_t vdrv_config32(struct vdrv *d, unsigned off)
{
    return (uint32_t)rig_load(d->r, VDRV_SLOT + R_CONFIG + off, 4);
}

uint64_t vdrv_config64(struct vdrv *d, unsigned off)
{
    return vdrv_config32(d, off) | (uint64_t)vdrv_config32(d, off + 4) << 32;
}

uint8_t *vdrv_mem(struct vdrv *d, paddr addr)
{
    return d->r->ram->host + (addr - RIG_RAM);
}

static paddr ring(unsigned queue)
{
    return VDRV_RINGS + (paddr)queue * VDRV_RING_LEN;
}

static bool packed(const struct vdrv *d)
{
    return d->features >> VIRTIO_F_RING_PACKED & 1;
}

static void set64(struct vdrv *d, unsigned off, uint64_t v)
{
    vdrv_set(d, off, (uint32_t)v);
    vdrv_set(d, off + 4, v >> 32);
}

static void start_queue(struct vdrv *d, unsigned i)
{
    vdrv_set(d, R_QUEUE_SEL, i);
    if (!vdrv_reg(d, R_QUEUE_NUM_MAX))
        return;
    d->q[i] = (struct vdrv_queue){.size = VDRV_SIZE, .wrap = true, .used_wrap = true};
    if (vdrv_reg(d, R_QUEUE_NUM_MAX) < VDRV_SIZE)
        d->q[i].size = (uint16_t)vdrv_reg(d, R_QUEUE_NUM_MAX);
    memset(vdrv_mem(d, ring(i)), 0, VDRV_RING_LEN);
    vdrv_set(d, R_QUEUE_NUM, d->q[i].size);
    if (d->flags & VDRV_LEGACY) {
        vdrv_set(d, R_QUEUE_ALIGN, 4096);
        vdrv_set(d, R_QUEUE_PFN, (uint32_t)(ring(i) / 4096));
        return;
    }
    set64(d, R_QUEUE_DESC, ring(i));
    set64(d, R_QUEUE_DRIVER, ring(i) + 16 * d->q[i].size);
    set64(d, R_QUEUE_DEVICE, ring(i) + AT_DEVICE);
    vdrv_set(d, R_QUEUE_READY, 1);
}

void vdrv_start(struct vdrv *d, uint64_t features)
{
    bool legacy = d->flags & VDRV_LEGACY;
    uint64_t offered;

    vdrv_set(d, R_STATUS, 0);
    vdrv_set(d, R_STATUS, VIRTIO_ACKNOWLEDGE);
    vdrv_set(d, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    vdrv_set(d, R_DEVICE_FEATURES_SEL, 0);
    offered = vdrv_reg(d, R_DEVICE_FEATURES);
    vdrv_set(d, R_DEVICE_FEATURES_SEL, 1);
    offered |= (uint64_t)vdrv_reg(d, R_DEVICE_FEATURES) << 32;
    if (!legacy)
        features |= VIRTIO_BIT(VIRTIO_F_VERSION_1);
    d->features = offered & features;
    for (unsigned i = 0; i < (legacy ? 1 : 2); i++) {
        vdrv_set(d, R_DRIVER_FEATURES_SEL, i);
        vdrv_set(d, R_DRIVER_FEATURES, (uint32_t)(d->features >> 32 * i));
    }
    if (legacy)
        vdrv_set(d, R_GUEST_PAGE_SIZE, 4096);
    else
        vdrv_set(d, R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    for (unsigned i = 0; i < VDRV_QUEUES; i++)
        start_queue(d, i);
    vdrv_set(d, R_STATUS,
             VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK |
                 (legacy ? 0 : VIRTIO_FEATURES_OK));
}

struct vdrv *vdrv_make(const char *type, const char *props, unsigned flags,
                       void (*before)(struct rig *r))
{
    struct vdrv *d = calloc(1, sizeof(*d));

    if (!d)
        exit(TEST_FAILED);
    user_before = before;
    legacy_slot = flags & VDRV_LEGACY;
    d->flags = flags;
    d->r = rig_with(type, props, make_slot);
    return d;
}

struct vdrv *vdrv_new(const char *type, const char *props, uint64_t features, unsigned flags,
                      void (*before)(struct rig *r))
{
    struct vdrv *d = vdrv_make(type, props, flags, before);

    vdrv_start(d, features);
    return d;
}

void vdrv_free(struct vdrv *d)
{
    rig_free(d->r);
    free(d);
}

static void put_desc(uint8_t *p, const struct vbuf *b, uint16_t third, uint16_t fourth)
{
    put_le64(p, b->addr);
    put_le32(p + 8, b->len);
    put_le16(p + 12, third);
    put_le16(p + 14, fourth);
}

/* The table of an indirect descriptor at its place in @slot; what points to it. */
static struct vbuf put_table(struct vdrv *d, unsigned queue, unsigned slot, const struct vbuf *b,
                             unsigned n)
{
    struct vbuf t = {ring(queue) + AT_TABLES + slot * TABLE_LEN, 16 * n, false};
    uint8_t *p = vdrv_mem(d, t.addr);

    for (unsigned i = 0; i < n; i++) {
        uint16_t flags = (uint16_t)((b[i].write ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0));

        if (packed(d))
            put_desc(p + 16 * i, &b[i], 0, flags & DESC_WRITE);
        else
            put_desc(p + 16 * i, &b[i], flags, (uint16_t)(i + 1));
    }
    return t;
}

static unsigned add_split(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n,
                          uint16_t more)
{
    struct vdrv_queue *q = &d->q[queue];
    uint8_t *desc = vdrv_mem(d, ring(queue)), *avail = desc + 16 * q->size;
    /* Tests have few chains at a time: descriptors are handed out round and round. */
    unsigned head = q->next % q->size;

    for (unsigned i = 0; i < n; i++)
        put_desc(desc + 16 * ((head + i) % q->size), &b[i],
                 (uint16_t)((b[i].write ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0) | more),
                 (uint16_t)((head + i + 1) % q->size));
    q->next += n;
    put_le16(avail + 4 + 2 * (q->avail % q->size), (uint16_t)head);
    q->avail++;
    __atomic_store_n((uint16_t *)(avail + 2), htole16(q->avail), __ATOMIC_SEQ_CST);
    return head;
}

static unsigned add_packed(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n,
                           uint16_t more)
{
    struct vdrv_queue *q = &d->q[queue];
    uint8_t *desc = vdrv_mem(d, ring(queue));
    uint16_t first = q->avail, first_flags = 0, id = first;

    q->chain[id] = (uint16_t)n;
    for (unsigned i = 0; i < n; i++) {
        uint16_t flags = (uint16_t)((b[i].write ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0) |
                                    more | (q->wrap ? DESC_AVAIL : DESC_USED));
        uint8_t *p = desc + 16 * q->avail;

        put_desc(p, &b[i], id, i ? flags : get_le16(p + 14));
        first_flags = i ? first_flags : flags;
        if (++q->avail == q->size) {
            q->avail = 0;
            q->wrap = !q->wrap;
        }
    }
    __atomic_store_n((uint16_t *)(desc + 16 * first + 14), htole16(first_flags), __ATOMIC_SEQ_CST);
    return id;
}

unsigned vdrv_add(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n)
{
    struct vdrv_queue *q = &d->q[queue];
    uint16_t more = 0;
    struct vbuf table;

    if (d->flags & VDRV_INDIRECT) {
        table = put_table(d, queue, packed(d) ? q->avail : (unsigned)(q->next % q->size), b, n);
        b = &table;
        n = 1;
        more = DESC_INDIRECT;
    }
    return packed(d) ? add_packed(d, queue, b, n, more) : add_split(d, queue, b, n, more);
}

void vdrv_kick(struct vdrv *d, unsigned queue)
{
    vdrv_set(d, R_QUEUE_NOTIFY, queue);
}

bool vdrv_ready(struct vdrv *d, unsigned queue)
{
    struct vdrv_queue *q = &d->q[queue];
    uint8_t *p = vdrv_mem(d, ring(queue));
    uint16_t v;

    if (!packed(d)) {
        v = le16toh(__atomic_load_n((uint16_t *)(p + AT_DEVICE + 2), __ATOMIC_SEQ_CST));
        return v != q->used;
    }
    v = le16toh(__atomic_load_n((uint16_t *)(p + 16 * q->used + 14), __ATOMIC_SEQ_CST));
    return !!(v & DESC_AVAIL) == q->used_wrap && !!(v & DESC_USED) == q->used_wrap;
}

int64_t vdrv_used(struct vdrv *d, unsigned queue, unsigned *id)
{
    struct vdrv_queue *q = &d->q[queue];
    uint8_t *p = vdrv_mem(d, ring(queue));
    uint8_t *entry;
    unsigned which;
    uint32_t len;

    for (unsigned i = 0; !vdrv_ready(d, queue); i++) {
        if (i == 600000)
            return -1;
        usleep(100);
    }
    if (packed(d)) {
        entry = p + 16 * q->used;
        which = get_le16(entry + 12);
        len = get_le32(entry + 8);
        q->used = (uint16_t)(q->used + (which < 64 ? q->chain[which] : 1));
        if (q->used >= q->size) {
            q->used = (uint16_t)(q->used - q->size);
            q->used_wrap = !q->used_wrap;
        }
    } else {
        entry = p + AT_DEVICE + 4 + 8 * (q->used % q->size);
        which = get_le32(entry);
        len = get_le32(entry + 4);
        q->used++;
    }
    if (id)
        *id = which;
    return len;
}

int64_t vdrv_do(struct vdrv *d, unsigned queue, const struct vbuf *b, unsigned n)
{
    vdrv_add(d, queue, b, n);
    vdrv_kick(d, queue);
    return vdrv_used(d, queue, NULL);
}
