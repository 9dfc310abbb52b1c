/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux personality's shared view of one guest process and its threads.
 *
 * Memory, loading, exec and /proc are in mm.c, elf.c, stack.c, vdso.c, exec.c, path.c and proc.c;
 * system calls, signals, threads and the main loop in syscall*.c, signal*.c, task*.c and loop*.c.
 * All results are 0 or positive, or a negative errno, as the system call would return it.
 */
#ifndef USER_USER_H
#define USER_USER_H

#include "base/err.h"
#include "cpu/cpu.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mm;
struct user_abi; /* abi.h */
struct task_sig; /* of signal.c: one thread's masks, queue and alternate stack */
struct proc_sig; /* of signal.c: the process's dispositions */

/* What -d asks for. */
enum user_log {
    LOG_STRACE = 1 << 0,
    LOG_IN_ASM = 1 << 1,
    LOG_IR = 1 << 2,
    LOG_IR_OPT = 1 << 3,
    LOG_OUT_ASM = 1 << 4,
    LOG_EXEC = 1 << 5,
    LOG_INT = 1 << 6,
    LOG_CPU = 1 << 7,
    LOG_PAGE = 1 << 8,
    LOG_UNIMP = 1 << 9,
    LOG_GUEST_ERRORS = 1 << 10,
    LOG_MMU = 1 << 11,
    LOG_NOCHAIN = 1 << 12,
    LOG_FPU = 1 << 13,
    LOG_TCACHE = 1 << 14,
};

/** struct user_opts - the command line and QEMU_* variables, parsed. */
struct user_opts {
    const char *prefix;       /* -L, NULL when there is no such folder */
    const char *cpu;          /* -cpu, NULL: default */
    const char *argv0;        /* -0 */
    const char *uname;        /* -r */
    const char *gdb;          /* -g: port number or socket path */
    const char *log_file;     /* -D */
    const char *dfilter;      /* -dfilter */
    uint64_t stack_size;      /* -s, 0: RLIMIT_STACK */
    uint64_t guest_base;      /* -B */
    uint64_t reserved_va;     /* -R */
    uint64_t seed;            /* -seed */
    uint64_t limits[4];       /* RLIMIT_AS, RLIMIT_DATA as the guest has set them: soft, hard, soft, hard;
                               * each plus 1, 0: not set */
    uint32_t log;             /* enum user_log */
    enum engine_kind engine;  /* --engine */
    unsigned hot_after;       /* --hot-after, as in struct engine_conf; so are the next five */
    enum engine_background background; /* --background */
    bool exact_flags;         /* --exact-flags */
    uint64_t cache_size;      /* --cache-size */
    unsigned passes_off;      /* --passes-off */
    unsigned host_off;        /* --host-off */
    const char *tcache;       /* --tcache: the translation cache's folder, NULL: off */
    bool have_guest_base, have_seed;
    bool strace;
    bool one_insn;            /* -singlestep, -one-insn-per-tb */
};

/** struct process - the guest process.  One per host process: user_proc(). */
struct process {
    const struct user_abi *abi; /* whose Linux it is; NULL until that is known */
    struct engine *engine;
    struct tcache *tcache;    /* cpu/tcache.h; NULL: none */
    struct user_opts opts;
    int model;                /* of -cpu, abi->cpu.choose()'s */
    uint64_t guest_base;      /* host address of guest address 0, normally 0 */
    struct mm *mm;
    bool guarded;             /* some memory was mapped with PROT_BTI: CPUs are prepared to check branches [atomic] */
    struct proc_sig *sig;
    int tagged_addr;          /* PR_SET_TAGGED_ADDR_CTRL */
    char *exe;                /* absolute host path of the guest program, as readlink says it */
    int self_fd;              /* open on our own program once exec_pin_self() was called, else -1 */
    int gdb_fd;               /* the connection to gdb, or -1 */
    int log_fd;               /* where -d and -strace write; 2 unless -D */
    char **argv;              /* the guest's arguments, as first given */
    uint64_t vdso;            /* guest address of the vDSO, 0: none */
    uint64_t vdso_sigreturn;  /* address of its __kernel_rt_sigreturn: the signal frame's LR */
    uint64_t entry;           /* first instruction: the interpreter's when there is one */
    uint64_t program_entry;   /* the program's own */
    bool exec_stack;          /* PT_GNU_STACK asks for one */
    uint64_t stack_top;       /* first sp */
    uint64_t at_phdr, at_phnum, at_phent, at_base; /* for the auxiliary vector */
    uint64_t at_sysinfo;      /* where i386 makes system calls, 0: nowhere special */
    uint64_t auxv_start, auxv_len;
    uint64_t stack_size;
    uint64_t random[5];       /* chosen at start: AT_RANDOM, then the layout's */
    uint64_t arg_start, arg_end, env_start, env_end; /* strings on the stack */
    uint64_t start_code, end_code, start_data, end_data;
};

