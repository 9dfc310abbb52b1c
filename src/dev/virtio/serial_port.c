/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtconsole and virtserialport: ports of a virtio-serial device.  Virtio 1.2, 5.3.6. */
#include "dev/backends.h"
#include "dev/devices.h"
#include "dev/virtio/serial_priv.h"

#include <errno.h>

static const struct field vport_props[] = {
    FIELD(vport, p_chardev, F_STR, "chardev", NULL, "ID of the character back end"),
    FIELD(vport, p_name, F_STR, "name", NULL, "name of the port in the guest"),
    FIELD(vport, p_nr, F_U64, "nr", "4294967295", "number; 4294967295: the next one"), FIELD_END};

static const struct state vport_state[] = {STATE(vport, guest_open, S_BOOL, 1, NULL),
                                           STATE(vport, sent, S_U64, 1, "bytes"), STATE_END};

/* From the host. */

/* The next buffer's size; nothing while nobody in the guest listens. */
static size_t chr_room(void *opaque)
{
    struct vport *p = opaque;
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    struct vq *q = vport_rx(p);

    if (!p->guest_open || !virtio_running(&p->s->v))
        return 0;
    if (vq_pop(q, &el, iov, VQ_MAX_SEGS) <= 0 &&
        (!vq_listen(q) || vq_pop(q, &el, iov, VQ_MAX_SEGS) <= 0)) {
        virtio_tell(&p->s->v);
        return 0;
    }
    vq_unpop(q, &el);
    return el.wr_len;
}

static void chr_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct vport *p = opaque;
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    struct vq *q = vport_rx(p);

    while (len && vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
        size_t k = iov_write(el.wr, el.n_wr, 0, buf, len);

        vq_push(q, &el, (uint32_t)k);
        buf += k;
        len -= k;
    }
    vq_notify(q);
}

static void chr_happened(void *opaque, enum chr_event e)
{
    struct vport *p = opaque;

    if (e != CHR_OPENED && e != CHR_CLOSED)
        return;
    p->host_open = e == CHR_OPENED;
    vserial_say(p->s, p->number, SAY_OPEN);
}

static const struct chr_front front = {chr_room, chr_data, chr_happened};

/* To the host. */

static void transmit(struct vport *p);

static void has_room(void *opaque)
{
    struct vport *p = opaque;

    p->full = false;
    if (virtio_running(&p->s->v))
        transmit(p);
}

/* What of the chain was not sent before; false: the back end is full. */
static bool send_rest(struct vport *p, const struct vq_elem *el)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < el->n_rd; at += el->rd[i++].iov_len) {
        const uint8_t *base = el->rd[i].iov_base;

        while (p->chr && p->sent < at + el->rd[i].iov_len) {
            size_t from = p->sent - at, k;

            k = chr_write(p->chr, p, base + from, el->rd[i].iov_len - from);
            p->sent += k;
            if (!k)
                return false;
        }
    }
    return true;
}

static void transmit(struct vport *p)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    struct vq *q = vport_tx(p);

    do {
        while (!p->full && vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
            if (send_rest(p, &el)) {
                vq_push(q, &el, 0);
                p->sent = 0;
                continue;
            }
            vq_unpop(q, &el);
            p->full = true;
            chr_on_room(p->chr, p, has_room);
        }
    } while (!p->full && vq_listen(q));
    vq_notify(q);
}

void vport_kick(struct vport *p, struct vq *q)
{
    if (q == vport_tx(p))
        transmit(p);
    else if (p->chr)
        chr_wake(p->chr, p);
}

void vport_put(struct vport *p, uint8_t c)
{
    if (p->chr)
        chr_write(p->chr, p, &c, 1);
}

void vport_opened(struct vport *p, bool open)
{
    p->guest_open = open;
    if (open && p->chr)
        chr_wake(p->chr, p);
}

void vport_reset(struct vport *p)
{
    p->guest_open = p->full = false;
    p->sent = 0;
}

/* The device. */

static int vport_init(struct dev *d, struct err *e)
{
    struct vport *p = (struct vport *)d;
    int r;

    p->console = vport_is_console(d->type);
    if ((r = dev_take_chr(d, p->p_chardev, &front, p, &p->chr, e)) < 0)
        return r;
    p->host_open = p->chr ? chr_connected(p->chr) : p->console;
    return 0;
}

static void vport_fini(struct dev *d)
{
    struct vport *p = (struct vport *)d;

    if (p->chr)
        chr_detach(p->chr, p);
}

static int vport_loaded(struct dev *d, int version, struct err *e)
{
    struct vport *p = (struct vport *)d;

    if (virtio_running(&p->s->v) && vport_tx(p)->enabled)
        transmit(p);
    return 0;
}

#define PORT                                                                                       \
    .class = DEV_INPUT, .bus = "virtio-serial-bus", .size = sizeof(struct vport),                  \
    .props = vport_props, .state = vport_state, .state_version = 1, .init = vport_init,            \
    .fini = vport_fini, .loaded = vport_loaded

const struct dev_type dev_virtconsole = {
    .name = "virtconsole", .help = "console on virtio-serial", PORT};
const struct dev_type dev_virtserialport = {
    .name = "virtserialport", .help = "byte channel on virtio-serial", PORT};

bool vport_is_console(const struct dev_type *t)
{
    return t == &dev_virtconsole;
}
