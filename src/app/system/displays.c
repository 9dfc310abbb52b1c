/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -display and -vnc: who shows the screens. */
#include "app/system/sys.h"

#include "dev/backends.h"
#include "schema/keyval.h"

#include <errno.h>
#include <string.h>

bool displays_wanted(const struct sys *s)
{
    return cli_first(&s->cli, &group_vnc) || cli_first(&s->cli, &group_display);
}

static int check_display(const struct entry *x, struct err *e)
{
    const char *type = keyval_string(x->opts, "type");

    if (!type || !strcmp(type, "none"))
        return 0;
    return err_set(e, -ENOTSUP, "-display %s: not supported yet, want 'none'", type);
}

int displays_open(struct sys *s, struct err *e)
{
    for (struct entry *x = cli_first(&s->cli, &group_display); x; x = entry_next(x))
        if (check_display(x, e) < 0)
            return e->code;
    if (s->conf.vga && !s->conf.vga_used && strcmp(s->conf.vga, "none") != 0)
        sys_warn(s, "A -vga option was passed but this machine type does not use that option; No VGA device has been created");
    return 0;
}

void displays_close(struct sys *s)
{
}
