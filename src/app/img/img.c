/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img: finds the command; standard options; help. */
#include "app/img/img.h"

#include "block/driver.h"
#include "schema/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(x) extern const struct img_command img_##x;
#include "app/img/commands.def"
#undef COMMAND

static const struct img_command *const commands[] = {
#define COMMAND(x) &img_##x,
#include "app/img/commands.def"
#undef COMMAND
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static void version(void)
{
    printf("qemu-img version " STORAGE_VERSION " (Emu " STORAGE_VERSION ")\n" STORAGE_COPYRIGHT
           "\n");
}

static const char parameters[] =
    "\nCommand parameters:\n"
    "  'filename' names a disk image: a file, a URL, or json:{...}\n"
    "  'objectdef' defines an object, mostly a 'secret': secret,id=ID,file=PATH\n"
    "  'fmt' is the format of an image; without it the image's first bytes tell\n"
    "  'cache' is how the target is written: 'none' (around the host's cache), 'writeback'\n"
    "    (the default but for convert), 'writethrough', 'directsync' or 'unsafe' (convert's "
    "default)\n"
    "  'src_cache' is the same for images that are only read\n"
    "  'size' is in bytes, or with one of the suffixes k K M G T P E (powers of 1024)\n"
    "  'output_filename' is the image to make, 'output_fmt' its format\n"
    "  'options' is name=value,...; -o help lists those of the format\n"
    "  'snapshot_param' is snapshot.id=ID,snapshot.name=NAME or just an ID or NAME\n"
    "  '-c' compresses the target (qcow2, streamOptimized vmdk)\n"
    "  '-h' prints this text and the formats\n"
    "  '-p' shows progress; without it, SIGUSR1 prints how far the work is\n"
    "  '-q' prints nothing but errors\n"
    "  '-S' shortest run of zeros that becomes a hole (default 4k; 0: all is allocated)\n"
    "  '-u' believes what it is told of backing files: nothing is opened or compared\n"
    "  '-n' writes into a target that exists\n"
    "  '--output' is 'human' or 'json'\n"
    "  '-U' looks at an image even while another program writes to it\n";

void img_help(void)
{
    version();
    printf("usage: qemu-img [standard options] command [command options]\n"
           "Makes, converts, changes and inspects disk images\n\n"
           "    '-h', '--help'       print this text\n"
           "    '-V', '--version'    print the version\n"
           "    '-T', '--trace'      [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
           "                         accepted; there are no trace points\n\n"
           "Command syntax:\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %s %s\n", commands[i]->name, commands[i]->usage);
    fputs(parameters, stdout);
    for (int i = 0; i < COMMANDS; i++)
        if (commands[i]->notes)
            printf("\nParameters to %s subcommand:\n%s", commands[i]->name, commands[i]->notes);
    printf("\nSupported formats:");
    for (const struct blk_driver *const *d = blk_drivers; *d; d++)
        printf(" %s", (*d)->name);
    printf("\n");
}

static int unknown_command(const char *word)
{
    const char *names[COMMANDS + 1] = {NULL};

    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *near = nearest_name(word, names);

    return near ? img_usage("Command not found: %s\nDid you mean '%s'?", word, near)
                : img_usage("Command not found: %s", word);
}

/* -h -V -T before the command; 0: go on, else the exit status plus one. */
static int standard_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"trace", required_argument, NULL, 'T'},
        {NULL, 0, NULL, 0},
    };
    struct img_args none = {0};

    for (;;) {
        switch (img_next(&none, argc, argv, "+:hVT:", longs)) {
        case IMG_END: return 0;
        case IMG_BAD: return 1 + 1;
        case 'V': version(); return 0 + 1;
        }
    }
}

int main_img(int argc, char **argv)
{
    int done;

    img_progress_init();
    if ((done = standard_options(argc, argv)))
        return done - 1;
    argc -= optind;
    argv += optind;
    optind = 0;
    if (!argc)
        return img_usage("Not enough arguments");
    for (int i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i]->name, argv[0])) {
            struct blk_env *env = storage_env();
            int status = commands[i]->run(env, argc, argv);

            blk_env_free(env);
            return fflush(stdout) || ferror(stdout) ? img_error("writing to standard output failed")
                                                    : status;
        }
    }
    return unknown_command(argv[0]);
}
