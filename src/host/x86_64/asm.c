/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64 encoder; see asm.h.  Source: AMD64 Architecture Programmer's Manual, volume 3, appendix A. */
#include "host/x86_64/asm.h"

#include "host/host.h"

#include <string.h>

/* No instruction is longer (AMD64 APM 3, 1.1), prefixes of their own included. */
enum { LONGEST = 16 };

void x64_byte(struct x64_asm *a, uint8_t b)
{
    if (a->n < a->cap)
        a->buf[a->n++] = b;
    else
        a->full = true;
}

void x64_u32(struct x64_asm *a, uint32_t v)
{
    if (a->n + 4 <= a->cap) {
        memcpy(a->buf + a->n, &v, 4);
        a->n += 4;
    } else {
        a->full = true;
    }
}

void x64_u64(struct x64_asm *a, uint64_t v)
{
    x64_u32(a, (uint32_t)v);
    x64_u32(a, (uint32_t)(v >> 32));
}

/* Where an instruction goes that is written without further checks, up to its end; NULL: no room. */
static inline uint8_t *begin(struct x64_asm *a)
{
    if (a->n + LONGEST <= a->cap)
        return a->buf + a->n;
    a->full = true;
    return NULL;
}

static inline void end(struct x64_asm *a, const uint8_t *p)
{
    a->n = (uint32_t)(p - a->buf);
}

static inline uint8_t *put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

/* Emit a 32-bit field relative to its own end plus @tail bytes that still follow it. */
static void rel32(struct x64_asm *a, struct x64_label *l, unsigned tail)
{
    if (l->target) {
        x64_u32(a, l->target - 1 - (a->n + 4 + tail));
        return;
    }
    /* chain: the field holds the previous use (offset + 1) and the tail in the top bits */
    uint32_t at = a->n;

    x64_u32(a, l->at | tail << 28);
    if (!a->full)
        l->at = at + 1;
}

void x64_bind(struct x64_asm *a, struct x64_label *l)
{
    uint32_t use = l->at;

    l->target = a->n + 1;
    while (use && !a->full) {
        uint32_t field, v;

        memcpy(&field, a->buf + use - 1, 4);
        v = a->n - (use - 1 + 4 + (field >> 28));
        memcpy(a->buf + use - 1, &v, 4);
        use = field & 0x0fffffff;
    }
    l->at = 0;
}

void x64_align(struct x64_asm *a, unsigned n, unsigned at)
{
    static const uint8_t nop[8][7] = {
        { 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0x00 },
        { 0x0f, 0x1f, 0x44, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 }, { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 },
    };
    unsigned pad = (at - a->n) & (n - 1);

    while (pad) {
        unsigned k = pad > 7 ? 7 : pad;

        uint8_t *p = begin(a);

        if (!p)
            return;
        memcpy(p, nop[k], sizeof(nop[k]));
        end(a, p + k);
        pad -= k;
    }
}

/* --- ModRM --- */

/* The operand and ModRM.reg; @tail: bytes of immediate that will follow. */
static inline uint8_t *put_mem(struct x64_asm *a, uint8_t *p, unsigned reg, struct x64_mem m, unsigned tail)
{
    unsigned r = (reg & 7) << 3, mod;

    if (m.base == NOREG) {
        if (m.label) {
            *p++ = (uint8_t)(r | 5);
            end(a, p);
            rel32(a, m.label, tail);
            return p + 4;
        }
        *p++ = (uint8_t)(r | 4); /* [index*s + disp32] or absolute disp32 */
        *p++ = (uint8_t)(m.scale << 6 | (m.index == NOREG ? 4 : m.index & 7) << 3 | 5);
        return put32(p, (uint32_t)m.disp);
    }
    mod = m.disp == (int8_t)m.disp ? 1 : 2;
    if (!m.disp && (m.base & 7) != RBP)
        mod = 0;
    if (m.index != NOREG || (m.base & 7) == RSP) {
        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(m.scale << 6 | (m.index == NOREG ? 4 : m.index & 7) << 3 | (m.base & 7));
    } else {
        *p++ = (uint8_t)(mod << 6 | r | (m.base & 7));
    }
    if (mod == 1)
        *p++ = (uint8_t)m.disp;
    else if (mod == 2)
        p = put32(p, (uint32_t)m.disp);
    return p;
}

