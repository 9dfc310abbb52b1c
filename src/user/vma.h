/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of what is mapped in the guest's address space: a sorted array of mappings, no host
 * calls.  mm.c keeps it in step with the host kernel.
 */
#ifndef USER_VMA_H
#define USER_VMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VMA_SHARED = 1,    /* MAP_SHARED: dev and ino name what is shared */
    VMA_FILE = 2,      /* a file is behind it */
    VMA_SHM = 4,       /* shmat; ino is unique to this attachment */
    VMA_STACK = 8,     /* the main stack */
    VMA_GROWSDOWN = 16,
    VMA_HEAP = 32,     /* brk */
    VMA_VDSO = 64,
    VMA_HUGE = 128,    /* MAP_HUGETLB */
    VMA_SEALED = 256,  /* mseal */
};

/** struct vma - one mapping; neighbours that differ in nothing are merged. */
struct vma {
    uint64_t start, end; /* guest addresses, whole pages */
    uint32_t prot;       /* the guest's PROT_ bits */
    uint32_t flags;      /* VMA_ */
    uint64_t dev, ino;   /* what is mapped; 0, 0: private memory */
    uint64_t off;        /* its byte at start */
};

struct vmas {
    struct vma *v;
    size_t n, cap;
    bool aliases; /* there is or was shared memory through which somebody may see or change code */
};

/** vmas_reserve - make room for @extra more; afterwards that many changes cannot fail.
 * One change (put, cut, protect) needs at most two.  0 or -ENOMEM. */
int vmas_reserve(struct vmas *s, size_t extra);
void vmas_free(struct vmas *s);

/** vmas_find - index of the first mapping that ends above @addr (it may start above it too). */
size_t vmas_find(const struct vmas *s, uint64_t addr);
/** vmas_at - the mapping that holds @addr, or NULL. */
const struct vma *vmas_at(const struct vmas *s, uint64_t addr);

/** vmas_put - add @v over whatever was there.  Room must have been reserved. */
void vmas_put(struct vmas *s, const struct vma *v);
/** vmas_cut - nothing is mapped in [start, end) any more.  Room must have been reserved. */
void vmas_cut(struct vmas *s, uint64_t start, uint64_t end);
/** vmas_protect - new prot for everything mapped in [start, end).  Needs room for two. */
void vmas_protect(struct vmas *s, uint64_t start, uint64_t end, uint32_t prot);

/** vmas_mark - set the bits @flags of everything mapped in [start, end).  Needs room for two. */
void vmas_mark(struct vmas *s, uint64_t start, uint64_t end, uint32_t flags);

/** vmas_covered - first address of [start, end) that is not mapped, @end when all is. */
uint64_t vmas_covered(const struct vmas *s, uint64_t start, uint64_t end);
/** vmas_overlap - whether anything is mapped in [start, end). */
bool vmas_overlap(const struct vmas *s, uint64_t start, uint64_t end);
/** vmas_sealed - whether something mapped in [start, end) is. */
bool vmas_sealed(const struct vmas *s, uint64_t start, uint64_t end);
/** vmas_any - whether a mapping in [start, end) has one of the bits @prot. */
bool vmas_any(const struct vmas *s, uint64_t start, uint64_t end, uint32_t prot);

/** vmas_gap - highest address a, a multiple of @align (a power of two), with [a, a+len) free and
 * inside [low, high); ~0 when there is none. */
uint64_t vmas_gap(const struct vmas *s, uint64_t low, uint64_t high, uint64_t len, uint64_t align);

#endif
