/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers that all virtio devices have, whatever shows them.  Virtio 1.2, 2.1 to 2.6 and 6. */
#include "dev/virtio/virtio.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct field virtio_props[] = {
    FIELD(virtio, p_indirect, F_BOOL, "indirect_desc", "on", "offer indirect descriptors"),
    FIELD(virtio, p_event_idx, F_BOOL, "event_idx", "on", "offer event indices"),
    FIELD(virtio, p_notify_on_empty, F_BOOL, "notify_on_empty", "on",
          "offer interrupts when a queue runs empty"),
    FIELD(virtio, p_any_layout, F_BOOL, "any_layout", "on", "offer free layout of buffers"),
    FIELD(virtio, p_platform, F_BOOL, "iommu_platform", "off",
          "offer addresses as the platform translates them"),
    FIELD(virtio, p_packed, F_BOOL, "packed", "off", "offer packed queues"),
    FIELD(virtio, p_queue_reset, F_BOOL, "queue_reset", "on", "offer reset of single queues"),
    FIELD_END};

static const struct state vq_state[] = {STATE(vq, size, S_U16, 1, "entries"),
                                        STATE(vq, vector, S_U16, 1, NULL),
                                        STATE(vq, enabled, S_BOOL, 1, NULL),
                                        STATE(vq, desc, S_U64, 1, "address"),
                                        STATE(vq, driver, S_U64, 1, "address"),
                                        STATE(vq, device, S_U64, 1, "address"),
                                        STATE(vq, next_avail, S_U16, 1, NULL),
                                        STATE(vq, next_used, S_U16, 1, NULL),
                                        STATE(vq, seen_avail, S_U16, 1, NULL),
                                        STATE(vq, signalled, S_U16, 1, NULL),
                                        STATE(vq, signalled_ok, S_BOOL, 1, NULL),
                                        STATE(vq, avail_wrap, S_BOOL, 1, NULL),
                                        STATE(vq, used_wrap, S_BOOL, 1, NULL),
                                        STATE_END};

const struct state virtio_state[] = {
    STATE(virtio, guest_features, S_U64, 1, NULL),
    STATE(virtio, status, S_U8, 1, NULL),
    STATE(virtio, isr, S_U8, 1, NULL),
    STATE(virtio, generation, S_U32, 1, NULL),
    STATE(virtio, config_vector, S_U16, 1, NULL),
    STATE(virtio, broken, S_BOOL, 1, NULL),
    STATE_STRUCTS_PTR(virtio, vq, n_queues, VIRTIO_MAX_QUEUES, vq_state, 1, NULL),
    STATE_END};

static void queue_clear(struct vq *q)
{
    q->size = q->size_max;
    q->vector = VIRTIO_NO_VECTOR;
    q->enabled = false;
    q->desc = q->driver = q->device = 0;
    q->next_avail = q->next_used = q->seen_avail = q->signalled = 0;
    q->signalled_ok = q->quiet = q->mapped = false;
    q->avail_wrap = q->used_wrap = true;
    q->pushed = 0;
}

void virtio_add_queues(struct virtio *v, unsigned n, unsigned size)
{
    if (v->n_queues + n > VIRTIO_MAX_QUEUES || size > VQ_MAX_SIZE)
        bug("%u queues of %u", v->n_queues + n, size);
    v->vq = realloc(v->vq, (v->n_queues + n) * sizeof(*v->vq));
    if (!v->vq)
        fatal("out of memory");
    for (; n; n--) {
        struct vq *q = &v->vq[v->n_queues];

        *q = (struct vq){.v = v, .index = v->n_queues++, .size_max = size};
        queue_clear(q);
    }
}

/* Features of the ring, which the core gives to every device. */
static uint64_t ring_features(const struct virtio *v)
{
    return (v->p_indirect ? VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) : 0) |
           (v->p_event_idx ? VIRTIO_BIT(VIRTIO_F_EVENT_IDX) : 0) |
           (v->p_notify_on_empty ? VIRTIO_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) : 0) |
           (v->p_any_layout ? VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT) : 0) |
           (v->p_platform ? VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) : 0) |
           (v->p_packed ? VIRTIO_BIT(VIRTIO_F_RING_PACKED) : 0) |
           (v->p_queue_reset ? VIRTIO_BIT(VIRTIO_F_RING_RESET) : 0);
}

