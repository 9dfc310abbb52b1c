/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gdb's remote protocol for the guest process (gdb manual, appendix E; register numbers of
 * org.gnu.gdb.aarch64.core and .fpu, appendix G).
 *
 * The thread that stops talks to gdb while all others wait outside cpu_run().  While the guest
 * runs, a thread of ours watches the connection for gdb's interrupt character.
 */
#include "user/exec.h"
#include "user/gdb_io.h"
#include "user/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N_BREAKPOINTS = 256, N_WATCHES = 8, WATCH_MAX = 64 };

/* struct watch - bytes whose change stops the guest: compared after every instruction. */
struct watch {
    uint64_t addr;
    unsigned len;
    uint8_t was[WATCH_MAX];
};

bool gdb_active;

static struct {
    struct gdb_io io;
    struct process *p;
    pid_t pid;
    pthread_mutex_t lock;     /* held by the thread that talks to gdb */
    struct task *task;        /* of the registers that are read and written (Hg) */
    struct task *held_by;     /* all but this one are still stopped, NULL: nobody is */
    bool interrupt;           /* gdb's interrupt character came [atomic] */
    bool running;             /* the watcher reads the connection [atomic] */
    bool resume;              /* the command said go on */
    int signal;               /* with this signal, of Linux */
    uint64_t pass[4];         /* gdb's signal numbers not to report */
    uint64_t breakpoints[N_BREAKPOINTS];
    unsigned n_breakpoints;
    struct watch watches[N_WATCHES];
    unsigned n_watches;
    bool stepping;            /* gdb itself asked for one instruction */
    char in[GDB_PACKET + 1];
} g;

/* --- signals -----------------------------------------------------------------------------------*/

/* gdb's numbers (include/gdb/signals.def is documented in the manual, "Signals"): Linux 1 to 31. */
static const uint8_t gdb_signals[32] = {
    0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21, 22, 16, 24, 25,
    26, 27, 28, 23, 32, 12,
};

static unsigned to_gdb(int sig)
{
    if (sig < 32)
        return gdb_signals[sig];
    return sig == 32 ? 77 : sig == 64 ? 78 : (unsigned)sig - 33 + 45;
}

static int from_gdb(unsigned n)
{
    for (int sig = 1; sig <= 64; sig++) {
        if (to_gdb(sig) == n)
            return sig;
    }
    return 0;
}

static bool passes(int sig)
{
    unsigned n = to_gdb(sig);

    return sig && n < 256 && (g.pass[n / 64] >> n % 64 & 1);
}

/* QPassSignals:xx;xx... */
static void set_passes(const char *s)
{
    memset(g.pass, 0, sizeof(g.pass));
    while (*s) {
        char *end;
        unsigned long n = strtoul(s, &end, 16);

        if (end == s)
            break;
        if (n < 256)
            g.pass[n / 64] |= UINT64_C(1) << n % 64;
        s = *end ? end + 1 : end;
    }
}

/* --- registers ---------------------------------------------------------------------------------*/

static const struct guest_gdb *regs(void)
{
    return g.task->cpu->isa->gdb;
}

static void read_all(void)
{
    for (unsigned n = 0; n < regs()->n_core; n++) {
        uint8_t v[GUEST_GDB_REG] = {0};

        regs()->read(g.task->cpu, n, v);
        gdb_put_hex(&g.io.reply, v, regs()->size(g.task->cpu, n));
    }
}

static void write_all(const char *s)
{
    for (unsigned n = 0; n < regs()->n_core; n++) {
        size_t size = regs()->size(g.task->cpu, n);
        uint8_t v[GUEST_GDB_REG];

        if (gdb_get_hex(s, v, size) < size)
            break;
        regs()->write(g.task->cpu, n, v);
        s += 2 * size;
    }
    gdb_put(&g.io.reply, "OK");
}

static void read_one(const char *s)
{
    unsigned long n = strtoul(s, NULL, 16);
    uint8_t v[GUEST_GDB_REG];

    if (n < regs()->n_regs(g.task->cpu) && regs()->read(g.task->cpu, (unsigned)n, v))
        gdb_put_hex(&g.io.reply, v, regs()->size(g.task->cpu, (unsigned)n));
    else
        gdb_put(&g.io.reply, "E01");
}

static void write_one(const char *s)
{
    char *end;
    unsigned long n = strtoul(s, &end, 16);
    bool there = n < regs()->n_regs(g.task->cpu) && *end == '=';
    size_t size = there ? regs()->size(g.task->cpu, (unsigned)n) : 0;
    uint8_t v[GUEST_GDB_REG];

    if (there && gdb_get_hex(end + 1, v, size) == size &&
        regs()->write(g.task->cpu, (unsigned)n, v))
        gdb_put(&g.io.reply, "OK");
    else
        gdb_put(&g.io.reply, "E01");
}

