/* The command line. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "office/office.h"
#include "player.h"

#define MAX_CAPTURES 64

struct options {
    const char *listen;
    const char *status; /* NULL: none */
    const char *captures[MAX_CAPTURES];
    unsigned n_captures;
    const char *fagi;    /* NULL: the dialplan's scripts are not called */
    const char *listing; /* NULL: beside the first capture */
    const char *username;
    const char *password;
    struct permissions permissions;
    bool refuse;
    const char *tls_cert; /* NULL: clear text */
    const char *tls_key;  /* NULL: in tls_cert */
    struct pace pace;
    uint64_t loops;
    bool wait_login;
    bool is_office;
    struct office_options office;
    const char *write_lists; /* NULL, or the folder: nothing else is done then */
    enum log_level level;
};

/* Reads argv. 0; 1 when --help or --version was answered; -EINVAL after a message on stderr. */
int sim_options_parse(struct options *o, int argc, char **argv);

#endif
