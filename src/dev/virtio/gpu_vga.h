/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a virtio-gpu and the VGA beside it in one card, virtio-vga, say to each other. */
#ifndef DEV_VIRTIO_GPU_VGA_H
#define DEV_VIRTIO_GPU_VGA_H

#include "dev/virtio/virtio.h"
#include "ui/display.h"

/** gpu_show_other - while the driver shows nothing, the first screen is @other's; returns its console. */
struct console *gpu_show_other(struct virtio *v, const struct console_source *other, void *opaque);

#endif
