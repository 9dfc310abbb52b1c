/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF headers of guest programs: parsed and checked here, mapped in load.c (System V ABI chapters
 * 4 and 5; GNU property notes as in the Linux ABI extensions; AArch64 ELF ABI, IHI 0056).
 */
#include "user/elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE UINT64_C(4096)
#define LIMIT (UINT64_C(1) << 47) /* no program's addresses reach here */

/* What other people's programs are, and who runs them. */
static const struct other {
    uint16_t machine;
    uint8_t class, data;
    const char *name, *program; /* program NULL: a native one */
} others[] = {
    {EM_X86_64, ELFCLASS64, ELFDATA2LSB, "x86-64", "qemu-x86_64"},
    {EM_X86_64, ELFCLASS32, ELFDATA2LSB, "x32", NULL},
    {EM_386, ELFCLASS32, ELFDATA2LSB, "i386", "qemu-i386"},
    {EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "AArch64", "qemu-aarch64"},
    {EM_AARCH64, ELFCLASS64, ELFDATA2MSB, "big-endian AArch64", "qemu-aarch64_be"},
    {EM_AARCH64, ELFCLASS32, ELFDATA2LSB, "AArch64 ILP32", NULL},
    {EM_ARM, ELFCLASS32, ELFDATA2LSB, "ARM", "qemu-arm"},
    {EM_ARM, ELFCLASS32, ELFDATA2MSB, "big-endian ARM", "qemu-armeb"},
    {EM_RISCV, ELFCLASS64, ELFDATA2LSB, "64-bit RISC-V", "qemu-riscv64"},
    {EM_RISCV, ELFCLASS32, ELFDATA2LSB, "32-bit RISC-V", "qemu-riscv32"},
    {EM_PPC64, ELFCLASS64, ELFDATA2LSB, "little-endian PowerPC 64", "qemu-ppc64le"},
    {EM_PPC64, ELFCLASS64, ELFDATA2MSB, "PowerPC 64", "qemu-ppc64"},
    {EM_PPC, ELFCLASS32, ELFDATA2MSB, "PowerPC", "qemu-ppc"},
    {EM_MIPS, ELFCLASS64, ELFDATA2LSB, "little-endian MIPS64", "qemu-mips64el"},
    {EM_MIPS, ELFCLASS64, ELFDATA2MSB, "MIPS64", "qemu-mips64"},
    {EM_MIPS, ELFCLASS32, ELFDATA2LSB, "little-endian MIPS", "qemu-mipsel"},
    {EM_MIPS, ELFCLASS32, ELFDATA2MSB, "MIPS", "qemu-mips"},
    {EM_S390, ELFCLASS64, ELFDATA2MSB, "s390x", "qemu-s390x"},
    {EM_SPARCV9, ELFCLASS64, ELFDATA2MSB, "SPARC V9", "qemu-sparc64"},
    {EM_SPARC, ELFCLASS32, ELFDATA2MSB, "SPARC", "qemu-sparc"},
    {EM_68K, ELFCLASS32, ELFDATA2MSB, "m68k", "qemu-m68k"},
    {EM_ALPHA, ELFCLASS64, ELFDATA2LSB, "Alpha", "qemu-alpha"},
    {EM_PARISC, ELFCLASS32, ELFDATA2MSB, "HPPA", "qemu-hppa"},
    {EM_SH, ELFCLASS32, ELFDATA2LSB, "SH4", "qemu-sh4"},
    {258 /* EM_LOONGARCH */, ELFCLASS64, ELFDATA2LSB, "LoongArch", "qemu-loongarch64"},
};

static bool is_elf(const uint8_t *head, size_t len)
{
    return len >= EI_NIDENT + 4 && memcmp(head, ELFMAG, SELFMAG) == 0;
}

uint16_t elf_machine(const uint8_t *head, size_t len)
{
    if (!is_elf(head, len))
        return EM_NONE;
    if (head[EI_DATA] == ELFDATA2MSB)
        return (uint16_t)(head[EI_NIDENT + 2] << 8 | head[EI_NIDENT + 3]);
    return (uint16_t)(head[EI_NIDENT + 2] | head[EI_NIDENT + 3] << 8);
}

static uint8_t class_of(uint16_t machine)
{
    return machine == EM_386 || machine == EM_ARM ? ELFCLASS32 : ELFCLASS64;
}

int elf_other(const uint8_t *head, size_t len, uint16_t machine, struct err *e)
{
    uint16_t m = elf_machine(head, len);

    if (len == 0)
        return err_set(e, -ENOEXEC, "the file is empty");
    if (!is_elf(head, len)) {
        if (len >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
            return err_set(e, -ENOEXEC, "the ELF header is cut short");
        return err_set(e, -ENOEXEC, "neither an ELF program nor a script (no ELF magic, no #!)");
    }
    if (m == machine && head[EI_CLASS] == class_of(machine) && head[EI_DATA] == ELFDATA2LSB)
        return 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const struct other *o = &others[i];

        if (o->machine != m || o->class != head[EI_CLASS] || o->data != head[EI_DATA])
            continue;
        if (o->program)
            return err_set(e, -ENOEXEC, "%s program; use %s", o->name, o->program);
        return err_set(e, -ENOEXEC, "%s program, which is not supported", o->name);
    }
    return err_set(e, -ENOEXEC, "ELF program for an unknown machine (e_machine %u, class %u)", m,
                   head[EI_CLASS]);
}

