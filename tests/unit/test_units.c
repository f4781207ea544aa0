/* Units of systemd as `ctibus doctor` reads them, and what another user may do with a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "access.h"
#include "base/buf.h"
#include "units.h"
#include "json/json.h"

struct world {
    char root[64];
    struct unit u;
    struct buf text;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    snprintf(w->root, sizeof(w->root), "/tmp/test-units-XXXXXX");
    buf_init(&w->text, 0);
    *state = w;
    return mkdtemp(w->root) ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    int rc;

    snprintf(command, sizeof(command), "rm -r %s", w->root);
    rc = system(command);
    unit_free(&w->u);
    buf_free(&w->text);
    free(w);
    return rc;
}

/* With the folders above it. */
static void file(struct world *w, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", w->root, name);
    for (char *p = path + strlen(w->root) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define STATE "etc/systemd/system/ctibus-state.service"

/* Its variables in the order of their names: NAME=value, blanks as they are. */
static const char *variables(struct world *w)
{
    static const char *const names[] = {"CTIBUS__A", "CTIBUS__B", "CTIBUS__C", "CTIBUS__D",
                                        "CTIBUS__E"};

    buf_reset(&w->text);
    for (size_t i = 0; i < 5; i++) {
        struct json_object *o = json_get(w->u.env, names[i]);
        if (o)
            buf_printf(&w->text, "%c=%.*s;", names[i][8], VIEW_ARG(json_get_view(o, "value")));
    }
    return buf_len(&w->text) ? buf_cstr(&w->text) : "";
}

static void reads(struct world *w, const char *unit)
{
    unit_free(&w->u);
    file(w, STATE, unit);
    assert_true(unit_read(&w->u, w->root, "state", NULL));
}

static void there_is_none(void **state)
{
    struct world *w = *state;

    assert_false(unit_read(&w->u, w->root, "state", NULL));
    assert_false(unit_read(&w->u, w->root, "ami-gw", "xivo"));
    file(w, STATE, ""); /* as one that is masked */
    assert_false(unit_read(&w->u, w->root, "state", NULL));
}

static void assignments(void **state)
{
    static const struct {
        const char *line, *variables;
    } rows[] = {
        {"Environment=CTIBUS__A=1 CTIBUS__B=2", "A=1;B=2;"},
        {"Environment=\"CTIBUS__A=one two\" 'CTIBUS__B=a \"b\"' PATH=/bin", "A=one two;B=a \"b\";"},
        {"Environment=CTIBUS__A=\"one two\" CTIBUS__B=", "A=one two;B=;"},
        {"Environment=CTIBUS__A=a\\\\b CTIBUS__B=\"say \\\"x\\\"\"", "A=a\\b;B=say \"x\";"},
        {"Environment=CTIBUS__A=1 \\\n# a remark\n  CTIBUS__B=2", "A=1;B=2;"},
        {"Environment=CTIBUS__A=1\nEnvironment=\nEnvironment=CTIBUS__B=2", "B=2;"},
        {"Environment=CTIBUS__A=1\nEnvironment=CTIBUS__A=2", "A=2;"},
        {" Environment = CTIBUS__A=1 ", "A=1;"},
        {"#Environment=CTIBUS__A=1\n;Environment=CTIBUS__A=1", ""},
        {"Environment=CTIBUS__A=%%x,%E,%S,%t,%n,%i,%z",
         "A=%x,/etc,/var/lib,/run,ctibus-state.service,,%z;"},
        {"Environment=CTIBUS__A CTIBUS__B=1", "B=1;"},
        {"Environment=\"CTIBUS__A=never closed", "A=never closed;"},
        {"Environment=CTIBUS__A=1\\", "A=1;"},
        {"Environment=CTIBUS__A=%", "A=%;"},
        {"Environment=CTIBUS__A=1\r", "A=1;"},
        {"[Unit]\nEnvironment=CTIBUS__A=1", ""},
    };
    struct world *w = *state;
    char unit[512];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        snprintf(unit, sizeof(unit), "[Unit]\nUser=x\n[Service]\n%s\n", rows[i].line);
        reads(w, unit);
        assert_string_equal(variables(w), rows[i].variables);
        assert_string_equal(w->u.user, "");
    }
}

static void files_of_variables(void **state)
{
    struct world *w = *state;

    file(w, "etc/default/ctibus",
         "# CTIBUS__A=0\n; x\n\nCTIBUS__A = one two  \nCTIBUS__B=\"three \nfour\"\n"
         "CTIBUS__C='a\\b' # no remark\nCTIBUS__D=a\\\nb \\\" $x\nno line\nCTIBUS__E=last");
    file(w, "etc/more-1.env", "CTIBUS__A=from one\n");
    file(w, "etc/more-2.env", "CTIBUS__A=from two\n");
    reads(w, "[Service]\nEnvironmentFile=/etc/default/ctibus\nEnvironment=CTIBUS__A=0\n");
    assert_string_equal(variables(w),
                        "A=one two;B=three \nfour;C=a\\b # no remark;D=ab \" $x;E=last;");
    assert_true(view_eq(json_get_view(json_get(w->u.env, "CTIBUS__A"), "from"),
                        VIEW("/etc/default/ctibus")));
    reads(w, "[Service]\nEnvironmentFile=-/etc/more-*.env\n");
    assert_string_equal(variables(w), "A=from two;");
    reads(w, "[Service]\nEnvironmentFile=/etc/nowhere\nEnvironmentFile=-/etc/nowhere2\n");
    assert_string_equal(json_object_to_json_string_ext(
                            w->u.lost, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                        "[\"/etc/nowhere\"]");
    reads(w, "[Service]\nEnvironmentFile=/etc/nowhere\nEnvironmentFile=\n");
    assert_int_equal(json_object_array_length(w->u.lost), 0);
}

/* In the order of their names, and of one name the one in /etc. */
static void drop_ins(void **state)
{
    struct world *w = *state;

    file(w, "usr/lib/systemd/system/ctibus-state.service.d/50-a.conf",
         "[Service]\nUser=vendor\nEnvironment=CTIBUS__A=vendor\n");
    file(w, "etc/systemd/system/ctibus-state.service.d/50-a.conf",
         "[Service]\nUser=admin\nSupplementaryGroups=x y\n");
    file(w, "etc/systemd/system/ctibus-.service.d/10-all.conf",
         "[Service]\nUser=all\nDynamicUser=yes\nEnvironment=CTIBUS__B=all\n");
    file(w, "etc/systemd/system/ctibus-state.service.d/README", "[Service]\nUser=nobody\n");
    reads(w, "[Service]\nUser=main\nStateDirectory=ctibus ctibus-2\n");
    assert_string_equal(variables(w), "B=all;");
    assert_string_equal(w->u.user, "admin");
    assert_true(w->u.dynamic);
    assert_int_equal(json_object_array_length(w->u.groups), 2);
    assert_int_equal(json_object_array_length(w->u.dirs), 2);
}

static void instances(void **state)
{
    struct world *w = *state;

    file(w, "usr/lib/systemd/system/ctibus-ami-gw@.service",
         "[Service]\nEnvironmentFile=/etc/ctibus/%i.env\nUser=of-all\n");
    file(w, "etc/systemd/system/ctibus-ami-gw@xivo.service.d/user.conf", "[Service]\nUser=own\n");
    file(w, "etc/ctibus/xivo.env", "CTIBUS__A=xivo\n");
    file(w, "etc/ctibus/far.env", "CTIBUS__A=far\n");
    assert_true(unit_read(&w->u, w->root, "ami-gw", "far"));
    assert_string_equal(variables(w), "A=far;");
    assert_string_equal(w->u.user, "of-all");
    unit_free(&w->u);
    assert_true(unit_read(&w->u, w->root, "ami-gw", "xivo"));
    assert_string_equal(variables(w), "A=xivo;");
    assert_string_equal(w->u.user, "own");
    assert_string_equal(w->u.name, "ctibus-ami-gw@xivo.service");
}

/* Only the class that counts for it does: an owner may have less than all others. */
static void modes(void **state)
{
    static const struct {
        bool owns;
        gid_t group;
        mode_t mode;
        int lacks;
    } rows[] = {
        {true, 7, 0600, X_OK},
        {false, 7, 0600, R_OK | W_OK | X_OK},
        {false, 5, 0640, W_OK | X_OK},
        {true, 5, 0040, R_OK | W_OK | X_OK},
        {false, 7, 0644, W_OK | X_OK},
        {false, 5, 0604, R_OK | W_OK | X_OK},
        {true, 7, 0777, 0},
    };
    struct stat st = {.st_uid = 1000, .st_gid = 5};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct account a = {.owns = rows[i].owns, .uid = 1000, .n_groups = 1};
        a.groups[0] = rows[i].group;
        st.st_mode = S_IFREG | rows[i].mode;
        assert_int_equal(account_lacks(&a, &st), rows[i].lacks);
    }
}

/* A folder above decides as well; what is not there is for others to tell. */
static void paths(void **state)
{
    struct account a = {.owns = false};
    struct access_fault fault;
    struct world *w = *state;
    char path[256], folder[256], link[256];

    file(w, "folder/file", "x");
    snprintf(path, sizeof(path), "%s/folder/file", w->root);
    snprintf(folder, sizeof(folder), "%s/folder", w->root);
    snprintf(link, sizeof(link), "%s/link", w->root);
    assert_int_equal(symlink(path, link), 0);
    chmod(w->root, 0755);
    chmod(folder, 0755);
    chmod(path, 0644);
    assert_true(account_may(&a, path, R_OK, &fault));
    assert_true(account_may(&a, link, R_OK, &fault));
    assert_false(account_may(&a, link, R_OK | W_OK, &fault));
    assert_int_equal(fault.lacks, W_OK);
    assert_string_equal(fault.path, path);
    chmod(folder, 0750);
    assert_false(account_may(&a, path, R_OK, &fault));
    assert_string_equal(fault.path, folder);
    assert_int_equal(fault.lacks, X_OK);
    assert_true(account_may(&a, "/nowhere/at/all", R_OK, &fault));
}

static void accounts(void **state)
{
    struct unit u = {.groups = json_object_new_array()};
    struct account a;

    (void)state;
    assert_false(account_of_unit(&a, &u)); /* root */
    snprintf(u.user, sizeof(u.user), "root");
    assert_false(account_of_unit(&a, &u));
    snprintf(u.user, sizeof(u.user), "no-such-user");
    assert_false(account_of_unit(&a, &u));
    snprintf(u.user, sizeof(u.user), "daemon");
    json_object_array_add(u.groups, json_object_new_string("tty"));
    assert_true(account_of_unit(&a, &u));
    assert_true(a.owns && a.uid > 0 && a.n_groups >= 2);
    u.dynamic = true;
    assert_true(account_of_unit(&a, &u));
    assert_false(a.owns);
    assert_int_equal(a.n_groups, 1);
    json_object_array_add(u.groups, json_object_new_string("no-such-group"));
    assert_false(account_of_unit(&a, &u));
    json_object_put(u.groups);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(there_is_none), T(assignments), T(files_of_variables), T(drop_ins), T(instances),
        T(modes),         T(paths),       T(accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
