/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front end for tests: keeps what it hears, in as much room as it is given, and what happens. */
#ifndef TESTS_UI_FRONT_H
#define TESTS_UI_FRONT_H

#include "base/loop.h"
#include "schema/keyval.h"
#include "tests/test.h"
#include "ui/chr.h"

#include <signal.h>
#include <time.h>

struct front {
    struct chr *c;
    size_t room, len;
    char got[65536];
    char events[64]; /* "O" opened, "C" closed, "B" break, "I" "U" focus in, out */
    unsigned rooms;  /* chr_on_room's calls */
};

static size_t front_room(void *opaque)
{
    struct front *f = opaque;
    size_t left = sizeof(f->got) - 1 - f->len;

    return f->room < left ? f->room : left;
}

static void front_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct front *f = opaque;

    CHECK(len <= front_room(f));
    memcpy(f->got + f->len, buf, len);
    f->len += len;
    f->got[f->len] = 0;
}

static void front_event(void *opaque, enum chr_event e)
{
    struct front *f = opaque;
    size_t n = strlen(f->events);

    if (n + 1 < sizeof(f->events))
        f->events[n] = "OCBIU"[e];
}

static const struct chr_front front_type = {front_room, front_data, front_event};

static inline void front_on_room(void *opaque)
{
    ((struct front *)opaque)->rooms++;
}

static inline void front_attach(struct front *f, struct chr *c)
{
    struct err e = {0};

    f->c = c;
    f->room = sizeof(f->got);
    if (!CHECK_EQ(chr_attach(c, &front_type, f, &e), 0))
        printf("%s\n", e.msg);
}

static inline void front_say(struct front *f, const char *text)
{
    chr_write_all(f->c, f, (const uint8_t *)text, strlen(text));
}

/* The text as -chardev has it, or as -serial with @id. */
static inline struct chr *open_chardev(const struct chr_env *env, const char *text)
{
    struct err e = {0};
    struct json_object *o = keyval_parse(text, "backend", &e);
    struct chr *c = o ? chr_open(env, o, &e) : NULL;

    if (!CHECK(c))
        printf("%s\n", e.msg);
    return c;
}

static inline void refused(const struct chr_env *env, const char *text, const char *why)
{
    struct err e = {0};
    struct json_object *o = keyval_parse(text, "backend", &e);
    struct chr *c = o ? chr_open(env, o, &e) : NULL;

    CHECK(!c);
    CHECK_STR(e.msg, why);
}

static inline int64_t test_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Let the loop run until @cond, at most some seconds. */
#define RUN_UNTIL(loop, cond)                                                                      \
    do {                                                                                           \
        int64_t run_end_ = test_now() + INT64_C(5000000000);                                       \
        while (!(cond) && test_now() < run_end_)                                                   \
            loop_once(loop, 20000000);                                                             \
        CHECK(cond);                                                                               \
    } while (0)

#endif
