/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's remote protocol for a machine (gdb manual, appendix E): the connection and what packets mean; contract: gdb.h. */
#include "mon/gdb_priv.h"

#include "base/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- sending -----------------------------------------------------------------------------------*/

void gdbserver_send(struct gdbserver *g)
{
    g->frame_len = gdb_frame(&g->reply, g->frame);
    chr_write_all(g->chr, g, (const uint8_t *)g->frame, g->frame_len);
    g->answered = true;
}

/* gdb's numbers of signals (manual, "Signals"). */
enum {
    SIG_INT = 2,
    SIG_QUIT = 3,
    SIG_TRAP = 5,
    SIG_ABRT = 6,
    SIG_ALRM = 14,
    SIG_STOP = 17,
    SIG_UNKNOWN = 143
};

static unsigned signal_of(enum run_state s)
{
    switch (s) {
    case RUN_DEBUG: return SIG_TRAP;
    case RUN_PRELAUNCH:
    case RUN_PAUSED: return SIG_INT;
    case RUN_SHUTDOWN: return SIG_QUIT;
    case RUN_IO_ERROR: return SIG_STOP;
    case RUN_WATCHDOG: return SIG_ALRM;
    case RUN_INTERNAL_ERROR:
    case RUN_GUEST_PANICKED: return SIG_ABRT;
    default: return SIG_UNKNOWN;
    }
}

static void put_watch(struct gdbserver *g, const struct vcpu_stop *stop)
{
    const struct gdb_watch *w = gdbserver_watch_at(g, stop->addr);

    if (!w)
        return;
    gdb_put(&g->reply, "%s:%" PRIx64 ";",
            w->prot == MMU_W   ? "watch"
            : w->prot == MMU_R ? "rwatch"
                               : "awatch",
            stop->addr);
}

/* Why the machine stands; whose doing it was becomes the current thread. */
void gdbserver_put_stop(struct gdbserver *g)
{
    enum run_state state = machine_state(g->m);
    struct vcpu_stop stop = {0};

    if (state == RUN_DEBUG)
        stop = vcpu_last_stop(g->m);
    if (stop.v)
        g->cpu = stop.v;
    gdb_put(&g->reply, "T%02xthread:%02x;", signal_of(state), vcpu_index(g->cpu) + 1);
    if (stop.watch)
        put_watch(g, &stop);
}

/* After a stop. */
static void report(struct gdbserver *g)
{
    machine_settle(g->m); /* CPUs stand only now */
    if (!g->connected || !g->awaited || machine_state(g->m) == RUN_RUNNING)
        return;
    g->awaited = false;
    gdb_begin(&g->reply);
    gdbserver_put_stop(g);
    gdbserver_send(g);
}

/* On the main loop. */
static void report_posted(void *opaque)
{
    struct gdbserver *g = opaque;

    g->posted--;
    if (!g->gone)
        report(g);
    else if (!g->posted)
        free(g);
}

/* On any thread: perhaps the vCPU's that has met a breakpoint. */
static void on_state(void *opaque, bool running, enum run_state s)
{
    struct gdbserver *g = opaque;

    (void)s;
    if (running)
        return;
    if (!machine_loop(g->m)) {
        report(g);
        return;
    }
    g->posted++;
    loop_call(machine_loop(g->m), report_posted, g);
}

/* --- packets -----------------------------------------------------------------------------------*/

static void detach(struct gdbserver *g)
{
    gdb_put(&g->reply, "OK");
    gdbserver_send(g);
    gdbserver_forget(g);
    g->awaited = false;
    gdbserver_resume(g);
    g->awaited = false;
}

static void kill_machine(struct gdbserver *g)
{
    gdbserver_forget(g);
    machine_ask(g->m, ASK_SHUTDOWN, "host-gdb");
}

static void verbose(struct gdbserver *g, const char *s)
{
    if (strcmp(s, "Cont?") == 0) {
        gdb_put(&g->reply, "vCont;c;C;s;S");
    } else if (strncmp(s, "Cont;", 5) == 0) {
        gdbserver_vcont(g, s + 5);
    } else if (strncmp(s, "Kill", 4) == 0) {
        gdb_put(&g->reply, "OK");
        kill_machine(g);
    } else if (strncmp(s, "Attach", 6) == 0) {
        gdbserver_put_stop(g);
    }
}

static void dispatch(struct gdbserver *g, const char *s)
{
    switch (s[0]) {
    case '?': gdbserver_put_stop(g); break;
    case '!': gdb_put(&g->reply, "OK"); break;
    case 'g': gdbserver_read_all(g); break;
    case 'G': gdbserver_write_all(g, s + 1); break;
    case 'p': gdbserver_read_one(g, s + 1); break;
    case 'P': gdbserver_write_one(g, s + 1); break;
    case 'm': gdbserver_read_memory(g, s + 1); break;
    case 'M': gdbserver_write_memory(g, s + 1, false); break;
    case 'X': gdbserver_write_memory(g, s + 1, true); break;
    case 'Z': gdbserver_breakpoint(g, s + 1, true); break;
    case 'z': gdbserver_breakpoint(g, s + 1, false); break;
    case 'H': gdbserver_select(g, s + 1); break;
    case 'T': gdb_put(&g->reply, gdbserver_thread(g, s + 1) ? "OK" : "E22"); break;
    case 'c':
    case 'C':
    case 's':
    case 'S': gdbserver_continue(g, s); break;
    case 'v': verbose(g, s + 1); break;
    case 'q': gdbserver_query(g, s + 1); break;
    case 'Q': gdbserver_set(g, s + 1); break;
    case 'D': detach(g); break;
    case 'k':
        kill_machine(g);
        g->answered = true;
        break;
    }
}