/* One PT_LOAD, checked. */
static int add_segment(struct elf *out, const Elf64_Phdr *ph, uint64_t size, struct err *e)
{
    struct elf_segment *s = &out->seg[out->n];
    unsigned n = out->n;

    if (ph->p_memsz == 0)
        return 0;
    if (n == ELF_MAX_SEGMENTS)
        return err_set(e, -ENOEXEC, "more than %d segments", ELF_MAX_SEGMENTS);
    if (ph->p_vaddr >= LIMIT || ph->p_memsz > LIMIT - ph->p_vaddr)
        return err_set(e, -ENOEXEC, "segment %u at %#" PRIx64 "+%#" PRIx64
                       " does not fit a 47-bit address space", n, ph->p_vaddr, ph->p_memsz);
    if (ph->p_filesz > ph->p_memsz)
        return err_set(e, -ENOEXEC, "segment %u is longer in the file than in memory", n);
    if (ph->p_filesz && (ph->p_offset > size || ph->p_filesz > size - ph->p_offset))
        return err_set(e, -ENOEXEC, "the file is cut short: segment %u ends at byte %" PRIu64
                       " of %" PRIu64, n, ph->p_offset + ph->p_filesz, size);
    if (ph->p_filesz && (ph->p_offset - ph->p_vaddr) % PAGE != 0)
        return err_set(e, -ENOEXEC, "segment %u: file offset %#" PRIx64 " and address %#" PRIx64
                       " differ within a page", n, ph->p_offset, ph->p_vaddr);
    if (n && ph->p_vaddr < out->high)
        return err_set(e, -ENOEXEC, "segment %u at %#" PRIx64 " overlaps the one before it, or the "
                       "order is wrong", n, ph->p_vaddr);
    s->vaddr = ph->p_vaddr;
    s->memsz = ph->p_memsz;
    s->filesz = ph->p_filesz;
    s->offset = ph->p_offset;
    s->prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
              (ph->p_flags & PF_X ? PROT_EXEC : 0);
    if (n == 0)
        out->low = ph->p_vaddr & -PAGE;
    out->high = ph->p_vaddr + ph->p_memsz;
    if (ph->p_align > out->align && ph->p_align <= (UINT64_C(1) << 30) &&
        (ph->p_align & (ph->p_align - 1)) == 0)
        out->align = ph->p_align;
    out->n++;
    return 0;
}

static int check_range(const Elf64_Phdr *ph, uint64_t size, uint64_t max, const char *what,
                       struct err *e)
{
    if (ph->p_filesz < 2 || ph->p_filesz > max)
        return err_set(e, -ENOEXEC, "%s is %" PRIu64 " bytes long", what, ph->p_filesz);
    if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset)
        return err_set(e, -ENOEXEC, "%s lies beyond the end of the file", what);
    return 0;
}

static int add_header(struct elf *out, const Elf64_Phdr *ph, uint64_t size, struct err *e)
{
    int r = 0;

    switch (ph->p_type) {
    case PT_LOAD:
        return add_segment(out, ph, size, e);
    case PT_INTERP:
        if (out->interp_len)
            return err_set(e, -ENOEXEC, "two PT_INTERP headers");
        r = check_range(ph, size, ELF_MAX_INTERP, "the interpreter's name", e);
        out->interp_off = ph->p_offset;
        out->interp_len = ph->p_filesz;
        return r;
    case PT_GNU_STACK:
        out->exec_stack = ph->p_flags & PF_X;
        return 0;
    case PT_GNU_PROPERTY:
        /* Only a hint: a bad one is as if it were not there. */
        if (ph->p_filesz <= 1024 && ph->p_offset <= size && ph->p_filesz <= size - ph->p_offset) {
            out->property_off = ph->p_offset;
            out->property_len = ph->p_filesz;
        }
        return 0;
    default:
        return 0;
    }
}

/* The guest address of the program headers, when a segment maps them. */
static uint64_t phdr_address(const struct elf *elf, uint64_t phoff)
{
    for (unsigned i = 0; i < elf->n; i++) {
        const struct elf_segment *s = &elf->seg[i];

        if (phoff >= s->offset && phoff < s->offset + s->filesz)
            return s->vaddr + (phoff - s->offset);
    }
    return 0;
}

/* Headers of either class in the form of the larger. */
struct layout {
    size_t ehdr, phdr;
};

