/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authorisation objects: one identity, a list of rules, or a file with such a list. */
#include "block/authz.h"
#include "block/driver.h"
#include "block/env_priv.h"
#include "schema/keyval.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_FILE_MAX = 1 << 20 };
enum policy { POLICY_DENY, POLICY_ALLOW };
static const char *const policies[] = {"deny", "allow", NULL};
static const char *const formats[] = {"exact", "glob", NULL};
static const char *const type_names[] = {"authz-simple", "authz-list", "authz-list-file", NULL};

/* struct authz - only what its type takes is set. */
struct authz {
    char *identity;            /* simple */
    struct json_object *rules; /* list */
    int policy;                /* list: of whom no rule matches */
    char *filename;            /* list-file */
    bool refresh;
};

/* struct rule - one element of a list. */
struct rule {
    char *match;
    int policy, format;
};

static const struct field simple_fields[] = {
    FIELD(authz, identity, F_STR, "identity", NULL, "the one who is allowed"),
    FIELD_END,
};

static const struct field list_fields[] = {
    FIELD_ENUM(authz, policy, policies, "policy", "deny", "for those whom no rule matches"),
    FIELD(authz, rules, F_TREE, "rules", NULL, "list of match, policy, format (exact, glob)"),
    FIELD_END,
};

static const struct field list_file_fields[] = {
    FIELD(authz, filename, F_STR, "filename", NULL, "JSON file with rules and policy"),
    FIELD(authz, refresh, F_BOOL, "refresh", "on", "accepted; the file is read for each client"),
    FIELD_END,
};

static const struct field rule_fields[] = {
    FIELD(rule, match, F_STR, "match", NULL, "identity or pattern"),
    FIELD_ENUM(rule, policy, policies, "policy", "deny", "allow or deny"),
    FIELD_ENUM(rule, format, formats, "format", "exact", "how to match"),
    FIELD_END,
};

/* The rule that element @o describes; to free with fields_free. */
static int rule_take(struct json_object *o, struct rule *rule, struct err *e)
{
    struct json_object *copy = NULL;
    int r;

    if (!json_object_is_type(o, json_type_object) || json_object_deep_copy(o, &copy, NULL) < 0)
        return err_set(e, -EINVAL, "a rule is an object with match, policy and format");
    if ((r = fields_take(rule_fields, copy, rule, e)) >= 0 &&
        ((r = fields_refuse_rest(copy, e)) < 0 || !rule->match)) {
        if (r >= 0)
            r = err_set(e, -EINVAL, "Parameter 'match' is missing");
        fields_free(rule_fields, rule);
    }
    json_object_put(copy);
    return r;
}

/* The policy for @identity; -errno when a rule makes no sense.  NULL only checks. */
static int list_policy(struct json_object *rules, int policy, const char *identity, struct err *e)
{
    bool found = false;

    if (rules && !json_object_is_type(rules, json_type_array))
        return err_set(e, -EINVAL, "'rules' is not a list");
    for (size_t i = 0, n = rules ? json_object_array_length(rules) : 0; i < n; i++) {
        struct rule rule;
        int r = rule_take(json_object_array_get_idx(rules, i), &rule, e);

        if (r < 0)
            return r;
        if (identity && !found &&
            (rule.format ? !fnmatch(rule.match, identity, 0) : !strcmp(rule.match, identity))) {
            policy = rule.policy;
            found = true;
        }
        fields_free(rule_fields, &rule);
    }
    return policy;
}

/* The same of a file: {"policy": "deny", "rules": [...]}. */
static int file_policy(const char *path, const char *identity, struct err *e)
{
    FILE *f = fopen(path, "re");
    struct authz list = {.rules = NULL};
    int r;

    if (!f)
        return err_set(e, -errno, "Unable to read '%s': %s", path, strerror(errno));
    char *text = calloc(1, LIST_FILE_MAX + 1);

    if (!text)
        fatal("out of memory");
    r = fread(text, 1, LIST_FILE_MAX, f) == LIST_FILE_MAX
            ? err_set(e, -EFBIG, "'%s' is too long for a list of rules", path)
            : 0;
    fclose(f);
    struct json_object *o = r < 0 ? NULL : json_parse(text, e);

    free(text);
    if (!o)
        return e->code;
    if ((r = fields_take(list_fields, o, &list, e)) >= 0) {
        r = list_policy(list.rules, list.policy, identity, e);
        fields_free(list_fields, &list);
    }
    json_object_put(o);
    return r;
}

static void *authz_make(const struct field *fields, struct json_object *opts, struct err *e)
{
    struct authz *a = calloc(1, sizeof(*a));

    if (!a)
        fatal("out of memory");
    if (fields_take(fields, opts, a, e) < 0) {
        free(a);
        return NULL;
    }
    return a;
}

static void *simple_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct authz *a = authz_make(simple_fields, opts, e);

    (void)env;
    if (a && !a->identity) {
        err_set(e, -EINVAL, "Parameter 'identity' is missing");
        free(a);
        return NULL;
    }
    return a;
}

static void *list_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct authz *a = authz_make(list_fields, opts, e);

    (void)env;
    if (a && list_policy(a->rules, a->policy, NULL, e) < 0) {
        fields_free(list_fields, a);
        free(a);
        return NULL;
    }
    return a;
}

static void *list_file_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct authz *a = authz_make(list_file_fields, opts, e);

    (void)env;
    if (a && (!a->filename ? err_set(e, -EINVAL, "Parameter 'filename' is missing")
                           : file_policy(a->filename, NULL, e)) < 0) {
        fields_free(list_file_fields, a);
        free(a);
        return NULL;
    }
    return a;
}

static void authz_free(void *made)
{
    struct authz *a = made;

    free(a->identity);
    free(a->filename);
    json_object_put(a->rules);
    free(a);
}

const struct authz *authz_find(struct blk_env *env, const char *id, struct err *e)
{
    const struct authz *a = NULL;

    for (const char *const *type = type_names; *type && !a; type++)
        a = blk_env_object(env, id, *type, ERR_IGNORE);
    if (!a)
        err_set(e, -ENOENT, "No authorisation object with id '%s'", id);
    return a;
}

bool authz_allows(const struct authz *a, const char *identity)
{
    if (a->identity)
        return !strcmp(a->identity, identity);
    if (a->filename)
        return file_policy(a->filename, identity, ERR_IGNORE) == POLICY_ALLOW;
    return list_policy(a->rules, a->policy, identity, ERR_IGNORE) == POLICY_ALLOW;
}

#define AUTHZ(x, name_, help_)                                                                     \
    const struct blk_object_type object_authz_##x = {                                              \
        .name = name_, .help = help_, .make = x##_make, .free = authz_free}
AUTHZ(simple, "authz-simple", "one identity that is allowed");
AUTHZ(list, "authz-list", "rules of who is allowed");
AUTHZ(list_file, "authz-list-file", "a file with rules of who is allowed");
