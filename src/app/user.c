/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emu-user: runs one Linux program of another CPU (qemu-aarch64 and friends). */
#include <stdio.h>

int main(int argc, char **argv)
{
    fprintf(stderr, "%s: not built yet\n", argv[0]);
    return 1;
}
