/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img: finds the command. */
#include "app/img/img.h"

#include "schema/field.h"

#include <stdio.h>
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

static int complain(const char *what, const char *word)
{
    const char *names[COMMANDS + 1] = {NULL};

    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *near = word ? nearest_name(word, names) : NULL;

    fprintf(stderr, "qemu-img: %s%s\n", what, word ? word : "");
    if (near)
        fprintf(stderr, "Did you mean '%s'?\n", near);
    fprintf(stderr, "Try 'qemu-img --help' for more information\n");
    return 1;
}

static int help(void)
{
    printf("qemu-img version " STORAGE_VERSION " (Emu)\n" STORAGE_COPYRIGHT "\n"
           "usage: qemu-img [standard options] command [command options]\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %s %s\n", commands[i]->name, commands[i]->usage);
    return 0;
}

int main_img(int argc, char **argv)
{
    if (argc < 2)
        return complain("Not enough arguments", NULL);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return help();
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, argv[1]))
            return commands[i]->run(argc - 1, argv + 1);
    return complain("Command not found: ", argv[1]);
}
