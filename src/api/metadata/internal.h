/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service. A place is an endpoint of the service: each router with ports has a place, and each
 * network with guests that have no router.
 *
 *   places.c    follows the store; creates and removes places; runs on the actor "metadata"
 *   endpoints.c VPC endpoints: the region's API at addresses of the VPC
 *   imds.c      HTTP: identifies the instance, checks tokens, writes the tree (imds_tree.c) from its facts (imds_facts.c)
 *   password.c  CloudStack's password server
 *   azure.c     Azure's tree, with azure_wire.c for its agents (azure.h)
 *   imds_role.c credentials of the role of an instance's profile
 *   dns.c       the DNS responder's thread and sockets, with dns_tcp.c and dns_upstream.c
 *   dns_zone.c  zones that we answer; dns_packet.c reads and writes packets */
#pragma once

#include <pthread.h>

#include "api/metadata/dns.h"
#include "api/metadata/metadata.h"

/* Created and freed on the actor. HTTP threads may read only router and is_on_link. */
struct place {
	struct place *next;                /* in its bucket */
	uuid router;                       /* or network, if is_on_link */
	bool is_on_link;                   /* serves a network whose guests have no router */
	bool leaving;                      /* no port is left; to be unplugged */
	bool failed;                       /* the failure was logged */
	int64_t retry_us, delay_us;        /* time and delay of the next attempt; 0: none is due */
	struct http_listener *web;         /* NULL: not listening */
	struct http_listener *passwords;   /* likewise */
	struct http_listener *wire;        /* likewise */
	struct http_listener *wire_host;   /* likewise */
	struct http_listener *web_by_ipv6; /* likewise */
	struct dns_place *dns;             /* likewise */
	struct endpoint *endpoints;        /* addresses at which the API answers */
};

enum { PLACE_BUCKETS = 256, NEWS_MAX = 256 };

/* Routers and networks to look at, from the committer to the actor. */
struct news {
	pthread_mutex_t lock; /* guards the members below */
	uuid places[NEWS_MAX];
	size_t count;
	bool all;    /* places[] overflowed: examine every router and network */
	bool posted; /* look_job is posted */
};

struct metadata {
	struct metadata_config config;
	struct actor *actor; /* NULL: nothing is plugged */
	struct arena *arena; /* used by the actor's jobs */
	struct news news;
	struct job look_job, retry_job;
	bool retry_posted; /* used by the actor only */
	struct job renew_job;
	struct place *buckets[PLACE_BUCKETS];
	struct dns *dns;
	struct imds_roles *roles; /* NULL: no guest gets credentials */
};

/* places_start() begins to follow the store; places_end() stops, and removes every place. */
/* Make the endpoints of a router's place as its rows are; end all of them; give them the API's new certificate. The
 * place is plugged. On the actor. */
RESULT endpoints_apply(struct metadata *m, struct ctx *c, struct place *p, int netns_fd);
void endpoints_end(struct metadata *m, struct place *p);
void endpoints_renew(struct metadata *m, struct ctx *c, struct place *p);
RESULT places_start(struct metadata *m, struct ctx *c);
void places_end(struct metadata *m);