/* --- memory and breakpoints --------------------------------------------------------------------*/

static void read_memory(const char *s)
{
    static uint8_t buf[GDB_PACKET / 2];
    char *end;
    uint64_t addr = strtoull(s, &end, 16);
    uint64_t len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0, n = 0;

    if (len > sizeof(buf))
        len = sizeof(buf);
    /* gdb takes less than it asked for: as much as there is. */
    while (n < len) {
        uint64_t part = PAGE_SIZE - ((addr + n) & ~PAGE_MASK);

        if (part > len - n)
            part = len - n;
        if (guest_read(g.task->cpu, buf + n, addr + n, part) < 0)
            break;
        n += part;
    }
    if (n == 0 && len)
        gdb_put(&g.io.reply, "E14");
    else
        gdb_put_hex(&g.io.reply, buf, n);
}

/* Also where the guest itself may not write, such as its code. */
static bool poke(uint64_t addr, const void *data, size_t len)
{
    int fd;
    bool ok = guest_write(g.task->cpu, addr, data, len) == 0;

    if (!ok && mm_is_guest(g.p, addr, len) && mm_fault_code(g.p, addr) == SEGV_ACCERR) {
        fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
        if (fd >= 0) {
            ok = pwrite(fd, data, len, (off_t)(uintptr_t)mm_host(g.p, addr)) == (ssize_t)len;
            close(fd);
        }
    }
    mm_code_changed(g.p, addr, len);
    return ok;
}

static void write_memory(const char *s, long packet_len, bool binary)
{
    static uint8_t buf[GDB_PACKET];
    char *end;
    uint64_t addr = strtoull(s, &end, 16);
    uint64_t len = *end == ',' ? strtoull(end + 1, &end, 16) : 0;
    size_t have;

    if (*end != ':' || len > sizeof(buf)) {
        gdb_put(&g.io.reply, "E16");
        return;
    }
    end++;
    have = (size_t)(g.in + packet_len - end);
    if (!binary)
        have = gdb_get_hex(end, buf, len);
    else
        memcpy(buf, end, have < len ? have : len);
    gdb_put(&g.io.reply, have >= len && (len == 0 || poke(addr, buf, len)) ? "OK" : "E0e");
}

static void forget_breakpoints(void)
{
    for (unsigned i = 0; i < g.n_breakpoints; i++)
        engine_set_breakpoint(g.p->engine, g.breakpoints[i], false);
    g.n_breakpoints = 0;
}

static bool at_breakpoint(uint64_t pc)
{
    for (unsigned i = 0; i < g.n_breakpoints; i++) {
        if (g.breakpoints[i] == pc)
            return true;
    }
    return false;
}

static bool note_breakpoint(uint64_t addr, bool on)
{
    unsigned i = 0;

    while (i < g.n_breakpoints && g.breakpoints[i] != addr)
        i++;
    if (on && i == g.n_breakpoints) {
        if (i == N_BREAKPOINTS)
            return false;
        g.breakpoints[g.n_breakpoints++] = addr;
    } else if (!on && i < g.n_breakpoints) {
        g.breakpoints[i] = g.breakpoints[--g.n_breakpoints];
    }
    return true;
}

/* The watch whose bytes have changed since the last look, or NULL. */
static const struct watch *changed_watch(void)
{
    const struct watch *found = NULL;

    for (unsigned i = 0; i < g.n_watches; i++) {
        struct watch *w = &g.watches[i];
        uint8_t now[WATCH_MAX];

        if (guest_read(g.task->cpu, now, w->addr, w->len) < 0 || memcmp(now, w->was, w->len) == 0)
            continue;
        memcpy(w->was, now, w->len);
        found = w;
    }
    return found;
}

/* Z2, z2: stop on writes (that change something). */
static void watchpoint(uint64_t addr, uint64_t len, bool on)
{
    struct watch *w = g.watches;

    while (w < g.watches + g.n_watches && (w->addr != addr || w->len != len))
        w++;
    if (!on && w < g.watches + g.n_watches)
        *w = g.watches[--g.n_watches];
    if (on && (len == 0 || len > WATCH_MAX || g.n_watches == N_WATCHES ||
               guest_read(g.task->cpu, w->was, addr, len) < 0)) {
        gdb_put(&g.io.reply, "E1c");
        return;
    }
    if (on) {
        w->addr = addr;
        w->len = (unsigned)len;
        g.n_watches++;
    }
    gdb_put(&g.io.reply, "OK");
}

