/* SPDX-License-Identifier: Apache-2.0
 * OpenStack calls other than networks: Nova's key pairs, server groups, subnet pools, address groups. */
#include <stdio.h>

#include "simulation.h"

static void draw_some_name(struct request *x, const char *word)
{
	snprintf(x->name, sizeof x->name, "%s%d", word, (int) random_below(4));
}

static void apply_name(struct request *x, struct thing *t)
{
	snprintf(t->name, sizeof t->name, "%s", x->name);
}

static void apply_new_name(struct request *x, struct str answer)
{
	(void) answer;
	apply_name(x, x->refs[0]);
}

/* ---- key pairs: the same as EC2's ---- */

static struct thing *find_key(const struct request *x)
{
	EACH (&x->s->model, t, KIND_KEY_PAIR)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_key(struct request *x)
{
	static const char key[] =
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWrnDmbTVbdaWdQ0S1XZkn2QJ6rIxdGAXBWVkEeLvZG";
	draw_some_name(x, "key");
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "public_key", "\"%s\"", key);
	return true;
}

static void judge_key(const struct request *x, struct verdict *v)
{
	if (find_key(x))
		refuse(v, "409");
}

/* Nova shows no id; EC2's listing does. */
static void apply_key(struct request *x, struct str answer)
{
	(void) answer;
	apply_name(x, model_add(&x->s->model, KIND_KEY_PAIR, x->account, NULL, STR_NONE));
}

/* Names the key pair in the path. */
static bool draw_delete_key(struct request *x)
{
	draw_some_name(x, "key");
	snprintf(x->path, sizeof x->path, "DELETE /compute/v2.1/os-keypairs/%s", x->name);
	return true;
}

static void judge_delete_key(const struct request *x, struct verdict *v)
{
	if (!find_key(x))
		refuse(v, "404");
}

static void apply_delete_key(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, find_key(x), GONE);
}

/* ---- server groups ---- */

static bool draw_server_group(struct request *x)
{
	draw_some_name(x, "group");
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "policy", "\"%s\"", random_below(2) ? "affinity" : "anti-affinity");
	return true;
}

static void apply_server_group(struct request *x, struct str answer)
{
	apply_name(x, model_add(&x->s->model, KIND_SERVER_GROUP, x->account, NULL,
				answer_at(answer, "server_group/id")));
}

static void apply_delete_server_group(struct request *x, struct str answer)
{
	(void) answer;
	model_end_server_group(&x->s->model, x->refs[0]);
}

/* ---- subnet pools ---- */

static bool draw_pool(struct request *x)
{
	draw_some_name(x, "pool");
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "prefixes", "[\"10.%d.0.0/16\"]", (int) random_below(200));
	return true;
}

static void apply_pool(struct request *x, struct str answer)
{
	apply_name(x, model_add(&x->s->model, KIND_SUBNET_POOL, x->account, NULL,
				answer_at(answer, "subnetpool/id")));
}

static bool draw_new_name(struct request *x)
{
	draw_some_name(x, "other");
	request_add(x, "name", "\"%s\"", x->name);
	return true;
}

/* ---- address groups ---- */

static bool draw_address_group(struct request *x)
{
	draw_some_name(x, "addresses");
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "addresses", "[\"10.%d.0.0/16\"]", (int) random_below(200));
	return true;
}

static void apply_address_group(struct request *x, struct str answer)
{
	apply_name(x, model_add(&x->s->model, KIND_ADDRESS_GROUP, x->account, NULL,
				answer_at(answer, "address_group/id")));
}

/* ---- QoS policies, address scopes ---- */

static bool draw_qos_policy(struct request *x)
{
	draw_some_name(x, "qos");
	request_add(x, "name", "\"%s\"", x->name);
	return true;
}

static void apply_qos_policy(struct request *x, struct str answer)
{
	apply_name(x, model_add(&x->s->model, KIND_QOS_POLICY, x->account, NULL,
				answer_at(answer, "policy/id")));
}