static inline unsigned rex_x(struct x64_mem m)
{
    return m.index < 16 ? m.index >> 2 & 2 : 0;
}
static inline unsigned rex_b(struct x64_mem m)
{
    return m.base < 16 ? m.base >> 3 : 0;
}

/* @opc: up to three opcode bytes, 0x0f and 0x0f38 escapes included; @rex: its low four bits, or 0x40
 * for the prefix alone. */
static inline uint8_t *put_opcode(uint8_t *p, unsigned rex, unsigned opc)
{
    if (rex)
        *p++ = (uint8_t)(0x40 | (rex & 15));
    if (opc > 0xff) {
        if (opc > 0xffff)
            *p++ = (uint8_t)(opc >> 16);
        *p++ = (uint8_t)(opc >> 8);
    }
    *p++ = (uint8_t)opc;
    return p;
}

static void op_rr(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg,
                  unsigned rm)
{
    uint8_t *p = begin(a);

    if (!p)
        return;
    if (pfx)
        *p++ = (uint8_t)pfx;
    p = put_opcode(p, rex | (reg & 8) >> 1 | rm >> 3, opc);
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    end(a, p);
}

static void op_rm(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg,
                  struct x64_mem m, unsigned tail)
{
    uint8_t *p = begin(a);

    if (!p)
        return;
    if (m.gs)
        *p++ = 0x65;
    if (pfx)
        *p++ = (uint8_t)pfx;
    p = put_opcode(p, rex | (reg & 8) >> 1 | rex_x(m) | rex_b(m), opc);
    end(a, put_mem(a, p, reg, m, tail));
}

void x64_any_rr(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg, unsigned rm)
{
    op_rr(a, pfx, rex, opc, reg, rm);
}

void x64_any_rm(struct x64_asm *a, unsigned pfx, unsigned rex, unsigned opc, unsigned reg, struct x64_mem m, unsigned tail)
{
    op_rm(a, pfx, rex, opc, reg, m, tail);
}

#define REXW(size) ((size) == 8 ? 8u : 0u)
/* byte registers spl.. need a REX prefix: 0x40 alone */
#define REX8(r)    ((r) >= 4 ? 0x40u : 0u)

/* --- Integer --- */

void x64_mov_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(size), 0x8b, d, s);
}

void x64_mov_ri(struct x64_asm *a, unsigned d, uint64_t imm)
{
    uint8_t *p;

    if (imm > 0xffffffff && (int64_t)imm == (int32_t)imm) {
        op_rr(a, 0, 8, 0xc7, 0, d);
        x64_u32(a, (uint32_t)imm);
        return;
    }
    p = begin(a);
    if (!p)
        return;
    if (imm > 0xffffffff)
        *p++ = (uint8_t)(0x48 | (d >= 8));
    else if (d >= 8)
        *p++ = 0x41;
    *p++ = (uint8_t)(0xb8 | (d & 7));
    memcpy(p, &imm, sizeof(imm));
    end(a, p + (imm > 0xffffffff ? 8 : 4));
}

void x64_mov_near(struct x64_asm *a, bool store, unsigned r, unsigned base, int8_t disp)
{
    x64_u32(a, 0x48 | (r & 8) >> 1 | (store ? 0x89u : 0x8bu) << 8 | (0x40 | (r & 7) << 3 | base) << 16 |
                   (uint32_t)(uint8_t)disp << 24);
}

void x64_bytes(struct x64_asm *a, const void *p, unsigned n)
{
    if (a->n + n <= a->cap) {
        memcpy(a->buf + a->n, p, n);
        a->n += n;
    } else {
        a->full = true;
    }
}

