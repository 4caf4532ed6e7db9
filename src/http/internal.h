/* SPDX-License-Identifier: Apache-2.0
 * What the files of the HTTP server share. Three kinds of thread meet here:
 *
 *   the acceptor (accept.c)  one per server; accepts on every listener, hands connections to a
 *                            pool, and sweeps those whose time is up;
 *   pool threads (call.c)    libmicrohttpd's; a connection stays with one of them for its life;
 *   whoever wakes a call     the committer, mostly.
 *
 * Locks, in the order they may be taken: server.listen_lock, server.table.lock. The wake locks
 * (park.c) come last, before libmicrohttpd's own only. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/cost.h"
#include "http/head.h"
#include "http/server.h"

/* Where a connection stands, for the sweeper: what its deadline means. */
enum conn_phase {
	CONN_IDLE,      /* between requests: no request line yet */
	CONN_READING,   /* a request line came, the rest is awaited: libmicrohttpd sends nothing now */
	CONN_HANDLING,  /* with its face, or parked */
	CONN_ANSWERING, /* the answer drains */
	CONN_TUNNEL,    /* it speaks no HTTP any more */
};

/* From this version on libmicrohttpd checks a request's head as RFC 9112 wants it. */
enum { MHD_VERSION_STRICT = 0x00097701 };

enum { CONN_NO_DEADLINE = 0, CONN_CUT = -1 };

struct conn {
	struct http_server *server;
	struct http_listener *listener;
	struct MHD_Connection *mhd;
	int fd;       /* libmicrohttpd's; ours to shut down under the table's lock while started */
	bool started; /* under the table's lock: libmicrohttpd has taken it */
	struct ip peer;
	uint16_t peer_port;
	struct http_local local;
	struct call *call;            /* the request at hand; its pool thread's */
	struct call *parked;          /* the same while suspended; the connection's wake lock */
	struct http_tunnel *tunnel;   /* that it becomes, or is; its pool thread's */
	bool hop_limited;             /* by call_set_hop_limit(); its pool thread's */
	_Atomic bool orphaned;        /* call is somebody else's now: not to be touched */
	_Atomic int phase;            /* written before deadline_us, which publishes it */
	_Atomic int64_t deadline_us;  /* clock_monotonic_us() scale, or one of the two above */
	struct conn *next, *previous; /* in its bucket by address; the table's lock */
};

enum { CONN_BUCKETS = 1024 };

/* Every connection, by file descriptor and by client address. */
struct conn_table {
	pthread_mutex_t lock;
	struct conn **by_fd;
	size_t capacity;
	struct conn *buckets[CONN_BUCKETS];
	_Atomic unsigned count;
};

/* A libmicrohttpd daemon: one for plain text, one for each certificate. */
struct http_pool {
	struct http_pool *next;
	struct MHD_Daemon *daemon;
	char *cert_pem, *key_pem; /* NULL: plain text */
	bool is_retired;          /* no listener has it since a renewal; the listen lock */
};

struct http_proxies;
struct http_listener {
	struct http_listener *next;
	struct http_server *server;
	struct http_pool *_Atomic
		pool; /* of the next connection: http_renew() changes it while the acceptor reads it */
	const struct http_face *face;
	void *self, *tag;
	const struct http_proxies *_Atomic proxies; /* NULL: none */
	bool is_reserved;
	int fd;          /* -1 once closed */
	uint64_t number; /* how epoll names it: never used twice */
	_Atomic unsigned connection_count;
	_Atomic bool closing;
};

enum { ARENAS_KEPT_MAX = 64 };

struct http_server {
	struct http_config config; /* with the defaults filled in */
	struct conn_table table;

	pthread_mutex_t listen_lock; /* over what follows, up to the blank line */
	struct http_listener *listeners;
	struct http_pool *pools;
	uint64_t last_number;

	pthread_t acceptor;
	int epoll_fd, wake_fd;
	int spare_fd;            /* given up for a moment to refuse a client when descriptors are used up */
	_Atomic bool stopping;   /* no new connections; every answer closes its connection */
	_Atomic bool abandoning; /* no parking any more: the grace is over */
	_Atomic bool ended;      /* the acceptor's word to leave */
	bool accepting;          /* the acceptor runs */
	bool stopped;            /* http_server_stop() has been here */

