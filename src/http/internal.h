/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of the HTTP server. Three kinds of threads meet here:
 *
 *   the acceptor (accept.c)  one per server; accepts on every listener, hands connections to a
 *                            pool, and cuts those whose deadline has passed;
 *   pool threads (worker.c)  each runs a libmicrohttpd daemon; a connection stays on one of them for its
 *                            life;
 *   wakers of parked calls   mostly the committer.
 *
 * Lock order: server.listen_lock, server.table.lock, then the wake locks (park.c), then libmicrohttpd's
 * own. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/ceiling.h"
#include "base/uuid.h"
#include "http/cost.h"
#include "http/head.h"
#include "http/server.h"

/* State of a connection; tells the sweeper what its deadline means. */
enum conn_phase {
	CONN_IDLE,      /* between requests, no request line yet */
	CONN_READING,   /* request line received, the rest is awaited; libmicrohttpd sends nothing now */
	CONN_HANDLING,  /* in its face, or parked */
	CONN_ANSWERING, /* the answer is being sent */
	CONN_TUNNEL,    /* no longer speaks HTTP */
};

/* libmicrohttpd checks a request's head according to RFC 9112 from this version on. */
enum { MHD_VERSION_STRICT = 0x00097701 };

enum { CONN_NO_DEADLINE = 0, CONN_CUT = -1 };

struct conn {
	struct http_server *server;
	struct http_listener *listener;
	struct http_pool *pool;
	struct http_worker *worker;
	struct MHD_Connection *mhd;
	int fd;       /* owned by libmicrohttpd; while started, we may shut it down under the table's lock */
	bool started; /* libmicrohttpd has taken the connection; guarded by the table's lock */
	struct ip peer;
	uint16_t peer_port;
	struct http_local local;
	struct call *call;            /* present request; used by the pool thread */
	struct call *parked;          /* the call while suspended; guarded by the connection's wake lock */
	struct http_tunnel *tunnel;   /* the tunnel that the connection is, or becomes; used by the pool
				       * thread */
	bool hop_limited;             /* set by call_set_hop_limit(); used by the pool thread */
	_Atomic bool orphaned;        /* call belongs to its waker and must not be touched */
	_Atomic int phase;            /* written before deadline_us, which publishes it */
	_Atomic int64_t deadline_us;  /* on the scale of clock_monotonic_us(), or one of the two constants
				       * above */
	struct conn *next, *previous; /* in its bucket by address; guarded by the table's lock */
	uuid caller;        /* counts for this caller (share.c); none: for nobody yet. Guarded by the table's
			     * lock; the pool thread, which alone writes it, reads it without */
	bool is_in_reserve; /* accepted when only the administrators' places were left */
	struct conn *next_of_caller, *previous_of_caller; /* in its bucket by caller; guarded likewise */
};

enum { CONN_BUCKETS = 1024 };

/* All connections, by file descriptor and by client address. */
struct conn_table {
	pthread_mutex_t lock; /* guards the members below, except count, and connections' links */
	struct conn **by_fd;
	size_t capacity;
	struct conn *buckets[CONN_BUCKETS];
	struct conn *callers[CONN_BUCKETS]; /* by caller */
	struct ceiling ceiling;             /* of callers; most 0: none */
	_Atomic unsigned count;
};

struct new_connection {
	int fd;
	socklen_t size;
	struct sockaddr_storage address;
};

/* A thread with a libmicrohttpd daemon of its own (worker.c). */
struct http_worker {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	bool runs;
	bool has_served;          /* a request began since the thread last looked; used by the thread alone */
	_Atomic bool ended;       /* told to end; set by the thread that stops the server */
	int wake_fd;              /* wakes the thread: a connection is given or resumed, or the end */
	_Atomic bool is_woken;    /* the thread will look at all of these again */
	_Atomic unsigned wakers;  /* threads between worker_enter() and worker_leave() */
	_Atomic unsigned closing; /* tunnels that their owners have closed, and that are still there */
	pthread_mutex_t lock;     /* guards the next fields */
	struct new_connection *given;
	size_t given_count, given_capacity;
};

/* Workers with the same certificate, or those for plain text. */
struct http_pool {
	struct http_pool *next;
	struct http_worker *workers;
	unsigned worker_count;
	unsigned turn;            /* counts the connections given; used by the acceptor alone */
	char *cert_pem, *key_pem; /* NULL: plain text */
	bool is_retired;          /* unused since a renewal; guarded by the listen lock */
	_Atomic unsigned connection_count;
};

