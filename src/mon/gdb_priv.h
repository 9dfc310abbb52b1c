/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gdb server's state, for the files gdb*.c.  All under the machine's lock, on the main loop. */
#ifndef MON_GDB_PRIV_H
#define MON_GDB_PRIV_H

#include "base/gdb_packet.h"
#include "cpu/vcpu.h"
#include "mon/gdb.h"

enum { GDB_BREAKPOINTS = 1024, GDB_WATCHES = 32 };
/* What "maintenance packet Qqemu.sstep=" sets: how steps are made. */
enum { SSTEP_ENABLE = 1, SSTEP_NOIRQ = 2, SSTEP_NOTIMER = 4 };

struct gdb_watch {
    uint64_t addr, len;
    unsigned prot; /* MMU_R, MMU_W */
};

struct gdbserver {
    struct machine *m;
    struct chr *chr;
    bool own_chr;
    const struct mon_env *env; /* of "monitor COMMAND", or NULL */
    unsigned mon_cpu;          /* the CPU that such commands look at */

    bool connected, no_ack;
    bool awaited;    /* gdb wants to hear of the next stop */
    unsigned posted; /* calls of the main loop that are still to come */
    bool gone;       /* the last of them frees this */
    bool answered;   /* the packet at hand needs no reply any more */
    bool phys;       /* addresses are physical ones */
    unsigned sstep;
    struct vcpu *cpu;  /* whose registers and memory: Hg */
    struct vcpu *runs; /* that c and s are for, NULL: all: Hc */
    uint64_t breakpoints[GDB_BREAKPOINTS];
    unsigned n_breakpoints;
    struct gdb_watch watches[GDB_WATCHES];
    unsigned n_watches;

    struct gdb_in in;
    struct gdb_reply reply;
    char frame[GDB_PACKET + 8]; /* the last one sent, should gdb want it again */
    size_t frame_len;
};

/* gdb.c */
/** gdbserver_send - the reply, at once. */
void gdbserver_send(struct gdbserver *g);
void gdbserver_put_stop(struct gdbserver *g);

/* gdb_run.c: threads.  Their numbers are those of CPUs, plus one. */
struct vcpu *gdbserver_thread(struct gdbserver *g,
                              const char *id); /* NULL: there is none; 0: CPU 0 */
void gdbserver_select(struct gdbserver *g, const char *s);
void gdbserver_continue(struct gdbserver *g, const char *s); /* c, C, s, S */
void gdbserver_vcont(struct gdbserver *g, const char *s);
void gdbserver_resume(struct gdbserver *g);
/** gdbserver_stop - if it runs. */
void gdbserver_stop(struct gdbserver *g);

/* gdb_mem.c: registers, memory, breakpoints */
void gdbserver_read_all(struct gdbserver *g);
void gdbserver_write_all(struct gdbserver *g, const char *s);
void gdbserver_read_one(struct gdbserver *g, const char *s);
void gdbserver_write_one(struct gdbserver *g, const char *s);
void gdbserver_read_memory(struct gdbserver *g, const char *s);
void gdbserver_write_memory(struct gdbserver *g, const char *s, bool binary);
void gdbserver_breakpoint(struct gdbserver *g, const char *s, bool on);
void gdbserver_forget(struct gdbserver *g); /* all breakpoints and watchpoints */
/** gdbserver_watch_at - the watchpoint that an access to @addr has hit, or NULL. */
const struct gdb_watch *gdbserver_watch_at(const struct gdbserver *g, uint64_t addr);

/* gdb_query.c: q and Q packets */
void gdbserver_query(struct gdbserver *g, const char *s);
void gdbserver_set(struct gdbserver *g, const char *s);

#endif
