/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86 guest of programs as the translator sees it: slots, helpers, reset, flags (cpu/cpu.h). */
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"
#include "guest/x86/lift_priv.h"

#include "cpu/fpmode.h"

#include <inttypes.h>
#include <string.h>

#define OFF(field) (offsetof(struct cpu, guest) + offsetof(struct x86_state, field))
#define R(n, name) [X86_R0 + n] = {name, OFF(r[n]), IR_I64}
#define BASE(n, name) [X86_BASE + n] = {name, OFF(base[n]), IR_I64}
#define ROOM(n, name) [X86_ROOM_R + n] = {name "_room_r", OFF(room_r[n]), IR_I64}, [X86_ROOM_W + n] = {name "_room_w", OFF(room_w[n]), IR_I64}
#define XMM(n) [X86_XMM0 + n] = {"xmm" #n, OFF(xmm[n]), IR_V128}, [X86_YMMH0 + n] = {"ymmh" #n, OFF(ymmh[n]), IR_V128}

const struct ir_slot x86_slots[X86_NUM_SLOTS] = {
    R(0, "rax"), R(1, "rcx"), R(2, "rdx"), R(3, "rbx"), R(4, "rsp"), R(5, "rbp"), R(6, "rsi"), R(7, "rdi"),
    R(8, "r8"), R(9, "r9"), R(10, "r10"), R(11, "r11"), R(12, "r12"), R(13, "r13"), R(14, "r14"), R(15, "r15"),
    BASE(X86_ES, "es_base"), BASE(X86_CS, "cs_base"), BASE(X86_SS, "ss_base"), BASE(X86_DS, "ds_base"),
    BASE(X86_FS, "fs_base"), BASE(X86_GS, "gs_base"),
    ROOM(X86_ES, "es"), ROOM(X86_CS, "cs"), ROOM(X86_SS, "ss"), ROOM(X86_DS, "ds"), ROOM(X86_FS, "fs"), ROOM(X86_GS, "gs"),
    [X86_DF] = {"df", OFF(df), IR_I64},
    [X86_PF] = {"pf", OFF(pf), IR_I32, true},
    [X86_AF] = {"af", OFF(af), IR_I32, true},
    [X86_CF] = {"cf", OFF(cf), IR_I1, true},
    [X86_ZF] = {"zf", OFF(zf), IR_I1, true},
    [X86_SF] = {"sf", OFF(sf), IR_I1, true},
    [X86_OF] = {"of", OFF(of), IR_I1, true},
    [X86_EFLAGS] = {"eflags", OFF(eflags), IR_I32},
    [X86_FIP] = {"fip", OFF(fip), IR_I64},
    [X86_FDP] = {"fdp", OFF(fdp), IR_I64},
    [X86_FOP] = {"fop", OFF(fop), IR_I32},
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13),
    XMM(14), XMM(15),
};
_Static_assert(X86_NUM_SLOTS <= IR_MAX_SLOTS, "the slots fit");
_Static_assert(sizeof(struct x86_state) <= CPU_GUEST_MAX, "the state fits struct cpu");

static const struct ir_helper helpers[] = {
#define HELPER(name, full) {#name, x86_help_##name, full},
#include "guest/x86/helpers.def"
#undef HELPER
};

/* --- Flags --- */

uint32_t x86_get_eflags(struct cpu *cpu)
{
    const struct x86_state *s = x86(cpu);

    return s->eflags | X86_FL_ONE | (s->cf ? X86_FL_CF : 0) | (s->zf ? X86_FL_ZF : 0) | (s->sf ? X86_FL_SF : 0) |
           (s->of ? X86_FL_OF : 0) | (__builtin_parity(s->pf & 0xff) ? 0 : X86_FL_PF) | ((s->af ^ s->pf) & X86_FL_AF) |
           ((int64_t)s->df < 0 ? X86_FL_DF : 0);
}

