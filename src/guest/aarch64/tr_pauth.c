/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointer authentication (FEAT_PAuth with QARMA5; Arm ARM DDI 0487, D8.10 and J1 AddPAC, Auth, Strip).
 *
 * Linux runs programs with 48-bit addresses and with the top byte ignored for data and code, so the
 * code lives in bits 54..48; bit 55 says which half.  In machines whose addresses are of more bits (A64_MODE_WIDE) it lives in 54..52.
 *
 * The code may be computed by any algorithm.  QARMA5 costs hundreds of host instructions, and compilers
 * sign every return address; so by default it is a keyed hash of two multiplications, done in line.
 */
#include "guest/aarch64/pauth.h"
#include "guest/aarch64/lift_system.h"

#include "base/crypto.h"

static uint64_t canonical(uint64_t ptr, uint64_t field)
{
    return ptr >> 55 & 1 ? ptr | field : ptr & ~field;
}

static uint64_t compute(struct cpu *cpu, uint64_t ptr, uint64_t modifier, unsigned key)
{
    const uint64_t *k = &a64(cpu)->pac_keys[2 * key];

    return crypto_qarma5(ptr, modifier, k[1], k[0]);
}

/* AddPAC().  A pointer that was not canonical gets a code with its top bit wrong on purpose. */
uint64_t help_pac_add(struct cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key)
{
    uint64_t field = a64_pac_field(cpu->mode), good = canonical(ptr, field);
    uint64_t pac = compute(cpu, good, modifier, key);

    if (good != ptr)
        pac ^= 1ull << 54;
    return (ptr & ~field) | (pac & field);
}

/* Auth().  Failure leaves a pointer that faults when used: an error code in bits 54 and 53. */
uint64_t help_pac_auth(struct cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key)
{
    uint64_t field = a64_pac_field(cpu->mode), good = canonical(ptr, field);
    uint64_t error = key & 1 ? 2 : 1;

    if (((compute(cpu, good, modifier, key) ^ ptr) & field) == 0)
        return good;
    return (good & ~(3ull << 53)) | error << 53;
}

uint64_t help_pac_ga(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return compute(cpu, a, b, PAC_GA) & 0xffffffff00000000;
}

/* Strip(): the code's bits become copies of bit 55. */
static ir_val strip(struct a64_tr *t, ir_val ptr)
{
    ir_val high = a64_shifted(t, a64_shifted(t, ptr, A64_LSL, 8), A64_ASR, 63);
    uint64_t field = a64_pac_field(t->mode);

    /* The top byte is a tag in the lower half only (TBI0 without TBI1). */
    return ir_or(t->ir, ir_and_imm(t->ir, ptr, ~field),
                 ir_and_imm(t->ir, high, field | 0xffull << 56));
}

/* quick_code() below, in C. */
static uint64_t quick(struct cpu *cpu, uint64_t ptr, uint64_t modifier, unsigned key)
{
    const uint64_t *k = &a64(cpu)->pac_keys[2 * key];
    uint64_t x = (ptr ^ k[1]) + (modifier + k[0]) * 0x9e3779b97f4a7c15;

    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    return x >> 9 & a64_pac_field(cpu->mode);
}

uint64_t a64_pac_by_hand(struct cpu *cpu, uint64_t ptr, uint64_t modifier, unsigned key)
{
    uint64_t good = canonical(ptr, a64_pac_field(cpu->mode)) | (ptr >> 55 & 1 ? 0xffull << 56 : 0);
    unsigned k = key & ~(unsigned)PAC_AUTH;

    if (cpu->mode & A64_MODE_QARMA5)
        return key & PAC_AUTH ? help_pac_auth(cpu, ptr, modifier, k) : help_pac_add(cpu, ptr, modifier, k);
    if (!(key & PAC_AUTH))
        return ptr ^ quick(cpu, good, modifier, k);
    return (ptr ^ good) == quick(cpu, good, modifier, k) ? good : (good & ~(3ull << 53)) | (k & 1 ? 2ull : 1) << 53;
}

/* The quick function; gives the code at its place.  The fold between the multiplications lets the high
 * bits of pointer and modifier count as well: products carry upwards only. */
static ir_val quick_code(struct a64_tr *t, ir_val ptr, ir_val modifier, enum a64_pac_key key)
{
    struct ir *ir = t->ir;
    ir_val lo = ir_get(ir, A64_PAC_KEYS + 2 * key), hi = ir_get(ir, A64_PAC_KEYS + 2 * key + 1);
    ir_val m = ir_bin(ir, IRO_mul, ir_add(ir, modifier, lo), a64_const(t, 0x9e3779b97f4a7c15));
    ir_val x = ir_add(ir, ir_xor(ir, ptr, hi), m);

    x = ir_xor(ir, x, a64_shifted(t, x, A64_LSR, 32));
    x = ir_bin(ir, IRO_mul, x, a64_const(t, 0xd6e8feb86659fd93));
    return ir_and_imm(ir, a64_shifted(t, x, A64_LSR, 9), a64_pac_field(t->mode));
}

