/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES and SHA steps of A64 by those of x86-64 (Intel Software Developer's Manual volume 2, AES-NI and
 * SHA extensions; Arm ARM DDI 0487).  The host cuts its steps elsewhere: comments say how they meet.
 */
#include "host/x86_64/vec_ops.h"

/* --- AES: the host's steps end in a round key, here zero --- */

static void aes_round(struct x64 *x, const struct ir_op *op, uint32_t v, uint32_t last)
{
    struct io r;

    if (!x->a.f.aes) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    vzero(x, T);
    v3(x, PXOR, r.d, r.a, r.b);
    v3(x, last, r.d, r.d, T);
}
void emit_aese(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    aes_round(x, op, v, AESENCLAST);
}
void emit_aesd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    aes_round(x, op, v, AESDECLAST);
}

/*
 * MixColumns: a whole round, after undoing its other half.  When the other half is the value's only
 * reason to be (select.c leaves it to us), the guest's pair of instructions is the host's round.
 */
static void aes_mix(struct x64 *x, const struct ir_op *op, uint32_t v, unsigned half, uint32_t undo,
                    uint32_t round)
{
    uint32_t s = x_resolve(x, op->arg[0]);
    struct io r;

    if (!x->a.f.aes) {
        emit_eval(x, op, v);
        return;
    }
    if (x->ir->ops[s].op == half && (x->val[s].flags & XV_LAZY) && x->val[s].reg == NOREG) {
        r = vec_io2(x, &x->ir->ops[s], v);
        v3(x, PXOR, r.d, r.a, r.b);
    } else {
        r = vec_io1(x, op, v);
        vzero(x, T);
        v3(x, undo, r.d, r.a, T);
    }
    vzero(x, T);
    v3(x, round, r.d, r.d, T);
}
void emit_aesmc(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    aes_mix(x, op, v, IRO_aese, AESDECLAST, AESENC);
}
void emit_aesimc(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint32_t s = x_resolve(x, op->arg[0]);
    struct io r;

    if (x->ir->ops[s].op == IRO_aesd || !x->a.f.aes) {
        aes_mix(x, op, v, IRO_aesd, AESENCLAST, AESDEC);
        return;
    }
    r = vec_io1(x, op, v);
    v2(x, AESIMC, r.d, r.a);
}

/* --- SHA-1: the host keeps lanes in the opposite order --- */

#define REVERSE 0x1b

/* Instructions of the SHA extensions have no VEX form. */
static void sha(struct x64 *x, unsigned opc, unsigned d, unsigned s)
{
    x64_op0f38(&x->a, 0, 4, opc, d, s);
}
enum { SHA1MSG2 = 0xca, SHA256RNDS2 = 0xcb, SHA256MSG1 = 0xcc, SHA256MSG2 = 0xcd };

static void sha1rnds4(struct x64 *x, unsigned d, unsigned s, unsigned function)
{
    x64_byte(&x->a, 0x40 | (d >= 8) << 2 | (s >= 8));
    x64_byte(&x->a, 0x0f);
    x64_byte(&x->a, 0x3a);
    x64_byte(&x->a, 0xcc);
    x64_byte(&x->a, 0xc0 | (d & 7) << 3 | (s & 7));
    x64_byte(&x->a, function);
}

/* The host adds the round constant, which the guest has already added: it is taken off first.  The
 * hash word e joins the first word of the schedule. */
static void sha1_rounds(struct x64 *x, const struct ir_op *op, uint32_t v, unsigned function)
{
    static const uint32_t k[3] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc};
    struct io r;
    unsigned t;

    if (!x->a.f.sha) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io3(x, op, v);
    t = rv_temp(x);
    v2i(x, PSHUFD, t, r.c, REVERSE);
    vshift(x, PSHIFTQ, EXT_SLLDQ, T, r.b, 12);
    v3(x, PADDD, t, t, T);
    v3m(x, PSUBD, t, t, splat(x, 2, k[function]));
    v2i(x, PSHUFD, r.d, r.a, REVERSE);
    sha1rnds4(x, r.d, t, function);
    v2i(x, PSHUFD, r.d, r.d, REVERSE);
}
void emit_sha1c(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sha1_rounds(x, op, v, 0);
}
void emit_sha1p(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sha1_rounds(x, op, v, 1);
}
void emit_sha1m(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sha1_rounds(x, op, v, 2);
}
void emit_sha1h(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    vshift(x, PSHIFTD, EXT_SLL, T, r.a, 30);
    vshift(x, PSHIFTD, EXT_SRL, r.d, r.a, 2);
    v3(x, POR, r.d, r.d, T);
    v3i(x, INSERTPS, r.d, r.d, r.d, 0x0e);
}
void emit_sha1su0(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io3(x, op, v);

    v3i(x, PALIGNR, r.d, r.b, r.a, 8);
    v3(x, PXOR, r.d, r.d, r.a);
    v3(x, PXOR, r.d, r.d, r.c);
}
void emit_sha1su1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (!x->a.f.sha) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    v2i(x, PSHUFD, r.d, r.a, REVERSE);
    v2i(x, PSHUFD, T, r.b, REVERSE);
    sha(x, SHA1MSG2, r.d, T);
    v2i(x, PSHUFD, r.d, r.d, REVERSE);
}

/* --- SHA-256 --- */

/* The guest keeps a b c d and e f g h, the host f e b a (T) and h g d c (d), lane 0 first.  Two
 * rounds turn the second into the first's successor, and the first is the second's. */
static void sha256_rounds(struct x64 *x, const struct ir_op *op, uint32_t v, bool upper)
{
    unsigned xmm0 = 0, abcd, efgh;
    struct io r = {0};

    if (!x->a.f.sha) {
        emit_eval(x, op, v);
        return;
    }
    r.a = rv_use(x, op->arg[0]);
    r.b = rv_use(x, op->arg[1]);
    r.c = rv_use(x, op->arg[2]);
    ra_take(x, X_XMM + xmm0); /* an operand that is there stays readable until xmm0 is written */
    r.d = rv_def(x, v);
    abcd = upper ? r.b : r.a;
    efgh = upper ? r.a : r.b;
    v3i(x, SHUFPS, r.d, efgh, abcd, 0xbb);
    v3i(x, SHUFPS, T, efgh, abcd, 0x11);
    vmov(x, xmm0, r.c);
    sha(x, SHA256RNDS2, r.d, T);
    v2i(x, PSHUFD, xmm0, xmm0, 0x0e);
    sha(x, SHA256RNDS2, T, r.d);
    v3i(x, SHUFPS, T, T, r.d, upper ? 0x11 : 0xbb);
    vmov(x, r.d, T);
}
void emit_sha256h(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sha256_rounds(x, op, v, false);
}
void emit_sha256h2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sha256_rounds(x, op, v, true);
}
void emit_sha256su0(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (!x->a.f.sha) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    vmov(x, r.d, r.a);
    sha(x, SHA256MSG1, r.d, r.b);
}
void emit_sha256su1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (!x->a.f.sha) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io3(x, op, v);
    v3i(x, PALIGNR, r.d, r.c, r.b, 4);
    v3(x, PADDD, r.d, r.d, r.a);
    sha(x, SHA256MSG2, r.d, r.c);
}
