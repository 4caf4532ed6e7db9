/* SPDX-License-Identifier: Apache-2.0
 * The HTTP/1.1 server: libmicrohttpd (epoll, a pool of threads) below, one struct call for each
 * request above. It reads a whole request under its limits and hands it to the face that the
 * listener belongs to. The face can park the call while a change is on its way through the
 * committer, so that no thread waits. Of faces the server knows only their table of functions.
 *
 * One thread owns a call at a time: the pool thread that runs handle() or resume(), and while the
 * call is parked, whoever parked it. The call's arena is freed after the answer was queued. */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/ip.h"
#include "http/cost.h"

struct http_server;
struct http_listener;
struct call;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };

/* A face, as a listener sees it, and its limits. All functions run on a pool thread.
 *
 * begin() is called when the headers are there. It may answer, or say where the body shall go
 * (call_set_sink()). NULL: nothing is decided then. handle() is called when the request is whole.
 * It must end in exactly one call_answer…() or call_park(). reject() words the server's own
 * refusals (413, 431, 408, 503 …) in the face's form. NULL: a short plain text. */
struct http_face {
	const char *name; /* "ec2": for logs and metrics */
	void (*handle)(void *self, struct call *call);
	void (*reject)(void *self, struct call *call, int status, enum err why);
	size_t body_cap_size; /* bytes; a longer body is answered with 413, without reading the rest */
	void (*begin)(void *self, struct call *call);
};

/* Whoever has connected to a unix socket, as the kernel says. */
struct http_local {
	bool is_known; /* false: the connection is of another kind */
	uid_t uid;
	pid_t pid;
};

struct call {
	struct ctx ctx; /* arena, request id (a UUID's text), deadline */
	void *self;     /* the face itself, from its listener */
	void *tag;      /* what the listener was given in http_where.tag, such as a VPC */
	enum http_method method;
	struct str method_name;
	struct str path;  /* as it was sent, not decoded, without the query; begins with '/' */
	struct str query; /* as it was sent, without '?' */
	struct str body;
	struct ip peer; /* the client's address */
	uint16_t peer_port;
	struct http_local
		local; /* who holds the other end, where that is on this machine, on a unix socket */
	bool is_tls;
	int64_t start_us;
	/* For the log line. The face and auth/ set them. */
	const char *action;
	struct str account_number;
	bool is_quiet; /* writes no log line of its own, because it is one of a flood that is logged in sum */
	void *face_data;        /* for the face, usually in the arena */
	struct call_private *p; /* private */
};

/* Takes a body piece by piece, for bodies that are too large to be held in memory. call->body stays
 * empty. It is in the call's arena, or lives longer. */
struct call_sink {
	int64_t cap_size; /* bytes; a longer body is answered with 413 */
	/* Takes one piece, on the call's pool thread. After a failure nothing more is taken;
	 * handle() then finds the failure in `result`, and its words in the call's context. */
	RESULT (*take)(struct call_sink *sink, struct call *call, struct str piece);
	/* Called once, on any thread, when the call has ended in whatever way. It releases what
	 * nobody has taken over. */
	void (*end)(struct call_sink *sink);
	int64_t size;         /* bytes taken so far */
	struct result result; /* the failure of the first take() that failed */
};
/* Call it from begin() only. A client that sends slower than 8 KiB a second, beyond the time that a
 * request may take, is cut off. */
void call_set_sink(struct call *c, struct call_sink *sink);

/* The first value of a header, whose name may be in any letter case. Empty: the request does not
 * have it. */
struct str call_header(const struct call *c, const char *name);
/* Calls each for all headers, in the order and with the names that were sent. The first failure of
 * each ends it and is returned. */
RESULT call_each_header(struct call *c, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg);

/* Sets a header of the answer, before call_answer(). Content-Type, Date and x-amzn-RequestId are
 * set by the server. A header with bad characters is logged and left out. */
void call_set_answer_header(struct call *c, const char *name, struct str value);
/* Forgets the headers that were set so far, because another answer follows. */
void call_drop_answer_headers(struct call *c);
/* Limits how many hops the connection's packets may travel from now until its next request (IP TTL,
 * 1 to 255). False: the system refuses. */
bool call_set_hop_limit(struct call *c, int hops);
/* Queues the answer and takes over the buffer's memory. For HEAD the body is left out. */
void call_answer(struct call *c, int status, const char *content_type, struct buf *body);

/* Queues an answer in pieces that other threads may use, too: at most CALL_PIECES_MAX, none of them
 * empty. They are sent from where they are, and must stay readable until done(arg) is called, once,
 * on any thread. */
