/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small guest for tests of the IR: eight registers, flags, two vectors, two helpers. */
#ifndef TESTS_IR_RIG_H
#define TESTS_IR_RIG_H

#include "base/softfloat.h"
#include "ir/build.h"
#include "ir/interp.h"
#include "ir/pass.h"
#include "ir/text.h"

#include <stdlib.h>
#include <string.h>

struct rig_state {
    uint64_t x[8];
    uint8_t n, z, c, v, f;
    uint32_t w;
    union ir_u q[2] __attribute__((aligned(16)));
};

enum { RIG_X0, RIG_N = 8, RIG_Z, RIG_C, RIG_V, RIG_W, RIG_Q0, RIG_Q1, RIG_F, RIG_SLOTS };
enum { RIG_PURE_CALL, RIG_FULL_CALL };

#define RIG_X(i) [RIG_X0 + (i)] = {"x" #i, offsetof(struct rig_state, x[i]), IR_I64}
static const struct ir_slot rig_slots[] = {
    RIG_X(0), RIG_X(1), RIG_X(2), RIG_X(3), RIG_X(4), RIG_X(5), RIG_X(6), RIG_X(7),
    [RIG_N] = {"n", offsetof(struct rig_state, n), IR_I1},
    [RIG_Z] = {"z", offsetof(struct rig_state, z), IR_I1},
    [RIG_C] = {"c", offsetof(struct rig_state, c), IR_I1},
    [RIG_V] = {"v", offsetof(struct rig_state, v), IR_I1},
    [RIG_W] = {"w", offsetof(struct rig_state, w), IR_I32},
    [RIG_Q0] = {"q0", offsetof(struct rig_state, q[0]), IR_V128},
    [RIG_Q1] = {"q1", offsetof(struct rig_state, q[1]), IR_V128},
    [RIG_F] = {"f", offsetof(struct rig_state, f), IR_I1, true}, /* an idle one */
};
static const struct ir_helper rig_helpers[] = {
    [RIG_PURE_CALL] = {"plain", NULL, false},
    [RIG_FULL_CALL] = {"full", NULL, true},
};

static inline struct ir *rig_new(void)
{
    return ir_new(rig_slots, RIG_SLOTS, rig_helpers, 2);
}

/* The region as text; the caller frees it. */
static inline char *rig_text(const struct ir *ir)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    ir_print(ir, f);
    fclose(f);
    return text;
}

#endif
