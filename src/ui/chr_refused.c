/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character back ends that people may ask for and that are not there: each says why. */
#include "ui/chr_priv.h"

const struct chr_type chr_braille = {
    .name = "braille",
    .refusal = "it drives a braille terminal through BrlAPI, which is not built in"};
const struct chr_type chr_msmouse = {
    .name = "msmouse",
    .refusal = "it is a mouse on a serial line, and there is no pointer without a display"};
const struct chr_type chr_qemu_vdagent = {
    .name = "qemu-vdagent", .refusal = "it shares the clipboard of a display, and there is none"};
const struct chr_type chr_spiceport = {.name = "spiceport", .refusal = "SPICE is not built in"};
const struct chr_type chr_spicevmc = {.name = "spicevmc", .refusal = "SPICE is not built in"};
const struct chr_type chr_wctablet = {
    .name = "wctablet",
    .refusal = "it is a tablet on a serial line, and there is no pointer without a display"};
