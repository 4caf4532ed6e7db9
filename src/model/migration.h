/* SPDX-License-Identifier: Apache-2.0
 * The schema's history, for SQL drivers. A database stores its version. An older one is migrated: every
 * migration above its version runs in order, each in one transaction that also sets the version number. Then
 * each kind's create_sql creates what is still missing; a new database needs only that. A newer one is
 * refused. tools/schema.py generates these constant tables from schema/migrations/. Any thread. */
#pragma once

struct migration {
	unsigned version; /* version after the migration, 2 or more */
	const char *sql;  /* statements, each ended by a semicolon */
};

/* A version without a migration only adds to the one before (store/level.h). */
extern const unsigned model_schema_version;       /* the version that this program uses */
extern const struct migration model_migrations[]; /* by version; the last has sql NULL */
