/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of keys and movement, and what waits its turn.  Contract: input.h. */
#include "ui/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct input_dev {
    struct input *in;
    const struct input_handler *h;
    void *opaque;
    int index;
    unsigned leds;
    struct input_dev *next; /* the one that goes first comes first */
};

enum event_kind { EV_KEY, EV_BUTTON, EV_REL, EV_ABS, EV_SYNC, EV_DELAY };

struct event {
    enum event_kind kind;
    int a, b;
};

struct watcher {
    void (*fn)(void *opaque);
    void *opaque;
    struct watcher *next;
};

struct input {
    const struct input_env *env;
    struct input_dev *devs;
    int last_index;
    struct event queue[INPUT_QUEUE]; /* a ring */
    unsigned first, n;
    bool waiting; /* a delay is under way */
    bool running; /* somebody is being told */
    bool down[KEY_NUM], pressed[BUTTON_NUM]; /* once the devices know all that waits */
    struct watcher *watchers;
};

static void *alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        fatal("out of memory");
    return p;
}

static void run(struct input *in);

struct input *input_new(const struct input_env *env)
{
    static const struct input_env nothing;
    struct input *in = alloc(sizeof(*in));

    in->env = env ? env : &nothing;
    return in;
}

void input_free(struct input *in)
{
    if (!in)
        return;
    while (in->devs)
        input_remove(in->devs);
    for (struct watcher *w; (w = in->watchers);) {
        in->watchers = w->next;
        free(w);
    }
    free(in);
}

/* --- Devices --- */

static void changed(struct input *in)
{
    for (struct watcher *w = in->watchers, *next; w; w = next) {
        next = w->next;
        w->fn(w->opaque);
    }
}

static struct input_dev *who_takes(const struct input *in, unsigned kinds)
{
    struct input_dev *d = in->devs;

    while (d && !(d->h->takes & kinds))
        d = d->next;
    return d;
}

static void unlink_dev(struct input_dev *d)
{
    struct input_dev **at = &d->in->devs;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
}

struct input_dev *input_add(struct input *in, const struct input_handler *h, void *opaque)
{
    struct input_dev *d;

    if (!in)
        return NULL;
    d = alloc(sizeof(*d));
    *d = (struct input_dev){ .in = in, .h = h, .opaque = opaque, .index = ++in->last_index, .next = in->devs };
    in->devs = d;
    changed(in);
    run(in);
    return d;
}

void input_activate(struct input_dev *d)
{
    if (!d || d->in->devs == d)
        return;
    unlink_dev(d);
    d->next = d->in->devs;
    d->in->devs = d;
    changed(d->in);
    run(d->in);
}

void input_remove(struct input_dev *d)
{
    if (!d)
        return;
    unlink_dev(d);
    changed(d->in);
    free(d);
}

void input_set_leds(struct input_dev *d, unsigned leds)
{
    if (!d || d->leds == leds)
        return;
    d->leds = leds;
    changed(d->in);
}

unsigned input_leds(const struct input *in)
{
    const struct input_dev *d = in ? who_takes(in, INPUT_KEYS) : NULL;

    return d ? d->leds : 0;
}

bool input_absolute(const struct input *in)
{
    const struct input_dev *d = in ? who_takes(in, INPUT_REL | INPUT_ABS) : NULL;

    return d && d->h->takes & INPUT_ABS;
}

void input_on_change(struct input *in, void (*fn)(void *opaque), void *opaque)
{
    struct watcher *w;

    if (!in)
        return;
    w = alloc(sizeof(*w));
    *w = (struct watcher){ fn, opaque, in->watchers };
    in->watchers = w;
}

