/* Private to xod/: the store's structures. */
#ifndef CTIBUS_XOD_STORE_H
#define CTIBUS_XOD_STORE_H

#include "base/map.h"
#include "xod/xod.h"

struct xod_obj {
    struct xod_ipbx *ipbx;
    char *id;
    uint32_t id_len;
    uint32_t slot;
    uint8_t list;
    bool added;     /* in this transaction */
    bool deleted;   /* in this transaction */
    bool touched;   /* stands in the transaction's list */
    bool retied;    /* its ties have changed in this transaction */
    uint64_t dirty; /* fields whose old value is in the journal */
    struct xod_obj **relations;
    uint32_t n_relations;
    struct value tie_name; /* "phone:11"; null until it is told for the first time */
    void *extra;
    struct value values[];
};

/* The objects of one list of one IPBX. A slot keeps its number for the life of its object. */
struct list_table {
    struct map *by_id; /* with those deleted in this transaction */
    size_t n_deleted;  /* how many of by_id are that */
    struct xod_obj **slots;
    uint32_t n_slots, cap_slots;
    uint32_t *free_slots;
    uint32_t n_free, cap_free;
    struct map **indexes; /* one a field, NULL where the schema has none */
};

struct xod_ipbx {
    struct xod *x;
    char *name;
    struct list_table lists[LIST_COUNT];
};

struct journal_entry {
    struct xod_obj *obj;
    unsigned field;
    struct value old;
};

struct xod {
    struct xod_ipbx **ipbxes;
    size_t n_ipbxes;
    struct xod_obj **touched;
    size_t n_touched, cap_touched;
    struct journal_entry *journal;
    size_t n_journal, cap_journal;
    void (*free_extra)(void *extra);
};

/* index.c: the objects by the value of a field. */
int index_init(struct list_table *t, enum xod_list list);
void index_fini(struct list_table *t, enum xod_list list);
int index_insert(struct xod_obj *o, unsigned field);
void index_remove(struct xod_obj *o, unsigned field);

/* ties.c */
void relations_drop(struct xod_obj *o);

/* store.c */
void store_obj_free(struct xod *x, struct xod_obj *o);
/* Gives the slot back; without memory for that it stays a hole. */
void store_drop_slot(struct xod_obj *o);

/* txn.c: puts the object on the transaction's list. 0 or -ENOMEM. */
int store_touch(struct xod_obj *o);

/* Makes room for one more item of `size` bytes. 0 or -ENOMEM. */
int store_grow(void *array_pp, size_t n, size_t *cap, size_t size);

#endif
