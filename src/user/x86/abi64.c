/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64 Linux: numbers, registers and layouts (asm/unistd_64.h, System V ABI, AMD64 supplement; syscall(2)). */
#include "guest/x86/models.h"
#include "user/x86/vdso.h"
#include "user/x86/x86_abi.h"

#include <asm/prctl.h>
#include <elf.h>
#include <string.h>

static const struct sys_row rows[] = {
#define PASS(nr, name, kinds)          [nr] = {#name, kinds, NULL, nr},
#define SAME(nr, name, kinds)          [nr] = {#name, kinds, NULL, nr},
#define CALL(nr, name, kinds)          [nr] = {#name, kinds, sys_##name, 0},
#define REFUSE(nr, name, kinds, error) [nr] = {#name, kinds, NULL, -error},
#include "user/x86_64/syscalls.def"
#undef PASS
#undef SAME
#undef CALL
#undef REFUSE
};

static uint64_t fetch(struct cpu *cpu, uint64_t a[6])
{
    const uint64_t *r = x86(cpu)->r;

    a[0] = r[X86_DI];
    a[1] = r[X86_SI];
    a[2] = r[X86_DX];
    a[3] = r[10];
    a[4] = r[8];
    a[5] = r[9];
    return r[X86_AX];
}

static void give(struct cpu *cpu, long result)
{
    x86(cpu)->r[X86_AX] = (uint64_t)result;
}

/* struct stat is the host's own. */
static long put_stat(struct task *t, uint64_t addr, const struct stat *st)
{
    return guest_write(t->cpu, addr, st, sizeof(*st));
}

/* --- Segment bases --- */

static int set_base(struct cpu *cpu, unsigned seg, uint64_t base)
{
    if (base >> 47)
        return -EPERM;
    x86(cpu)->seg[seg].selector = 0;
    x86(cpu)->base[seg] = base;
    return 0;
}

static int set_tls(struct cpu *cpu, uint64_t tls)
{
    return set_base(cpu, X86_FS, tls);
}

long sys_arch_prctl(struct task *t, const uint64_t *a)
{
    const struct x86_state *s = x86(t->cpu);

    switch ((int)a[0]) {
    case ARCH_SET_FS:
        return set_base(t->cpu, X86_FS, a[1]);
    case ARCH_SET_GS:
        return set_base(t->cpu, X86_GS, a[1]);
    case ARCH_GET_FS:
        return guest_write(t->cpu, a[1], &s->base[X86_FS], 8);
    case ARCH_GET_GS:
        return guest_write(t->cpu, a[1], &s->base[X86_GS], 8);
    case ARCH_GET_CPUID:
        return 1;
    default:
        return -EINVAL;
    }
}

/* --- Start --- */

static void start(struct cpu *cpu, uint64_t entry, uint64_t sp)
{
    cpu->pc = entry;
    x86(cpu)->r[X86_SP] = sp;
}

const struct user_abi abi_x86_64 = {
    .name = "x86_64",
    .family = ABI_X86,
    .machine = EM_X86_64,
    .word = 8,
    .uname = "x86_64",
    .platform = "x86_64",
    .isa = &guest_x86_64,
    .address = {.limit = UINT64_C(0x7ffffffff000), .map_32bit = UINT64_C(1) << 31},
    .cpu = {
        .list = x86_print_models,
        .choose = x86_abi_choose64,
        .check = x86_abi_check_cpu64,
        .sp = x86_abi_sp,
        .set_sp = x86_abi_set_sp,
        .hwcap = x86_abi_hwcap,
        .start = start,
        .set_tls = set_tls,
        .cpuinfo = x86_abi_cpuinfo,
        .checked_mode = X86_MODE_CHECKED,
    },
    .call = {
        .rows = rows,
        .n_rows = sizeof(rows) / sizeof(rows[0]),
        .as_host = true,
        .insn_len = 2,
        .fetch = fetch,
        .give = give,
        .put_stat = put_stat,
        .clone_tls_last = true,
    },
    .signal = {
        .min_alt = 2048,
        .min_frame = 1520, /* red zone, frame, XSAVE area and their alignment */
        .trap = x86_trap,
        .push = x86_push_frame64,
        .pop = x86_pop_frame64,
    },
    .vdso_map = x86_vdso_map64,
    .vdso_serve = x86_vdso_serve64,
};
