/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A serial port of the host, raw at 115200 8N1 (termios(3)). */
#include "ui/chr_stream_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>

struct serial {
    struct chr_stream s;
    char *path;
    bool was_terminal;
    struct termios before;
};

static const struct field serial_opts[] = {
    FIELD(serial, path, F_STR, "path", NULL, "device, /dev/ttyS0"),
    FIELD_END,
};

static struct serial *serial_of(struct chr *c)
{
    return (struct serial *)c;
}

static void set_line(struct serial *s)
{
    struct termios t;

    if (tcgetattr(s->s.in, &t) < 0)
        return;
    s->before = t;
    s->was_terminal = true;
    cfmakeraw(&t);
    t.c_cflag = (t.c_cflag & ~(tcflag_t)(CSTOPB | CRTSCTS)) | CLOCAL | CREAD;
    cfsetspeed(&t, B115200);
    tcsetattr(s->s.in, TCSANOW, &t);
}

static int serial_open(struct chr *c, struct err *e)
{
    struct serial *s = serial_of(c);

    chr_stream_init(&s->s);
    if (!s->path)
        return err_set(e, -EINVAL, "chardev: serial/tty: no device path given");
    s->s.in = s->s.out = open(s->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (s->s.in < 0)
        return err_set(e, -errno, "Could not open '%s': %s", s->path, strerror(errno));
    set_line(s);
    chr_stream_start(&s->s);
    return 0;
}

static void serial_close(struct chr *c)
{
    struct serial *s = serial_of(c);

    if (s->was_terminal)
        tcsetattr(s->s.in, TCSANOW, &s->before);
    chr_stream_close(c);
}

static void serial_break(struct chr *c)
{
    tcsendbreak(serial_of(c)->s.out, 0);
}

const struct chr_type chr_serial = {
    .name = "serial",
    .help = "a serial port of the host",
    .size = sizeof(struct serial),
    .opts = serial_opts,
    .open = serial_open,
    .close = serial_close,
    .write = chr_stream_write,
    .watch = chr_stream_watch,
    .wait_fd = chr_stream_wait_fd,
    .wake = chr_stream_wake,
    .send_break = serial_break,
};
