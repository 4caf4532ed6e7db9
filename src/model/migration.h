/* SPDX-License-Identifier: Apache-2.0
 * The history of the schema, for SQL drivers. A database records its version. An older one is
 * migrated: every migration above its version runs in order, each in one transaction with its new
 * version number, and then each kind's create_sql, which creates what is still missing. A new
 * database needs only the latter. A newer one is refused. tools/schema.py makes these constant
 * tables from schema/migrations/. Any thread. */
#pragma once

struct migration {
	unsigned version; /* the version it leads to, 2 or more */
	const char *sql;  /* statements ended by semicolons */
};

extern const unsigned model_schema_version;       /* what this program writes */
extern const struct migration model_migrations[]; /* by version; ended by one whose sql is NULL */
