/*
 * The record store: the objects of all IPBXes, with their fields as the schema table says.
 *
 * Writing is transactional: the first change opens a transaction, xod_commit closes it and tells,
 * per object that was touched, which fields differ from what they were before (values are
 * remembered at the first change and compared at the end, so that what changed to and fro is not
 * told). Objects are told in the order of their lists' rank, what was deleted last.
 *
 * Not for several threads. Pointers to objects live until the commit after their deletion.
 */
#ifndef CTIBUS_XOD_XOD_H
#define CTIBUS_XOD_XOD_H

#include "xod/value.h"

struct xod;
struct xod_ipbx;
struct xod_obj;

enum xod_op { XOD_ADD, XOD_UPDATE, XOD_DEL };

struct xod_change {
    enum xod_op op;
    struct xod_obj *obj; /* of XOD_DEL: still readable, no longer found */
    uint64_t fields;     /* bits of the fields that differ; all of them for XOD_ADD and XOD_DEL */
};
typedef void xod_change_fn(void *arg, const struct xod_change *c);

struct xod *xod_new(void); /* NULL without memory */
void xod_destroy(struct xod **x);

/* The IPBX of this name; made if `create`. NULL when there is none, or without memory. */
struct xod_ipbx *xod_ipbx(struct xod *x, struct view name, bool create);
/* Site number n, in the order they were made, or NULL. */
struct xod_ipbx *xod_site_at(const struct xod *x, size_t n);
struct view xod_ipbx_name(const struct xod_ipbx *s);

/* An object by its id, or NULL. */
struct xod_obj *xod_find(const struct xod_ipbx *s, enum xod_list list, struct view id);
/* The first (n = 0), second... object whose indexed field has this value (text), or NULL. Where the
 * schema folds the case of the field: the objects with exactly this value, or if there is none,
 * those that have it in other case (PJSIP tells Door from door, lists and hints often do not). */
struct xod_obj *xod_lookup(const struct xod_ipbx *s, enum xod_list list, unsigned field,
                           struct view value, size_t n);
/* Walks a list: *pos starts at 0. The order is that of creation, but that the place of what is gone
 * is taken anew. The list may change meanwhile; an object that lives through the whole walk is
 * given exactly once. */
struct xod_obj *xod_next(const struct xod_ipbx *s, enum xod_list list, size_t *pos);
size_t xod_count(const struct xod_ipbx *s, enum xod_list list);

/* The object of that id, made with the initial values if there is none. NULL without memory. */
struct xod_obj *xod_add(struct xod_ipbx *s, enum xod_list list, struct view id);
/* Deletes it with its ties. It is no longer found; the memory lives until the commit. */
void xod_del(struct xod_obj *o);

enum xod_list xod_obj_list(const struct xod_obj *o);
struct view xod_obj_id(const struct xod_obj *o);
struct xod_ipbx *xod_obj_ipbx(const struct xod_obj *o);
/* Never NULL. */
const struct value *xod_get(const struct xod_obj *o, unsigned field);
struct view xod_get_str(const struct xod_obj *o, unsigned field);

/* Setting a field. 0; -EINVAL when the schema does not allow the type; -ENOENT: deleted; -ENOMEM.
 */
int xod_set(struct xod_obj *o, unsigned field, struct value *v);   /* takes *v, also on failure */
int xod_set_str(struct xod_obj *o, unsigned field, struct view s); /* the empty view too */
int xod_set_null(struct xod_obj *o, unsigned field);
int xod_set_text(struct xod_obj *o, unsigned field, struct view s); /* the empty view: null */
int xod_set_bool(struct xod_obj *o, unsigned field, bool b);
int xod_set_int(struct xod_obj *o, unsigned field, int64_t i);
int xod_set_float(struct xod_obj *o, unsigned field, double f);
int xod_reset(struct xod_obj *o, unsigned field); /* to the schema's initial value */
/* The bits of the fields that have another value than the schema's initial one. */
uint64_t xod_set_fields(const struct xod_obj *o);
/* Adding to (once) and taking from a list of ids. */
int xod_list_add(struct xod_obj *o, unsigned field, struct view id);
int xod_list_del(struct xod_obj *o, unsigned field, struct view id);
/* Puts it at place `at` (from 0) of the list, or at the end of a shorter one; it stands there once.
 */
int xod_list_insert(struct xod_obj *o, unsigned field, uint32_t at, struct view id);
/* Setting and dropping a pair of a map. xod_map_put takes *item, also on failure. */
int xod_map_put(struct xod_obj *o, unsigned field, struct view key, struct value *item);
int xod_map_del(struct xod_obj *o, unsigned field, struct view key);

/* Closes the transaction: tells the changes, then frees what was deleted. fn may read, not write.
 */
void xod_commit(struct xod *x, xod_change_fn *fn, void *arg);

/* Object number n of those touched since the last commit, in order and of all IPBXes, or NULL. One
 * that is deleted is among them, and so is one that is again as it was. */
struct xod_obj *xod_touched(const struct xod_ipbx *s, size_t n);

/* Ties: what an object belongs to, kept at both ends. Not fields: they do not travel. 0, -ENOENT
 * (one is deleted) or -ENOMEM. */
int xod_relate(struct xod_obj *a, struct xod_obj *b);
void xod_unrelate(struct xod_obj *a, struct xod_obj *b);
/* Tie number n of o to an object of `list`, or NULL. */
struct xod_obj *xod_related(const struct xod_obj *o, enum xod_list list, size_t n);
/* Walks the ties of o to objects of `list`: *pos starts at 0. They must not change meanwhile. */
struct xod_obj *xod_tied_next(const struct xod_obj *o, enum xod_list list, size_t *pos);
bool xod_is_tied(const struct xod_obj *a, const struct xod_obj *b);

/* One pointer that a service may hang on an object; freed by the function given for the store. */
void *xod_extra(const struct xod_obj *o);
void xod_set_extra(struct xod_obj *o, void *extra);
void xod_on_free(struct xod *x, void (*free_extra)(void *extra));

#endif
