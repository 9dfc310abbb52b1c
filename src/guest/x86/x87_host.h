/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One x87 operation on this host's own x87 unit, which gives what the guest's would (SDM 1, chapter 8). */
#ifndef GUEST_X86_X87_HOST_H
#define GUEST_X86_X87_HOST_H

#include "guest/x86/x86.h"
#include "ir/x87.h"

/* a: ST(0), b: the other operand; r: the result, with r2 what is pushed on top of it. */
struct x87_work {
    struct x86_x87 a, b, m, r, r2;
    uint16_t sw;  /* status word behind it */
    bool trapped; /* an unmasked exception kept it from being done */
};

/** x87_execute - with the control word of @s, whose status word it updates. */
void x87_execute(struct x86_state *s, struct x87_work *w, unsigned op);

/**
 * x87_quick, x87_quick_m - *@r = *@a op *@b, or *@r op= the f32 or f64 @m, when nothing is out of the ordinary: the initial control word,
 * no exception that the guest has not got already.  Else false, and nothing is done.  The registers are not empty.
 */
bool x87_quick(struct x86_state *s, struct x86_x87 *r, const struct x86_x87 *a, const struct x86_x87 *b, unsigned op);
bool x87_quick_m(struct x86_state *s, struct x86_x87 *r, unsigned op, const uint64_t *m, bool wide);
/** x87_quick_store - *@a as f32 or f64 to @m, under the same conditions. */
bool x87_quick_store(struct x86_state *s, const struct x86_x87 *a, uint64_t *m, bool wide);

enum {
    X87_IE = 1, X87_DE = 2, X87_ZE = 4, X87_OE = 8, X87_UE = 16, X87_PE = 32, X87_EXCEPTIONS = 0x3f, X87_SF = 0x40, X87_ES = 0x80,
    X87_C0 = 0x100, X87_C1 = 0x200, X87_C2 = 0x400, X87_C3 = 0x4000, X87_B = 0x8000, X87_CC = X87_C0 | X87_C1 | X87_C2 | X87_C3,
};

/** x87_summary - ES and B from the exceptions and their masks. */
static inline void x87_summary(struct x86_state *s)
{
    s->fsw &= (uint16_t)~(X87_ES | X87_B);
    if (s->fsw & ~s->fcw & X87_EXCEPTIONS)
        s->fsw |= X87_ES | X87_B;
}

#endif