struct http_proxies;
struct http_listener {
	struct http_listener *next;
	struct http_server *server;
	struct http_pool *_Atomic
		pool; /* for new connections; atomic because http_renew() changes it while the acceptor
		       * reads it */
	const struct http_face *face;
	void *self, *tag;
	const struct http_proxies *_Atomic proxies; /* NULL: none */
	bool is_reserved;
	int fd;          /* -1 once closed */
	uint64_t number; /* identifies the listener in epoll events; never reused, unlike an address */
	_Atomic unsigned connection_count;
	_Atomic bool closing;
};

enum { ARENAS_KEPT_MAX = 64 };

struct http_server {
	struct http_config config; /* with the defaults filled in */
	struct conn_table table;

	pthread_mutex_t listen_lock; /* guards the next fields, up to the blank line */
	struct http_listener *listeners;
	struct http_pool *pools;
	uint64_t last_number;

	pthread_t acceptor;
	int epoll_fd, wake_fd;
	int spare_fd;            /* closed temporarily to refuse a client when descriptors have run out */
	_Atomic bool stopping;   /* no new connections; every answer closes its connection */
	_Atomic bool abandoning; /* the grace period is over: no more parking */
	_Atomic bool ended;      /* tells the acceptor to exit */
	bool accepting;          /* the acceptor is running */
	bool stopped;            /* http_server_stop() was called */

	pthread_mutex_t arena_lock; /* guards the next two: arenas of ended calls, for reuse */
	struct arena *arenas[ARENAS_KEPT_MAX];
	size_t arena_count;

	_Atomic uint64_t requests, rejected, by_status[6];
	_Atomic unsigned parked;
	struct cost_table costs;
};

struct answer_header {
	struct answer_header *next;
	const char *name, *value;
};

/* CALL_BEGUN: parked by begin(). */
enum call_stage { CALL_NEW, CALL_BEGUN, CALL_BODY, CALL_HANDLED };

/* State of parking, guarded by the call's wake lock. */
enum call_park_state {
	CALL_RUNNING, /* on its pool thread */
	CALL_WOKEN,   /* call_wake() came before the connection was suspended */
	CALL_SUSPENDED,
	CALL_ORPHANED, /* the server has stopped; the waker frees the call */
};

struct call_private {
	struct conn *conn;
	enum call_stage stage;
	enum call_park_state park_state;
	void (*resume)(struct call *call);
	bool is_inside;        /* no connection: internal_call.c */
	bool is_stream;        /* unlimited answer: stream.c */
	bool is_large;         /* the body is one of LARGE_BODIES_MAX (body_cap.h) */
	struct str raw_target; /* in libmicrohttpd's memory, which the parser modifies later */
	bool bad_target;       /* the target is not a path */
	bool is_told_early;    /* refused before its body was complete */
	bool has_chunks;       /* the HTTP version supports chunks */
	bool must_close;       /* the start of the next request is uncertain */
	/* The body came in chunks. libmicrohttpd takes a bare LF for a line end there, which a proxy in front may
	 * not, so that both could see the body's end at different places: nothing behind it is read. */
	bool is_chunked;
	bool lacks_header;     /* no memory for an answer header */
	size_t discarded_size; /* bytes dropped of an oversized body */
	const void *via;       /* via.h */
	struct call_sink *sink;
	int64_t sink_mark; /* size at which the sender's deadline is renewed */
	struct header *headers;
	size_t header_count;
	struct buf body;
	struct answer_header *answer_headers, **last_answer_header;
	struct MHD_Response *response;
	int status;
	size_t answer_size;
	int64_t longest_ns; /* longest run of its face (cost.h) */
};

/* conn.c */
void conn_table_done(struct conn_table *t); /* frees connections that libmicrohttpd never took */
/* ERR_QUOTA: over a limit. ERR_NO_MEMORY. Takes fd on success only. */
RESULT conn_add(struct http_listener *l, int fd, const struct sockaddr *address, struct conn **ret_conn);
/* libmicrohttpd has taken the connection on this descriptor; NULL: it is not in the table. Finds and marks it under one lock, because
 * the sweeper frees connections that are not started. */
struct conn *conn_start(struct http_worker *w, int fd, struct MHD_Connection *mhd);
void conn_remove(struct conn *conn);
/* Enters a phase with a deadline. False: the sweeper has cut the connection. */
bool conn_enter(struct conn *conn, enum conn_phase phase, int64_t deadline_us);
bool conn_set_hop_limit(struct conn *conn, int hops); /* -1: the system's default */
/* Cuts connections: those over their deadline, those without a request, or all; of one listener, or of all
 * (NULL). */
