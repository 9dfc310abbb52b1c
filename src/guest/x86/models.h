/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models and CPUID (SDM 2A, CPUID; APM 3, appendix E). */
#ifndef GUEST_X86_MODELS_H
#define GUEST_X86_MODELS_H

#include "guest/x86/system.h"

int x86_model_find(const char *name); /* -1 */

/** struct x86_cpuid_env - what CPUID says besides the model: by the state of the CPU. */
struct x86_cpuid_env {
    uint32_t apic_id, index, cpus;
    bool osxsave, ospke, apic_on;
    uint64_t xcr0, xss;
};
/** x86_cpuid - EAX, EBX, ECX, EDX of @leaf, @sub. */
void x86_cpuid(const struct x86_conf *c, const struct x86_cpuid_env *env, uint32_t leaf, uint32_t sub, uint32_t out[4]);

#endif
