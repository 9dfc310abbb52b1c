/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands of the monitor are made of. */
#ifndef MON_MON_PRIV_H
#define MON_MON_PRIV_H

#include "base/err.h"
#include "cpu/vcpu.h"
#include "mon/line.h"
#include "mon/mon.h"

struct mon {
    const struct mon_env *env;
    struct chr *chr; /* NULL: output goes to @put */
    void (*put)(void *to, const char *text);
    void *to;
    struct line line;
    unsigned cpu;  /* index of the one that `cpu` chose */
    bool greeted, shared;
};

/** struct mon_command - a command, or what `info` shows.  @run: @args is what follows the name, without blanks around; a
 * message in @e is printed as "Error: ..." (code -EINVAL: as it is, with a hint to help). */
struct mon_command {
    const char *name, *alias; /* alias NULL: none */
    const char *args;         /* as help prints it: "[-f] device"; "" */
    const char *help;
    int (*run)(struct mon *m, const char *args, struct err *e);
    /** complete - words that may stand where the @n-th word (from 0) is being typed; calls @word for each.  May be NULL. */
    void (*complete)(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                     void *opaque);
};

#define COMMAND(name) extern const struct mon_command cmd_##name;
#define INFO(name)    extern const struct mon_command info_##name;
#include "mon/commands.def"
#undef COMMAND
#undef INFO
extern const struct mon_command *const mon_commands[]; /* end with NULL */
extern const struct mon_command *const mon_infos[];

void mon_printf(struct mon *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mon_puts(struct mon *m, const char *text);
/** mon_line - a function for those who print line by line; opaque is the monitor. */
void mon_line(void *opaque, const char *text);
/** mon_run - one command line. */
void mon_run(struct mon *m, const char *text);

/* Arguments.  mon_word - the next blank-separated word of *@args ("quotes" hold it together) into @buf; false: there is none.
 * mon_option - is "-@letter" next?  Then it is taken. */
bool mon_word(const char **args, char *buf, size_t len);
bool mon_option(const char **args, char letter);
/** mon_end - -EINVAL when something is left. */
int mon_end(const char *args, struct err *e);
/** mon_expr - numbers, + - * / % & | ^ ~ ( ), $registers; up to a blank outside parentheses or a comma; moves *@args. */
int mon_expr(struct mon *m, const char **args, uint64_t *v, struct err *e);
/** mon_device - a device, by its id; -ENOENT "Device 'x' not found". */
struct dev *mon_device(struct mon *m, const char *id, struct err *e);
/** mon_drive - a drive by its id, or by that of the device that has it. */
struct drive *mon_drive(struct mon *m, const char *id, struct err *e);
struct vcpu *mon_vcpu(struct mon *m, struct err *e); /* the chosen one, or -ENODEV */
/** mon_register - a CPU's register by name ("x0", "pc"), on the CPU's thread or while it stands. */
bool mon_register(struct cpu *cpu, const char *name, uint64_t *v);

/* Words for completion. */
void complete_devices(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                      void *opaque);
void complete_drives(struct mon *m, unsigned n, void (*word)(void *opaque, const char *text),
                     void *opaque);

#endif
