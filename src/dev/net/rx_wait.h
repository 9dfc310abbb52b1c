/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards whose receive ring is full.  A wire is slow enough for a driver to empty the ring meanwhile; a back end in the same machine is not, and
 * to TCP a lost frame means a pause.  So a frame for which there is no room waits in net/ until there is, or until patience ends: then it
 * is missed, as the chip's data sheet says, and the driver hears of it.
 * A card calls rx_wait_over() where a register tells that there is room; it is asked now and then besides, as it polls a ring in memory.
 */
#ifndef DEV_NET_RX_WAIT_H
#define DEV_NET_RX_WAIT_H

#include "bus/clock.h"
#include "net/net.h"

struct rx_wait {
    struct timer timer;
    struct net **net; /* the card's back end, as it is then */
    int64_t since;    /* when the frame in front found no room; < 0: none waits */
};

void rx_wait_init(struct rx_wait *w, struct machine *m, struct net **net);
void rx_wait_fini(struct rx_wait *w);
/** rx_wait_took - the card took the frame in front, or does not want it. */
static inline void rx_wait_took(struct rx_wait *w)
{
    w->since = -1;
}
/** rx_wait_no_room - true: the card leaves the frame where it is (net_card.receive says false); false: it is missed. */
bool rx_wait_no_room(struct rx_wait *w);
/** rx_wait_over - there may be room again, or nobody receives any more: what waits is offered once more. */
void rx_wait_over(struct rx_wait *w);

#endif
