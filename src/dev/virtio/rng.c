/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-rng: an entropy device.  Virtio 1.2, 5.4.  Random bytes come from the host (`-object rng-random` and
 * rng-builtin are back ends of kind "rng"), no more than max-bytes in each period.
 */
#include "dev/virtio/rng.h"
#include "dev/virtio/virtio.h"

#include <errno.h>
#include <sys/random.h>

enum { QUEUE_SIZE = 8, CHUNK = 4096, MAX_REQUEST = 64 << 10 };

struct rng {
    struct virtio v;
    struct rng_backend *backend; /* NULL: the host's getrandom */
    uint64_t budget;             /* bytes left in this period */
    struct timer timer;          /* the next period; armed while requests wait for it */

    char *backend_id;
    uint64_t max_bytes, period; /* ms */
};

static const struct field rng_props[] = {
    FIELD(rng, backend_id, F_STR, "rng", NULL, "ID of the source of randomness"),
    FIELD(rng, max_bytes, F_U64, "max-bytes", "9223372036854775807", "bytes in a period"),
    FIELD(rng, period, F_U64, "period", "65536", "milliseconds"), FIELD_END};

static const struct state rng_state[] = {STATE(rng, budget, S_U64, 1, "bytes"),
                                         STATE_TIMER(rng, timer, 1, NULL), STATE_END};

static int fill(struct rng *r, uint8_t *buf, size_t len)
{
    if (r->backend)
        return r->backend->read(r->backend, buf, len);
    while (len) {
        ssize_t k = getrandom(buf, len, 0);

        if (k < 0 && errno != EINTR)
            return -errno;
        k = k < 0 ? 0 : k;
        buf += k;
        len -= k;
    }
    return 0;
}

/* A request gets at most MAX_REQUEST bytes, 5.4.6.1: fewer than asked for is fine. */
static uint32_t answer(struct rng *r, const struct vq_elem *el)
{
    uint8_t buf[CHUNK];
    uint64_t want = min_u64(min_u64(el->wr_len, r->budget), MAX_REQUEST), done = 0;

    while (done < want) {
        size_t k = min_u64(want - done, sizeof(buf));

        if (fill(r, buf, k) < 0)
            break;
        done += iov_write(el->wr, el->n_wr, done, buf, k);
    }
    r->budget -= done;
    return done;
}

static void work(struct rng *r)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    struct vq *q = &r->v.vq[0];

    do {
        while (r->budget && vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0)
            vq_push(q, &el, answer(r, &el));
    } while (r->budget && vq_listen(q));
    if (!r->budget && !timer_armed(&r->timer))
        timer_at(&r->timer, clock_now(r->v.m, CLK_VIRT) + (int64_t)r->period * (NS_PER_S / 1000));
    vq_notify(q);
}

static void rng_kick(struct virtio *v, struct vq *q)
{
    work((struct rng *)v);
}

static void rng_period(void *opaque)
{
    struct rng *r = opaque;

    r->budget = r->max_bytes;
    work(r);
}

static void rng_reset(struct virtio *v)
{
    struct rng *r = (struct rng *)v;

    timer_cancel(&r->timer);
    r->budget = r->max_bytes;
}

static int rng_init(struct virtio *v, struct err *e)
{
    struct rng *r = (struct rng *)v;

    if (!r->max_bytes || r->max_bytes > INT64_MAX)
        return err_set(e, -EINVAL, "'max-bytes' parameter must be non-zero, and less than 2^63");
    if (!r->period || r->period > UINT32_MAX)
        return err_set(e, -EINVAL, "'period' parameter expects a positive integer");
    if (r->backend_id && !(r->backend = machine_backend(v->m, "rng", r->backend_id)))
        return err_set(e, -ENOENT, "Property 'rng' can't find value '%s'", r->backend_id);
    timer_init(&r->timer, v->m, CLK_VIRT, rng_period, r);
    virtio_add_queues(v, 1, QUEUE_SIZE);
    return 0;
}

static void rng_fini(struct virtio *v)
{
    timer_cancel(&((struct rng *)v)->timer);
}

static int rng_loaded(struct virtio *v, int version, struct err *e)
{
    struct rng *r = (struct rng *)v;

    if (r->budget > r->max_bytes)
        return err_set(e, -EILSEQ, "budget %" PRIu64 " of at most %" PRIu64 " bytes", r->budget,
                       r->max_bytes);
    return 0;
}

const struct virtio_type virtio_rng = {
    .name = "rng",
    .help = "entropy device",
    .class = DEV_MISC,
    .id = 4,
    .legacy_pci_id = 0x1005,
    .pci_class = 0x00ff00,
    .size = sizeof(struct rng),
    .props = rng_props,
    .state = rng_state,
    .init = rng_init,
    .fini = rng_fini,
    .reset = rng_reset,
    .kick = rng_kick,
    .loaded = rng_loaded,
};
