/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schema/field.h"
#include "schema/keyval.h"
#include "tests/test.h"

static void check_parse(const char *text, const char *implied, const char *want)
{
    struct err e = {0};
    struct json_object *o = keyval_parse(text, implied, &e);
    char *got = o ? json_print(o, true) : strdup(e.msg);

    CHECK_STR(got, want);
    free(got);
    json_object_put(o);
}

TEST(keyval, dotted_names_nest)
{
    check_parse("driver=qcow2,file.filename=a,file.driver=file", NULL,
                "{\"driver\": \"qcow2\", \"file\": {\"filename\": \"a\", \"driver\": \"file\"}}");
}

TEST(keyval, two_commas_are_one)
{
    check_parse("filename=a,,b,size=1", NULL, "{\"filename\": \"a,b\", \"size\": \"1\"}");
}

TEST(keyval, first_word_may_lack_its_name)
{
    check_parse("secret,id=s0", "qom-type", "{\"qom-type\": \"secret\", \"id\": \"s0\"}");
    check_parse("readonly", NULL, "{\"readonly\": \"on\"}");
}

TEST(keyval, numbered_names_are_lists)
{
    check_parse("a.0.x=1,a.1.x=2", NULL, "{\"a\": [{\"x\": \"1\"}, {\"x\": \"2\"}]}");
}

TEST(keyval, bad_names_are_refused)
{
    check_parse("=1", NULL, "Expected parameter before '=1'");
    check_parse("a..b=1", NULL, "Invalid parameter '.b'");
}

TEST(json, text_after_the_value_is_refused)
{
    struct err e = {0};

    CHECK(!json_parse("{} x", &e));
    CHECK(!json_parse("{\"a\": ", &e));
    json_object_put(json_parse(" {\"a\": 1} \n", &e));
}

struct sample {
    uint64_t size;
    bool on;
    char *text;
    int mode;
};

static const char *const modes[] = {"off", "full", NULL};
static const struct field sample_fields[] = {
    FIELD(sample, size, F_SIZE, "size", "1k", "a size"),
    FIELD(sample, on, F_BOOL, "deep.on", NULL, "a switch"),
    FIELD(sample, text, F_STR, "text", NULL, "a text"),
    FIELD_ENUM(sample, mode, modes, "mode", "off", "a mode"),
    FIELD_END,
};

TEST(fields, text_and_json_fill_the_same_members)
{
    const char *const forms[] = {"size=2M,deep.on=on,text=x,mode=full,rest=1", NULL};
    struct err e = {0};
    struct sample s;
    struct json_object *o = keyval_parse(forms[0], NULL, &e);

    CHECK_EQ(fields_take(sample_fields, o, &s, &e), 0);
    CHECK_EQ(s.size, 2 << 20);
    CHECK(s.on);
    CHECK_STR(s.text, "x");
    CHECK_EQ(s.mode, 1);
    fields_free(sample_fields, &s);
    CHECK_EQ(fields_refuse_rest(o, &e), -22);
    CHECK_STR(e.msg, "Invalid parameter 'rest'");
    json_object_put(o);
    o = json_parse("{\"size\": 4096, \"deep\": {\"on\": true}}", &e);
    CHECK_EQ(fields_take(sample_fields, o, &s, &e), 0);
    CHECK_EQ(s.size, 4096);
    CHECK(s.on && !s.text && !s.mode);
    CHECK_EQ(json_object_object_length(o), 0);
    json_object_put(o);
}

TEST(fields, a_wrong_word_names_the_nearest)
{
    struct err e = {0};
    struct sample s;
    struct json_object *o = keyval_parse("mode=ful", NULL, &e);

    CHECK(fields_take(sample_fields, o, &s, &e) < 0);
    CHECK_STR(e.msg, "Parameter 'mode' does not accept value 'ful'; did you mean 'full'?");
    json_object_put(o);
}

static const struct test tests[] = {
    CASE(keyval, dotted_names_nest),
    CASE(keyval, two_commas_are_one),
    CASE(keyval, first_word_may_lack_its_name),
    CASE(keyval, numbered_names_are_lists),
    CASE(keyval, bad_names_are_refused),
    CASE(json, text_after_the_value_is_refused),
    CASE(fields, text_and_json_fill_the_same_members),
    CASE(fields, a_wrong_word_names_the_nearest),
};
TEST_MAIN(tests)
