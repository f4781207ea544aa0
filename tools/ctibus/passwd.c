/* ctibus passwd: logins and passwords in the CSV file of the people. */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asterisk.h"
#include "base/array.h"
#include "csv/csv.h"
#include "csv/staff.h"
#include "json/json.h"

#define MAX_PASSWORD 256

struct passwd {
    struct tool *t;
    const char *login, *number, *profile;
    bool clear; /* the password itself is kept, for clients of XiVO */
    bool input; /* from standard input */
    char *path; /* as people know it */
    char *real; /* what it is a link to, or the same; NULL: it is not there yet */
    char password[MAX_PASSWORD];
    struct buf out;
    struct json_object *titles; /* array of the columns, those that were missing behind */
    char delimiter;
    const char *line_end;
};

/* ---- the password ---- */

static bool read_password(struct passwd *p)
{
    char again[MAX_PASSWORD];

    if (p->input || !isatty(STDIN_FILENO)) {
        if (!fgets(p->password, sizeof(p->password), stdin))
            p->password[0] = '\0';
        if (strlen(p->password) == sizeof(p->password) - 1)
            p->password[0] = '\0'; /* it goes on behind that */
        p->password[strcspn(p->password, "\r\n")] = '\0';
    } else {
        tool_prompt("password", NULL, true, p->password, sizeof(p->password));
        tool_prompt("once more", NULL, true, again, sizeof(again));
        if (strcmp(p->password, again) != 0) {
            tool_fail(p->t, "the two are not the same");
            return false;
        }
    }
    if (!*p->password)
        tool_fail(p->t, "the password is empty, or longer than 254 bytes");
    else if (strcmp(p->password, p->login) == 0)
        tool_fail(p->t, "the password is the login");
    else
        return true;
    return false;
}

/* Yescrypt where libcrypt has it. NULL: it cannot be made. */
static const char *hash(const char *password, struct crypt_data *scratch)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *made;

    if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) &&
        !crypt_gensalt_rn("$6$", 0, NULL, 0, setting, sizeof(setting)))
        return NULL;
    made = crypt_r(password, setting, scratch);
    return made && *made != '*' ? made : NULL;
}

/* ---- the file ---- */

/* The first csv: of a list of users. */
static char *find_file(struct tool *t, const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");

    if (!ipbxes)
        return NULL;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        struct json_object *urls = json_get(json_get_object(ipbx, "urllists"), "urllist_users");
        size_t n = json_object_is_type(urls, json_type_array) ? json_object_array_length(urls) : 0;
        (void)name;
        for (size_t i = 0; i < n; i++) {
            struct view uri = json_view(json_object_array_get_idx(urls, i));
            if (view_starts(uri, VIEW("csv:")))
                return config_path(cfg, view_of(uri.ptr + 4, uri.len - 4));
        }
    }
    tool_fail(t,
              "%s: no urllist_users has a csv: file: add \"csv:people.csv\" to it, behind the "
              "lists that it has",
              t->config);
    return NULL;
}

static int title_at(const struct passwd *p, const char *title)
{
    for (size_t i = 0; i < json_object_array_length(p->titles); i++)
        if (view_ieq(view_trim(json_view(json_object_array_get_idx(p->titles, i))),
                     view_cstr(title)))
            return (int)i;
    return -1;
}

static void need_title(struct passwd *p, const char *title)
{
    if (title_at(p, title) < 0)
        json_object_array_add(p->titles, json_object_new_string(title));
}

static struct view field(const struct csv *c, const struct passwd *p, const char *title)
{
    int at = title_at(p, title);

    return at < 0 ? view_of(NULL, 0) : view_trim(csv_field(c, (size_t)at));
}

/* What a column of the row becomes. */
static struct view changed(const struct passwd *p, const char *title, const char *hashed,
                           struct view now)
{
    if (strcmp(title, "login") == 0)
        return view_cstr(p->login);
    if (strcmp(title, "number") == 0 && p->number)
        return view_cstr(p->number);
    if (strcmp(title, "profile") == 0 && p->profile)
        return view_cstr(p->profile);
    if (strcmp(title, "password_hash") == 0)
        return p->clear ? view_of(NULL, 0) : view_cstr(hashed);
    if (strcmp(title, "password") == 0)
        return p->clear ? view_cstr(p->password) : view_of(NULL, 0);
    return now;
}

static void put_field(struct passwd *p, size_t i, struct view v)
{
    if (i)
        buf_append_char(&p->out, p->delimiter);
    tool_put_csv(&p->out, v);
}

