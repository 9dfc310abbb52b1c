/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's CPU as gdb sees it: the registers of programs (gdb.c), with all of PSTATE, behind them the
 * system registers, by their names in the order of the table (system.h), and what signed pointers have to be freed of.
 */
#include "guest/aarch64/gdb.h"
#include "base/bytes.h"
#include "guest/aarch64/lift.h"
#include "guest/aarch64/pauth.h"
#include "guest/aarch64/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t size(struct cpu *cpu, unsigned n)
{
    return n < A64_GDB_COMMON ? a64_gdb_size(cpu, n) : 8;
}

/* gdb's feature for signed pointers, from gdb 14 on: the bits of codes, for data and code, in the lower half and in the
 * upper, where the whole top byte is copies of bit 55.  Earlier ones know the lower half only, which spoils a kernel's addresses. */
static const struct {
    const char *name;
    uint64_t mask;
} pauth[] = {
    {"pauth_dmask", A64_PAC_FIELD},
    {"pauth_cmask", A64_PAC_FIELD},
    {"pauth_dmask_high", A64_PAC_FIELD | 0xffull << 56},
    {"pauth_cmask_high", A64_PAC_FIELD | 0xffull << 56},
};

/* The number of the first of them. */
static unsigned first_mask(void)
{
    unsigned n = 0;

    while (a64_sysreg_name(n))
        n++;
    return A64_GDB_COMMON + n;
}

static unsigned n_regs(struct cpu *cpu)
{
    return first_mask() + (a64_mode_feats(cpu->mode) >> A64_FEAT_PAUTH & 1 ? ARRAY_LEN(pauth) : 0);
}

static bool read_reg(struct cpu *cpu, unsigned n, uint8_t *out)
{
    uint64_t v;

    if (n < A64_GDB_COMMON && n != A64_GDB_CPSR)
        return a64_gdb_read(cpu, n, out);
    if (n == A64_GDB_CPSR)
        v = a64_get_spsr(cpu);
    else if (n >= first_mask())
        v = pauth[n - first_mask()].mask & ~(A64_PAC_FIELD & ~a64_pac_field(cpu->mode));
    else if (!a64_sysreg_peek(cpu, n - A64_GDB_COMMON, &v))
        return false;
    memcpy(out, &v, size(cpu, n));
    return true;
}

static bool write_reg(struct cpu *cpu, unsigned n, const uint8_t *in)
{
    uint64_t v = 0;

    if (n < A64_GDB_COMMON && n != A64_GDB_CPSR)
        return a64_gdb_write(cpu, n, in);
    memcpy(&v, in, size(cpu, n));
    if (n >= first_mask())
        return false;
    if (n != A64_GDB_CPSR)
        return a64_sysreg_poke(cpu, n - A64_GDB_COMMON, v);
    a64_set_spsr(cpu, (uint32_t)v);
    return true;
}

/* Only what this CPU has: gdb asks for every register that is described. */
static void describe_system(struct cpu *cpu, FILE *f)
{
    uint64_t v;

    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE feature SYSTEM \"gdb-target.dtd\">"
               "<feature name=\"org.qemu.gdb.arm.sys.regs\">");
    for (unsigned i = 0; a64_sysreg_name(i); i++) {
        if (a64_sysreg_peek(cpu, i, &v))
            fprintf(f, "<reg name=\"%s\" bitsize=\"64\" regnum=\"%u\" group=\"cp_regs\"/>",
                    a64_sysreg_name(i), A64_GDB_COMMON + i);
    }
    fprintf(f, "</feature>");
}

static void describe_pauth(FILE *f)
{
    fprintf(f, "<feature name=\"org.gnu.gdb.aarch64.pauth_v2\">");
    for (unsigned i = 0; i < ARRAY_LEN(pauth); i++)
        fprintf(f, "<reg name=\"%s\" bitsize=\"64\" regnum=\"%u\"/>", pauth[i].name, first_mask() + i);
    fprintf(f, "</feature>");
}

static void describe_target(struct cpu *cpu, FILE *f)
{
    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
               "<target version=\"1.0\"><architecture>aarch64</architecture>");
    a64_gdb_describe_common(f);
    if (n_regs(cpu) > first_mask())
        describe_pauth(f);
    fprintf(f, "<xi:include href=\"system-registers.xml\"/></target>");
}

static char *describe(struct cpu *cpu, const char *annex)
{
    bool target = strcmp(annex, "target.xml") == 0;
    char *text = NULL;
    size_t len;
    FILE *f;

    if (!target && strcmp(annex, "system-registers.xml") != 0)
        return NULL;
    f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    if (target)
        describe_target(cpu, f);
    else
        describe_system(cpu, f);
    fclose(f);
    return text;
}

const struct guest_gdb a64_gdb_system = {
    .n_regs = n_regs,
    .n_core = A64_GDB_TPIDR,
    .size = size,
    .read = read_reg,
    .write = write_reg,
    .describe = describe,
};