/* Z0 to Z2, z0 to z2.  Stops on reading (Z3, Z4) are not known. */
static void breakpoint(const char *s, bool on)
{
    char *end;
    uint64_t addr;

    if (s[0] < '0' || s[0] > '2' || s[1] != ',')
        return;
    addr = strtoull(s + 2, &end, 16);
    if (s[0] == '2') {
        watchpoint(addr, *end == ',' ? strtoull(end + 1, NULL, 16) : 0, on);
        return;
    }
    if (!note_breakpoint(addr, on)) {
        gdb_put(&g.io.reply, "E1c");
        return;
    }
    engine_set_breakpoint(g.p->engine, addr, on);
    gdb_put(&g.io.reply, "OK");
}

/* --- threads -----------------------------------------------------------------------------------*/

struct find {
    long tid; /* 0, -1: any */
    struct task *found;
};

static void match(void *opaque, struct task *t)
{
    struct find *f = opaque;

    if (f->tid <= 0 ? !f->found : t->tid == f->tid)
        f->found = t;
}

static struct task *find_task(long tid)
{
    struct find f = {.tid = tid};

    task_each(g.p, match, &f);
    return f.found;
}

static void put_tid(void *opaque, struct task *t)
{
    gdb_put(&g.io.reply, "%c%x", g.io.reply.n ? ',' : 'm', t->tid);
}

static void no_step(void *opaque, struct task *t)
{
    t->cpu->single_step = false;
}

static void all_step(void *opaque, struct task *t)
{
    t->cpu->single_step = true;
}

static void select_thread(const char *s)
{
    long tid = strtol(s + 1, NULL, 16);
    struct task *t = tid > 0 ? find_task(tid) : g.task;

    if (!t) {
        gdb_put(&g.io.reply, "E03");
        return;
    }
    if (s[0] == 'g')
        g.task = t;
    gdb_put(&g.io.reply, "OK");
}

static void stop_reply(struct task *t, int sig, const struct watch *w)
{
    gdb_begin(&g.io.reply);
    gdb_put(&g.io.reply, "T%02xthread:%x;", to_gdb(sig), t->tid);
    if (w)
        gdb_put(&g.io.reply, "watch:%" PRIx64 ";", w->addr);
    gdb_send(&g.io);
}

/* --- going on ----------------------------------------------------------------------------------*/

/* One action of vCont, or c, C, s, S: for @t or, when that is NULL, for every thread not named. */
static bool act(const char *action, struct task *t, struct task *current)
{
    if (action[0] == 'C' || action[0] == 'S') {
        if (!t || t == current)
            g.signal = from_gdb((unsigned)strtoul(action + 1, NULL, 16));
    } else if (action[0] != 'c' && action[0] != 's') {
        return false;
    }
    if ((action[0] | 32) == 's') {
        (t ? t : current)->cpu->single_step = true;
        g.stepping = true;
    }
    g.resume = true;
    return true;
}

/* vCont;action[:thread]...  What names only the current thread leaves the others stopped. */
static void vcont(char *s, struct task *current)
{
    bool others = false, named = false;
    char *word;

    while ((word = strsep(&s, ";"))) {
        char *colon = strchr(word, ':');
        long tid = colon ? strtol(colon + 1, NULL, 16) : -1;
        struct task *t = tid > 0 ? find_task(tid) : NULL;

        if (!*word)
            continue;
        if (tid > 0 && !t)
            continue; /* has ended meanwhile */
        if (!t && named && (word[0] | 32) == 's')
            continue;
        if (!act(word, t, current)) {
            g.resume = false;
            gdb_put(&g.io.reply, "E01");
            return;
        }
        named |= t != NULL;
        others |= t != current;
    }
    g.held_by = others ? NULL : current;
}

static void detach(void)
{
    forget_breakpoints();
    g.n_watches = 0;
    gdb_active = false;
    g.resume = true;
    g.held_by = NULL;
    g.signal = 0;
}

_Noreturn static void kill_guest(void)
{
    close(g.io.fd);
    _exit(128 + SIGKILL);
}

/* --- queries -----------------------------------------------------------------------------------*/

