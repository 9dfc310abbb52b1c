/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID of programs (SDM 2A, CPUID; APM 3, appendix E): the model's answers, as Linux has set the CPU up. */
#include "guest/x86/lift.h"
#include "guest/x86/models.h"

/* Tests that make a CPU of a feature set alone have the model "max" with these. */
static struct x86_conf conf_of(const struct cpu *cpu)
{
    const struct x86_state *s = (const struct x86_state *)cpu->guest;
    struct x86_conf c;

    if (s->conf)
        return *s->conf;
    x86_conf_parse(&c, "max", NULL, "max", false, NULL, NULL, ERR_IGNORE);
    c.features = *x86_features_of(cpu->mode);
    return c;
}

uint64_t x86_help_cpuid(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    struct x86_conf conf = conf_of(cpu);
    const struct x86_cpuid_env env = {.cpus = 1, .osxsave = x86_has(&conf.features, X86_FEAT_XSAVE), .apic_on = true, .xcr0 = s->xcr0};
    uint32_t r[4];

    x86_cpuid(&conf, &env, (uint32_t)s->r[X86_AX], (uint32_t)s->r[X86_CX], r);
    s->r[X86_AX] = r[0];
    s->r[X86_BX] = r[1];
    s->r[X86_CX] = r[2];
    s->r[X86_DX] = r[3];
    return 0;
}
