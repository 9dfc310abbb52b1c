/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all virtio devices share: feature negotiation, status, queues.  "Virtual I/O Device (VIRTIO) Version 1.2", OASIS.
 *
 * A device model is one file with a struct virtio_type and one row VIRTIO(name) in models.def.  The transports
 * wrap it (types.c): virtio-NAME-device on a virtio-mmio slot, virtio-NAME-pci and its kin on PCI.  A device in
 * memory is the transport's part, whose first member is struct dev, followed by the model's, whose first is
 * struct virtio.
 *
 * Threads.  Registers, status and kick() are under the machine's lock.  A queue's vq_* functions are called by one
 * thread at a time: by who has the machine's lock, or, in devices with workers, by who has the device's own lock for
 * the queue.  virtio_interrupt and virtio_tell take the machine's lock and are called without such a lock.
 *
 * Rings are hostile.  Every index is read once, checked, then used; a chain has at most VQ_MAX_SEGS pieces; a ring
 * that contradicts itself breaks the device: one line is logged, NEEDS_RESET is set, nothing is done until reset.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "base/bytes.h"
#include "base/trace.h"
#include "bus/machine.h"

#include <sys/uio.h>

struct virtio;
struct vq;

/* Device status, 2.1. */
enum {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128
};

/* Feature bits that are no device's own, 6. */
enum {
    VIRTIO_F_NOTIFY_ON_EMPTY = 24,
    VIRTIO_F_ANY_LAYOUT = 27,
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
    VIRTIO_F_ACCESS_PLATFORM = 33,
    VIRTIO_F_RING_PACKED = 34,
    VIRTIO_F_IN_ORDER = 35,
    VIRTIO_F_ORDER_PLATFORM = 36,
    VIRTIO_F_RING_RESET = 40
};
#define VIRTIO_BIT(f) (UINT64_C(1) << (f))

/* ISR status bits. */
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };
enum { VIRTIO_NO_VECTOR = 0xffff };

enum {
    VQ_MAX_SIZE = 1024,     /* entries of a ring that we offer */
    VQ_MAX_SEGS = 1024 + 8, /* pieces of memory that a chain may come to */
    VQ_MAX_DESCS = 1024,    /* descriptors of a chain, indirect ones included */
    VIRTIO_MAX_QUEUES = 1024,
    VIRTIO_MAX_CONFIG = 256
};

/** struct virtio_type - a model.  Constant. */
struct virtio_type {
    const char *name; /* "blk": virtio-blk-device, virtio-blk-pci */
    const char *help; /* one line, no full stop */
    enum dev_class class;
    uint16_t id;            /* device ID, section 5 */
    uint16_t legacy_pci_id; /* 0x1000 and on, 4.1.2.1; 0: there was no device before 1.0 */
    uint32_t pci_class;     /* 24 bits */
    unsigned pci_vectors;   /* MSI-X vectors by default; 0: one for each queue and one more */
    size_t size;            /* of the structure whose first member is struct virtio */
    const struct field *props;
    const struct state *state; /* the model's own; the queues are the core's */
    int state_version;
    /** init - properties are set.  Adds queues, sets host_features and config_len.  Undoes its work when it fails. */
    int (*init)(struct virtio *v, struct err *e);
    void (*fini)(struct virtio *v);
    /** reset - the driver or the machine resets: requests in flight end or are forgotten when it returns. */
    void (*reset)(struct virtio *v);
    /** kick - there is something in @q. */
    void (*kick)(struct virtio *v, struct vq *q);
    /** status - after a write of the status register that was no reset: see v->status; @old was before. */
    void (*status)(struct virtio *v, uint8_t old);
    /** config - fill v->config_len bytes, in the guest's order.  config_written - the driver wrote [off, off+len) of @cfg. */
    void (*config)(struct virtio *v, uint8_t *cfg);
    void (*config_written)(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg);
    /** queue_reset - @q alone is about to be reset (RING_RESET): as reset, for one queue. */
    void (*queue_reset)(struct virtio *v, struct vq *q);
    /** saving - everything in flight is done, or is kept in the state, when it returns, and nothing begins until saved.
     * loaded - check, go on. */
    void (*saving)(struct virtio *v);
    void (*saved)(struct virtio *v);
    int (*loaded)(struct virtio *v, int version, struct err *e);
};

