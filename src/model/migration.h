/* SPDX-License-Identifier: Apache-2.0
 * The schema's history, for the SQL drivers. A database says which version it is of; one that is
 * older is brought up by running every migration above its version, in order, each with its new
 * version number in one transaction, and then each kind's create_sql, which makes what is still
 * absent. A new database needs only the latter. One that is newer is refused. Immutable tables
 * made by tools/schema.py from schema/migrations/; any thread. */
#pragma once

struct migration {
	unsigned version; /* the version it leads to, 2 or more */
	const char *sql;  /* statements ended by semicolons */
};

extern const unsigned model_schema_version;       /* what this program writes */
extern const struct migration model_migrations[]; /* by version; ended by one whose sql is NULL */
