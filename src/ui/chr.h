/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character back ends: -chardev, -serial, -monitor and what they lead to.  A back end is a row of ui/chrs.def
 * with a table of options; a front end (a serial port, a monitor, gdb) attaches to it.
 *
 * Under the machine's lock or on the main loop's thread, which has it.
 */
#ifndef UI_CHR_H
#define UI_CHR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chr;
struct displays;
struct json_object;
struct loop;
struct tls_provider;

enum chr_event {
    CHR_OPENED,
    CHR_CLOSED,
    CHR_BREAK,
    CHR_MUX_IN /* Ctrl-A c: this front end has the keyboard now */,
    CHR_MUX_OUT
};

/** struct chr_front - what a front end gives.  Constant. */
struct chr_front {
    size_t (*room)(void *opaque); /* bytes it can take now; when that grows: chr_wake() */
    void (*data)(void *opaque, const uint8_t *buf, size_t len); /* at most room() */
    void (*event)(void *opaque, enum chr_event e);              /* may be NULL */
};

/** struct chr_env - what a back end is made in; members that are NULL are not there.  Outlives the back ends. */
struct chr_env {
    struct loop *loop;
    struct chr *(*find)(void *opaque, const char *id); /* others by name */
    void *opaque;
    void (*quit)(void *opaque);                   /* Ctrl-A x */
    void (*commit)(void *opaque);                 /* Ctrl-A s: save -snapshot disks */
    void (*exit)(void *opaque, int status);       /* testdev: the guest ends the program */
    void (*note)(void *opaque, const char *text); /* a line for the user, no newline */
    const struct tls_provider *tls;               /* tls-creds= (base/tls.h) */
    void *tls_opaque;
    struct displays *displays; /* where vc shows its text; and */
    char *const *firmware;     /* folders where it looks for a font; ends with NULL */
    unsigned char escape; /* Ctrl-A, or what -echr says; 0: Ctrl-A */
};

/**
 * chr_open - @opts as of -chardev ("backend", "id", ...), taken over.
 * chr_text_opts - such options from a text as of -serial: "stdio", "mon:stdio" (with mux=on), "pty", "file:x",
 * "tcp:...,server", "unix:...", "telnet:...", "null", "vc", "/dev/ttyS0".  NULL and no error: "none".
 * "chardev:ID" is not among them: it names one that is there.
 */
struct chr *chr_open(const struct chr_env *env, struct json_object *opts, struct err *e);
struct json_object *chr_text_opts(const char *id, const char *text, struct err *e);
/** chr_type_names - NULL-terminated, for -chardev help: those that can be had. */
const char *const *chr_type_names(void);
void chr_close(struct chr *c);
const char *chr_id(const struct chr *c);
/** chr_base - what a multiplexer made by mux=on stands on ("ID-base"), or NULL. */
struct chr *chr_base(const struct chr *c);
/** chr_describe - "pty:/dev/pts/3", as `info chardev` has it. */
const char *chr_describe(const struct chr *c);

/** chr_attach - -EBUSY "Device 'x' is in use" when it has one already and is no multiplexer; CHR_OPENED comes at once
 * when somebody is at the other end.  @opaque tells front ends apart. */
int chr_attach(struct chr *c, const struct chr_front *f, void *opaque, struct err *e);
void chr_detach(struct chr *c, void *opaque);
/** chr_in_use - has it a front end? */
bool chr_in_use(const struct chr *c);
/** chr_write - bytes taken, perhaps fewer than @len (then chr_on_room()'s function is called later); output to
 * nobody is taken.  chr_write_all - waits, for monitors; a peer that takes nothing for a second loses the rest. */
size_t chr_write(struct chr *c, void *opaque, const uint8_t *buf, size_t len);
void chr_write_all(struct chr *c, void *opaque, const uint8_t *buf, size_t len);
/** chr_on_room - call @fn once, when more can be written. */
void chr_on_room(struct chr *c, void *opaque, void (*fn)(void *opaque));
/** chr_take_focus - of a multiplexer's front ends, this one gets the keyboard; else the first to attach has it. */
void chr_take_focus(struct chr *c, void *opaque);
/** chr_take_fd - the connection of a socket back end, plain and up, is the caller's to read and write from now on, and nobody else can attach: its
 * descriptor, to be closed.  -EINVAL, -ENOTCONN, -EBUSY with a message. */
int chr_take_fd(struct chr *c, struct err *e);
/** chr_wake - the front end has room again. */
void chr_wake(struct chr *c, void *opaque);
bool chr_connected(const struct chr *c);
/** chr_send_break - the front end's output line. */
void chr_send_break(struct chr *c);
/** chr_hear_break - as if the other end had sent a break: the front end hears it. */
void chr_hear_break(struct chr *c);

/** chr_ringbuf_read - at most @len of the oldest bytes; chr_ringbuf_write - the newest; -EINVAL when @c is no ringbuf. */
int chr_ringbuf_read(struct chr *c, uint8_t *buf, size_t len, struct err *e);
int chr_ringbuf_write(struct chr *c, const uint8_t *buf, size_t len, struct err *e);

/* Tests: a back end that keeps what is written, and says what it is told. */
struct chr *chr_memory(void);
const uint8_t *chr_memory_output(struct chr *c, size_t *len);
void chr_memory_input(struct chr *c, const void *buf, size_t len);

#endif
