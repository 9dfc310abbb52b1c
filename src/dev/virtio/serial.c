/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial: a bus of consoles and byte channels between programs of the guest and of the host.  Virtio 1.2, 5.3.
 *
 * Queues: 0 and 1 are port 0's, 2 and 3 carry control messages, 2n + 2 and 2n + 3 are port n's.
 */
#include "dev/virtio/serial_priv.h"
#include "dev/virtio/wrap.h"

#include <errno.h>
#include <stdio.h>

enum { C_COLS = 0, C_ROWS = 2, C_MAX_PORTS = 4, C_EMERG_WRITE = 8, CONFIG_LEN = 12 };
enum { Q_CTRL_TO_GUEST = 2, Q_CTRL_FROM_GUEST = 3 };
enum { QUEUE_SIZE = 128, MESSAGE = 8, NAME_MAX_LEN = 512 };
enum {
    DEVICE_READY,
    DEVICE_ADD,
    DEVICE_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};

static const struct field vserial_props[] = {
    FIELD(vserial, max_ports, F_U64, "max_ports", "31", "ports, 1 to 31"),
    FIELD(vserial, emergency_write, F_BOOL, "emergency-write", "on",
          "a register for characters of a kernel that cannot do better"),
    FIELD_END};

static const struct state vserial_state[] = {STATE(vserial, ready, S_BOOL, 1, NULL),
                                             STATE(vserial, say, S_U8, 1, "messages that wait"),
                                             STATE_END};

static struct vserial *of(struct virtio *v)
{
    return (struct vserial *)v;
}

/* One message into the guest's next buffer; false: there is none. */
static bool send(struct vserial *s, uint32_t port, uint16_t event, uint16_t value, const char *text)
{
    struct vq *q = &s->v.vq[Q_CTRL_TO_GUEST];
    struct iovec iov[VQ_MAX_SEGS];
    uint8_t m[MESSAGE + NAME_MAX_LEN];
    size_t len = text ? strnlen(text, NAME_MAX_LEN) : 0;
    struct vq_elem el = {0};

    if (vq_pop(q, &el, iov, VQ_MAX_SEGS) <= 0)
        return false;
    put_le32(m, port);
    put_le16(m + 4, event);
    put_le16(m + 6, value);
    if (text)
        memcpy(m + MESSAGE, text, len);
    vq_push(q, &el, (uint32_t)iov_write(el.wr, el.n_wr, 0, m, MESSAGE + len));
    return true;
}

/* The next of the messages of @port that wait; false: no buffer. */
static bool say_one(struct vserial *s, uint32_t port)
{
    struct vport *p = s->port[port];
    uint8_t bit = s->say[port] & -s->say[port];
    bool ok = true;

    switch (bit) {
    case SAY_REMOVE: ok = send(s, port, DEVICE_REMOVE, 1, NULL); break;
    case SAY_ADD: ok = !p || send(s, port, DEVICE_ADD, 1, NULL); break;
    case SAY_CONSOLE: ok = !p || send(s, port, CONSOLE_PORT, 1, NULL); break;
    case SAY_NAME: ok = !p || !p->p_name || send(s, port, PORT_NAME, 1, p->p_name); break;
    case SAY_OPEN: ok = !p || send(s, port, PORT_OPEN, p->host_open, NULL); break;
    }
    if (ok)
        s->say[port] &= (uint8_t)~bit;
    return ok;
}

static void say_waiting(struct vserial *s)
{
    bool room = true;

    if (!s->ready || !virtio_running(&s->v))
        return;
    for (uint32_t i = 0; i < VSERIAL_PORTS; i++)
        while (room && s->say[i])
            room = say_one(s, i);
    vq_notify(&s->v.vq[Q_CTRL_TO_GUEST]);
}

void vserial_say(struct vserial *s, uint32_t port, uint8_t what)
{
    if (!virtio_has(&s->v, F_MULTIPORT))
        return;
    s->say[port] |= what;
    say_waiting(s);
}

static void heard(struct vserial *s, uint32_t id, uint16_t event, uint16_t value)
{
    struct vport *p = id < VSERIAL_PORTS ? s->port[id] : NULL;

    if (event == DEVICE_READY) {
        s->ready = value == 1;
        for (uint32_t i = 0; value && i < VSERIAL_PORTS; i++)
            s->say[i] = s->port[i] ? SAY_ADD : 0;
    } else if (!p) {
        guest_error(s->v.dev, "control message %u for port %u", event, id);
    } else if (event == PORT_READY && value) {
        s->say[id] |= (p->console ? SAY_CONSOLE : 0) | SAY_NAME | (p->host_open ? SAY_OPEN : 0);
    } else if (event == PORT_OPEN) {
        vport_opened(p, value);
    }
}

static void control(struct vserial *s, struct vq *q)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    uint8_t m[MESSAGE];

    do {
        while (vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
            if (iov_read(el.rd, el.n_rd, 0, m, sizeof(m)) == sizeof(m))
                heard(s, get_le32(m), get_le16(m + 4), get_le16(m + 6));
            vq_push(q, &el, 0);
        }
    } while (vq_listen(q));
    vq_notify(q);
    say_waiting(s);
}

static void vserial_kick(struct virtio *v, struct vq *q)
{
    struct vserial *s = of(v);
    unsigned n = q->index < 2 ? 0 : q->index / 2 - 1;

    if (q->index == Q_CTRL_FROM_GUEST)
        control(s, q);
    else if (q->index == Q_CTRL_TO_GUEST)
        say_waiting(s);
    else if (s->port[n])
        vport_kick(s->port[n], q);
}

