/* Certificates that expire, and the database. */
#include <errno.h>
#include <libgen.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/pg_uri.h"
#include "database/db.h"
#include "doctor.h"
#include "json/json.h"

#define LITTLE_MIB 100

/* ---- certificates ---- */

/* Days until the first (of a chain) or the last (of CAs) certificate of a file expires. False:
 * there is none, which --check has told. */
static bool days_left(const char *path, bool last, int *out)
{
    FILE *f = fopen(path, "re");
    bool any = false;
    X509 *cert;

    if (!f)
        return false;
    while ((cert = PEM_read_X509(f, NULL, NULL, NULL))) {
        int days = 0;
        int seconds = 0;
        if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert))) {
            if (days == 0 && seconds < 0)
                days = -1;
            if (!any || (last ? days > *out : days < *out))
                *out = days;
            any = true;
        }
        X509_free(cert);
    }
    fclose(f);
    return any;
}

const char *doctor_days(int days, char out[48])
{
    int n = days < 0 ? -days : days;

    if (days == 0)
        snprintf(out, 48, "expires within a day");
    else
        snprintf(out, 48, days < 0 ? "has expired %d day%s ago" : "expires in %d day%s", n,
                 n == 1 ? "" : "s");
    return out;
}

static void one(struct doctor *d, const char *key, struct view name, bool is_ca)
{
    char text[48];
    char *path = name.len ? config_path(d->cfg, name) : NULL;
    int days = 0;

    if (path && days_left(path, is_ca, &days) && days < DOCTOR_SOON_DAYS)
        findings_add(&d->f, days < 0 ? FINDING_fault : FINDING_warning, "certificate.expires",
                     is_ca ? "With it the other side's certificate is no longer believed."
                           : "Clients and browsers refuse the connection then.",
                     is_ca ? "Put the new one into the file."
                           : "Renew it; SIGHUP makes cti-gw take it.",
                     "%s (%s) %s", path, key, doctor_days(days, text));
    free(path);
}

static struct view text_at(struct doctor *d, const char *key)
{
    const char *text = config_str(d->cfg, key);

    return view_cstr(text ? text : "");
}

static void certificates(struct doctor *d)
{
    static const char *const of_ipbx[] = {"ipbx_connection", "cti_connection"};
    struct json_object *ipbxes = config_section(d->cfg, "ipbxes");
    char key[256];

    one(d, "certfile", text_at(d, "certfile"), false);
    one(d, "ctibus.lists_ca", text_at(d, "ctibus.lists_ca"), true);
    one(d, "ctibus.auth.ldap.ca", text_at(d, "ctibus.auth.ldap.ca"), true);
    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, section)
    {
        for (int i = 0; i < 2; i++) {
            snprintf(key, sizeof(key), "ipbxes.%.100s.%s.tls_ca", name, of_ipbx[i]);
            one(d, key, json_get_view(json_get_object(section, of_ipbx[i]), "tls_ca"), true);
        }
    }
}

/* ---- the database ---- */

static void database_server(struct doctor *d, const char *uri)
{
    char name[400];
    char why[400];

    if (db_probe(uri, name, why, sizeof(name)) < 0)
        findings_add(&d->f, FINDING_fault, "database.server",
                     "state does not start, or keeps neither settings nor the history of calls.",
                     "Correct ctibus.database, or have the server let its user in "
                     "(docs/postgresql.md).",
                     "%s: %s", name, why);
}

static void database(struct doctor *d)
{
    struct statvfs fs;
    const char *folder;
    char *path = config_database(d->cfg);
    char *copy = path && !pg_uri_is(view_cstr(path)) ? strdup(path) : NULL;
    bool there;

    if (!copy) {
        if (path)
            database_server(d, path);
        free(path);
        return;
    }
    there = access(path, F_OK) == 0;
    folder = dirname(copy);
    if (!doctor_database_access(d, path, folder) &&
        ((there && access(path, W_OK) < 0) || access(folder, W_OK) < 0))
        findings_add(&d->f, FINDING_fault, "database.write",
                     "state does not start, or keeps neither settings nor the history of calls.",
                     "Make the folder and the file writable for the user that state runs as, or "
                     "name others in ctibus.database.",
                     "%s: %s", path, strerror(errno));
    else if (statvfs(folder, &fs) == 0 &&
             (double)fs.f_bavail * (double)fs.f_frsize < LITTLE_MIB * 1048576.0)
        findings_add(&d->f, FINDING_warning, "database.space",
                     "When the disk is full, changes of users are refused.",
                     "Make room, or move it: ctibus.database.",
                     "%s: less than %d MiB are free on its disk", path, LITTLE_MIB);
    free(copy);
    free(path);
}

void doctor_files(struct doctor *d)
{
    certificates(d);
    database(d);
}
