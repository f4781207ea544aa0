/* The tables of state. */
#ifndef CTIBUS_STATE_DATABASE_SCHEMA_H
#define CTIBUS_STATE_DATABASE_SCHEMA_H

#include "database/db.h"

extern const struct db_schema state_schema;

#endif
