/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's registers as gdb numbers them; contract: gdb_regs.h. */
#include "user/gdb_regs.h"

#include "guest/aarch64/aarch64.h"

#include <stdio.h>
#include <string.h>

enum { REG_SP = 31, REG_PC, REG_CPSR, REG_V0, REG_FPSR = REG_V0 + 32, REG_FPCR, REG_TPIDR, END };
_Static_assert((int)END == (int)GDB_NUM_REGS, "as the description says");

size_t gdb_reg_size(unsigned n)
{
    if (n == REG_CPSR || n == REG_FPSR || n == REG_FPCR)
        return 4;
    return n >= REG_V0 && n < REG_FPSR ? 16 : 8;
}

void gdb_reg_read(struct cpu *cpu, unsigned n, uint8_t out[16])
{
    struct a64_state *s = a64(cpu);
    uint64_t v;

    if (n >= REG_V0 && n < REG_FPSR) {
        memcpy(out, &s->vreg[n - REG_V0], 16);
        return;
    }
    v = n < REG_SP ? s->x[n] : n == REG_SP ? s->sp : n == REG_PC ? cpu->pc
        : n == REG_CPSR ? a64_get_pstate(cpu) : n == REG_FPSR ? a64_get_fpsr(cpu)
        : n == REG_FPCR ? s->fpcr : s->tpidr;
    memcpy(out, &v, 8);
}

void gdb_reg_write(struct cpu *cpu, unsigned n, const uint8_t in[16])
{
    struct a64_state *s = a64(cpu);
    uint64_t v = 0;

    if (n >= REG_V0 && n < REG_FPSR) {
        memcpy(&s->vreg[n - REG_V0], in, 16);
        return;
    }
    memcpy(&v, in, gdb_reg_size(n));
    if (n < REG_SP)
        s->x[n] = v;
    else if (n == REG_SP)
        s->sp = v;
    else if (n == REG_PC)
        cpu->pc = v;
    else if (n == REG_CPSR)
        a64_set_pstate(cpu, (uint32_t)v);
    else if (n == REG_FPSR)
        a64_set_fpsr(cpu, (uint32_t)v);
    else if (n == REG_FPCR)
        a64_set_fpcr(cpu, (uint32_t)v);
    else
        s->tpidr = v;
}

/* The target description: gdb knows these features and their order by name. */
void gdb_describe(char *text, size_t size)
{
    FILE *f = fmemopen(text, size, "w");

    if (!f)
        return;
    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
            "<target version=\"1.0\"><architecture>aarch64</architecture>"
            "<osabi>GNU/Linux</osabi><feature name=\"org.gnu.gdb.aarch64.core\">");
    for (int i = 0; i < 31; i++)
        fprintf(f, "<reg name=\"x%d\" bitsize=\"64\"/>", i);
    fprintf(f, "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>"
            "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>"
            "<flags id=\"cpsr_flags\" size=\"4\"><field name=\"V\" start=\"28\" end=\"28\"/>"
            "<field name=\"C\" start=\"29\" end=\"29\"/><field name=\"Z\" start=\"30\" end=\"30\"/>"
            "<field name=\"N\" start=\"31\" end=\"31\"/></flags>"
            "<reg name=\"cpsr\" bitsize=\"32\" type=\"cpsr_flags\"/></feature>"
            "<feature name=\"org.gnu.gdb.aarch64.fpu\">"
            "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
            "<vector id=\"v2u\" type=\"uint64\" count=\"2\"/>"
            "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
            "<vector id=\"v4u\" type=\"uint32\" count=\"4\"/>"
            "<vector id=\"v8u\" type=\"uint16\" count=\"8\"/>"
            "<vector id=\"v16u\" type=\"uint8\" count=\"16\"/>"
            "<vector id=\"v1u\" type=\"uint128\" count=\"1\"/>"
            "<union id=\"aarch64v\"><field name=\"d\" type=\"v2d\"/><field name=\"du\" type=\"v2u\"/>"
            "<field name=\"f\" type=\"v4f\"/><field name=\"su\" type=\"v4u\"/>"
            "<field name=\"hu\" type=\"v8u\"/><field name=\"bu\" type=\"v16u\"/>"
            "<field name=\"q\" type=\"v1u\"/></union>");
    for (int i = 0; i < 32; i++)
        fprintf(f, "<reg name=\"v%d\" bitsize=\"128\" type=\"aarch64v\"/>", i);
    fprintf(f, "<reg name=\"fpsr\" bitsize=\"32\"/><reg name=\"fpcr\" bitsize=\"32\"/></feature>"
            "<feature name=\"org.gnu.gdb.aarch64.tls\"><reg name=\"tpidr\" bitsize=\"64\" "
            "type=\"data_ptr\"/></feature></target>");
    fclose(f);
}