void input_off_change(struct input *in, void *opaque)
{
    for (struct watcher **at = in ? &in->watchers : NULL, *w; at && (w = *at);) {
        if (w->opaque == opaque) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
}

/* --- Events --- */

static void tell_key(struct input *in, int k, bool down)
{
    struct input_dev *d = who_takes(in, INPUT_KEYS);

    if (d)
        d->h->key(d->opaque, (enum key)k, down);
}

static void tell_button(struct input *in, int b, bool down)
{
    struct input_dev *d = who_takes(in, INPUT_BUTTONS);

    if (d)
        d->h->button(d->opaque, (enum pointer_button)b, down);
}

static void tell_sync(struct input *in)
{
    for (struct input_dev *d = in->devs, *next; d; d = next) {
        next = d->next;
        if (d->h->sync)
            d->h->sync(d->opaque);
    }
}

static void tell(struct input *in, struct event ev)
{
    struct input_dev *d;

    switch (ev.kind) {
    case EV_KEY: tell_key(in, ev.a, ev.b); break;
    case EV_BUTTON: tell_button(in, ev.a, ev.b); break;
    case EV_REL:
        if ((d = who_takes(in, INPUT_REL)))
            d->h->rel(d->opaque, ev.a, ev.b);
        break;
    case EV_ABS:
        if ((d = who_takes(in, INPUT_ABS)))
            d->h->abs(d->opaque, ev.a, ev.b);
        break;
    case EV_SYNC: tell_sync(in); break;
    case EV_DELAY: break;
    }
}

/* A key whose device has no room waits, and whatever came after it. */
static bool stuck(const struct input *in)
{
    const struct input_dev *d = in->queue[in->first].kind == EV_KEY ? who_takes(in, INPUT_KEYS) : NULL;

    return d && d->h->room && !d->h->room(d->opaque);
}

static void run(struct input *in)
{
    if (in->running)
        return;
    in->running = true;
    while (in->n && !in->waiting && !stuck(in)) {
        struct event ev = in->queue[in->first];

        in->first = (in->first + 1) % INPUT_QUEUE;
        in->n--;
        if (ev.kind == EV_DELAY && in->env->arm) {
            in->waiting = true;
            in->env->arm(in->env->opaque, ev.a * 1000000ll);
        } else {
            tell(in, ev);
        }
    }
    in->running = false;
}

void input_more(struct input_dev *d)
{
    if (d)
        run(d->in);
}

void input_due(struct input *in)
{
    in->waiting = false;
    run(in);
}

/* Is it taken?  The last places are for releases of what is down, so that no key stays down because the queue was full; and a key
 * that is held does not fill it. */
static bool taken(const struct input *in, enum event_kind kind, int a, int b)
{
    const bool *down = kind == EV_KEY ? &in->down[a] : kind == EV_BUTTON ? &in->pressed[a] : NULL;

    if (in->env->awake && !in->env->awake(in->env->opaque))
        return false;
    if (down && !b && *down)
        return true;
    if (down && b && *down && in->n && !in->waiting)
        return false;
    return in->n < (unsigned)INPUT_QUEUE - KEY_NUM - BUTTON_NUM;
}

static void say(struct input *in, enum event_kind kind, int a, int b)
{
    if (!in || !taken(in, kind, a, b))
        return;
    if (kind == EV_KEY)
        in->down[a] = b;
    else if (kind == EV_BUTTON)
        in->pressed[a] = b;
    if (kind != EV_KEY && kind != EV_DELAY && !in->waiting && !in->running) { /* pointers do not wait for a keyboard's room */
        tell(in, (struct event){ kind, a, b });
        return;
    }
    in->queue[(in->first + in->n++) % INPUT_QUEUE] = (struct event){ kind, a, b };
    run(in);
}

void input_key(struct input *in, enum key k, bool down)
{
    if (k > KEY_UNKNOWN && k < KEY_NUM)
        say(in, EV_KEY, k, down);
}

void input_button(struct input *in, enum pointer_button b, bool down)
{
    if ((unsigned)b < BUTTON_NUM)
        say(in, EV_BUTTON, b, down);
}

void input_rel(struct input *in, int dx, int dy)
{
    if (dx || dy)
        say(in, EV_REL, dx, dy);
}

static int clamp(int v)
{
    return v < 0 ? 0 : v > INPUT_ABS_MAX ? INPUT_ABS_MAX : v;
}

void input_abs(struct input *in, int x, int y)
{
    say(in, EV_ABS, clamp(x), clamp(y));
}

void input_sync(struct input *in)
{
    say(in, EV_SYNC, 0, 0);
}

void input_delay(struct input *in, unsigned ms)
{
    say(in, EV_DELAY, (int)(ms > 1000000 ? 1000000 : ms), 0);
}

bool input_key_is_down(const struct input *in, enum key k)
{
    return in && (unsigned)k < KEY_NUM && in->down[k];
}

void input_release_all(struct input *in)
{
    if (!in)
        return;
    for (int k = 1; k < KEY_NUM; k++)
        if (in->down[k])
            input_key(in, (enum key)k, false);
    for (int b = 0; b < BUTTON_NUM; b++)
        if (in->pressed[b])
            input_button(in, (enum pointer_button)b, false);
    input_sync(in);
}

/* --- Words --- */

enum { KEYS_AT_ONCE = 16 };

static enum key word_key(const char *word, size_t len)
{
    char text[16], *end;
    unsigned long code;

    if (len == 1 && *word == '<')
        return KEY_LESS;
    if (len < 3 || len >= sizeof(text) || word[0] != '0' || (word[1] | 0x20) != 'x')
        return key_by_name(word, len);
    memcpy(text, word, len);
    text[len] = 0;
    code = strtoul(text, &end, 16);
    return *end || code > 0xffff ? KEY_UNKNOWN : key_by_set1((unsigned)code);
}

int input_send_keys(struct input *in, const char *text, unsigned hold_ms, struct err *e)
{
    enum key k[KEYS_AT_ONCE];
    unsigned n = 0;

    for (const char *at = text;; at++) {
        size_t len = strcspn(at, "-");

        if (n == KEYS_AT_ONCE)
            return err_set(e, -E2BIG, "more than %d keys at once", KEYS_AT_ONCE);
        if (!(k[n] = word_key(at, len)))
            return err_set(e, -ENOENT, "invalid parameter: %.*s", (int)len, at);
        n++;
        at += len;
        if (!*at)
            break;
    }
    for (unsigned i = 0; i < n; i++)
        input_key(in, k[i], true);
    input_delay(in, hold_ms ? hold_ms : 100);
    for (unsigned i = n; i-- > 0;)
        input_key(in, k[i], false);
    return 0;
}

void input_each_mouse(const struct input *in,
                      void (*fn)(void *opaque, int index, const char *name, bool absolute, bool current), void *opaque)
{
    const unsigned mouse = INPUT_REL | INPUT_ABS;
    const struct input_dev *current = in ? who_takes(in, mouse) : NULL;

    for (int i = 1; in && i <= in->last_index; i++)
        for (const struct input_dev *d = in->devs; d; d = d->next)
            if (d->index == i && d->h->takes & mouse)
                fn(opaque, i, d->h->name, d->h->takes & INPUT_ABS, d == current);
}

int input_set_mouse(struct input *in, int index, struct err *e)
{
    for (struct input_dev *d = in ? in->devs : NULL; d; d = d->next)
        if (d->index == index && d->h->takes & (INPUT_REL | INPUT_ABS)) {
            input_activate(d);
            return 0;
        }
    return err_set(e, -ENOENT, "Mouse at index '%d' not found", index);
}
