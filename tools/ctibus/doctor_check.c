/* What the services say of the configuration and of the lists. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "doctor.h"
#include "svc/svc.h"

#define MAX_LINES 100

static bool is_told(const struct buf *all, struct view line)
{
    return view_find(buf_view(all), line) >= 0;
}

/* Of the configuration or a key of ours, or of a list that it names, which state alone reads? */
static bool is_of_configuration(const struct doctor *d, const char *service, struct view line)
{
    size_t n = strlen(d->t->config);

    return strcmp(service, "state") != 0 || view_starts(line, VIEW("environment")) ||
           view_find(line, VIEW(": ctibus.")) >= 0 ||
           (view_starts(line, view_cstr(d->t->config)) && line.len > n && line.ptr[n] == ':');
}

static void tell(struct doctor *d, const char *service, int rc, struct view line)
{
    bool of_lists = (rc == SVC_EXIT_BAD_CONFIG || rc == SVC_EXIT_BAD_FILES) &&
                    !is_of_configuration(d, service, line);

    if (of_lists)
        findings_add(&d->f, FINDING_fault, "lists",
                     "The services start, and what is wrong there is missing, or is not as it is "
                     "meant.",
                     "Correct it, then: ctibus check\nWhere state runs: ctibus reload",
                     "ctibus-%s: %.*s", service, VIEW_ARG(line));
    else if (rc == SVC_EXIT_STOPPED || rc == SVC_EXIT_BAD_FILES)
        findings_add(&d->f, FINDING_note, "config", "", "", "ctibus-%s: %.*s", service,
                     VIEW_ARG(line));
    else
        findings_add(&d->f, FINDING_fault, "config", "The service does not start.",
                     "Correct it, then: ctibus check", "ctibus-%s: %.*s", service, VIEW_ARG(line));
}

/* Several services say the same of one file. */
static void each_line(struct doctor *d, const char *service, int rc, struct view text)
{
    unsigned n = 0;

    while (text.len && n < MAX_LINES) {
        struct view line = view_trim(view_cut(&text, '\n'));
        if (line.len == 0 || view_eq(line, VIEW("configuration ok")) || is_told(&d->said, line))
            continue;
        n++;
        tell(d, service, rc, line);
        buf_append_view(&d->said, line);
        buf_append_char(&d->said, '\n');
    }
}

void doctor_check(struct doctor *d)
{
    static const char *const services[] = TOOL_SERVICES;
    unsigned found = 0;
    struct buf out;

    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        int rc;
        doctor_progress(d, "the configuration");
        buf_reset(&out);
        rc = tool_check(services[i], d->t->config, doctor_environment(d, services[i]), &out);
        found += rc != -ENOENT;
        if (rc == -ETIMEDOUT)
            findings_add(&d->f, FINDING_fault, "config.slow", "A start would take as long.",
                         "Are files of the configuration on a network that is down?",
                         "ctibus-%s --check does not end", services[i]);
        else if (rc != -ENOENT)
            each_line(d, services[i], rc, buf_view(&out));
    }
    if (found == 0)
        findings_add(&d->f, FINDING_warning, "config.unchecked", "Nobody has checked the lists.",
                     "Run it on the machine of the services.",
                     "there are no services beside this program");
    buf_free(&out);
}
