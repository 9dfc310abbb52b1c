/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a machine's CPU as text, for monitors and logs: the form that people know, and scripts read, from the reference. */
#include "guest/x86/system_priv.h"

#include <inttypes.h>
#include <stdio.h>

static void dump_gprs(FILE *f, const uint64_t r[16], bool wide)
{
    static const char names[8][3] = {"AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP"};
    static const uint8_t order[8] = {X86_AX, X86_BX, X86_CX, X86_DX, X86_SI, X86_DI, X86_BP, X86_SP};

    for (unsigned i = 0; i < (wide ? 16u : 8u); i++) {
        if (i >= 8)
            fprintf(f, "R%-2u=%016" PRIx64, i, r[i]);
        else if (wide)
            fprintf(f, "R%s=%016" PRIx64, names[i], r[order[i]]);
        else
            fprintf(f, "E%s=%08x", names[i], (uint32_t)r[order[i]]);
        putc(i % 4 == 3 ? '\n' : ' ', f);
    }
}

static void dump_pc(struct cpu *cpu, FILE *f, bool wide)
{
    static const char letters[] = "DOSZAPC";
    static const uint16_t bits[] = {X86_FL_DF, X86_FL_OF, X86_FL_SF, X86_FL_ZF, X86_FL_AF, X86_FL_PF, X86_FL_CF};
    const struct x86_sys *s = x86s(cpu);
    uint32_t fl = x86_get_eflags(cpu);
    char text[sizeof(letters)];

    for (unsigned i = 0; i < sizeof(letters) - 1; i++)
        text[i] = fl & bits[i] ? letters[i] : '-';
    text[sizeof(letters) - 1] = '\0';
    if (wide)
        fprintf(f, "RIP=%016" PRIx64 " RFL=%08x", x86_ip_of(s, cpu->pc), fl);
    else
        fprintf(f, "EIP=%08x EFL=%08x", (uint32_t)x86_ip_of(s, cpu->pc), fl);
    fprintf(f, " [%s] CPL=%u II=%u A20=%u SMM=%u HLT=%u\n", text, s->cpl, s->shadow & 1, s->a20, s->smm, s->halted);
}

/* Code, data, LDTR's or TR's. */
static void put_kind(FILE *f, const struct x86_sys *s, uint32_t attr)
{
    fprintf(f, " DPL=%u ", seg_dpl(attr));
    if (!(attr & SEG_S) && sys_type(attr) == SYS_LDT)
        fputs("LDT", f);
    else if (!(attr & SEG_S))
        fprintf(f, "TSS%s-%s", x86_lma(s) ? "64" : sys_type(attr) & 8 ? "32" : "16", sys_type(attr) & 2 ? "busy" : "avl");
    else if (attr & SEG_CODE)
        fprintf(f, "CS%s [%c%c%c]", attr & SEG_L ? "64" : attr & SEG_DB ? "32" : "16", attr & SEG_CE ? 'C' : '-', attr & SEG_RW ? 'R' : '-',
                attr & SEG_A ? 'A' : '-');
    else
        fprintf(f, "DS%s [%c%c%c]", attr & SEG_DB || x86_lma(s) ? "  " : "16", attr & SEG_CE ? 'E' : '-', attr & SEG_RW ? 'W' : '-',
                attr & SEG_A ? 'A' : '-');
}

static void dump_segment(FILE *f, const struct x86_sys *s, const char *name, const struct x86_sysseg *g, bool wide)
{
    uint32_t limit = g->attr & SEG_G ? g->limit >> 12 : g->limit; /* its upper bits are shown where descriptors have them, too */

    fprintf(f, "%-3s=%04x %0*" PRIx64 " %08x %08x", name, g->selector, wide ? 16 : 8, wide ? g->base : (uint32_t)g->base, g->limit,
            g->attr | (g->attr & SEG_P ? limit & 0xf0000 : 0));
    if (x86_pe(s) && g->attr & SEG_P)
        put_kind(f, s, g->attr);
    putc('\n', f);
}

static void dump_segments(FILE *f, const struct x86_sys *s, bool wide)
{
    static const char names[][3] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    int digits = wide ? 16 : 8;

    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        const struct x86_segment *g = &s->u.seg[i];

        dump_segment(f, s, names[i], &(struct x86_sysseg){.base = s->u.base[i], .limit = g->limit, .attr = g->attr, .selector = g->selector}, wide);
    }
    dump_segment(f, s, "LDT", &s->ldt, wide);
    dump_segment(f, s, "TR", &s->tr, wide);
    fprintf(f, "GDT=     %0*" PRIx64 " %08x\nIDT=     %0*" PRIx64 " %08x\n", digits, s->gdt.base, s->gdt.limit, digits, s->idt.base,
            s->idt.limit);
}

static void dump_control(FILE *f, const struct x86_sys *s, bool wide)
{
    int digits = wide ? 16 : 8;

    fprintf(f, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n", (uint32_t)s->cr0, digits, s->cr2, digits, s->cr3, (uint32_t)s->cr4);
    digits = x86_feat(s, X86_FEAT_LM) ? 16 : 8;
    for (unsigned i = 0; i < 4; i++)
        fprintf(f, "DR%u=%0*" PRIx64 " ", i, digits, s->dr[i]);
    fprintf(f, "\nDR6=%0*" PRIx64 " DR7=%0*" PRIx64 "\nEFER=%016" PRIx64 "\n", digits, s->dr6, digits, s->dr7, s->efer);
}

static void dump_fp(struct cpu *cpu, FILE *f, bool wide)
{
    const struct x86_state *s = x86(cpu);

    fprintf(f, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", s->fcw, s->fsw | s->ftop << 11, s->ftop, s->ftag, x86_get_mxcsr(cpu));
    for (unsigned i = 0; i < 8; i++)
        fprintf(f, "FPR%u=%016" PRIx64 " %04x%c", i, s->fpr[i].mantissa, s->fpr[i].exponent, i % 2 ? '\n' : ' ');
    for (unsigned i = 0; i < (wide ? 16u : 8u); i++)
        fprintf(f, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", i, s->xmm[i].d[1], s->xmm[i].d[0], i % 2 ? '\n' : ' ');
}

void x86_dump_system(struct cpu *cpu, FILE *f, bool vectors)
{
    const struct x86_sys *s = x86s(cpu);
    bool wide = x86_cs64(s);

    dump_gprs(f, s->u.r, wide);
    dump_pc(cpu, f, wide);
    dump_segments(f, s, wide);
    dump_control(f, s, wide);
    if (vectors)
        dump_fp(cpu, f, wide);
}
