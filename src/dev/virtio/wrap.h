/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How models become device types.  Each struct virtio_wrap makes one name of each model: virtio-NAME-device,
 * virtio-NAME-pci and its kin.
 */
#ifndef DEV_VIRTIO_WRAP_H
#define DEV_VIRTIO_WRAP_H

#include "dev/virtio/virtio.h"

/** struct virtio_wrap - a transport as a device.  Constant. */
struct virtio_wrap {
    const char *name;  /* format with the model's name for %s */
    const char *alias; /* the same, or NULL */
    const char *bus;
    size_t size; /* of the transport's structure, whose first member is a struct dev */
    const struct field *props;
    const struct state *state;
    /** fits - is there such a device of this model?  ops - what goes into class_ops; lives for ever.  May be NULL. */
    bool (*fits)(const struct virtio_type *t);
    const void *(*ops)(const struct virtio_type *t);
    int (*init)(struct dev *d, struct err *e);
    void (*reset)(struct dev *d);
    void (*fini)(struct dev *d);
    int (*loaded)(struct dev *d, int version, struct err *e);
};
extern const struct virtio_wrap virtio_wrap_mmio, virtio_wrap_pci, virtio_wrap_pci_transitional,
    virtio_wrap_pci_non_transitional, virtio_wrap_vga;

/** virtio_is - is it one of ours?  virtio_of - the model's part of a device that is one of ours. */
bool virtio_is(const struct dev *d);
struct virtio *virtio_of(const struct dev *d);
const struct virtio_type *virtio_type_of(const struct dev_type *t);
const struct virtio_wrap *virtio_wrap_of(const struct dev_type *t);

/** virtio_types - all names of all models, made when first asked for; ends with NULL. */
const struct dev_type *const *virtio_types(void);

#endif