enum conn_sweep { SWEEP_LATE, SWEEP_IDLE, SWEEP_ALL };
void conn_sweep(struct http_server *s, enum conn_sweep what, const struct http_listener *only);
/* Resumes every parked call as an orphan. */
void conn_abandon_parked(struct http_server *s);

/* share.c: with the table's lock held. */
void share_leave(struct conn_table *t, struct conn *conn); /* the connection counts for nobody */
bool share_is_reserve(const struct conn_table *t);         /* only the administrators' places are left */

/* call.c: libmicrohttpd's callbacks. cls is the server. */
enum MHD_Result call_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
				const char *version, const char *data, size_t *data_size, void **call);
void *call_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
void call_on_completed(void *cls, struct MHD_Connection *mhd, void **call,
		       enum MHD_RequestTerminationCode how);
void call_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			enum MHD_ConnectionNotificationCode what);
void call_free(struct call *c); /* returns its arena to the server */
void call_end(struct call *c);  /* frees what the call holds besides its arena */

/* park.c */
enum park_answer { PARK_SUSPENDED, PARK_WOKEN, PARK_ORPHANED };
/* Suspends the connection, unless call_wake() came first or the server no longer waits. */
enum park_answer park_call(struct call *c);
bool park_is_suspended(const struct call *c);
void park_abandon(struct conn *conn);
/* Returns when no thread is inside call_wake() for a connection that was suspended before. */
void park_wait_for_wakers(void);

/* internal_call.c */
void internal_call_wake(struct call *c);
/* Takes over the body's memory. NULL: no body. */
void internal_call_answer(struct call *c, int status, struct buf *body);

/* answer.c */
/* Queues an answer of unknown size. False: out of memory; there is no answer. */
bool answer_stream(struct call *c, int status, const char *content_type, uint64_t size, size_t block,
		   ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		   void *arg);
void call_note_answer(struct http_server *s, int status);
/* Sends a short answer past libmicrohttpd, which cannot answer in the middle of a request; gives it a request
 * id of its own, which is logged. Only while libmicrohttpd sends nothing itself, and only in plain text.
 * more: header lines, each with its CRLF, or "". */
void answer_bare(struct http_server *s, int fd, int status, const char *reason, const char *more);

/* accept.c */
RESULT accept_start(struct http_server *s, struct ctx *c);
void accept_end(struct http_server *s);
void accept_nudge(struct http_server *s); /* wakes the acceptor */

/* worker.c */
/* The limit is of connections. Failure: libmicrohttpd refuses the certificate (ERR_INVALID), or descriptors,
 * memory or threads have run out (ERR_IO). */
RESULT worker_start(struct http_server *s, struct ctx *c, const struct http_pool *pool,
		    struct http_worker *ret_worker);
/* Ends the thread and closes its connections. */
void worker_stop(struct http_worker *w);
/* Surround a call that makes libmicrohttpd resume a connection. Any thread. Between the two the connection may
 * go; the worker stays. */
void worker_enter(struct http_worker *w);
void worker_leave(struct http_worker *w);
void worker_resume(const struct conn *conn); /* a suspended connection; it may be gone afterwards */
bool worker_give_connection(struct http_worker *w, int fd, const struct sockaddr *address, socklen_t size);

/* pool.c */
RESULT pool_find_or_start(struct http_server *s, struct ctx *c, const struct http_where *where,
			  struct http_pool **ret_pool);
/* Hands a connection to one of the pool's threads, which owns the descriptor then. False: out of memory. Only
 * the acceptor, with the listen lock held. */
bool pool_give_connection(struct http_pool *pool, int fd, const struct sockaddr *address, socklen_t size);
void pool_stop_all(struct http_server *s);
/* Stops pools retired by an earlier renewal once their last connection has gone. With the listen lock
 * held. */
void pool_stop_retired(struct http_server *s);
/* Blocks all signals, so that a thread started now inherits that: signals are handled by the program's main
 * thread. */
void pool_block_signals(sigset_t *ret_before);
void pool_restore_signals(const sigset_t *before);

/* Recycles arenas of calls, up to ARENAS_KEPT_MAX. Any thread; NULL: out of memory. */
struct arena *server_take_arena(struct http_server *s);
void server_give_arena(struct http_server *s, struct arena *a);
