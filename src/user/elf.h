/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ELF headers, of 32 and 64 bits (System V ABI, chapters 4 and 5; AArch64 ELF supplement). */
#ifndef USER_ELF_H
#define USER_ELF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_MAX_SEGMENTS = 64, ELF_MAX_INTERP = 4096 };

/** struct elf_segment - one PT_LOAD, checked: sizes and addresses do not overflow, the file holds
 * it, and offset and address agree within a page. */
struct elf_segment {
    uint64_t vaddr, memsz, filesz, offset;
    int prot; /* PROT_ */
};

/** struct elf - what a program's headers say. */
struct elf {
    uint16_t machine;
    bool pie;                /* ET_DYN */
    uint64_t entry;          /* not yet moved */
    uint64_t low, high;      /* bounds of all segments */
    uint64_t align;          /* largest p_align, at least a page */
    uint64_t phdr;           /* guest address of the program headers, 0: not mapped */
    uint16_t phnum, phentsize;
    uint64_t interp_off, interp_len; /* PT_INTERP; 0 length: none */
    uint64_t property_off, property_len; /* PT_GNU_PROPERTY */
    bool exec_stack;         /* PT_GNU_STACK with PF_X */
    bool bti;                /* filled in by elf_property() */
    unsigned n;
    struct elf_segment seg[ELF_MAX_SEGMENTS];
};

/** elf_machine - e_machine of a file's first @len bytes, EM_NONE when it is no ELF file at all. */
uint16_t elf_machine(const uint8_t *head, size_t len);

/** elf_other - what a file is, when it is not a little-endian ELF program for @machine, of that machine's usual class:
 * sets the message and returns -ENOEXEC; 0 when it is one. */
int elf_other(const uint8_t *head, size_t len, uint16_t machine, struct err *e);

/**
 * elf_parse - check the headers of a program for @machine.  @head is the start of the file, @len bytes;
 * @size is the file's size.  When the program headers are not within @head, returns how many bytes
 * from the start are wanted (> @len): read those and call again.  0, or a negative errno.
 */
long elf_parse(const uint8_t *head, size_t len, uint64_t size, uint16_t machine, struct elf *out, struct err *e);

/** elf_property - read a PT_GNU_PROPERTY note of @len bytes: sets elf->bti. */
void elf_property(struct elf *elf, const uint8_t *note, size_t len);

#endif