static void vserial_status(struct virtio *v, uint8_t old)
{
    struct vserial *s = of(v);

    /* Without control messages there is one port, which is open while the driver is there. */
    if (v->status & ~old & VIRTIO_DRIVER_OK && !virtio_has(v, F_MULTIPORT) && s->port[0])
        vport_opened(s->port[0], true);
}

static void vserial_reset(struct virtio *v)
{
    struct vserial *s = of(v);

    s->ready = false;
    memset(s->say, 0, sizeof(s->say));
    for (unsigned i = 0; i < VSERIAL_PORTS; i++)
        if (s->port[i])
            vport_reset(s->port[i]);
}

static void vserial_config(struct virtio *v, uint8_t *c)
{
    put_le32(c + C_MAX_PORTS, (uint32_t)of(v)->max_ports);
}

static void vserial_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    struct vserial *s = of(v);

    if (off <= C_EMERG_WRITE && off + len > C_EMERG_WRITE && s->emergency_write)
        for (unsigned i = 0; i < VSERIAL_PORTS; i++)
            if (s->port[i] && s->port[i]->console) {
                vport_put(s->port[i], cfg[C_EMERG_WRITE]);
                break;
            }
}

/* The bus. */

static struct vserial *of_bus(const struct bus *b)
{
    return of(virtio_of(b->owner));
}

/* Port 0 is for a console: others begin at 1. */
static int bus_plug(struct bus *b, struct dev *d, struct err *e)
{
    struct vserial *s = of_bus(b);
    struct vport *p = (struct vport *)d;
    uint64_t nr = p->p_nr;

    if (nr == UINT32_MAX)
        for (nr = vport_is_console(d->type) ? 0 : 1; nr < s->max_ports && s->port[nr];)
            nr++;
    if (nr >= s->max_ports && p->p_nr == UINT32_MAX)
        return err_set(e, -EBUSY, "virtio-serial-bus: Maximum port limit for this device reached");
    if (nr >= s->max_ports)
        return err_set(e, -ERANGE,
                       "virtio-serial-bus: Out-of-range port id specified, max. allowed: %" PRIu64,
                       s->max_ports - 1);
    if (s->port[nr])
        return err_set(e, -EBUSY, "virtio-serial-bus: A port already exists at id %" PRIu64, nr);
    if (nr == 0 && !vport_is_console(d->type))
        return err_set(e, -EINVAL,
                       "Port number 0 on virtio-serial devices reserved for "
                       "virtconsole devices for backward compatibility");
    p->number = (uint32_t)nr;
    p->s = s;
    return 0;
}

static int bus_placed(struct bus *b, struct dev *d, struct err *e)
{
    struct vport *p = (struct vport *)d;

    p->s->port[p->number] = p;
    vserial_say(p->s, p->number, SAY_ADD);
    return 0;
}

static void bus_unplug(struct bus *b, struct dev *d)
{
    struct vport *p = (struct vport *)d;

    if (p->s->port[p->number] != p)
        return;
    p->s->port[p->number] = NULL;
    p->s->say[p->number] = 0;
    vserial_say(p->s, p->number, SAY_REMOVE);
}

static int bus_unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    return 1; /* ports go at once; the driver is told */
}

static bool bus_full(const struct bus *b)
{
    const struct vserial *s = of_bus(b);
    unsigned n = 0;

    for (unsigned i = 0; i < s->max_ports; i++)
        n += s->port[i] != NULL;
    return n == s->max_ports;
}

static void add_bus(struct vserial *s)
{
    struct dev *d = s->v.dev;
    char name[80];

    s->bus = (struct bus){.kind = "virtio-serial-bus",
                          .plug = bus_plug,
                          .placed = bus_placed,
                          .unplug = bus_unplug,
                          .unplug_request = bus_unplug_request,
                          .full = bus_full};
    snprintf(name, sizeof(name), "%.70s.0", d->id ? d->id : "");
    for (unsigned n = 0; !d->id || bus_find(d->m, name); n++) {
        snprintf(name, sizeof(name), "virtio-serial-bus.%u", n);
        if (!bus_find(d->m, name))
            break;
    }
    bus_add(d, &s->bus, name);
}

static int vserial_init(struct virtio *v, struct err *e)
{
    struct vserial *s = of(v);

    if (!s->max_ports || s->max_ports >= VSERIAL_PORTS)
        return err_set(e, -ERANGE, "Property 'max_ports' is %" PRIu64 ": want 1 to %d",
                       s->max_ports, VSERIAL_PORTS - 1);
    virtio_add_queues(v, 2 + 2 * (unsigned)s->max_ports, QUEUE_SIZE);
    v->host_features |=
        VIRTIO_BIT(F_MULTIPORT) | (s->emergency_write ? VIRTIO_BIT(F_EMERG_WRITE) : 0);
    v->config_len = CONFIG_LEN;
    add_bus(s);
    return 0;
}

static int vserial_loaded(struct virtio *v, int version, struct err *e)
{
    struct vserial *s = of(v);

    for (unsigned i = 0; i < VSERIAL_PORTS; i++)
        if (s->say[i] & ~SAY_ALL)
            return err_set(e, -EILSEQ, "messages %#x for port %u", s->say[i], i);
    return 0;
}

const struct virtio_type virtio_serial = {
    .name = "serial",
    .help = "bus of consoles and serial ports",
    .class = DEV_INPUT,
    .id = 3,
    .legacy_pci_id = 0x1003,
    .pci_class = 0x078000,
    .pci_vectors = 2,
    .size = sizeof(struct vserial),
    .props = vserial_props,
    .state = vserial_state,
    .init = vserial_init,
    .reset = vserial_reset,
    .kick = vserial_kick,
    .status = vserial_status,
    .config = vserial_config,
    .config_written = vserial_config_written,
    .loaded = vserial_loaded,
};
