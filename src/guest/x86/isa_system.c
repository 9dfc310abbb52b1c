/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86 guest of machines as the translator sees it: the rows of programs and the system's, and the system level (cpu/vcpu.h). */
#include "guest/disas.h"
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/system_priv.h"

#include <inttypes.h>
#include <string.h>

static const struct ir_helper helpers[] = {
#define HELPER(name, full) {#name, x86_help_##name, full},
#include "guest/x86/helpers.def"
#include "guest/x86/system_helpers.def"
#undef HELPER
};

/* What a CPU is, x86_cpu_new() says. */
static void reset(struct cpu *cpu)
{
    memset(cpu->guest, 0, sizeof(cpu->guest));
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    x86(cpu)->df = 1;
    cpu->mode = X86_MODE_SYSTEM;
}

/* Not those of vectors, as processors do it, nor what the CPU itself reads and writes of tables and inner stacks (SDM 3A, 6.15). */
static bool aligned(uint32_t mode, unsigned regime, unsigned size)
{
    return (mode & X86_MODE_AC) && size <= 8 && regime == R_USER;
}

/* --- For logs --- */

static void dump_segment(FILE *f, const char *name, unsigned sel, uint64_t base, uint32_t limit, uint32_t attr)
{
    fprintf(f, "%-3s=%04x %016" PRIx64 " %08x %08x\n", name, sel, base, limit, attr);
}

static void dump(struct cpu *cpu, FILE *f, bool vectors)
{
    static const char names[][4] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI"};
    static const char segs[][3] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    const struct x86_sys *s = x86s(cpu);

    for (unsigned i = 0; i < 16; i++) {
        if (i < 8)
            fprintf(f, "%s=%016" PRIx64, names[i], s->u.r[i]);
        else
            fprintf(f, "R%-2u=%016" PRIx64, i, s->u.r[i]);
        putc(i % 4 == 3 ? '\n' : ' ', f);
    }
    fprintf(f, "RIP=%016" PRIx64 " RFL=%08x CPL=%u A20=%u SMM=%u HLT=%u\n", x86_ip_of(s, cpu->pc), x86_get_eflags(cpu), s->cpl, s->a20,
            s->smm, s->halted);
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        dump_segment(f, segs[i], s->u.seg[i].selector, s->u.base[i], s->u.seg[i].limit, s->u.seg[i].attr);
    dump_segment(f, "LDT", s->ldt.selector, s->ldt.base, s->ldt.limit, s->ldt.attr);
    dump_segment(f, "TR", s->tr.selector, s->tr.base, s->tr.limit, s->tr.attr);
    fprintf(f, "GDT=     %016" PRIx64 " %08x\nIDT=     %016" PRIx64 " %08x\n", s->gdt.base, s->gdt.limit, s->idt.base, s->idt.limit);
    fprintf(f, "CR0=%08x CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08x EFER=%016" PRIx64 "\n", (unsigned)s->cr0, s->cr2, s->cr3,
            (unsigned)s->cr4, s->efer);
    for (unsigned i = 0; vectors && i < 16; i++)
        fprintf(f, "XMM%02u=%016" PRIx64 ":%016" PRIx64 "%c", i, s->u.xmm[i].d[1], s->u.xmm[i].d[0], i % 2 ? '\n' : ' ');
}

static const struct guest_system level = {
    .n_regimes = R_NUM,
    .regime = x86_regime,
    .fetch_regime = x86_fetch_regime,
    .walk = x86_walk,
    .bad_access = x86_bad_access,
    .aligned = aligned,
    .own_code = true,
    .locks = true,
    .stopped = x86_stopped,
    .interrupt = x86_interrupt,
    .awake = x86_awake,
    .pages = x86_pages,
};

static unsigned assembly(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    unsigned n = disas(DISAS_X86_16 + (mode & X86_MODE_CODE), pc, code, avail, buf, len);

    return n ? n : x86_disas(mode, pc, code, avail, buf, len);
}

const struct guest_isa guest_x86_system = {
    .mode_fp_slow = X86_MODE_FP_SLOW,
    .name = "x86_64",
    .longest = X86_MAX_LEN,
    .slots = x86_slots,
    .n_slots = X86_NUM_SLOTS,
    .helpers = helpers,
    .n_helpers = X86_NUM_SYSTEM_HELPERS,
    .x87 = &x86_x87_unit,
    .lift = x86_lift,
    .flat = x86_flat,
    .scan = x86_scan,
    .length = x86_length,
    .reset = reset,
    .idle_dead = x86_idle_dead,
    .idle_returns = true,
    .idle_effect = x86_idle_effect,
    .disas = assembly,
    .gdb = &x86_gdb64,
    .system = &level,
    .dump = dump,
};
