/* SPDX-License-Identifier: Apache-2.0
 * The HTTP/1.1 server: libmicrohttpd (epoll, a pool of threads) below, one struct call per request
 * above. It reads the whole request under its limits, hands it to the face that the listener
 * belongs to, and lets a call be parked while a change is on its way through the committer, so
 * that no thread waits. It knows nothing of faces beyond their table of functions.
 *
 * A call is owned by one thread at a time: the pool thread that runs handle() or resume(); while
 * parked, whoever parked it. Its arena dies with it, after the answer was queued. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/ip.h"
#include "http/cost.h"

struct http_server;
struct http_listener;
struct call;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };

/* What listens: a face and its limits. handle() is called on a pool thread once the request is
 * whole; it must end in exactly one call_answer() or call_park(). begin() is called when its headers are
 * there, and may answer, or say where the body is to go (call_set_sink); NULL: nothing is decided then.
 * reject() words the server's own refusals (413, 431, 408, 503 …) in the face's form; NULL: a short plain
 * text. */
struct http_face {
	const char *name; /* "ec2": in logs and metrics */
	void (*handle)(void *self, struct call *call);
	void (*reject)(void *self, struct call *call, int status, enum err why);
	size_t body_cap_size; /* over it: 413, without reading the rest */
	void (*begin)(void *self, struct call *call);
};

struct call {
	struct ctx ctx; /* arena, request id (a UUID's text), deadline */
	void *self;     /* the face's, from its listener */
	void *tag;      /* the listener's, from http_listen/http_adopt: which VPC, say */
	enum http_method method;
	struct str method_name;
	struct str path;  /* as sent, undecoded, without the query; begins with '/' */
	struct str query; /* as sent, without '?' */
	struct str body;
	struct ip peer; /* the client's address */
	uint16_t peer_port;
	bool is_tls;
	int64_t start_us;
	/* For the log line; set by the face and auth. */
	const char *action;
	struct str account_number;
	bool is_quiet;          /* no log line of its own: one of a flood, which is told in sum */
	void *face_data;        /* the face's own, usually in the arena */
	struct call_private *p; /* private: the server's side */
};

/* A body that is taken as it comes, for those too large to be held: call->body stays empty. In the call's
 * arena, or longer lived. */
struct call_sink {
	int64_t cap_size; /* over it: 413 */
	/* One piece, on the call's pool thread. After a failure nothing more is taken, and it waits for
	 * handle() in `result`, its words in the call's context. */
	RESULT (*take)(struct call_sink *sink, struct call *call, struct str piece);
	/* Once, when the call has ended, however it has: what nobody has taken over is to go. Any thread. */
	void (*end)(struct call_sink *sink);
	int64_t size;         /* taken so far */
	struct result result; /* of the first take() that failed */
};
/* From begin() only. A client that sends slower than 8 KiB a second, over the time that a request may
 * take, is cut off. */
void call_set_sink(struct call *c, struct call_sink *sink);

/* First value of a header, name in any letter case; empty when absent. */
struct str call_header(const struct call *c, const char *name);
/* All headers in the order sent, names as sent. */
RESULT call_each_header(struct call *c, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg);

/* Answer headers beyond Content-Type, Date, x-amzn-RequestId; before call_answer. Bad characters: ignored,
 * logged. */
void call_set_answer_header(struct call *c, const char *name, struct str value);
/* Forgets those set so far: the answer is to be another one. */
void call_drop_answer_headers(struct call *c);
/* How many hops what the connection sends from now on may travel (IP TTL, 1 to 255), until its next
 * request. False when the system refuses. */
bool call_set_hop_limit(struct call *c, int hops);
/* Queues the answer; takes the buffer's memory. With HEAD the body is left out. */
void call_answer(struct call *c, int status, const char *content_type, struct buf *body);

/* The same for a text in pieces, CALL_PIECES_MAX at most, none empty, that are not the call's alone: sent
 * from where they are, and readable until done(arg), which is called once, on any thread. */
enum { CALL_PIECES_MAX = 4 };
void call_answer_pieces(struct call *c, int status, const char *content_type, const struct str *pieces,
			size_t count, void (*done)(void *arg), void *arg);