int virtio_init(struct virtio *v, struct dev *dev, const struct virtio_type *t,
                const struct virtio_transport *tr, struct space *s, struct err *e)
{
    int r;

    v->dev = dev;
    v->m = dev->m;
    v->type = t;
    v->tr = tr;
    v->space = s;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->host_features = ring_features(v);
    if ((r = t->init(v, e)) < 0) {
        free(v->vq);
        v->vq = NULL;
        return r;
    }
    if (v->config_len > VIRTIO_MAX_CONFIG)
        bug("%s: %u bytes of configuration", t->name, v->config_len);
    return 0;
}

void virtio_fini(struct virtio *v)
{
    if (v->type->fini)
        v->type->fini(v);
    free(v->vq);
    v->vq = NULL;
    v->n_queues = 0;
}

void virtio_reset(struct virtio *v)
{
    __atomic_store_n(&v->status, 0, __ATOMIC_RELAXED); /* workers look whether they may go on */
    if (v->type->reset)
        v->type->reset(v);
    v->guest_features = 0;
    __atomic_store_n(&v->isr, 0, __ATOMIC_RELAXED);
    v->config_vector = VIRTIO_NO_VECTOR;
    __atomic_store_n(&v->broken, false, __ATOMIC_RELAXED);
    v->broken_told = false;
    for (unsigned i = 0; i < v->n_queues; i++)
        queue_clear(&v->vq[i]);
}

void virtio_saving(struct virtio *v)
{
    if (v->type->saving)
        v->type->saving(v);
}

void virtio_saved(struct virtio *v)
{
    if (v->type->saved)
        v->type->saved(v);
}

/* Positions index host memory: the stream's must be possible ones. */
static int check_queue(const struct virtio *v, struct vq *q, struct err *e)
{
    bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);

    if (q->size > q->size_max || (!packed && q->size && !is_pow2(q->size)))
        return err_set(e, -EILSEQ, "queue %u of %u entries, at most %u", q->index, q->size,
                       q->size_max);
    if (packed && q->size && (q->next_avail >= q->size || q->next_used >= q->size))
        return err_set(e, -EILSEQ, "queue %u: position %u of %u", q->index,
                       q->next_avail > q->next_used ? q->next_avail : q->next_used, q->size);
    q->mapped = q->quiet = false; /* who wants quiet asks again */
    q->pushed = 0;
    return 0;
}

int virtio_loaded(struct virtio *v, int version, struct err *e)
{
    uint64_t strange = v->guest_features & ~v->host_features;
    int r;

    if (strange)
        return err_set(e, -EILSEQ, "features %#" PRIx64 " are not offered here", strange);
    for (unsigned i = 0; i < v->n_queues; i++)
        if ((r = check_queue(v, &v->vq[i], e)) < 0)
            return r;
    v->broken_told = v->broken;
    return v->type->loaded ? v->type->loaded(v, version, e) : 0;
}

bool virtio_running(const struct virtio *v)
{
    bool legacy = !virtio_has(v, VIRTIO_F_VERSION_1);
    uint8_t status = __atomic_load_n(&v->status, __ATOMIC_RELAXED);

    if (!legacy && __atomic_load_n(&v->no_dma, __ATOMIC_RELAXED))
        return false;
    /* Drivers from before 1.0 may use queues before they say DRIVER_OK. */
    return !__atomic_load_n(&v->broken, __ATOMIC_RELAXED) &&
           (status & VIRTIO_DRIVER_OK || (legacy && status & VIRTIO_DRIVER));
}

void virtio_set_status(struct virtio *v, uint8_t status)
{
    uint8_t old = v->status;

    if (status == 0) {
        virtio_reset(v);
        return;
    }
    /* 2.2.2, 6: what was not offered cannot be accepted; FEATURES_OK does not stick then. */
    if (status & ~old & VIRTIO_FEATURES_OK && v->guest_features & ~v->host_features)
        status &= ~VIRTIO_FEATURES_OK;
    __atomic_store_n(&v->status, status | (old & VIRTIO_NEEDS_RESET), __ATOMIC_RELAXED);
    if (v->type->status)
        v->type->status(v, old);
}

void virtio_set_features(struct virtio *v, bool high, uint32_t word)
{
    uint64_t f = high ? (uint64_t)word << 32 | (uint32_t)v->guest_features
                      : (v->guest_features & ~UINT64_C(0xffffffff)) | word;

    if (v->status & VIRTIO_FEATURES_OK) {
        guest_error(v->dev, "features chosen after FEATURES_OK");
        return;
    }
    /* A driver from before 1.0 has no FEATURES_OK to fail: it gets what there is. */
    if (f & ~v->host_features && f >> VIRTIO_F_VERSION_1 & 1 &&
        virtio_offers(v, VIRTIO_F_VERSION_1)) {
        v->guest_features = f;
        return;
    }
    v->guest_features = f & v->host_features;
}

