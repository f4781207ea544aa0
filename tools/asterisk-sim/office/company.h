/* Who works in the office and what is there: the part that does not change. The lists that
 * ctibus loads (lists.c) and the running office (office.c) are both made from it. */
#ifndef OFFICE_COMPANY_H
#define OFFICE_COMPANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPANY_ROOM "4001"
#define COMPANY_LOT_EXTEN "700"
#define COMPANY_LOT_FIRST 701
#define COMPANY_LOT_SPACES 20
#define COMPANY_FIRST_AGENT 2001
#define COMPANY_MAX_AGENTS 900
#define COMPANY_TRUNK "trunk"

struct company_person {
    char first[40], last[40]; /* UTF-8 */
    char login[40];           /* also the password and the name of the endpoint */
    char number[8];
    char did[16]; /* the number at which outsiders reach it */
    const char *profile;
    unsigned agent; /* its number, 0: it is none */
    int queue;      /* of an agent: index of COMPANY_QUEUES, otherwise -1 */
    bool pool;      /* an agent that logs in with AgentLogin and keeps its line open */
};

struct company_queue {
    const char *name, *display, *number, *did;
    const char *strategy;
    unsigned timeout_s; /* a caller waits no longer */
    unsigned ring_s;    /* a member is rung so long */
    unsigned wrapup_s;
};

#define COMPANY_QUEUES 2
extern const struct company_queue company_queues[COMPANY_QUEUES];

/* People outside. */
struct company_outsider {
    const char *name, *first, *last, *firm, *phone, *mobile, *mail;
    const char *calls_from; /* as the trunk gives it; NULL: it never calls */
};
extern const struct company_outsider company_outsiders[];
extern const size_t company_n_outsiders;

/* The person with this index, from 0. */
void company_person(unsigned index, struct company_person *out);

/* The dialplan's variants of a number outside: "anonymous", or one that no directory has. */
extern const char *const company_strangers[];
extern const size_t company_n_strangers;

#endif
