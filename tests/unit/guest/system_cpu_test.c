/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64 CPUs of machines from outside: -cpu, the table of system registers, saved state. */
#include "guest/aarch64/sysreg.h"
#include "guest/aarch64/system_priv.h"
#include "tests/test.h"

#include <errno.h>

static struct machine *new_machine(struct cpu **cpu, bool el2)
{
    static const struct dev_type *const no_types[] = {NULL};
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct machine *m = machine_new(no_types, NULL);
    struct a64_conf c = {.el2 = el2};

    a64_conf_parse(&c, "max", NULL, NULL, ERR_IGNORE);
    machine_lock(m);
    *cpu = a64_cpu_new(m, engine_new(&guest_aarch64_system, &conf), &c, 0, ERR_IGNORE);
    machine_unlock(m);
    return m;
}

static void end(struct machine *m)
{
    vcpu_free_all(m);
    machine_free(m);
}

TEST(sysregs, rows_are_in_the_order_of_their_encodings)
{
    for (unsigned i = 1; i < A64_NUM_REGS; i++)
        CHECK(a64_regs[i - 1].enc < a64_regs[i].enc);
    for (unsigned i = 0; i < A64_NUM_REGS; i++)
        CHECK_EQ(a64_reg_find(a64_regs[i].enc), i);
}

TEST(sysregs, have_names_and_values_for_debuggers)
{
    struct cpu *cpu;
    struct machine *m = new_machine(&cpu, true);
    unsigned n = 0;
    uint64_t v;

    for (unsigned i = 0; a64_sysreg_name(i); i++) {
        if (strcmp(a64_sysreg_name(i), "CurrentEL") == 0)
            CHECK(a64_sysreg_peek(cpu, i, &v) && v == 8);
        if (strcmp(a64_sysreg_name(i), "VBAR_EL2") == 0)
            CHECK(a64_sysreg_poke(cpu, i, 0x12345678) && a64_sysreg_peek(cpu, i, &v) && v == 0x12345000);
        n += a64_sysreg_peek(cpu, i, &v);
    }
    CHECK(n > 150);
    end(m);
}

static void change(struct cpu *cpu, void *opaque)
{
    struct a64_sys *s = a64s(cpu);

    for (unsigned i = 0; i < 31; i++)
        s->u.x[i] = 0x1111111111111111ull * (i % 16);
    s->u.vreg[31].q = (unsigned __int128)7 << 100;
    a64_set_spsr(cpu, 0x60000000 | PS_PAN | PS_I | 1 << PS_EL | PS_SP);
    s->ttbr0[1] = 0x0005000012345000;
    s->tpidr[1] = 42;
    a64_set_fpcr(cpu, 3 << 22);
    a64_set_fpsr(cpu, 0x11);
    cpu->pc = 0xffff800008000000;
}

TEST(state, of_a_cpu_comes_back_in_another_machine)
{
    struct cpu *a, *b;
    struct machine *ma = new_machine(&a, true), *mb = new_machine(&b, true);
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    vcpu_call(vcpu_of(a), change, NULL);
    machine_lock(ma);
    CHECK_EQ(machine_save(ma, &buf, &len, &e), 0);
    machine_unlock(ma);
    machine_lock(mb);
    if (!CHECK_EQ(machine_load(mb, buf, len, &e), 0))
        printf("%s\n", e.msg);
    machine_unlock(mb);
    free(buf);
    CHECK_EQ(b->pc, a->pc);
    CHECK_EQ(b->mode, a->mode);
    CHECK_EQ(a64_get_spsr(b), a64_get_spsr(a));
    CHECK_EQ(a64_get_fpsr(b), 0x11);
    CHECK_EQ(b->fp.rounding, 3);
    CHECK_MEM(&a64s(b)->u, &a64s(a)->u, sizeof(struct a64_state));
    for (unsigned i = 0; a64_sysreg_name(i); i++) {
        uint64_t x = 0, y = 0;
        bool runs = strstr(a64_sysreg_name(i), "VAL_EL"); /* counts down */

        CHECK_EQ(a64_sysreg_peek(a, i, &x), a64_sysreg_peek(b, i, &y));
        if (!runs && strncmp(a64_sysreg_name(i), "RNDR", 4) != 0)
            CHECK_EQ(y, x);
    }
    end(ma);
    end(mb);
}

TEST(state, of_a_level_that_is_not_there_is_refused)
{
    struct cpu *a, *b;
    struct machine *ma = new_machine(&a, true), *mb = new_machine(&b, false);
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    machine_lock(ma);
    CHECK_EQ(machine_save(ma, &buf, &len, &e), 0);
    machine_unlock(ma);
    machine_lock(mb);
    CHECK_EQ(machine_load(mb, buf, len, &e), -EILSEQ);
    machine_unlock(mb);
    CHECK(strstr(e.msg, "exception level 2"));
    free(buf);
    end(ma);
    end(mb);
}

static void refused(const char *name, const char *features, int code, const char *words)
{
    struct a64_conf c = {0};
    struct err e = {0};

    CHECK_EQ(a64_conf_parse(&c, name, features, "max", &e), code);
    if (!CHECK(strstr(e.msg, words)))
        printf("%s\n", e.msg);
}

TEST(cpu_option, says_what_is_wrong)
{
    refused("cortex-a54", NULL, -ENOENT, "did you mean 'cortex-a53'");
    refused("host", NULL, -ENOENT, "virtualization");
    refused("max", "sve=on", -ENOTSUP, "not supported");
    refused("max", "aarch64=off", -ENOTSUP, "AArch32");
    refused("cortex-a53", "pauth=on", -EINVAL, "pointer authentication");
    refused("max", "pmu=maybe", -EINVAL, "'maybe'");
    refused("cortex-a72", "lpa2=on", -EINVAL, "52 bits");
    refused("max", "speed=9", -EINVAL, "no property 'speed'");
    refused("max", "kvm-steal-time=on", -EINVAL, "hardware virtualization");
}

TEST(cpu_option, sets_features)
{
    struct a64_conf c = {0};

    CHECK_EQ(a64_conf_parse(&c, NULL, "pmu=off,-pauth,sve=off", "max", ERR_IGNORE), 0);
    CHECK(!c.pmu && !c.pauth);
    CHECK_EQ(a64_conf_parse(&c, "max", NULL, NULL, ERR_IGNORE), 0);
    CHECK(c.pmu && c.pauth);
    CHECK_EQ(a64_conf_parse(&c, "max", NULL, "max", ERR_IGNORE), 0);
    CHECK(c.lpa2);
    CHECK_EQ(a64_conf_parse(&c, "max", "lpa2=off", "max", ERR_IGNORE), 0);
    CHECK(!c.lpa2);
    CHECK_EQ(a64_conf_parse(&c, "neoverse-n1", NULL, "max", ERR_IGNORE), 0);
    CHECK(!c.lpa2);
}

static const struct test tests[] = {
    CASE(sysregs, rows_are_in_the_order_of_their_encodings),
    CASE(sysregs, have_names_and_values_for_debuggers),
    CASE(state, of_a_cpu_comes_back_in_another_machine),
    CASE(state, of_a_level_that_is_not_there_is_refused),
    CASE(cpu_option, says_what_is_wrong),
    CASE(cpu_option, sets_features),
};
TEST_MAIN(tests)