struct vq *virtio_queue(struct virtio *v, uint32_t n)
{
    return n < v->n_queues && v->vq[n].size_max ? &v->vq[n] : NULL;
}

void virtio_set_size(struct vq *q, uint32_t size)
{
    bool packed = virtio_has(q->v, VIRTIO_F_RING_PACKED);

    if (!size || size > q->size_max || (!packed && !is_pow2(size)))
        guest_error(q->v->dev, "queue %u of %u entries, at most %u", q->index, size, q->size_max);
    else if (q->enabled)
        guest_error(q->v->dev, "queue %u is in use: its size stays %u", q->index, q->size);
    else
        q->size = size;
}

void virtio_enable(struct vq *q, bool on)
{
    q->enabled = on;
    q->mapped = false;
}

void virtio_legacy_layout(struct vq *q, uint64_t addr, uint32_t align)
{
    if (!is_pow2(align) || align < 4) {
        guest_error(q->v->dev, "queue %u: alignment %u", q->index, align);
        align = 4096;
    }
    q->desc = addr;
    q->driver = addr + 16 * (uint64_t)q->size;
    q->device = round_up(q->driver + 6 + 2 * (uint64_t)q->size, align);
    virtio_enable(q, addr != 0);
}

void virtio_reset_queue(struct vq *q)
{
    if (q->v->type->queue_reset)
        q->v->type->queue_reset(q->v, q);
    queue_clear(q);
}

void virtio_kick(struct virtio *v, uint32_t n)
{
    struct vq *q = virtio_queue(v, n);

    if (!q)
        guest_error(v->dev, "kick of queue %u of %u", n, v->n_queues);
    else if (q->enabled && virtio_running(v) && v->type->kick)
        v->type->kick(v, q);
    virtio_tell(v);
}

uint64_t virtio_config_read(struct virtio *v, uint64_t off, unsigned len)
{
    uint8_t cfg[VIRTIO_MAX_CONFIG + 8] = {0};

    if (off >= v->config_len)
        return len == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * len) - 1;
    v->type->config(v, cfg);
    memset(cfg + v->config_len, 0, sizeof(cfg) - v->config_len);
    return len == 1   ? cfg[off]
           : len == 2 ? get_le16(cfg + off)
           : len == 4 ? get_le32(cfg + off)
                      : get_le64(cfg + off);
}

void virtio_config_write(struct virtio *v, uint64_t off, uint64_t value, unsigned len)
{
    uint8_t cfg[VIRTIO_MAX_CONFIG + 8] = {0}, raw[8];

    if (off >= v->config_len || off + len > v->config_len) {
        guest_error(v->dev, "write to configuration at %" PRIu64 ", %u bytes of %u", off, len,
                    v->config_len);
        return;
    }
    v->type->config(v, cfg);
    put_le64(raw, value);
    memcpy(cfg + off, raw, len);
    if (v->type->config_written)
        v->type->config_written(v, off, len, cfg);
}

void virtio_interrupt(struct vq *q)
{
    struct virtio *v = q->v;

    machine_lock(v->m);
    __atomic_fetch_or(&v->isr, VIRTIO_ISR_QUEUE, __ATOMIC_SEQ_CST);
    v->tr->queue(v, q);
    machine_unlock(v->m);
}

void virtio_config_changed(struct virtio *v)
{
    machine_lock(v->m);
    v->generation++;
    if (v->status & VIRTIO_DRIVER_OK) {
        __atomic_fetch_or(&v->isr, VIRTIO_ISR_CONFIG, __ATOMIC_SEQ_CST);
        v->tr->config(v);
    }
    machine_unlock(v->m);
}

void virtio_break(struct virtio *v, const char *fmt, ...)
{
    va_list ap;

    if (__atomic_exchange_n(&v->broken, true, __ATOMIC_SEQ_CST))
        return;
    va_start(ap, fmt);
    vsnprintf(v->why, sizeof(v->why), fmt, ap);
    va_end(ap);
}

void virtio_tell(struct virtio *v)
{
    if (__builtin_expect(!__atomic_load_n(&v->broken, __ATOMIC_SEQ_CST), 1))
        return;
    machine_lock(v->m);
    if (!v->broken_told) {
        v->broken_told = true;
        guest_error(v->dev, "%s", v->why);
        if (virtio_has(v, VIRTIO_F_VERSION_1)) {
            v->status |= VIRTIO_NEEDS_RESET;
            virtio_config_changed(v);
        }
    }
    machine_unlock(v->m);
}