/* The same for a text of that size that is put together while it is sent: read() writes what comes next,
 * which begins at `at`, as much as there is room for, and says how much that was, 1 at least. On the call's
 * pool thread, until done(arg) as above. */
void call_answer_read(struct call *c, int status, const char *content_type, uint64_t size,
		      ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		      void *arg);

/* The same for the first size bytes of a file, which the answer owns from now on. */
void call_answer_file(struct call *c, int status, const char *content_type, int fd, int64_t size);

/* What a connection becomes when it stops speaking HTTP; its owner's, and longer lived than the call. */
struct http_tunnel {
	/* Once, when the client was told, on a pool thread: fd is the connection's, early what came behind
	 * the request already. Until http_tunnel_close() the owner reads and writes there, and closes
	 * nothing. */
	void (*open)(struct http_tunnel *t, int fd, struct str early);
	/* Once, last, whether it was opened or not: the connection is gone. On a pool thread. */
	void (*end)(struct http_tunnel *t);
	void *handle; /* private */
};
/* Instead of an answer: 101 with that Upgrade, and the headers that were set. */
void call_upgrade(struct call *c, const char *protocol, struct http_tunnel *t);
/* After open(), once, on any thread; end() comes soon. All have to be closed before the server stops. */
void http_tunnel_close(struct http_tunnel *t);

/* Parks the connection; after call_wake() (any thread, once, also before call_park returned)
 * resume() runs on a pool thread and must answer or park again. */
void call_park(struct call *c, void (*resume)(struct call *c));
void call_wake(struct call *c);

struct http_config {
	unsigned thread_count;      /* 0: the number of processors */
	unsigned connection_max;    /* 0: 10,000 */
	unsigned per_address_max;   /* connections from one client address; 0: unlimited */
	int64_t idle_timeout_us;    /* keep-alive; 0: 65 s. Whole-request time limit: request_timeout_us */
	int64_t request_timeout_us; /* from first byte to whole request; 0: 30 s (slow writers: 408) */
	size_t header_cap_size;     /* 0: 32 KiB; over it: 431 */
};

/* Starts the acceptor; pools start with their first listener. ERR_NO_MEMORY, ERR_IO. */
RESULT http_server_new(struct ctx *c, const struct http_config *config, struct http_server **ret_server);
/* Stops accepting, lets answers in flight end for at most grace_us, closes. */
void http_server_stop(struct http_server *s, int64_t grace_us);
void http_server_free(struct http_server *s);
DEFINE_AUTO(http_server)

/* Where a listener listens: an address, or a socket that is listening already (socket
 * activation, a socket of another network namespace, a unix socket), which the server owns from
 * success on. */
struct http_where {
	struct ip ip;
	uint16_t port;
	int fd;                       /* > 0: this socket instead */
	struct str cert_pem, key_pem; /* TLS when given */
	void *tag;
};
/* A listening socket, for http_where.fd; port 0: the system chooses. ERR_IN_USE: the port is taken. */
RESULT http_bind(struct ctx *c, struct ip ip, uint16_t port, int *ret_fd);
uint16_t http_bound_port(int fd); /* of such a socket; 0: it has none */
RESULT http_listen(struct http_server *s, struct ctx *c, const struct http_face *face, void *self,
		   const struct http_where *where, struct http_listener **ret_listener);
/* The port it listens on (which the system chose when 0 was asked for); 0 for a unix socket. Any
 * thread, while it listens. */
uint16_t http_listener_port(const struct http_listener *l);
/* Stops one listener (a VPC that is going away); calls in flight end first. Not from a pool thread. */
void http_unlisten(struct http_server *s, struct http_listener *l);

struct http_figures {
	uint64_t requests, rejected;  /* since start */
	uint64_t by_status[6];        /* by hundreds: [2] is 2xx */
	unsigned connections, parked; /* now */
};
void http_read_figures(struct http_server *s, struct http_figures *ret_figures);
/* What actions cost the pool's threads, since start: cost_read(). */
size_t http_read_costs(const struct http_server *s, bool only_long, struct cost *ret_costs, size_t max);
