/* The ctibus.json of the office, modelled on config/demo. */
#ifndef OFFICE_SITE_H
#define OFFICE_SITE_H

#include <json-c/json.h>

/* A tree of the caller's (json_object_put), or NULL without memory. */
struct json_object *site_new(void);

#endif
