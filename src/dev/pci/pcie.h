/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express ports: the capability structure, a slot with native hotplug, error reporting and access control
 * registers (PCI Express Base 3.0, chapters 6.7 and 7).
 */
#ifndef DEV_PCI_PCIE_H
#define DEV_PCI_PCIE_H

#include "base/trace.h"
#include "dev/pci/pci_bridge.h"

/* Device/port types, 7.8.2. */
enum pcie_type {
    PCIE_ENDPOINT = 0,
    PCIE_ROOT_PORT = 4,
    PCIE_UPSTREAM = 5,
    PCIE_DOWNSTREAM = 6,
    PCIE_TO_PCI = 7,
    PCIE_INTEGRATED = 9
};

/** pcie_add_cap - the Express capability of any type; does nothing on a device that is not Express. */
void pcie_add_cap(struct pci_dev *d, unsigned off, enum pcie_type type, unsigned port);
/** pcie_add_aer - advanced error reporting: registers only, nothing reports.  Length 0x48; on devices
 * that are no root ports 0x2c. */
void pcie_add_aer(struct pci_dev *d, unsigned off);
void pcie_add_acs(struct pci_dev *d, unsigned off);

/** struct pcie_port - a root or downstream port, which may have a slot. */
struct pcie_port {
    struct pci_bridge bridge;
    uint64_t port, chassis, slot, aer_log_max; /* properties: PCIE_PORT_FIELDS */
    bool hotplug, native_hotplug, power_controller;
    bool notified;         /* the interrupt's condition held when we looked last */
    bool clash;            /* while init looks: another port has its chassis and slot */
    uint16_t last_control; /* slot control when we looked last */
};

#define PCIE_PORT_FIELDS(type, m)                                                                  \
    PCI_FIELDS(type, m.bridge.pci), FIELD(type, m.port, F_U64, "port", "0", "number of the port"), \
        FIELD(type, m.chassis, F_U64, "chassis", "0", "number of the chassis"),                    \
        FIELD(type, m.slot, F_U64, "slot", "0", "number of the slot in the chassis"),              \
        FIELD(type, m.aer_log_max, F_U64, "aer_log_max", "8", "errors to remember"),               \
        FIELD(type, m.hotplug, F_BOOL, "hotplug", "on", "devices come and go"),                    \
        FIELD(type, m.native_hotplug, F_BOOL, "x-native-hotplug", "on",                            \
              "hotplug by the port's registers"),                                                  \
        FIELD(type, m.power_controller, F_BOOL, "power_controller_present", "on",                  \
              "the slot's power can be switched")

static inline struct pcie_port *pcie_port_of(struct pci_dev *d)
{
    return (struct pcie_port *)d;
}

/** pcie_port_init - bridge, slot and their bus; capabilities are the caller's, but that of Express. */
int pcie_port_init(struct pcie_port *p, enum pcie_type type, unsigned cap_off, struct err *e);
void pcie_port_written(struct pci_dev *d, unsigned off, unsigned size);
void pcie_port_reset(struct pcie_port *p);
int pcie_port_loaded(struct pcie_port *p, struct err *e);
void pcie_port_fini(struct pcie_port *p);

extern struct trace_point pcie_trace[]; /* of ports: their types have it */

#endif
