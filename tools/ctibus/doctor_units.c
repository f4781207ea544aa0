/* What systemd gives the services that is not in the configuration: environment and user. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "doctor.h"
#include "json/json.h"

#define MAX_NAMES 600

extern char **environ;

/* ---- which there are ---- */

static void add(struct doctor *d, const char *service, const char *instance)
{
    struct doctor_unit *grown;
    struct unit u;

    if (!unit_read(&u, d->root, service, instance))
        return;
    grown = realloc(d->units, (d->n_units + 1) * sizeof(*grown));
    if (!grown) {
        unit_free(&u);
        return;
    }
    d->units = grown;
    d->units[d->n_units++] = (struct doctor_unit){.service = service, .unit = u};
}

/* Of ami-gw one for each Asterisk of the file. */
static void add_gateways(struct doctor *d)
{
    struct config_overrides overrides = {.env = environ};
    struct config_errors errors = {0};
    struct config *cfg = config_read(d->t->config, &overrides, &errors);
    struct json_object *ipbxes = cfg ? config_section(cfg, "ipbxes") : NULL;

    config_errors_free(&errors); /* doctor_check tells them */
    if (ipbxes) {
        json_object_object_foreach(ipbxes, name, section)
        {
            if (json_get_object(section, "ipbx_connection"))
                add(d, "ami-gw", name);
        }
    }
    config_destroy(&cfg);
}

/* ---- environment ---- */

static void find_environment(struct doctor *d, const struct doctor_unit *u)
{
    char text[MAX_NAMES] = "";

    json_object_object_foreach(u->unit.env, name, variable)
    {
        size_t at = strlen(text);
        if (!view_starts(view_cstr(name), VIEW("CTIBUS")))
            continue;
        snprintf(text + at, sizeof(text) - at, "%s%s (%.*s)", at ? ", " : "", name,
                 VIEW_ARG(json_get_view(variable, "from")));
    }
    if (*text)
        findings_add(&d->f, FINDING_note, "service.environment", "", "",
                     "%s is examined with the variables that systemd gives it: %s", u->unit.name,
                     text);
    for (size_t i = 0; i < json_object_array_length(u->unit.lost); i++)
        findings_add(&d->f, FINDING_fault, "service.environment", "systemd does not start it.",
                     "Make the file, or write EnvironmentFile=-... where it may be missing; then: "
                     "systemctl daemon-reload",
                     "%s: there is no %s, which its EnvironmentFile= names", u->unit.name,
                     json_object_get_string(json_object_array_get_idx(u->unit.lost, i)));
}

struct json_object *doctor_environment(const struct doctor *d, const char *service)
{
    for (size_t i = 0; i < d->n_units; i++)
        if (strcmp(d->units[i].service, service) == 0)
            return d->units[i].unit.env;
    return NULL;
}

static bool is_own(const char *name)
{
    return getenv(name) != NULL;
}

char **doctor_variables(const struct doctor *d)
{
    struct json_object *seen = json_object_new_object();
    size_t n = 0;
    size_t most = 1;
    char **all;

    for (char **p = environ; *p; p++)
        most++;
    for (size_t i = 0; i < d->n_units; i++)
        most += (size_t)json_object_object_length(d->units[i].unit.env);
    all = calloc(most, sizeof(*all));
    for (char **p = environ; all && *p; p++)
        all[n++] = strdup(*p);
    for (size_t i = 0; all && i < d->n_units; i++) {
        json_object_object_foreach(d->units[i].unit.env, name, variable)
        {
            if (is_own(name) || json_object_object_get_ex(seen, name, NULL))
                continue;
            json_object_object_add(seen, name, NULL);
            if (asprintf(&all[n], "%s=%.*s", name, VIEW_ARG(json_get_view(variable, "value"))) < 0)
                all[n] = NULL;
            n++;
        }
    }
    json_object_put(seen);
    return all;
}

void doctor_variables_free(char **all)
{
    for (char **p = all; p && *p; p++)
        free(*p);
    free(all);
}

/* ---- all ---- */

void doctor_units(struct doctor *d)
{
    static const char *const services[] = {"state", "cti-gw", "fagi-gw", "http-gw", "federation"};

    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        add(d, services[i], NULL);
    add_gateways(d);
    for (size_t i = 0; i < d->n_units; i++)
        find_environment(d, &d->units[i]);
}

void doctor_units_free(struct doctor *d)
{
    for (size_t i = 0; i < d->n_units; i++)
        unit_free(&d->units[i].unit);
    free(d->units);
    d->units = NULL;
    d->n_units = 0;
}
