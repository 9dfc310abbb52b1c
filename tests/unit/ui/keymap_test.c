/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layouts: which key gives a character, and what is held with it. */
#include "tests/test.h"
#include "ui/keymap.h"

#include <errno.h>

static void gives(const struct keymap *k, uint32_t sym, enum key want, unsigned want_level)
{
    unsigned level;

    CHECK_EQ(keymap_find(k, sym, &level), want);
    CHECK_EQ(level, want_level);
}

static struct keymap *read_text(const char *text, const char *variant)
{
    return keymap_read(text, strlen(text), variant);
}

TEST(keymap, symbols_are_read)
{
    struct keymap *k = read_text("default partial // comment {\nxkb_symbols \"basic\" { include \"latin\" name[Group1]=\"X\";\n"
                                 "key <AD01> { [ a, A, at ] }; key <AE11> { type[Group1]=\"FOUR\", symbols[Group1]=\n [ssharp, 0x3f, U20AC] };\n"
                                 "key <LSGT> { [ NoSymbol, greater ], [ x ] }; };\nxkb_symbols \"other\" { key <AD01> { [ q ] }; };", NULL);

    if (!CHECK(k))
        return;
    gives(k, 'a', KEY_Q, 0);
    gives(k, 'A', KEY_Q, KEYMAP_SHIFT);
    gives(k, '@', KEY_Q, KEYMAP_ALTGR);
    gives(k, 0xdf, KEY_MINUS, 0);
    gives(k, '?', KEY_MINUS, KEYMAP_SHIFT);
    gives(k, 0x10020ac, KEY_MINUS, KEYMAP_ALTGR);
    gives(k, '>', KEY_LESS, KEYMAP_SHIFT);
    gives(k, 'x', KEY_UNKNOWN, 0);
    gives(k, 0, KEY_UNKNOWN, 0);
    keymap_free(k);
    k = read_text("xkb_symbols \"a\" { key <AB01> { [ z ] }; }; xkb_symbols \"b\" { key <AB01> { [ y ] }; };", "b");
    gives(k, 'y', KEY_Z, 0);
    keymap_free(k);
    CHECK(!read_text("key <AB01> { [ z ] };", NULL));
    CHECK(!read_text("xkb_symbols \"a\" { };", "b"));
}

TEST(keymap, layouts_of_the_system)
{
    struct err e = {0};
    struct keymap *k;

    if (access("/usr/share/X11/xkb/symbols/de", R_OK) != 0)
        SKIP("xkb-data is not installed");
    k = keymap_load("de", &e);
    gives(k, 'y', KEY_Z, 0);
    gives(k, 'Z', KEY_Y, KEYMAP_SHIFT);
    gives(k, '/', KEY_7, KEYMAP_SHIFT);
    gives(k, '@', KEY_Q, KEYMAP_ALTGR);
    gives(k, '{', KEY_7, KEYMAP_ALTGR);
    gives(k, 0xf6, KEY_SEMICOLON, 0);
    gives(k, '|', KEY_LESS, KEYMAP_ALTGR);
    gives(k, '^', KEY_GRAVE_ACCENT, 0); /* dead: there is no other */
    gives(k, '`', KEY_EQUAL, KEYMAP_SHIFT);
    keymap_free(k);
    k = keymap_load("fr", &e);
    gives(k, 'a', KEY_Q, 0);
    gives(k, '1', KEY_1, KEYMAP_SHIFT);
    gives(k, 0xe9, KEY_2, 0);
    gives(k, '<', KEY_LESS, 0); /* of all keyboards */
    keymap_free(k);
    k = keymap_load("tr", &e);
    gives(k, 'i', KEY_APOSTROPHE, 0); /* its key says which type it has */
    gives(k, 'I', KEY_I, KEYMAP_SHIFT);
    keymap_free(k);
    k = keymap_load("ja", &e);
    gives(k, '\\', KEY_RO, 0);
    gives(k, '_', KEY_RO, KEYMAP_SHIFT);
    gives(k, '|', KEY_YEN, KEYMAP_SHIFT);
    keymap_free(k);
    k = keymap_load("en-us", &e);
    gives(k, '"', KEY_APOSTROPHE, KEYMAP_SHIFT);
    keymap_free(k);
    CHECK(!keymap_load("nix", &e));
    CHECK_STR(e.msg, "could not read keymap file: 'nix'");
    CHECK(!keymap_load("../../../../etc/passwd", &e));
}

/* All names that -k is known to take. */
TEST(keymap, all_names)
{
    static const char *const names[] = {"ar", "bepo", "cz", "da", "de", "de-ch", "en-gb", "en-us", "es", "et", "fi", "fo",
                                        "fr", "fr-be", "fr-ca", "fr-ch", "hr", "hu", "is", "it", "ja", "lt", "lv", "mk",
                                        "nl", "no", "pl", "pt", "pt-br", "ru", "sl", "sv", "th", "tr"};

    if (access("/usr/share/X11/xkb/symbols/de", R_OK) != 0)
        SKIP("xkb-data is not installed");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct err e = {0};
        struct keymap *k = keymap_load(names[i], &e);

        CHECK_STR(e.msg, "");
        if (CHECK(k))
            CHECK(keymap_find(k, '(', &(unsigned){0}));
        keymap_free(k);
    }
}

static const struct test tests[] = {
    CASE(keymap, symbols_are_read),
    CASE(keymap, layouts_of_the_system),
    CASE(keymap, all_names),
};
TEST_MAIN(tests)
