/* SPDX-License-Identifier: Apache-2.0
 * Changes of security groups and rules, key pairs and server groups, and tags of any rows.
 */
#include "api/native/write.h"

#include "base/crypto.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/placement/server_group.h"
#include "engine/network/filter/security_group.h"
#include "engine/tag.h"
#include "store/security_group_rule.h"

#define TAGS(T) PARAM(struct T, "tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags.")

/* ---- groups ---- */

static const struct param group_params[] = {
	REF(security_group_wish, "router", router, ROUTER,
	    .doc = "VPC of the group; absent: the account's default VPC."),
	PARAM(struct security_group_wish, "name", name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name."),
	PARAM(struct security_group_wish, "description", description, .max = 255,
	      .doc = "Description: free text."),
	TAGS(security_group_wish),
};
static const struct param group_change_params[] = {
	PARAM(struct security_group_settings, "name", name, .min = 1, .max = 255, .doc = "Name."),
	PARAM(struct security_group_settings, "description", description, .max = 255,
	      .doc = "Description: free text."),
};

/* ---- rules ---- */

struct rule_args {
	struct rules_wish wish;
	struct rule_wish rule;
	struct ref id;
};
#define R(name, member, ...) PARAM(struct rule_args, name, member, __VA_ARGS__)
#define RULE_PARAMS                                                                                          \
	R("group", wish.group, .kind = KIND_SECURITY_GROUP, .flags = REQUIRED,                               \
	  .doc = "The security group."),                                                                     \
		R("protocol", rule.protocol, .min = -1, .max = 255, .absent = "-1",                          \
		  .doc = "Protocol: 6 for TCP, 17 for UDP, 1 for ICMP, -1 for all."),                        \
		R("from_port", rule.from_port, .min = -1, .max = 65535, .absent = "-1",                      \
		  .doc = "First port, or ICMP type."),                                                       \
		R("to_port", rule.to_port, .min = -1, .max = 65535, .absent = "-1",                          \
		  .doc = "Last port, or ICMP code."),                                                        \
		R("peer_block", rule.peer_block,                                                             \
		  .doc = "Peer: a CIDR block, which is the source or destination."),                         \
		R("peer_group", rule.peer_group, .kind = KIND_SECURITY_GROUP,                                \
		  .doc = "Peer: the members of a security group."),                                          \
		R("peer_address_group", rule.peer_addresses, .kind = KIND_ADDRESS_GROUP,                     \
		  .doc = "Peer: an address group."),                                                         \
		R("description", rule.description, .max = 255, .doc = "Description: free text.")
static const struct param rule_params[] = {RULE_PARAMS};

static RESULT prepare_rule(struct native_call *e, void *args)
{
	struct rule_args *a = args;
	(void) e;
	a->rule.field = STR("peer_block");
	a->wish.rules = &a->rule;
	a->wish.rule_count = 1;
	return OK;
}

static RESULT prepare_egress(struct native_call *e, void *args)
{
	((struct rule_args *) args)->wish.direction = SECURITY_GROUP_RULE_DIRECTION_EGRESS;
	return prepare_rule(e, args);
}

/* Revokes a rule of that direction. Ingress and egress have separate permissions, so each has its own
 * path. */
static RESULT revoke(struct op *op, void *args, enum security_group_rule_direction direction)
{
	struct rule_args *a = args;
	const struct security_group_rule *rule = NULL;
	TRY(engine_find_own_security_group_rule(op->ctx, op->head, &a->id, &rule));
	if (rule->direction != direction)
		return engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP_RULE, &a->id);
	a->wish.group = ref_by_id(KIND_SECURITY_GROUP, rule->group);
	a->wish.direction = direction;
	a->wish.rule_ids = (struct refs){&a->id, 1};
	return engine_revoke_rules(op, &a->wish);
}