static bool draw_scope(struct request *x)
{
	draw_some_name(x, "scope");
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "ip_version", "%d", random_below(2) ? 4 : 6);
	return true;
}

static void apply_scope(struct request *x, struct str answer)
{
	apply_name(x, model_add(&x->s->model, KIND_ADDRESS_SCOPE, x->account, NULL,
				answer_at(answer, "address_scope/id")));
}

#define QOS_POLICY "/network/v2.0/qos/policies/{policy_id}"
#define QOS_POLICY_REF                                                                                       \
	{                                                                                                    \
		{                                                                                            \
			"policy_id", KIND_QOS_POLICY                                                         \
		}                                                                                            \
	}
#define SCOPE "/network/v2.0/address-scopes/{address_scope_id}"
#define SCOPE_REF                                                                                            \
	{                                                                                                    \
		{                                                                                            \
			"address_scope_id", KIND_ADDRESS_SCOPE                                               \
		}                                                                                            \
	}
#define ADDRESSES "/network/v2.0/address-groups/{address_group_id}"
#define ADDRESSES_REF                                                                                        \
	{                                                                                                    \
		{                                                                                            \
			"address_group_id", KIND_ADDRESS_GROUP                                               \
		}                                                                                            \
	}
#define POOL "/network/v2.0/subnetpools/{subnetpool_id}"
#define POOL_REF                                                                                             \
	{                                                                                                    \
		{                                                                                            \
			"subnetpool_id", KIND_SUBNET_POOL                                                    \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"POST /compute/v2.1/os-keypairs", 1, {}, "keypair", draw_key, judge_key, apply_key},
	{"DELETE /compute/v2.1/os-keypairs/{keypair_name}",
	 1,
	 {},
	 NULL,
	 draw_delete_key,
	 judge_delete_key,
	 apply_delete_key},
	{"POST /compute/v2.1/os-server-groups",
	 1,
	 {},
	 "server_group",
	 draw_server_group,
	 NULL,
	 apply_server_group},
	{"DELETE /compute/v2.1/os-server-groups/{server_group_id}",
	 1,
	 {{"server_group_id", KIND_SERVER_GROUP}},
	 NULL,
	 NULL,
	 NULL,
	 apply_delete_server_group},
	{"POST /network/v2.0/subnetpools", 1, {}, "subnetpool", draw_pool, NULL, apply_pool},
	{"PUT " POOL, 1, POOL_REF, "subnetpool", draw_new_name, NULL, apply_new_name},
	{"POST /network/v2.0/address-groups",
	 1,
	 {},
	 "address_group",
	 draw_address_group,
	 NULL,
	 apply_address_group},
	{"PUT " ADDRESSES, 1, ADDRESSES_REF, "address_group", draw_new_name, NULL, apply_new_name},
	{"POST /network/v2.0/qos/policies", 1, {}, "policy", draw_qos_policy, NULL, apply_qos_policy},
	{"PUT " QOS_POLICY, 1, QOS_POLICY_REF, "policy", draw_new_name, NULL, apply_new_name},
	{"DELETE " QOS_POLICY, 1, QOS_POLICY_REF, NULL, NULL, NULL, request_apply_end},
	{"POST /network/v2.0/address-scopes", 1, {}, "address_scope", draw_scope, NULL, apply_scope},
	{"PUT " SCOPE, 1, SCOPE_REF, "address_scope", draw_new_name, NULL, apply_new_name},
	{"DELETE " SCOPE, 1, SCOPE_REF, NULL, NULL, NULL, request_apply_end},
	{"DELETE " ADDRESSES, 1, ADDRESSES_REF, NULL, NULL, NULL, request_apply_end},
	{"DELETE " POOL, 1, POOL_REF, NULL, NULL, NULL, request_apply_end},
};
const struct operations nova_operations = {rows, sizeof rows / sizeof *rows};
