/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes that move, change width or meet, on SSE4.2, AVX and AVX2 (AMD64 Architecture Programmer's
 * Manual, volume 4).  See emit_vec.c for the conventions and the table.
 */
#include "host/x86_64/vec_ops.h"

/* --- Between scalars and vectors --- */

/* d = lane 0 of s, everything above it zero. */
static void keep_low(struct x64 *x, unsigned lane, unsigned d, unsigned s)
{
    if (lane == 3)
        v2(x, MOVQ, d, s);
    else if (lane == 2)
        v3i(x, INSERTPS, d, s, s, 0x0e);
    else
        v3m(x, PAND, d, s, x_vconst(x, lane ? 0xffff : 0xff, 0));
}
static unsigned float_lane(unsigned type)
{
    return type == IR_F64 ? 3 : type == IR_F32 ? 2 : 1;
}

void emit_vfromf(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    keep_low(x, float_lane(x->ir->ops[op->arg[0]].type), r.d, r.a);
}
/* Bits above a scalar's width are undefined: nothing to do. */
void emit_vtof(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    rv_use_def(x, v, op->arg[0]);
}
void emit_vfromi(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned g = ra_use(x, op->arg[0]), d = rv_def(x, v);

    x64_movq_xr(&x->a, x_size(x->ir->ops[op->arg[0]].type), d, g);
}
void emit_fbits(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned from = x->ir->ops[op->arg[0]].type;

    if (ir_is_int(op->type)) {
        unsigned s = rv_use(x, op->arg[0]), g = ra_def(x, v);

        x64_movq_rx(&x->a, from == IR_F64 ? x_size(op->type) : 4, g, s);
        if (from == IR_F16)
            x64_movzx(&x->a, 2, g, g);
    } else {
        unsigned g = ra_use(x, op->arg[0]), d = rv_def(x, v);

        x64_movq_xr(&x->a, op->type == IR_F64 ? x_size(from) : 4, d, g);
    }
}

/* General register g = lane @i of s, zero-extended. */
static void extract(struct x64 *x, unsigned lane, unsigned g, unsigned s, unsigned i)
{
    static const uint32_t pextr[4] = {PEXTRB, PEXTRW, PEXTRD, PEXTRD};

    if (i == 0 && lane >= 2)
        x64_movq_rx(&x->a, lane == 3 ? 8 : 4, g, s);
    else
        x64_v2i(&x->a, pextr[lane] | (lane == 3 ? VX_W : 0), s, g, i);
}
/* d = s with lane @i replaced by general register g. */
static void insert(struct x64 *x, unsigned lane, unsigned d, unsigned s, unsigned g, unsigned i)
{
    static const uint32_t pinsr[4] = {PINSRB, PINSRW, PINSRD, PINSRD};

    x64_v3i(&x->a, pinsr[lane] | (lane == 3 ? VX_W : 0), d, s, g, i);
}

void emit_vget(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned s = rv_use(x, op->arg[0]), g = ra_def(x, v);

    if (op->lane == 3 && op->type == IR_I32) /* its low half */
        extract(x, 2, g, s, 2 * (unsigned)op->imm);
    else
        extract(x, op->lane, g, s, (unsigned)op->imm);
}
void emit_vgets(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned g, lane = op->lane;

    if (lane == 3 || (lane == 2 && op->type == IR_I32)) {
        emit_vget(x, op, v);
        return;
    }
    unsigned s = rv_use(x, op->arg[0]);

    g = ra_def(x, v);
    extract(x, lane, g, s, (unsigned)op->imm);
    x64_movsx(&x->a, 1u << lane, x_size(op->type), g, g);
}
void emit_vset(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned g = ra_use(x, op->arg[1]), d, s;

    if (!x->a.f.avx || ra_dies(x, op->arg[0])) {
        s = d = rv_use_def(x, v, op->arg[0]);
    } else {
        s = rv_use(x, op->arg[0]);
        d = rv_def(x, v);
    }
    insert(x, op->lane, d, s, g, (unsigned)op->imm);
}
void emit_vmov(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned to = op->imm & 15, from = op->imm >> 4 & 15;
    struct io r = vec_io2(x, op, v);

    if (op->lane == 2) {
        v3i(x, INSERTPS, r.d, r.a, r.b, from << 6 | to << 4);
    } else if (op->lane == 3) {
        if (to == from)
            v3i(x, PBLENDW, r.d, r.a, r.b, to ? 0xf0 : 0x0f);
        else if (to)
            v3(x, PUNPCKLQDQ, r.d, r.a, r.b);
        else
            v3i(x, SHUFPD, r.d, r.b, r.a, 3);
    } else {
        extract(x, op->lane, X_SCRATCH, r.b, from);
        insert(x, op->lane, r.d, r.a, X_SCRATCH, to);
    }
}

