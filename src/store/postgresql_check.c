/* SPDX-License-Identifier: Apache-2.0
 * Checks that the server's settings keep what it confirms, and that no second server of the URL takes changes. pg_amcheck checks
 * the structure of tables. */
#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "store/postgresql_internal.h"

/* ---- settings ---- */

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

/* ---- other servers ----
 *
 * Two servers of one URL both take writes after a former primary was started again beside the new one. libpq takes
 * the first of them, which may be the older one, so a process does not become the writer while they differ. Servers of a
 * system that writes everywhere, and one server with two names, say the same and may both be named. */

enum { SERVERS_MAX = 8, PAUSE_MS = 100, LOOKS = 3, ANSWER_MS = 1000 };
/* A server that takes longer is not waited for: a take-over would take longer whenever a machine is lost. */
static const int64_t CONNECT_US = SECOND / 2;
static const char fence_sql[] = "SELECT epoch, batch FROM writer WHERE one = 1";

struct server {
	const char *host, *port; /* as in the URL */
	PGconn *db;
	PostgresPollingStatusType wants;
};

struct servers {
	struct server all[SERVERS_MAX];
	size_t count;
};

static void servers_done(struct servers *s)
{
	for (size_t n = 0; n < s->count; n++)
		PQfinish(s->all[n].db);
	s->count = 0;
}

static struct str option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0 && options->val)
			return str_from(options->val);
	return STR_NONE;
}

/* The URL's servers but for the one that is connected. A single port is that of all hosts, as in libpq. */
static RESULT take_servers(struct postgresql *self, struct ctx *c, struct servers *s)
{
	PQconninfoOption *options = PQconninfoParse(self->url, NULL);
	if (!options)
		return ctx_no_memory(c);
	struct str hosts = str_copy(c->arena, option(options, "host")), host = STR_NONE, port = STR_NONE;
	struct str ports = str_copy(c->arena, option(options, "port"));
	bool is_one_port = !str_contains(ports, STR(","));
	PQconninfoFree(options);
	while (s->count < SERVERS_MAX && str_split_next(&hosts, ',', &host)) {
		if (s->count == 0 || !is_one_port)
			(void) str_split_next(&ports, ',', &port);
		struct server *server = &s->all[s->count];
		*server = (struct server){str_to_z(c->arena, host), str_to_z(c->arena, port), NULL,
					  PGRES_POLLING_FAILED};
		if (!server->host || !server->port)
			return ctx_no_memory(c);
		bool is_connected = strcmp(server->host, PQhost(self->db)) == 0 &&
				    (!*server->port || strcmp(server->port, PQport(self->db)) == 0);
		s->count += !is_connected;
	}
	return OK;
}

static void begin_connecting(const struct postgresql *self, struct server *server)
{
	static const char *const words[] = {"target_session_attrs", "dbname", "host", "hostaddr", "port",
					    "client_encoding",      NULL};
	const char *const values[] = {"read-write", self->url, server->host, "", server->port, "UTF8", NULL};
	server->db = PQconnectStartParams(words, values, 1);
	server->wants = server->db && PQstatus(server->db) != CONNECTION_BAD ? PGRES_POLLING_WRITING
									     : PGRES_POLLING_FAILED;
}

static bool is_connecting(const struct server *server)
{
	return server->wants == PGRES_POLLING_READING || server->wants == PGRES_POLLING_WRITING;
}

/* Waits for news of one of them. False: none is connecting any more, or the time is over. */
static bool connect_further(struct servers *s, int64_t until_us)
{
	struct pollfd fds[SERVERS_MAX];
	size_t connecting = 0;
	int64_t left_us = until_us - clock_monotonic_us();
	for (size_t n = 0; n < s->count; n++) {
		bool waits = is_connecting(&s->all[n]);
		fds[n] = (struct pollfd){.fd = waits ? PQsocket(s->all[n].db) : -1,
					 .events =
						 s->all[n].wants == PGRES_POLLING_READING ? POLLIN : POLLOUT};
		connecting += waits;
	}
	if (!connecting || left_us <= 0 || poll(fds, s->count, (int) (left_us / MILLISECOND) + 1) < 0)
		return false;
	for (size_t n = 0; n < s->count; n++)
		if (fds[n].fd >= 0 && fds[n].revents)
			s->all[n].wants = PQconnectPoll(s->all[n].db);
	return true;
}

/* A server without the table does not have this region's database. */
static bool read_fence(PGconn *db, int64_t ret_fence[2])
{
	AUTO_PGRESULT row = PQsendQueryParams(db, fence_sql, 0, NULL, NULL, NULL, NULL, 1)
				    ? postgresql_await(db, ANSWER_MS)
				    : NULL;
	if (PQresultStatus(row) != PGRES_TUPLES_OK || PQntuples(row) != 1)
		return false;
	ret_fence[0] = postgresql_int(row, 0);
	ret_fence[1] = postgresql_int(row, 1);
	return true;
}

/* Several looks, because a writer may commit between the two reads of one. */
static RESULT compare(struct postgresql *self, struct ctx *c, const struct server *server)
{
	int64_t own[2] = {0}, other[2] = {0};
	for (int looks = 0; looks < LOOKS; looks++) {
		if (!read_fence(server->db, other) || !read_fence(self->db, own) ||
		    memcmp(own, other, sizeof own) == 0)
			return OK;
		(void) poll(NULL, 0, PAUSE_MS);
	}
	return ctx_fail(
		c, ERR_IN_USE,
		"two servers of the database %s take changes, and they differ: %s:%s is at commit %" PRId64
		" of epoch %" PRId64 ", %s:%s at commit %" PRId64 " of epoch %" PRId64
		". End the one that is not the primary",
		self->name, PQhost(self->db), PQport(self->db), own[1], own[0], PQhost(server->db),
		PQport(server->db), other[1], other[0]);
}

static RESULT check_servers(struct postgresql *self, struct ctx *c, struct servers *s)
{
	TRY(take_servers(self, c, s));
	for (size_t n = 0; n < s->count; n++)
		begin_connecting(self, &s->all[n]);
	int64_t until_us = clock_monotonic_us() + CONNECT_US;
	while (connect_further(s, until_us))
		;
	for (size_t n = 0; n < s->count; n++)
		if (s->all[n].wants == PGRES_POLLING_OK)
			TRY(compare(self, c, &s->all[n]));
	return OK;
}

RESULT postgresql_check_rivals(struct postgresql *self, struct ctx *c)
{
	struct servers s = {.count = 0};
	struct result r = check_servers(self, c, &s);
	servers_done(&s);
	return r;
}
