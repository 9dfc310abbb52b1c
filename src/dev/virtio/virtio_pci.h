/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio on PCI, for cards that are something else besides (virtio_vga.c); contracts as in struct virtio_wrap. */
#ifndef DEV_VIRTIO_VIRTIO_PCI_H
#define DEV_VIRTIO_VIRTIO_PCI_H

#include "dev/pci/pci.h"
#include "dev/virtio/wrap.h"

enum { VPCI_ON, VPCI_OFF, VPCI_AUTO };
enum { VPCI_MOVED_MODERN = 2, VPCI_MOVED_MSIX = 4 };

struct vpci {
    struct pci_dev pci;
    struct mem bar, common, isr, device, notify, legacy;
    bool has_legacy, has_modern;
    bool bars_moved; /* set before vpci_init(): BAR 0 is somebody else's, registers and MSI-X are in VPCI_MOVED_* */
    uint16_t access_cap;
    uint32_t device_sel, driver_sel;
    uint16_t queue_sel;

    /* Properties. */
    int disable_legacy;
    bool disable_modern, ioeventfd;
    uint64_t vectors;
};

extern const char *const vpci_on_off_auto[];
#define VPCI_FIELDS                                                                                                              \
    PCI_FIELDS(vpci, pci),                                                                                                       \
        FIELD_ENUM(vpci, disable_legacy, vpci_on_off_auto, "disable-legacy", "auto", "no registers of before virtio 1.0"),       \
        FIELD(vpci, disable_modern, F_BOOL, "disable-modern", "off", "no registers of virtio 1.0"),                              \
        FIELD(vpci, ioeventfd, F_BOOL, "ioeventfd", "on", "has no effect"),                                                      \
        FIELD(vpci, vectors, F_U64, "vectors", "65535", "MSI-X vectors; 0: none; 65535: as many as are useful")
#define VPCI_STATE                                                                                                               \
    PCI_STATE(vpci, pci), STATE(vpci, device_sel, S_U32, 1, NULL), STATE(vpci, driver_sel, S_U32, 1, NULL),                      \
        STATE(vpci, queue_sel, S_U16, 1, NULL)

int vpci_init(struct dev *d, struct err *e);
void vpci_fini(struct dev *d);
void vpci_reset(struct dev *d);
int vpci_loaded(struct dev *d, int version, struct err *e);
/** vpci_ops - a struct pci_type of its own, by malloc(). */
const void *vpci_ops(const struct virtio_type *t);

#endif
