/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of virtio devices: whatever the rings hold, the device answers, breaks until reset, or does nothing, in bounded
 * time.  Input: device and layout, queue, log2 of its size, then what guest memory holds from address 0 on: descriptors
 * at 0, driver's part at 0x400, device's part at 0x800.
 */
#include "base/bytes.h"
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/virtio/virtio.h"
#include "ui/chr.h"

#include <stdlib.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { RAM = 1 << 20, SLOT = 0x10000000, HEAD = 3, KICKS = 4, MAX_DATA = 1 << 16 };
enum { AT_DRIVER = 0x400, AT_DEVICE = 0x800 };

static const char *const types[] = {"virtio-rng-device", "virtio-balloon-device",
                                    "virtio-serial-device", "virtio-gpu-device"};

struct world {
    struct machine *m;
    struct mem ram_mem;
    struct ram *ram;
};

static void set(struct world *w, unsigned off, uint32_t v)
{
    space_store(machine_space(w->m), SLOT + off, v, (struct access){.who = BUS_CPU(0), .size = 4});
}

static void make(struct world *w, const char *type)
{
    struct err e = {0};
    struct dev *slot;

    w->m = machine_new(dev_types(), NULL);
    w->ram = ram_new(w->m, "ram", RAM, &e);
    if (!w->ram)
        bug("%s", e.msg);
    mem_init_ram(&w->ram_mem, "ram", w->ram, 0, RAM);
    machine_lock(w->m);
    mem_add(machine_mem(w->m), 0, &w->ram_mem, 0);
    slot = dev_add(w->m, "virtio-mmio", "slot", "force-legacy=off", &e);
    if (!slot || !dev_add(w->m, type, "d", "packed=on", &e))
        bug("%s", e.msg);
    mem_add(machine_mem(w->m), SLOT, &slot->mmio, 0);
    if (!strcmp(type, "virtio-serial-device") &&
        !dev_add(w->m, "virtserialport", "p", "name=x", &e))
        bug("%s", e.msg);
    machine_reset(w->m);
    machine_unlock(w->m);
}

static void start(struct world *w, bool packed, unsigned queue, unsigned size)
{
    set(w, 0x70, 3);
    set(w, 0x24, 0);
    set(w, 0x20, 1u << VIRTIO_F_INDIRECT_DESC | 1u << VIRTIO_F_EVENT_IDX | 2 /* of serial */);
    set(w, 0x24, 1);
    set(w, 0x20, 1 | (packed ? 1u << (VIRTIO_F_RING_PACKED - 32) : 0));
    set(w, 0x70, 11);
    set(w, 0x30, queue);
    set(w, 0x38, size);
    set(w, 0x80, 0);
    set(w, 0x90, AT_DRIVER);
    set(w, 0xa0, AT_DEVICE);
    set(w, 0x44, 1);
    set(w, 0x70, 15);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct world worlds[ARRAY_LEN(types)];
    struct world *w;

    if (len < HEAD || len > MAX_DATA)
        return 0;
    w = &worlds[data[0] % ARRAY_LEN(types)];
    if (!w->m)
        make(w, types[data[0] % ARRAY_LEN(types)]);
    memset(w->ram->host, 0, RAM);
    memcpy(w->ram->host, data + HEAD, len - HEAD);
    start(w, data[0] & 0x80, data[1] % 8, 1u << data[2] % 8);
    for (int i = 0; i < KICKS; i++) {
        set(w, 0x50, data[1] % 8);
        put_le16(w->ram->host + AT_DRIVER + 2,
                 (uint16_t)(get_le16(w->ram->host + AT_DRIVER + 2) + 1));
    }
    set(w, 0x70, 0);
    return 0;
}
