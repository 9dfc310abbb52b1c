/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: any device whose registers a board maps.  The first byte chooses it; then come accesses: a byte (read or write,
 * size, whether time goes on), an offset of 16 bits, and for writes a value of that size.  Now and then the machine is saved and
 * loaded: what it saved, it loads.
 */
#include "fuzz/machine.h"

#include "base/bytes.h"

static void save_load(struct machine *m)
{
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    if (machine_save(m, &buf, &len, &e) < 0 || machine_load(m, buf, len, &e) < 0)
        bug("what was saved is refused: %s", e.msg);
    free(buf);
}

static size_t one_access(struct machine *m, const uint8_t *p, size_t left, uint64_t size)
{
    struct access a = {.who = BUS_CPU(0), .size = (uint8_t)(1u << (p[0] >> 1 & 3)), .secure = p[0] & 8};
    paddr at = FUZZ_DEV + (size ? get_le16(p + 1) % size : 0);
    uint64_t v = 0;
    size_t used = 3;

    if (p[0] & 1) {
        used += a.size <= left - used ? a.size : left - used;
        memcpy(&v, p + 3, used - 3);
        space_store(machine_space(m), at, v, a);
    } else {
        space_load(machine_space(m), at, &v, a);
    }
    if (p[0] & 16)
        clock_step(m, (int64_t)(p[0] >> 5) * 1000000);
    if (p[0] == 0xff)
        save_load(m);
    return used;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    const struct dev_type *const *types = dev_types();
    struct mem ram = {0};
    struct machine *m;
    struct dev *d;
    unsigned n = 0, steps = 0;

    if (len < 4 || len > 4096)
        return 0;
    while (types[n])
        n++;
    m = fuzz_machine(&ram);
    machine_lock(m);
    d = fuzz_device(m, types[data[0] % n], 0);
    machine_reset(m);
    for (size_t at = 1; d && at + 3 <= len && steps++ < 500;)
        at += one_access(m, data + at, len - at, d->mmio.size);
    if (d)
        save_load(m);
    machine_unlock(m);
    machine_free(m);
    return 0;
}
