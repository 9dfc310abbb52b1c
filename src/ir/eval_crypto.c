/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cryptographic operations: the operands of the A64 instructions, handed to base/crypto.h. */
#include "base/crypto.h"
#include "ir/eval_vec_priv.h"

/* Vd comes in as the first operand where the instruction reads it, and goes out as the result. */
static union vec128 *d_from(union ir_u *r, const union ir_u *a)
{
    *r = *a;
    return (union vec128 *)r;
}
static const union vec128 *v(const union ir_u *a)
{
    return (const union vec128 *)a;
}

EVAL(aese)
{
    crypto_aese(d_from(r, a), v(&a[1]));
}
EVAL(aesd)
{
    crypto_aesd(d_from(r, a), v(&a[1]));
}
EVAL(aesmc)
{
    crypto_aesmc((union vec128 *)r, v(a));
}
EVAL(aesimc)
{
    crypto_aesimc((union vec128 *)r, v(a));
}

EVAL(sha1c)
{
    crypto_sha1c(d_from(r, a), a[1].s[0], v(&a[2]));
}
EVAL(sha1p)
{
    crypto_sha1p(d_from(r, a), a[1].s[0], v(&a[2]));
}
EVAL(sha1m)
{
    crypto_sha1m(d_from(r, a), a[1].s[0], v(&a[2]));
}
EVAL(sha1h)
{
    r->q = crypto_sha1h(a[0].s[0]);
}
EVAL(sha1su0)
{
    crypto_sha1su0(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sha1su1)
{
    crypto_sha1su1(d_from(r, a), v(&a[1]));
}

EVAL(sha256h)
{
    crypto_sha256h(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sha256h2)
{
    crypto_sha256h2(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sha256su0)
{
    crypto_sha256su0(d_from(r, a), v(&a[1]));
}
EVAL(sha256su1)
{
    crypto_sha256su1(d_from(r, a), v(&a[1]), v(&a[2]));
}

EVAL(sha512h)
{
    crypto_sha512h(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sha512h2)
{
    crypto_sha512h2(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sha512su0)
{
    crypto_sha512su0(d_from(r, a), v(&a[1]));
}
EVAL(sha512su1)
{
    crypto_sha512su1(d_from(r, a), v(&a[1]), v(&a[2]));
}

EVAL(sm3ss1)
{
    crypto_sm3ss1((union vec128 *)r, v(&a[0]), v(&a[1]), v(&a[2]));
}
EVAL(sm3tt1a)
{
    crypto_sm3tt1a(d_from(r, a), v(&a[1]), v(&a[2]), how->imm);
}
EVAL(sm3tt1b)
{
    crypto_sm3tt1b(d_from(r, a), v(&a[1]), v(&a[2]), how->imm);
}
EVAL(sm3tt2a)
{
    crypto_sm3tt2a(d_from(r, a), v(&a[1]), v(&a[2]), how->imm);
}
EVAL(sm3tt2b)
{
    crypto_sm3tt2b(d_from(r, a), v(&a[1]), v(&a[2]), how->imm);
}
EVAL(sm3partw1)
{
    crypto_sm3partw1(d_from(r, a), v(&a[1]), v(&a[2]));
}
EVAL(sm3partw2)
{
    crypto_sm3partw2(d_from(r, a), v(&a[1]), v(&a[2]));
}

EVAL(sm4e)
{
    crypto_sm4e(d_from(r, a), v(&a[1]));
}
EVAL(sm4ekey)
{
    crypto_sm4ekey((union vec128 *)r, v(&a[0]), v(&a[1]));
}
