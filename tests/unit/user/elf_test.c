/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/elf.h and user/script.h: good headers are read, bad ones refused with their reason. */
#include "user/elf.h"
#include "user/script.h"
#include "tests/test.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

struct file {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[3];
};

static struct file good(void)
{
    return (struct file){
        .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = 1, .e_entry = 0x400100,
               .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2},
        .ph = {{PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x2000, 0x2000, 0x10000},
               {PT_LOAD, PF_R | PF_W, 0x2000, 0x412000, 0, 0x100, 0x3000, 0x10000}},
    };
}

static long parse(const struct file *f, struct elf *elf, struct err *e)
{
    return elf_parse((const uint8_t *)f, sizeof(*f), 0x3000, EM_AARCH64, elf, e);
}

/* The parse fails and the message holds @word. */
static bool refused(const struct file *f, const char *word)
{
    struct err e = {0};
    struct elf elf;
    bool ok = parse(f, &elf, &e) == -ENOEXEC && strstr(e.msg, word);

    if (!ok)
        printf("message \"%s\" lacks \"%s\"\n", e.msg, word);
    return ok;
}

TEST(elf, a_good_program_is_read)
{
    struct file f = good();
    struct err e = {0};
    struct elf elf;

    CHECK_EQ(parse(&f, &elf, &e), 0);
    CHECK_EQ(elf.n, 2);
    CHECK_EQ(elf.low, 0x400000);
    CHECK_EQ(elf.high, 0x415000);
    CHECK_EQ(elf.align, 0x10000);
    CHECK_EQ(elf.phdr, 0x400040);
    CHECK_EQ(elf.seg[0].prot, PROT_READ | PROT_EXEC);
    CHECK(!elf.pie && !elf.exec_stack);
}

TEST(elf, other_machines_are_named)
{
    struct file f = good();

    f.eh.e_machine = EM_X86_64;
    CHECK(refused(&f, "x86-64 program; use qemu-x86_64"));
    f.eh.e_machine = EM_RISCV;
    CHECK(refused(&f, "64-bit RISC-V program; use qemu-riscv64"));
    f = good();
    f.eh.e_ident[EI_DATA] = ELFDATA2MSB;
    f.eh.e_machine = EM_AARCH64 << 8;
    CHECK(refused(&f, "big-endian AArch64"));
    f.eh.e_machine = 0x3412;
    CHECK(refused(&f, "unknown machine (e_machine 4660"));
}

TEST(elf, bad_headers_are_refused)
{
    struct file f = good();

    f.eh.e_type = ET_REL;
    CHECK(refused(&f, "object file"));
    f = good(), f.eh.e_phentsize = 7;
    CHECK(refused(&f, "7 bytes"));
    f = good(), f.eh.e_phnum = 0;
    CHECK(refused(&f, "0 program headers"));
    f = good(), f.eh.e_phoff = 1ull << 60;
    CHECK(refused(&f, "cut short"));
    f = good(), f.ph[0].p_vaddr = ~0xfffull;
    CHECK(refused(&f, "47-bit"));
    f = good(), f.ph[0].p_memsz = ~0ull;
    CHECK(refused(&f, "47-bit"));
    f = good(), f.ph[0].p_filesz = 0x2001;
    CHECK(refused(&f, "longer in the file"));
    f = good(), f.ph[1].p_offset = 0x2f80;
    CHECK(refused(&f, "cut short: segment 1"));
    f = good(), f.ph[1].p_offset = 0x2010;
    CHECK(refused(&f, "differ within a page"));
    f = good(), f.ph[1].p_vaddr = 0x401000;
    CHECK(refused(&f, "overlaps"));
    f = good(), f.ph[0].p_type = f.ph[1].p_type = PT_NOTE;
    CHECK(refused(&f, "nothing to load"));
    f = good(), f.ph[0].p_type = PT_INTERP, f.ph[0].p_filesz = 1;
    CHECK(refused(&f, "interpreter's name is 1 bytes"));
}

TEST(elf, headers_further_on_are_asked_for)
{
    struct file f = good();
    struct err e = {0};
    struct elf elf;

    f.eh.e_phoff = 0x2000;
    CHECK_EQ(parse(&f, &elf, &e), 0x2000 + 2 * sizeof(Elf64_Phdr));
}

TEST(elf, branch_target_property_is_read)
{
    static const uint8_t note[] = {4, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, 'G', 'N', 'U', 0,
                                   0, 0, 0, 0xc0, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    struct elf elf = {0};

    elf_property(&elf, note, sizeof(note));
    CHECK(elf.bti);
    for (size_t n = 0; n < 28; n++) {
        elf_property(&elf, note, n);
        CHECK(!elf.bti);
    }
}

static int split(const char *text, char **interp, char **arg)
{
    static char line[SCRIPT_LINE + 1];

    strncpy(line, text, SCRIPT_LINE);
    return script_parse(line, strlen(text), interp, arg);
}

TEST(script, the_line_is_split_as_linux_does)
{
    char *interp, *arg;

    CHECK_EQ(split("#!/bin/sh\nx", &interp, &arg), 1);
    CHECK_STR(interp, "/bin/sh");
    CHECK(arg == NULL);
    CHECK_EQ(split("#! \t/usr/bin/env -S a  b \t\nx", &interp, &arg), 1);
    CHECK_STR(interp, "/usr/bin/env");
    CHECK_STR(arg, "-S a  b");
    CHECK_EQ(split("#!/bin/x", &interp, &arg), 1);
    CHECK_EQ(split("#!\n/bin/x", &interp, &arg), -ENOEXEC);
    CHECK_EQ(split("#", &interp, &arg), 0);
    CHECK_EQ(split("echo", &interp, &arg), 0);
}

static const struct test tests[] = {
    CASE(elf, a_good_program_is_read),
    CASE(elf, other_machines_are_named),
    CASE(elf, bad_headers_are_refused),
    CASE(elf, headers_further_on_are_asked_for),
    CASE(elf, branch_target_property_is_read),
    CASE(script, the_line_is_split_as_linux_does),
};
TEST_MAIN(tests)
