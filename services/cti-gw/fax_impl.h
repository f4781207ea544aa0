/* The inside of faxes: fax.c, and fax_handoff.c for what comes over second connections. */
#ifndef CTIBUS_CTI_GW_FAX_IMPL_H
#define CTIBUS_CTI_GW_FAX_IMPL_H

#include <openssl/evp.h>
#include <stdio.h>

#include "fax.h"

#define ID_LEN 10

enum fax_state {
    ANNOUNCED,
    EXPECTED,
    ELSEWHERE, /* its bytes come to another gateway, which will say when they are in the spool */
    RECEIVING,
    WAITING,
    CONVERTING,
    SENDING /* or handed over */
};

struct fax {
    LIST_ENTRY(fax) all;
    struct faxes *of;
    enum fax_state state;
    uint64_t since; /* when it last went on */
    uint64_t session;
    uint8_t peer[16]; /* address of the client */
    uint16_t port;    /* that the second connection comes from, as the client sees it; 0: unknown */
    struct client *source; /* the second connection, or NULL */
    char id[ID_LEN + 1], number[128], hide[8];
    char pdf[512], tiff[512];
    FILE *file;
    EVP_ENCODE_CTX *base64;
    size_t bytes;
    struct conversion *conversion;
    uint64_t asked;
    bool told;  /* state waits for it, too */
    bool guest; /* of a client of another gateway: only its bytes come in here */
};

struct faxes {
    struct gateway *g;
    struct gateway_fax opt;
    LIST_HEAD(, fax) list;
    size_t n, workers, asking;
    uint64_t looked; /* for old files, when */
};

/* ---- fax.c ---- */
/* One in state EXPECTED, in front of the list; NULL: there are too many, or no memory. */
struct fax *fax_new(struct faxes *f);
/* Says in its place in the spool what its id is. */
void fax_name_files(struct fax *x);
void fax_free(struct fax *x);
/* It is over; whose client is here is told. One of a guest is handed over with that reason. */
void fax_give_up(struct fax *x, const char *reason);
bool fax_open_file(struct fax *x);
/* Base64 of it. NULL, or what is wrong. */
const char *fax_decode(struct fax *x, struct view in);
/* All of it has come: is it whole? */
void fax_received(struct fax *x);
/* Its file of so many bytes is in the spool. */
void fax_is_here(struct fax *x, size_t bytes);
void fax_close_file(struct fax *x);

/* ---- fax_handoff.c ---- */
/* Tells state, if it waits for it, that it need not: it is here, or will not come. */
void fax_withdraw(struct fax *x);
/* To the gateway of its client; reason NULL: it is whole. Ends it. */
void fax_hand_over(struct fax *x, const char *reason);

#endif
