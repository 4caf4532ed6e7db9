/* SPDX-License-Identifier: Apache-2.0
 * The HTTP/1.1 server: libmicrohttpd with epoll, in a pool of threads, below; one struct call per request above. It
 * reads a whole request within its limits and hands it to the listener's face. The face can park the call
 * while a change passes through the committer, so that no thread waits. The server knows faces only as tables
 * of functions.
 *
 * One thread owns a call at a time: the pool thread that runs handle() or resume() and, while the call is
 * parked, whoever parked it. The call's arena is freed when the answer was queued. */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/ip.h"
#include "http/cost.h"

struct http_server;
struct http_listener;
struct http_worker;
struct call;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };

/* A face as a listener sees it, with its limits. All functions run on a pool thread.
 *
 * begin() is called when the headers are complete. It may answer, or set a sink for the body
 * (call_set_sink()), and park the call before the body is read: resume() then answers, or lets the body come. May be NULL. handle() is called when the request is complete. It must end in exactly one
 * call_answer…() or call_park(). reject() renders the server's own refusals (413, 431, 408, 503 …) in the
 * face's format. NULL: short plain text. */
struct http_face {
	const char *name; /* for logs and metrics: "ec2" */
	void (*handle)(void *self, struct call *call);
	void (*reject)(void *self, struct call *call, int status, enum err why);
	size_t body_cap_size; /* bytes; a longer body is answered with 413 and not read to its end */
	void (*begin)(void *self, struct call *call);
};

/* Peer of a unix socket, as reported by the kernel. */
struct http_local {
	bool is_known; /* false: another kind of connection */
	uid_t uid;
	pid_t pid;
};

struct call {
	struct ctx ctx; /* arena, request id (a UUID as text), deadline */
	void *self;     /* the face, from its listener */
	void *tag;      /* http_where.tag of the listener, for example a VPC */
	enum http_method method;
	struct str method_name;
	struct str path;  /* as sent, not decoded, without the query; begins with '/' */
	struct str query; /* as sent, without '?' */
	struct str body;
	struct ip peer; /* address of the client */
	uint16_t peer_port;
	struct http_local local; /* peer process on a unix socket */
	bool is_tls;
	int64_t start_us;
	/* For the log line; set by the face and auth/. */
	const char *action;
	struct str account_number;
	bool is_quiet;          /* no log line of its own: one of many that are logged in sum */
	void *face_data;        /* for the face, usually in the arena */
	struct call_private *p; /* private */
};

/* Receives a body piece by piece, for bodies too large for memory; call->body stays empty. Lives in the
 * call's arena, or longer. */
struct call_sink {
	int64_t cap_size; /* bytes; a longer body is answered with 413 */
	/* Takes one piece, on the call's pool thread. After a failure it is not called again; handle() then
	 * finds the failure in `result`, and its message in the call's context. It may park the call, so that the client's
	 * next bytes wait in its connection; resume() then must neither answer nor park. */
	RESULT (*take)(struct call_sink *sink, struct call *call, struct str piece);
	/* Called once, on any thread, when the call has ended in any way. Releases what nobody has taken
	 * over. */
	void (*end)(struct call_sink *sink);
	int64_t size;         /* bytes taken so far */
	struct result result; /* first failure of take() */
};
/* Call it in begin() only. A client that sends slower than 8 KiB/s, beyond the request timeout, is cut
 * off. */
void call_set_sink(struct call *c, struct call_sink *sink);

/* First value of a header, whose name is compared ignoring case. Empty: absent. */
struct str call_header(const struct call *c, const char *name);
/* Calls each for all headers, in the order and with the names sent. Stops at the first failure and returns
 * it. */
RESULT call_each_header(struct call *c, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg);

/* Sets a header of the answer, before call_answer(). The server sets Content-Type, Date and x-amzn-RequestId.
 * A header with invalid characters is logged and omitted. */
void call_set_answer_header(struct call *c, const char *name, struct str value);
/* Removes the headers set so far, before another answer. */
void call_drop_answer_headers(struct call *c);
/* Limits the hops of the connection's packets until its next request (IP TTL, 1 to 255). False: refused by
 * the system. */
bool call_set_hop_limit(struct call *c, int hops);
/* Queues the answer and takes over the buffer's memory. The body is omitted for HEAD. */
void call_answer(struct call *c, int status, const char *content_type, struct buf *body);

/* Queues an answer of at most CALL_PIECES_MAX non-empty pieces, which may be shared with other threads. They
 * are sent without a copy and must stay readable until done(arg) is called, once, on any thread. */
enum { CALL_PIECES_MAX = 4 };
void call_answer_pieces(struct call *c, int status, const char *content_type, const struct str *pieces,
			size_t count, void (*done)(void *arg), void *arg);

