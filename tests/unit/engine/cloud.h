/* SPDX-License-Identifier: Apache-2.0
 * A small cloud for the engine's tests: a stepped store on SQLite in memory, a region of two zones,
 * two accounts with default VPCs, three hosts, an external network, an image and a key.
 *
 * Every operation that fails is held to leave no trace: all rows and figures are dumped before and
 * after it. cloud_done() holds memory to SQL, and the figures to a count from nothing. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/client_token.h"
#include "engine/condition.h"
#include "engine/engine.h"
#include "engine/instance/instance.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/placement/placement.h"
#include "engine/network/address/address.h"
#include "engine/network/external_network.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/network/subnet.h"
#include "engine/people/account/account.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "engine/tag.h"
#include "model/instance.h"
#include "model/states.h"

struct address;
struct condition;
struct port;
struct volume;

enum { CLOUD_HOSTS = 3, CLOUD_USAGE_MAX = 512 };
#define GIB (INT64_C(1) << 30)

struct usage_seen {
	uuid id;
	char meter[64];
	int64_t level;
};

struct cloud {
	struct arena *arena;
	struct ctx c; /* the last call's context, with its problem */
	struct executor *executor;
	struct store *store;
	struct identity operator, alice, bob;
	struct uuids zones;
	uuid hosts[CLOUD_HOSTS], image, snapshot, external_network, alice_router, bob_router;
	struct usage_seen usage[CLOUD_USAGE_MAX];
	size_t usage_count, event_count;
	bool skips_dumps; /* for tests with many rows */
};

/* An empty store. */
void cloud_init(struct cloud *c);
/* The whole of it. */
void cloud_make(struct cloud *c);
void cloud_make_inside(struct cloud *c); /* without an external network */
void cloud_done(struct cloud *c);
int cloud_setup(void **state); /* *state = a made cloud */
int cloud_teardown(void **state);

/* Runs an operation as that identity; NULL: the system. */
RESULT cloud_run(struct cloud *c, const struct identity *who, op_run run, void *wish);
#define cloud_ok(c, who, operation, wish)                                                                    \
	cloud_expect((c), cloud_run((c), (who), operation##_run, (wish)), ERR_NONE, KIND_NONE)
#define cloud_fails(c, who, operation, wish, err, kind)                                                      \
	cloud_expect((c), cloud_run((c), (who), operation##_run, (wish)), (err), (kind))
#define cloud_expect(c, result, err, kind)                                                                   \
	cloud_expect_at((c), (result), (err), (int) (kind), __FILE__, __LINE__)
void cloud_expect_at(struct cloud *c, struct result result, enum err err, int kind, const char *file,
		     int line);

/* The head between operations. */
const struct tables *cloud_tables(const struct cloud *c);
struct str cloud_dump(struct cloud *c);
/* Usage figures equal a count from nothing, rows equal SQL's. */
void cloud_check(struct cloud *c);
/* The last level of a meter, or -1. */
int64_t cloud_usage(const struct cloud *c, uuid id, const char *meter);

/* References. */
struct ref ref_to(struct cloud *c, enum kind kind, uuid id); /* as EC2 writes it */
struct ref ref_named(enum kind kind, const char *name);
struct ref ref_association(struct cloud *c, const char *prefix, uuid id);
struct refs refs_of(struct cloud *c, const struct ref *refs, size_t count);
struct ip ip_of(const char *text);
struct cidr cidr_of(const char *text);

/* A launch of t3.micro in the default VPC; more can be said before it is run. */
struct instance_launch cloud_launch(struct cloud *c, int64_t count);
/* Launches one as alice and returns it. */
uuid cloud_launch_one(struct cloud *c);
const struct instance *cloud_instance(const struct cloud *c, uuid id);
enum instance_state cloud_state(const struct cloud *c, uuid id);
/* Reports like a reconciler that has reached the present gen. */
void cloud_see(struct cloud *c, uuid instance, enum instance_seen_power power);
void cloud_see_off(struct cloud *c, uuid instance, enum instance_off why);
const struct port *cloud_port(const struct cloud *c, uuid instance);
const struct volume *cloud_volume(const struct cloud *c, uuid instance);
/* A free volume of alice's; and its host reports it as it is wanted. */
uuid cloud_make_volume(struct cloud *c, int64_t size);
void cloud_see_volume(struct cloud *c, uuid volume);
const struct condition *cloud_condition(const struct cloud *c, uuid subject, const char *name);
/* An instance's public address, live, or NULL. */
const struct address *cloud_address(const struct cloud *c, uuid instance);
