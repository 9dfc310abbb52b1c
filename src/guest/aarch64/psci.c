/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PSCI 1.1: power of CPUs and of the machine, as firmware below the guest would do it (DEN 0022; calls: DEN 0028). */
#include "guest/aarch64/system_priv.h"

#include <stdlib.h>

/* Function numbers; bit 30: arguments of 64 bits. */
enum {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_SUSPEND,
    PSCI_CPU_OFF,
    PSCI_CPU_ON,
    PSCI_AFFINITY_INFO,
    PSCI_MIGRATE,
    PSCI_MIGRATE_INFO_TYPE,
    PSCI_MIGRATE_INFO_UP_CPU,
    PSCI_SYSTEM_OFF,
    PSCI_SYSTEM_RESET,
    PSCI_FEATURES,
    PSCI_SYSTEM_RESET2 = 0x84000012,
};
enum { WIDE = 0x40000000 };

enum {
    OK = 0,
    NOT_SUPPORTED = -1,
    INVALID_PARAMETERS = -2,
    ALREADY_ON = -4,
};

enum { AFFINITY_ON, AFFINITY_OFF };
enum { NO_MIGRATION = 2 };
#define AFFINITY 0xff00ffffffull

static struct vcpu *by_affinity(const struct a64_sys *s, uint64_t mpidr)
{
    struct vcpu *v;

    for (unsigned i = 0; (v = vcpu_at(s->m, i)); i++)
        if ((a64_mpidr(vcpu_cpu(v)) & AFFINITY) == (mpidr & AFFINITY))
            return v;
    return NULL;
}

struct start {
    uint64_t pc, context;
};

static void start(struct cpu *cpu, void *opaque)
{
    struct start *st = opaque;

    a64_sys_reset(cpu);
    cpu->pc = st->pc;
    for (unsigned i = 0; i < 4; i++)
        a64(cpu)->x[i] = 0;
    a64(cpu)->x[0] = st->context;
    free(st);
}

static int64_t cpu_on(const struct a64_sys *s, uint64_t mpidr, uint64_t entry, uint64_t context)
{
    struct vcpu *v = mpidr & ~AFFINITY ? NULL : by_affinity(s, mpidr);
    struct start *st;

    if (!v || (entry & 3))
        return INVALID_PARAMETERS;
    st = malloc(sizeof(*st));
    if (!st)
        fatal("out of memory");
    *st = (struct start){entry, context};
    if (vcpu_on(v, start, st))
        return OK;
    free(st);
    return ALREADY_ON;
}

static int64_t affinity_info(const struct a64_sys *s, uint64_t mpidr, uint64_t level)
{
    struct vcpu *v = level || (mpidr & ~AFFINITY) ? NULL : by_affinity(s, mpidr);

    return !v ? INVALID_PARAMETERS : vcpu_is_on(v) ? AFFINITY_ON : AFFINITY_OFF;
}

static int64_t features(uint32_t fn)
{
    switch (fn & ~(uint32_t)WIDE) {
    case PSCI_VERSION: case PSCI_CPU_OFF: case PSCI_MIGRATE_INFO_TYPE: case PSCI_SYSTEM_OFF: case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
        return fn & WIDE ? NOT_SUPPORTED : OK;
    case PSCI_CPU_SUSPEND: case PSCI_CPU_ON: case PSCI_AFFINITY_INFO: case PSCI_SYSTEM_RESET2:
        return OK;
    default:
        return NOT_SUPPORTED;
    }
}

static int64_t machine_call(const struct a64_sys *s, enum machine_ask what, const char *why, enum vcpu_next *next)
{
    machine_ask(s->m, what, why);
    *next = VCPU_OFF; /* it does not return */
    return OK;
}

void a64_psci(struct cpu *cpu, enum vcpu_next *next)
{
    struct a64_sys *s = a64s(cpu);
    uint64_t *x = s->u.x, mask = x[0] & WIDE ? ~0ull : 0xffffffff;
    uint32_t fn = (uint32_t)x[0];
    int64_t r = NOT_SUPPORTED;

    if (features(fn) == OK) {
        switch (fn & ~(uint32_t)WIDE) {
        case PSCI_VERSION:
            r = 0x10001;
            break;
        case PSCI_CPU_SUSPEND: /* every state is a standby state */
            r = OK;
            if (!a64_awake(cpu))
                *next = VCPU_SLEEP;
            break;
        case PSCI_CPU_OFF:
            *next = VCPU_OFF;
            break;
        case PSCI_CPU_ON:
            r = cpu_on(s, x[1] & mask, x[2] & mask, x[3] & mask);
            break;
        case PSCI_AFFINITY_INFO:
            r = affinity_info(s, x[1] & mask, x[2] & mask);
            break;
        case PSCI_MIGRATE_INFO_TYPE:
            r = NO_MIGRATION;
            break;
        case PSCI_SYSTEM_OFF:
            r = machine_call(s, ASK_SHUTDOWN, "guest-shutdown", next);
            break;
        case PSCI_SYSTEM_RESET:
            r = machine_call(s, ASK_RESET, "guest-reset", next);
            break;
        case PSCI_SYSTEM_RESET2: /* 0: SYSTEM_WARM_RESET; others are the vendor's */
            r = x[1] & mask ? INVALID_PARAMETERS : machine_call(s, ASK_RESET, "guest-reset", next);
            break;
        case PSCI_FEATURES:
            r = features((uint32_t)x[1]);
            break;
        }
    }
    x[0] = (uint64_t)r;
}
