/* A whole state with directories of all kinds, and a web server for those behind HTTP. Include
 * after cmocka.h. */
#ifndef CTIBUS_TESTS_DIRECTORY_WORLD_H
#define CTIBUS_TESTS_DIRECTORY_WORLD_H

#include <fcntl.h>
#include <string.h>

#include "directory/directory.h"
#include "support/webserver.h"
#include "support/whole_state.h"

struct world {
    struct state_world w;
    struct webserver web;
    int log[2]; /* a pipe */
    char text[16384];
    /* the last answer, for the tests */
    int answers;
    size_t rows;
    char said[8192];
};

static inline int setup(void **state)
{
    struct world *x = calloc(1, sizeof(*x));

    *state = x;
    strcpy(x->w.dir, "/tmp/ctibus-lookup-XXXXXX");
    assert_non_null(mkdtemp(x->w.dir));
    assert_int_equal(pipe2(x->log, O_NONBLOCK | O_CLOEXEC), 0);
    x->w.log = log_new(x->log[1], "test", LOG_INFO, false);
    x->w.loop = loop_new();
    x->web.loop = x->w.loop;
    web_up(&x->web);
    return 0;
}

static inline int teardown(void **state)
{
    struct world *x = *state;
    char command[128];

    state_stop(&x->w);
    config_destroy(&x->w.cfg);
    web_down(&x->web);
    loop_destroy(&x->w.loop);
    log_destroy(&x->w.log);
    close(x->log[0]);
    close(x->log[1]);
    snprintf(command, sizeof(command), "rm -rf %s", x->w.dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
    free(x);
    return 0;
}

static inline const char *logged(struct world *x)
{
    size_t at = strlen(x->text);
    ssize_t n;

    assert_true(log_flush(x->w.log, 10000));
    n = read(x->log[0], x->text + at, sizeof(x->text) - 1 - at);
    if (n > 0)
        x->text[at + (size_t)n] = '\0';
    return x->text;
}

static inline int times(const char *text, const char *what)
{
    int n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

#define USER(id, more)                                                                             \
    "{\"id\":\"" id "\",\"loginclient\":\"u" id "\",\"passwdclient\":\"p\",\"enableclient\":1,"    \
    "\"profileclient\":\"client\"," more "}"
#define ALICE "\"firstname\":\"Alice\",\"lastname\":\"Martin\",\"mobilephonenumber\":\"06 11\""
#define RENE "\"firstname\":\"Ren\303\251\",\"lastname\":\"D;up\""
#define ZOE "\"firstname\":\"Zo\303\253\""
#define USERS "[" USER("1", ALICE) "," USER("2", RENE) "," USER("3", ZOE) "]"
#define LINES                                                                                      \
    "[{\"id\":\"11\",\"protocol\":\"sip\",\"name\":\"a\",\"number\":\"1001\",\"context\":"         \
    "\"default\",\"iduserfeatures\":\"1\",\"rules_order\":1},"                                     \
    "{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"b\",\"number\":1002,\"context\":"              \
    "\"default\",\"iduserfeatures\":\"1\",\"rules_order\":2},"                                     \
    "{\"id\":\"13\",\"protocol\":\"sip\",\"name\":\"r\",\"number\":\"2001\",\"context\":"          \
    "\"inside\",\"iduserfeatures\":\"2\",\"rules_order\":1}]"
#define PHONEBOOK                                                                                  \
    "[{\"phonebook\":{\"firstname\":\"Lo\303\257s\",\"lastname\":\"Caf\303\251\",\"society\":"     \
    "\"Ours\"},\"phonebookaddress\":{\"office\":false},\"phonebooknumber\":{\"office\":"           \
    "{\"number\":\"01 23 45\"},\"mobile\":{\"number\":\"0699\"}}},"                                \
    "{\"phonebook.fullname\":\"Flat\",\"phonebooknumber.mobile.number\":\"0777\"}]"
#define CONTACTS "nom;tel;autre\n\"Durand; fils\";01.99;\nDurand;;0198\nDurand;;0198\n"
#define WEB "name,number\nWebb,5551\nDurand,0198\n"

/* A directory of each kind, and contexts that have them. # is the port of the server. */
#define DIRECTORIES                                                                                \
    "\"directories\":{\"internal\":{\"uri\":\"internal\",\"name\":\"Us\",\"field_x\":null},"       \
    "\"xivodir\":{\"uri\":\"phonebook\",\"match_direct\":[\"phonebook.fullname\","                 \
    "\"phonebook.society\"],\"match_reverse\":[\"phonebooknumber.office.number\","                 \
    "\"phonebooknumber.mobile.number\"],\"field_fullname\":[\"phonebook.fullname\"],"              \
    "\"field_phone\":[\"phonebooknumber.office.number\",\"phonebooknumber.mobile.number\"]},"      \
    "\"csv\":{\"uri\":\"file:contacts.csv\",\"delimiter\":\";\",\"match_direct\":[\"nom\"],"       \
    "\"match_reverse\":[\"tel\",\"autre\"],\"field_fullname\":[\"nom\"],"                          \
    "\"field_phone\":[\"tel\",\"autre\"]},"                                                        \
    "\"web\":{\"uri\":\"http://127.0.0.1:#/web\",\"match_direct\":[\"name\",\"city\"],"            \
    "\"match_reverse\":[\"number\"],\"field_fullname\":[\"name\"],"                                \
    "\"field_phone\":[\"number\"]},\"slow\":{\"uri\":\"http://127.0.0.1:#/slow\","                 \
    "\"match_direct\":[\"name\"],\"match_reverse\":[\"number\"],\"field_phone\":[\"number\"]},"    \
    "\"old\":{\"uri\":\"ldap://h/x\",\"match_direct\":[\"cn\"]}},"                                 \
    "\"displays\":{\"d\":{\"20\":[\"Number\",\"phone\",\"-\",\"{db-phone}\"],"                     \
    "\"3\":[\"Name\",\"\",\"\",\"{db-fullname}\"]},"                                               \
    "\"from\":{\"1\":[\"Name\",\"\",\"\",\"{db-fullname}\"],"                                      \
    "\"2\":[\"From\",\"\",\"\",\"{xivo-directory}\"]}},"                                           \
    "\"contexts\":{\"default\":{\"directories\":[\"internal\"],\"display\":\"d\"},"                \
    "\"book\":{\"directories\":[\"xivodir\"],\"display\":\"d\"},"                                  \
    "\"csv\":{\"directories\":[\"csv\"],\"display\":\"d\"},"                                       \
    "\"web\":{\"directories\":[\"csv\",\"web\"],\"display\":\"d\",\"didextens\":"                  \
    "{\"*\":[\"csv\",\"web\"],\"100\":[\"web\",\"csv\"],\"101\":[]}},"                             \
    "\"slow\":{\"directories\":[\"slow\",\"csv\",\"web\"],\"display\":\"d\",\"didextens\":"        \
    "{\"*\":[\"slow\",\"csv\"],\"1\":[\"internal\",\"xivodir\",\"slow\"],"                         \
    "\"2\":[\"web\",\"slow\"]}},"                                                                  \
    "\"old\":{\"directories\":[\"old\",\"csv\"],\"display\":\"from\"},"                            \
    "\"all\":{\"directories\":[\"internal\",\"xivodir\",\"csv\"],\"display\":\"from\"},"           \
    "\"blind\":{\"directories\":[\"csv\"]}%s}"

/* Writes the configuration; `more` stands at the end of the contexts. */
static inline void configure(struct world *x, const char *main, const char *more)
{
    struct buf text;
    struct buf out;
    struct view rest;

    buf_init(&text, 0);
    buf_init(&out, 0);
    buf_printf(&text,
               "{\"main\":{%s},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":"
               "\"127.0.0.1\",\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"
               "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"],"
               "\"urllist_phonebook\":[\"file:phonebook.json\"]}}},"
               "\"profiles\":{\"client\":{\"name\":\"C\",\"regcommands\":\"all\"}},"
               "\"regcommands\":{\"all\":[\"directory\"]},\"ctibus\":{}," DIRECTORIES "}",
               main, more);
    rest = buf_view(&text);
    while (view_find(rest, VIEW("#")) >= 0) {
        buf_append_view(&out, view_cut(&rest, '#'));
        buf_printf(&out, "%u", x->web.port);
    }
    buf_append_view(&out, rest);
    state_write(&x->w, "ctibus.json", buf_cstr(&out));
    buf_free(&text);
    buf_free(&out);
}

static inline void start(struct world *x, const char *main)
{
    configure(x, main, "");
    state_write(&x->w, "users.json", USERS);
    state_write(&x->w, "lines.json", LINES);
    state_write(&x->w, "phonebook.json", PHONEBOOK);
    state_write(&x->w, "contacts.csv", CONTACTS);
    web_page(&x->web, "/web")->body = WEB;
    web_page(&x->web, "/slow")->silent = true;
    x->w.cfg = state_config(&x->w);
    assert_int_equal(state_start(&x->w, NULL, NULL, NULL), 0);
}

static inline void reload(struct world *x)
{
    struct config *old = x->w.cfg;

    x->w.cfg = state_config(&x->w);
    state_reload(x->w.s, x->w.cfg);
    config_destroy(&old);
}

#endif