static struct layout layout_of(uint16_t machine)
{
    if (class_of(machine) == ELFCLASS32)
        return (struct layout){sizeof(Elf32_Ehdr), sizeof(Elf32_Phdr)};
    return (struct layout){sizeof(Elf64_Ehdr), sizeof(Elf64_Phdr)};
}

static void read_ehdr(Elf64_Ehdr *eh, const uint8_t *p, const struct layout *l)
{
    Elf32_Ehdr small;

    if (l->ehdr == sizeof(*eh)) {
        memcpy(eh, p, sizeof(*eh));
        return;
    }
    memcpy(&small, p, sizeof(small));
    *eh = (Elf64_Ehdr){.e_type = small.e_type, .e_machine = small.e_machine, .e_entry = small.e_entry,
                       .e_phoff = small.e_phoff, .e_phentsize = small.e_phentsize, .e_phnum = small.e_phnum};
}

static void read_phdr(Elf64_Phdr *ph, const uint8_t *p, const struct layout *l)
{
    Elf32_Phdr small;

    if (l->phdr == sizeof(*ph)) {
        memcpy(ph, p, sizeof(*ph));
        return;
    }
    memcpy(&small, p, sizeof(small));
    *ph = (Elf64_Phdr){small.p_type, small.p_flags, small.p_offset, small.p_vaddr, small.p_paddr,
                       small.p_filesz, small.p_memsz, small.p_align};
}

static int check_header(const Elf64_Ehdr *eh, const struct layout *l, struct err *e)
{
    if (eh->e_type == ET_REL)
        return err_set(e, -ENOEXEC, "an object file, not a program: link it first");
    if (eh->e_type == ET_CORE)
        return err_set(e, -ENOEXEC, "a core dump, not a program");
    if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
        return err_set(e, -ENOEXEC, "ELF type %u, not a program", eh->e_type);
    if (eh->e_phentsize != l->phdr)
        return err_set(e, -ENOEXEC, "program headers of %u bytes: want %zu", eh->e_phentsize, l->phdr);
    if (eh->e_phnum == 0 || eh->e_phnum > 65536 / l->phdr)
        return err_set(e, -ENOEXEC, "%u program headers", eh->e_phnum);
    return 0;
}

long elf_parse(const uint8_t *head, size_t len, uint64_t size, uint16_t machine, struct elf *out, struct err *e)
{
    const struct layout l = layout_of(machine);
    Elf64_Ehdr eh;
    Elf64_Phdr ph;
    uint64_t end;
    int r = elf_other(head, len, machine, e);

    if (r < 0)
        return r;
    if (len < l.ehdr)
        return err_set(e, -ENOEXEC, "the ELF header is cut short");
    read_ehdr(&eh, head, &l);
    r = check_header(&eh, &l, e);
    if (r < 0)
        return r;
    end = eh.e_phoff + (uint64_t)eh.e_phnum * l.phdr;
    if (eh.e_phoff > size || end > size)
        return err_set(e, -ENOEXEC, "the file is cut short: program headers end at byte %" PRIu64
                       " of %" PRIu64, end, size);
    if (end > len)
        return end <= (1 << 20) ? (long)end
               : err_set(e, -ENOEXEC, "program headers at byte %" PRIu64 ": limit is 1 MiB",
                         (uint64_t)eh.e_phoff);
    *out = (struct elf){.machine = eh.e_machine, .pie = eh.e_type == ET_DYN, .entry = eh.e_entry,
                        .align = PAGE, .phnum = eh.e_phnum, .phentsize = (uint16_t)l.phdr};
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        read_phdr(&ph, head + eh.e_phoff + i * l.phdr, &l);
        r = add_header(out, &ph, size, e);
        if (r < 0)
            return r;
    }
    if (out->n == 0)
        return err_set(e, -ENOEXEC, "nothing to load: no PT_LOAD segment");
    out->phdr = phdr_address(out, eh.e_phoff);
    return 0;
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* GNU_PROPERTY_AARCH64_FEATURE_1_AND and its BTI bit (AArch64 ELF supplement). */
enum { PROPERTY_FEATURE_1 = 0xc0000000, FEATURE_1_BTI = 1 };

void elf_property(struct elf *elf, const uint8_t *note, size_t len)
{
    size_t pos = 16, end;

    elf->bti = false;
    if (len < 16 || word(note) != 4 || word(note + 8) != NT_GNU_PROPERTY_TYPE_0 ||
        memcmp(note + 12, "GNU", 4) != 0)
        return;
    end = word(note + 4) <= len - 16 ? 16 + word(note + 4) : len;
    while (end - pos >= 8) {
        uint32_t type = word(note + pos), n = word(note + pos + 4);

        pos += 8;
        if (n > end - pos)
            return;
        if (type == PROPERTY_FEATURE_1 && n == 4)
            elf->bti = word(note + pos) & FEATURE_1_BTI;
        n = (n + 7) & ~7u;
        if (n > end - pos)
            return;
        pos += n;
    }
}
