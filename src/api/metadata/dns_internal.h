/* SPDX-License-Identifier: Apache-2.0
 * Private to the DNS responder: dns.c has the thread, the places and UDP, dns_tcp.c the guests' TCP connections,
 * dns_upstream.c the queries forwarded to upstream resolvers.
 *
 * One lock covers all state: the thread holds it except in epoll_wait(); other threads take it to add or remove a place. Each
 * socket has a watch. Only the thread frees a closed watch, at the end of a round, since earlier events of the round may still
 * point at it. */
#pragma once

#include <pthread.h>
#include <sys/epoll.h>

#include "api/metadata/dns.h"
#include "api/metadata/dns_zone.h"
#include "base/buf.h"

enum {
	FORWARDS_MAX = 4096,
	FORWARDS_PER_SOURCE_MAX = 64,
	FORWARD_BUCKETS = 1024,
	CLIENTS_MAX = 256, /* TCP */
	CLIENTS_PER_SOURCE_MAX = 16,
	QUERY_MAX = 4096, /* bytes; longer queries are dropped */
};

enum watch_kind { WATCH_WAKE, WATCH_UDP, WATCH_LISTEN, WATCH_CLIENT, WATCH_FORWARD, WATCH_KINDS };

/* Watches with the same timeout, ordered by deadline. */
struct dns_watch_queue {
	struct dns_watch *first, *last;
	int64_t wait_us;
	size_t count;
};

struct dns_watch {
	enum watch_kind kind;
	int fd;
	bool dead;
	struct dns_watch *next_dead;
	struct dns_watch_queue *queue; /* NULL: no timeout */
	struct dns_watch *earlier, *later;
	int64_t due_us; /* clock_monotonic_us() scale */
};

struct dns_place {
	struct dns_watch udp, listen;
	uuid router;
	struct dns_place *next, *previous;
};

/* Source of a query. */
struct origin {
	struct dns_place *place;
	struct dns_client *client; /* NULL: UDP */
	struct sockaddr_in from;
	struct ip ip; /* address of `from` */
};

struct dns_client {
	struct dns_watch watch;
	struct origin origin;
	uint8_t in[2 + QUERY_MAX];
	size_t in_size;
	struct buf out;
	size_t sent;            /* bytes of out that were sent */
	unsigned forward_count; /* forwarded queries without an answer yet */
	bool ended;             /* the guest has closed its direction */
};

struct dns_forward {
	struct dns_watch watch;
	struct origin origin;
	struct dns_forward *next, *previous; /* in its source's bucket */
	struct dns_query query;
	uint16_t id; /* query id of the forwarded packet */
	size_t next_upstream;
	bool is_sent;  /* TCP */
	struct buf in; /* TCP */
	size_t size;
	uint8_t bytes[]; /* packet as received */
};

struct dns {
	struct store *store;
	struct dns_upstreams upstreams;
	struct arena *arena;  /* strings of the current packet */
	pthread_mutex_t lock; /* guards everything; released only while the thread sleeps */
	pthread_t thread;
	bool running, stopping;
	int epoll_fd;
	struct dns_watch wake;
	struct dns_watch *dead;
	struct dns_place *places;
	struct dns_watch_queue clients, forwards;
	struct dns_forward *buckets[FORWARD_BUCKETS];
	struct dns_figures figures;
	uint8_t packet[DNS_PACKET_MAX], out[DNS_PACKET_MAX];
};

/* Callers of these functions hold the lock. */

/* dns.c */
bool dns_watch_open(struct dns *d, struct dns_watch *w, enum watch_kind kind, int fd, uint32_t events);
void dns_watch_change(struct dns *d, struct dns_watch *w, uint32_t events);
void dns_watch_wait(struct dns_watch *w, struct dns_watch_queue *queue); /* restarts the watch's timeout */
void dns_watch_close(struct dns *d, struct dns_watch *w);
/* Handles a query: answers, forwards or drops it. */
void dns_take(struct dns *d, const struct origin *origin, const uint8_t *bytes, size_t size);
/* Sends an answer of ours, truncated if it does not fit. */
void dns_say(struct dns *d, const struct origin *origin, const struct dns_query *query,
	     const struct dns_answer *answer);
void dns_send(struct dns *d, const struct origin *origin, const uint8_t *bytes, size_t size);

/* dns_tcp.c */
void dns_client_accept(struct dns *d, struct dns_watch *w, uint32_t events);
void dns_client_ready(struct dns *d, struct dns_watch *w, uint32_t events);
void dns_client_send(struct dns *d, struct dns_client *c, const uint8_t *bytes, size_t size);
void dns_client_note_answered(struct dns *d, struct dns_client *c); /* one forward less */
void dns_client_close(struct dns *d, struct dns_client *c);

/* dns_upstream.c */
void dns_forward_start(struct dns *d, const struct origin *origin, const struct dns_query *query,
		       const uint8_t *bytes, size_t size);
void dns_forward_ready(struct dns *d, struct dns_watch *w, uint32_t events);
void dns_forward_try_next(struct dns *d, struct dns_forward *f);
/* Drops all forwarded queries of the client without answering them; client NULL: all of the place. */
void dns_forward_drop_all(struct dns *d, const struct dns_client *client, const struct dns_place *place);
