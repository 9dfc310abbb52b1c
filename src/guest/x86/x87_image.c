/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNSTENV, FLDENV, FNSAVE, FRSTOR: images of 14 and 28 bytes, and registers of ten behind them (SDM 1, 8.1.10, figures 8-9 to 8-12). */
#include "guest/x86/copy.h"
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"
#include "guest/x86/x87_host.h"

#include <string.h>

enum { WIDE = 1, PROTECTED = 2, REGISTERS = 4, MAX_IMAGE = 28 + 80 };

static unsigned env_size(unsigned how)
{
    return how & WIDE ? 28 : 14;
}

static unsigned tag_word(const struct x86_state *s)
{
    unsigned tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const struct x86_x87 *r = &s->fpr[i];
        unsigned e = r->exponent & 0x7fff, tag = 0;

        if (!(s->ftag >> i & 1))
            tag = 3;
        else if (e == 0 && r->mantissa == 0)
            tag = 1;
        else if (e == 0 || e == 0x7fff || !(r->mantissa >> 63))
            tag = 2;
        tags |= tag << 2 * i;
    }
    return tags;
}

/* The words of the environment, as 16-bit images have them and the upper halves of 32-bit ones. */
static void environment(const struct x86_state *s, unsigned how, uint16_t low[7], uint16_t high[7])
{
    memset(high, 0xff, 14);
    low[0] = s->fcw;
    low[1] = (uint16_t)(s->fsw | s->ftop << 11);
    low[2] = (uint16_t)tag_word(s);
    low[3] = (uint16_t)s->fip;
    low[5] = (uint16_t)s->fdp;
    if (how & PROTECTED) {
        low[4] = s->fcs;
        high[3] = (uint16_t)(s->fip >> 16);
        high[4] = (uint16_t)s->fop;
        low[6] = s->fds;
        high[5] = (uint16_t)(s->fdp >> 16);
        return;
    }
    /* real mode: linear pointers, of which the upper bits lie above the opcode */
    high[3] = high[5] = 0;
    low[4] = (uint16_t)((s->fop & 0x7ff) | (s->fip >> 16) << 12);
    high[4] = (uint16_t)(s->fip >> 20 & 0xfff);
    low[6] = (uint16_t)((s->fdp >> 16) << 12);
    high[6] = (uint16_t)(s->fdp >> 20 & 0xfff);
}

static void put_image(const struct x86_state *s, unsigned how, uint8_t *p)
{
    uint16_t low[7], high[7];

    environment(s, how, low, high);
    for (unsigned i = 0; i < 7; i++) {
        memcpy(p + (how & WIDE ? 4 : 2) * i, &low[i], 2);
        if (how & WIDE)
            memcpy(p + 4 * i + 2, &high[i], 2);
    }
    p += env_size(how);
    for (unsigned i = 0; i < 8 && how & REGISTERS; i++) {
        const struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memcpy(p + 10 * i, &r->mantissa, 8);
        memcpy(p + 10 * i + 8, &r->exponent, 2);
    }
}

static void get_image(struct x86_state *s, unsigned how, const uint8_t *p)
{
    uint16_t low[7], high[7] = {0};

    for (unsigned i = 0; i < 7; i++) {
        memcpy(&low[i], p + (how & WIDE ? 4 : 2) * i, 2);
        if (how & WIDE)
            memcpy(&high[i], p + 4 * i + 2, 2);
    }
    s->fcw = low[0];
    s->fsw = low[1] & (uint16_t)~(7u << 11);
    s->ftop = low[1] >> 11 & 7;
    s->ftag = 0;
    for (unsigned i = 0; i < 8; i++)
        s->ftag |= (uint8_t)(((low[2] >> 2 * i & 3) != 3) << i);
    s->fip = low[3];
    s->fdp = low[5];
    if (how & PROTECTED) {
        s->fip |= (uint64_t)high[3] << 16;
        s->fdp |= (uint64_t)high[5] << 16;
        s->fcs = low[4];
        s->fds = low[6];
        s->fop = high[4] & 0x7ff;
    } else {
        s->fip |= (uint64_t)(low[4] >> 12) << 16 | (uint64_t)(high[4] & 0xfff) << 20;
        s->fdp |= (uint64_t)(low[6] >> 12) << 16 | (uint64_t)(high[6] & 0xfff) << 20;
        s->fop = low[4] & 0x7ff;
    }
    p += env_size(how);
    for (unsigned i = 0; i < 8 && how & REGISTERS; i++) {
        struct x86_x87 *r = &s->fpr[(s->ftop + i) & 7];

        memcpy(&r->mantissa, p + 10 * i, 8);
        memcpy(&r->exponent, p + 10 * i + 8, 2);
    }
}

static size_t image_size(unsigned how)
{
    return env_size(how) + (how & REGISTERS ? 80u : 0u);
}

/* Alignment checks are those of its words. */
static bool misaligned(const struct cpu *cpu, uint64_t addr, unsigned how)
{
    return (cpu->mode & X86_MODE_AC) && addr & (how & WIDE ? 3 : 1);
}

/* FNSTENV masks all exceptions, FNSAVE initialises. */
uint64_t x86_help_x87_put_env(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t next)
{
    uint8_t buf[MAX_IMAGE];

    if (misaligned(cpu, addr, (unsigned)how))
        return x86_throw(cpu, X86_EXC_AC, 0);
    put_image(x86(cpu), (unsigned)how, buf);
    if (!x86_copy_out(cpu, addr, buf, image_size((unsigned)how)))
        return 0;
    if (how & REGISTERS)
        x86_fninit(cpu);
    else
        x86(cpu)->fcw |= X87_EXCEPTIONS;
    x87_new_mode(cpu, next);
    return 0;
}

uint64_t x86_help_x87_get_env(struct cpu *cpu, uint64_t addr, uint64_t how, uint64_t next)
{
    uint8_t buf[MAX_IMAGE];

    if (misaligned(cpu, addr, (unsigned)how))
        return x86_throw(cpu, X86_EXC_AC, 0);
    if (!x86_copy_in(cpu, buf, addr, image_size((unsigned)how)))
        return 0;
    get_image(x86(cpu), (unsigned)how, buf);
    x87_new_mode(cpu, next);
    return 0;
}
