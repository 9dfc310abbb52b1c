/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -numa: nodes of CPUs and memory, and how far they are from each other: struct conf_numa of board/board.h. */
#include "app/system/conf_priv.h"

#include "schema/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNSAID "18446744073709551615"

struct opts {
    char *type, *cpus, *memdev;
    uint64_t nodeid, mem, src, dst, val, node_id, socket, die, core, thread;
};

static const struct field fields[] = {
    FIELD(opts, type, F_STR, "type", NULL, "node, dist or cpu"),
    FIELD(opts, nodeid, F_U64, "nodeid", UNSAID, "number of the node; else the next"),
    FIELD(opts, cpus, F_STR, "cpus", NULL, "first CPU, or first-last"),
    FIELD(opts, mem, F_SIZE, "mem", "0", "bytes of memory"),
    FIELD(opts, memdev, F_STR, "memdev", NULL, "memory backend that says how much"),
    FIELD(opts, src, F_U64, "src", UNSAID, "from this node"),
    FIELD(opts, dst, F_U64, "dst", UNSAID, "to that"),
    FIELD(opts, val, F_U64, "val", "0", "distance: 10 to oneself, 255: out of reach"),
    FIELD(opts, node_id, F_U64, "node-id", UNSAID, "node of the CPUs"),
    FIELD(opts, socket, F_U64, "socket-id", UNSAID, "CPUs of this socket"),
    FIELD(opts, die, F_U64, "die-id", UNSAID, "of this die"),
    FIELD(opts, core, F_U64, "core-id", UNSAID, "of this core"),
    FIELD(opts, thread, F_U64, "thread-id", UNSAID, "this thread"),
    FIELD_END,
};

static int set_cpus(struct conf *c, const char *text, unsigned node, struct err *e)
{
    unsigned first, last;
    int used = 0, n = sscanf(text, "%u%n-%u%n", &first, &used, &last, &used);

    last = n == 1 ? first : last;
    if (n < 1 || text[used] || last < first || last >= c->max_cpus || last >= CONF_NUMA_CPUS)
        return err_set(e, -EINVAL, "cpus=%s: want numbers of CPUs, 0 to %u", text, c->max_cpus - 1);
    for (unsigned i = first; i <= last; i++)
        c->numa.cpu[i] = node + 1;
    return 0;
}

static int add_node(struct sys *s, const struct opts *o, struct err *e)
{
    struct conf_numa *n = &s->conf.numa;
    uint64_t node = o->nodeid == UINT64_MAX ? n->n : o->nodeid;
    struct ram *ram = o->memdev ? machine_backend(s->m, "memory-backend", o->memdev) : NULL;

    if (node >= CONF_NODES)
        return err_set(e, -EINVAL, "nodeid=%" PRIu64 ": want 0 to %d", node, CONF_NODES - 1);
    if (n->there[node])
        return err_set(e, -EEXIST, "Duplicate NUMA nodeid: %" PRIu64, node);
    if (o->memdev && !ram)
        return err_set(e, -ENOENT, "memdev=%s is ambiguous or not found", o->memdev);
    if (ram && ram->fd >= 0)
        return err_set(e, -ENOTSUP, "memdev=%s: a node's memory cannot be in a file yet: want memory-backend-ram", o->memdev);
    n->there[node] = true;
    n->mem[node] = ram ? ram->size : o->mem;
    n->n = node >= n->n ? (unsigned)node + 1 : n->n;
    return o->cpus ? set_cpus(&s->conf, o->cpus, (unsigned)node, e) : 0;
}

static int add_distance(struct conf *c, const struct opts *o, struct err *e)
{
    struct conf_numa *n = &c->numa;

    if (o->src >= CONF_NODES || o->dst >= CONF_NODES || !n->there[o->src] || !n->there[o->dst])
        return err_set(e, -EINVAL, "Source/Destination NUMA node is missing. Please use '-numa node' option to declare it first.");
    if (o->val < 10 || o->val > 255)
        return err_set(e, -EINVAL, "NUMA distance (%" PRIu64 ") is invalid, it shouldn't be less than 10, or more than 255.", o->val);
    if (o->src == o->dst && o->val != 10)
        return err_set(e, -EINVAL, "Local distance of node %" PRIu64 " should be 10.", o->src);
    n->distance[o->src][o->dst] = (uint8_t)o->val;
    if (!n->distance[o->dst][o->src])
        n->distance[o->dst][o->src] = (uint8_t)o->val;
    return 0;
}

