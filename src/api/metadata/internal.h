/* SPDX-License-Identifier: Apache-2.0
 * Private to the metadata service. A place is where it answers: each router that has ports has one, and each
 * network with guests behind no router.
 *
 *   places.c    follows the store; plugs and listens, takes back; all on the actor "metadata"
 *   imds.c      HTTP: who asks, tokens, and the tree of imds_tree.c for what imds_facts.c gathered
 *   password.c  CloudStack's password server
 *   azure.c     Azure's tree, and azure_wire.c what its agents ask (azure.h)
 *   imds_role.c credentials of the role of an instance's profile
 *   dns.c       the DNS responder's thread and sockets, with dns_tcp.c and dns_upstream.c
 *   dns_zone.c  what we answer ourselves; dns_packet.c reads and writes the packets */
#pragma once

#include <pthread.h>

#include "api/metadata/dns.h"
#include "api/metadata/metadata.h"

/* Made and freed on the actor; HTTP threads read router and is_on_link and nothing else. */
struct place {
	struct place *next;                /* in its bucket */
	uuid router;                       /* or network, if is_on_link */
	bool is_on_link;                   /* serves a network whose guests have no router */
	bool leaving;                      /* nobody is left in it: to be unplugged */
	bool failed;                       /* said so in the log */
	int64_t retry_us, delay_us;        /* when to try again; 0: nothing to do */
	struct http_listener *web;         /* NULL: not listening */
	struct http_listener *passwords;   /* likewise */
	struct http_listener *wire;        /* likewise */
	struct http_listener *wire_host;   /* likewise */
	struct http_listener *web_by_ipv6; /* likewise */
	struct dns_place *dns;             /* likewise */
};

enum { PLACE_BUCKETS = 256, NEWS_MAX = 256 };

/* Routers and networks to look at, from the committer to the actor. */
struct news {
	pthread_mutex_t lock;
	uuid places[NEWS_MAX];
	size_t count;
	bool all;    /* there was no room: look at every router and network */
	bool posted; /* the job is */
};

struct metadata {
	struct metadata_config config;
	struct actor *actor; /* NULL: nothing is plugged */
	struct arena *arena; /* of the actor's jobs */
	struct news news;
	struct job look_job, retry_job;
	bool retry_posted; /* the actor's */
	struct place *buckets[PLACE_BUCKETS];
	struct dns *dns;
	struct imds_roles *roles; /* NULL: no guest gets credentials */
};

/* Starts following the store; ends it and takes every place back. */
RESULT places_start(struct metadata *m, struct ctx *c);
void places_end(struct metadata *m);
