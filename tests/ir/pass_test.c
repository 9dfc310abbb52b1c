/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passes on text: each tests/ir/pass_NAME.txt holds cases of input and expected output.
 *
 *     ## what the case shows
 *     region ...
 *     =>
 *     region ...
 *
 * The pass of the file's name runs, then dead_code, so that leftovers do not show.
 */
#include "tests/ir/rig.h"
#include "tests/test.h"

enum { MAX_TEXT = 1 << 16 };

static bool valid(struct ir *ir, const char *when, const char *title)
{
    struct err e = {0};

    if (ir_verify(ir, &e) == 0)
        return true;
    printf("%s, %s: %s\n", title, when, e.msg);
    ir_print(ir, stdout);
    return CHECK(false);
}

static bool parse(struct ir *ir, const char *text, const char *title)
{
    struct err e = {0};

    if (ir_parse(ir, text, &e) == 0)
        return true;
    printf("%s: %s\n", title, e.msg);
    return CHECK(false);
}

static void run_case(void (*pass)(struct ir *), const char *title, const char *input,
                     const char *want)
{
    struct ir *ir = rig_new(), *expected = rig_new();
    char *got_text, *want_text;

    if (!parse(ir, input, title) || !parse(expected, want, title))
        return;
    if (!valid(ir, "input", title))
        return;
    pass(ir);
    pass_dead_code(ir);
    valid(ir, "output", title);
    got_text = rig_text(ir);
    want_text = rig_text(expected);
    if (strcmp(got_text, want_text) != 0)
        printf("%s, got:\n%s", title, got_text);
    CHECK_STR(got_text, want_text);
    free(got_text);
    free(want_text);
    ir_free(ir);
    ir_free(expected);
}

/* Cuts the file at its "## " and "=>" lines. */
static void run_file(const char *name, void (*pass)(struct ir *))
{
    static char text[MAX_TEXT];
    FILE *f = fopen(name, "r");
    char *p, *next;

    if (!CHECK(f))
        return;
    text[fread(text, 1, sizeof(text) - 1, f)] = 0;
    fclose(f);
    for (p = strstr(text, "## "); p; p = next) {
        char *title = p + 3, *input = strchr(p, '\n') + 1, *want;

        next = strstr(input, "\n## ");
        if (next)
            *next++ = 0;
        want = strstr(input, "\n=>\n");
        input[-1] = 0;
        if (!CHECK(want))
            return;
        *want = 0;
        run_case(pass, title, input, want + 4);
    }
}

#define PASS(name, effort, doc)                                                                    \
    TEST(pass, name)                                                                               \
    {                                                                                              \
        run_file("tests/ir/pass_" #name ".txt", pass_##name);                                      \
    }
#include "ir/passes.def"
#undef PASS

TEST(text, what_is_printed_can_be_parsed)
{
    static const char text[] = "region\n"
                               "b0: pc=0x1000 heat=7\n"
                               "  %1 = get i64 x0\n"
                               "  %2 = load i64 %1, s32.acq {0x1000: }\n"
                               "  %3 = cas i64 %1, %2, %1, u64.acq_rel {0x1004: x1=%2}\n"
                               "  store %1, %3, u16.be {0x1008: x1=%2}\n"
                               "  %5 = vconst v128 0x1 0x2\n"
                               "  %6 = vadd v128.s %5, %5\n"
                               "  %7 = vext v128 %5, %6, #3\n"
                               "  %8 = call i64 plain %1\n"
                               "  %9 = call i64 full %1, %2 {0x100c: x1=%2, q0=%7}\n"
                               "  fence #3 {clean: 0x1010: }\n"
                               "  %11 = ult i1 %8, %9\n"
                               "  br %11, b1, b2\n"
                               "  end {clean: x2=%9}\n"
                               "b1: pc=0x1014\n"
                               "  exit 0x2000 call 0x1018 {0x2000: }\n"
                               "b2: pc=0x3000 exit pred=b0\n"
                               "  exit_ind %9 call 0x3004 land 2 {clean: 0x3000: x2=%9}\n";
    char *again;
    struct ir *ir = rig_new();

    if (!parse(ir, text, "text"))
        return;
    valid(ir, "parsed", "text");
    again = rig_text(ir);
    CHECK_STR(again, text);
    free(again);
    ir_free(ir);
}

static const struct test tests[] = {
    CASE(text, what_is_printed_can_be_parsed),
#define PASS(name, effort, doc) CASE(pass, name),
#include "ir/passes.def"
#undef PASS
};
TEST_MAIN(tests)
