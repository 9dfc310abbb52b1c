/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several front ends on one back end, with Ctrl-A keys ("Keys in the character backend multiplexer" in the
 * QEMU documentation; texts and timestamps as observed of version 7.2).  Who has the focus gets the keyboard; all
 * may write.
 */
#include "ui/chr_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Keys typed while the guest takes none: so many that Ctrl-A x gets through to end a guest that hangs. */
enum { KEYS = 256 };

struct mux {
    struct chr chr;
    char *chardev;
    unsigned focus;
    bool escaped; /* Ctrl-A was the last key */
    bool timestamps, line_start;
    int64_t since;
    struct keys {
        uint8_t at[KEYS];
        size_t n;
    } keys[CHR_USERS_MAX];
};

static const struct field mux_opts[] = {
    FIELD(mux, chardev, F_STR, "chardev", NULL, "id of the back end below"),
    FIELD_END,
};

static struct mux *mux_of(struct chr *c)
{
    return (struct mux *)c;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void say(struct mux *m, const char *text)
{
    chr_write_all(m->chr.base, m, (const uint8_t *)text, strlen(text));
}

static void help(struct mux *m, uint8_t escape)
{
    static const char *const lines[] = {
        "h    print this help",
        "x    exit emulator",
        "s    save disk data back to file (if -snapshot)",
        "t    toggle console timestamps",
        "b    send break (magic sysrq)",
        "c    switch between console and monitor",
    };
    char key[16], line[96];

    if (escape > 0 && escape < 27)
        snprintf(key, sizeof(key), "C-%c", escape - 1 + 'a');
    else
        snprintf(key, sizeof(key), "0x%02x", escape);
    say(m, "\r\n");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        snprintf(line, sizeof(line), "%s %s\r\n", key, lines[i]);
        say(m, line);
    }
    snprintf(line, sizeof(line), "%s %s  sends %s\r\n", key, key, key);
    say(m, line);
}

/* Focus ------------------------------------------------------------------------------------------ */

static void tell(struct mux *m, enum chr_event e)
{
    struct chr_user *u = &m->chr.users[m->focus];

    if (u->front && u->front->event)
        u->front->event(u->opaque, e);
}

static void deliver(struct mux *m)
{
    for (unsigned i = 0; i < CHR_USERS_MAX; i++) {
        struct chr_user *u = &m->chr.users[i];
        struct keys *k = &m->keys[i];
        uint8_t part[KEYS];

        while (u->front && k->n) {
            size_t n = min_u64(u->front->room(u->opaque), k->n);

            if (!n)
                break;
            memcpy(part, k->at, n);
            k->n -= n;
            memmove(k->at, k->at + n, k->n);
            u->front->data(u->opaque, part, n);
        }
    }
}

static void set_focus(struct mux *m, unsigned i)
{
    if (i == m->focus)
        return;
    tell(m, CHR_MUX_OUT);
    m->focus = i;
    tell(m, CHR_MUX_IN);
}

static void next_focus(struct mux *m)
{
    for (unsigned k = 1; k <= CHR_USERS_MAX; k++) {
        unsigned i = (m->focus + k) % CHR_USERS_MAX;

        if (m->chr.users[i].front) {
            set_focus(m, i);
            return;
        }
    }
}

static void mux_focus(struct chr *c, void *opaque)
{
    for (unsigned i = 0; i < CHR_USERS_MAX; i++)
        if (c->users[i].front && c->users[i].opaque == opaque)
            set_focus(mux_of(c), i);
}

/* A front end came, went, or has room. */
static void mux_wake(struct chr *c)
{
    struct mux *m = mux_of(c);

    for (unsigned i = 0; i < CHR_USERS_MAX; i++)
        if (!c->users[i].front)
            m->keys[i].n = 0;
    if (!c->users[m->focus].front)
        next_focus(m);
    deliver(m);
    chr_wake(c->base, m);
}

/* Keys -------------------------------------------------------------------------------------------- */

static uint8_t escape_of(const struct mux *m)
{
    return m->chr.env->escape ? m->chr.env->escape : 1;
}

static void quit(struct mux *m)
{
    const struct chr_env *env = m->chr.env;

    say(m, "QEMU: Terminated\r\n");
    if (env->quit)
        env->quit(env->opaque);
}

