/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balloon, info balloon. */
#include "mon/mon_priv.h"

#include "base/bytes.h"
#include "dev/virtio/balloon.h"

#include <errno.h>
#include <inttypes.h>

static int set(struct mon *m, const char *args, struct err *e)
{
    uint64_t mib;

    if (mon_expr(m, &args, &mib, e) < 0 || mon_end(args, e) < 0)
        return e->code;
    if (!mib || mib > UINT64_MAX / MiB)
        return err_set(e, -ERANGE, "Parameter 'target' expects a size");
    return balloon_set(m->env->m, mib * MiB, m->env->conf->ram, e);
}

const struct mon_command cmd_balloon = {
    .name = "balloon",
    .args = "target",
    .help = "request VM to change its memory allocation (in MB)",
    .run = set,
};

static int info(struct mon *m, const char *args, struct err *e)
{
    struct balloon_info i;

    if (mon_end(args, e) < 0 || balloon_query(m->env->m, m->env->conf->ram, &i, e) < 0)
        return e->code;
    mon_printf(m, "balloon: actual=%" PRIu64 "\n", i.actual / MiB);
    return 0;
}

const struct mon_command info_balloon = {
    .name = "balloon", .args = "", .help = "show balloon information", .run = info};
