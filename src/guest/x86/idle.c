/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will the status flags be written before they are read?  A short look ahead over the rows' attributes (decode.h), so that
 * leaving a region need not write back flags that the next instructions overwrite.
 */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"

typedef const uint8_t *code_at(void *opaque, uint64_t pc, size_t *avail);

/* What an instruction that does not branch does to them; READS when in doubt. */
static enum guest_idle effect_of(const struct x86_insn *i)
{
    unsigned flags = x86_row_flags(i->row);

    if (flags & X86_FLAGS_READ || x86_insn_alone(i))
        return GUEST_IDLE_READS;
    if (flags & X86_FLAGS_WRITE || (flags & X86_FLAGS_SHIFT && i->imm & 31))
        return GUEST_IDLE_WRITES;
    return GUEST_IDLE_NONE; /* what is written in part is not read for that */
}

enum guest_idle x86_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len)
{
    struct x86_insn i;

    *len = 1;
    if (x86_decode(mode, 0, code, avail, &i) != X86_OK || i.row == X86_NO_ROW)
        return GUEST_IDLE_READS;
    *len = i.len;
    switch (x86_row_end(i.row)) {
    case X86_FALL:
        return effect_of(&i);
    case X86_JMP: case X86_CALL:
        return GUEST_IDLE_BRANCH;
    case X86_COND:
        return x86_row_flags(i.row) & X86_FLAGS_READ ? GUEST_IDLE_READS : GUEST_IDLE_BRANCH;
    default:
        return GUEST_IDLE_READS;
    }
}

static bool look(uint32_t mode, uint64_t pc, code_at *code, void *opaque, unsigned *budget)
{
    while ((*budget)--) {
        size_t avail;
        const uint8_t *p = code(opaque, pc, &avail);
        enum guest_idle effect;
        struct x86_insn i;

        if (!p || x86_decode(mode, pc, p, avail, &i) != X86_OK || i.row == X86_NO_ROW)
            return false;
        switch (x86_row_end(i.row)) {
        case X86_FALL:
            effect = effect_of(&i);
            if (effect != GUEST_IDLE_NONE)
                return effect == GUEST_IDLE_WRITES;
            pc += i.len;
            break;
        case X86_JMP: case X86_CALL:
            pc = (uint64_t)i.imm;
            break;
        case X86_COND: /* both ways */
            if (x86_row_flags(i.row) & X86_FLAGS_READ || !look(mode, (uint64_t)i.imm, code, opaque, budget))
                return false;
            pc += i.len;
            break;
        default:
            return false;
        }
    }
    return false;
}

bool x86_idle_dead(uint32_t mode, uint64_t pc, code_at *code, void *opaque)
{
    unsigned budget = 12;

    return look(mode, pc, code, opaque, &budget);
}