void x64_load(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m)
{
    if (size <= 2)
        op_rm(a, 0, 0, size == 1 ? 0x0fb6 : 0x0fb7, d, m, 0);
    else
        op_rm(a, 0, REXW(size), 0x8b, d, m, 0);
}

void x64_load_sx(struct x64_asm *a, unsigned from, unsigned to, unsigned d, struct x64_mem m)
{
    op_rm(a, 0, REXW(to), from == 1 ? 0x0fbe : from == 2 ? 0x0fbf : 0x63, d, m, 0);
}

void x64_store(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s)
{
    if (size == 1)
        op_rm(a, 0, REX8(s), 0x88, s, m, 0);
    else
        op_rm(a, size == 2 ? 0x66 : 0, REXW(size), 0x89, s, m, 0);
}

void x64_store_imm(struct x64_asm *a, unsigned size, struct x64_mem m, int32_t imm)
{
    if (size == 1) {
        op_rm(a, 0, 0, 0xc6, 0, m, 1);
        x64_byte(a, (uint8_t)imm);
    } else if (size == 2) {
        op_rm(a, 0x66, 0, 0xc7, 0, m, 2);
        x64_byte(a, (uint8_t)imm);
        x64_byte(a, (uint8_t)(imm >> 8));
    } else {
        op_rm(a, 0, REXW(size), 0xc7, 0, m, 4);
        x64_u32(a, (uint32_t)imm);
    }
}

void x64_lea(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m)
{
    op_rm(a, 0, REXW(size), 0x8d, d, m, 0);
}

void x64_movzx(struct x64_asm *a, unsigned from, unsigned d, unsigned s)
{
    op_rr(a, 0, from == 1 ? REX8(s) : 0, from == 1 ? 0x0fb6 : 0x0fb7, d, s);
}

void x64_movsx(struct x64_asm *a, unsigned from, unsigned to, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(to) | (from == 1 ? REX8(s) : 0),
          from == 1 ? 0x0fbe : from == 2 ? 0x0fbf : 0x63, d, s);
}

void x64_alu_rr(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(size), op << 3 | 3, d, s);
}

void x64_alu_ri(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, int32_t imm)
{
    if (imm == (int8_t)imm) {
        op_rr(a, 0, REXW(size), 0x83, op, d);
        x64_byte(a, (uint8_t)imm);
    } else {
        op_rr(a, 0, REXW(size), 0x81, op, d);
        x64_u32(a, (uint32_t)imm);
    }
}

void x64_alu_rm(struct x64_asm *a, enum x64_alu op, unsigned size, unsigned d, struct x64_mem m)
{
    op_rm(a, 0, size == 1 ? REX8(d) : REXW(size), op << 3 | (size == 1 ? 2 : 3), d, m, 0);
}

void x64_alu_mr(struct x64_asm *a, enum x64_alu op, unsigned size, struct x64_mem m, unsigned s)
{
    if (size == 1)
        op_rm(a, 0, REX8(s), op << 3, s, m, 0);
    else
        op_rm(a, size == 2 ? 0x66 : 0, REXW(size), op << 3 | 1, s, m, 0);
}

void x64_alu_mi(struct x64_asm *a, enum x64_alu op, unsigned size, struct x64_mem m, int32_t imm)
{
    if (size == 1 || imm == (int8_t)imm) {
        op_rm(a, size == 2 ? 0x66 : 0, REXW(size), size == 1 ? 0x80 : 0x83, op, m, 1);
        x64_byte(a, (uint8_t)imm);
    } else if (size == 2) {
        op_rm(a, 0x66, 0, 0x81, op, m, 2);
        x64_byte(a, (uint8_t)imm);
        x64_byte(a, (uint8_t)(imm >> 8));
    } else {
        op_rm(a, 0, REXW(size), 0x81, op, m, 4);
        x64_u32(a, (uint32_t)imm);
    }
}

void x64_test_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(size), 0x85, d, s);
}

