/* SPDX-License-Identifier: Apache-2.0
 * Limits per owner and kind: the table of limits.def, and the check that every creating operation makes. */
#pragma once

#include "engine/operation.h"

enum {
	GATEWAYS_MAX = 1000,
	CLIENT_TOKENS_MAX = 50000,
	JOBS_MAX = 20000,
	PROVIDERS_MAX = 20,
	ACCESS_KEYS_MAX = 100,
	MEMBERSHIPS_MAX = 100,
	ASSIGNMENTS_MAX = 1000,
	REVOCATIONS_MAX = 10000,
	DOMAIN_ACCOUNTS_MAX = 10000,
	DOMAIN_USERS_MAX = 100000,
	DOMAIN_GROUPS_MAX = 10000,
	ROUTE_TABLES_MAX = 200,
	ROUTES_MAX = 500,
	PEERINGS_MAX = 200,
	TRANSIT_GATEWAYS_MAX = 5,
	TRANSIT_ATTACHMENTS_MAX = 500,
	ROUTER_ATTACHMENTS_MAX = 5,
	TRANSIT_ROUTE_TABLES_MAX = 20,
	TRANSIT_ROUTES_MAX = 500,
	CUSTOMER_GATEWAYS_MAX = 50,
	VPN_GATEWAYS_MAX = 5,
	VPN_CONNECTIONS_MAX = 10,
	GATEWAY_CONNECTIONS_MAX = 10,
	VPN_ROUTES_MAX = 100,
	VPN_TUNNELS_MAX = 200,
	VPC_ENDPOINTS_MAX = 50,
	ENDPOINT_SERVICES_MAX = 20,
	ENDPOINT_CONNECTIONS_MAX = 1000,
	FLOW_LOGS_MAX = 100,
	GROUP_RULES_MAX = 1000,
	PORT_POLICIES_MAX = 5000,
	PORT_POLICY_RULES_MAX = 1000,
	PORT_SETS_MAX = 3000,
	SOURCE_NATS_MAX = 1000,
	ROUTE_PLANS_MAX = 600,
	ROUTE_PLAN_ENTRIES_MAX = 400,
	PEERING_SIDES_MAX = 500,
	BALANCER_SETS_MAX = 1000,
	BALANCER_POOL_MEMBERS_MAX = 1000,
	SCALING_GROUPS_MAX = 500,
	AUTOSCALE_CONDITIONS_MAX = 200,
	AUTOSCALE_POLICIES_MAX = 100,
	AUTOSCALE_PROFILES_MAX = 100,
	AUTOSCALE_SETTINGS_MAX = 100,
	SCALING_HOOKS_MAX = 50,
	SCALING_POLICIES_MAX = 50,
	SCALING_SCHEDULES_MAX = 125,
	ALARMS_MAX = 1000,
	DASHBOARDS_MAX = 100,
	METRICS_MAX = 500,
	QUEUES_MAX = 200,
	QUEUE_MESSAGES_MAX = 10000,
	TOPICS_MAX = 200,
	TOPIC_SUBSCRIPTIONS_MAX = 50,
	TOPIC_DELIVERIES_MAX = 500,
	EVENT_RULES_MAX = 100,
	EVENT_TARGETS_MAX = 5,
	BUS_EVENTS_MAX = 2000,
	EVENT_DELIVERIES_MAX = 500,
	TOPIC_RECORDS_MAX = 10000,
	LAUNCH_CONFIGURATIONS_MAX = 200,
	NETWORK_LOAD_BALANCERS_MAX = 50,
	APPLICATION_LOAD_BALANCERS_MAX = 50,
	LISTENER_RULES_MAX = 100,
	L7_RULES_MAX = 50,
	LISTENERS_MAX = 50,
	TARGET_GROUPS_MAX = 300,
	TARGETS_MAX = 200,
	/* OVN has 32,767 keys for the ports of a switch or a router. The rest is for ports without a row: a
	 * subnet's router, a gateway's metadata, egress-only gateways. */
	NETWORK_PORTS_MAX = 32000,
	/* OVN reserves 2^16 - 1 of its 2^24 - 1 keys for switches and routers. */
	NETWORK_KEYS_MAX = 16711680
};

enum limit_id {
#define LIMIT(ID, ...) LIMIT_##ID,
#define REGION(ID, ...) LIMIT_##ID,
#include "engine/limits.def"
	LIMIT_COUNT
};

struct limit_info {
	const char *id, *name; /* id: "KEY_PAIRS"; name: the setting's, after "limit." */
	enum kind kind, owner; /* owner KIND_NONE: the region */
	size_t field;          /* offset of the owner's id in the row */
	size_t figure;         /* offset of the count in the owner's usage */
	bool (*counts)(
		const struct row *row); /* selects the rows that count; NULL: another limit maintains the
					 * figure */
	int64_t most;
	const char *before, *after, *source;
};
extern const struct limit_info engine_limits[LIMIT_COUNT];

/* Rows WITHIN and OPERATORS of limits.def: another bound on a kind, or why no account creates its rows. */
struct limit_word {
	enum kind kind;
	bool is_operators;
	const char *words;
};
extern const struct limit_word engine_limit_words[];
extern const size_t engine_limit_word_count;

/* Checks that the owner may have `more` further rows, in constant time. ERR_QUOTA with the kind, and with the
 * field if given. No limit applies to an owner that no longer exists. */
RESULT limit_check(struct op *op, enum limit_id limit, uuid owner, int64_t more, struct str field);
/* The current limit per owner: the region's setting, or else the table's; below zero: unlimited. */
int64_t engine_get_limit(const struct tables *t, enum limit_id limit);
/* Sets a limit for the region. most: a number (below zero: unlimited), or empty for the table's own.
 * ERR_NOT_FOUND: no limit has that name. ERR_INVALID: `most` is not a number. Both with KIND_SETTING. */
struct limit_wish {
	struct str name, most;
};
OPERATION(engine_set_limit, limit_wish)
/* The owner's present count. */
int64_t engine_count_limited(const struct tables *t, enum limit_id limit, uuid owner);

/* The number of OVN switches and routers for a row of the kind, which LIMIT_NETWORK_KEYS counts. */
int64_t limits_keys_of(enum kind kind);

/* Counts an added (sign 1) or removed (-1) row. Only usage_figures.c calls it. */
void limits_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign);
