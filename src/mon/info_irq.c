/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info irq, info pic: the interrupt controllers. */
#include "bus/machine.h"
#include "mon/mon_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct out {
    FILE *f;
    struct dev *dev[16]; /* those whose state or counts are told, in the order of birth */
    unsigned n;
};

static bool is_controller(void *opaque, struct dev *d)
{
    struct out *o = opaque;

    if (d->type->controller && o->n < sizeof(o->dev) / sizeof(o->dev[0]))
        o->dev[o->n++] = d;
    return true;
}

static void print_counts(struct dev *d, FILE *f)
{
    uint64_t count[DEV_INPUTS] = {0};
    unsigned n = d->type->controller->counts(d, count);

    fprintf(f, "IRQ statistics for %s:\n", d->type->name);
    for (unsigned i = 0; i < n; i++)
        if (count[i])
            fprintf(f, "%2u: %" PRIu64 "\n", i, count[i]);
}

/* The one that CPUs know best was born last. */
static int show(struct mon *m, void (*print)(struct dev *d, FILE *f), const char *args, struct err *e)
{
    struct out o = {0};
    char *text = NULL;
    size_t len;

    if (mon_end(args, e) < 0)
        return e->code;
    if (!(o.f = open_memstream(&text, &len)))
        return err_set(e, -ENOMEM, "out of memory");
    machine_each_dev(m->env->m, is_controller, &o);
    while (o.n--)
        print(o.dev[o.n], o.f);
    fclose(o.f);
    mon_puts(m, text);
    free(text);
    return 0;
}

static int irq(struct mon *m, const char *args, struct err *e)
{
    return show(m, print_counts, args, e);
}

static void print_state(struct dev *d, FILE *f)
{
    d->type->controller->print(d, f);
}

static int pic(struct mon *m, const char *args, struct err *e)
{
    return show(m, print_state, args, e);
}

const struct mon_command info_irq = {
    .name = "irq", .args = "", .help = "show the interrupts statistics (if available)", .run = irq};
const struct mon_command info_pic = {.name = "pic", .args = "", .help = "show PIC state", .run = pic};