/* With fields beyond the titles, if it has some. */
static void put_row(struct passwd *p, const struct csv *c, const char *hashed)
{
    size_t titles = json_object_array_length(p->titles);
    size_t n = c && c->n > titles ? c->n : titles;

    for (size_t i = 0; i < n; i++) {
        struct view now = c ? csv_field(c, i) : view_of(NULL, 0);
        const char *title =
            i < titles ? json_object_get_string(json_object_array_get_idx(p->titles, i)) : "";
        put_field(p, i, hashed ? changed(p, title, hashed, now) : now);
    }
    buf_append_cstr(&p->out, p->line_end);
}

static bool read_titles(struct passwd *p, struct csv *c)
{
    int rc = csv_next(c);

    for (size_t i = 0; rc == 1 && i < c->n; i++) {
        struct view title = csv_field(c, i);
        json_object_array_add(p->titles, json_object_new_string_len(title.ptr, (int)title.len));
    }
    if (rc == 1 && title_at(p, "number") < 0 && title_at(p, "login") < 0) {
        tool_fail(p->t, "%s: its first line must name a column number or login", p->path);
        return false;
    }
    return rc >= 0;
}

/* Where login and number stand in the file. */
struct places {
    size_t login, number; /* the row, from 1; 0: there is none */
    char number_of_login[64], login_of_number[256];
};

static bool look(struct passwd *p, struct view text, struct places *at)
{
    struct csv c;
    size_t row = 0;
    int rc = 1;

    csv_begin(&c, text, p->delimiter);
    if (text.len && !read_titles(p, &c)) {
        csv_end(&c);
        return false;
    }
    while (text.len && (rc = csv_next(&c)) == 1) {
        struct view login = field(&c, p, "login");
        struct view number = field(&c, p, "number");
        row++;
        if (!at->login && view_eq(login, view_cstr(p->login))) {
            at->login = row;
            snprintf(at->number_of_login, sizeof(at->number_of_login), "%.*s", VIEW_ARG(number));
        }
        if (!at->number && p->number && view_eq(number, view_cstr(p->number))) {
            at->number = row;
            snprintf(at->login_of_number, sizeof(at->login_of_number), "%.*s", VIEW_ARG(login));
        }
    }
    csv_end(&c);
    if (rc < 0)
        tool_fail(p->t, "%s: a quoted field does not end", p->path);
    return rc >= 0;
}

/* The row to change; 0: a new one is added. False: nothing is to be changed (told). */
static bool choose(struct passwd *p, const struct places *at, size_t *row)
{
    *row = at->login ? at->login : at->number;
    if (at->login && p->number && strcmp(at->number_of_login, p->number) != 0 &&
        (*at->number_of_login || at->number))
        tool_fail(p->t, "%s: %s is the login of %s: leave --number out, or correct the file",
                  p->path, p->login,
                  *at->number_of_login ? at->number_of_login : "a person without a number");
    else if (!at->login && at->number && *at->login_of_number)
        tool_fail(p->t, "%s: %s is the number of %s, who has a login already", p->path, p->number,
                  at->login_of_number);
    else if (!at->login && !p->number)
        tool_fail(p->t,
                  "%s has no login %s: --number NUMBER gives it to the person with that telephone",
                  p->path, p->login);
    else
        return true;
    return false;
}

static void rewrite(struct passwd *p, struct view text, size_t wanted, const char *hashed)
{
    struct csv c;
    size_t row = 0;

    need_title(p, "number");
    need_title(p, "login");
    need_title(p, p->clear ? "password" : "password_hash");
    if (p->profile)
        need_title(p, "profile");
    for (size_t i = 0; i < json_object_array_length(p->titles); i++)
        put_field(p, i, json_view(json_object_array_get_idx(p->titles, i)));
    buf_append_cstr(&p->out, p->line_end);
    csv_begin(&c, text, p->delimiter);
    if (text.len && csv_next(&c) == 1)
        while (csv_next(&c) == 1)
            put_row(p, &c, ++row == wanted ? hashed : NULL);
    csv_end(&c);
    if (wanted == 0)
        put_row(p, NULL, hashed);
}

/* Another program that reads it sees the old file or the new one; a link stays one. */
static bool replace(struct passwd *p)
{
    const char *target = p->real ? p->real : p->path;
    char path[4096];
    bool good = false;
    int fd;

    snprintf(path, sizeof(path), "%s.new", target);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        struct stat was;
        if (stat(target, &was) == 0 &&
            (fchown(fd, was.st_uid, was.st_gid) < 0 || fchmod(fd, was.st_mode & 0777) < 0))
            errno = 0; /* it is ours then, and closed to others */
        good = write(fd, buf_data(&p->out), buf_len(&p->out)) == (ssize_t)buf_len(&p->out) &&
               fsync(fd) == 0;
        good = close(fd) == 0 && good && rename(path, target) == 0;
    }
    if (!good) {
        tool_fail(p->t, "%s: %s", p->path, strerror(errno));
        unlink(path);
    }
    return good;
}

