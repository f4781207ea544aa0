/* A PostgreSQL server of the test's own, in a folder of its own, on a Unix socket there. It needs
 * Debian's package postgresql; as root it runs as the user of that package. */
#ifndef CTIBUS_TESTS_POSTGRES_H
#define CTIBUS_TESTS_POSTGRES_H

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct postgres_server {
    char dir[48], bin[128];
    pid_t pid; /* 0: it does not run */
    int databases;
};

/* The program ends: without the server there is nothing to test. */
__attribute__((format(printf, 1, 2))) static inline void postgres_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    abort();
}

/* The user as which the server runs; NULL: ours. */
static inline const struct passwd *postgres_user(void)
{
    return geteuid() == 0 ? getpwnam("postgres") : NULL; /* cppcheck-suppress getpwnamCalled */
}

static inline void postgres_become_user(const struct postgres_server *s)
{
    const struct passwd *user = postgres_user();
    int null = open("/dev/null", O_WRONLY);

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        close(null) < 0 || chdir(s->dir) < 0 ||
        (user && (setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)) ||
        prctl(PR_SET_PDEATHSIG, SIGQUIT) < 0)
        _exit(126);
}

static inline PGconn *postgres_connect(const struct postgres_server *s, const char *database)
{
    const char *const names[] = {"host", "user", "dbname", NULL};
    const char *const values[] = {s->dir, "ctibus", database, NULL};

    return PQconnectdbParams(names, values, 0);
}

/* Starts it (again), and waits until it answers. */
static inline void postgres_start(struct postgres_server *s)
{
    bool up = false;

    s->pid = fork();
    if (s->pid == 0) {
        char program[160], data[80];
        snprintf(program, sizeof(program), "%s/postgres", s->bin);
        snprintf(data, sizeof(data), "%s/data", s->dir);
        postgres_become_user(s);
        execl(program, program, "-D", data, "-k", s->dir, "-h", "", "-c", "fsync=off", "-c",
              "max_connections=20", NULL);
        _exit(127);
    }
    for (int i = 0; !up && i < 600; i++) {
        PGconn *c = postgres_connect(s, "postgres");
        up = PQstatus(c) == CONNECTION_OK;
        PQfinish(c);
        if (!up)
            usleep(50000);
    }
    if (!up)
        postgres_fail("PostgreSQL does not start in %s", s->dir);
}

static inline void postgres_make(struct postgres_server *s)
{
    const struct passwd *user = postgres_user();
    glob_t found;
    int status = -1;
    pid_t pid;

    memset(s, 0, sizeof(*s));
    strcpy(s->dir, "/tmp/ctibus-pg-XXXXXX");
    if (!mkdtemp(s->dir) || (user && chown(s->dir, user->pw_uid, user->pw_gid) < 0))
        postgres_fail("%s cannot be made", s->dir);
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
        postgres_fail("there is no PostgreSQL: install the package postgresql");
    snprintf(s->bin, sizeof(s->bin), "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    pid = fork();
    if (pid == 0) {
        char program[160], data[80];
        snprintf(program, sizeof(program), "%s/initdb", s->bin);
        snprintf(data, sizeof(data), "%s/data", s->dir);
        postgres_become_user(s);
        execl(program, program, "-D", data, "-U", "ctibus", "-A", "trust", "-E", "UTF8", "--locale",
              "C", "--no-sync", NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        postgres_fail("initdb fails with %d", status);
    postgres_start(s);
}

/* As a machine that is switched off: no session is told. */
static inline void postgres_kill(struct postgres_server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGQUIT);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

static inline void postgres_remove(struct postgres_server *s)
{
    char command[80];

    postgres_kill(s);
    snprintf(command, sizeof(command), "rm -rf %s", s->dir);
    if (*s->dir && system(command) != 0)
        fprintf(stderr, "%s is left\n", s->dir);
}

/* Carries it out; fails the test when the server refuses it. */
static inline void postgres_do(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);
    ExecStatusType is = PQresultStatus(r);

    if (is != PGRES_COMMAND_OK && is != PGRES_TUPLES_OK)
        postgres_fail("%s: %s", sql, PQerrorMessage(c));
    PQclear(r);
}

/* The first column of the first row, as a number. */
static inline long postgres_number(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);
    long n;

    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) < 1)
        postgres_fail("%s: %s", sql, PQerrorMessage(c));
    n = strtol(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return n;
}

/* A connection to the database of which this is the URI. */
static inline PGconn *postgres_shell(const char *uri, const struct postgres_server *s)
{
    char name[16];

    if (sscanf(strstr(uri, "@/") + 2, "%15[^?]", name) != 1)
        postgres_fail("%s", uri);
    return postgres_connect(s, name);
}

/* A database that is empty; its name and its URI into `name` and `uri`. */
static inline void postgres_database(struct postgres_server *s, char name[16], char uri[128])
{
    PGconn *c = postgres_connect(s, "postgres");
    char sql[64];

    snprintf(name, 16, "d%d", s->databases++);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    postgres_do(c, sql);
    PQfinish(c);
    snprintf(uri, 128, "postgresql://ctibus:x@/%s?host=%s", name, s->dir);
}

#endif
