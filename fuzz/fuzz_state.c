/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the saved state of a machine, which has every device that needs no back end.  The input is a stream ("EMUSTATE..."), or
 * changes of the stream that the machine itself saves: offset of 16 bits, byte.  What is accepted is then used: registers are read and
 * written, time goes on, and it is saved again.
 */
#include "fuzz/machine.h"

#include "base/bytes.h"

static unsigned make(struct machine *m)
{
    const struct dev_type *const *types = dev_types();
    unsigned n = 0;

    for (; types[n]; n++)
        fuzz_device(m, types[n], n);
    machine_reset(m);
    return n;
}

static void use(struct machine *m, unsigned n)
{
    struct access a = {.who = BUS_CPU(0), .size = 4};
    uint64_t v;

    for (unsigned i = 0; i < n; i++)
        for (paddr off = 0; off < 64; off += 4) {
            space_load(machine_space(m), FUZZ_DEV + (paddr)i * FUZZ_STEP + off, &v, a);
            space_store(machine_space(m), FUZZ_DEV + (paddr)i * FUZZ_STEP + off, v, a);
        }
    clock_step(m, 1000000);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    bool raw = len >= 8 && !memcmp(data, "EMUSTATE", 8);
    struct mem ram = {0};
    struct machine *m = fuzz_machine(&ram);
    uint8_t *buf, *again;
    size_t n;
    unsigned devs;

    machine_lock(m);
    devs = make(m);
    if (machine_save(m, &buf, &n, ERR_IGNORE) < 0)
        abort();
    for (size_t at = 0; !raw && at + 3 <= len; at += 3)
        buf[get_le16(data + at) % n] = data[at + 2];
    if (machine_load(m, raw ? data : buf, raw ? len : n, ERR_IGNORE) == 0) {
        use(m, devs);
        if (machine_save(m, &again, &n, ERR_IGNORE) == 0)
            free(again);
    }
    free(buf);
    machine_unlock(m);
    machine_free(m);
    return 0;
}