static void transfer(const char *s)
{
    const char *range = strrchr(s, ':');

    if (!range)
        return;
    range++;
    if (strncmp(s, "features:read:target.xml:", 25) == 0) {
        char *text = regs()->describe(g.task->cpu, "target.xml");

        gdb_put_part(&g.io.reply, range, text, text ? strlen(text) : 0);
        free(text);
    } else if (strncmp(s, "auxv:read:", 10) == 0) {
        uint64_t v[64];
        size_t n = g.p->auxv_len < sizeof(v) ? g.p->auxv_len : sizeof(v);

        if (guest_read(g.task->cpu, v, g.p->auxv_start, n) == 0)
            gdb_put_part(&g.io.reply, range, v, n);
    } else if (strncmp(s, "exec-file:read:", 15) == 0 && g.p->exe) {
        gdb_put_part(&g.io.reply, range, g.p->exe, strlen(g.p->exe));
    } else {
        gdb_put(&g.io.reply, "E00");
    }
}

static void query(const char *s, struct task *current)
{
    if (strncmp(s, "Supported", 9) == 0)
        gdb_put(&g.io.reply, "PacketSize=%x;QStartNoAckMode+;vContSupported+;QPassSignals+;"
                "qXfer:features:read+;qXfer:auxv:read+;qXfer:exec-file:read+", GDB_PACKET);
    else if (strncmp(s, "Xfer:", 5) == 0)
        transfer(s + 5);
    else if (strcmp(s, "C") == 0)
        gdb_put(&g.io.reply, "QC%x", current->tid);
    else if (strcmp(s, "fThreadInfo") == 0)
        task_each(g.p, put_tid, NULL);
    else if (strcmp(s, "sThreadInfo") == 0)
        gdb_put(&g.io.reply, "l");
    else if (strncmp(s, "Attached", 8) == 0)
        gdb_put(&g.io.reply, "0");
    else if (strncmp(s, "Symbol:", 7) == 0)
        gdb_put(&g.io.reply, "OK");
}

static void set_mode(const char *s)
{
    if (strcmp(s, "StartNoAckMode") == 0) {
        gdb_put(&g.io.reply, "OK");
        gdb_send(&g.io);
        g.io.no_ack = true;
        gdb_begin(&g.io.reply);
        g.io.reply.n = (size_t)-1; /* already answered */
    } else if (strncmp(s, "PassSignals:", 12) == 0) {
        set_passes(s + 12);
        gdb_put(&g.io.reply, "OK");
    }
}

static void verbose(char *s, struct task *current)
{
    if (strcmp(s, "Cont?") == 0)
        gdb_put(&g.io.reply, "vCont;c;C;s;S");
    else if (strncmp(s, "Cont;", 5) == 0)
        vcont(s + 5, current);
    else if (strncmp(s, "Kill", 4) == 0) {
        gdb_put(&g.io.reply, "OK");
        gdb_send(&g.io);
        kill_guest();
    }
}

/* c, C, s, S with an address to go on from. */
static void resume_from(const char *s, struct task *current)
{
    const char *addr = s + 1;

    if (s[0] == 'C' || s[0] == 'S') {
        addr = strchr(s, ';');
        addr = addr ? addr + 1 : "";
    }
    if (*addr)
        current->cpu->pc = strtoull(addr, NULL, 16);
    act(s, NULL, current);
    g.held_by = NULL;
}

/* --- the conversation --------------------------------------------------------------------------*/

/* One packet; an empty reply says that it is not known. */
static void command(long len, struct task *current, int sig)
{
    char *s = g.in;

    switch (s[0]) {
    case '?': gdb_put(&g.io.reply, "T%02xthread:%x;", to_gdb(sig), current->tid); break;
    case 'g': read_all(); break;
    case 'G': write_all(s + 1); break;
    case 'p': read_one(s + 1); break;
    case 'P': write_one(s + 1); break;
    case 'm': read_memory(s + 1); break;
    case 'M': write_memory(s + 1, len, false); break;
    case 'X': write_memory(s + 1, len, true); break;
    case 'Z': breakpoint(s + 1, true); break;
    case 'z': breakpoint(s + 1, false); break;
    case 'H': select_thread(s + 1); break;
    case 'T': gdb_put(&g.io.reply, find_task(strtol(s + 1, NULL, 16)) ? "OK" : "E03"); break;
    case 'c': case 'C': case 's': case 'S': resume_from(s, current); break;
    case 'q': query(s + 1, current); break;
    case 'Q': set_mode(s + 1); break;
    case 'v': verbose(s + 1, current); break;
    case 'D': gdb_put(&g.io.reply, "OK"); detach(); break;
    case 'k': kill_guest();
    default: break;
    }
}

/* Talk until gdb lets the guest go on. */
static void talk(struct task *current, int sig)
{
    g.resume = false;
    g.signal = 0;
    g.io.fd = g.p->gdb_fd; /* the guest may have made it move */
    while (!g.resume) {
        long n = gdb_receive(&g.io, g.in);

        if (n < 0) {
            detach(); /* gdb is gone: the guest runs on without it */
            return;
        }
        if (g.in[0] == 3)
            continue;
        gdb_begin(&g.io.reply);
        command(n, current, sig);
        if (g.io.reply.n == (size_t)-1 || (g.resume && g.io.reply.n == 0))
            continue;
        gdb_send(&g.io);
    }
}

