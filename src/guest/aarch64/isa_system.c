/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AArch64 guest of machines as the translator sees it: the rows of programs, and the system level (cpu/vcpu.h). */
#include "guest/aarch64/gdb.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/system_priv.h"
#include "guest/disas.h"

#include <inttypes.h>
#include <string.h>

static const struct ir_helper helpers[] = {
#define HELPER(name, full) {#name, help_##name, full},
#include "guest/aarch64/helpers.def"
#include "guest/aarch64/system_helpers.def"
#undef HELPER
};

/* What a CPU is, a64_cpu_new() says. */
static void reset(struct cpu *cpu)
{
    memset(cpu->guest, 0, sizeof(cpu->guest));
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    cpu->mode = A64_MODE_SYSTEM;
}

static bool aligned(uint32_t mode, unsigned regime, unsigned size)
{
    return mode & A64_MODE_ALIGN;
}

static void gone(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);

    for (unsigned i = 0; i < A64_NUM_TIMERS; i++)
        timer_cancel(&s->gt[i].timer);
    timer_cancel(&s->pmu_timer);
}

static void dump(struct cpu *cpu, FILE *f, bool vectors)
{
    static const char letters[] = "VCZN";
    const struct a64_sys *s = a64s(cpu);
    uint32_t pstate = a64_get_spsr(cpu);

    fprintf(f, " PC=%016" PRIx64, cpu->pc);
    for (unsigned i = 0; i < 31; i++)
        fprintf(f, "%sX%02u=%016" PRIx64, i % 3 == 2 ? "\n" : " ", i, s->u.x[i]);
    fprintf(f, "  SP=%016" PRIx64 "\nPSTATE=%08x ", s->u.sp, pstate);
    for (unsigned i = 4; i-- > 0;)
        putc(pstate >> (28 + i) & 1 ? letters[i] : '-', f);
    fprintf(f, " EL%u%c ", s->el, s->spsel ? 'h' : 't');
    if (cpu->mode & A64_MODE_FP_TRAP) {
        fputs("   FPU disabled\n", f);
        return;
    }
    fprintf(f, "FPCR=%08x FPSR=%08x\n", (unsigned)s->u.fpcr, a64_get_fpsr(cpu));
    for (unsigned i = 0; vectors && i < 32; i++)
        fprintf(f, "Q%02u=%016" PRIx64 ":%016" PRIx64 "%c", i, s->u.vreg[i].d[1], s->u.vreg[i].d[0], i % 2 ? '\n' : ' ');
}

static const struct guest_system level = {
    .n_regimes = R_NUM,
    .regime = a64_regime,
    .fetch_regime = a64_fetch_regime,
    .walk = a64_walk,
    .pages = a64_pages,
    .bad_access = a64_bad_access,
    .mode_guarded = A64_MODE_GUARDED,
    .aligned = aligned,
    .strict = true, /* without FEAT_LSE2 */
    .stopped = a64_stopped,
    .interrupt = a64_interrupt,
    .awake = a64_awake,
    .gone = gone,
};

static unsigned assembly(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    unsigned n = disas(DISAS_A64, pc, code, avail, buf, len);

    return n ? n : a64_disas(mode, pc, code, avail, buf, len);
}

const struct guest_isa guest_aarch64_system = {
    .mode_fp_slow = A64_MODE_FP_SLOW,
    .tag_bits = 8,
    .mode_fp_flush = A64_MODE_FP_FLUSH,
    .name = "aarch64",
    .pc_shift = 2,
    .longest = 4,
    .slots = a64_slots,
    .n_slots = A64_NUM_SLOTS,
    .helpers = helpers,
    .n_helpers = A64_NUM_SYSTEM_HELPERS,
    .lift = a64_lift,
    .flat = a64_flat,
    .scan = a64_scan,
    .idle_dead = a64_idle_dead,
    .idle_effect = a64_idle_effect,
    .lands = a64_lands,
    .reset = reset,
    .disas = assembly,
    .system = &level,
    .gdb = &a64_gdb_system,
    .dump = dump,
};