enum { CALL_PIECES_MAX = 4 };
void call_answer_pieces(struct call *c, int status, const char *content_type, const struct str *pieces,
			size_t count, void (*done)(void *arg), void *arg);

/* Queues an answer of that size that is produced while it is sent. read() writes the next bytes,
 * which begin at position `at`, as many as there is room for, and returns how many it wrote: 1 at
 * least. It runs on the call's pool thread, until done(arg) is called as above. */
void call_answer_read(struct call *c, int status, const char *content_type, uint64_t size,
		      ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		      void *arg);

/* Queues the first size bytes of a file. The answer owns fd from now on. */
void call_answer_file(struct call *c, int status, const char *content_type, int fd, int64_t size);

/* What a connection becomes when it stops speaking HTTP. It belongs to its owner and lives longer
 * than the call. */
struct http_tunnel {
	/* Called once, on a pool thread, after the client was answered. fd is the connection's;
	 * early is what the client sent behind the request. Until http_tunnel_close() the owner
	 * reads and writes fd, and does not close it. */
	void (*open)(struct http_tunnel *t, int fd, struct str early);
	/* Called once, last, on a pool thread, when the connection is gone, whether it was opened
	 * or not. */
	void (*end)(struct http_tunnel *t);
	void *handle;  /* private */
	int client_fd; /* private: the connection to the client; fd may be a pair's end before TLS */
};
/* Answers with 101, that Upgrade and the headers that were set, and makes the connection a
 * tunnel. */
void call_upgrade(struct call *c, const char *protocol, struct http_tunnel *t);
/* Ends a tunnel: call it after open(), once, on any thread; end() follows soon. All tunnels must be
 * closed before the server stops. */
void http_tunnel_close(struct http_tunnel *t);

/* Parks the call. call_wake() is called once, on any thread, perhaps before call_park() has
 * returned. Then resume() runs on a pool thread, and must answer or park again. */
void call_park(struct call *c, void (*resume)(struct call *c));
void call_wake(struct call *c);

struct http_config {
	unsigned thread_count;      /* 0: the number of processors */
	unsigned connection_max;    /* 0: 10,000 */
	unsigned per_address_max;   /* connections from one client address; 0: unlimited */
	int64_t idle_timeout_us;    /* of a kept-alive connection between requests; 0: 65 s */
	int64_t request_timeout_us; /* from the first byte until the request is whole; 0: 30 s. Slower: 408 */
	size_t header_cap_size;     /* bytes; 0: 32 KiB. Over it: 431 */
};

/* Starts the acceptor. Pools start with their first listener. ERR_NO_MEMORY, ERR_IO. */
RESULT http_server_new(struct ctx *c, const struct http_config *config, struct http_server **ret_server);
/* Stops accepting, lets answers in flight finish for at most grace_us, and closes. */
void http_server_stop(struct http_server *s, int64_t grace_us);
void http_server_free(struct http_server *s);
DEFINE_AUTO(http_server)

/* Where a listener listens: at an address, or on a socket that listens already (socket activation,
 * a socket of another network namespace, a unix socket). The server owns that socket if the call
 * succeeds. */
struct http_where {
	struct ip ip;
	uint16_t port;
	int fd;                       /* > 0: use this socket instead */
	struct str cert_pem, key_pem; /* PEM; TLS if given */
	void *tag;
	/* Its connections are let in however many there are: a door that strangers cannot reach, and must not close. */
	bool is_reserved;
};
/* Makes a listening socket, for http_where.fd. Port 0: the system chooses one. ERR_IN_USE: the port
 * is taken. */
RESULT http_bind(struct ctx *c, struct ip ip, uint16_t port, int *ret_fd);
uint16_t http_bound_port(int fd); /* the port of such a socket; 0: it has none */
RESULT http_listen(struct http_server *s, struct ctx *c, const struct http_face *face, void *self,
		   const struct http_where *where, struct http_listener **ret_listener);
/* The port that a listener listens on (the one that the system chose, if 0 was asked for); 0 for a
 * unix socket. Any thread, while it listens. */
uint16_t http_listener_port(const struct http_listener *l);
/* Stops one listener, such as a VPC's that is going away, after the calls in flight have ended.
 * Must not be called on a pool thread. */
void http_unlisten(struct http_server *s, struct http_listener *l);

struct http_figures {
	uint64_t requests, rejected;  /* since start */
	uint64_t by_status[6];        /* by hundreds: [2] counts 2xx */
	unsigned connections, parked; /* now */
};
void http_read_figures(struct http_server *s, struct http_figures *ret_figures);
/* What actions cost the pool's threads since the start; see cost_read(). */
size_t http_read_costs(const struct http_server *s, bool only_long, struct cost *ret_costs, size_t max);
