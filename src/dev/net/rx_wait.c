/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that wait for room in a card's receive ring. */
#include "dev/net/rx_wait.h"

/* How often a ring in memory is looked at: the Am79C970A polls each 65536 clocks of 33 MHz (CSR47). */
#define POLL_NS     1966080
#define PATIENCE_NS (100 * 1000000ll)

static void poll(void *opaque)
{
    struct rx_wait *w = opaque;

    if (*w->net)
        net_ready(*w->net, 0);
}

void rx_wait_init(struct rx_wait *w, struct machine *m, struct net **net)
{
    timer_init(&w->timer, m, CLK_VIRT, poll, w);
    w->net = net;
    w->since = -1;
}

void rx_wait_fini(struct rx_wait *w)
{
    timer_cancel(&w->timer);
}

bool rx_wait_no_room(struct rx_wait *w)
{
    int64_t now = clock_now(w->timer.m, CLK_VIRT);

    if (w->since < 0)
        w->since = now;
    if (now - w->since >= PATIENCE_NS) {
        w->since = -1;
        return false;
    }
    timer_at(&w->timer, now + POLL_NS);
    return true;
}

void rx_wait_over(struct rx_wait *w)
{
    if (w->since < 0)
        return;
    timer_cancel(&w->timer);
    poll(w);
}