/* Lane @i of s in every lane of d. */
static void broadcast(struct x64 *x, unsigned lane, unsigned d, unsigned s, unsigned i)
{
    static const uint32_t vpbroadcast[4] = {VPBROADCASTB, VPBROADCASTW, VPBROADCASTD, VPBROADCASTQ};
    static const uint32_t first[2] = {0x00000000, 0x01000100};

    if (i == 0 && x->a.f.avx2) {
        v2(x, vpbroadcast[lane] | VX_VEXONLY, d, s);
    } else if (lane >= 2) {
        v2i(x, PSHUFD, d, s, lane == 3 ? i ? 0xee : 0x44 : i * 0x55);
    } else {
        uint64_t index = splat64(2, first[lane]) + splat64(0, i << lane);

        v3m(x, PSHUFB, d, s, x_vconst(x, index, index));
    }
}
void emit_vdup(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned g = ra_use(x, op->arg[0]), d = rv_def(x, v);

    x64_movq_xr(&x->a, op->lane == 3 ? 8 : 4, d, g);
    broadcast(x, op->lane, d, d, 0);
}
void emit_vdupl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    broadcast(x, op->lane, r.d, r.a, (unsigned)op->imm);
}
void emit_vlow(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    keep_low(x, op->lane, r.d, r.a);
}
void emit_vhigh(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    vshift(x, PSHIFTQ, EXT_SRLDQ, r.d, r.a, 8);
}

/* --- Narrowing --- */

void emit_vxtn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint64_t index[3] = {0x0e0c0a0806040200, 0x0d0c090805040100, 0x0b0a090803020100};
    struct io r = vec_io1(x, op, v);

    v3m(x, PSHUFB, r.d, r.a, x_vconst(x, index[op->lane], 0x8080808080808080));
}

/* Packs to b and h lanes saturate by themselves; unsigned inputs are cut to what they take for
 * positive. */
static void narrow(struct x64 *x, const struct ir_op *op, uint32_t v, uint32_t to_b, uint32_t to_h,
                   bool cut)
{
    struct io r;
    unsigned s;

    if (op->lane > 1) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    s = r.a;
    if (cut) {
        v3m(x, op->lane ? PMINUD : PMINUW, r.d, s, splat(x, op->lane + 1, op->lane ? 0xffff : 0xff));
        s = r.d;
    }
    vzero(x, T);
    v3(x, op->lane ? to_h : to_b, r.d, s, T);
}
void emit_vuqxtn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    narrow(x, op, v, PACKUSWB, PACKUSDW, true);
}
void emit_vsqxtn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    narrow(x, op, v, PACKSSWB, PACKSSDW, false);
}
void emit_vsqxtun(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    narrow(x, op, v, PACKUSWB, PACKUSDW, false);
}

/* --- Long products --- */

static void multiply_long(struct x64 *x, unsigned lane, struct io r, bool sign)
{
    switch (lane) {
    case 0:
        v2(x, sign ? PMOVSXBW : PMOVZXBW, T, r.a);
        v2(x, sign ? PMOVSXBW : PMOVZXBW, r.d, r.b);
        v3(x, PMULLW, r.d, r.d, T);
        break;
    case 1:
        v3(x, sign ? PMULHW : PMULHUW, T, r.a, r.b);
        v3(x, PMULLW, r.d, r.a, r.b);
        v3(x, PUNPCKLWD, r.d, r.d, T);
        break;
    default: /* lanes 0 and 1 to the even places */
        v2i(x, PSHUFD, T, r.a, 0x10);
        v2i(x, PSHUFD, r.d, r.b, 0x10);
        v3(x, sign ? PMULDQ : PMULUDQ, r.d, r.d, T);
        break;
    }
}
void emit_vumull(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    multiply_long(x, op->lane, vec_io2(x, op, v), false);
}
void emit_vsmull(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    multiply_long(x, op->lane, vec_io2(x, op, v), true);
}
void emit_vsqdmull(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    multiply_long(x, op->lane, r, true);
    v3(x, op->lane == 1 ? PADDD : PADDQ, r.d, r.d, r.d);
    vec_fix_min(x, op->lane + 1, r.d);
}
void emit_vpmull(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (op->lane != 3 || !x->a.f.pclmul) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    v3i(x, PCLMULQDQ, r.d, r.a, r.b, 0);
}

/* --- Pairs --- */

