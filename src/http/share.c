/* SPDX-License-Identifier: Apache-2.0
 * Shares of connections: which caller each connection counts for. */
#include "http/share.h"

#include "http/internal.h"

void http_share_connections(struct http_server *s, const struct ceiling *ceiling)
{
	s->table.ceiling = *ceiling;
	s->table.ceiling.most = s->config.connection_max;
	if (!ceiling->of_one)
		s->table.ceiling.of_one = SIZE_MAX;
}

/* By the last two bytes of the id, which are random in all generated ids. */
static struct conn **bucket_of(struct conn_table *t, uuid who)
{
	return &t->callers[(who.b[14] << 8 | who.b[15]) % CONN_BUCKETS];
}

/* With the table's lock held. */
void share_leave(struct conn_table *t, struct conn *conn)
{
	if (uuid_is_none(conn->caller))
		return;
	if (conn->previous_of_caller)
		conn->previous_of_caller->next_of_caller = conn->next_of_caller;
	else
		*bucket_of(t, conn->caller) = conn->next_of_caller;
	if (conn->next_of_caller)
		conn->next_of_caller->previous_of_caller = conn->previous_of_caller;
	conn->next_of_caller = conn->previous_of_caller = NULL;
	conn->caller = UUID_NONE;
}

static size_t count_of(struct conn_table *t, uuid who, size_t most)
{
	size_t count = 0;
	for (const struct conn *c = most < SIZE_MAX ? *bucket_of(t, who) : NULL; c && count < most;
	     c = c->next_of_caller)
		count += uuid_equal(c->caller, who);
	return count;
}

static void join(struct conn_table *t, struct conn *conn, uuid who)
{
	struct conn **bucket = bucket_of(t, who);
	conn->caller = who;
	conn->next_of_caller = *bucket;
	if (conn->next_of_caller)
		conn->next_of_caller->previous_of_caller = conn;
	*bucket = conn;
}

bool share_is_reserve(const struct conn_table *t)
{
	return t->ceiling.reserve && t->count >= t->ceiling.most - t->ceiling.reserve;
}

bool call_take_share(struct call *c, uuid who, bool is_administrator)
{
	struct conn *conn = c->p->is_inside ? NULL : c->p->conn;
	if (!conn || !conn->server->table.ceiling.most || conn->listener->is_reserved || uuid_is_none(who))
		return true;
	bool is_in = uuid_equal(conn->caller, who) && (!conn->is_in_reserve || is_administrator);
	struct conn_table *t = &conn->server->table;
	if (!is_in) {
		(void) pthread_mutex_lock(&t->lock);
		share_leave(t, conn);
		size_t others = conn->is_in_reserve ? t->count - 1 : 0;
		is_in = ceiling_admits(&t->ceiling, others, count_of(t, who, t->ceiling.of_one),
				       is_administrator);
		if (is_in)
			join(t, conn, who);
		(void) pthread_mutex_unlock(&t->lock);
	}
	c->p->must_close = !is_in;
	if (!is_in)
		conn->server->rejected++;
	return is_in;
}
