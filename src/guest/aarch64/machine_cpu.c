/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64 CPUs of machines: birth, -cpu features, reset, saved state (DDI 0487, D1.8 "Reset"). */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/system_priv.h"

#include "base/nearest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- -cpu --- */

static int no_such_model(const char *name, struct err *e)
{
    const char *names[32] = {NULL}, *best;

    if (strcmp(name, "host") == 0)
        return err_set(e, -ENOENT, "CPU model 'host' needs hardware virtualization; 'max' has every feature there is");
    for (int i = 0; i < 31 && a64_model_name(i); i++)
        names[i] = a64_model_name(i);
    best = nearest_name(name, names);
    if (best)
        return err_set(e, -ENOENT, "unable to find CPU model '%s'; did you mean '%s'?", name, best);
    return err_set(e, -ENOENT, "unable to find CPU model '%s'; -cpu help lists them", name);
}

static int on_or_off(const char *name, const char *value, bool *v, struct err *e)
{
    if (strcmp(value, "on") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
        *v = true;
    else if (strcmp(value, "off") == 0 || strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
        *v = false;
    else
        return err_set(e, -EINVAL, "CPU property '%s' is on or off, not '%s'", name, value);
    return 0;
}

static bool has_pauth(const struct a64_conf *c)
{
    return a64_model_feats((unsigned)c->model) >> A64_FEAT_PAUTH & 1;
}

static bool has_lpa2(const struct a64_conf *c)
{
    return a64_core_lpa2(a64_core((unsigned)c->model));
}

static bool is_known(const char *name)
{
    static const char *const names[] = {"aarch64", "cfgend", "lpa2", "pauth", "pauth-impdef", "pmu", "reset-hivecs"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int set_feature(struct a64_conf *c, const char *name, const char *value, struct err *e)
{
    const char *model = a64_model_name(c->model);
    bool v = true;
    int r;

    if (strncmp(name, "sve", 3) == 0 || strncmp(name, "sme", 3) == 0) {
        if ((r = on_or_off(name, value, &v, e)) < 0)
            return r;
        return v ? err_set(e, -ENOTSUP, "CPU property '%s': scalable vectors are not supported", name) : 0;
    }
    if (strncmp(name, "kvm-", 4) == 0)
        return err_set(e, -EINVAL, "CPU property '%s' is for hardware virtualization only", name);
    if (!is_known(name))
        return err_set(e, -EINVAL, "CPU model '%s' has no property '%s'; it has aarch64, lpa2, pauth, pauth-impdef, pmu", model,
                       name);
    if ((r = on_or_off(name, value, &v, e)) < 0)
        return r;
    if (strcmp(name, "pmu") == 0) {
        c->pmu = v;
    } else if (strcmp(name, "aarch64") == 0) {
        return v ? 0 : err_set(e, -ENOTSUP, "CPU property 'aarch64': AArch32 is not supported");
    } else if (strcmp(name, "pauth") == 0) {
        if (v && !has_pauth(c))
            return err_set(e, -EINVAL, "CPU model '%s' has no pointer authentication", model);
        c->pauth = v;
    } else if (strcmp(name, "pauth-impdef") == 0) {
        if (!has_pauth(c))
            return err_set(e, -EINVAL, "CPU model '%s' has no pointer authentication", model);
        c->qarma5 = !v;
    } else if (strcmp(name, "lpa2") == 0) {
        if (!has_lpa2(c))
            return err_set(e, -EINVAL, "CPU model '%s' has no addresses of 52 bits", model);
        c->lpa2 = v;
    } else if (strcmp(name, "cfgend") == 0) {
        c->big = v;
    } else if (v) { /* reset-hivecs */
        return err_set(e, -ENOTSUP, "CPU property '%s': AArch32 is not supported", name);
    }
    return 0;
}

/* "name=value", "name", "+name", "-name". */
static int one_feature(struct a64_conf *c, char *text, struct err *e)
{
    char *eq = strchr(text, '=');

    if (*text == '+' || *text == '-')
        return set_feature(c, text + 1, *text == '+' ? "on" : "off", e);
    if (!eq)
        return set_feature(c, text, "on", e);
    *eq = '\0';
    return set_feature(c, text, eq + 1, e);
}

int a64_conf_parse(struct a64_conf *c, const char *name, const char *features, const char *def, struct err *e)
{
    char *copy, *save = NULL;
    int r = 0;

    c->model = a64_model_find(name ? name : def);
    if (c->model < 0)
        return no_such_model(name ? name : def, e);
    c->pmu = true;
    c->pauth = has_pauth(c);
    c->lpa2 = has_lpa2(c);
    if (!features)
        return 0;
    copy = strdup(features);
    if (!copy)
        return err_set(e, -ENOMEM, "out of memory");
    for (char *t = strtok_r(copy, ",", &save); t && r == 0; t = strtok_r(NULL, ",", &save))
        r = one_feature(c, t, e);
    free(copy);
    return r;
}

/* --- Reset --- */

static void reset_registers(struct a64_sys *s)
{
    s->sctlr[1] = 0x00c50838;
    s->sctlr[2] = 0x30c50838;
    if (s->conf.big) {
        s->sctlr[1] |= SCTLR_EE;
        s->sctlr[2] |= SCTLR_EE;
    }
    s->daif = PS_DAIF;
    s->u.excl_addr = ~0ull;
    s->cntfrq = a64_counter_frequency();
    s->hcr = HCR_RW;
    s->cptr = 0x33ff;
    s->cnthctl = 3;
    s->mdcr = s->core->counters;
    s->vpidr = a64_model_midr(s->conf.model);
    s->vmpidr = s->conf.mpidr | 1u << 31;
    s->oslock = 1;
    s->pmu_last = (uint64_t)clock_now(s->m, CLK_VIRT);
}

/* Mode bits that last as long as the CPU. */
static uint32_t born_mode(const struct a64_conf *c)
{
    return (uint32_t)c->model << A64_MODE_MODEL | (c->pauth ? 0 : A64_MODE_NO_PAUTH) | (c->qarma5 ? A64_MODE_QARMA5 : 0) |
           (a64_has_bti(c->model) ? A64_MODE_BTI : 0);
}

void a64_sys_reset(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    unsigned el = s->reset.el ? s->reset.el : s->conf.el2 ? 2 : 1;

    machine_lock(s->m);
    memset(s, 0, A64_RESET_BYTES);
    reset_registers(s);
    s->u.model = (uint32_t)s->conf.model;
    for (unsigned i = 0; i < A64_NUM_TIMERS; i++)
        a64_timer_update(cpu, (enum a64_timer)i);
    a64_pmu_update(cpu);
    machine_unlock(s->m);
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    a64_set_fpcr(cpu, 0);
    a64_set_fpsr(cpu, 0);
    cpu->landing = 0;
    cpu->pc = s->reset.pc;
    memcpy(s->u.x, s->reset.x, sizeof(s->reset.x));
    s->el = (uint8_t)el;
    s->spsel = 1;
    mmu_flush(cpu, R_EL10_ALL | R_EL2_ALL, 0, 0, true);
    a64_contexts(cpu);
    a64_update_mode(cpu);
}

static void reset_here(struct cpu *cpu, void *opaque)
{
    a64_sys_reset(cpu);
}

static bool on_at_reset(const struct a64_sys *s)
{
    return s->index == 0 || s->conf.psci == A64_PSCI_OFF;
}

static void machine_was_reset(void *opaque)
{
    struct cpu *cpu = opaque;
    struct vcpu *v = vcpu_of(cpu);

    vcpu_off(v); /* it does not sleep any more, either */
    vcpu_call(v, reset_here, NULL);
    if (on_at_reset(a64s(cpu)))
        vcpu_on(v, NULL, NULL);
}

void a64_set_reset_state(struct cpu *cpu, const struct a64_reset *r)
{
    a64s(cpu)->reset = *r;
}

/* --- Birth --- */

struct cpu *a64_cpu_new(struct machine *m, struct engine *engine, const struct a64_conf *c, unsigned index,
                        struct err *e)
{
    struct cpu *cpu = cpu_new(&guest_aarch64_system, engine);
    struct a64_sys *s;
    char name[16];

    if (!cpu) {
        err_set(e, -ENOMEM, "out of memory for CPU %u", index);
        return NULL;
    }
    s = a64s(cpu);
    s->m = m;
    s->space = machine_space(m);
    s->conf = *c;
    s->bti = a64_has_bti(c->model);
    s->core = a64_core((unsigned)c->model);
    s->index = index;
    cpu->mode = born_mode(c) | A64_MODE_SYSTEM;
    a64_timer_init(cpu);
    a64_pmu_init(cpu);
    space_on_change(s->space, a64_space_changed, NULL);
    vcpu_new(m, cpu, index, on_at_reset(s));
    vcpu_call(vcpu_of(cpu), reset_here, NULL);
    machine_on_reset(m, machine_was_reset, cpu);
    snprintf(name, sizeof(name), "cpu%u", index);
    machine_add_state(m, name, a64_sys_state, 1, s, a64_state_saving, a64_state_loaded);
    return cpu;
}

/* --- Saved state --- */

#define U64(member) STATE(a64_sys, member, S_U64, 1, NULL)
#define U32(member) STATE(a64_sys, member, S_U32, 1, NULL)
#define U8(member)  STATE(a64_sys, member, S_U8, 1, NULL)

const struct state a64_sys_state[] = {
    U64(u.x), U64(u.sp), U8(u.n), U8(u.z), U8(u.c), U8(u.v), U8(u.dit), U8(u.ssbs), U64(u.excl_addr), U64(u.vreg),
    U64(u.excl_val), U64(u.tpidr), U64(u.tpidr2), U32(u.fpcr), U64(u.pac_keys), U64(sp_el), U64(elr), U64(spsr),
    U64(tpidr), U64(tpidrro), U64(daif), U64(esr), U64(far), U64(contextidr), U64(vbar), U64(par), U8(el), U8(spsel),
    U8(pan), U8(uao), U8(ss), U8(il), U64(sctlr), U64(tcr), U64(ttbr0), U64(ttbr1), U64(mair), U64(amair), U64(afsr0),
    U64(afsr1), U64(actlr), U64(cpacr), U64(csselr), U64(lorsa), U64(lorea), U64(lorn), U64(lorc), U64(hcr), U64(hstr),
    U64(hacr), U64(hpfar), U64(mdcr), U64(cptr), U64(vtcr), U64(vttbr), U64(vpidr), U64(vmpidr), U64(cnthctl),
    U64(cntkctl), U64(cntvoff), U64(cntfrq), U64(cnt_ctl), U64(cnt_cval), U64(mdscr), U64(oslock), U64(osdlr),
    U64(mdccint), U64(claim), U64(eccr), U64(dbgprcr), U64(dbgbvr), U64(dbgbcr), U64(dbgwvr), U64(dbgwcr), U64(pmcr),
    U64(pmcnten), U64(pmovs), U64(pminten), U64(pmselr), U64(pmuserenr), U64(pmccfiltr), U64(pmccntr), U64(pmu_last),
    U64(pmevcntr), U64(pmevtyper), STATE(a64_sys, event, S_BOOL, 1, NULL), U64(saved_pc), U64(saved_landing),
    U64(saved_fpsr), U64(saved_on), U32(irq_level), STATE_END};

void a64_state_saving(void *obj)
{
    struct cpu *cpu = a64_cpu_of(obj);
    struct a64_sys *s = obj;

    a64_pmu_update(cpu);
    s->saved_pc = cpu->pc;
    s->saved_landing = cpu->landing;
    s->saved_fpsr = a64_get_fpsr(cpu);
    s->saved_on = vcpu_is_on(vcpu_of(cpu));
}

/* Everything that is derived from the registers; on the CPU's thread. */
static void derive(struct cpu *cpu, void *opaque)
{
    struct a64_sys *s = a64s(cpu);

    cpu->pc = s->saved_pc;
    cpu->landing = (uint32_t)s->saved_landing;
    a64_set_fpcr(cpu, s->u.fpcr);
    a64_set_fpsr(cpu, (uint32_t)s->saved_fpsr);
    mmu_flush(cpu, R_EL10_ALL | R_EL2_ALL, 0, 0, true);
    a64_contexts(cpu);
    a64_update_mode(cpu);
    for (unsigned i = 0; i < A64_NUM_TIMERS; i++)
        a64_timer_update(cpu, (enum a64_timer)i);
    a64_pmu_update(cpu);
}

int a64_state_loaded(void *obj, int version, struct err *e)
{
    struct a64_sys *s = obj;
    struct cpu *cpu = a64_cpu_of(s);
    struct vcpu *v = vcpu_of(cpu);

    if (s->el > (s->conf.el2 ? 2 : 1))
        return err_set(e, -EILSEQ, "exception level %u: this CPU has levels 0 to %d", s->el, s->conf.el2 ? 2 : 1);
    if (s->spsel > 1 || (!s->el && s->spsel) || s->saved_landing > (s->bti ? 3 : 0) || s->u.n > 1 || s->u.z > 1 || s->u.c > 1 ||
        s->u.v > 1 || s->u.dit > 1 || s->u.ssbs > 1)
        return err_set(e, -EILSEQ, "PSTATE is impossible");
    s->daif &= PS_DAIF;
    s->csselr &= 15;
    s->pmselr &= 31;
    vcpu_call(v, derive, NULL);
    if (s->saved_on)
        vcpu_on(v, NULL, NULL);
    else
        vcpu_off(v);
    return 0;
}
