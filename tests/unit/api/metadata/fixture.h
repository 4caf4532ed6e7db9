/* SPDX-License-Identifier: Apache-2.0
 * A store with two VPCs of equal addresses, and the metadata service on loopback: a guest is
 * whoever comes from its address. Rows are put directly, no engine.
 *
 *   router A  alpha 127.0.1.10 and .30 (two interfaces, volumes, public addresses, key, user data, tags)
 *             beta  127.0.1.11 (tokens required, hop limit 3), gamma 127.0.1.12 (metadata off)
 *             127.0.1.13 is a port without an instance
 *   router B  delta 127.0.1.10 (nothing that need not be)
 *   router C  no DNS: epsilon 127.0.1.10 */
#pragma once

#include "../../base/test_base.h"

#include "../../http/client.h"
#include "api/metadata/imds.h"
#include "api/metadata/internal.h"
#include "auth/key/sigv4.h"
#include "auth/token/bearer.h"
#include "base/clock.h"

struct instance;
struct router;

extern const uint8_t fixture_master_key[];

enum { ROUTER_A, ROUTER_B, ROUTER_C, ROUTER_COUNT };
enum { ALPHA, BETA, GAMMA, DELTA, EPSILON, INSTANCE_COUNT };

struct fixture {
	struct arena *arena;
	struct ctx c;
	struct executor *executor;
	struct store *store;
	struct http_server *http;
	struct sigv4 *sigv4;
	struct metadata *metadata;
	struct place places[ROUTER_COUNT];
	uint16_t web_ports[ROUTER_COUNT], wire_port; /* of Azure's WireServer: router A's alone */
	struct bearers *bearers;
};

int fixture_setup(void **state);     /* the store and its rows; *state = the fixture */
int fixture_setup_web(void **state); /* and a listener for each router */
int fixture_teardown(void **state);

uuid id_of(enum kind kind, unsigned n); /* 1 and on; an instance's by the enum above */
RESULT fixture_commit(struct fixture *f, op_run run, void *arg);
/* A row of the published tables, changed by edit and put back. */
void fixture_edit_instance(struct fixture *f, unsigned n, void (*edit)(struct instance *i));
void fixture_edit_router(struct fixture *f, unsigned n, void (*edit)(struct router *r));
/* Puts a port, or deletes it, or forgets it. */
void fixture_put_port(struct fixture *f, unsigned n, unsigned router, const char *ip, uuid instance,
		      int64_t number);
/* Puts the network of a guest without a router, its subnet 127.0.7.0/24, and alpha's third port 70 there, at
 * 127.0.7.10. no_dhcp, router: the subnet's; router none: none. */
void fixture_put_unrouted(struct fixture *f, bool no_dhcp, uuid router);
/* Forgets the public addresses of the port. */
RESULT fixture_forget_addresses(struct op *op, uuid port);
void fixture_delete_port(struct fixture *f, unsigned n, bool forget);

struct ip ip_of(const char *text);
/* A socket of that type from the guest's address to the port on 127.0.0.1. */
int guest_connect(const char *from, int type, uint16_t port);
/* Sends one request from a guest. Header lines end with \r\n, or the text is "". */
struct reply guest_ask(struct fixture *f, unsigned router, const char *from, const char *method,
		       const char *path, const char *headers);
/* The same to the WireServer of router A, with a body. */
struct reply guest_ask_wire(struct fixture *f, const char *from, const char *method, const char *path,
			    const char *headers, const char *body);
/* The IP_TTL values that were set on sockets, oldest first. */
extern int ttls_set[16];
extern unsigned ttl_count;
int __wrap_setsockopt(int fd, int level, int name, const void *value, unsigned size);
