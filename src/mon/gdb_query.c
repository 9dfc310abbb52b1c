/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's q and Q packets: what the server can do, threads, descriptions, the monitor's commands, modes. */
#include "mon/gdb_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char **s, const char *with)
{
    size_t n = strlen(with);

    if (strncmp(*s, with, n) != 0)
        return false;
    *s += n;
    return true;
}

/* "ANNEX:offset,length" */
static void features(struct gdbserver *g, const char *s)
{
    struct cpu *cpu = vcpu_cpu(g->cpu);
    const char *range = strrchr(s, ':');
    char annex[64] = "", *text;

    if (range && (size_t)(range - s) < sizeof(annex))
        memcpy(annex, s, (size_t)(range - s));
    text = cpu->isa->gdb->describe(cpu, annex);
    if (text)
        gdb_put_part(&g->reply, range + 1, text, strlen(text));
    else
        gdb_put(&g->reply, "E00");
    free(text);
}

static void threads(struct gdbserver *g)
{
    for (unsigned i = 0; vcpu_at(g->m, i); i++)
        gdb_put(&g->reply, "%c%02x", i ? ',' : 'm', i + 1);
}

static void thread_info(struct gdbserver *g, const char *id)
{
    struct vcpu *v = gdbserver_thread(g, id);
    char text[64];

    if (!v) {
        gdb_put(&g->reply, "E22");
        return;
    }
    snprintf(text, sizeof(text), "CPU#%u [%s]", vcpu_index(v),
             !vcpu_is_on(v)      ? "off"
             : vcpu_is_asleep(v) ? "halted "
                                 : "running");
    gdb_put_hex(&g->reply, text, strlen(text));
}

/* --- the monitor's commands --------------------------------------------------------------------*/

/* Output goes to gdb's console in "O" packets as it comes. */
static void put(void *to, const char *text)
{
    struct gdbserver *g = to;
    size_t left = strlen(text);

    while (left) {
        size_t n = left < GDB_PACKET / 2 - 16 ? left : GDB_PACKET / 2 - 16;

        gdb_begin(&g->reply);
        gdb_put(&g->reply, "O");
        gdb_put_hex(&g->reply, text, n);
        gdbserver_send(g);
        text += n;
        left -= n;
    }
}

static void command(struct gdbserver *g, const char *hex)
{
    char line[GDB_PACKET / 2 + 1];
    size_t n = gdb_get_hex(hex, line, sizeof(line) - 1);

    line[n] = 0;
    if (g->env)
        mon_run_for(g->env, &g->mon_cpu, line, put, g);
    else
        put(g, "there is no monitor\n");
    g->answered = false;
    gdb_begin(&g->reply);
    gdb_put(&g->reply, "OK");
}

/* --- queries -----------------------------------------------------------------------------------*/

/* Those of QEMU's own that its users know: how steps are made, and whether addresses are physical. */
static void own_query(struct gdbserver *g, const char *s)
{
    if (strcmp(s, "sstepbits") == 0)
        gdb_put(&g->reply, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", SSTEP_ENABLE, SSTEP_NOIRQ,
                SSTEP_NOTIMER);
    else if (strcmp(s, "sstep") == 0)
        gdb_put(&g->reply, "0x%x", g->sstep);
    else if (strcmp(s, "PhyMemMode") == 0)
        gdb_put(&g->reply, "%d", g->phys);
    else if (strcmp(s, "Supported") == 0)
        gdb_put(&g->reply, "sstepbits;sstep;PhyMemMode");
}

void gdbserver_query(struct gdbserver *g, const char *s)
{
    if (starts(&s, "Supported"))
        gdb_put(&g->reply, "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+",
                GDB_PACKET);
    else if (starts(&s, "Xfer:features:read:"))
        features(g, s);
    else if (strcmp(s, "C") == 0)
        gdb_put(&g->reply, "QC%02x", vcpu_index(g->cpu) + 1);
    else if (strcmp(s, "fThreadInfo") == 0)
        threads(g);
    else if (strcmp(s, "sThreadInfo") == 0)
        gdb_put(&g->reply, "l");
    else if (starts(&s, "ThreadExtraInfo,"))
        thread_info(g, s);
    else if (starts(&s, "Attached"))
        gdb_put(&g->reply, "1");
    else if (starts(&s, "Symbol:"))
        gdb_put(&g->reply, "OK");
    else if (starts(&s, "Rcmd,"))
        command(g, s);
    else if (starts(&s, "qemu."))
        own_query(g, s);
}

/* --- modes -------------------------------------------------------------------------------------*/

static void start_no_ack(struct gdbserver *g)
{
    gdb_put(&g->reply, "OK");
    gdbserver_send(g);
    g->no_ack = true;
}

void gdbserver_set(struct gdbserver *g, const char *s)
{
    if (strcmp(s, "StartNoAckMode") == 0) {
        start_no_ack(g);
    } else if (starts(&s, "qemu.sstep=")) {
        g->sstep = (unsigned)strtoul(s, NULL, 16) & (SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER);
        gdb_put(&g->reply, "OK");
    } else if (starts(&s, "qemu.PhyMemMode:")) {
        g->phys = strtoul(s, NULL, 16) != 0;
        gdb_put(&g->reply, "OK");
    }
}
