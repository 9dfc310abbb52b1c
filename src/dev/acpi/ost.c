/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has become of an event (ost.h). */
#include "dev/acpi/ost.h"

#include "bus/machine.h"

#include <json-c/json.h>
#include <stdio.h>

void ost_report(struct machine *m, struct ost *o, uint32_t status, struct dev *d, const char *kind, uint32_t slot)
{
    enum { EJECT_REQUEST = 3, EJECTION = 0x103, IN_PROGRESS = 0x84, SUCCESS = 0 };
    struct json_object *info = json_object_new_object(), *data = json_object_new_object();
    char text[16];

    snprintf(text, sizeof(text), "%u", slot);
    o->status = status;
    if (d && (o->event == EJECT_REQUEST || o->event == EJECTION) && status != SUCCESS && status != IN_PROGRESS)
        d->going = false;
    if (d && d->id)
        json_object_object_add(info, "device", json_object_new_string(d->id));
    json_object_object_add(info, "slot", json_object_new_string(text));
    json_object_object_add(info, "slot-type", json_object_new_string(kind));
    json_object_object_add(info, "source", json_object_new_int64(o->event));
    json_object_object_add(info, "status", json_object_new_int64(status));
    json_object_object_add(data, "info", info);
    machine_event(m, "ACPI_DEVICE_OST", data);
}
