/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS headers, looked at without a key; what lies behind the input is zeros, as long as it must be. */
#include "base/bytes.h"
#include "block/crypt.h"

#include <json-c/json.h>
#include <stdlib.h>

enum { VOLUME = 4 << 20 };

int fuzz_one(const uint8_t *data, size_t len);

struct input {
    const uint8_t *data;
    size_t len;
};

static int read_input(void *opaque, uint64_t off, void *buf, size_t len, struct err *e)
{
    const struct input *in = opaque;

    (void)e;
    if (off > VOLUME || len > VOLUME - off)
        abort();
    memset(buf, 0, len);
    if (off < in->len)
        memcpy(buf, in->data + off, min_u64(len, in->len - off));
    return 0;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct input in = {data, len};
    struct crypt_header header = {.read = read_input, .opaque = &in, .len = VOLUME};
    struct crypt *c;
    struct json_object *o;

    if (crypt_open(NULL, "luks", NULL, "", true, &header, &c, ERR_IGNORE) < 0)
        return 0;
    o = crypt_info(c);
    if (json_object_array_length(json_object_object_get(o, "slots")) != 8 ||
        !crypt_payload(c) || crypt_payload(c) % 512)
        abort();
    json_object_put(o);
    crypt_free(c);
    return 0;
}
