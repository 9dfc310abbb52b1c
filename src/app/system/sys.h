/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of emu-system share: the command line as it was typed (struct cli), and all that is made of it
 * (struct sys), in the order in which it is made.
 */
#ifndef APP_SYSTEM_SYS_H
#define APP_SYSTEM_SYS_H

#include "app/system/rights.h"
#include "base/loop.h"
#include "block/env.h"
#include "board/board.h"
#include "bus/machine.h"
#include "mon/mon.h"

#include <json-c/json.h>

/** struct group - what options of one name take: "-device DRIVER,prop=value" or its JSON. */
struct group {
    const char *name;       /* as in configuration files: "smp-opts" */
    const char *implied;    /* key of a first word without "=", or NULL */
    const char *const *keys; /* what may be said; ends with NULL.  NULL: whoever uses it checks */
    bool merge;             /* said twice it is one, the later counts */
    bool json;              /* "{...}" is understood, too */
    bool plain;             /* the whole text is the value of @implied */
    struct json_object *(*parse)(const char *text, struct err *e); /* NULL: "key=value,..." */
};

/** struct entry - one option as given, in a list in the order of the command line. */
struct entry {
    const struct group *group;
    const char *option; /* "-hda": as it was typed */
    char *text;         /* its value, owned */
    struct json_object *opts; /* owned */
    struct entry *next;
};

struct cli {
    const char *program; /* without folders */
    struct entry *entries;
    /* Options that are words or switches. */
    const char *pidfile, *log_file, *log_items, *gdb, *writeconfig, *vga, *keymap, *fw_dir[8], *mem_path;
    unsigned n_fw_dirs;
    struct rights rights;
    bool stopped, daemonize, nographic, nodefaults, snapshot,
        singlestep, mem_prealloc;
    unsigned char escape; /* in the place of Ctrl-A; 0: that */
    unsigned n_ranges;    /* -dfilter */
    struct {
        uint64_t start, end;
    } range[16];
    bool done; /* an option has said all that was asked for: end with status 0 */
};

extern const struct group group_machine, group_accel, group_cpu, group_smp, group_memory,
    group_device, group_drive, group_blockdev, group_object, group_netdev, group_nic, group_net,
    group_chardev, group_tpmdev, group_numa, group_serial, group_parallel, group_debugcon, group_monitor, group_mon, group_global, group_boot,
    group_overcommit, group_option_rom, group_name, group_uuid, group_rtc, group_action, group_fsdev, group_virtfs, group_smbios,
    group_acpi, group_fw_cfg, group_display, group_vnc, group_trace, group_kernel, group_initrd, group_append,
    group_dtb, group_bios;
extern const struct group *const groups[]; /* ends with NULL */

/** options_parse - argv into @c; -EINVAL "-foo: invalid option; did you mean '-boot'?". */
int options_parse(struct cli *c, int argc, char **argv, struct err *e);
void options_help(const char *program);
/** cli_add - one more entry; the text is copied. */
int cli_add(struct cli *c, const struct group *g, const char *option, const char *text,
            struct err *e);
struct entry *cli_first(const struct cli *c, const struct group *g);
struct entry *entry_next(const struct entry *x); /* of the same group */
/** cli_text - a key of the (only) entry of a group that merges, or a plain one's last; NULL: not said. */
const char *cli_text(const struct cli *c, const struct group *g, const char *key);
/** entry_fail - "-device x: " in front of the message; returns e->code. */
int entry_fail(const struct entry *x, struct err *e);
void cli_free(struct cli *c);
/** config_read, config_write - -readconfig, -writeconfig: [group "id"] and key = "value" lines. */
int config_read(struct cli *c, const char *path, struct err *e);
int config_write(const struct cli *c, const char *path, struct err *e);

/* What the guest's events lead to: -action, -no-reboot, -no-shutdown. */
struct actions {
    bool reboot_shuts_down, shutdown_pauses, panic_exits, panic_pauses, panic_none;
    int watchdog; /* enum watchdog_action */
};

struct named { /* a back end that the program made, to be closed in reverse order */
    void *p;
    char *id;
    struct named *next;
};

enum { SYS_PARALLELS = 3 };