/* Queues an answer of known size that is produced while it is sent. read() writes the next bytes, from
 * position `at`, up to `room`, and returns their number, at least 1. It runs on the call's pool thread, until
 * done(arg) is called as above. */
void call_answer_read(struct call *c, int status, const char *content_type, uint64_t size,
		      ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		      void *arg);

/* Queues the first size bytes of a file. Takes over fd. */
void call_answer_file(struct call *c, int status, const char *content_type, int fd, int64_t size);

/* A connection that stops speaking HTTP. Belongs to its owner and lives longer than the call. */
struct http_tunnel {
	/* Called once, on a pool thread, after the client was answered. fd is the connection's; early: bytes
	 * that the client sent behind the request. Until http_tunnel_close() the owner reads and writes fd,
	 * but does not close it. */
	void (*open)(struct http_tunnel *t, int fd, struct str early);
	/* Called once, last, on a pool thread, when the connection is gone, whether it was opened or not. */
	void (*end)(struct http_tunnel *t);
	void *handle;               /* private */
	struct http_worker *worker; /* private */
	_Atomic bool is_closing;    /* private: http_tunnel_close() was called, on any thread */
	int client_fd; /* private: the client's connection; with TLS, fd is the end of a socket pair */
};
/* Answers 101 with that Upgrade header and the headers set before, and turns the connection into a tunnel. */
void call_upgrade(struct call *c, const char *protocol, struct http_tunnel *t);
/* Ends a tunnel: call it once after open(), on any thread; end() follows soon. All tunnels must be closed
 * before the server stops. */
void http_tunnel_close(struct http_tunnel *t);

/* Parks the call. call_wake() is called once, on any thread, possibly before call_park() has returned. Then
 * resume() runs on a pool thread, and must answer or park again. */
void call_park(struct call *c, void (*resume)(struct call *c));
void call_wake(struct call *c);

struct http_config {
	unsigned thread_count;      /* 0: number of processors */
	unsigned connection_max;    /* 0: 10,000 */
	unsigned per_address_max;   /* connections from one client address; 0: no limit */
	int64_t idle_timeout_us;    /* limit of a kept-alive connection between requests; 0: 65 s */
	int64_t request_timeout_us; /* from the first byte to the complete request; 0: 30 s. Slower: 408 */
	size_t header_cap_size;     /* bytes; 0: 32 KiB. Larger: 431 */
};

/* Starts the acceptor. A pool starts with its first listener. ERR_NO_MEMORY, ERR_IO. */
RESULT http_server_new(struct ctx *c, const struct http_config *config, struct http_server **ret_server);
/* Stops accepting, lets answers in progress finish for at most grace_us, and closes. */
void http_server_stop(struct http_server *s, int64_t grace_us);
void http_server_free(struct http_server *s);
DEFINE_AUTO(http_server)

/* Place of a listener: an address, or a socket that already listens (socket activation, another network
 * namespace, a unix socket). The server owns that socket if the call succeeds. */
struct http_where {
	struct ip ip;
	uint16_t port;
	int fd;                       /* > 0: use this socket */
	struct str cert_pem, key_pem; /* PEM; enables TLS */
	void *tag;
	/* Accepts connections beyond connection_max: for a listener that strangers cannot reach, and which
	 * they must not be able to block. */
	bool is_reserved;
};
/* Creates a listening socket, for http_where.fd. Port 0: chosen by the system. ERR_IN_USE: the port is
 * taken. */
RESULT http_bind(struct ctx *c, struct ip ip, uint16_t port, int *ret_fd);
uint16_t http_bound_port(int fd); /* port of such a socket; 0: none */
RESULT http_listen(struct http_server *s, struct ctx *c, const struct http_face *face, void *self,
		   const struct http_where *where, struct http_listener **ret_listener);
/* Port of a listener (the chosen one, if 0 was requested); 0 for a unix socket. Any thread, while it
 * listens. */
uint16_t http_listener_port(const struct http_listener *l);
/* Stops one listener, for example of a VPC being deleted, after its calls have ended. Not on a pool
 * thread. */
void http_unlisten(struct http_server *s, struct http_listener *l);

struct http_figures {
	uint64_t requests, rejected;  /* since the start */
	uint64_t by_status[6];        /* by hundreds: [2] counts 2xx */
	unsigned connections, parked; /* now */
};
void http_read_figures(struct http_server *s, struct http_figures *ret_figures);
/* CPU cost of actions on pool threads since the start; see cost_read(). */
size_t http_read_costs(const struct http_server *s, bool only_long, struct cost *ret_costs, size_t max);
