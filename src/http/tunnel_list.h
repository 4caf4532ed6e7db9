/* SPDX-License-Identifier: Apache-2.0
 * Tunnels that one thread serves. An asker (an account, an address) takes a tunnel for a call before it is answered; the
 * number of tunnels is limited in all and for each asker. From open() on the thread of the list has the tunnel, until its
 * connection's end, which frees the tunnel on a thread of the HTTP server's. */
#pragma once

#include <poll.h>

#include "base/ceiling.h"
#include "base/uuid.h"
#include "http/server.h"

struct tunnel_list;

/* First member of its owner's struct. */
struct listed_tunnel {
	struct http_tunnel tunnel; /* first: for call_upgrade(), which frees the tunnel whatever happens */
	struct tunnel_list *list;
	uuid asker;
	struct listed_tunnel *next, *previous; /* private: of all tunnels of the list */
	struct listed_tunnel *next_open;       /* private: of fresh ones, or of the thread's own */
};

struct tunnel_list_config {
	const char *thread_name;
	size_t tunnel_size; /* of its owner's struct */
	size_t fd_count;    /* descriptors that the thread waits for, of one tunnel */
	struct ceiling ceiling;
	const char *refusal; /* words of ERR_QUOTA */
	/* On a pool thread, after the client was answered: as in struct http_tunnel. */
	void (*open)(struct listed_tunnel *t, int fd, struct str early);
	/* On the list's thread. Sets fd_count descriptors. Returns the monotonic time at which work() is due without an
	 * event; INT64_MAX: never. */
	int64_t (*prepare)(struct listed_tunnel *t, struct pollfd *fds);
	/* On the list's thread, after each wait. now_us is monotonic. False: the tunnel ends, its descriptor is not touched
	 * again. */
	bool (*work)(struct listed_tunnel *t, const struct pollfd *fds, int64_t now_us, bool is_stopping);
	/* Frees what the owner's struct holds. Any thread. */
	void (*clear)(struct listed_tunnel *t);
};

/* Starts the thread. ERR_NO_MEMORY, ERR_IO. */
RESULT tunnel_list_new(struct ctx *c, const struct tunnel_list_config *config, struct tunnel_list **ret_list);
/* Ends all tunnels, and refuses new ones from now on. Call it before the HTTP server stops. */
void tunnel_list_stop(struct tunnel_list *list);
/* After the HTTP server has stopped, and everything that could still drop a tunnel; ignores NULL. */
void tunnel_list_free(struct tunnel_list *list);

/* Takes a tunnel, whose members behind the listed_tunnel are zero. Any thread. ERR_QUOTA: no tunnel is free. */
RESULT tunnel_list_take(struct tunnel_list *list, struct ctx *c, uuid asker, bool is_administrator,
			struct listed_tunnel **ret_tunnel);
/* Gives back a tunnel that was not given to call_upgrade(). */
void tunnel_list_drop(struct listed_tunnel *t);
/* Number of tunnels in use. Any thread. */
size_t tunnel_list_count(struct tunnel_list *list);
