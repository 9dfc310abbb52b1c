/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program's registers as gdb numbers them: org.gnu.gdb.aarch64.core, .fpu and .tls (gdb manual, appendix G). */
#include "guest/aarch64/gdb.h"

#include "base/bytes.h"
#include "guest/aarch64/aarch64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t a64_gdb_size(struct cpu *cpu, unsigned n)
{
    (void)cpu;
    if (n == A64_GDB_CPSR || n == A64_GDB_FPSR || n == A64_GDB_FPCR)
        return 4;
    return n >= A64_GDB_V0 && n < A64_GDB_FPSR ? 16 : 8;
}

bool a64_gdb_read(struct cpu *cpu, unsigned n, uint8_t *out)
{
    struct a64_state *s = a64(cpu);
    uint64_t v;

    if (n >= A64_GDB_V0 && n < A64_GDB_FPSR) {
        memcpy(out, &s->vreg[n - A64_GDB_V0], 16);
        return true;
    }
    v = n < A64_GDB_SP      ? s->x[n]
        : n == A64_GDB_SP   ? s->sp
        : n == A64_GDB_PC   ? cpu->pc
        : n == A64_GDB_CPSR ? a64_get_pstate(cpu)
        : n == A64_GDB_FPSR ? a64_get_fpsr(cpu)
        : n == A64_GDB_FPCR ? s->fpcr
                            : s->tpidr;
    memcpy(out, &v, a64_gdb_size(cpu, n));
    return true;
}

bool a64_gdb_write(struct cpu *cpu, unsigned n, const uint8_t *in)
{
    struct a64_state *s = a64(cpu);
    uint64_t v = 0;

    if (n >= A64_GDB_V0 && n < A64_GDB_FPSR) {
        memcpy(&s->vreg[n - A64_GDB_V0], in, 16);
        return true;
    }
    memcpy(&v, in, a64_gdb_size(cpu, n));
    if (n < A64_GDB_SP)
        s->x[n] = v;
    else if (n == A64_GDB_SP)
        s->sp = v;
    else if (n == A64_GDB_PC)
        cpu->pc = v;
    else if (n == A64_GDB_CPSR)
        a64_set_pstate(cpu, (uint32_t)v);
    else if (n == A64_GDB_FPSR)
        a64_set_fpsr(cpu, (uint32_t)v);
    else if (n == A64_GDB_FPCR)
        a64_set_fpcr(cpu, (uint32_t)v);
    else
        s->tpidr = v;
    return true;
}

/* The parts of a vector register as gdb names them for itself: $v0.d.f[0], $v0.s.u[3]. */
static void describe_vectors(FILE *f)
{
    static const struct {
        const char *name, *f; /* of the union; type of floating point, or NULL */
        unsigned bits;
    } parts[] = {
        {"d", "ieee_double", 64}, {"s", "ieee_single", 32}, {"h", "ieee_half", 16},
        {"b", NULL, 8},           {"q", NULL, 128},
    };

    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        const char *n = parts[i].name;
        unsigned bits = parts[i].bits, count = 128 / bits;

        if (parts[i].f)
            fprintf(f, "<vector id=\"v%sf\" type=\"%s\" count=\"%u\"/>", n, parts[i].f, count);
        fprintf(f,
                "<vector id=\"v%su\" type=\"uint%u\" count=\"%u\"/>"
                "<vector id=\"v%si\" type=\"int%u\" count=\"%u\"/><union id=\"vn%s\">",
                n, bits, count, n, bits, count, n);
        if (parts[i].f)
            fprintf(f, "<field name=\"f\" type=\"v%sf\"/>", n);
        fprintf(f, "<field name=\"u\" type=\"v%su\"/><field name=\"s\" type=\"v%si\"/></union>", n,
                n);
    }
    fprintf(f, "<union id=\"aarch64v\">");
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
        fprintf(f, "<field name=\"%s\" type=\"vn%s\"/>", parts[i].name, parts[i].name);
    fprintf(f, "</union>");
}

/* gdb knows these features and their order by name. */
void a64_gdb_describe_common(FILE *f)
{
    fprintf(f, "<feature name=\"org.gnu.gdb.aarch64.core\">");
    for (int i = 0; i < 31; i++)
        fprintf(f, "<reg name=\"x%d\" bitsize=\"64\"/>", i);
    fprintf(f,
            "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>"
            "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>"
            "<flags id=\"cpsr_flags\" size=\"4\"><field name=\"V\" start=\"28\" end=\"28\"/>"
            "<field name=\"C\" start=\"29\" end=\"29\"/><field name=\"Z\" start=\"30\" end=\"30\"/>"
            "<field name=\"N\" start=\"31\" end=\"31\"/></flags>"
            "<reg name=\"cpsr\" bitsize=\"32\" type=\"cpsr_flags\"/></feature>"
            "<feature name=\"org.gnu.gdb.aarch64.fpu\">");
    describe_vectors(f);
    for (int i = 0; i < 32; i++)
        fprintf(f, "<reg name=\"v%d\" bitsize=\"128\" type=\"aarch64v\"/>", i);
    fprintf(f, "<reg name=\"fpsr\" bitsize=\"32\"/><reg name=\"fpcr\" bitsize=\"32\"/></feature>"
               "<feature name=\"org.gnu.gdb.aarch64.tls\"><reg name=\"tpidr\" bitsize=\"64\" "
               "type=\"data_ptr\"/></feature>");
}

static char *describe(struct cpu *cpu, const char *annex)
{
    char *text = NULL;
    size_t size;
    FILE *f = strcmp(annex, "target.xml") == 0 ? open_memstream(&text, &size) : NULL;

    (void)cpu;
    if (!f)
        return NULL;
    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
               "<target version=\"1.0\"><architecture>aarch64</architecture>"
               "<osabi>GNU/Linux</osabi>");
    a64_gdb_describe_common(f);
    fprintf(f, "</target>");
    fclose(f);
    return text;
}

static unsigned n_regs(struct cpu *cpu)
{
    (void)cpu;
    return A64_GDB_COMMON;
}

const struct guest_gdb a64_gdb = {
    .n_regs = n_regs,
    .n_core = A64_GDB_COMMON,
    .size = a64_gdb_size,
    .read = a64_gdb_read,
    .write = a64_gdb_write,
    .describe = describe,
};
