/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boards: what -machine names.  A board is one file with one function that wires memory, CPUs and devices; the row
 * in boards.def is the whole registration.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "block/drive.h"
#include "bus/machine.h"
#include "cpu/cpu.h"
#include "net/net.h"
#include "ui/chr.h"

struct board;

enum { CONF_SERIALS = 8, CONF_NICS = 16 };

/** struct conf_nic - -nic, -net nic: a card that the board has to find a place for. */
struct conf_nic {
    char *model;     /* NULL: the board's default; owned */
    char *id;        /* or NULL; owned */
    char *addr, *vectors; /* properties of cards that have them; NULL: as the card has it; owned */
    struct net *net; /* NULL: no cable */
    uint8_t mac[6];
    bool used; /* set by the board; what is left is an error or a warning */
};

enum { CONF_NODES = 128, CONF_NUMA_CPUS = 512 };

/** struct conf_numa - -numa.  Complete: each CPU has a node, each two nodes a distance, and all memory is some node's. */
struct conf_numa {
    unsigned n; /* nodes; 0: the machine knows nothing of them */
    bool there[CONF_NODES];
    uint64_t mem[CONF_NODES];          /* bytes, one after the other */
    uint16_t cpu[CONF_NUMA_CPUS];      /* node + 1 */
    uint8_t distance[CONF_NODES][CONF_NODES];
};

/** struct conf - the machine that the user asked for, checked and typed.  Strings are owned, NULL when not given. */
struct conf {
    const struct board *board;
    const char *arch;   /* what qemu-system-ARCH says */
    void *board_props;  /* of board->props, board->props_size bytes */
    char *cpu;          /* model name; NULL: the board's default */
    char *cpu_features; /* what follows: "pmu=off,+sve"; NULL */
    unsigned cpus, max_cpus, sockets, dies, clusters, cores,
        threads;           /* complete: product is max_cpus */
    uint64_t ram, max_ram; /* bytes */
    unsigned ram_slots;
    struct conf_numa numa;
    char *ram_backend; /* -machine memory-backend= */
    char *kernel, *initrd, *append, *dtb, *dumpdtb, *bios;
    char **firmware_dirs;             /* where to look for firmware (-L first); ends with NULL */
    struct chr *serial[CONF_SERIALS]; /* NULL: not connected; borrowed */
    unsigned n_serials;               /* as the user gave; boards make at least their fixed ports */
    struct conf_nic nic[CONF_NICS];
    unsigned n_nics;
    bool default_nic, default_cdrom; /* nobody said otherwise */
    char *name;
    uint8_t uuid[16];
    bool has_uuid, graphics /* not -nographic */, usb;
    const char *vga; /* -vga: "std", "cirrus", "virtio", "none"; NULL: nobody said, and the board has what it has */
    bool vga_used;   /* set by the board: it has what was asked for */
    char *boot_order, *boot_once;
    char *boot_splash;
    long splash_ms, reboot_ms; /* -1: not given */
    bool boot_menu, boot_strict;
    struct engine_conf engine;
    bool take_turns;           /* one vCPU runs at a time */
    struct json_object *smbios, *acpi_tables, *fw_cfg, *option_roms; /* arrays of the options given */
};

enum { BOARD_DONE = 1 };

struct board {
    const char *arch;          /* "aarch64": programs qemu-system-ARCH have it; "x86": x86_64 and i386; NULL: all do */
    const char *name;          /* "virt-7.2" */
    const char *alias;         /* "virt", or NULL */
    const char *help;          /* as -machine help prints it */
    const struct field *props; /* -machine name,prop=value; or NULL */
    size_t props_size;
    const char *default_cpu;
    unsigned max_cpus;
    bool dies, clusters;      /* what -smp may say of its CPUs beside sockets, cores and threads */
    uint64_t default_ram;     /* bytes */
    enum drive_if default_if; /* -drive without if=, -hda, -cdrom */
    unsigned ide_units;       /* disks of one IDE bus; 0: 2 */
    const char *default_nic;  /* model, NULL: none */
    bool is_default;          /* of its arch, without -machine */
    bool deprecated;          /* still there, but whoever asks for it is told to take a newer one */
    /** build - wire everything.  Straight-line: this function is the memory map.
     * 0; BOARD_DONE: all that was asked for is done (dumpdtb), the program ends well; -errno. */
    int (*build)(struct machine *m, struct conf *c, struct err *e);
};

#define BOARD(name) extern const struct board board_##name;
#include "board/boards.def"
#undef BOARD
extern const struct board *const boards[]; /* ends with NULL */

/** board_is_of - has program qemu-system-@arch that board? */
bool board_is_of(const struct board *b, const char *arch);
/** conf_vga - the PCI device that -vga stands for, @def ("std", NULL: none) when nobody said; NULL: none is wanted.  It is noted as used. */
const char *conf_vga(struct conf *c, const char *def);

/** board_find - by name or alias; NULL with "unsupported machine type", and the nearest right word. */
const struct board *board_find(const char *arch, const char *name, struct err *e);

#endif