void x86_set_eflags(struct cpu *cpu, uint32_t v)
{
    struct x86_state *s = x86(cpu);

    s->eflags = (v & ~(uint32_t)(X86_FL_STATUS | X86_FL_DF)) | X86_FL_ONE;
    s->cf = !!(v & X86_FL_CF);
    s->zf = !!(v & X86_FL_ZF);
    s->sf = !!(v & X86_FL_SF);
    s->of = !!(v & X86_FL_OF);
    s->pf = v & X86_FL_PF ? 0 : 1;
    s->af = (v & X86_FL_AF) ^ (s->pf & X86_FL_AF);
    s->df = v & X86_FL_DF ? ~0ull : 1;
}

/* --- Reset --- */

static void reset(struct cpu *cpu)
{
    struct x86_state *s = x86(cpu);

    memset(cpu->guest, 0, sizeof(cpu->guest));
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    s->eflags = X86_FL_ONE;
    s->df = 1;
    s->fcw = 0x37f; /* as FNINIT leaves it (SDM 1, 8.1.5) */
    x86_set_mxcsr(cpu, 0x1f80);
    s->xcr0 = 1;
    cpu->mode = 0;
}

/* --- Verbatim code --- */

static const struct verbatim_state x86_verbatim_state = {
    .gpr = OFF(r), .xmm = OFF(xmm), .ymmh = OFF(ymmh), .cf = OFF(cf), .zf = OFF(zf), .sf = OFF(sf), .of = OFF(of),
    .pf = OFF(pf), .af = OFF(af), .df = OFF(df), .fs_base = OFF(base[X86_FS]), .gs_base = OFF(base[X86_GS]),
};

/* --- For logs --- */

static void dump(struct cpu *cpu, FILE *f, bool vectors)
{
    static const char names[][4] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI"};
    const struct x86_state *s = x86(cpu);

    for (unsigned i = 0; i < 16; i++) {
        if (i < 8)
            fprintf(f, "%s=%016" PRIx64, names[i], s->r[i]);
        else
            fprintf(f, "R%-2u=%016" PRIx64, i, s->r[i]);
        putc(i % 4 == 3 ? '\n' : ' ', f);
    }
    fprintf(f, "RIP=%016" PRIx64 " RFL=%08x FS=%016" PRIx64 " GS=%016" PRIx64 "\n", cpu->pc, (unsigned)x86_get_eflags(cpu),
            s->base[X86_FS], s->base[X86_GS]);
    for (unsigned i = 0; vectors && i < 16; i++)
        fprintf(f, "XMM%02u=%016" PRIx64 ":%016" PRIx64 "%c", i, s->xmm[i].d[1], s->xmm[i].d[0], i % 2 ? '\n' : ' ');
}

const struct guest_isa guest_x86_64 = {
    .mode_fp_slow = X86_MODE_FP_SLOW,
    .name = "x86_64",
    .longest = X86_MAX_LEN,
    .slots = x86_slots,
    .n_slots = X86_NUM_SLOTS,
    .helpers = helpers,
    .n_helpers = X86_NUM_HELPERS,
    .x87 = &x86_x87_unit,
    .lift = x86_lift,
    .flat = x86_flat,
    .verbatim = x86_verbatim,
    .verbatim_state = &x86_verbatim_state,
    .idle_dead = x86_idle_dead,
    .idle_returns = true,
    .idle_effect = x86_idle_effect,
    .scan = x86_scan,
    .length = x86_length,
    .reset = reset,
    .disas = x86_disas,
    .gdb = &x86_gdb64,
    .dump = dump,
};

const struct guest_isa guest_i386 = {
    .mode_fp_slow = X86_MODE_FP_SLOW,
    .name = "i386",
    .longest = X86_MAX_LEN,
    .slots = x86_slots,
    .n_slots = X86_NUM_SLOTS,
    .helpers = helpers,
    .n_helpers = X86_NUM_HELPERS,
    .x87 = &x86_x87_unit,
    .lift = x86_lift,
    .flat = x86_flat,
    .idle_dead = x86_idle_dead,
    .idle_returns = true,
    .idle_effect = x86_idle_effect,
    .scan = x86_scan,
    .length = x86_length,
    .reset = reset,
    .disas = x86_disas,
    .gdb = &x86_gdb32,
    .dump = dump,
};