/* gdb's interrupt while the guest runs becomes a SIGBUS that gdb_signal() takes for one. */
static void *watch(void *unused)
{
    while (gdb_active) {
        struct pollfd f = {.fd = g.p->gdb_fd, .events = POLLIN};
        uint8_t c;

        if (poll(&f, 1, 100) <= 0 || !__atomic_load_n(&g.running, __ATOMIC_SEQ_CST))
            continue;
        pthread_mutex_lock(&g.lock);
        if (g.running && g.io.at == g.io.n && recv(f.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1 &&
            c == 3) {
            struct task *t = find_task(0);

            recv(f.fd, &c, 1, MSG_DONTWAIT);
            g.running = false;
            __atomic_store_n(&g.interrupt, true, __ATOMIC_SEQ_CST);
            if (t)
                syscall(SYS_tgkill, g.pid, t->tid, SIGBUS);
        } else if (g.running) {
            usleep(20000); /* something else, or the end: for the next stop */
        }
        pthread_mutex_unlock(&g.lock);
    }
    return NULL;
}

static void start_watching(void)
{
    sigset_t all, old;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* A child of fork is not debugged; one of vfork shares our memory and must not disturb it. */
static int in_child(struct task *t, int sig)
{
    if (t->vfork_child) {
        bool step = sig == SIGTRAP && !t->cpu->single_step;

        if (sig != SIGTRAP)
            return sig;
        t->cpu->single_step = step; /* past the breakpoint */
        return 0;
    }
    gdb_active = false;
    forget_breakpoints();
    t->cpu->single_step = false;
    close(g.p->gdb_fd);
    g.p->gdb_fd = -1;
    return sig == SIGTRAP ? 0 : sig;
}

/* All threads are stopped and @t speaks for them. */
static int stopped(struct task *t, int sig)
{
    const struct watch *w;
    bool hit;

    g.task = t;
    g.io.fd = g.p->gdb_fd;
    w = changed_watch();
    hit = w || g.stepping || !g.n_watches || at_breakpoint(t->cpu->pc);
    if (sig != SIGTRAP || hit) {
        task_each(g.p, no_step, NULL);
        g.stepping = false;
        stop_reply(t, sig, w);
        talk(t, sig);
        sig = g.signal;
    } else {
        sig = 0; /* a step made only to look at the watches */
    }
    if (g.n_watches)
        task_each(g.p, all_step, NULL);
    return sig;
}

int gdb_signal(struct task *t, int sig)
{
    if (getpid() != g.pid)
        return in_child(t, sig);
    if (passes(sig))
        return sig;
    pthread_mutex_lock(&g.lock);
    if (!gdb_active) {
        pthread_mutex_unlock(&g.lock);
        return sig == SIGTRAP ? 0 : sig;
    }
    __atomic_store_n(&g.running, false, __ATOMIC_SEQ_CST);
    if (sig == SIGBUS && __atomic_exchange_n(&g.interrupt, false, __ATOMIC_SEQ_CST))
        sig = SIGINT;
    if (g.held_by != t)
        task_stop_others(t);
    sig = stopped(t, sig);
    if (!g.held_by)
        task_resume_others(t);
    __atomic_store_n(&g.running, true, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&g.lock);
    return sig;
}

int gdb_start(struct process *p, const char *where, struct err *e)
{
    int r = gdb_listen(&g.io, where, e);

    if (r < 0)
        return r;
    g.io.fd = exec_high_fd(g.io.fd);
    p->gdb_fd = g.io.fd;
    g.p = p;
    g.pid = getpid();
    pthread_mutex_init(&g.lock, NULL);
    g.task = find_task(0);
    gdb_active = true;
    pthread_mutex_lock(&g.lock);
    talk(g.task, SIGTRAP);
    g.running = true;
    pthread_mutex_unlock(&g.lock);
    if (gdb_active)
        start_watching();
    return 0;
}

void gdb_exit(struct process *p, int status, bool signalled)
{
    if (getpid() != g.pid)
        return;
    pthread_mutex_lock(&g.lock);
    gdb_begin(&g.io.reply);
    if (signalled)
        gdb_put(&g.io.reply, "X%02x", to_gdb(status));
    else
        gdb_put(&g.io.reply, "W%02x", status & 0xff);
    gdb_send(&g.io);
    /* The lock stays held: nobody talks to gdb any more. */
}
