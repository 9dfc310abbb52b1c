/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will NZCV be written before it is read?  A short look ahead, so that leaving a region need not write
 * flags back that the next instructions overwrite.  Encodings: Arm ARM DDI 0487, C4.1.
 */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/lift_priv.h"

#include <string.h>

#define NONE   GUEST_IDLE_NONE
#define WRITES GUEST_IDLE_WRITES
#define READS  GUEST_IDLE_READS

static bool is(uint32_t w, uint32_t mask, uint32_t value)
{
    return (w & mask) == value;
}

/* Is a word of the classes below unallocated?  Then its signal shows the flags. */
static bool reserved_shifted(uint32_t w) /* shift ROR only for logical; amounts below the width */
{
    return (!(w >> 31) && w >> 15 & 1) || (w >> 24 & 1 && (w >> 22 & 3) == 3);
}

static bool reserved_extended(uint32_t w)
{
    return (w >> 22 & 3) || (w >> 10 & 7) > 4;
}

static bool reserved_bitmask(uint32_t w)
{
    uint64_t imm;

    return !a64_bitmask(w >> 31, w >> 22 & 1, w >> 10 & 63, w >> 16 & 63, &imm);
}

/* What an instruction that is no branch does to the flags; READS when in doubt. */
static enum guest_idle effect_of(uint32_t w)
{
    bool sets = w >> 29 & 1, sets_logical = (w >> 29 & 3) == 3;

    if (is(w, 0x1f800000, 0x11000000)) /* add, sub, immediate */
        return sets ? WRITES : NONE;
    if (is(w, 0x1f000000, 0x0b000000)) { /* add, sub, register */
        if (w >> 21 & 1 ? reserved_extended(w) : reserved_shifted(w))
            return READS;
        return sets ? WRITES : NONE;
    }
    if (is(w, 0x1f800000, 0x12000000)) /* logical, immediate */
        return reserved_bitmask(w) ? READS : sets_logical ? WRITES : NONE;
    if (is(w, 0x1f000000, 0x0a000000)) /* logical, register */
        return reserved_shifted(w) ? READS : sets_logical ? WRITES : NONE;
    if (is(w, 0x1e000000, 0x1a000000)) /* carry, flags, conditional; the rest is arithmetic */
        return is(w, 0x1fc00000, 0x1ac00000) || is(w, 0x1f000000, 0x1b000000) ? NONE : READS;
    if (is(w, 0xff20fc07, 0x1e202000)) /* fcmp, fcmpe; there is no type 2 */
        return (w >> 22 & 3) == 2 ? READS : WRITES;
    if (is(w, 0xff200400, 0x1e200400) && !(w & 0x800)) /* fccmp */
        return READS;
    if (is(w, 0xff200c00, 0x1e200c00)) /* fcsel */
        return READS;
    if (is(w, 0xfffff01f, 0xd503201f)) /* hints */
        return NONE;
    if (is(w, 0x1c000000, 0x14000000)) /* other branches, exceptions and system instructions */
        return READS;
    return is(w, 0x18000000, 0) ? READS : NONE; /* unallocated, SVE */
}

static bool is_branch(uint32_t w) /* b, bl */
{
    return is(w, 0x7c000000, 0x14000000);
}

static bool is_test_branch(uint32_t w) /* cbz, tbz */
{
    return is(w, 0x7e000000, 0x34000000) || is(w, 0x7e000000, 0x36000000);
}

enum guest_idle a64_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len)
{
    uint32_t w;

    *len = 4;
    memcpy(&w, code, 4);
    return is_branch(w) || is_test_branch(w) ? GUEST_IDLE_BRANCH : effect_of(w);
}

static int64_t field(uint32_t w, unsigned lsb, unsigned width)
{
    return (int64_t)((uint64_t)w << (64 - lsb - width)) >> (64 - width);
}

typedef const uint8_t *a64_code_at(void *opaque, uint64_t pc, size_t *avail);

static bool look(uint64_t pc, a64_code_at *code, void *opaque,
                 unsigned *budget)
{
    while ((*budget)--) {
        size_t avail;
        const uint8_t *p = code(opaque, pc, &avail);
        uint32_t w;

        if (!p || avail < 4)
            return false;
        memcpy(&w, p, 4);
        if (is_branch(w)) {
            pc += (uint64_t)(field(w, 0, 26) * 4);
            continue;
        }
        if (is_test_branch(w)) { /* both ways */
            uint64_t off = (uint64_t)((w >> 25 & 1 ? field(w, 5, 14) : field(w, 5, 19)) * 4);

            if (!look(pc + off, code, opaque, budget))
                return false;
        } else {
            enum guest_idle e = effect_of(w);

            if (e != NONE)
                return e == WRITES;
        }
        pc += 4;
    }
    return false;
}

bool a64_idle_dead(uint32_t mode, uint64_t pc, a64_code_at *code, void *opaque)
{
    unsigned budget = 12;

    return look(pc, code, opaque, &budget);
}