void x64_test_ri(struct x64_asm *a, unsigned size, unsigned d, int32_t imm)
{
    if (imm >= 0 && imm <= 0x7f) {
        op_rr(a, 0, REX8(d), 0xf6, 0, d);
        x64_byte(a, (uint8_t)imm);
    } else {
        op_rr(a, 0, REXW(size), 0xf7, 0, d);
        x64_u32(a, (uint32_t)imm);
    }
}

void x64_not(struct x64_asm *a, unsigned size, unsigned d) { op_rr(a, 0, REXW(size), 0xf7, 2, d); }
void x64_neg(struct x64_asm *a, unsigned size, unsigned d) { op_rr(a, 0, REXW(size), 0xf7, 3, d); }
void x64_mul(struct x64_asm *a, unsigned size, unsigned s) { op_rr(a, 0, REXW(size), 0xf7, 4, s); }
void x64_imul(struct x64_asm *a, unsigned size, unsigned s) { op_rr(a, 0, REXW(size), 0xf7, 5, s); }
void x64_div(struct x64_asm *a, unsigned size, unsigned s) { op_rr(a, 0, REXW(size), 0xf7, 6, s); }
void x64_idiv(struct x64_asm *a, unsigned size, unsigned s) { op_rr(a, 0, REXW(size), 0xf7, 7, s); }

void x64_imul_rr(struct x64_asm *a, unsigned size, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(size), 0x0faf, d, s);
}

void x64_imul_rri(struct x64_asm *a, unsigned size, unsigned d, unsigned s, int32_t imm)
{
    if (imm == (int8_t)imm) {
        op_rr(a, 0, REXW(size), 0x6b, d, s);
        x64_byte(a, (uint8_t)imm);
    } else {
        op_rr(a, 0, REXW(size), 0x69, d, s);
        x64_u32(a, (uint32_t)imm);
    }
}

void x64_cdq(struct x64_asm *a, unsigned size)
{
    if (size == 8)
        x64_byte(a, 0x48);
    x64_byte(a, 0x99);
}

void x64_shift_ri(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d, unsigned n)
{
    op_rr(a, 0, REXW(size), 0xc1, op, d);
    x64_byte(a, n);
}

void x64_shift_cl(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d)
{
    op_rr(a, 0, REXW(size), 0xd3, op, d);
}

