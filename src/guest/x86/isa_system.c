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

static const struct guest_system level = {
    .n_regimes = R_NUM,
    .regime = x86_regime,
    .fetch_regime = x86_fetch_regime,
    .walk = x86_walk,
    .bad_access = x86_bad_access,
    .aligned = aligned,
    .own_code = true,
    .own_log = true,
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
    .dump = x86_dump_system,
};
