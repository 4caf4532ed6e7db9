/* SPDX-License-Identifier: Apache-2.0
 * Parks a call and wakes it from another thread.
 *
 * call_park() only records what to run later. After handle() or resume() has returned, park_call() suspends
 * the connection in libmicrohttpd, unless call_wake() came first; then the pool thread simply continues. A
 * wake lock (one of a few, chosen by the connection's address) serialises the two, so no wake-up is lost. The
 * locks are static so that waking never touches a server that may be gone: at stop, calls that nobody has
 * woken become orphans, which their waker frees. */
#include "http/internal.h"

enum { WAKE_LOCKS = 16 };
static pthread_mutex_t wake_locks[WAKE_LOCKS] = {[0 ... WAKE_LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

static pthread_mutex_t *wake_lock_of(const struct conn *conn) /* uses only the pointer's value */
{
	return &wake_locks[((uintptr_t) conn >> 6) % WAKE_LOCKS];
}

void call_park(struct call *c, void (*resume)(struct call *c))
{
	c->p->resume = resume;
}

enum park_answer park_call(struct call *c)
{
	struct call_private *p = c->p;
	struct conn *conn = p->conn;
	enum park_answer answer = PARK_SUSPENDED;
	pthread_mutex_t *lock = wake_lock_of(conn);
	(void) pthread_mutex_lock(lock);
	if (p->park_state == CALL_WOKEN) {
		p->park_state = CALL_RUNNING;
		answer = PARK_WOKEN;
	} else if (conn->server->abandoning) {
		p->park_state = CALL_ORPHANED; /* the waker may free c as soon as we unlock */
		answer = PARK_ORPHANED;
	} else {
		MHD_suspend_connection(conn->mhd);
		p->park_state = CALL_SUSPENDED;
		conn->parked = c;
		conn->server->parked++;
	}
	(void) pthread_mutex_unlock(lock);
	return answer;
}

bool park_is_suspended(const struct call *c)
{
	pthread_mutex_t *lock = wake_lock_of(c->p->conn);
	(void) pthread_mutex_lock(lock);
	bool is_suspended = c->p->park_state == CALL_SUSPENDED;
	(void) pthread_mutex_unlock(lock);
	return is_suspended;
}

/* With the wake lock held. */
static void park_resume(struct conn *conn)
{
	conn->parked = NULL;
	conn->server->parked--;
	worker_resume(conn);
}

void call_wake(struct call *c)
{
	struct call_private *p = c->p;
	bool is_ours = false;
	if (p->is_inside) {
		internal_call_wake(c);
		return;
	}
	pthread_mutex_t *lock = wake_lock_of(p->conn);
	(void) pthread_mutex_lock(lock);
	switch (p->park_state) {
	case CALL_RUNNING:
		p->park_state = CALL_WOKEN;
		break;
	case CALL_SUSPENDED:
		p->park_state = CALL_RUNNING;
		park_resume(p->conn);
		break;
	case CALL_ORPHANED:
		is_ours = true;
		break;
	case CALL_WOKEN: /* woken twice: a mistake of the caller, harmless here */
		break;
	}
	(void) pthread_mutex_unlock(lock);
	if (is_ours) {
		call_end(c);
		arena_free(c->ctx.arena);
	}
}

void park_abandon(struct conn *conn)
{
	pthread_mutex_t *lock = wake_lock_of(conn);
	(void) pthread_mutex_lock(lock);
	if (conn->parked) {
		conn->parked->p->park_state = CALL_ORPHANED;
		conn->orphaned = true;
		park_resume(conn);
	}
	(void) pthread_mutex_unlock(lock);
}

void park_wait_for_wakers(void)
{
	for (size_t k = 0; k < WAKE_LOCKS; k++) {
		(void) pthread_mutex_lock(&wake_locks[k]);
		(void) pthread_mutex_unlock(&wake_locks[k]);
	}
}
