/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory balloon, for monitors.  Under the machine's lock. */
#ifndef DEV_VIRTIO_BALLOON_H
#define DEV_VIRTIO_BALLOON_H

#include "bus/machine.h"

enum { BALLOON_STATS = 16 };

struct balloon_info {
    uint64_t actual;               /* bytes that the guest has */
    uint64_t stats[BALLOON_STATS]; /* by tag, virtio 1.2, 5.5.6.3; UINT64_MAX: not said */
    int64_t updated;               /* CLK_RTC, ns; 0: never */
};

/**
 * balloon_set - ask the guest to make do with @target bytes of its @ram.
 * balloon_query - what it has; asks for fresh statistics, too.
 * 0, or -ENODEV "No balloon device has been activated".
 */
int balloon_set(struct machine *m, uint64_t target, uint64_t ram, struct err *e);
int balloon_query(struct machine *m, uint64_t ram, struct balloon_info *i, struct err *e);

#endif
