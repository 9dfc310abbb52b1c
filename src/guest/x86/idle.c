/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will the status flags be written before they are read?  A short look ahead over the rows' attributes (decode.h), so that
 * leaving a region need not write back flags that the next instructions overwrite.
 */
#include "guest/x86/decode_priv.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"

typedef const uint8_t *code_at(void *opaque, uint64_t pc, size_t *avail);

/* What an instruction that does not branch does to them; READS when in doubt. */
static enum guest_idle effect_of(const struct x86_insn *i)
{
    unsigned flags = i->flags;

    if (flags & X86_FLAGS_READ || x86_insn_alone(i))
        return GUEST_IDLE_READS;
    if (flags & X86_FLAGS_WRITE || (flags & X86_FLAGS_SHIFT && i->imm & 31))
        return GUEST_IDLE_WRITES;
    return GUEST_IDLE_NONE; /* what is written in part is not read for that */
}

/* The same of any. */
static enum guest_idle effect_of_any(const struct x86_insn *i)
{
    switch (i->end) {
    case X86_FALL:
        return effect_of(i);
    case X86_JMP: case X86_CALL:
        return GUEST_IDLE_BRANCH;
    case X86_COND:
        return i->flags & X86_FLAGS_READ ? GUEST_IDLE_READS : GUEST_IDLE_BRANCH;
    default:
        return GUEST_IDLE_READS;
    }
}

/* --- What most instructions do, by their opcode --- */

/*
 * Looking ahead is done for each way out of each block, so most of it is a table: by opcode, reg field of ModRM and REX.W, how long
 * the rest is, and what becomes of the flags.  An entry is made when it is first asked for, by decoding the opcode with a register
 * and with memory.  What has other prefixes, needs a feature, branches, or depends on more is left to the decoder.
 */
enum {
    SKIM_ASK = 1, /* the decoder; 0: not made yet */
    SKIM_KNOWN = 2,
    SKIM_READS = SKIM_KNOWN | SKIM_ASK, /* the flags, or it is not known where it leads */
    SKIM_WRITES = 4, /* the flags; else it does not touch them, or only some */
    SKIM_MODRM = 8,
    SKIM_IMM = 4, /* shift: bytes behind that */
};

static uint8_t skims[2][2][2][2][256][8]; /* [atomic] machine, 64-bit code, REX.W, 0F, opcode, reg */

/* The length of @opcode and what follows it, with @modrm and zeros there; 0: not one of those. */
static unsigned try_decode(uint32_t mode, bool w, bool map1, uint8_t opcode, uint8_t modrm, struct x86_insn *i)
{
    uint8_t code[X86_MAX_LEN + 8] = {0};
    unsigned n = 0;

    if (w)
        code[n++] = 0x48;
    if (map1)
        code[n++] = 0x0f;
    code[n++] = opcode;
    code[n++] = modrm;
    if (x86_decode(mode, 0, code, X86_MAX_LEN, i) != X86_OK || i->row == X86_NO_ROW || i->opcode != opcode ||
        i->map != map1 || x86_row_feature(i->row) != X86_FEAT_BASE || i->flags & X86_FLAGS_SHIFT ||
        effect_of_any(i) == GUEST_IDLE_BRANCH)
        return 0;
    return i->len - (n - 2);
}

static uint8_t make_skim(uint32_t mode, bool w, bool map1, uint8_t opcode, unsigned reg)
{
    enum { REG = 0xc0, MEM = 0x84 /* SIB and four bytes */, MORE = 5 };
    struct x86_insn a, b;
    unsigned with_reg = try_decode(mode, w, map1, opcode, (uint8_t)(REG | reg << 3), &a);
    unsigned with_mem = try_decode(mode, w, map1, opcode, (uint8_t)(MEM | reg << 3), &b);
    bool modrm = with_mem == with_reg + MORE;

    if (!with_reg || !with_mem || effect_of_any(&a) != effect_of_any(&b))
        return SKIM_ASK;
    if ((!modrm && with_mem != with_reg) || (map1 && (opcode < 0x0d || opcode == 0xae || opcode == 0xc7))) /* other groups: by rm, too */
        return SKIM_ASK;
    return (uint8_t)((effect_of_any(&a) == GUEST_IDLE_READS ? SKIM_READS : SKIM_KNOWN) |
                     (effect_of_any(&a) == GUEST_IDLE_WRITES ? SKIM_WRITES : 0) | (modrm ? SKIM_MODRM : 0) |
                     (with_reg - 1 - modrm) << SKIM_IMM);
}

unsigned x86_modrm_length(const uint8_t *p)
{
    unsigned mod = p[0] >> 6, rm = p[0] & 7;
    bool sib = rm == X86_SP;

    if (mod == 3)
        return 1;
    if (mod)
        return 1 + sib + (mod == 1 ? 1 : 4);
    return 1 + sib + (rm == X86_BP || (sib && (p[1] & 7) == X86_BP) ? 4 : 0);
}

unsigned x86_idle_skim(uint32_t mode, const uint8_t *code, size_t avail, enum guest_idle *effect)
{
    unsigned n = 0, bits = x86_code(mode);
    bool w = false, map1;
    uint8_t opcode, *entry, e;

    if (avail < X86_MAX_LEN || bits == X86_CODE16)
        return 0;
    if (bits == X86_CODE64 && (code[0] & 0xf0) == 0x40)
        w = code[n++] & 8;
    map1 = code[n] == 0x0f;
    n += map1;
    opcode = code[n++];
    entry = &skims[!!(mode & X86_MODE_SYSTEM)][bits == X86_CODE64][w][map1][opcode][code[n] >> 3 & 7];
    e = __atomic_load_n(entry, __ATOMIC_RELAXED);
    if (!e) {
        e = make_skim(mode, w, map1, opcode, code[n] >> 3 & 7);
        __atomic_store_n(entry, e, __ATOMIC_RELAXED);
    }
    if (e == SKIM_ASK)
        return 0;
    *effect = e & SKIM_ASK ? GUEST_IDLE_READS : e & SKIM_WRITES ? GUEST_IDLE_WRITES : GUEST_IDLE_NONE;
    return n + (e & SKIM_MODRM ? x86_modrm_length(code + n) : 0) + (e >> SKIM_IMM);
}

enum guest_idle x86_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len)
{
    struct x86_insn i;

    *len = 1;
    if (x86_decode(mode, 0, code, avail, &i) != X86_OK || i.row == X86_NO_ROW)
        return GUEST_IDLE_READS;
    *len = i.len;
    return effect_of_any(&i);
}

static bool look(uint32_t mode, uint64_t pc, code_at *code, void *opaque, unsigned *budget)
{
    while ((*budget)--) {
        size_t avail;
        const uint8_t *p = code(opaque, pc, &avail);
        enum guest_idle effect;
        struct x86_insn i;
        unsigned len = p ? x86_idle_skim(mode, p, avail, &effect) : 0;

        if (len && effect != GUEST_IDLE_NONE)
            return effect == GUEST_IDLE_WRITES;
        if (len) {
            pc += len;
            continue;
        }
        if (!p || x86_decode(mode, pc, p, avail, &i) != X86_OK || i.row == X86_NO_ROW)
            return false;
        switch (i.end) {
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
            if (i.flags & X86_FLAGS_READ || !look(mode, (uint64_t)i.imm, code, opaque, budget))
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
