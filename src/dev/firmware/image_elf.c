/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files that go into guest memory (image.h).  Source: System V ABI, chapters 4 and 5. */
#include "dev/firmware/image.h"

#include "base/bytes.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool image_is_elf(const struct image *img)
{
    return img->len > EI_NIDENT && memcmp(img->data, ELFMAG, SELFMAG) == 0;
}

/* One program header, of either width. */
struct segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static void read_segment(const uint8_t *p, bool is64, struct segment *s)
{
    s->type = get_le32(p);
    if (is64) {
        s->offset = get_le64(p + offsetof(Elf64_Phdr, p_offset));
        s->vaddr = get_le64(p + offsetof(Elf64_Phdr, p_vaddr));
        s->paddr = get_le64(p + offsetof(Elf64_Phdr, p_paddr));
        s->filesz = get_le64(p + offsetof(Elf64_Phdr, p_filesz));
        s->memsz = get_le64(p + offsetof(Elf64_Phdr, p_memsz));
        s->align = get_le64(p + offsetof(Elf64_Phdr, p_align));
    } else {
        s->offset = get_le32(p + offsetof(Elf32_Phdr, p_offset));
        s->vaddr = get_le32(p + offsetof(Elf32_Phdr, p_vaddr));
        s->paddr = get_le32(p + offsetof(Elf32_Phdr, p_paddr));
        s->filesz = get_le32(p + offsetof(Elf32_Phdr, p_filesz));
        s->memsz = get_le32(p + offsetof(Elf32_Phdr, p_memsz));
        s->align = get_le32(p + offsetof(Elf32_Phdr, p_align));
    }
}

static int check_segment(const char *name, const struct image *img, const struct segment *s, struct err *e)
{
    uint64_t end;

    if (s->offset > img->len || s->filesz > img->len - s->offset || s->filesz > s->memsz ||
        s->memsz > IMAGE_MAX || !add_u64(s->paddr, s->memsz, &end))
        return err_set(e, -EILSEQ,
                       "%s: ELF segment of %" PRIu64 " bytes at %#" PRIx64
                       " of the file, %" PRIu64 " in memory: the file has %zu",
                       name, s->filesz, s->offset, s->memsz, img->len);
    return 0;
}

/* What is not in the file is zero. */
static int place_segment(struct machine *m, const char *name, const struct image *img,
                         const struct segment *s, struct err *e)
{
    struct image part = {.len = s->memsz};
    int r;

    part.data = calloc(1, s->memsz);
    if (!part.data)
        return err_set(e, -ENOMEM, "%s: no memory for %" PRIu64 " bytes", name, s->memsz);
    memcpy(part.data, img->data + s->offset, s->filesz);
    r = image_place(m, name, s->paddr, &part, e);
    image_free(&part);
    return r;
}

/* Machines by the names that people know; or the number. */
static const char *arch_name(unsigned arch)
{
    static char number[32];

    switch (arch) {
    case EM_386: return "i386";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "32-bit Arm";
    case EM_AARCH64: return "AArch64";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "PowerPC64";
    case EM_S390: return "s390x";
    case EM_MIPS: return "MIPS";
    }
    snprintf(number, sizeof(number), "machine number %u", arch);
    return number;
}

/* The program headers of one file. */
struct segments {
    const char *name;
    const struct image *img;
    const uint8_t *at;
    unsigned n;
    size_t size;
    bool is64;
};

static int elf_header(const char *name, const struct image *img, struct elf_image *elf, struct segments *all,
                      struct err *e)
{
    const uint8_t *h = img->data;
    uint64_t at;

    if (img->len < sizeof(Elf64_Ehdr) || h[EI_DATA] != ELFDATA2LSB)
        return err_set(e, -EILSEQ, "%s: not a little-endian ELF file", name);
    elf->is64 = h[EI_CLASS] == ELFCLASS64;
    elf->arch = get_le16(h + offsetof(Elf64_Ehdr, e_machine));
    elf->entry = elf->is64 ? get_le64(h + offsetof(Elf64_Ehdr, e_entry))
                           : get_le32(h + offsetof(Elf32_Ehdr, e_entry));
    elf->low = UINT64_MAX;
    elf->high = 0;
    at = elf->is64 ? get_le64(h + offsetof(Elf64_Ehdr, e_phoff)) : get_le32(h + offsetof(Elf32_Ehdr, e_phoff));
    *all = (struct segments){
        .name = name,
        .img = img,
        .n = get_le16(h + (elf->is64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum))),
        .size = elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr),
        .is64 = elf->is64,
    };
    if (at > img->len || all->n * all->size > img->len - at)
        return err_set(e, -EILSEQ, "%s: %u ELF program headers at %" PRIu64 ": the file has %zu bytes",
                       name, all->n, at, img->len);
    all->at = h + at;
    return 0;
}