/* d = sums of adjacent lanes of s in double width; T is clobbered. */
static void add_pairs(struct x64 *x, unsigned lane, unsigned d, unsigned s, bool sign)
{
    if (lane == 0 && sign) {
        x64_vload(&x->a, T, splat(x, 0, 1));
        v3(x, PMADDUBSW, T, T, s);
        vmov(x, d, T);
    } else if (lane == 0) {
        v3m(x, PMADDUBSW, d, s, splat(x, 0, 1));
    } else if (lane == 1 && sign) {
        v3m(x, PMADDWD, d, s, splat(x, 1, 1));
    } else if (lane == 2 && sign) {
        v2i(x, PSHUFD, T, s, 0x08);
        v2i(x, PSHUFD, d, s, 0x0d);
        v2(x, PMOVSXDQ, T, T);
        v2(x, PMOVSXDQ, d, d);
        v3(x, PADDQ, d, d, T);
    } else {
        vshift(x, lane == 1 ? PSHIFTD : PSHIFTQ, EXT_SRL, T, s, 8u << lane);
        v3m(x, PAND, d, s, splat(x, lane + 1, lane == 1 ? 0xffff : 0xffffffff));
        v3(x, lane == 1 ? PADDD : PADDQ, d, d, T);
    }
}
void emit_vuaddlp(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    add_pairs(x, op->lane, r.d, r.a, false);
}
void emit_vsaddlp(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    add_pairs(x, op->lane, r.d, r.a, true);
}

/* d = even or odd bytes of s as words. */
static void bytes_of_words(struct x64 *x, unsigned d, unsigned s, bool odd, bool sign)
{
    if (!sign && !odd) {
        v3m(x, PAND, d, s, splat(x, 1, 0xff));
        return;
    }
    if (!odd) {
        vshift(x, PSHIFTW, EXT_SLL, d, s, 8);
        s = d;
    }
    vshift(x, PSHIFTW, sign ? EXT_SRA : EXT_SRL, d, s, 8);
}
static void dot(struct x64 *x, const struct ir_op *op, uint32_t v, bool sign)
{
    struct io r = vec_io3(x, op, v);
    unsigned t = rv_temp(x);

    bytes_of_words(x, T, r.b, false, sign);
    bytes_of_words(x, t, r.c, false, sign);
    v3(x, PMADDWD, T, T, t);
    v3(x, PADDD, r.d, r.a, T);
    bytes_of_words(x, T, r.b, true, sign);
    bytes_of_words(x, t, r.c, true, sign);
    v3(x, PMADDWD, T, T, t);
    v3(x, PADDD, r.d, r.d, T);
}
void emit_vudot(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    dot(x, op, v, false);
}
void emit_vsdot(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    dot(x, op, v, true);
}

/* --- Across lanes --- */

static bool whole_or_half(const struct ir_op *op)
{
    return op->imm << op->lane == 16 || op->imm << op->lane == 8;
}

/* d = d combined with itself, halves exchanged, then lanes of each half, down to @lane. */
static void fold(struct x64 *x, uint32_t how, unsigned lane, unsigned bytes, unsigned d)
{
    if (bytes == 16) {
        v2i(x, PSHUFD, T, d, 0x4e);
        v3(x, how, d, d, T);
    }
    if (lane <= 2) {
        v2i(x, PSHUFD, T, d, 0xb1);
        v3(x, how, d, d, T);
    }
    if (lane <= 1) {
        vshift(x, PSHIFTD, EXT_SRL, T, d, 16);
        v3(x, how, d, d, T);
    }
    if (lane == 0) {
        vshift(x, PSHIFTW, EXT_SRL, T, d, 8);
        v3(x, how, d, d, T);
    }
}

/* Sums of bytes: the host adds up eight unsigned ones at a time; signed ones are biased. */
static void add_bytes(struct x64 *x, const struct ir_op *op, unsigned d, unsigned s, bool sign)
{
    if (sign) {
        v3m(x, PXOR, d, s, splat(x, 0, 0x80));
        s = d;
    }
    vzero(x, T);
    v3(x, PSADBW, d, s, T);
    fold(x, PADDD, 3, (unsigned)op->imm, d);
    if (sign)
        v3m(x, PSUBD, d, d, x_vconst(x, op->imm * 0x80, 0));
}

static void add_long(struct x64 *x, const struct ir_op *op, uint32_t v, bool sign)
{
    struct io r;

    if (!whole_or_half(op) || op->lane > 2) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    if (op->lane == 0) {
        add_bytes(x, op, r.d, r.a, sign);
    } else {
        add_pairs(x, op->lane, r.d, r.a, sign);
        fold(x, op->lane == 1 ? PADDD : PADDQ, op->lane + 1, (unsigned)op->imm << op->lane, r.d);
    }
    keep_low(x, op->lane + 1, r.d, r.d);
}
void emit_vuaddlv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    add_long(x, op, v, false);
}
void emit_vsaddlv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    add_long(x, op, v, true);
}
void emit_vaddv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned bytes = (unsigned)op->imm << op->lane;
    struct io r;

    if (!whole_or_half(op)) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    if (op->lane == 0) {
        add_bytes(x, op, r.d, r.a, false);
    } else if (op->lane == 1) {
        add_pairs(x, 1, r.d, r.a, true);
        fold(x, PADDD, 2, bytes, r.d);
    } else {
        vmov(x, r.d, r.a);
        fold(x, op->lane == 2 ? PADDD : PADDQ, op->lane, bytes, r.d);
    }
    keep_low(x, op->lane, r.d, r.d);
}

