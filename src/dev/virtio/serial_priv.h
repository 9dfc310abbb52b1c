/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-serial's parts: the device with its control queue (serial.c), and the ports on its bus (serial_port.c). */
#ifndef DEV_VIRTIO_SERIAL_PRIV_H
#define DEV_VIRTIO_SERIAL_PRIV_H

#include "dev/virtio/virtio.h"
#include "ui/chr.h"

enum { VSERIAL_PORTS = 32 };
enum { F_MULTIPORT = 1, F_EMERG_WRITE = 2 };

/* Control messages that wait for a buffer: bits, for each port; virtio 1.2, 5.3.6.2. */
enum { SAY_ADD = 1, SAY_REMOVE = 2, SAY_CONSOLE = 4, SAY_NAME = 8, SAY_OPEN = 16, SAY_ALL = 31 };

struct vport;

struct vserial {
    struct virtio v;
    struct bus bus;
    struct vport *port[VSERIAL_PORTS]; /* by number */
    uint8_t say[VSERIAL_PORTS];        /* SAY_* */
    bool ready;                        /* the driver has heard of no port before it says so */

    uint64_t max_ports;
    bool emergency_write;
};

/** struct vport - virtconsole or virtserialport. */
struct vport {
    struct dev dev;
    struct vserial *s;
    struct chr *chr; /* NULL: output to nobody */
    bool console;
    uint32_t number;
    bool host_open;  /* somebody is connected to the back end */
    bool guest_open; /* a program of the guest has it open */
    uint64_t sent;   /* bytes of the first chain that the back end has taken already */
    bool full;       /* it takes no more for now */

    char *p_chardev, *p_name;
    uint64_t p_nr;
};

/** vserial_say - tell the driver, soon. */
void vserial_say(struct vserial *s, uint32_t port, uint8_t what);
static inline struct vq *vport_rx(struct vport *p)
{
    return &p->s->v.vq[p->number ? 2 + 2 * p->number : 0];
}
static inline struct vq *vport_tx(struct vport *p)
{
    return &p->s->v.vq[p->number ? 3 + 2 * p->number : 1];
}

bool vport_is_console(const struct dev_type *t);

/* What the device tells its ports. */
void vport_kick(struct vport *p, struct vq *q);
void vport_reset(struct vport *p);
/** vport_opened - the guest has opened or closed it. */
void vport_opened(struct vport *p, bool open);
/** vport_put - a character by the emergency register. */
void vport_put(struct vport *p, uint8_t c);

#endif
