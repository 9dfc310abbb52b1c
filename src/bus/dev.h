/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices.  A device type is one constant descriptor and one row of dev/devices.def; a device is a zeroed
 * structure of the descriptor's size whose first member is struct dev.  It is born complete: properties are
 * parsed and checked, then init() runs once.
 */
#ifndef BUS_DEV_H
#define BUS_DEV_H

#include "base/err.h"
#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/mem.h"
#include "schema/field.h"
#include "schema/state.h"

#include <stdio.h>

struct bus;
struct dev;
struct json_object;
struct machine;
struct trace_point;

/* What a device is for: `-device help` groups by it. */
enum dev_class {
    DEV_BRIDGE,
    DEV_USB,
    DEV_STORAGE,
    DEV_NETWORK,
    DEV_INPUT,
    DEV_DISPLAY,
    DEV_SOUND,
    DEV_MISC,
    DEV_CPU,
    DEV_WATCHDOG,
    DEV_BOARD /* not for -device: boards make them */
};

/** struct dev_controller - what monitors ask of an interrupt controller, under the machine's lock.  print - its state, some lines.
 * counts - how often each of its inputs has risen since the machine was made; how many inputs there are, at most DEV_INPUTS. */
enum { DEV_INPUTS = 1024 };
struct dev_controller {
    void (*print)(struct dev *d, FILE *f);
    unsigned (*counts)(struct dev *d, uint64_t count[DEV_INPUTS]);
};

struct dev_type {
    const char *name;  /* as after -device */
    const char *alias; /* another name, or NULL */
    const char *help;  /* one line, no full stop */
    enum dev_class class;
    const char *
        bus; /* kind of bus it plugs into: "pci", "virtio-mmio", "scsi", "virtio-serial"; NULL: the board wires it */
    size_t size;
    const struct field
        *props; /* table (schema/field.h), or NULL; members of the device's structure */
    const struct state *state; /* what is saved, or NULL: nothing */
    int state_version;
    /**
     * init - all properties are set, dev->parent is the bus.  Makes struct mem, timers, connects back ends.
     * On failure undoes what it did; fini is not called then.
     */
    int (*init)(struct dev *d, struct err *e);
    void (*reset)(struct dev *d); /* power-on state; also called once before the machine starts */
    void (*fini)(struct dev *d);  /* unplugged, or the machine ends */
    /** loaded - saved state has arrived in the fields: check it (it is hostile), then derive the rest. */
    int (*loaded)(struct dev *d, int version, struct err *e);
    /** saving - before fields are read: bring them up to date.  May be NULL. */
    void (*saving)(struct dev *d);
    /** saved - after them: what was held may go on.  May be NULL. */
    void (*saved)(struct dev *d);
    const struct dev_controller *controller; /* of an interrupt controller; or NULL */
    const struct trace_point *trace; /* ends with a row without name; or NULL */
    const void
        *class_ops; /* what the bus kind wants to know: struct pci_type, struct virtio_type, ... */
};

struct dev {
    const struct dev_type *type;
    struct machine *m;
    char *id;           /* the user's or the board's name, or NULL; unique */
    struct bus *parent; /* NULL: on the board */
    struct bus *buses;  /* that it offers, linked by ->next_of_dev */
    struct mem mmio; /* for simple devices: init makes it with mem_init_mmio, the board maps it */
    struct irq_line irq[8]; /* outputs that boards wire by number; most devices use irq[0] */
    struct dev *next;       /* all of the machine, in order of birth */
    struct dev *next_on_bus;
    bool hotplugged;
    bool going;       /* unplug was asked for */
    unsigned reports; /* guest_error and host_error so far */
};

/** struct bus - where devices plug in. */
struct bus {
    const char *kind; /* "pci" */
    char *name;       /* "pci.0", "pcie.0", "scsi0.0": owned, unique in the machine */
    struct dev *owner;
    struct bus *next_of_dev, *next; /* of the owner; of the machine */
    struct dev *devs;               /* linked by next_on_bus */
    /** plug - find or check the device's address on this bus (from its properties); before init. */
    int (*plug)(struct bus *b, struct dev *d, struct err *e);
    /** placed - after init: it becomes visible.  unplug - the reverse; unplug_request - ask the guest: 0 when it
     * was asked and will go later, 1 when it may go at once, -errno. */
    int (*placed)(struct bus *b, struct dev *d, struct err *e);
    void (*unplug)(struct bus *b, struct dev *d);
    int (*unplug_request)(struct bus *b, struct dev *d, struct err *e);
    /** full - no more room: the next bus of the kind is tried when the user named none.  May be NULL. */
    bool (*full)(const struct bus *b);
    /** print - what the bus knows of a device, for `info qtree`; may be NULL. */
    void (*print)(struct bus *b, struct dev *d, void (*line)(void *opaque, const char *text),
                  void *opaque);
};

/** dev_types - the table of dev/devices.def, handed to the machine by the program: bus/ knows no device. */
const struct dev_type *dev_type_find(const struct machine *m, const char *name);

/**
 * dev_new - make a device.
 * @bus: where; NULL: a type with a bus goes to the first one of its kind that has room, or to the one whose
 *       name is in @props ("bus")
 * @props: options as text or JSON, taken over, may be NULL; "id" and "bus" are dev_new's
 * Returns the device, which belongs to the machine, or NULL with a message that names the device:
 * "Device 'x': ...", "'foo' is not a valid device model name; did you mean 'bar'?".
 */
struct dev *dev_new(struct machine *m, const char *type, const char *id, struct bus *bus,
                    struct json_object *props, struct err *e);
/** dev_add - for boards: dev_new with properties as "name=value,..." text, NULL bus. */
struct dev *dev_add(struct machine *m, const char *type, const char *id, const char *props,
                    struct err *e);
/** dev_free - unplug and end it. */
void dev_free(struct dev *d);
struct dev *dev_find(struct machine *m, const char *id);
/** dev_unplug - device_del: ask, or do. */
int dev_unplug(struct dev *d, struct err *e);

/** dev_reference_kind - the kind of back end (machine_add_backend) that a property names, or NULL: it names none. */
const char *dev_reference_kind(const struct field *f);
/** dev_number - a property of the device's that is a plain number; 0 when it has none of that name. */
uint64_t dev_number(const struct dev *d, const char *name);

/** bus_add - @b, embedded in its owner's structure, with kind and functions set, gets @name (copied). */
void bus_add(struct dev *owner, struct bus *b, const char *name);
void bus_remove(struct bus *b);
struct bus *bus_find(struct machine *m, const char *name);

/** dev_set_global - "-global type.prop=value", used for every such device born later that does not say otherwise. */
void dev_set_global(struct machine *m, const char *type, const char *prop, const char *value);

/* Reports that a guest cannot flood: the first few of each device are logged, then counted. */
void guest_error(struct dev *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void host_error(struct dev *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