/* In a machine, are there keys that SCTLR_ELx does not enable? */
static bool checked(const struct a64_tr *t)
{
    return (t->mode & (A64_MODE_SYSTEM | A64_MODE_PAC)) == A64_MODE_SYSTEM;
}

/* Before anything is changed: the use of @key may be EL2's business. */
static void ask(struct a64_tr *t, unsigned key)
{
    if ((t->mode & (A64_MODE_SYSTEM | A64_MODE_PAC | A64_MODE_TRAPS)) == (A64_MODE_SYSTEM | A64_MODE_TRAPS))
        ir_call(t->ir, A64_HELP_pac_trap, a64_const(t, t->pc), a64_const(t, key), IR_NONE);
}

/*
 * AddPAC() and Auth() in line.  The code is XORed onto the extension bits: one that was not canonical
 * before it was signed cannot come out canonical, which is what the manual corrupts the code for.
 */
ir_val a64_pac_add(struct a64_tr *t, ir_val ptr, ir_val modifier, enum a64_pac_key key)
{
    ask(t, key);
    if (checked(t))
        return ir_call(t->ir, A64_HELP_pac_check, ptr, modifier, a64_const(t, key));
    if (t->mode & A64_MODE_QARMA5)
        return ir_call(t->ir, A64_HELP_pac_add, ptr, modifier, a64_const(t, key));
    return ir_xor(t->ir, ptr, quick_code(t, strip(t, ptr), modifier, key));
}

ir_val a64_pac_auth(struct a64_tr *t, ir_val ptr, ir_val modifier, enum a64_pac_key key)
{
    struct ir *ir = t->ir;
    uint64_t error = key & 1 ? 2 : 1;
    ir_val good, code, failed;

    ask(t, key);
    if (checked(t))
        return ir_call(ir, A64_HELP_pac_check, ptr, modifier, a64_const(t, key | PAC_AUTH));
    if (t->mode & A64_MODE_QARMA5)
        return ir_call(ir, A64_HELP_pac_auth, ptr, modifier, a64_const(t, key));
    good = strip(t, ptr);
    code = quick_code(t, good, modifier, key);
    failed = ir_and_imm(ir, good, ~(3ull << 53));
    failed = ir_or(ir, failed, a64_const(t, error << 53));
    return ir_select(ir, ir_cmp(ir, IRO_eq, ir_xor(ir, ptr, good), code), good, failed);
}

static ir_val add_or_auth(struct a64_tr *t, bool auth, ir_val ptr, ir_val modifier, unsigned key)
{
    return auth ? a64_pac_auth(t, ptr, modifier, key) : a64_pac_add(t, ptr, modifier, key);
}

void tr_pac_reg(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, add_or_auth(t, f->a, a64_x(t, f->d), a64_x_sp(t, f->n), f->k));
}

void tr_pac_zero(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, add_or_auth(t, f->a, a64_x(t, f->d), a64_const(t, 0), f->k));
}

/* PACIA1716 and friends: X17 under X16. */
void tr_pac_1716(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, 17, add_or_auth(t, f->a, a64_x(t, 17), a64_x(t, 16), f->k));
}

/* PACIASP, PACIAZ and friends: X30 under SP or zero. */
void tr_pac_sp(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val modifier = f->s ? a64_x_sp(t, 31) : a64_const(t, 0);

    a64_set_r(t, 30, add_or_auth(t, f->a, a64_x(t, 30), modifier, f->k));
}

void tr_pacga(struct a64_tr *t, const struct a64_fields *f)
{
    ask(t, PAC_GA);
    a64_set_r(t, f->d, ir_call(t->ir, A64_HELP_pac_ga, a64_x(t, f->n), a64_x_sp(t, f->m), IR_NONE));
}

void tr_xpac(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, strip(t, a64_x(t, f->d)));
}

void tr_xpaclri(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, 30, strip(t, a64_x(t, 30)));
}

/* LDRAA, LDRAB: the base is authenticated under zero; write-back stores the authenticated address. */
void tr_ldraa(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val base = a64_pac_auth(t, a64_x_sp(t, f->n), a64_const(t, 0), f->k ? PAC_DB : PAC_DA);
    ir_val addr = ir_add_imm(t->ir, base, 8 * a64_sext(f->i, 10));
    ir_val v = a64_load(t, IR_I64, ir_mem(3, false, IR_RELAXED), addr);

    if (f->w)
        a64_write_back(t, f->n, addr);
    a64_set_r(t, f->t, v);
}
