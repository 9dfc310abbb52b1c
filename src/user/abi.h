/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the Linux of one guest architecture and that of another: chosen at run time, by the name the
 * program is called by, --arch, or the ELF header.  One constant struct per architecture, one row in abis.def.
 * Sources: the uapi headers of each architecture, its ELF supplement, and the manual pages.
 */
#ifndef USER_ABI_H
#define USER_ABI_H

#include "user/user.h"

#include <stdio.h>
#include <sys/stat.h>

struct guest_sigaction;
struct sys_row;

/* Programs of one family run each other's: the same emulation serves both. */
enum abi_family { ABI_ARM, ABI_X86 };

/** struct abi_address - how Linux divides a program's addresses. */
struct abi_address {
    uint64_t limit;     /* TASK_SIZE; larger than the host's: the host's */
    uint64_t map_32bit; /* where mappings with MAP_32BIT end; 0: there is no such flag */
    unsigned tag_bits;  /* at the top of an address that are ignored */
};

/** struct abi_cpu - the CPU, beyond struct guest_isa. */
struct abi_cpu {
    void (*list)(FILE *out);               /* the models, a line for each: -cpu help */
    /** choose - make @cpu what -cpu @text says (NULL: the default), which check() has accepted; before it runs.
     * Returns the number of its model. */
    int (*choose)(struct cpu *cpu, const char *text);
    int (*check)(const char *text, struct err *e);
    uint64_t (*sp)(const struct cpu *cpu);
    void (*set_sp)(struct cpu *cpu, uint64_t sp);
    /** hwcap - AT_HWCAP and AT_HWCAP2; @cpu may be NULL. */
    void (*hwcap)(const struct cpu *cpu, uint64_t out[2]);
    /** start - the registers of a new program. */
    void (*start)(struct cpu *cpu, uint64_t entry, uint64_t sp);
    /** set_tls - what CLONE_SETTLS gives: 0 or a negative errno. */
    int (*set_tls)(struct cpu *cpu, uint64_t tls);
    /** cpuinfo - one processor's paragraph of /proc/cpuinfo. */
    void (*cpuinfo)(const struct process *p, const struct cpu *cpu, long n, FILE *out);
    /** prepare - before each cpu_run() of a process with p->guarded set; NULL: nothing to do. */
    void (*prepare)(struct cpu *cpu);
    /** extra_prot - what mprotect may say beyond read, write and execute, of this model; NULL: nothing.  fetch_mode - the bits
     * that memory with that @prot adds to the CPU's mode. */
    int (*extra_prot)(int model);
    uint32_t (*fetch_mode)(uint32_t prot);
    /* Not 0: programs write code without saying so.  The bits of the CPU's mode under which lifted code sees for itself whether it
     * has been changed; then it leaves, and the architecture's trap() calls mm_code_changed(). */
    uint32_t checked_mode;
};

/** struct abi_call - how system calls are made. */
struct abi_call {
    const struct sys_row *rows;
    uint32_t n_rows;
    bool as_host;       /* numbers, registers and structures are the host's own */
    uint8_t insn_len;   /* of the instruction: to execute it again */
    /** fetch - the number, and six arguments. */
    uint64_t (*fetch)(struct cpu *cpu, uint64_t a[6]);
    void (*give)(struct cpu *cpu, long result);
    /** put_stat - struct stat at guest address @addr, as the plain calls have it; 0 or a negative errno. */
    long (*put_stat)(struct task *t, uint64_t addr, const struct stat *st);
    /** prctl - options of this architecture alone; NULL: there are none. */
    long (*prctl)(struct task *t, const uint64_t *a);
    bool arm_open;      /* O_DIRECTORY and its neighbours are Arm's */
    bool padded_events; /* struct epoll_event is not packed */
    bool clone_tls_last; /* clone's last two arguments change places */
    bool generic_sem;   /* struct semid64_ds is asm-generic's */
};

/** struct abi_signal - signals and their frames. */
struct abi_signal {
    uint32_t min_alt;   /* MINSIGSTKSZ */
    uint32_t min_frame; /* AT_MINSIGSTKSZ; 0: not said */
    /** trap - what cpu_run() returned, other than a system call: give the signal. */
    void (*trap)(struct task *t, enum cpu_stop stop);
    /** push - put a signal frame on the guest's stack and enter the handler; false: no room.  pop - rt_sigreturn: registers
     * and *@mask; false: a bad frame. */
    bool (*push)(struct task *t, const struct guest_sigaction *sa, const siginfo_t *info, uint64_t saved_mask);
    bool (*pop)(struct task *t, uint64_t *mask);
};

struct user_abi {
    const char *name;     /* qemu-NAME, --arch=NAME */
    enum abi_family family;
    uint16_t machine;     /* e_machine */
    uint8_t word;         /* bytes of a long and of a pointer: 4 or 8; ELF files are of that class, little-endian */
    const char *uname;    /* utsname.machine */
    const char *platform; /* AT_PLATFORM */
    const struct guest_isa *isa;
    struct abi_address address;
    struct abi_cpu cpu;
    struct abi_call call;
    struct abi_signal signal;
    /** vdso_map - map the vDSO and set p->vdso and p->vdso_sigreturn; 0 or a negative errno.  vdso_serve - the new p->engine
     * is to know of it. */
    int (*vdso_map)(struct process *p);
    void (*vdso_serve)(struct process *p);
};

/** abi_find - by its name, @len bytes of it; NULL: there is none.  abi_at - the n-th, NULL past the end. */
const struct user_abi *abi_find(const char *name, size_t len);
const struct user_abi *abi_at(unsigned n);
/** abi_of_file - whose program a file is that starts with these @len bytes; NULL: nobody's. */
const struct user_abi *abi_of_file(const uint8_t *head, size_t len);
/** abi_runs - whether an emulator that runs @abi's programs runs @other's, too. */
static inline bool abi_runs(const struct user_abi *abi, const struct user_abi *other)
{
    return other && abi->family == other->family;
}

#endif
