/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info qtree, info pci: devices and buses. */
#include "mon/mon_priv.h"

#include "dev/pci/pci.h"
#include "schema/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tree {
    struct mon *m;
    int depth;
};

static void tree_line(void *opaque, const char *text)
{
    const struct tree *t = opaque;

    mon_printf(t->m, "%*s%s\n", t->depth, "", text);
}

/* Texts and numbers are shown as they are, what is larger as JSON. */
static void print_tree(struct mon *m, struct json_object *o)
{
    mon_printf(m, "%s\n",
               !o                                         ? "<null>"
               : json_object_is_type(o, json_type_string) ? json_object_get_string(o)
                                                          : json_object_to_json_string(o));
}

static void print_prop(struct mon *m, int depth, const struct field *f, const void *obj)
{
    const void *member = (const char *)obj + f->offset;
    const char *text;

    mon_printf(m, "%*s%s = ", depth, "", f->name);
    switch (f->kind) {
    case F_STR:
    case F_ONOFF:
        text = *(char *const *)member;
        mon_printf(m, "\"%s\"\n", text ? text : "");
        break;
    case F_BOOL: mon_printf(m, "%s\n", *(const bool *)member ? "true" : "false"); break;
    case F_U64:
    case F_SIZE:
        mon_printf(m, "%" PRIu64 " (0x%" PRIx64 ")\n", *(const uint64_t *)member,
                   *(const uint64_t *)member);
        break;
    case F_ENUM: mon_printf(m, "\"%s\"\n", f->names[*(const int *)member]); break;
    case F_TREE: print_tree(m, *(struct json_object *const *)member); break;
    }
}

static void print_bus(struct mon *m, struct bus *b, int depth);

static void print_dev(struct mon *m, struct dev *d, int depth)
{
    struct tree t = {.m = m, .depth = depth + 2};

    mon_printf(m, "%*sdev: %s, id \"%s\"\n", depth, "", d->type->name, d->id ? d->id : "");
    for (const struct field *f = d->type->props; f && f->name; f++)
        print_prop(m, depth + 2, f, d);
    if (d->parent && d->parent->print)
        d->parent->print(d->parent, d, tree_line, &t);
    for (struct bus *b = d->buses; b; b = b->next_of_dev)
        print_bus(m, b, depth + 2);
}

static void print_bus(struct mon *m, struct bus *b, int depth)
{
    mon_printf(m, "%*sbus: %s\n%*s  type %s\n", depth, "", b->name, depth, "", b->kind);
    for (struct dev *d = b->devs; d && depth < 200; d = d->next_on_bus)
        print_dev(m, d, depth + 2);
}

static bool on_board(void *opaque, struct dev *d)
{
    if (!d->parent)
        print_dev(opaque, d, 2);
    return true;
}

static int qtree(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) < 0)
        return e->code;
    mon_puts(m, "bus: main-system-bus\n  type System\n");
    machine_each_dev(m->env->m, on_board, m);
    return 0;
}

const struct mon_command info_qtree = {
    .name = "qtree", .args = "", .help = "show device tree", .run = qtree};

static int pci(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) < 0)
        return e->code;
    pci_print(m->env->m, mon_line, m);
    return 0;
}

const struct mon_command info_pci = {
    .name = "pci", .args = "", .help = "show PCI info", .run = pci};
