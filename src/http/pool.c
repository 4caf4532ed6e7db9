/* SPDX-License-Identifier: Apache-2.0
 * Pools of workers. One pool serves all plain listeners; each certificate has one, because TLS settings
 * belong to a libmicrohttpd daemon. */
#include <signal.h>

#include "base/heap.h"
#include "http/internal.h"

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

static char *copy_pem(struct str pem)
{
	char *z = heap_alloc(pem.n + 1);
	if (z)
		memcpy(z, pem.p, pem.n);
	return z;
}

static void pool_free(struct http_pool *pool)
{
	for (unsigned k = 0; k < pool->worker_count; k++)
		worker_stop(&pool->workers[k]);
	heap_free(pool->workers);
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

static RESULT start_workers(struct http_server *s, struct ctx *c, struct http_pool *pool)
{
	pool->workers = heap_alloc_array(s->config.thread_count, sizeof(struct http_worker));
	if (!pool->workers)
		return ctx_no_memory(c);
	while (pool->worker_count < s->config.thread_count) {
		struct http_worker *w = &pool->workers[pool->worker_count];
		struct result r = worker_start(s, c, pool, w);
		if (!result_is_ok(r)) {
			worker_stop(w);
			return r;
		}
		pool->worker_count++;
	}
	return OK;
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
	struct result r = start_workers(s, c, pool);
	if (!result_is_ok(r)) {
		pool_free(pool);
		return r;
	}
	pool->next = s->pools;
	s->pools = pool;
	*ret_pool = pool;
	return OK;
}

bool pool_give_connection(struct http_pool *pool, int fd, const struct sockaddr *address, socklen_t size)
{
	unsigned turn = pool->turn++ % pool->worker_count;
	return worker_give_connection(&pool->workers[turn], fd, address, size);
}

void pool_stop_all(struct http_server *s)
{
	while (s->pools) {
		struct http_pool *pool = s->pools;
		s->pools = pool->next;
		pool_free(pool);
	}
}

void pool_stop_retired(struct http_server *s)
{
	for (struct http_pool **at = &s->pools; *at;) {
		struct http_pool *pool = *at;
		if (!pool->is_retired || pool->connection_count > 0) {
			at = &pool->next;
			continue;
		}
		*at = pool->next;
		pool_free(pool);
	}
}
