/* What is wrong with a site, as `ctibus doctor` and `ctibus setup` tell it. */
#ifndef CTIBUS_TOOL_FINDINGS_H
#define CTIBUS_TOOL_FINDINGS_H

#include <stdbool.h>
#include <stdio.h>

struct json_object;

/* note: worth knowing; nothing need be done. warning: a part does not work, or soon will not.
 * fault: people notice. */
enum finding_level { FINDING_note, FINDING_warning, FINDING_fault, FINDING_LEVELS };

struct findings {
    struct json_object *list; /* of objects: id, level, what, why, remedy */
    unsigned count[FINDING_LEVELS];
};

void findings_init(struct findings *f);
void findings_free(struct findings *f);
/* id: for scripts, "ami.login". what: a sentence without a point; why: why it matters, and remedy:
 * what to do, as sentences; the last may have several lines. */
void findings_add(struct findings *f, enum finding_level level, const char *id, const char *why,
                  const char *remedy, const char *what, ...) __attribute__((format(printf, 6, 7)));
bool findings_have(const struct findings *f, const char *id);
/* Those whose ids are GROUP.NAME, and that differ in `NAME` alone, become one of the id GROUP, of
 * the worst level; its reason has a line for each. One that is alone stays. */
void findings_join(struct findings *f, const char *group);
/* Both print the faults first, then warnings, then notes. As text, those of at least this level;
 * and as a line of JSON each. */
void findings_print(const struct findings *f, FILE *to, enum finding_level least);
void findings_print_json(const struct findings *f, FILE *to);
const char *finding_level_name(enum finding_level level);

#endif