static void extreme(struct x64 *x, const struct ir_op *op, uint32_t v, const uint32_t *how)
{
    struct io r;

    if (!whole_or_half(op) || op->lane > 2) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    vmov(x, r.d, r.a);
    fold(x, how[op->lane], op->lane, (unsigned)op->imm << op->lane, r.d);
    keep_low(x, op->lane, r.d, r.d);
}
void emit_vumaxv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t how[3] = {PMAXUB, PMAXUW, PMAXUD};

    extreme(x, op, v, how);
}
void emit_vsmaxv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t how[3] = {PMAXSB, PMAXSW, PMAXSD};

    extreme(x, op, v, how);
}
void emit_vuminv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t how[3] = {PMINUB, PMINUW, PMINUD};

    extreme(x, op, v, how);
}
void emit_vsminv(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t how[3] = {PMINSB, PMINSW, PMINSD};

    extreme(x, op, v, how);
}

/* --- Permutations --- */

/* Lanes @odd of double-width lanes, packed. */
static void unzip(struct x64 *x, const struct ir_op *op, uint32_t v, bool odd)
{
    struct io r;

    if (op->lane == 3) {
        vec_native2(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    if (op->lane == 2) {
        v3i(x, SHUFPS, r.d, r.a, r.b, odd ? 0xdd : 0x88);
        return;
    }
    if (odd) {
        if (r.a != r.b)
            vshift(x, op->lane ? PSHIFTD : PSHIFTW, EXT_SRL, T, r.b, 8u << op->lane);
        vshift(x, op->lane ? PSHIFTD : PSHIFTW, EXT_SRL, r.d, r.a, 8u << op->lane);
    } else {
        struct x64_mem even = splat(x, op->lane + 1, op->lane ? 0xffff : 0xff);

        if (r.a != r.b)
            v3m(x, PAND, T, r.b, even);
        v3m(x, PAND, r.d, r.a, even);
    }
    v3(x, op->lane ? PACKUSDW : PACKUSWB, r.d, r.d, r.a == r.b ? r.d : T);
}
void emit_vuzp1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unzip(x, op, v, false);
}
void emit_vuzp2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unzip(x, op, v, true);
}

/* d = @low in even lanes, @high in odd ones; d is one of them. */
static void blend_lanes(struct x64 *x, unsigned lane, unsigned d, unsigned low, unsigned high)
{
    v3i(x, PBLENDW, d, low, high, lane == 2 ? 0xcc : 0xaa);
}
void emit_vtrn1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t shift[3] = {PSHIFTW, PSHIFTD, PSHIFTQ};
    struct io r;

    if (op->lane == 3) {
        vec_native2(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    vshift(x, shift[op->lane], EXT_SLL, T, r.b, 8u << op->lane);
    if (op->lane == 0) {
        v3m(x, PAND, r.d, r.a, splat(x, 1, 0xff));
        v3(x, POR, r.d, r.d, T);
    } else {
        blend_lanes(x, op->lane, r.d, r.a, T);
    }
}
void emit_vtrn2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    static const uint32_t shift[3] = {PSHIFTW, PSHIFTD, PSHIFTQ};
    struct io r;

    if (op->lane == 3) {
        vec_native2(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    vshift(x, shift[op->lane], EXT_SRL, r.d, r.a, 8u << op->lane);
    if (op->lane == 0) {
        v3m(x, PAND, T, r.b, splat(x, 1, 0xff00));
        v3(x, POR, r.d, r.d, T);
    } else {
        blend_lanes(x, op->lane, r.d, r.d, r.b);
    }
}
void emit_vext(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    v3i(x, PALIGNR, r.d, r.b, r.a, (unsigned)op->imm);
}

/* The host gives zero where bit 7 of the index is set: saturation sets it from 16 on. */
void emit_vtbl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    v3m(x, PADDUSB, T, r.b, splat(x, 0, 0x70));
    v3(x, PSHUFB, r.d, r.a, T);
}

/* Byte i comes from lane (i ^ mask) of its container, kept whole. */
void emit_vrev(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);
    unsigned flip = ((1u << op->imm) - 1) & ~((1u << op->lane) - 1);
    union ir_u index;

    for (unsigned i = 0; i < 16; i++)
        index.b[i] = (uint8_t)(i ^ flip);
    if (op->lane == 2)
        v2i(x, PSHUFD, r.d, r.a, 0xb1);
    else
        v3m(x, PSHUFB, r.d, r.a, x_vconst(x, index.d[0], index.d[1]));
}