static inline uint8_t *put_vex(uint8_t *p, uint32_t vi, unsigned vvvv, unsigned r, unsigned x, unsigned b)
{
    static const uint8_t pp[256] = { [0x66] = 1, [0xf3] = 2, [0xf2] = 3 };
    unsigned map = vi >> 8 & 0xff, w = vi >> 31;
    unsigned rest = (~vvvv & 15) << 3 | (vi >> 30 & 1) << 2 | pp[vi >> 16 & 0xff];

    if (map == 1 && !w && !x && !b) {
        *p++ = 0xc5;
        *p++ = (uint8_t)((r ? 0 : 0x80) | rest);
    } else {
        *p++ = 0xc4;
        *p++ = (uint8_t)((r ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | map);
        *p++ = (uint8_t)(w << 7 | rest);
    }
    *p++ = (uint8_t)vi;
    return p;
}

static void vex_rr(struct x64_asm *a, uint32_t vi, unsigned d, unsigned vvvv, unsigned s)
{
    uint8_t *p = begin(a);

    if (!p)
        return;
    p = put_vex(p, vi, vvvv, d >> 3, 0, s >> 3);
    *p++ = (uint8_t)(0xc0 | (d & 7) << 3 | (s & 7));
    end(a, p);
}

static void vex_rm(struct x64_asm *a, uint32_t vi, unsigned d, unsigned vvvv, struct x64_mem m,
                   unsigned tail)
{
    uint8_t *p = begin(a);

    if (!p)
        return;
    if (m.gs)
        *p++ = 0x65;
    p = put_vex(p, vi, vvvv, d >> 3, rex_x(m), rex_b(m));
    end(a, put_mem(a, p, d, m, tail));
}

void x64_shiftx(struct x64_asm *a, enum x64_shift op, unsigned size, unsigned d, unsigned s,
                unsigned n)
{
    unsigned pfx = op == SH_SHL ? 0x66 : op == SH_SHR ? 0xf2 : 0xf3;

    vex_rr(a, VX(pfx, 2, 0xf7) | (size == 8 ? VX_W : 0), d, n, s);
}

void x64_rorx(struct x64_asm *a, unsigned size, unsigned d, unsigned s, unsigned n)
{
    vex_rr(a, VX(0xf2, 3, 0xf0) | (size == 8 ? VX_W : 0), d, 0, s);
    x64_byte(a, n);
}

void x64_andn(struct x64_asm *a, unsigned size, unsigned d, unsigned s1, unsigned s2)
{
    vex_rr(a, VX(0, 2, 0xf2) | (size == 8 ? VX_W : 0), d, s1, s2);
}

void x64_shrd(struct x64_asm *a, unsigned size, unsigned d, unsigned s, unsigned n)
{
    op_rr(a, 0, REXW(size), 0x0fac, s, d);
    x64_byte(a, n);
}

void x64_bswap(struct x64_asm *a, unsigned size, unsigned d)
{
    unsigned rex = REXW(size) | (d >= 8);

    if (rex)
        x64_byte(a, 0x40 | rex);
    x64_byte(a, 0x0f);
    x64_byte(a, 0xc8 | (d & 7));
}

void x64_op0f(struct x64_asm *a, unsigned pfx, unsigned size, unsigned opc, unsigned d, unsigned s)
{
    op_rr(a, pfx, REXW(size), 0x0f00 | opc, d, s);
}

void x64_op0f38(struct x64_asm *a, unsigned pfx, unsigned size, unsigned opc, unsigned d, unsigned s)
{
    op_rr(a, pfx, REXW(size), 0x0f3800 | opc, d, s);
}

void x64_setcc(struct x64_asm *a, enum x64_cc cc, unsigned d)
{
    op_rr(a, 0, REX8(d), 0x0f90 | cc, 0, d);
}

void x64_setcc_m(struct x64_asm *a, enum x64_cc cc, struct x64_mem m)
{
    op_rm(a, 0, 0, 0x0f90 | cc, 0, m, 0);
}

void x64_cmov(struct x64_asm *a, enum x64_cc cc, unsigned size, unsigned d, unsigned s)
{
    op_rr(a, 0, REXW(size), 0x0f40 | cc, d, s);
}

void x64_bt_ri(struct x64_asm *a, unsigned size, unsigned d, unsigned n)
{
    op_rr(a, 0, REXW(size), 0x0fba, 4, d);
    x64_byte(a, n);
}

/* Byte, word, long and quad forms of opcodes whose byte form is opc and wide form opc + 1. */
static void sized_rm(struct x64_asm *a, unsigned size, unsigned opc, struct x64_mem m, unsigned s)
{
    op_rm(a, size == 2 ? 0x66 : 0, size == 1 ? REX8(s) : REXW(size), size == 1 ? opc : opc + 1, s, m,
          0);
}

void x64_xchg_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s)
{
    sized_rm(a, size, 0x86, m, s);
}

void x64_lock(struct x64_asm *a) { x64_byte(a, 0xf0); }

void x64_xadd_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s)
{
    sized_rm(a, size, 0x0fc0, m, s);
}

void x64_cmpxchg_mr(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s)
{
    sized_rm(a, size, 0x0fb0, m, s);
}

void x64_cmpxchg16b(struct x64_asm *a, struct x64_mem m) { op_rm(a, 0, 8, 0x0fc7, 1, m, 0); }

void x64_push(struct x64_asm *a, unsigned r)
{
    if (r >= 8)
        x64_byte(a, 0x41);
    x64_byte(a, 0x50 | (r & 7));
}