struct sys {
    struct cli cli;
    const char *arch;
    struct loop *loop;
    struct machine *m;
    struct blk_env *blk;
    struct conf conf;
    struct actions actions;
    struct chr_env chr_env;
    struct net_env net_env;
    struct mon_env mon_env;
    struct named *vncs, *chrs, *nets, *drives, *mons, *rngs, *iothreads, *tpms; /* the latest first */
    struct vnc_env *vnc_env;
    struct engine_log log;
    struct gdbserver *gdb; /* or NULL */
    struct chr *parallel[SYS_PARALLELS], *debugcon; /* -parallel, -debugcon; NULL: none, or connected to nothing */
    unsigned n_parallels, board_devs; /* how many devices the board has made */
    bool unseen;   /* the serial port is on a display, which is not there */
    int daemon_fd; /* who waits for us to be ready, or -1 */
    int exit_status;
    const char *pidfile_made;
};

/* Each returns 0, or -errno with a message that begins with the option. */
int conf_fill(struct sys *s, struct err *e);      /* -machine, -cpu, -smp, -m, ... */
int objects_make(struct sys *s, struct err *e);   /* -object */
int memory_take(struct sys *s, struct err *e);    /* -mem-path, -mem-prealloc; the back end that is asked for fits */
int memory_lock(struct sys *s, struct err *e);    /* -overcommit */
int chars_open(struct sys *s, struct err *e);     /* -chardev, -serial, -monitor */
int nets_open(struct sys *s, struct err *e);      /* -netdev, -nic, -net */
int drives_open(struct sys *s, struct err *e);    /* -blockdev, -drive, -hda ... */
int drive_add(struct sys *s, const char *text, struct err *e); /* one more, while the machine runs */
/** drive_del - -EBUSY when a device has it, -ENOENT; chardev_add, chardev_del - the same for -chardev. */
int drive_del(struct sys *s, const char *id, struct err *e);
int chardev_add(struct sys *s, const char *text, struct err *e);
int chardev_del(struct sys *s, const char *id, struct err *e);
int devices_make(struct sys *s, struct err *e);   /* -device, and drives with if=virtio */
int monitors_make(struct sys *s, struct err *e);
int machine_gdb_start(struct sys *s, struct err *e); /* -gdb */
int machine_gdb_listen(void *sys, const char *dev, struct err *e);
int logs_open(struct sys *s, struct err *e);      /* -D, -d, -trace */
void begin_disas(void);                          /* assembly in logs and monitors */
/** logs_items, logs_file, logs_help - -d, -D and -d help of a running machine. */
int logs_items(struct sys *s, const char *list, struct err *e);
int logs_file(struct sys *s, const char *path, struct err *e);
void logs_help(void (*put)(void *to, const char *text), void *to);
int tpms_open(struct sys *s, struct err *e);      /* -tpmdev, after chars_open */
void tpms_close(struct sys *s);                  /* after machine_free */
int fsdevs_make(struct sys *s, struct err *e);    /* -fsdev, -virtfs */
void chars_close(struct sys *s);
void nets_close(struct sys *s);
/** net_add, net_del - netdev_add and netdev_del; @opts stay the caller's. */
int net_add(struct sys *s, struct json_object *opts, struct err *e);
int net_del(struct sys *s, const char *id, struct err *e);
void drives_close(struct sys *s);
void monitors_close(struct sys *s);
int displays_open(struct sys *s, struct err *e); /* -display, -vnc: after the devices */
void displays_close(struct sys *s);

void objects_close(struct sys *s);
void machine_gdb_end(struct sys *s);
void conf_free(struct sys *s);
extern const struct net_lines net_lines_chr; /* netlines.c; its opaque is a struct sys */

/* Lists on standard output: true when the option asked for one. */
bool firmware_list(const struct cli *c); /* -L help: where firmware is looked for, on standard output */
bool lists_print(struct sys *s, struct err *e);
void list_fields(const char *name, const struct field *table);

/** sys_run - the main loop, from the first reset to the end; the exit status. */
int sys_run(struct sys *s);
/* -daemonize: the first process waits in daemon_wait until daemon_ready, and ends with its status. */
int daemon_begin(struct sys *s, struct err *e);
void daemon_ready(struct sys *s);
int pidfile_make(struct sys *s, struct err *e);

void named_add(struct named **list, const char *id, void *p);
/** id_check - letters, digits, '-', '.', '_', starting with a letter. */
int id_check(const char *id, struct err *e);
void sys_warn(struct sys *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define SYSTEM_VERSION "7.2.22"
#define SYSTEM_COPYRIGHT "Copyright (c) 2026 the Emu developers"

#endif
