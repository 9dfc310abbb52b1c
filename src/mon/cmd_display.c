/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screendump. */
#include "mon/mon_priv.h"

#include "dev/backends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
