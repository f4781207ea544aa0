/* Trunks: how the Asterisk is registered at operators and other sites. */
#include "model/model.h"

/* How surely a registration is one of a trunk. */
enum fit { FITS_NOT, FITS_HOST, FITS_NAME };

static bool is_text(const struct xod_obj *trunk, unsigned field, struct view text)
{
    char scratch[32];

    return text.len && view_ieq(value_text(xod_get(trunk, field), scratch), text);
}

/* chan_sip and chan_iax2 list theirs without the name of the driver. */
static bool has_driver(const struct xod_obj *trunk, const struct tel *t)
{
    struct view identity = xod_get_str(trunk, XOD(trunks, identity));
    struct view driver = view_cut(&identity, '/');

    return !tel_has(t, TELF_peer) || view_ieq(driver, t->str[TELF_peer]);
}

static enum fit fit_of(const struct xod_obj *trunk, const struct tel *t)
{
    if (!has_driver(trunk, t))
        return FITS_NOT;
    if (is_text(trunk, XOD(trunks, name), t->str[TELF_name]) ||
        is_text(trunk, XOD(trunks, name), t->str[TELF_username]) ||
        is_text(trunk, XOD(trunks, name), t->str[TELF_host]))
        return FITS_NAME;
    return is_text(trunk, XOD(trunks, host), t->str[TELF_host]) ? FITS_HOST : FITS_NOT;
}

/* The one trunk that it fits best. Several accounts at one operator are told apart by their names
 * only; where these do not tell, none is shown with the registration of another. */
static struct xod_obj *trunk_of(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *found = NULL;
    struct xod_obj *trunk;
    enum fit best = FITS_NOT;

    for (size_t pos = 0; (trunk = xod_next(d->ipbx, LIST_trunks, &pos));) {
        enum fit fit = fit_of(trunk, t);
        if (fit > best)
            found = trunk;
        else if (fit == best && fit != FITS_NOT)
            found = NULL;
        best = fit > best ? fit : best;
    }
    return found;
}

void trunk_registration(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *trunk = tel_has(t, TELF_status) ? trunk_of(d, t) : NULL;

    if (!trunk)
        return;
    xod_set_str(trunk, XOD(trunks, reg), t->str[TELF_status]);
    listing_note(d, LISTING_REGISTRATIONS, xod_obj_id(trunk), view_of(NULL, 0));
}

void trunk_registrations_end(struct ipbx_model *d)
{
    struct xod_obj *trunk;

    for (size_t pos = 0; (trunk = xod_next(d->ipbx, LIST_trunks, &pos));)
        if (!listing_named(d, xod_obj_id(trunk), view_of(NULL, 0)))
            xod_reset(trunk, XOD(trunks, reg));
}
