/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the guest's address space share; contracts for everybody else are in mm.h.  All under mm->lock, for writing. */
#ifndef USER_MM_PRIV_H
#define USER_MM_PRIV_H

#include "user/mm.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/** struct mm_request - one host mapping to make. */
struct mm_request {
    uint64_t hint, len, align;
    int prot, flags, fd;
    uint64_t off;
    uint64_t below; /* nowhere else than below this, 0: anywhere */
};

/** mm_map_noreplace - at @addr, which must be free: there, or -EEXIST and others of mmap(2)'s. */
int64_t mm_map_noreplace(struct process *p, const struct mm_request *q, uint64_t addr);
/** mm_unmap_locked - [start, end), of whole pages; *@had_code: some of it was executable. */
int64_t mm_unmap_locked(struct process *p, uint64_t start, uint64_t end, bool *had_code);
/** mm_done - ends a change of [start, end): unlocks, then forgets code, when there was some; returns @r. */
int64_t mm_done(struct process *p, uint64_t start, uint64_t end, bool had_code, int64_t r);

#endif
