/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i386 Linux, as a 64-bit kernel runs it: numbers, registers (asm/unistd_32.h, syscall(2)). */
#include "guest/x86/models.h"
#include "user/compat32/compat32.h"
#include "user/x86/frame32.h"
#include "user/x86/ldt.h"
#include "user/x86/vdso.h"

#include <elf.h>

static const struct sys_row rows[] = {
#define PASS(nr, name, kinds)          [nr] = {#name, kinds, NULL, __NR_##name},
#define SAME(nr, name, kinds)          [nr] = {#name, kinds, NULL, nr},
#define CALL(nr, name, kinds)          [nr] = {#name, kinds, sys_##name, 0},
#define CALL32(nr, name, kinds)        [nr] = {#name, kinds, sys32_##name, 0},
#define ALIAS(nr, name, other, kinds)  [nr] = {#name, kinds, sys_##other, 0},
#define HOSTAS(nr, name, other, kinds) [nr] = {#name, kinds, NULL, __NR_##other},
#define REFUSE(nr, name, kinds, error) [nr] = {#name, kinds, NULL, -error},
#include "user/i386/syscalls.def"
#undef PASS
#undef SAME
#undef CALL
#undef CALL32
#undef ALIAS
#undef HOSTAS
#undef REFUSE
};

static uint64_t fetch(struct cpu *cpu, uint64_t a[6])
{
    static const uint8_t order[6] = {X86_BX, X86_CX, X86_DX, X86_SI, X86_DI, X86_BP};
    const uint64_t *r = x86(cpu)->r;

    for (int i = 0; i < 6; i++)
        a[i] = (uint32_t)r[order[i]];
    return (uint32_t)r[X86_AX];
}

static void give(struct cpu *cpu, long result)
{
    x86(cpu)->r[X86_AX] = (uint32_t)result;
}

/* CLONE_SETTLS gives a struct user_desc. */
static int set_tls(struct cpu *cpu, uint64_t tls)
{
    return x86_set_tls_entry(cpu, tls, false);
}

static void start(struct cpu *cpu, uint64_t entry, uint64_t sp)
{
    cpu->pc = entry;
    x86(cpu)->r[X86_SP] = sp;
}

const struct user_abi abi_i386 = {
    .name = "i386",
    .family = ABI_X86,
    .machine = EM_386,
    .word = 4,
    .uname = "i686",
    .platform = "i686",
    .isa = &guest_i386,
    .address = {.limit = UINT64_C(0xffffe000)},
    .cpu = {
        .list = x86_print_models,
        .choose = x86_abi_choose32,
        .check = x86_abi_check_cpu32,
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
        .insn_len = 2,
        .fetch = fetch,
        .give = give,
        .put_stat = put_stat64_32,
    },
    .signal = {
        .min_alt = 2048,
        .min_frame = 1520,
        .trap = x86_trap,
        .push = x86_push_frame32,
        .pop = x86_pop_frame32,
    },
    .vdso_map = x86_vdso_map32,
    .vdso_serve = x86_vdso_serve32,
};