/** struct virtio_transport - what the core asks of a transport; under the machine's lock. */
struct virtio_transport {
    void (*queue)(struct virtio *v, struct vq *q); /* v->isr is set: raise the queue's interrupt */
    void (*config)(struct virtio *v);
};

/** struct vq - a queue. */
struct vq {
    struct virtio *v;
    uint16_t index;

    /* Registers; under the machine's lock. */
    uint16_t size, size_max; /* entries; size 0: not set up */
    uint16_t vector;
    bool enabled;
    uint64_t desc, driver,
        device; /* addresses: descriptors, avail or driver event, used or device event */

    /* Where we are.  Split: free-running; packed: positions below size and the wrap counters, 2.8.1. */
    uint16_t next_avail, next_used;
    uint16_t seen_avail; /* split: the avail index as last read */
    uint16_t signalled;  /* next_used when the driver was last told, or might have been */
    bool signalled_ok;
    bool avail_wrap, used_wrap;
    bool quiet; /* the driver has been asked not to kick */

    /* Since the last vq_flush. */
    bool mapped;
    uint8_t *h_desc, *h_driver, *h_device; /* host memory of the three areas */
    uint16_t pushed;                       /* entries written, not yet published */
    uint16_t first_pos, first_flags;       /* packed: the entry whose flags are written last */

    void *opaque; /* the device's */
};

struct virtio {
    struct dev *dev; /* the device as the machine knows it */
    struct machine *m;
    const struct virtio_type *type;
    const struct virtio_transport *tr;
    struct space *space; /* that descriptors are addresses of */

    /* Registers; under the machine's lock. */
    uint64_t host_features, guest_features;
    uint8_t status;   /* [atomic; written under the machine's lock] */
    uint8_t isr; /* [atomic] */
    uint32_t generation;
    uint16_t config_vector;
    unsigned config_len;

    struct vq *vq; /* VIRTIO_MAX_QUEUES at most; owned */
    uint32_t n_queues;
    bool broken;      /* [atomic] until reset */
    bool no_dma;      /* [atomic] its transport lets it not reach memory now; drivers from before 1.0 need not know */
    bool broken_told; /* the guest and the log know */
    char why[96];

    /* Properties that all have. */
    bool p_indirect, p_event_idx, p_notify_on_empty, p_any_layout, p_platform, p_packed,
        p_queue_reset;
};

extern const struct field virtio_props[]; /* of struct virtio */
extern const struct state virtio_state[];

static inline bool virtio_has(const struct virtio *v, int feature)
{
    return v->guest_features >> feature & 1;
}
static inline bool virtio_offers(const struct virtio *v, int feature)
{
    return v->host_features >> feature & 1;
}

/* The life of a device, for transports.  virtio_init: after it host_features is complete but for VERSION_1,
 * which the transport adds or not. */
int virtio_init(struct virtio *v, struct dev *dev, const struct virtio_type *t,
                const struct virtio_transport *tr, struct space *s, struct err *e);
void virtio_fini(struct virtio *v);
void virtio_reset(struct virtio *v);
void virtio_saving(struct virtio *v);
void virtio_saved(struct virtio *v);
int virtio_loaded(struct virtio *v, int version, struct err *e);

/* Registers, for transports; values are unchecked, from the guest. */
void virtio_set_status(struct virtio *v, uint8_t status);
/** virtio_set_features - 32 bits of the driver's choice: @high or low word; ignored once FEATURES_OK is set. */
void virtio_set_features(struct virtio *v, bool high, uint32_t word);
/** virtio_queue - the queue @n, or NULL. */
struct vq *virtio_queue(struct virtio *v, uint32_t n);
/** virtio_set_size - entries; 0, too many, or (split) no power of two is refused: the queue stays as it was. */
void virtio_set_size(struct vq *q, uint32_t size);
void virtio_enable(struct vq *q, bool on);
/** virtio_legacy_layout - the three areas one after another from @addr on, the last aligned to @align; 0: off. */
void virtio_legacy_layout(struct vq *q, uint64_t addr, uint32_t align);
void virtio_reset_queue(struct vq *q);
void virtio_kick(struct virtio *v, uint32_t n);
/** virtio_config_read, virtio_config_write - @len 1, 2, 4 or 8; beyond the end reads are 0 and writes dropped. */
uint64_t virtio_config_read(struct virtio *v, uint64_t off, unsigned len);
void virtio_config_write(struct virtio *v, uint64_t off, uint64_t value, unsigned len);

