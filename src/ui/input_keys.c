/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys by name and number, and the bytes that keyboards send for them: keys.def and its exceptions. */
#include "ui/input.h"

#include <string.h>

static const struct key_row {
    const char *name;
    uint16_t evdev, set1, set2, set3;
    uint32_t keysym;
} keys[KEY_NUM] = {
#define KEY(id, qcode, evdev, set1, set2, set3, keysym) [KEY_##id] = { qcode, evdev, set1, set2, set3, keysym },
#include "ui/keys.def"
#undef KEY
};

static const struct key_row *row(enum key k)
{
    return (unsigned)k < KEY_NUM ? &keys[k] : &keys[KEY_UNKNOWN];
}

const char *key_name(enum key k)
{
    return row(k)->name;
}

unsigned key_evdev(enum key k)
{
    return row(k)->evdev;
}

enum key key_by_name(const char *name, size_t len)
{
    for (unsigned k = 1; k < KEY_NUM; k++)
        if (strlen(keys[k].name) == len && !memcmp(keys[k].name, name, len))
            return (enum key)k;
    return KEY_UNKNOWN;
}

/* The star and Print are in the list twice: the names that people use come later. */
enum key key_by_evdev(unsigned code)
{
    for (unsigned k = KEY_NUM; code && k-- > 1;)
        if (keys[k].evdev == code)
            return (enum key)k;
    return KEY_UNKNOWN;
}

enum key key_by_set1(unsigned code)
{
    if (code < 0x100 && code & 0x80)
        code = 0xe000 | (code & 0x7f);
    if (code == 0xe046) /* what Pause sends with Ctrl */
        return KEY_PAUSE;
    for (unsigned k = KEY_NUM; code && k-- > 1;)
        if (keys[k].set1 == code)
            return (enum key)k;
    return KEY_UNKNOWN;
}

/* The shifted characters of the keys that are no letters. */
static uint32_t unshifted(uint32_t sym)
{
    static const char upper[] = "~!@#$%^&*()_+{}|:\"<>?", lower[] = "`1234567890-=[]\\;',./";
    const char *at = sym > 0x20 && sym < 0x7f ? strchr(upper, (int)sym) : NULL;

    if (sym >= 'A' && sym <= 'Z')
        return sym - 'A' + 'a';
    return at ? (uint32_t)lower[at - upper] : 0;
}

/* Keysyms that a US keyboard has no key of its own for. */
static enum key other_keysym(uint32_t sym)
{
    static const struct { uint32_t sym; enum key k; } others[] = {
        { 0xfe03, KEY_ALT_R },   { 0xff7e, KEY_ALT_R },   { 0xffe7, KEY_META_L },   { 0xffe8, KEY_META_R },
        { 0xfe20, KEY_TAB },     { 0xff6b, KEY_PAUSE },   { 0xff95, KEY_KP_7 },     { 0xff96, KEY_KP_4 },
        { 0xff97, KEY_KP_8 },    { 0xff98, KEY_KP_6 },    { 0xff99, KEY_KP_2 },     { 0xff9a, KEY_KP_9 },
        { 0xff9b, KEY_KP_3 },    { 0xff9c, KEY_KP_1 },    { 0xff9d, KEY_KP_5 },     { 0xff9e, KEY_KP_0 },
        { 0xff9f, KEY_KP_DECIMAL }, { 0xff20, KEY_COMPOSE }, { 0xff62, KEY_SYSRQ },
    };

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].sym == sym)
            return others[i].k;
    return KEY_UNKNOWN;
}

static enum key plain_keysym(uint32_t sym)
{
    for (unsigned k = KEY_NUM; sym && k-- > 1;)
        if (keys[k].keysym == sym)
            return (enum key)k;
    return other_keysym(sym);
}

enum key key_by_keysym(uint32_t sym, bool *shift)
{
    uint32_t base = unshifted(sym);

    *shift = base != 0;
    return plain_keysym(base ? base : sym);
}

/* --- Scan codes --- */

static unsigned put(uint8_t *out, const char *bytes, unsigned n)
{
    memcpy(out, bytes, n);
    return n;
}

/* Pause has no release: it sends both at once; with Ctrl it is Break. */
static unsigned scan_pause(unsigned set, bool down, bool ctrl, uint8_t *out)
{
    if (!down)
        return 0;
    if (set == 1)
        return ctrl ? put(out, "\xe0\x46\xe0\xc6", 4) : put(out, "\xe1\x1d\x45\xe1\x9d\xc5", 6);
    return ctrl ? put(out, "\xe0\x7e\xe0\xf0\x7e", 5) : put(out, "\xe1\x14\x77\xe1\xf0\x14\xf0\x77", 8);
}

/* Print stands between shifts of its own, and is SysRq with Alt. */
static unsigned scan_print(unsigned set, bool down, bool ctrl, bool alt, uint8_t *out)
{
    if (alt)
        return key_scan(set, KEY_SYSRQ, down, false, false, out);
    if (set == 1 && ctrl)
        return down ? put(out, "\xe0\x37", 2) : put(out, "\xe0\xb7", 2);
    if (set == 1)
        return down ? put(out, "\xe0\x2a\xe0\x37", 4) : put(out, "\xe0\xb7\xe0\xaa", 4);
    if (ctrl)
        return down ? put(out, "\xe0\x7c", 2) : put(out, "\xe0\xf0\x7c", 3);
    return down ? put(out, "\xe0\x12\xe0\x7c", 4) : put(out, "\xe0\xf0\x7c\xe0\xf0\x12", 6);
}

unsigned key_scan(unsigned set, enum key k, bool down, bool ctrl, bool alt, uint8_t out[KEY_SCAN_MAX])
{
    const struct key_row *r = row(k);
    unsigned code = set == 1 ? r->set1 : set == 2 ? r->set2 : r->set3, n = 0;

    if (!code)
        return 0;
    if (k == KEY_PAUSE && set != 3)
        return scan_pause(set, down, ctrl, out);
    if (k == KEY_PRINT && set != 3)
        return scan_print(set, down, ctrl, alt, out);
    if (code >> 8)
        out[n++] = (uint8_t)(code >> 8);
    if (!down && set != 1)
        out[n++] = 0xf0;
    out[n++] = (uint8_t)(!down && set == 1 ? code | 0x80 : code);
    return n;
}
