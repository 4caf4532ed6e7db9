/* SPDX-License-Identifier: Apache-2.0
 * Pools: libmicrohttpd daemons without a listening socket, each with its epoll threads. One serves all plain
 * listeners; each certificate has one, because TLS settings belong to a daemon. */
#include <limits.h>
#include <signal.h>

#include "base/clock.h"
#include "base/heap.h"
#include "http/internal.h"

/* libmicrohttpd's memory per connection also holds the parsed headers, the answer's headers and a piece of
 * the body. */
enum {
	POOL_MEMORY_MORE = 16 * 1024,
	RESERVED_MAX = 64 /* reserved listeners' connections beyond connection_max */
};

static const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

void pool_block_signals(sigset_t *ret_before)
{
	sigset_t all;
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

void pool_restore_signals(const sigset_t *before)
{
	(void) pthread_sigmask(SIG_SETMASK, before, NULL);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, struct http_pool *pool)
{
	const struct http_config *config = &s->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
	/* the acceptor enforces the limit; libmicrohttpd divides its own among its threads */
	uint64_t limit = ((uint64_t) config->connection_max + RESERVED_MAX) * config->thread_count;
	unsigned idle_s = (unsigned) ((config->idle_timeout_us + SECOND - 1) / SECOND);
	struct MHD_OptionItem options[9] = {
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t) (limit > UINT_MAX ? UINT_MAX : limit), NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, idle_s, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t) config->header_cap_size + POOL_MEMORY_MORE,
		 NULL},
#if MHD_VERSION >= 0x00097701
		{MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
#else
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
#endif
	};
	size_t n = 4;
	if (config->thread_count > 1) /* one thread is the default without a pool */
		options[n++] =
			(struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, config->thread_count, NULL};
	if (pool->cert_pem) {
		flags |= MHD_USE_TLS;
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, pool->cert_pem};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, pool->key_pem};
		options[n++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) tls_priorities};
	}
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	sigset_t before;
	pool_block_signals(&before);
	struct MHD_Daemon *daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, call_on_request, s, MHD_OPTION_URI_LOG_CALLBACK, call_on_uri, s,
		MHD_OPTION_NOTIFY_COMPLETED, call_on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
		call_on_connection, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	pool_restore_signals(&before);
	return daemon;
}

static char *copy_pem(struct str pem)
{
	char *z = heap_alloc(pem.n + 1);
	if (z)
		memcpy(z, pem.p, pem.n);
	return z;
}

static void pool_free(struct http_pool *pool)
{
	if (pool->key_pem)
		explicit_bzero(pool->key_pem, strlen(pool->key_pem));
	heap_free(pool->key_pem);
	heap_free(pool->cert_pem);
	heap_free(pool);
}

static bool pool_fits(const struct http_pool *pool, const struct http_where *where)
{
	if (str_is_empty(where->cert_pem))
		return !pool->cert_pem;
	return pool->cert_pem && str_is(where->cert_pem, pool->cert_pem) &&
	       str_is(where->key_pem, pool->key_pem);
}

RESULT pool_find_or_start(struct http_server *s, struct ctx *c, const struct http_where *where,
			  struct http_pool **ret_pool)
{
	for (struct http_pool *pool = s->pools; pool; pool = pool->next)
		if (pool_fits(pool, where)) {
			*ret_pool = pool;
			return OK;
		}
	struct http_pool *pool = heap_new(struct http_pool);
	if (!pool)
		return ctx_no_memory(c);
	bool is_tls = !str_is_empty(where->cert_pem);
	if (is_tls) {
		pool->cert_pem = copy_pem(where->cert_pem);
		pool->key_pem = copy_pem(where->key_pem);
		if (!pool->cert_pem || !pool->key_pem) {
			pool_free(pool);
			return ctx_no_memory(c);
		}
	}
	pool->daemon = start_daemon(s, pool);
	if (!pool->daemon) {
		pool_free(pool);
		return is_tls ? ctx_fail(c, ERR_INVALID, "the certificate or its key can't be used for TLS")
			      : ctx_fail(c, ERR_IO, "the HTTP server's threads can't be started");
	}
	pool->next = s->pools;
	s->pools = pool;
	*ret_pool = pool;
	return OK;
}

void pool_stop_all(struct http_server *s)
{
	while (s->pools) {
		struct http_pool *pool = s->pools;
		s->pools = pool->next;
		MHD_stop_daemon(pool->daemon);
		pool_free(pool);
	}
}

static bool has_connections(const struct http_pool *pool)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(pool->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	return !info || info->num_connections > 0;
}

void pool_stop_retired(struct http_server *s)
{
	for (struct http_pool **at = &s->pools; *at;) {
		struct http_pool *pool = *at;
		if (!pool->is_retired || has_connections(pool)) {
			at = &pool->next;
			continue;
		}
		*at = pool->next;
		MHD_stop_daemon(pool->daemon);
		pool_free(pool);
	}
}
