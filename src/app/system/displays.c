/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -display and -vnc: who shows the screens. */
#include "app/system/sys.h"

#include "block/env.h"
#include "block/tls_creds.h"
#include "dev/backends.h"
#include "schema/keyval.h"
#include "ui/vnc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int secret(void *opaque, const char *id, char *buf, size_t len, struct err *e)
{
    struct sys *s = opaque;
    unsigned char *data;
    size_t n;
    int r = blk_env_secret(s->blk, id, &data, &n, e);

    if (r < 0)
        return r;
    snprintf(buf, len, "%.*s", (int)n, (const char *)data);
    free(data);
    return 0;
}

static int add_vnc(struct sys *s, struct json_object *opts, struct err *e)
{
    struct vnc *v = vnc_open(s->vnc_env, opts, e);

    if (!v)
        return e->code;
    if (machine_add_backend(s->m, "vnc", vnc_id(v), v, e) < 0) {
        vnc_close(v);
        return e->code;
    }
    named_add(&s->vncs, vnc_id(v), v);
    if (keyval_string(opts, "to") && vnc_where(v)) { /* which of them it is */
        printf("VNC server running on %s\n", vnc_where(v));
        fflush(stdout);
    }
    return 0;
}

static int add_display(struct sys *s, const struct entry *x, struct err *e)
{
    const char *type = keyval_string(x->opts, "type"), *vnc = keyval_string(x->opts, "vnc");

    if (vnc && !type)
        return add_vnc(s, x->opts, e);
    if (!type || !strcmp(type, "none"))
        return 0;
    if (!strcmp(type, "vnc"))
        return err_set(e, -EINVAL, "VNC requires a display argument vnc=<display>");
    return err_set(e, -ENOTSUP, "-display %s: not supported yet, want 'none' or 'vnc=...'", type);
}

static void make_env(struct sys *s)
{
    static char title[256];

    snprintf(title, sizeof(title), s->conf.name ? "QEMU (%s)" : "QEMU", s->conf.name);
    if (!(s->vnc_env = calloc(1, sizeof(*s->vnc_env))))
        fatal("out of memory");
    *s->vnc_env = (struct vnc_env){.loop = s->loop,
                                   .displays = machine_displays(s->m),
                                   .input = machine_input(s->m),
                                   .title = title,
                                   .keymap = s->cli.keymap,
                                   .secret = secret,
                                   .opaque = s,
                                   .tls = &tls_creds_provider,
                                   .tls_opaque = s->blk};
}

int displays_open(struct sys *s, struct err *e)
{
    make_env(s);
    for (struct entry *x = cli_first(&s->cli, &group_display); x; x = entry_next(x))
        if (add_display(s, x, e) < 0)
            return strncmp(e->msg, "-display", 8) ? entry_fail(x, e) : e->code;
    for (struct entry *x = cli_first(&s->cli, &group_vnc); x; x = entry_next(x))
        if (add_vnc(s, x->opts, e) < 0 && e->code)
            return entry_fail(x, e);
    if (s->conf.vga && !s->conf.vga_used && strcmp(s->conf.vga, "none") != 0)
        sys_warn(s, "A -vga option was passed but this machine type does not use that option; No VGA device has been created");
    return 0;
}

void displays_close(struct sys *s)
{
    for (struct named *n; (n = s->vncs);) {
        machine_del_backend(s->m, "vnc", n->id);
        vnc_close(n->p);
        s->vncs = n->next;
        free(n->id);
        free(n);
    }
    free(s->vnc_env);
}