static bool fits(uint64_t want, unsigned have)
{
    return want == UINT64_MAX || want == have;
}

static int add_cpus(struct conf *c, const struct opts *o, struct err *e)
{
    unsigned n = 0;

    if (o->node_id >= CONF_NODES || !c->numa.there[o->node_id])
        return err_set(e, -EINVAL, "Invalid node-id=%" PRIu64 ", NUMA node must be defined with -numa node,nodeid=ID before it's used with -numa cpu,node-id=ID", o->node_id);
    for (unsigned i = 0; i < c->max_cpus && i < CONF_NUMA_CPUS; i++)
        if (fits(o->thread, i % c->threads) && fits(o->core, i / c->threads % c->cores) && fits(o->die, i / c->threads / c->cores % c->dies) &&
            fits(o->socket, i / c->threads / c->cores / c->dies)) {
            c->numa.cpu[i] = (unsigned)o->node_id + 1;
            n++;
        }
    return n ? 0 : err_set(e, -EINVAL, "no match found");
}

static int take(struct sys *s, struct json_object *opts, struct err *e)
{
    struct json_object *copy = NULL;
    struct opts o = {0};
    int r;

    json_object_deep_copy(opts, &copy, NULL);
    if ((r = fields_take(fields, copy, &o, e)) == 0) {
        r = fields_refuse_rest(copy, e);
        if (r == 0 && o.type && !strcmp(o.type, "node"))
            r = add_node(s, &o, e);
        else if (r == 0 && o.type && !strcmp(o.type, "dist"))
            r = add_distance(&s->conf, &o, e);
        else if (r == 0 && o.type && !strcmp(o.type, "cpu"))
            r = add_cpus(&s->conf, &o, e);
        else if (r == 0)
            r = err_set(e, -EINVAL, "Parameter 'type' does not accept value '%s': want node, dist or cpu", o.type ? o.type : "");
        fields_free(fields, &o);
    }
    json_object_put(copy);
    return r;
}

/* What nobody said: CPUs of a socket are together, sockets in turn; another node is twice as far. */
static int complete(struct conf *c, struct err *e)
{
    struct conf_numa *n = &c->numa;
    uint64_t sum = 0;

    if (!n->n && c->ram_slots && strcmp(c->arch, "aarch64") != 0) { /* systems want to know beforehand where memory may come: SRAT says so */
        n->n = 1;
        n->there[0] = true;
        n->mem[0] = c->ram;
    }
    for (unsigned i = 0; i < n->n; i++) {
        if (!n->there[i])
            return err_set(e, -EINVAL, "numa: Node ID missing: %u", i);
        sum += n->mem[i];
        for (unsigned k = 0; k < n->n; k++)
            n->distance[i][k] = n->distance[i][k] ? n->distance[i][k] : i == k ? 10 : 20;
    }
    if (n->n && sum != c->ram)
        return err_set(e, -EINVAL, "total memory for NUMA nodes (0x%" PRIx64 ") should equal RAM size (0x%" PRIx64 ")", sum, c->ram);
    for (unsigned i = 0; n->n && i < c->max_cpus && i < CONF_NUMA_CPUS; i++)
        if (!n->cpu[i])
            n->cpu[i] = i / (c->threads * c->cores * c->dies) % n->n + 1;
    return 0;
}

int conf_numa(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_numa); x; x = entry_next(x))
        if (take(s, x->opts, e) < 0)
            return entry_fail(x, e);
    if (s->conf.numa.n && strcmp(s->conf.arch, "x86_64") != 0 && strcmp(s->conf.arch, "i386") != 0)
        return err_set(e, -ENOTSUP, "-numa: this machine has no NUMA nodes");
    return complete(&s->conf, e);
}
