/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of randomness, as -object makes them: the machine's back ends of kind "rng". */
#ifndef DEV_VIRTIO_RNG_H
#define DEV_VIRTIO_RNG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct rng_backend {
    /** read - all @len bytes; -errno when the source fails or has not that much now. */
    int (*read)(struct rng_backend *b, uint8_t *buf, size_t len);
    void (*close)(struct rng_backend *b);
};

/** rng_open - a file that random bytes are read from (rng-random), or NULL: getrandom(2) (rng-builtin). */
struct rng_backend *rng_open(const char *filename, struct err *e);

#endif
