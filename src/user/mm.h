/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's address space, as the files that implement it share it (mm*.c, stack.c, proc.c). */
#ifndef USER_MM_H
#define USER_MM_H

#include "user/abi.h"
#include "user/user.h"
#include "user/vma.h"

#include <pthread.h>

#define PAGE_SIZE UINT64_C(4096)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* Guest bits of prot that the host's headers may lack (asm/mman.h of arm64). */
enum { GUEST_PROT_BTI = 0x10 };

struct range {
    uint64_t start, end;
};

/** struct mm - the state behind p->mm.  @lock guards all of it; it is never held while calling
 * into the engine, which may call mm_fetch() under a lock of its own. */
struct mm {
    pthread_rwlock_t lock;
    struct vmas vmas;
    uint64_t limit;          /* TASK_SIZE: first address that can never be mapped */
    uint64_t zone_end;       /* nothing of the emulator's lies below */
    uint64_t mmap_base;      /* new mappings go below, top down */
    uint64_t mmap_low;       /* lowest address we choose ourselves */
    uint64_t stack_top;      /* end of the main stack */
    uint64_t stack_floor;    /* it can grow down to here */
    uint64_t pie_base;       /* where ET_DYN programs go */
    uint64_t brk_start, brk;
    uint64_t next_id;        /* of shared memory without a file */
    int lock_future;         /* mlockall(MCL_FUTURE): flags of mlock2, or -1 */
    struct range *avoid;     /* host mappings that were in the way once */
    size_t n_avoid;
};

/** mm_host - host address of guest address @addr. */
static inline void *mm_host(const struct process *p, uint64_t addr)
{
    return (void *)(uintptr_t)(p->guest_base + addr);
}

/** mm_untag - the address without its tag, if it can have one, sign-extended as the CPU does. */
static inline uint64_t mm_untag(const struct process *p, uint64_t addr)
{
    unsigned n = p->abi->address.tag_bits;

    return (uint64_t)((int64_t)(addr << n) >> n);
}

static inline uint64_t page_up(uint64_t n)
{
    return (n + PAGE_SIZE - 1) & PAGE_MASK;
}

/** mm_layout - choose stack, mmap and PIE places for a stack of @stack_size bytes from 24 random
 * bytes; for p->guest_base and opts.reserved_va. */
void mm_layout(struct process *p, uint64_t stack_size, const uint64_t random[3]);

/**
 * mm_get_place, mm_set_place, mm_make_place - what of the layout a translation cache wants to stay as it
 * was, to be given to later processes (their stacks and heaps go elsewhere each time): get it; put it
 * back, unless it does not suit; make one that suits wherever the stack will be.
 */
void mm_get_place(const struct process *p, uint64_t place[2]);
void mm_set_place(struct process *p, const uint64_t place[2]);
void mm_make_place(struct process *p);

/** mm_map_stack - map the main stack, @size bytes of it, below stack_top, which may move; 0 or a negative errno. */
int mm_map_stack(struct process *p, uint64_t size, int prot);

/** mm_reset - unmap everything of the guest's (a load attempt failed). */
void mm_reset(struct process *p);

/** mm_mark - set VMA_ flags on the mappings in [start, end). */
void mm_mark(struct process *p, uint64_t start, uint64_t end, uint32_t flags);

/** mm_code_gone - forget translations of [start, end); without the lock. */
void mm_code_gone(struct process *p, uint64_t start, uint64_t end);

/** mm_reserve_gaps, mm_release_gaps - take all that is free in [start, end) from the host kernel
 * without touching what is not the guest's; -ENOMEM when that is in the way.  With the lock. */
int mm_reserve_gaps(struct process *p, uint64_t start, uint64_t end);
void mm_release_gaps(struct process *p, uint64_t start, uint64_t end);

/** mm_place - a free range for @len bytes, reserved in the host; honours @hint when it can.  A
 * negative errno.  With the lock. */
int64_t mm_place(struct process *p, uint64_t hint, uint64_t len, uint64_t align);

/** mm_may_grow - whether @len more bytes of such memory stay within the guest's RLIMIT_AS and
 * RLIMIT_DATA, when [start, end) is replaced (empty: nothing is).  With the lock. */
bool mm_may_grow(const struct process *p, uint64_t len, int prot, uint32_t flags, uint64_t start,
                 uint64_t end);

/** mm_fetch_watched - mm_fetch for programs that write code without saying so; with the lock, for reading. */
size_t mm_fetch_watched(struct process *p, uint64_t pc, uint32_t *mode);
void mm_code_before_fork(void);
void mm_code_after_fork(bool child);

/** mm_host_prot - the host's PROT_ bits for the guest's: guest code is data to the host. */
int mm_host_prot(int prot);

#endif