void x64_push_imm(struct x64_asm *a, int32_t imm)
{
    x64_byte(a, 0x68);
    x64_u32(a, (uint32_t)imm);
}

void x64_pop(struct x64_asm *a, unsigned r)
{
    if (r >= 8)
        x64_byte(a, 0x41);
    x64_byte(a, 0x58 | (r & 7));
}

void x64_bit_rr(struct x64_asm *a, unsigned opc, unsigned d, unsigned n)
{
    op_rr(a, 0, 0, 0x0f00 | opc, n, d);
}

void x64_x87_m(struct x64_asm *a, unsigned opc, unsigned ext, struct x64_mem m)
{
    op_rm(a, 0, 0, opc, ext, m, 0);
}

void x64_x87_r(struct x64_asm *a, unsigned opc, unsigned modrm)
{
    x64_byte(a, (uint8_t)opc);
    x64_byte(a, (uint8_t)modrm);
}

void x64_mfence(struct x64_asm *a)
{
    x64_lock(a);
    x64_alu_mi(a, ALU_OR, 4, x64_at(RSP, -8), 0);
}

/* --- Control --- */

void x64_jmp(struct x64_asm *a, struct x64_label *l)
{
    x64_byte(a, 0xe9);
    rel32(a, l, 0);
}

void x64_call(struct x64_asm *a, struct x64_label *l)
{
    x64_byte(a, 0xe8);
    rel32(a, l, 0);
}

void x64_jcc(struct x64_asm *a, enum x64_cc cc, struct x64_label *l)
{
    uint8_t *p = begin(a);

    if (!p)
        return;
    *p++ = 0x0f;
    *p++ = (uint8_t)(0x80 | cc);
    end(a, p);
    rel32(a, l, 0);
}

void x64_jmp_r(struct x64_asm *a, unsigned r) { op_rr(a, 0, 0, 0xff, 4, r); }
void x64_jmp_m(struct x64_asm *a, struct x64_mem m) { op_rm(a, 0, 0, 0xff, 4, m, 0); }
void x64_call_m(struct x64_asm *a, struct x64_mem m) { op_rm(a, 0, 0, 0xff, 2, m, 0); }
void x64_call_r(struct x64_asm *a, unsigned r) { op_rr(a, 0, 0, 0xff, 2, r); }

void x64_ret(struct x64_asm *a, unsigned drop)
{
    x64_byte(a, drop ? 0xc2 : 0xc3);
    if (drop) {
        x64_byte(a, drop & 0xff);
        x64_byte(a, drop >> 8);
    }
}

void x64_ud2(struct x64_asm *a)
{
    x64_byte(a, 0x0f);
    x64_byte(a, 0x0b);
}

/* --- Vector --- */

static const unsigned sse_map[4] = { 0, 0x0f, 0x0f38, 0x0f3a };

static void sse_rr(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s)
{
    op_rr(a, vi >> 16 & 0xff, vi & VX_W ? 8 : 0, sse_map[vi >> 8 & 0xff] << 8 | (vi & 0xff), d, s);
}

static void sse_rm(struct x64_asm *a, uint32_t vi, unsigned d, struct x64_mem m, unsigned tail)
{
    op_rm(a, vi >> 16 & 0xff, vi & VX_W ? 8 : 0, sse_map[vi >> 8 & 0xff] << 8 | (vi & 0xff), d, m,
          tail);
}

void x64_v3(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, unsigned s2)
{
    if (a->f.avx || (vi & VX_VEXONLY)) {
        vex_rr(a, vi & ~VX_VEXONLY, d, s1, s2);
    } else {
        x64_vmov(a, d, s1);
        sse_rr(a, vi, d, s2);
    }
}

/* Without AVX, memory operands of arithmetic must be aligned; emitters only use our own aligned data. */
void x64_v3m(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, struct x64_mem m)
{
    if (a->f.avx || (vi & VX_VEXONLY)) {
        vex_rm(a, vi & ~VX_VEXONLY, d, s1, m, 0);
    } else {
        x64_vmov(a, d, s1);
        sse_rm(a, vi, d, m, 0);
    }
}