/* The key after Ctrl-A: true when it is for the guest. */
static bool command(struct mux *m, uint8_t key)
{
    const struct chr_env *env = m->chr.env;

    if (key == escape_of(m))
        return true;
    switch (key) {
    case '?':
    case 'h': help(m, escape_of(m)); break;
    case 'x': quit(m); break;
    case 's':
        if (env->commit)
            env->commit(env->opaque);
        break;
    case 'b': tell(m, CHR_BREAK); break;
    case 'c': next_focus(m); break;
    case 't':
        m->timestamps = !m->timestamps;
        m->since = now_ms();
        m->line_start = false;
        break;
    }
    return false;
}

static void key(struct mux *m, uint8_t b)
{
    struct keys *k = &m->keys[m->focus];

    if (m->escaped) {
        m->escaped = false;
        if (!command(m, b))
            return;
    } else if (b == escape_of(m)) {
        m->escaped = true;
        return;
    }
    k = &m->keys[m->focus];
    if (m->chr.users[m->focus].front && k->n < KEYS)
        k->at[k->n++] = b;
}

static size_t below_room(void *opaque)
{
    struct mux *m = opaque;

    return KEYS - m->keys[m->focus].n;
}

static void below_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct mux *m = opaque;

    for (size_t i = 0; i < len; i++)
        key(m, buf[i]);
    deliver(m);
}

static void below_event(void *opaque, enum chr_event e)
{
    struct mux *m = opaque;

    if (e == CHR_BREAK)
        tell(m, e);
    else if (e == CHR_OPENED || e == CHR_CLOSED)
        chr_event(&m->chr, e);
}

static const struct chr_front below = {below_room, below_data, below_event};

/* Output ------------------------------------------------------------------------------------------ */

static size_t write_stamped(struct mux *m, const uint8_t *buf, size_t len)
{
    for (size_t n = 0; n < len;) {
        const uint8_t *end = memchr(buf + n, '\n', len - n);
        size_t line = end ? (size_t)(end + 1 - (buf + n)) : len - n, done;

        if (m->line_start) {
            int64_t t = now_ms() - m->since;
            char stamp[64];

            snprintf(stamp, sizeof(stamp), "[%02d:%02d:%02d.%03d] ", (int)(t / 3600000),
                     (int)(t / 60000 % 60), (int)(t / 1000 % 60), (int)(t % 1000));
            say(m, stamp);
            m->line_start = false;
        }
        done = chr_write(m->chr.base, m, buf + n, line);
        n += done;
        m->line_start = done == line && end;
        if (done < line)
            return n;
    }
    return len;
}

static size_t mux_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct mux *m = mux_of(c);

    return m->timestamps ? write_stamped(m, buf, len) : chr_write(c->base, m, buf, len);
}

static void base_has_room(void *opaque)
{
    chr_has_room(opaque);
}

static void mux_watch(struct chr *c)
{
    chr_on_room(c->base, c, base_has_room);
}

static int mux_wait_fd(struct chr *c)
{
    return c->base->type->wait_fd ? c->base->type->wait_fd(c->base) : -1;
}

static void mux_break(struct chr *c)
{
    chr_send_break(c->base);
}

/* Birth ------------------------------------------------------------------------------------------- */

static int mux_open(struct chr *c, struct err *e)
{
    struct mux *m = mux_of(c);

    if (!m->chardev)
        return err_set(e, -EINVAL, "chardev: mux: no chardev given");
    c->base = c->env->find ? c->env->find(c->env->opaque, m->chardev) : NULL;
    if (!c->base)
        return err_set(e, -ENOENT, "mux: base chardev %s not found", m->chardev);
    return chr_attach(c->base, &below, c, e);
}

static void mux_close(struct chr *c)
{
    if (c->base)
        chr_detach(c->base, c);
}

const struct chr_type chr_mux = {
    .name = "mux",
    .help = "several front ends, Ctrl-A c goes round",
    .size = sizeof(struct mux),
    .opts = mux_opts,
    .users = CHR_USERS_MAX,
    .opens_later = true,
    .open = mux_open,
    .close = mux_close,
    .write = mux_write,
    .watch = mux_watch,
    .wait_fd = mux_wait_fd,
    .wake = mux_wake,
    .send_break = mux_break,
    .focus = mux_focus,
};

struct chr *chr_mux_on(const struct chr_env *env, struct chr *base, const char *id)
{
    struct chr *c = chr_new(env, &chr_mux, id);

    c->base = base;
    c->own_base = true;
    if (chr_attach(base, &below, c, ERR_IGNORE) < 0)
        bug("a new back end is in use");
    return c;
}
