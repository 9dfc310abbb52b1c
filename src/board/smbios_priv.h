/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS: what is being written (smbios.c), and what the user says of it (smbios_user.c). */
#ifndef BOARD_SMBIOS_PRIV_H
#define BOARD_SMBIOS_PRIV_H

#include "board/aml.h"
#include "board/smbios.h"

enum { SMBIOS_STRINGS = 64, SMBIOS_TYPES = 42, SMBIOS_MANY = 64 };

struct smbios {
    struct bytes all;
    size_t start; /* of the structure being written */
    const char *strings[SMBIOS_STRINGS];
    unsigned n_strings;
    unsigned count[128]; /* of each type: their handles differ */
};

/** struct smbios_words - what -smbios type=N,... says, of any type. */
struct smbios_words {
    char *type, *vendor, *version, *date, *release, *manufacturer, *product, *serial, *uuid, *sku, *family, *asset, *location, *part, *loc_pfx,
        *bank, *sock_pfx, *internal, *external, *designation, *pcidev;
    bool uefi;
    uint64_t max_speed, current_speed, processor_id, speed, connector_type, port_type, instance;
    int kind;
    uint8_t major, minor, uuid_bytes[16]; /* of @release, @uuid */
};

struct smbios_said {
    struct smbios_words of[SMBIOS_TYPES]; /* all options of a type together, a later one over an earlier one */
    struct json_object *merged[SMBIOS_TYPES];
    bool any[SMBIOS_TYPES];
    struct smbios_words connector[SMBIOS_MANY], onboard[SMBIOS_MANY]; /* types 8 and 41: one structure for each option */
    unsigned n_connectors, n_onboard;
    char *oem[SMBIOS_STRINGS]; /* type 11's */
    unsigned n_oem;
};

/** smbios_take - @options, an array; files go into @s as they are.  -errno: "-smbios type=1: ...".  Then, too, smbios_said_free. */
int smbios_take(struct smbios *s, struct smbios_said *u, struct json_object *options, struct err *e);
void smbios_said_free(struct smbios_said *u);

#endif