void x64_v3i(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, unsigned s2, unsigned imm)
{
    x64_v3(a, vi, d, s1, s2);
    x64_byte(a, imm);
}

void x64_v3mi(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s1, struct x64_mem m, unsigned imm)
{
    if (a->f.avx || (vi & VX_VEXONLY)) {
        vex_rm(a, vi & ~VX_VEXONLY, d, s1, m, 1);
    } else {
        x64_vmov(a, d, s1);
        sse_rm(a, vi, d, m, 1);
    }
    x64_byte(a, imm);
}

void x64_v2(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s)
{
    if (a->f.avx || (vi & VX_VEXONLY))
        vex_rr(a, vi & ~VX_VEXONLY, d, 0, s);
    else
        sse_rr(a, vi, d, s);
}

void x64_v2m(struct x64_asm *a, uint32_t vi, unsigned d, struct x64_mem m)
{
    if (a->f.avx || (vi & VX_VEXONLY))
        vex_rm(a, vi & ~VX_VEXONLY, d, 0, m, 0);
    else
        sse_rm(a, vi, d, m, 0);
}

void x64_v2i(struct x64_asm *a, uint32_t vi, unsigned d, unsigned s, unsigned imm)
{
    x64_v2(a, vi, d, s);
    x64_byte(a, imm);
}

void x64_v2mi(struct x64_asm *a, uint32_t vi, unsigned d, struct x64_mem m, unsigned imm)
{
    if (a->f.avx || (vi & VX_VEXONLY))
        vex_rm(a, vi & ~VX_VEXONLY, d, 0, m, 1);
    else
        sse_rm(a, vi, d, m, 1);
    x64_byte(a, imm);
}

void x64_vshift(struct x64_asm *a, uint32_t vi, unsigned ext, unsigned d, unsigned s, unsigned imm)
{
    if (a->f.avx) {
        vex_rr(a, vi, ext, d, s);
    } else {
        x64_vmov(a, d, s);
        sse_rr(a, vi, ext, d);
    }
    x64_byte(a, imm);
}

void x64_vmov(struct x64_asm *a, unsigned d, unsigned s)
{
    if (d != s)
        x64_v2(a, VX(0, 1, 0x28), d, s);
}

void x64_vload(struct x64_asm *a, unsigned d, struct x64_mem m) { x64_v2m(a, VX(0, 1, 0x10), d, m); }
void x64_vstore(struct x64_asm *a, struct x64_mem m, unsigned s) { x64_v2m(a, VX(0, 1, 0x11), s, m); }

void x64_vload_n(struct x64_asm *a, unsigned size, unsigned d, struct x64_mem m)
{
    if (size == 2) /* pinsrw: what is above stays */
        x64_v3mi(a, VX(0x66, 1, 0xc4), d, d, m, 0);
    else
        x64_v2m(a, size == 8 ? VX(0xf3, 1, 0x7e) : VX(0x66, 1, 0x6e), d, m);
}

void x64_vstore_n(struct x64_asm *a, unsigned size, struct x64_mem m, unsigned s)
{
    if (size == 2) /* pextrw */
        x64_v2mi(a, VX(0x66, 3, 0x15), s, m, 0);
    else
        x64_v2m(a, size == 8 ? VX(0x66, 1, 0xd6) : VX(0x66, 1, 0x7e), s, m);
}

void x64_movq_xr(struct x64_asm *a, unsigned size, unsigned d, unsigned s)
{
    x64_v2(a, VX(0x66, 1, 0x6e) | (size == 8 ? VX_W : 0), d, s);
}

void x64_movq_rx(struct x64_asm *a, unsigned size, unsigned d, unsigned s)
{
    x64_v2(a, VX(0x66, 1, 0x7e) | (size == 8 ? VX_W : 0), s, d);
}
