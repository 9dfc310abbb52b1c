/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arm64 Linux: numbers, registers and layouts (asm-generic/unistd.h, arm64 uapi headers). */
#include "user/arm64/arm64.h"
#include "user/mm.h"

#include <elf.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <string.h>

/* --- System calls ------------------------------------------------------------------------------*/

static const struct sys_row rows[] = {
#define PASS(nr, name, kinds)          [nr] = {#name, kinds, NULL, __NR_##name},
#define SAME(nr, name, kinds)          [nr] = {#name, kinds, NULL, nr},
#define CALL(nr, name, kinds)          [nr] = {#name, kinds, sys_##name, 0},
#define REFUSE(nr, name, kinds, error) [nr] = {#name, kinds, NULL, -error},
#include "user/arm64/syscalls.def"
#undef PASS
#undef SAME
#undef CALL
#undef REFUSE
};

static uint64_t fetch(struct cpu *cpu, uint64_t a[6])
{
    memcpy(a, a64(cpu)->x, 6 * sizeof(*a));
    return a64(cpu)->x[8];
}

static void give(struct cpu *cpu, long result)
{
    a64(cpu)->x[0] = (uint64_t)result;
}

/* struct stat of arm64 (asm-generic/stat.h). */
struct guest_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    int64_t atime;
    uint64_t atime_nsec;
    int64_t mtime;
    uint64_t mtime_nsec;
    int64_t ctime;
    uint64_t ctime_nsec;
    uint32_t unused[2];
};
_Static_assert(sizeof(struct guest_stat) == 128, "struct stat of arm64");

static long put_stat(struct task *t, uint64_t addr, const struct stat *st)
{
    struct guest_stat g = {
        .dev = st->st_dev,
        .ino = st->st_ino,
        .mode = st->st_mode,
        .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .rdev = st->st_rdev,
        .size = st->st_size,
        .blksize = (int32_t)st->st_blksize,
        .blocks = st->st_blocks,
        .atime = st->st_atim.tv_sec,
        .atime_nsec = (uint64_t)st->st_atim.tv_nsec,
        .mtime = st->st_mtim.tv_sec,
        .mtime_nsec = (uint64_t)st->st_mtim.tv_nsec,
        .ctime = st->st_ctim.tv_sec,
        .ctime_nsec = (uint64_t)st->st_ctim.tv_nsec,
    };

    return guest_write(t->cpu, addr, &g, sizeof(g));
}

/* Pointer authentication keys: PR_PAC_* bits 0..3 are APIA, APIB, APDA, APDB; bit 4 is APGA. */
static long reset_keys(struct task *t, const uint64_t *a)
{
    if ((a[1] & ~31ull) || a[2] || a[3] || a[4])
        return -EINVAL;
    a64_reset_pac_keys(t->cpu, (unsigned)a[1]);
    return 0;
}

static long arch_prctl_options(struct task *t, const uint64_t *a)
{
    switch ((int)a[0]) {
    case PR_PAC_RESET_KEYS:
        return reset_keys(t, a);
    case PR_GET_TAGGED_ADDR_CTRL:
        return a[1] || a[2] || a[3] || a[4] ? -EINVAL : t->proc->tagged_addr;
    case PR_SET_TAGGED_ADDR_CTRL: /* tags are always ignored; no memory tagging */
        if ((a[1] & ~(uint64_t)PR_TAGGED_ADDR_ENABLE) || a[2] || a[3] || a[4])
            return -EINVAL;
        t->proc->tagged_addr = (int)a[1];
        return 0;
    default:
        return -EINVAL;
    }
}

/* --- The CPU -----------------------------------------------------------------------------------*/

static int find_model(const char *text)
{
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, ","), text);
    return a64_model_find(name);
}

static int check_cpu(const char *text, struct err *e)
{
    return find_model(text) >= 0 ? 0
           : err_set(e, -EINVAL, "-cpu '%s': no such CPU model: '-cpu help' lists them", text);
}

static int choose_cpu(struct cpu *cpu, const char *text)
{
    int model = text ? find_model(text) : 0;

    if (model < 0)
        model = 0;
    a64_set_model(cpu, model);
    if (text && strstr(text, "pauth-impdef=off"))
        a64_set_qarma5(cpu);
    a64_reset_pac_keys(cpu, 0);
    return model;
}

static uint64_t get_sp(const struct cpu *cpu)
{
    return ((const struct a64_state *)cpu->guest)->sp;
}

static void set_sp(struct cpu *cpu, uint64_t sp)
{
    a64(cpu)->sp = sp;
}

static int set_tls(struct cpu *cpu, uint64_t tls)
{
    a64(cpu)->tpidr = tls;
    return 0;
}

static void hwcap(const struct cpu *cpu, uint64_t out[2])
{
    out[0] = cpu ? a64_hwcap(cpu) : 0;
    out[1] = cpu ? a64_hwcap2(cpu) : 0;
}

static void start(struct cpu *cpu, uint64_t entry, uint64_t sp)
{
    cpu->pc = entry;
    a64(cpu)->sp = sp;
}

static int extra_prot(int model)
{
    return a64_has_bti(model) ? GUEST_PROT_BTI : 0;
}

static uint32_t fetch_mode(uint32_t prot)
{
    return prot & GUEST_PROT_BTI ? A64_MODE_GUARDED : 0;
}

static void list_models(FILE *out)
{
    for (int i = 0; a64_model_name(i); i++)
        fprintf(out, "  %s\n", a64_model_name(i));
}

const struct user_abi abi_aarch64 = {
    .name = "aarch64",
    .family = ABI_ARM,
    .machine = EM_AARCH64,
    .word = 8,
    .uname = "aarch64",
    .platform = "aarch64",
    .isa = &guest_aarch64,
    .address = {.limit = UINT64_C(1) << 48, .tag_bits = 8},
    .cpu = {
        .list = list_models,
        .choose = choose_cpu,
        .check = check_cpu,
        .sp = get_sp,
        .set_sp = set_sp,
        .hwcap = hwcap,
        .start = start,
        .set_tls = set_tls,
        .cpuinfo = arm64_cpuinfo,
        .prepare = a64_enable_bti,
        .extra_prot = extra_prot,
        .fetch_mode = fetch_mode,
    },
    .call = {
        .rows = rows,
        .n_rows = sizeof(rows) / sizeof(rows[0]),
        .insn_len = 4,
        .fetch = fetch,
        .give = give,
        .put_stat = put_stat,
        .prctl = arch_prctl_options,
        .arm_open = true,
        .padded_events = true,
        .generic_sem = true,
    },
    .signal = {
        .min_alt = 5120,
        .min_frame = 4720, /* what arm64 says without SVE: a frame and its records */
        .trap = arm64_trap,
        .push = arm64_push_frame,
        .pop = arm64_pop_frame,
    },
    .vdso_map = arm64_vdso_map,
    .vdso_serve = arm64_vdso_serve,
};