/* For models. */
/** virtio_add_queues - @n more, of @size entries.  Pointers to queues are good until the next call. */
void virtio_add_queues(struct virtio *v, unsigned n, unsigned size);
/** virtio_config_changed - the driver is told.  Any thread. */
void virtio_config_changed(struct virtio *v);
/** virtio_break - the driver contradicts itself: see above.  virtio_tell - the guest and the log are told of it. */
void virtio_break(struct virtio *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void virtio_tell(struct virtio *v);
/** virtio_running - may queues be looked at? */
bool virtio_running(const struct virtio *v);

/** struct vq_elem - a chain that the device has: where it may read (first) and write (after). */
struct vq_elem {
    uint16_t id;      /* as the used ring wants it */
    uint16_t n_descs; /* packed: places in the ring */
    uint16_t pos;     /* packed: where it began; split: its entry of the avail ring */
    uint16_t n_rd, n_wr;
    struct iovec *rd, *wr; /* in the array given to vq_pop, one after the other */
    uint64_t rd_len, wr_len;
    uint64_t
        *addr; /* set before vq_pop: where guest addresses of the pieces go, too; NULL: nowhere */
};

/**
 * vq_pop - take the next chain.
 * @iov: room for @max pieces (VQ_MAX_SEGS is always enough); keeps the chain's memory until vq_push
 *
 * 1: taken.  0: there is none, or the device is broken or not running.  -ENOBUFS: more pieces than @max; the chain
 * stays in the ring.
 */
int vq_pop(struct vq *q, struct vq_elem *el, struct iovec *iov, unsigned max);
/** vq_restore - after loading: a chain that was in flight when the state was saved; id, pos, n_descs, n_rd, n_wr and
 * addr are as vq_pop left them, iov has the lengths.  -EILSEQ when that is not guest memory. */
int vq_restore(struct vq *q, struct vq_elem *el, struct iovec *iov, struct err *e);
/** vq_unpop - put the chain that was popped last back: it comes again. */
void vq_unpop(struct vq *q, const struct vq_elem *el);
/** vq_push - give a chain back, in any order, @written bytes of its wr.  The driver sees it at vq_flush. */
void vq_push(struct vq *q, const struct vq_elem *el, uint32_t written);
/** vq_flush - publish; true when the driver wants an interrupt: virtio_interrupt, without the queue's lock. */
bool vq_flush(struct vq *q);
void virtio_interrupt(struct vq *q);
/** vq_notify - vq_flush and virtio_interrupt, for devices that work under the machine's lock. */
void vq_notify(struct vq *q);
/** vq_empty - is nothing there to pop?  vq_quiet - ask the driver not to kick. */
bool vq_empty(struct vq *q);
void vq_quiet(struct vq *q);
/** vq_listen - ask the driver to kick; true when something is there already: pop again. */
bool vq_listen(struct vq *q);

/** iov_from, iov_to - copy between memory and pieces from @off on; return bytes copied. */
size_t iov_read(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len);
size_t iov_write(const struct iovec *iov, unsigned n, size_t off, const void *buf, size_t len);
/** iov_fill - with byte @c. */
size_t iov_fill(const struct iovec *iov, unsigned n, size_t off, int c, size_t len);
/** vq_iov_slice - the pieces of [off, off+len) in @out (room for @n); returns how many. */
unsigned vq_iov_slice(const struct iovec *iov, unsigned n, size_t off, size_t len,
                      struct iovec *out);

#endif
