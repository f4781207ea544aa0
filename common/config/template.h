/* Texts of the configuration with variables in them: "{family-name}", a family of small letters and
 * a name of anything but braces. Other braces are text. */
#ifndef CTIBUS_CONFIG_TEMPLATE_H
#define CTIBUS_CONFIG_TEMPLATE_H

#include "base/view.h"

/* A stretch of text and the variable that follows it; either may be empty. */
struct template_part {
    struct view text;
    struct view family, name; /* empty at the end: no variable follows */
};

/* The next part of *rest, which is moved behind it; false at the end. */
bool template_next(struct view *rest, struct template_part *part);

#endif