/* An empty reply: not known here. */
static void packet(struct gdbserver *g)
{
    gdb_begin(&g->reply);
    g->answered = false;
    gdbserver_stop(g);
    dispatch(g, g->in.buf);
    if (!g->answered)
        gdbserver_send(g);
}

static void got(struct gdbserver *g, enum gdb_got what)
{
    switch (what) {
    case GDB_GOT_PACKET:
        if (!g->no_ack)
            chr_write_all(g->chr, g, (const uint8_t *)"+", 1);
        packet(g);
        break;
    case GDB_GOT_DAMAGED: chr_write_all(g->chr, g, (const uint8_t *)"-", 1); break;
    case GDB_GOT_INTERRUPT: gdbserver_stop(g); break;
    case GDB_GOT_NACK:
        if (!g->no_ack)
            chr_write_all(g->chr, g, (const uint8_t *)g->frame, g->frame_len);
        break;
    case GDB_GOT_ACK:
    case GDB_GOT_NOTHING: break;
    }
}

/* --- the connection ----------------------------------------------------------------------------*/

static size_t room(void *opaque)
{
    (void)opaque;
    return GDB_PACKET;
}

static void data(void *opaque, const uint8_t *buf, size_t len)
{
    struct gdbserver *g = opaque;

    if (!g->connected)
        return;
    for (size_t i = 0; i < len; i++)
        got(g, gdb_in_byte(&g->in, buf[i]));
}

static void opened(struct gdbserver *g)
{
    g->connected = true;
    g->no_ack = g->awaited = g->phys = false;
    g->sstep = SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER;
    g->cpu = vcpu_at(g->m, 0);
    g->runs = NULL;
    g->in = (struct gdb_in){0};
    g->frame_len = 0;
    gdbserver_stop(g);
}

/* A machine that stands goes on standing: whoever connects next finds it as it is. */
static void closed(struct gdbserver *g)
{
    if (!g->connected)
        return;
    gdbserver_forget(g);
    g->connected = g->awaited = false;
}

static void event(void *opaque, enum chr_event e)
{
    if (e == CHR_OPENED)
        opened(opaque);
    else if (e == CHR_CLOSED)
        closed(opaque);
}

static const struct chr_front front = {.room = room, .data = data, .event = event};

/* --- birth and death ---------------------------------------------------------------------------*/

struct gdbserver *gdbserver_on(struct machine *m, struct chr *chr, const struct mon_env *env,
                               struct err *e)
{
    struct gdbserver *g;

    if (!vcpu_at(m, 0) || !vcpu_cpu(vcpu_at(m, 0))->isa->gdb) {
        err_set(e, -ENOTSUP, "gdb: this machine has no CPU that gdb knows");
        return NULL;
    }
    g = calloc(1, sizeof(*g));
    if (!g)
        fatal("out of memory");
    g->m = m;
    g->chr = chr;
    g->cpu = vcpu_at(m, 0);
    g->env = env;
    machine_on_state(m, on_state, g);
    if (chr_attach(chr, &front, g, e) < 0) {
        machine_off_state(m, g);
        free(g);
        return NULL;
    }
    return g;
}

/* Who says only where to listen wants a server that does not wait. */
static struct json_object *chr_opts(const char *dev, struct err *e)
{
    char text[512];

    if (strncmp(dev, "tcp:", 4) != 0)
        return chr_text_opts("gdb", dev, e);
    snprintf(text, sizeof(text), "%s%s%s", dev, strstr(dev, ",server") ? "" : ",server=on",
             strstr(dev, "wait") ? "" : ",wait=off");
    return chr_text_opts("gdb", text, e);
}

struct gdbserver *gdbserver_new(struct machine *m, const struct chr_env *chrs, const char *dev,
                                const struct mon_env *env, struct err *e)
{
    struct json_object *opts = chr_opts(dev, e);
    struct chr *chr = opts ? chr_open(chrs, opts, e) : NULL;
    struct gdbserver *g;

    if (!chr) {
        if (!e->code)
            err_set(e, -EINVAL, "nowhere to listen");
        return NULL;
    }
    g = gdbserver_on(m, chr, env, e);
    if (g)
        g->own_chr = true;
    else
        chr_close(chr);
    return g;
}

void gdbserver_free(struct gdbserver *g, int status)
{
    if (!g)
        return;
    if (g->connected) {
        gdb_begin(&g->reply);
        gdb_put(&g->reply, "W%02x", status & 0xff);
        gdbserver_send(g);
    }
    machine_off_state(g->m, g);
    chr_detach(g->chr, g);
    if (g->own_chr)
        chr_close(g->chr);
    g->gone = true;
    if (!g->posted)
        free(g);
}