static void tell(const struct passwd *p, bool added)
{
    tool_say(stdout, "%s: %s can log in%s; `ctibus reload users` makes it known", p->path, p->login,
             p->clear ? "" : " with a browser");
    if (added)
        puts("(a row was added: the file had neither this login nor this number)");
}

static void change(struct passwd *p, struct view file, const char *hashed)
{
    struct places at = {0};
    struct buf utf8;
    struct view text;
    size_t row;

    buf_init(&utf8, 2 * STAFF_MAX_BYTES);
    if (csv_text(&utf8, file) < 0) {
        tool_fail(p->t, "out of memory");
        buf_free(&utf8);
        return;
    }
    text = buf_view(&utf8);
    p->delimiter = csv_delimiter(text);
    p->line_end = view_find(text, VIEW("\r\n")) < 0 ? "\n" : "\r\n";
    if (look(p, text, &at) && choose(p, &at, &row)) {
        rewrite(p, text, row, hashed);
        if (p->out.failed)
            tool_fail(p->t, "out of memory");
        else if (replace(p))
            tell(p, row == 0);
    }
    buf_free(&utf8);
}

/* False: it is a link to nothing (told), which a new file would replace. */
static bool resolve(struct passwd *p)
{
    struct stat st;

    p->real = realpath(p->path, NULL);
    if (p->real || lstat(p->path, &st) < 0 || !S_ISLNK(st.st_mode))
        return true;
    tool_fail(p->t, "%s is a link to a file that is not there", p->path);
    return false;
}

static void work(struct passwd *p)
{
    struct crypt_data *scratch = calloc(1, sizeof(*scratch));
    const char *hashed = scratch ? hash(p->password, scratch) : NULL;
    struct buf file;
    int rc;

    buf_init(&file, STAFF_MAX_BYTES);
    rc = buf_read_file(&file, p->path);
    if (!hashed)
        tool_fail(p->t, "libcrypt makes no hash of it");
    else if (rc < 0 && rc != -ENOENT)
        tool_fail(p->t, "%s: %s", p->path, strerror(-rc));
    else
        change(p, buf_view(&file), hashed);
    buf_free(&file);
    free(scratch);
}

/* ---- the command ---- */

static bool options(struct passwd *p, int argc, char **argv)
{
    while (argc > 0) {
        if (tool_option(&argc, &argv, "clear", NULL))
            p->clear = true;
        else if (tool_option(&argc, &argv, "stdin", NULL))
            p->input = true;
        else if (tool_option(&argc, &argv, "number", &p->number) ||
                 tool_option(&argc, &argv, "profile", &p->profile))
            continue;
        else if (p->login || argv[0][0] == '-')
            return false;
        else {
            p->login = argv[0];
            argc--;
            argv++;
        }
    }
    return p->login && *p->login;
}

static int run(struct tool *t, int argc, char **argv)
{
    struct passwd p = {.t = t};
    struct config *cfg;

    if (!options(&p, argc, argv))
        return tool_usage(t, &command_passwd);
    cfg = tool_config(t);
    if (!cfg)
        return t->exit_code = 2;
    if (p.profile && !json_get(config_section(cfg, "profiles"), p.profile))
        tool_fail(t, "%s: `profiles` has no %s", t->config, p.profile);
    else
        p.path = find_file(t, cfg);
    p.titles = json_object_new_array();
    buf_init(&p.out, 2 * STAFF_MAX_BYTES);
    if (p.path && resolve(&p) && read_password(&p))
        work(&p);
    if (t->exit_code == 0 && p.number && tool_lacks_phone(t, cfg, p.number))
        tool_say(stderr, "warning: no phone has the number %s: %s can log in, and has no phone",
                 p.number, p.login);
    explicit_bzero(p.password, sizeof(p.password));
    buf_free(&p.out);
    json_object_put(p.titles);
    free(p.real);
    free(p.path);
    config_destroy(&cfg);
    return t->exit_code;
}

const struct command command_passwd = {
    .name = "passwd",
    .args = "LOGIN [--number NUMBER] [--profile ID] [--clear] [--stdin]",
    .help = "Gives a login a password, in the CSV file of the people (csv: in\n"
            "urllist_users). --number: of the person with this telephone, who has none yet.\n"
            "A hash is kept, which is enough for browsers; --clear keeps the password itself,\n"
            "which clients of XiVO need. --stdin: the password is read from standard input.",
    .examples =
        "$ ctibus passwd soren --number 1020 --profile supervisor\n"
        "password:\n"
        "once more:\n"
        "/etc/ctibus/people.csv: soren can log in with a browser; `ctibus reload users` ...\n"
        "$ echo \"correct horse\" | ctibus passwd soren --clear --stdin\n"
        "/etc/ctibus/people.csv: soren can log in; `ctibus reload users` makes it known",
    .run = run,
    .alone = true,
};
