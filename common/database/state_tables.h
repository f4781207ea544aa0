/* The tables of state; `ctibus migrate` copies them, too. */
#ifndef CTIBUS_DATABASE_STATE_TABLES_H
#define CTIBUS_DATABASE_STATE_TABLES_H

#include "database/db.h"

extern const struct db_schema state_schema;

#endif
