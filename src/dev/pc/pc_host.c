/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the north bridges of PCs have in common (pc_host.h). */
#include "dev/pc/pc_host.h"

#include <errno.h>

const struct state pc_host_state[] = {
    PCI_PORTS_STATE(pc_host, ports),
    STATE_END,
};

int pc_host_init(struct dev *d, struct err *e)
{
    const struct pc_host_type *t = d->type->class_ops;
    struct pc_host *h = pc_host_of(d);

    if (bus_find(d->m, t->bus))
        return err_set(e, -EEXIST, "there is a bus '%s' already: a machine has one host bridge", t->bus);
    mem_init_container(&h->mem, "pci", 0);
    h->root = (struct pci_root){
        .bus = &h->bus, .dma = machine_space(d->m), .intx = d->irq, .route = t->route, .opaque = h, .zero_unset = true};
    h->bus.root = &h->root;
    h->bus.mem = &h->mem;
    h->bus.io = machine_io_mem(d->m);
    h->bus.express = t->express;
    pci_bus_init(&h->bus);
    bus_add(d, &h->bus.bus, t->bus);
    pci_ports_init(&h->ports, d->m, &h->root);
    return 0;
}

void pc_host_reset(struct dev *d)
{
    pci_ports_reset(&pc_host_of(d)->ports);
}

void pc_host_fini(struct dev *d)
{
    struct pc_host *h = pc_host_of(d);

    pci_ports_fini(&h->ports);
    pam_fini(&h->pam);
    mem_remove(&h->mem_alias);
}

int pc_host_start(struct dev *d, struct ram *ram, uint64_t low, struct err *e)
{
    const struct pc_host_type *t = d->type->class_ops;
    struct pc_host *h = pc_host_of(d);
    struct dev *f;

    mem_init_alias(&h->mem_alias, "pci", &h->mem, 0, 0);
    mem_add(machine_mem(d->m), 0, &h->mem_alias, -1);
    pam_init(&h->pam, d->m, ram, low, &h->mem);
    if (!(f = dev_new(d->m, t->function, NULL, &h->bus.bus, NULL, e)))
        return e->code;
    h->function = pci_of(f);
    return 0;
}