/** struct task - one guest thread, run by one host thread. */
struct task {
    struct cpu *cpu;          /* cpu->owner points back here */
    struct process *proc;
    pid_t tid;                /* host id */
    uint64_t clear_child_tid; /* set_tid_address, CLONE_CHILD_CLEARTID */
    uint64_t robust_list;     /* guest address of the head, 0: none */
    uint64_t rseq, rseq_len, rseq_sig;
    struct task_sig *sig;
    uint64_t trap_number, trap_error, trap_addr; /* of the last exception, where frames say so (x86) */
    struct task *next;        /* list of all tasks, under task.c's lock */
    void *exec_memory[3];     /* of an execve under way: a vfork child's parent frees it */
    bool process_main;        /* ends the host process's first thread, not a thread of ours */
    bool vfork_child;         /* lives in its parent's memory until exec or exit */
    enum cpu_stop stop;       /* of mm_written() */
    bool exiting;             /* user_loop returns */
    bool in_guest;            /* in cpu_run(); kept only while the debugger is there [atomic] */
};

/** sys_start_quick_calls - the engine, which is new, need not stop for calls that are the host's own.  sys_quick_calls_closed - pages are closed
 * to writing (mm_code.c), so what the kernel fills in is to be opened; under that file's lock. */
void sys_start_quick_calls(struct process *p);
void sys_quick_calls_closed(bool any);

/** user_proc - the one process. */
struct process *user_proc(void);

/* --- mm.c: the guest's address space ----------------------------------------------------------
 * Addresses are guest addresses, a tag byte ignored where Linux ignores it; prot and flags are
 * the generic ones of Linux (and arm64's PROT_BTI).  All are thread-safe and call engine_invalidate
 * themselves. */

struct mm *mm_new(struct process *p, struct err *e);

int64_t mm_mmap(struct process *p, uint64_t addr, uint64_t len, int prot, int flags, int fd,
                uint64_t offset);
int64_t mm_munmap(struct process *p, uint64_t addr, uint64_t len);
int64_t mm_mprotect(struct process *p, uint64_t addr, uint64_t len, int prot);
int64_t mm_mremap(struct process *p, uint64_t old, uint64_t old_len, uint64_t len, int flags,
                  uint64_t addr);
int64_t mm_brk(struct process *p, uint64_t addr);
int64_t mm_madvise(struct process *p, uint64_t addr, uint64_t len, int advice);
int64_t mm_mseal(struct process *p, uint64_t addr, uint64_t len, uint64_t flags);
int64_t mm_msync(struct process *p, uint64_t addr, uint64_t len, int flags);
int64_t mm_mlock(struct process *p, uint64_t addr, uint64_t len, int flags); /* flags: mlock2's */
int64_t mm_munlock(struct process *p, uint64_t addr, uint64_t len);
int64_t mm_mlockall(struct process *p, int flags); /* the guest's mappings only */
int64_t mm_munlockall(struct process *p);
int64_t mm_mincore(struct process *p, uint64_t addr, uint64_t len, uint64_t vec);
int64_t mm_shmat(struct process *p, int id, uint64_t addr, int flags);
int64_t mm_shmdt(struct process *p, uint64_t addr);
int64_t mm_remap_file_pages(struct process *p, uint64_t addr, uint64_t len, int prot,
                            uint64_t pgoff, int flags);

/** mm_stack_limit - RLIMIT_STACK is now @limit: the main stack may grow that far. */
void mm_stack_limit(struct process *p, uint64_t limit);

/** mm_is_guest - whether [addr, addr+len) can be the guest's at all: below its limit and nothing of
 * ours in it.  (The access may still fault.)  For calls that hand addresses to the host kernel. */
bool mm_is_guest(struct process *p, uint64_t addr, uint64_t len);

/** mm_limit - first address above the guest's address space (TASK_SIZE). */
uint64_t mm_limit(const struct process *p);

/** mm_fault_code - si_code of a SIGSEGV at @addr: SEGV_MAPERR or SEGV_ACCERR. */
int mm_fault_code(struct process *p, uint64_t addr);

/** mm_fetch, mm_hold - engine_set_fetch callbacks; @opaque is the process. */
size_t mm_fetch(void *opaque, uint64_t pc, uint32_t *mode);
void mm_hold(void *opaque, bool on);
/** mm_keep - for engine_set_tcache: [start, end) is code of a file, which nobody may write to. */
bool mm_keep(void *opaque, uint64_t start, uint64_t end);

/** mm_aliases - call @cb for every guest range that maps the same file or shared memory bytes as
 * [addr, addr+len), that range itself included. */
void mm_aliases(struct process *p, uint64_t addr, uint64_t len,
                void (*cb)(void *opaque, uint64_t addr, uint64_t len), void *opaque);
/** mm_code_changed - engine_invalidate for [addr, addr+len) and all its aliases (IC IVAU). */
void mm_code_changed(struct process *p, uint64_t addr, uint64_t len);

/* --- mm_code.c: pages that are closed to writing because translations were made from them.  Of architectures whose
 * programs do not say that they write code (abi->cpu.checked_mode). */

