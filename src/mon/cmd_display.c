/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screendump, set_password, expire_password, info vnc. */
#include "mon/mon_priv.h"

#include "dev/backends.h"
#include "ui/vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The screen that "[device [head]]" names; without: the first. */
static struct console *find_screen(struct mon *m, const char *args, struct err *e)
{
    struct displays *all = machine_displays(m->env->m);
    char device[128];
    uint64_t head = 0;
    struct console *c;

    if (!mon_word(&args, device, sizeof(device))) {
        if (!(c = displays_console(all, 0)))
            err_set(e, -ENODEV, "There is no console to take a screendump from");
        return c;
    }
    if ((*args && mon_expr(m, &args, &head, e) < 0) || mon_end(args, e) < 0)
        return NULL;
    if (!(c = displays_find(all, device, (unsigned)head)))
        err_set(e, -ENOENT, displays_find(all, device, 0) ? "Device '%s' does not have a screen of that number" :
                "Device '%s' not found", device);
    return c;
}

static int save(struct console *c, const char *path, const char *format, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), r;

    if (fd < 0)
        return err_set(e, -errno, "failed to open file '%s': %s", path, strerror(errno));
    console_update(c);
    r = picture_write(console_surface(c), fd, format, e);
    close(fd);
    if (r < 0)
        unlink(path);
    return r < 0 ? err_wrap(e, r == -EINVAL ? -EPERM : r, "%s", path) : 0;
}

static int screendump(struct mon *m, const char *args, struct err *e)
{
    char path[1024], format[16] = "ppm";
    struct console *c;

    if (!mon_word(&args, path, sizeof(path)))
        return err_set(e, -EINVAL, "screendump: filename expected");
    if (mon_option(&args, 'f') && !mon_word(&args, format, sizeof(format)))
        return err_set(e, -EINVAL, "screendump: format expected");
    if (strcmp(format, "ppm") != 0 && strcmp(format, "png") != 0)
        return err_set(e, -EPERM, "invalid parameter value '%s' for 'format': want ppm or png", format);
    return (c = find_screen(m, args, e)) ? save(c, path, format, e) : e->code;
}

const struct mon_command cmd_screendump = {
    .name = "screendump",
    .args = "filename [-f format] [device [head]]",
    .help = "save screen from head 'head' of display device 'device' in specified format 'format' as image 'filename'. "
            "Currently only 'png' and 'ppm' formats are supported.",
    .run = screendump,
};

/* "protocol": only one is there. */
static struct vnc *find_vnc(struct mon *m, const char *protocol, const char *id, struct err *e)
{
    struct vnc *v = NULL;

    if (strcmp(protocol, "vnc") != 0)
        err_set(e, -EPERM, strcmp(protocol, "spice") ? "invalid parameter value: %s" : "%s is not supported", protocol);
    else if (!(v = machine_backend(m->env->m, "vnc", id)))
        err_set(e, -ENODEV, "No VNC display is active");
    return v;
}

/* What follows the protocol's name and the value: "[-d display] [action]". */
static int rest(const char *args, char *id, size_t len, struct err *e)
{
    char action[32] = "keep";

    if (mon_option(&args, 'd') && !mon_word(&args, id, len))
        return err_set(e, -EINVAL, "display expected");
    mon_word(&args, action, sizeof(action));
    if (strcmp(action, "keep") != 0 && strcmp(action, "fail") != 0 && strcmp(action, "disconnect") != 0)
        return err_set(e, -EPERM, "invalid parameter value: %s", action);
    return mon_end(args, e);
}

static int set_password(struct mon *m, const char *args, struct err *e)
{
    char protocol[32], password[128], id[64] = "default";
    struct vnc *v;

    if (!mon_word(&args, protocol, sizeof(protocol)) || !mon_word(&args, password, sizeof(password)))
        return err_set(e, -EINVAL, "set_password: string expected");
    if (rest(args, id, sizeof(id), e) < 0 || !(v = find_vnc(m, protocol, id, e)))
        return e->code;
    return vnc_set_password(v, password, e) < 0 ? err_set(e, -EPERM, "Could not set password") : 0;
}

const struct mon_command cmd_set_password = {
    .name = "set_password",
    .args = "protocol password [-d display] [action-if-connected]",
    .help = "set spice/vnc password",
    .run = set_password,
};

/* "now", "never", "+60", or seconds of the calendar. */
static int expire_password(struct mon *m, const char *args, struct err *e)
{
    char protocol[32], text[32], id[64] = "default", *end;
    int64_t now = time(NULL), when;
    struct vnc *v;

    if (!mon_word(&args, protocol, sizeof(protocol)) || !mon_word(&args, text, sizeof(text)))
        return err_set(e, -EINVAL, "expire_password: string expected");
    if (rest(args, id, sizeof(id), e) < 0 || !(v = find_vnc(m, protocol, id, e)))
        return e->code;
    when = strtoll(text, &end, 10) + (*text == '+' ? now : 0);
    if (!strcmp(text, "now"))
        when = 0;
    else if (!strcmp(text, "never"))
        when = INT64_MAX;
    else if (*end || end == text)
        return err_set(e, -EPERM, "Parameter 'time' doesn't take '%s'", text);
    return vnc_expire_password(v, when, e);
}

const struct mon_command cmd_expire_password = {
    .name = "expire_password",
    .args = "protocol time [-d display]",
    .help = "set spice/vnc password expire-time",
    .run = expire_password,
};

enum { VNCS = 64 };

struct listing {
    struct vnc *v[VNCS];
    unsigned n;
};

static bool list_vnc(void *opaque, const char *id, void *vnc)
{
    struct listing *l = opaque;

    if (l->n < VNCS)
        l->v[l->n++] = vnc;
    return true;
}

static int info_vnc_run(struct mon *m, const char *args, struct err *e)
{
    struct listing l = {.n = 0};

    if (mon_end(args, e) < 0)
        return e->code;
    machine_each_backend(m->env->m, "vnc", list_vnc, &l);
    if (!l.n)
        mon_puts(m, "None\n");
    while (l.n) /* the last one first */
        vnc_print(l.v[--l.n], mon_line, m);
    return 0;
}

const struct mon_command info_vnc = {
    .name = "vnc", .args = "", .help = "show the vnc server status", .run = info_vnc_run};
