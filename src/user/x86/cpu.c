/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 CPUs of programs: -cpu, capabilities (getauxval(3): CPUID.1 EDX), /proc/cpuinfo. */
#include "guest/x86/features.h"
#include "guest/x86/models.h"
#include "user/x86/x86_abi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_NAME = 64 };

/* "NAME" or "NAME,features"; NULL: the default. */
static int understand(const char *text, bool only32, struct x86_conf *c, struct err *e)
{
    size_t len = text ? strcspn(text, ",") : 0;
    char name[MODEL_NAME];
    int r;

    if (len >= sizeof(name))
        return err_set(e, -ENOENT, "-cpu '%.20s...': no model has such a name", text);
    snprintf(name, sizeof(name), "%.*s", (int)len, text ? text : "");
    r = x86_conf_parse(c, text ? name : NULL, text && text[len] ? text + len + 1 : NULL, "max", only32, NULL, NULL, e);
    if (r == 0 && !only32 && !x86_has(&c->features, X86_FEAT_LM))
        return err_set(e, -EINVAL, "-cpu '%s': the CPU has no 64-bit mode (lm)", text);
    x86_feature_put(&c->features, X86_FEAT_PKU, false); /* Linux would have to switch it on */
    return r;
}

int x86_abi_check_cpu64(const char *text, struct err *e)
{
    struct x86_conf c;

    return understand(text, false, &c, e);
}

int x86_abi_check_cpu32(const char *text, struct err *e)
{
    struct x86_conf c;

    return understand(text, true, &c, e);
}

/* The copy that CPUID looks at stays to the end of the process. */
static int choose(struct cpu *cpu, const char *text, unsigned code)
{
    struct x86_conf *c = malloc(sizeof(*c));
    bool only32 = code == X86_CODE32;
    int number;

    if (!c)
        fatal("out of memory");
    if (understand(text, only32, c, ERR_IGNORE) < 0)
        understand(NULL, only32, c, ERR_IGNORE);
    number = x86_features_number(&c->features);
    x86_program(cpu, code, number < 0 ? 0 : (unsigned)number);
    x86(cpu)->conf = c;
    x86_set_mxcsr(cpu, 0x1f80);
    return c->model;
}

int x86_abi_choose64(struct cpu *cpu, const char *text)
{
    return choose(cpu, text, X86_CODE64);
}

int x86_abi_choose32(struct cpu *cpu, const char *text)
{
    return choose(cpu, text, X86_CODE32);
}

/* --- Registers that both ABIs have --- */

uint64_t x86_abi_sp(const struct cpu *cpu)
{
    return ((const struct x86_state *)cpu->guest)->r[X86_SP];
}

void x86_abi_set_sp(struct cpu *cpu, uint64_t sp)
{
    x86(cpu)->r[X86_SP] = sp;
}

/* --- Capabilities --- */

enum { HWCAP2_FSGSBASE = 2 };

void x86_abi_hwcap(const struct cpu *cpu, uint64_t out[2])
{
    const struct x86_features *set = cpu ? x86_features_of(cpu->mode) : NULL;

    out[0] = out[1] = 0;
    for (unsigned i = 0; set && i < X86_NUM_FEATS; i++) {
        const struct x86_place *p = x86_feature_place((enum x86_feature)i);

        if (p->leaf == 1 && p->reg == 3 && x86_has(set, (enum x86_feature)i))
            out[0] |= 1ull << p->bit;
    }
    if (set && x86_has(set, X86_FEAT_FSGSBASE))
        out[1] |= HWCAP2_FSGSBASE;
}

/* For those who look without a CPU: the default. */
static struct x86_conf conf_of(const struct cpu *cpu)
{
    struct x86_conf c;

    if (cpu && ((const struct x86_state *)cpu->guest)->conf)
        return *((const struct x86_state *)cpu->guest)->conf;
    understand(NULL, false, &c, ERR_IGNORE);
    return c;
}

void x86_abi_cpuinfo(const struct process *p, const struct cpu *cpu, long n, FILE *out)
{
    struct x86_conf c = conf_of(cpu);

    fprintf(out, "processor\t: %ld\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
            "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: 1000.000\nphysical id\t: 0\nsiblings\t: 1\n"
            "core id\t\t: %ld\ncpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n"
            "flags\t\t:", n, c.vendor, c.family, c.model_number, *c.model_id ? c.model_id : x86_model_name(c.model), c.stepping, n, c.level);
    for (int i = 1; x86_feature_flag(i); i++)
        if (x86_has(&c.features, (enum x86_feature)i))
            fprintf(out, " %s", x86_feature_flag(i));
    fprintf(out, "\nbogomips\t: 2000.00\nclflush size\t: 64\ncache_alignment\t: 64\n"
            "address sizes\t: %u bits physical, 48 bits virtual\n\n", c.phys_bits);
}