/** mm_open - let the guest write to all of [addr, addr+len) again; whether there was anything closed.  mm_open_all - everywhere. */
bool mm_open(struct process *p, uint64_t addr, uint64_t len);
bool mm_open_all(struct process *p);
/** mm_written - the task's instruction has faulted at @addr, outside cpu_run().  False: the fault is the guest's own.  True: go on;
 * when the instruction was executed here, t->stop is what that gave rise to, CPU_STOP_NONE for nothing. */
bool mm_written(struct task *t, uint64_t addr);

/* Around fork(): before in the parent, after in both. */
void mm_before_fork(struct process *p);
void mm_after_fork(struct process *p, bool child);

/* --- path.c: -L redirection --------------------------------------------------------------------*/

/** path_resolve - the path to give to the host for the guest's absolute @path: under the prefix
 * when it exists there.  Returns @path itself or @buf (PATH_MAX bytes). */
const char *path_resolve(struct process *p, const char *path, char *buf);

/* --- proc.c: /proc as the guest should see it --------------------------------------------------*/

/** proc_open - for openat: a descriptor, a negative errno, or PROC_NOT_OURS: open it as usual.
 * @path is the guest's, absolute or relative to @dirfd (only absolute ones and those below a /proc
 * folder are ours). */
int proc_open(struct process *p, int dirfd, const char *path, int flags, mode_t mode);
/** proc_readlink - for readlinkat: length, a negative errno, or PROC_NOT_OURS. */
ssize_t proc_readlink(struct process *p, int dirfd, const char *path, char *buf, size_t size);
#define PROC_NOT_OURS (-100000)
/** proc_log_maps - write the guest's mappings to the log (-d page). */
void proc_log_maps(struct process *p);
/** proc_exe - for calls that follow /proc/self/exe (stat, access, execve, openat): the guest
 * program's path, or @path itself. */
const char *proc_exe(struct process *p, const char *path);

/* --- exec.c ------------------------------------------------------------------------------------*/

/** exec_guest - execveat: the strings are host copies.  Returns only on failure.  The caller has
 * restored nothing: host signal mask and dispositions are put right by signal_before_exec(). */
int exec_guest(struct task *t, int dirfd, const char *path, char **argv, char **envp, int flags);

/** exec_image - load the program: finds what @path is (through #! lines), chooses p->guest_base, and p->abi when that is NULL;
 * maps it and its interpreter and the vDSO; sets exe, entry, argv.  @fd is open on it, or -1.
 * The engine need not exist yet.  -ENOENT: not found; any other failure: cannot be run. */
int exec_image(struct process *p, int fd, const char *path, char **argv, struct err *e);

/** exec_stack - the first thread's stack: strings, auxv; @execfn is what AT_EXECFN says.  Sets
 * p->stack_top.  @cpu only tells the HWCAPs. */
int exec_stack(struct process *p, struct cpu *cpu, const char *execfn, char **envp,
               struct err *e);

/** exec_pin_self - keep hold of our own program before the root folder, the mount namespace or
 * /proc may change (chroot, pivot_root, setns, unshare of CLONE_NEWNS, umount). */
void exec_pin_self(struct process *p);
/** exec_is_ours - descriptors that the guest must not see closed or replaced (close_range, dup2). */
bool exec_is_ours(struct process *p, int fd);

/* --- gdb.c -------------------------------------------------------------------------------------*/

extern bool gdb_active; /* -g was given and the debugger has not detached */
int gdb_start(struct process *p, const char *where, struct err *e); /* waits for the connection */
/** gdb_signal - called on the task's thread before a signal is delivered to the guest and for
 * CPU_STOP_DEBUG (SIGTRAP): waits for the debugger; returns the signal to deliver, 0 for none. */
int gdb_signal(struct task *t, int sig);
void gdb_exit(struct process *p, int status, bool signalled);

/* --- offered by task.c, signal.c, loop.c -------------------------------------------------------*/

/** task_first - the main thread's task around @cpu. */
struct task *task_first(struct process *p, struct cpu *cpu);
/** signal_init - host handlers; takes over dispositions left to us by exec. */
void signal_init(struct process *p);
/** signal_before_exec - the host's dispositions and mask become what the guest has set, so that
 * execve carries them over; signal_exec_failed takes them back. */
void signal_before_exec(struct task *t);
void signal_exec_failed(struct task *t);
/** signal_status - what /proc/self/status says of this thread after @name ("SigCgt:"), of which the host
 * says @host. */
uint64_t signal_status(struct process *p, const char *name, uint64_t host);
/** user_loop - run the task until it ends; never returns for the main thread. */
void user_loop(struct task *t);
/** task_each - call @cb for each task of the process, under the list's lock (gdb). */
void task_each(struct process *p, void (*cb)(void *opaque, struct task *t), void *opaque);
/** task_kick_all - all tasks in our memory leave cpu_run() soon. */
void task_kick_all(void);
/** task_stop_others, task_resume_others - all other tasks wait outside cpu_run() (gdb, exec). */
void task_stop_others(struct task *t);
void task_resume_others(struct task *t);

#endif
