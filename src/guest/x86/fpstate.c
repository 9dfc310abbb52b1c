/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating-point state: MXCSR, and the images that FXSAVE and FNSAVE keep in memory (SDM 1, 8.1.10, 10.2.3 and 10.5.1). */
#include "guest/x86/x87.h"

#include "base/fp_x86.h"
#include "cpu/fpmode.h"

#include <string.h>

/* --- MXCSR: flags are cpu->fp's, at other places --- */

uint32_t x86_get_mxcsr(struct cpu *cpu)
{
    fpmode_gather(&cpu->fp);
    return x86(cpu)->mxcsr | mxcsr_of_fp_flags(cpu->fp.flags);
}

void x86_set_mxcsr(struct cpu *cpu, uint32_t v)
{
    uint32_t mode = ~v & MXCSR_MASKS ? X86_MODE_FP_SLOW : 0;

    fpmode_gather(&cpu->fp);
    x86(cpu)->mxcsr = v & MXCSR_ALL & ~(uint32_t)MXCSR_FLAGS;
    cpu->fp.flags = fp_flags_of_mxcsr(v);
    cpu->fp.nan_rule = FP_NAN_X86;
    fp_control_of_mxcsr(&cpu->fp, v);
    fpmode_load(&cpu->fp);
    if ((cpu->mode & X86_MODE_FP_SLOW) != mode)
        cpu_set_mode(cpu, (cpu->mode & ~(uint32_t)X86_MODE_FP_SLOW) | mode);
}

/* --- Bytes --- */

static void put16(uint8_t *p, uint16_t v)
{
    memcpy(p, &v, 2);
}

static void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, 2);
    return v;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static uint16_t status_word(const struct x86_state *s)
{
    return (uint16_t)((s->fsw & ~(7u << 11)) | (s->ftop & 7u) << 11);
}

static void set_status_word(struct x86_state *s, uint16_t v)
{
    s->fsw = (uint16_t)(v & ~(7u << 11));
    s->ftop = v >> 11 & 7;
}

void x86_fninit(struct cpu *cpu)
{
    struct x86_state *s = x86(cpu);

    s->fcw = 0x37f;
    s->fsw = s->fcs = s->fds = 0;
    s->fop = 0;
    s->ftop = s->ftag = 0;
    s->fip = s->fdp = 0;
    x87_mode(cpu);
}

/* --- FXSAVE --- */

static void put_x87(const struct x86_state *s, uint8_t *p, bool code64)
{
    put16(p, s->fcw);
    put16(p + 2, status_word(s));
    p[4] = s->ftag;
    p[5] = 0;
    put16(p + 6, (uint16_t)s->fop);
    memcpy(p + 8, &s->fip, 8);
    memcpy(p + 16, &s->fdp, 8);
    if (!code64) {
        put32(p + 12, s->fcs);
        put32(p + 20, s->fds);
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memset(p + 32 + 16 * i, 0, 16);
        memcpy(p + 32 + 16 * i, &r->mantissa, 8);
        put16(p + 40 + 16 * i, r->exponent);
    }
}

static void get_x87(struct x86_state *s, const uint8_t *p, bool code64)
{
    s->fcw = get16(p);
    set_status_word(s, get16(p + 2));
    s->ftag = p[4];
    s->fop = get16(p + 6) & 0x7ff;
    memcpy(&s->fip, p + 8, 8);
    memcpy(&s->fdp, p + 16, 8);
    if (!code64) {
        s->fip = (uint32_t)s->fip;
        s->fdp = (uint32_t)s->fdp;
        s->fcs = get16(p + 12);
        s->fds = get16(p + 20);
    }
    for (unsigned i = 0; i < 8; i++) {
        struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memcpy(&r->mantissa, p + 32 + 16 * i, 8);
        r->exponent = get16(p + 40 + 16 * i);
    }
}

void x86_put_fxsave(struct cpu *cpu, uint8_t image[X86_FXSAVE_BYTES], unsigned what, bool code64)
{
    if (what & X86_STATE_X87)
        put_x87(x86(cpu), image, code64);
    if (what & X86_STATE_SSE) {
        put32(image + 24, x86_get_mxcsr(cpu));
        put32(image + 28, MXCSR_ALL);
        memcpy(image + 160, x86(cpu)->xmm, code64 ? 256 : 128);
    }
}

bool x86_get_fxsave(struct cpu *cpu, const uint8_t image[X86_FXSAVE_BYTES], unsigned what, bool code64)
{
    if ((what & X86_STATE_SSE) && (get32(image + 24) & ~(uint32_t)MXCSR_ALL))
        return false;
    if (what & X86_STATE_X87) {
        get_x87(x86(cpu), image, code64);
        x87_mode(cpu);
    }
    if (what & X86_STATE_SSE) {
        x86_set_mxcsr(cpu, get32(image + 24));
        memcpy(x86(cpu)->xmm, image + 160, code64 ? 256 : 128);
    }
    return true;
}

/* --- FNSAVE: registers of ten bytes, tags of two bits --- */

static unsigned tag_of(const struct x86_state *s, unsigned physical)
{
    const struct x86_x87 *r = &s->fpr[physical];
    unsigned e = r->exponent & 0x7fff;

    if (!(s->ftag >> physical & 1))
        return 3; /* empty */
    if (e == 0 && r->mantissa == 0)
        return 1; /* zero */
    return e == 0 || e == 0x7fff || !(r->mantissa >> 63) ? 2 : 0; /* special, valid */
}

void x86_put_fsave(struct cpu *cpu, uint8_t image[X86_FSAVE_BYTES])
{
    const struct x86_state *s = x86(cpu);
    unsigned tags = 0;

    for (unsigned i = 0; i < 8; i++)
        tags |= tag_of(s, i) << 2 * i;
    put32(image, 0xffff0000 | s->fcw);
    put32(image + 4, 0xffff0000 | status_word(s));
    put32(image + 8, 0xffff0000 | tags);
    put32(image + 12, (uint32_t)s->fip);
    put32(image + 16, s->fcs | (uint32_t)s->fop << 16);
    put32(image + 20, (uint32_t)s->fdp);
    put32(image + 24, 0xffff0000 | s->fds);
    for (unsigned i = 0; i < 8; i++) {
        const struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memcpy(image + 28 + 10 * i, &r->mantissa, 8);
        put16(image + 36 + 10 * i, r->exponent);
    }
}

void x86_get_fsave(struct cpu *cpu, const uint8_t image[X86_FSAVE_BYTES])
{
    struct x86_state *s = x86(cpu);
    uint32_t tags = get32(image + 8);

    s->fcw = get16(image);
    set_status_word(s, get16(image + 4));
    s->ftag = 0;
    for (unsigned i = 0; i < 8; i++)
        s->ftag |= (uint8_t)(((tags >> 2 * i & 3) != 3) << i);
    s->fip = get32(image + 12);
    s->fcs = get16(image + 16);
    s->fop = get16(image + 18) & 0x7ff;
    s->fdp = get32(image + 20);
    s->fds = get16(image + 24);
    for (unsigned i = 0; i < 8; i++) {
        struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memcpy(&r->mantissa, image + 28 + 10 * i, 8);
        r->exponent = get16(image + 36 + 10 * i);
    }
    x87_mode(cpu);
}
