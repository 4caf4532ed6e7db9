/* SPDX-License-Identifier: Apache-2.0
 * Checks that the server's settings keep what it confirms. pg_amcheck checks the structure of tables. */
#include "store/postgresql_internal.h"

enum { FSYNC, FULL_PAGE_WRITES, ENCRYPTED, LOCAL };

/* A TCP connection between different addresses crosses a network. */
static const char settings_sql[] =
	"SELECT current_setting('fsync'), current_setting('full_page_writes'),"
	" coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)::text,"
	" (inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr())::text";

struct checking {
	struct ctx *c;
	const char *name;
};

static RESULT take_settings(void *arg, const PGresult *row)
{
	const struct checking *checking = arg;
	if (!str_is(postgresql_bytes(row, FSYNC), "on"))
		return ctx_fail(checking->c, ERR_STATE,
				"the server of %s has fsync off: a power failure loses confirmed changes",
				checking->name);
	if (!str_is(postgresql_bytes(row, FULL_PAGE_WRITES), "on"))
		return ctx_fail(checking->c, ERR_STATE,
				"the server of %s has full_page_writes off: a power failure may damage it",
				checking->name);
	if (!str_is(postgresql_bytes(row, ENCRYPTED), "true") &&
	    !str_is(postgresql_bytes(row, LOCAL), "true"))
		return ctx_fail(checking->c, ERR_STATE,
				"the connection to %s crosses a network without TLS: set sslmode=verify-full",
				checking->name);
	return OK;
}

RESULT postgresql_check(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	struct checking checking = {.c = c, .name = self->name};
	return postgresql_read(self, c, settings_sql, 0, NULL, take_settings, &checking);
}
