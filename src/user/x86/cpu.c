/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 CPUs of programs: -cpu, capabilities (getauxval(3): CPUID.1 EDX), /proc/cpuinfo. */
#include "guest/x86/features.h"
#include "user/x86/x86_abi.h"

#include <string.h>

static const char *const models[] = {"max", "qemu64", "qemu32", NULL};

const char *x86_abi_model_name(int index)
{
    return index >= 0 && (size_t)index < sizeof(models) / sizeof(models[0]) ? models[index] : NULL;
}

static int find_model(const char *text, size_t len)
{
    for (int i = 0; models[i]; i++)
        if (strlen(models[i]) == len && memcmp(models[i], text, len) == 0)
            return i;
    return -1;
}

/* One of "+flag", "-flag", "flag=on|off" for @set; false: it is none. */
static bool change(struct x86_features *set, const char *part, size_t len)
{
    char flag[32];
    const char *eq = memchr(part, '=', len);
    size_t skip = *part == '+' || *part == '-' ? 1 : 0, n = (eq ? (size_t)(eq - part) : len) - skip;
    bool on = *part != '-' && !(eq && len - (size_t)(eq - part) == 4 && memcmp(eq, "=off", 4) == 0);
    int f;

    if ((!skip && !eq) || n == 0 || n >= sizeof(flag))
        return false;
    memcpy(flag, part + skip, n);
    flag[n] = 0;
    f = x86_feature_find(flag);
    if (f < 0)
        return false;
    x86_feature_put(set, (enum x86_feature)f, on);
    return true;
}

/* The set that @text asks for; NULL: the model.  Returns the part that is wrong, NULL when all is right. */
static const char *understand(const char *text, struct x86_features *set, int *model)
{
    size_t len = strcspn(text, ",");

    *set = x86_features_all();
    *model = find_model(text, len);
    if (*model < 0)
        return text;
    for (text += len; *text; text += len) {
        text++;
        len = strcspn(text, ",");
        if (len && !change(set, text, len))
            return text;
    }
    return NULL;
}

int x86_abi_check_cpu(const char *text, struct err *e)
{
    struct x86_features set;
    int model;
    const char *wrong = understand(text, &set, &model);

    if (!wrong)
        return 0;
    if (model < 0)
        return err_set(e, -EINVAL, "-cpu '%s': no such CPU model: '-cpu help' lists them", text);
    return err_set(e, -EINVAL, "-cpu: unknown property '%.*s': want +FLAG, -FLAG or FLAG=on|off",
                   (int)strcspn(wrong, ","), wrong);
}

static int choose(struct cpu *cpu, const char *text, unsigned code)
{
    struct x86_features set = x86_features_all();
    int model = 0, number;

    if (text && understand(text, &set, &model)) {
        set = x86_features_all();
        model = 0;
    }
    number = x86_features_number(&set);
    x86_program(cpu, code, number < 0 ? 0 : (unsigned)number);
    x86_set_mxcsr(cpu, 0x1f80);
    return model;
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
    static const struct { uint32_t leaf; uint8_t reg, bit; } place[] = {
#define FEATURE(name, flag, leaf, sub, reg, bit) [X86_FEAT_##name] = {leaf, reg, bit},
#include "guest/x86/features.def"
#undef FEATURE
    };
    const struct x86_features *set = cpu ? x86_features_of(cpu->mode) : NULL;

    out[0] = out[1] = 0;
    for (unsigned i = 0; set && i < X86_NUM_FEATS; i++)
        if (place[i].leaf == 1 && place[i].reg == 3 && x86_has(set, (enum x86_feature)i))
            out[0] |= 1ull << place[i].bit;
    if (set && x86_has(set, X86_FEAT_FSGSBASE))
        out[1] |= HWCAP2_FSGSBASE;
}

void x86_abi_cpuinfo(const struct process *p, const struct cpu *cpu, long n, FILE *out)
{
    const struct x86_features *set = cpu ? x86_features_of(cpu->mode) : NULL;

    fprintf(out, "processor\t: %ld\nvendor_id\t: AuthenticAMD\ncpu family\t: 15\nmodel\t\t: 107\n"
            "model name\t: %s\nstepping\t: 1\ncpu MHz\t\t: 1000.000\nphysical id\t: 0\nsiblings\t: 1\n"
            "core id\t\t: %ld\ncpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n"
            "flags\t\t:", n, x86_abi_model_name(p->model), n);
    for (int i = 1; x86_feature_flag(i); i++)
        if (set && x86_has(set, (enum x86_feature)i))
            fprintf(out, " %s", x86_feature_flag(i));
    fprintf(out, "\nbogomips\t: 2000.00\nclflush size\t: 64\ncache_alignment\t: 64\n"
            "address sizes\t: 40 bits physical, 48 bits virtual\n\n");
}