	pthread_mutex_t arena_lock;
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

enum call_stage { CALL_NEW, CALL_BODY, CALL_HANDLED };

/* Where parking stands, under the call's wake lock. */
enum call_park_state {
	CALL_RUNNING, /* its pool thread has it */
	CALL_WOKEN,   /* call_wake() came before the connection was suspended */
	CALL_SUSPENDED,
	CALL_ORPHANED, /* the server stopped; whoever wakes it frees it */
};

struct call_private {
	struct conn *conn;
	enum call_stage stage;
	enum call_park_state park_state;
	void (*resume)(struct call *call);
	bool is_inside;        /* it has no connection: inside.c */
	bool is_stream;        /* its answer ends when its owner says so: stream.c */
	struct str raw_target; /* in libmicrohttpd's memory, which takes it apart later */
	bool bad_target;       /* what was asked for is no path */
	bool is_told_early;    /* it was refused before its body had come */
	bool has_chunks;       /* its version of HTTP has them */
	bool must_close;       /* where the next request begins is not certain */
	bool lacks_header;     /* no memory for an answer header */
	size_t discarded_size; /* of a body that is too large */
	struct call_sink *sink;
	int64_t sink_mark; /* the size from which the sender gets its time anew */
	struct header *headers;
	size_t header_count;
	struct buf body;
	struct answer_header *answer_headers, **last_answer_header;
	struct MHD_Response *response;
	int status;
	size_t answer_size;
	int64_t longest_ns; /* run of its face (cost.h) */
};

/* conn.c */
void conn_table_done(struct conn_table *t); /* frees what libmicrohttpd never took */
/* ERR_QUOTA over a limit, ERR_NO_MEMORY. Takes fd only on success. */
RESULT conn_add(struct http_listener *l, int fd, const struct sockaddr *address, struct conn **ret_conn);
/* libmicrohttpd has taken the connection on this descriptor; NULL: it is not in the table. Finds and marks it under one lock, because
 * the sweeper frees connections that are not started. */
struct conn *conn_start(struct conn_table *t, int fd, struct MHD_Connection *mhd);
void conn_remove(struct conn *conn);
/* False when the sweeper has cut the connection meanwhile. */
bool conn_enter(struct conn *conn, enum conn_phase phase, int64_t deadline_us);
bool conn_set_hop_limit(struct conn *conn, int hops); /* -1: the system's own */
/* Cuts connections: those over their time, those without a request, or all; of one listener or,
 * with NULL, of every one. */
enum conn_sweep { SWEEP_LATE, SWEEP_IDLE, SWEEP_ALL };
void conn_sweep(struct http_server *s, enum conn_sweep what, const struct http_listener *only);
/* Resumes every parked call as an orphan. */
void conn_abandon_parked(struct http_server *s);

/* call.c: libmicrohttpd's callbacks. cls is the server. */
enum MHD_Result call_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
				const char *version, const char *data, size_t *data_size, void **call);
void *call_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
void call_on_completed(void *cls, struct MHD_Connection *mhd, void **call,
		       enum MHD_RequestTerminationCode how);
void call_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			enum MHD_ConnectionNotificationCode what);
void call_free(struct call *c); /* its arena goes back to the server */
void call_end(struct call *c);  /* what it holds besides its arena */

/* park.c */
enum park_answer { PARK_SUSPENDED, PARK_WOKEN, PARK_ORPHANED };
/* Suspends the connection, unless call_wake() came first or the server does not wait any more. */
enum park_answer park_call(struct call *c);
void park_abandon(struct conn *conn);
/* Returns when no thread is inside call_wake() with a connection that was suspended before. */
void park_wait_for_wakers(void);

/* inside.c */
void inside_wake(struct call *c);
/* Takes the body's memory. NULL: there is none. */
void inside_answer(struct call *c, int status, struct buf *body);

/* answer.c */
/* Queues an answer of unknown size. False: there was no memory, and there is no answer. */
bool answer_stream(struct call *c, const char *content_type, size_t block,
		   ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		   void *arg);
void call_note_answer(struct http_server *s, int status);
/* A short answer past libmicrohttpd, which can't answer in the middle of a request: with a request
 * id of its own, which is logged. Only while libmicrohttpd sends nothing itself, and only in plain
 * text. more: header lines, each with its CRLF, or "". */
void answer_bare(struct http_server *s, int fd, int status, const char *reason, const char *more);

/* accept.c */
RESULT accept_start(struct http_server *s, struct ctx *c);
void accept_end(struct http_server *s);
void accept_nudge(struct http_server *s); /* wakes the acceptor to look again */

/* pool.c */
RESULT pool_find_or_start(struct http_server *s, struct ctx *c, const struct http_where *where,
			  struct http_pool **ret_pool);
void pool_stop_all(struct http_server *s);
/* Ends pools that a renewal before this one has retired, once their last connection has gone. The listen lock is held. */
void pool_stop_retired(struct http_server *s);
/* Starts a thread with all signals blocked: signals belong to the program's main thread. */
void pool_block_signals(sigset_t *ret_before);
void pool_restore_signals(const sigset_t *before);

/* A call's arena, recycled: a bounded number of them wait for the next call. Any thread; NULL when
 * out of memory. */
struct arena *server_take_arena(struct http_server *s);
void server_give_arena(struct http_server *s, struct arena *a);