/* Segment @i when it is one to load; checked. */
static bool to_load(const struct segments *all, unsigned i, struct segment *s, struct err *e)
{
    read_segment(all->at + i * all->size, all->is64, s);
    return s->type == PT_LOAD && s->memsz && check_segment(all->name, all->img, s, e) == 0;
}

/* What the segments cover; the entry point as a physical address, if it is in one of them. */
static int survey(const struct segments *all, struct elf_image *elf, struct err *e)
{
    uint64_t entry = elf->entry;
    struct segment s;

    for (unsigned i = 0; i < all->n; i++) {
        if (!to_load(all, i, &s, e)) {
            if (e->code < 0)
                return e->code;
            continue;
        }
        if (elf->entry >= s.vaddr && elf->entry - s.vaddr < s.memsz)
            entry = s.paddr + (elf->entry - s.vaddr);
        elf->low = min_u64(elf->low, s.paddr);
        elf->high = max_u64(elf->high, s.paddr + s.memsz);
    }
    elf->physical_entry = entry;
    if (!elf->high)
        return err_set(e, -EINVAL, "%s: the ELF file has nothing to load", all->name);
    return 0;
}

static int place_segments(struct machine *m, const char *name, unsigned arch, const struct image *img,
                          struct elf_image *elf, struct err *e)
{
    struct segments all;
    struct segment s;

    if (elf_header(name, img, elf, &all, e) < 0)
        return e->code;
    if (elf->arch != arch)
        return err_set(e, -EINVAL, "%s: ELF file for %s, not for the machine's CPU", name, arch_name(elf->arch));
    if (survey(&all, elf, e) < 0)
        return e->code;
    for (unsigned i = 0; i < all.n; i++)
        if (to_load(&all, i, &s, e) && place_segment(m, name, img, &s, e) < 0)
            return e->code;
    return 0;
}

int image_place_elf(struct machine *m, const char *name, unsigned arch, struct image *img,
                    struct elf_image *elf, struct err *e)
{
    int r = place_segments(m, name, arch, img, elf, e);

    image_free(img);
    return r;
}

int image_flatten_elf(const char *name, const struct image *img, struct image *flat, struct elf_image *elf, struct err *e)
{
    struct segments all;
    struct segment s;

    *flat = (struct image){0};
    if (elf_header(name, img, elf, &all, e) < 0 || survey(&all, elf, e) < 0)
        return e->code;
    if (elf->high - elf->low > IMAGE_MAX)
        return err_set(e, -EFBIG, "%s: the ELF file is spread over %" PRIu64 " bytes", name, elf->high - elf->low);
    flat->len = elf->high - elf->low;
    if (!(flat->data = calloc(1, flat->len)))
        return err_set(e, -ENOMEM, "%s: no memory for %zu bytes", name, flat->len);
    for (unsigned i = 0; i < all.n; i++)
        if (to_load(&all, i, &s, e))
            memcpy(flat->data + (s.paddr - elf->low), img->data + s.offset, s.filesz);
    return 0;
}

/* Notes [@p, @p + @len): is there one of @owner and @type, and what number is it? */
static bool find_note(const uint8_t *p, uint64_t len, uint64_t align, const char *owner, uint32_t type, uint64_t *value)
{
    enum { HEAD = 12 };

    while (len >= HEAD) {
        uint64_t name = get_le32(p), desc = get_le32(p + 4), at = round_up(HEAD + name, align),
                 next = round_up(at + desc, align);

        if (at > len || desc > len - at)
            return false;
        if (get_le32(p + 8) == type && name == strlen(owner) + 1 && memcmp(p + HEAD, owner, name) == 0 &&
            (desc == 4 || desc == 8)) {
            *value = desc == 4 ? get_le32(p + at) : get_le64(p + at);
            return true;
        }
        if (next >= len)
            return false;
        p += next;
        len -= next;
    }
    return false;
}

bool image_elf_note(const struct image *img, const char *owner, uint32_t type, uint64_t *value)
{
    struct err e = {0};
    struct elf_image elf;
    struct segments all;
    struct segment s;

    if (!image_is_elf(img) || elf_header("", img, &elf, &all, &e) < 0)
        return false;
    for (unsigned i = 0; i < all.n; i++) {
        read_segment(all.at + i * all.size, all.is64, &s);
        if (s.type == PT_NOTE && s.offset <= img->len && s.filesz <= img->len - s.offset &&
            find_note(img->data + s.offset, s.filesz, s.align == 8 ? 8 : 4, owner, type, value))
            return true;
    }
    return false;
}
