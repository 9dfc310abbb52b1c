/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two layouts of a queue, and what they share in walking a chain.  Virtio 1.2, 2.7 and 2.8. */
#ifndef DEV_VIRTIO_VQ_PRIV_H
#define DEV_VIRTIO_VQ_PRIV_H

#include "dev/virtio/virtio.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
enum { DESC_BYTES = 16 };

/** struct desc - a descriptor, read once.  @word: next (split) or id (packed). */
struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next, id;
};

/** struct chain - one that is being walked. */
struct chain {
    struct vq *q;
    struct vq_elem *el;
    struct iovec *iov;
    unsigned max, n;
    unsigned descs; /* walked */
};

/* struct layout - what differs; the functions of virtio.h that they are named after say what they do. */
struct vq_layout {
    int (*pop)(struct vq *q, struct chain *c);
    void (*unpop)(struct vq *q, const struct vq_elem *el);
    void (*push)(struct vq *q, const struct vq_elem *el, uint32_t written);
    void (*publish)(struct vq *q);
    bool (*wants_interrupt)(struct vq *q, uint16_t old);
    bool (*empty)(struct vq *q);
    void (*kicks)(struct vq *q, bool on);
    void (*areas)(const struct vq *q, uint64_t len[3]);
};
extern const struct vq_layout vq_split, vq_packed;

/** chain_add - a descriptor's memory; 0, -ENOBUFS, or -EPROTO: the device is broken. */
int chain_add(struct chain *c, uint64_t addr, uint32_t len, bool write);
/** chain_indirect - all of the table that @d points to. */
int chain_indirect(struct chain *c, const struct desc *d, bool packed);
/** chain_count - one descriptor more: -EPROTO when they are too many. */
int chain_count(struct chain *c, unsigned limit);

static inline bool vq_passed(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old); /* 2.7.10.1 */
}

#endif
