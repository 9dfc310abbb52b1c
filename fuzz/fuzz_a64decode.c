/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arbitrary A64 code through scan() and lift(): never a crash, and every block ends. */
#include "base/err.h"
#include "guest/aarch64/aarch64.h"
#include "ir/build.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct ir *ir;
    struct guest_scan scan;
    char text[200];
    uint32_t done;

    if (len < 8)
        return 0;
    if (!ir)
        ir = ir_new(guest_aarch64.slots, guest_aarch64.n_slots, guest_aarch64.helpers,
                    guest_aarch64.n_helpers);
    uint32_t mode = (data[0] & 15) << A64_MODE_MODEL | (data[1] & 1);
    uint64_t pc = data[2] & 1 ? 0xfffffffffffff000 : 0x400000;

    data += 4;
    len -= 4;
    guest_aarch64.scan(mode, pc, data, len, 64, &scan);
    ir_reset(ir);
    ir_start_block(ir, ir_plan(ir, pc, 0));
    done = guest_aarch64.lift(ir, mode, pc, data, len, ~0ull, 64);
    if (!ir_ended(ir) || done > len || done > 4 * scan.n_insns)
        bug("lift: %u bytes of %zu, scan: %u instructions", done, len, scan.n_insns);
    ir_finish(ir);
    guest_aarch64.disas(mode, pc, data, len, text, sizeof(text));
    return 0;
}
