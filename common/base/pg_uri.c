#include "base/pg_uri.h"

#include <stdio.h>

#include "base/array.h"

#define DEFAULT_PORT 5432

static const struct view schemes[] = {VIEW("postgresql://"), VIEW("postgres://")};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded into out[n]. False: too long, a % without two digits, or a control character. */
static bool decode(struct view in, char *out, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            int high = i + 2 < in.len ? digit_of(in.ptr[i + 1]) : -1;
            int low = i + 2 < in.len ? digit_of(in.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c < ' ' || c == 0x7f || len + 1 >= n)
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

static bool is_sslmode(const char *mode)
{
    static const char *const modes[] = {"disable", "allow",     "prefer",
                                        "require", "verify-ca", "verify-full"};

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(mode, modes[i]) == 0)
            return true;
    return false;
}

static const char *read_login(struct pg_uri *out, struct view login)
{
    struct view user = view_cut(&login, ':');

    if (!decode(user, out->user, sizeof(out->user)) ||
        !decode(login, out->password, sizeof(out->password)))
        return "has a user or password that is too long, or a % that is not followed by two "
               "hexadecimal digits";
    return *out->user ? NULL : "has no user";
}

static const char *read_port(struct pg_uri *out, struct view port)
{
    uint64_t number;

    if (port.len == 0)
        return NULL;
    if (view_to_u64(port, &number) < 0 || number < 1 || number > 65535)
        return "has a port that is no number from 1 to 65535";
    out->port = (uint16_t)number;
    return NULL;
}

static const char *read_host(struct pg_uri *out, struct view host)
{
    static const char fault[] = "has a host that is none";
    struct view port = host;

    if (view_starts(host, VIEW("["))) {
        if (view_find(host, VIEW("]")) < 0)
            return fault;
        host = view_of(host.ptr + 1, host.len - 1);
        port = host;
        host = view_cut(&port, ']');
        if (host.len == 0 || (port.len && *port.ptr != ':'))
            return fault;
        if (port.len)
            port = view_of(port.ptr + 1, port.len - 1);
    } else {
        host = view_cut(&port, ':');
    }
    if (view_find(host, VIEW(",")) >= 0 || view_find(port, VIEW(",")) >= 0)
        return "has several hosts: write one";
    if (!decode(host, out->host, sizeof(out->host)))
        return fault;
    return read_port(out, port);
}

static const char *read_parameter(struct pg_uri *out, struct view name, struct view value)
{
    const struct {
        struct view name;
        char *out;
        size_t n;
    } known[] = {
        {VIEW("sslmode"), out->sslmode, sizeof(out->sslmode)},
        {VIEW("sslrootcert"), out->sslrootcert, sizeof(out->sslrootcert)},
        {VIEW("sslcert"), out->sslcert, sizeof(out->sslcert)},
        {VIEW("sslkey"), out->sslkey, sizeof(out->sslkey)},
        {VIEW("host"), out->host, sizeof(out->host)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (view_eq(name, known[i].name) && !decode(value, known[i].out, known[i].n))
            return "has a parameter that is too long, or a % that is not followed by two "
                   "hexadecimal digits";
    return NULL;
}

static const char *read_parameters(struct pg_uri *out, struct view rest)
{
    const char *fault = NULL;

    while (rest.len && !fault) {
        struct view value = view_cut(&rest, '&');
        struct view name = view_cut(&value, '=');
        fault = read_parameter(out, name, value);
    }
    return fault;
}

/* The end of user and password: a password may have an @ in it that is not encoded. */
static size_t login_end(struct view authority)
{
    for (size_t i = authority.len; i > 0; i--)
        if (authority.ptr[i - 1] == '@')
            return i - 1;
    return authority.len;
}

static struct view without_scheme(struct view uri)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (view_starts(uri, schemes[i]))
            return view_of(uri.ptr + schemes[i].len, uri.len - schemes[i].len);
    return view_of(NULL, 0);
}

bool pg_uri_is(struct view uri)
{
    return without_scheme(uri).ptr != NULL;
}

/* What must be there, and what one part says of another. */
static const char *check(const struct pg_uri *u)
{
    if (!*u->host)
        return "has no host";
    if (!*u->database)
        return "has no database: postgresql://USER:PASSWORD@HOST/DATABASE";
    if (*u->sslmode && !is_sslmode(u->sslmode))
        return "has an sslmode that is none of disable, allow, prefer, require, verify-ca, "
               "verify-full";
    return NULL;
}

const char *pg_uri_read(struct pg_uri *out, struct view uri)
{
    struct view parameters = without_scheme(uri);
    const char *fault;
    struct view database, login;
    size_t end;

    *out = (struct pg_uri){.port = DEFAULT_PORT};
    if (!parameters.ptr)
        return "is no address of PostgreSQL: postgresql://USER:PASSWORD@HOST/DATABASE";
    database = view_cut(&parameters, '?');
    login = view_cut(&database, '/');
    end = login_end(login);
    if (end == login.len)
        return "has no user: postgresql://USER:PASSWORD@HOST/DATABASE";
    fault = read_host(out, view_of(login.ptr + end + 1, login.len - end - 1));
    if (!fault)
        fault = read_login(out, view_of(login.ptr, end));
    if (!fault && !decode(database, out->database, sizeof(out->database)))
        fault = "has a database that is too long, or a % that is not followed by two hexadecimal "
                "digits";
    if (!fault)
        fault = read_parameters(out, parameters);
    return fault ? fault : check(out);
}

void pg_uri_public(const struct pg_uri *u, char *out, size_t n)
{
    snprintf(out, n, "%s@%s:%u/%s", u->user, u->host, (unsigned)u->port, u->database);
}

void pg_one_line(char *out, size_t n, const char *text)
{
    size_t len = 0;

    for (const char *p = text ? text : ""; *p && len + 1 < n; p++) {
        if ((unsigned char)*p > ' ')
            out[len++] = *p;
        else if (len && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    while (len && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
}

void pg_parameters_add(struct pg_parameters *out, const char *name, const char *value)
{
    size_t n = 0;

    while (out->names[n])
        n++;
    if (n + 1 == ARRAY_SIZE(out->names))
        return;
    out->names[n] = name;
    out->values[n] = value;
}

void pg_uri_parameters(struct pg_parameters *out, const struct pg_uri *u, const char *hostaddr)
{
    const char *const all[][2] = {
        {"host", u->host},
        {"hostaddr", hostaddr},
        {"port", out->port},
        {"user", u->user},
        {"password", u->password},
        {"dbname", u->database},
        {"sslmode", *u->sslmode ? u->sslmode : "prefer"},
        {"sslrootcert", u->sslrootcert},
        {"sslcert", u->sslcert},
        {"sslkey", u->sslkey},
        {"passfile", "/dev/null"},
        {"gssencmode", "disable"},
        {"options", ""},
        {"application_name", "ctibus"},
        {"client_encoding", "UTF8"},
    };

    memset(out, 0, sizeof(*out));
    snprintf(out->port, sizeof(out->port), "%u", (unsigned)u->port);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        pg_parameters_add(out, all[i][0], all[i][1]);
}