static RESULT revoke_ingress(struct op *op, void *args)
{
	return revoke(op, args, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
}

static RESULT revoke_egress(struct op *op, void *args)
{
	return revoke(op, args, SECURITY_GROUP_RULE_DIRECTION_EGRESS);
}

/* ---- key pairs ---- */

struct key_args {
	struct key_pair_wish wish;
	struct str public_key; /* given by import only */
	bool is_rsa;
	struct str private_key;
};
#define K(name, member, ...) PARAM(struct key_args, name, member, __VA_ARGS__)
static const struct param import_params[] = {
	K("name", wish.name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Name; unique in the account."),
	K("public_key", public_key, .min = 1, .max = 16384, .flags = REQUIRED,
	  .doc = "Public key as an OpenSSH line."),
	K("tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};
static const struct param create_params[] = {
	K("name", wish.name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Name; unique in the account."),
	K("is_rsa", is_rsa, .doc = "Creates an RSA key; absent: Ed25519."),
	K("tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};

static RESULT take_key(struct ctx *c, struct str line, struct key_pair_wish *wish)
{
	return crypto_check_public_key(c, line, &wish->public_key, &wish->fingerprint, &wish->is_ed25519);
}

static RESULT prepare_import(struct native_call *e, void *args)
{
	struct key_args *a = args;
	struct result taken = take_key(e->c, a->public_key, &a->wish);
	if (taken.code != ERR_INVALID)
		return taken;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("public_key"), "public_key is no OpenSSH public key.");
}

static RESULT prepare_create(struct native_call *e, void *args)
{
	(void) args;
	e->lane = e->config->key_lane;
	e->asker = e->c->who->account;
	e->skips_work = e->dry;
	return OK;
}

static RESULT draw_key(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct key_args *a = e->args;
	struct str line;
	TRY(crypto_make_key_pair(e->c, !a->is_rsa, &a->private_key, &line));
	return take_key(e->c, line, &a->wish);
}

/* Returns the private key, which is not stored. */
static RESULT answer_created(struct native_call *e, const void *args, struct json_writer *w)
{
	TRY(native_answer_change(e, w));
	json_write_text(w, "private_key", ((const struct key_args *) args)->private_key);
	return OK;
}

/* ---- server groups ---- */

struct server_group_args {
	struct server_group_wish wish;
	struct str policy;
};
static const struct param server_group_params[] = {
	PARAM(struct server_group_args, "name", wish.name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name."),
	PARAM(struct server_group_args, "policy", policy, .flags = REQUIRED,
	      .words = "affinity|anti-affinity|soft-affinity|soft-anti-affinity|partition",
	      .doc = "Placement policy for the group's instances."),
	PARAM(struct server_group_args, "partitions", wish.partitions, .max = SERVER_GROUP_PARTITIONS_MAX,
	      .doc = "Number of partitions, for the policy partition."),
	PARAM(struct server_group_args, "tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};

static RESULT prepare_server_group(struct native_call *e, void *args)
{
	struct server_group_args *a = args;
	for (int k = 0; server_group_policy_words[k]; k++)
		if (str_is(a->policy, server_group_policy_words[k])) {
			a->wish.policy = (enum server_group_policy) k;
			return OK;
		}
	return ctx_fail_field(e->c, ERR_INVALID, STR("policy"), "policy is none of those that there are.");
}

/* ---- tags ---- */

struct tags_args {
	struct tags_wish wish;
	struct strs remove;
};
#define T(name, member, ...) PARAM(struct tags_args, name, member, __VA_ARGS__)
#define TAGGED                                                                                               \
	T("ids", wish.resources, .flags = REQUIRED | ANY_KIND, .max = 1000,                                  \
	  .doc = "EC2 ids of resources of any kind.")
static const struct param set_tags_params[] = {
	TAGGED,
	T("tags", wish.tags, .flags = REQUIRED, .max = TAG_COUNT_MAX, .doc = "Tags to set. Other tags stay."),
};
static const struct param remove_tags_params[] = {
	TAGGED,
	T("keys", remove, .flags = REQUIRED, .max = TAG_KEY_MAX, .doc = "Tag keys to remove."),
};

static RESULT prepare_remove(struct native_call *e, void *args)
{
	struct tags_args *a = args;
	struct tag_removal *removals = arena_new_array(e->c->arena, struct tag_removal, a->remove.count);
	if (!removals)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->remove.count; k++)
		removals[k].key = a->remove.at[k];
	a->wish.removals = removals;
	a->wish.removal_count = a->remove.count;
	return OK;
}

static RESULT answer_nothing(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	(void) native_tables(e);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	return OK;
}

static const struct native_action actions[] = {
	CREATE("/security-groups", "ec2:CreateSecurityGroup", SECURITY_GROUP,
	       .args = PARAMS(struct security_group_wish, group_params),
	       .operation = engine_create_security_group_run, .doc = "Creates a security group."),
	CHANGE(PATCH, "/security-groups/{id}", "ec2:ModifySecurityGroup", SECURITY_GROUP,
	       .args = PARAMS(struct security_group_settings, group_change_params),
	       .target = NATIVE_AT(security_group_settings, group),
	       .operation = engine_update_security_group_run, .doc = "Changes a security group."),
	DELETION("/security-groups/{id}", "ec2:DeleteSecurityGroup", SECURITY_GROUP, security_group_target,
		 group, engine_delete_security_group_run, .doc = "Deletes a security group."),
	CREATE("/security-group-rules/ingress", "ec2:AuthorizeSecurityGroupIngress", SECURITY_GROUP_RULE,
	       .args = PARAMS(struct rule_args, rule_params), .prepare = prepare_rule,
	       .operation = engine_authorize_rules_run, .doc = "Adds a rule for incoming traffic."),
	CREATE("/security-group-rules/egress", "ec2:AuthorizeSecurityGroupEgress", SECURITY_GROUP_RULE,
	       .args = PARAMS(struct rule_args, rule_params), .prepare = prepare_egress,
	       .operation = engine_authorize_rules_run, .doc = "Adds a rule for outgoing traffic."),
	CHANGE(DELETE, "/security-group-rules/{id}/ingress", "ec2:RevokeSecurityGroupIngress",
	       SECURITY_GROUP_RULE, .args = {.size = sizeof(struct rule_args)},
	       .target = NATIVE_AT(rule_args, id), .operation = revoke_ingress,
	       .doc = "Deletes a rule for incoming traffic."),
	CHANGE(DELETE, "/security-group-rules/{id}/egress", "ec2:RevokeSecurityGroupEgress",
	       SECURITY_GROUP_RULE, .args = {.size = sizeof(struct rule_args)},
	       .target = NATIVE_AT(rule_args, id), .operation = revoke_egress,
	       .doc = "Deletes a rule for outgoing traffic."),
	CREATE("/key-pairs", "ec2:CreateKeyPair", KEY_PAIR, .args = PARAMS(struct key_args, create_params),
	       .prepare = prepare_create, .work = draw_key, .operation = engine_create_key_pair_run,
	       .answer = answer_created,
	       .doc = "Creates a key pair. The answer contains the private key, once."),
	CREATE("/key-pairs/import", "ec2:ImportKeyPair", KEY_PAIR,
	       .args = PARAMS(struct key_args, import_params), .prepare = prepare_import,
	       .operation = engine_create_key_pair_run, .doc = "Imports a public key."),
	DELETION("/key-pairs/{id}", "ec2:DeleteKeyPair", KEY_PAIR, key_pair_target, key_pair,
		 engine_delete_key_pair_run, .sets = {API_SETS(struct key_pair_target, must_exist)},
		 .doc = "Deletes a key pair."),
	CREATE("/server-groups", "ec2:CreatePlacementGroup", SERVER_GROUP,
	       .args = PARAMS(struct server_group_args, server_group_params), .prepare = prepare_server_group,
	       .operation = engine_create_server_group_run, .doc = "Creates a placement group."),
	DELETION("/server-groups/{id}", "ec2:DeletePlacementGroup", SERVER_GROUP, server_group_target,
		 server_group, engine_delete_server_group_run, .doc = "Deletes a placement group."),
	{.method = HTTP_POST,
	 .path = "/tags",
	 .permit = "ec2:CreateTags",
	 .flags = API_WRITES,
	 .status = 200,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct tags_args, set_tags_params),
	 .operation = engine_set_tags_run,
	 .answer = answer_nothing,
	 .doc = "Sets tags on resources of any kind."},
	{.method = HTTP_POST,
	 .path = "/tags/remove",
	 .permit = "ec2:DeleteTags",
	 .flags = API_WRITES,
	 .status = 200,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct tags_args, remove_tags_params),
	 .prepare = prepare_remove,
	 .operation = engine_delete_tags_run,
	 .answer = answer_nothing,
	 .doc = "Removes tags from resources of any kind."},
};
const struct api_actions native_group_actions = API_ACTIONS(actions);
