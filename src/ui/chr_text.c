/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of -serial, -parallel and -monitor into options of -chardev ("-serial dev" in the QEMU documentation). */
#include "base/bytes.h"
#include "ui/chr_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static int bad(struct err *e, const char *text)
{
    return err_set(
        e, -EINVAL,
        "'%s' is no character device: want stdio, pty, null, none, vc, file:FILE, pipe:FILE, "
        "tcp:HOST:PORT, telnet:HOST:PORT, websocket:HOST:PORT, unix:PATH, udp:HOST:PORT, "
        "chardev:ID, /dev/NAME or mon: before one of them",
        text);
}

/* "host:port" or "[v6]:port" up to @stop; a missing port is none. */
static const char *take_address(struct json_object *o, const char *p, const char *host_key,
                                const char *port_key, const char *stop)
{
    size_t n = *p == '[' ? strcspn(p, "]") : strcspn(p, ":,@");
    char *host, *port;
    bool bracket = *p == '[';

    host = strndup(p + bracket, n - bracket);
    p += n;
    if (bracket && *p == ']')
        p++;
    if (!host)
        fatal("out of memory");
    if (*p == ':') {
        n = strcspn(++p, stop);
        if (!(port = strndup(p, n)))
            fatal("out of memory");
        put(o, port_key, port);
        free(port);
        p += n;
    }
    put(o, host_key, host);
    free(host);
    return p;
}

/* ",server,nowait,reconnect=3" on top of @o. */
static int more_opts(struct json_object *o, const char *p, struct err *e)
{
    if (!*p)
        return 0;
    return *p == ',' ? keyval_merge(o, p + 1, NULL, e)
                     : err_set(e, -EINVAL, "'%s' is unexpected after the address", p);
}

static int inet(struct json_object *o, const char *rest, const char *kind, struct err *e)
{
    put(o, "backend", "socket");
    if (strcmp(kind, "tcp"))
        put(o, kind, "on");
    return more_opts(o, take_address(o, rest, "host", "port", ","), e);
}

static int text_tcp(struct json_object *o, const char *rest, struct err *e)
{
    return inet(o, rest, "tcp", e);
}

static int text_telnet(struct json_object *o, const char *rest, struct err *e)
{
    return inet(o, rest, "telnet", e);
}

static int text_websocket(struct json_object *o, const char *rest, struct err *e)
{
    return inet(o, rest, "websocket", e);
}

static int text_tn3270(struct json_object *o, const char *rest, struct err *e)
{
    return inet(o, rest, "tn3270", e);
}

static int text_unix(struct json_object *o, const char *rest, struct err *e)
{
    char *opts;
    int r;

    if (!*rest)
        return err_set(e, -EINVAL, "chardev: socket: no path given");
    put(o, "backend", "socket");
    if (asprintf(&opts, "path=%s", rest) < 0)
        fatal("out of memory");
    r = keyval_merge(o, opts, NULL, e);
    free(opts);
    return r;
}

/* "[host]:port[@[local]:port]" */
static int text_udp(struct json_object *o, const char *rest, struct err *e)
{
    put(o, "backend", "udp");
    rest = take_address(o, rest, "host", "port", "@,");
    if (*rest == '@')
        rest = take_address(o, rest + 1, "localaddr", "localport", ",");
    return more_opts(o, rest, e);
}

static int path_opts(struct json_object *o, const char *backend, const char *rest, struct err *e)
{
    if (!*rest)
        return err_set(e, -EINVAL, "chardev: %s: no path given", backend);
    put(o, "backend", backend);
    put(o, "path", rest);
    return 0;
}

static int text_file(struct json_object *o, const char *rest, struct err *e)
{
    return path_opts(o, "file", rest, e);
}

static int text_pipe(struct json_object *o, const char *rest, struct err *e)
{
    return path_opts(o, "pipe", rest, e);
}

/* "80Cx24C" or "800x600" */
static int text_vc(struct json_object *o, const char *rest, struct err *e)
{
    unsigned w, h;
    char cw = 0, ch = 0;
    char number[16];

    put(o, "backend", "vc");
    if (sscanf(rest, "%5uCx%5u%c", &w, &h, &ch) == 3 && ch == 'C')
        cw = 'C';
    else if (sscanf(rest, "%5ux%5u%c", &w, &h, &ch) != 2)
        return err_set(e, -EINVAL, "vc:%s: want vc:800x600 or vc:80Cx24C", rest);
    snprintf(number, sizeof(number), "%u", w);
    put(o, cw ? "cols" : "width", number);
    snprintf(number, sizeof(number), "%u", h);
    put(o, cw ? "rows" : "height", number);
    return 0;
}

static int text_con(struct json_object *o, const char *rest, struct err *e)
{
    return err_set(e, -ENOTSUP, "con: is a console of Windows; stdio is the terminal here");
}

static const struct prefix {
    const char *text;
    int (*take)(struct json_object *o, const char *rest, struct err *e);
} prefixes[] = {
    {"con:", text_con},       {"file:", text_file},
    {"pipe:", text_pipe},     {"tcp:", text_tcp},
    {"telnet:", text_telnet}, {"tn3270:", text_tn3270},
    {"udp:", text_udp},       {"unix:", text_unix},
    {"vc:", text_vc},         {"websocket:", text_websocket},
};

/* Words that are a back end by themselves. */
static const char *const words[] = {"null",    "pty",      "stdio",   "vc",
                                    "msmouse", "wctablet", "braille", "testdev"};

static int text_device(struct json_object *o, const char *text, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(words[i], text)) {
            put(o, "backend", text);
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (!strncmp(prefixes[i].text, text, strlen(prefixes[i].text)))
            return prefixes[i].take(o, text + strlen(prefixes[i].text), e);
    if (!strncmp(text, "/dev/parport", 12) || !strncmp(text, "/dev/ppi", 8))
        return path_opts(o, "parallel", text, e);
    if (!strncmp(text, "/dev/", 5))
        return path_opts(o, "serial", text, e);
    return bad(e, text);
}

struct json_object *chr_text_opts(const char *id, const char *text, struct err *e)
{
    struct json_object *o;
    bool mon = !strncmp(text, "mon:", 4);

    if (!strcmp(text, "none"))
        return NULL;
    o = json_object_new_object();
    put(o, "id", id);
    if (mon)
        put(o, "mux", "on");
    if (text_device(o, mon ? text + 4 : text, e) < 0) {
        json_object_put(o);
        return NULL;
    }
    if (!strcmp(keyval_string(o, "backend"), "stdio") && mon)
        put(o, "signal", "off");
    return o;
}
