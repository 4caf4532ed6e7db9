/* SPDX-License-Identifier: Apache-2.0
 * Resolves refs to rows with a check of ownership: for operations on the head, and for faces on a view in
 * walks. Another account's row, a deleted one and an absent one give the same failure in the same words:
 * ERR_NOT_FOUND with the kind and ref->field. The system (no identity), the operator and administrators see
 * the rows of all accounts.
 *
 * A ref with bits = 0 names a row by ref->text:
 * * domains, roles, hosts, zones (also by their short id), instance types (also by their flavor id) and
 *   external networks by name;
 * * accounts, users and groups by NAME in the default domain, or by DOMAIN/NAME; accounts also by number;
 * * key pairs, IAM's roles, instance profiles, and the account's own users and groups (which take precedence
 *   over a domain's) by name within the account;
 * * addresses by their public IP address;
 * * security groups by name within the account's default VPC; elsewhere use engine_find_group_in().
 *
 * Instances, NAT gateways, transit gateways and their attachments stay visible after their end, until they are forgotten. Peerings stay visible to
 * each of their accounts for the time in engine/network/routing/peering.h. Everything else disappears at once. */
#pragma once

#include "engine/operation.h"

struct backup;
struct backup_plan;
struct backup_vault;
struct machine_backup;
struct subnet;
struct dhcp_options;
struct network;
struct router;
struct security_group_rule;
struct network_acl;
struct server_group;
struct port_policy;
struct port_policy_rule;
struct port_set;
struct route_plan;
struct route_plan_entry;
struct source_nat;
struct peering_side;
struct customer_gateway;
struct ike_policy;
struct ipsec_policy;
struct vpn_connection;
struct vpn_endpoint_group;
struct vpn_gateway;
struct vpn_service;
struct transit_attachment;
struct transit_gateway;
struct vpc_endpoint;
struct endpoint_service;
struct balancer_set;
struct listener;
struct listener_rule;
struct l7_rule;
struct elastic_load_balancer;
struct target_group;
struct gateway;
struct external_network;
struct instance_type;
struct volume_group;
struct volume_group_snapshot;
struct volume_group_type;
struct storage_pool;
struct volume_qos;
struct volume_transfer;
struct capacity_reservation;
struct dedicated_host;
struct fleet;
struct flow_log;
struct launch_configuration;
struct scaling_group;
struct scaling_hook;
struct scaling_policy;
struct alarm;
struct autoscale_condition;
struct autoscale_policy;
struct autoscale_profile;
struct autoscale_setting;
struct dashboard;
struct queue;
struct topic;
struct topic_subscription;
struct event_rule;
struct spot_request;
struct image;
struct key_pair;
struct user_data;
struct address_group;
struct address_prefix;
struct address_scope;
struct qos_policy;
struct trunk;
struct registered_limit;
struct project_limit;
struct address;
struct zone;
struct network_offering;
struct volume_type;
struct host;
struct instance_event;
struct instance_snapshot;
struct snapshot_policy;
struct egress_gateway;
struct launch_template;
struct route_table;
struct account;
struct security_group;
struct user;

/* True if the caller sees the row: it is live (or of a kind that stays visible), and it is the caller's own,
 * of a kind without owners, an image the caller may launch, a peering requested from the caller, a snapshot
 * that is the operator's or shared with the caller, or a shared subnet pool. */
bool engine_may_see(const struct ctx *c, enum kind kind, const struct row *row);
/* True for rows that are not shown as their kind: a local disk is not a volume. */
bool engine_is_hidden(enum kind kind, const struct row *row);
/* True if the caller may change the row: like engine_may_see(), without the exceptions for shared rows. */
bool engine_is_own(const struct ctx *c, enum kind kind, const struct row *row);
/* Offset of the caller's tags in the row: the owner's, or, in a peering, the requested side's. 0: the caller
 * has no tags there and sees none. */
size_t engine_tags_offset(const struct ctx *c, enum kind kind, const struct row *row);
/* True if the caller sees the row, or it is a network granted to the caller's account, or a subnet of it: the
 * caller may have ports there (engine/network/network_grant.h). */
bool engine_may_use(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row);
/* The account that owns the row; none for kinds without owners. */
uuid engine_get_owner(enum kind kind, const struct row *row);
/* The caller's account; none for the system, and for an operator without an account. */
uuid engine_get_account(const struct ctx *c);

/* True if the caller may read about other users in the domain, or in any domain: administrators, and readers
 * of the domain or of the system scope. */
bool engine_may_see_people(const struct ctx *c, uuid domain);
bool engine_may_list_people(const struct ctx *c);

/* True if the account or user is enabled, and its domain, too. NULL: false. */
bool engine_is_account_open(const struct tables *t, const struct account *account);
bool engine_is_user_open(const struct tables *t, const struct user *user);

/* Finds a live row of any owner, for operations whose permission restricts who may see it. */
RESULT engine_look_up(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		      const struct row **ret_row);
/* Like engine_look_up(), but does not ask the guard: for another account's resource in a request that the
 * other account decides on. */
RESULT engine_look_up_foreign(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			      const struct row **ret_row);
/* True if a deleted row is still being removed from its owner's point of view. False for a deleted snapshot
 * that volumes were created from: it stays as long as they do. For kinds in kind_words.lingers. */
bool engine_is_lingering(const struct tables *t, enum kind kind, const struct row *row);
/* True if the ref names a row that the caller could see and that is deleted but not forgotten yet. */
bool engine_has_gone(const struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref);
/* Asks the guard about a row, with the call's action. All finders below do this. A face that finds a row by
 * an index of its own must call it before showing anything of the row. ERR_DENIED. */
RESULT engine_check_found(struct ctx *c, const struct tables *t, enum kind kind, const struct row *row);

/* True if the row belongs to another account than the caller's. */
bool engine_is_foreign(const struct ctx *c, enum kind kind, const struct row *row);
/* Permits the call's action on such a row by the row's own policy, which queues and topics have. ref names it. ERR_NOT_FOUND: the policy does
 * not let the caller in, in the words for a row that does not exist. ERR_DENIED: the caller's own policies do not allow it. */
RESULT engine_check_shared(struct ctx *c, const struct tables *t, const struct ref *ref,
			   const struct row *row);

/* For a change of several rows, after a finder's error: extends ERR_NOT_FOUND to all refs of that kind that
 * the caller does not see. */
RESULT engine_name_absent(struct ctx *c, const struct tables *t, const struct refs *refs,
			  struct result found);

/* Find a row that the caller sees, or, with _own, one that it may change. ERR_NOT_FOUND with the kind and the
 * field. ERR_DENIED: see engine_check_found(). */
RESULT engine_find(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		   const struct row **ret_row);
RESULT engine_find_own(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		       const struct row **ret_row);

/* True if the row is the caller's own and has ended; engine_find_listed() also finds such rows. For lists
 * that show ended rows for a while (engine/tombstone.h), and rows being deleted (kind_words.lingers). */
bool engine_may_see_ended(const struct ctx *c, enum kind kind, const struct row *row);
RESULT engine_find_listed(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			  const struct row **ret_row);

/* Finds a row that the caller may use (engine_may_use()). */
RESULT engine_find_usable(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			  const struct row **ret_row);

/* Typed finders: engine_find_subnet(), engine_find_own_subnet(), … */
#define ENGINE_FINDER(type, KIND)                                                                            \
	static inline RESULT engine_find_##type(struct ctx *c, const struct tables *t,                       \
						const struct ref *ref, const struct type **ret_row)          \
	{                                                                                                    \
		const struct row *row = 0;                                                                   \
		TRY(engine_find(c, t, KIND, ref, &row));                                                     \
		*ret_row = (const struct type *) row;                                                        \
		return OK;                                                                                   \
	}                                                                                                    \
	static inline RESULT engine_find_own_##type(struct ctx *c, const struct tables *t,                   \
						    const struct ref *ref, const struct type **ret_row)      \
	{                                                                                                    \
		const struct row *row = 0;                                                                   \
		TRY(engine_find_own(c, t, KIND, ref, &row));                                                 \
		*ret_row = (const struct type *) row;                                                        \
		return OK;                                                                                   \
	}
ENGINE_FINDER(account, KIND_ACCOUNT)
ENGINE_FINDER(address, KIND_ADDRESS)
ENGINE_FINDER(address_group, KIND_ADDRESS_GROUP)
ENGINE_FINDER(address_prefix, KIND_ADDRESS_PREFIX)
ENGINE_FINDER(trunk, KIND_TRUNK)
ENGINE_FINDER(qos_policy, KIND_QOS_POLICY)
ENGINE_FINDER(address_scope, KIND_ADDRESS_SCOPE)
ENGINE_FINDER(registered_limit, KIND_REGISTERED_LIMIT)
ENGINE_FINDER(project_limit, KIND_PROJECT_LIMIT)
ENGINE_FINDER(backup, KIND_BACKUP)
ENGINE_FINDER(backup_plan, KIND_BACKUP_PLAN)
ENGINE_FINDER(backup_vault, KIND_BACKUP_VAULT)
ENGINE_FINDER(dedicated_host, KIND_DEDICATED_HOST)
ENGINE_FINDER(capacity_reservation, KIND_CAPACITY_RESERVATION)
ENGINE_FINDER(fleet, KIND_FLEET)
ENGINE_FINDER(flow_log, KIND_FLOW_LOG)
ENGINE_FINDER(launch_configuration, KIND_LAUNCH_CONFIGURATION)
ENGINE_FINDER(scaling_group, KIND_SCALING_GROUP)
ENGINE_FINDER(autoscale_condition, KIND_AUTOSCALE_CONDITION)
ENGINE_FINDER(autoscale_policy, KIND_AUTOSCALE_POLICY)
ENGINE_FINDER(autoscale_profile, KIND_AUTOSCALE_PROFILE)
ENGINE_FINDER(autoscale_setting, KIND_AUTOSCALE_SETTING)
ENGINE_FINDER(scaling_hook, KIND_SCALING_HOOK)
ENGINE_FINDER(scaling_policy, KIND_SCALING_POLICY)
ENGINE_FINDER(alarm, KIND_ALARM)
ENGINE_FINDER(dashboard, KIND_DASHBOARD)
ENGINE_FINDER(queue, KIND_QUEUE)
ENGINE_FINDER(topic, KIND_TOPIC)
ENGINE_FINDER(topic_subscription, KIND_TOPIC_SUBSCRIPTION)
ENGINE_FINDER(event_rule, KIND_EVENT_RULE)
ENGINE_FINDER(spot_request, KIND_SPOT_REQUEST)
ENGINE_FINDER(dhcp_options, KIND_DHCP_OPTIONS)
ENGINE_FINDER(egress_gateway, KIND_EGRESS_GATEWAY)
ENGINE_FINDER(external_network, KIND_EXTERNAL_NETWORK)
ENGINE_FINDER(gateway, KIND_GATEWAY)
ENGINE_FINDER(host, KIND_HOST)
ENGINE_FINDER(image, KIND_IMAGE)
ENGINE_FINDER(export_image_task, KIND_EXPORT_IMAGE_TASK)
ENGINE_FINDER(import_image_task, KIND_IMPORT_IMAGE_TASK)
ENGINE_FINDER(import_snapshot_task, KIND_IMPORT_SNAPSHOT_TASK)
ENGINE_FINDER(instance, KIND_INSTANCE)
ENGINE_FINDER(instance_event, KIND_INSTANCE_EVENT)
ENGINE_FINDER(instance_snapshot, KIND_INSTANCE_SNAPSHOT)
ENGINE_FINDER(server_group, KIND_SERVER_GROUP)
ENGINE_FINDER(instance_type, KIND_INSTANCE_TYPE)
ENGINE_FINDER(key_pair, KIND_KEY_PAIR)
ENGINE_FINDER(user_data, KIND_USER_DATA)
ENGINE_FINDER(launch_template, KIND_LAUNCH_TEMPLATE)
ENGINE_FINDER(machine_backup, KIND_MACHINE_BACKUP)
ENGINE_FINDER(nat_gateway, KIND_NAT_GATEWAY)
ENGINE_FINDER(listener, KIND_LISTENER)
ENGINE_FINDER(listener_rule, KIND_LISTENER_RULE)
ENGINE_FINDER(l7_rule, KIND_L7_RULE)
ENGINE_FINDER(network, KIND_NETWORK)
ENGINE_FINDER(network_acl, KIND_NETWORK_ACL)
ENGINE_FINDER(elastic_load_balancer, KIND_ELASTIC_LOAD_BALANCER)
ENGINE_FINDER(network_offering, KIND_NETWORK_OFFERING)
ENGINE_FINDER(peering, KIND_PEERING)
ENGINE_FINDER(port, KIND_PORT)
ENGINE_FINDER(port_policy, KIND_PORT_POLICY)
ENGINE_FINDER(port_policy_rule, KIND_PORT_POLICY_RULE)
ENGINE_FINDER(port_set, KIND_PORT_SET)
ENGINE_FINDER(route_plan, KIND_ROUTE_PLAN)
ENGINE_FINDER(route_plan_entry, KIND_ROUTE_PLAN_ENTRY)
ENGINE_FINDER(source_nat, KIND_SOURCE_NAT)
ENGINE_FINDER(peering_side, KIND_PEERING_SIDE)
ENGINE_FINDER(balancer_set, KIND_BALANCER_SET)
ENGINE_FINDER(route_table, KIND_ROUTE_TABLE)
ENGINE_FINDER(router, KIND_ROUTER)
ENGINE_FINDER(security_group, KIND_SECURITY_GROUP)
ENGINE_FINDER(security_group_rule, KIND_SECURITY_GROUP_RULE)
ENGINE_FINDER(snapshot, KIND_SNAPSHOT)
ENGINE_FINDER(snapshot_policy, KIND_SNAPSHOT_POLICY)
ENGINE_FINDER(storage_pool, KIND_STORAGE_POOL)
ENGINE_FINDER(subnet, KIND_SUBNET)
ENGINE_FINDER(target_group, KIND_TARGET_GROUP)
ENGINE_FINDER(transit_attachment, KIND_TRANSIT_ATTACHMENT)
ENGINE_FINDER(transit_gateway, KIND_TRANSIT_GATEWAY)
ENGINE_FINDER(customer_gateway, KIND_CUSTOMER_GATEWAY)
ENGINE_FINDER(vpn_connection, KIND_VPN_CONNECTION)
ENGINE_FINDER(vpn_gateway, KIND_VPN_GATEWAY)
ENGINE_FINDER(ike_policy, KIND_IKE_POLICY)
ENGINE_FINDER(ipsec_policy, KIND_IPSEC_POLICY)
ENGINE_FINDER(vpn_endpoint_group, KIND_VPN_ENDPOINT_GROUP)
ENGINE_FINDER(vpn_service, KIND_VPN_SERVICE)
ENGINE_FINDER(user, KIND_USER)
ENGINE_FINDER(volume, KIND_VOLUME)
ENGINE_FINDER(volume_group, KIND_VOLUME_GROUP)
ENGINE_FINDER(volume_group_snapshot, KIND_VOLUME_GROUP_SNAPSHOT)
ENGINE_FINDER(volume_group_type, KIND_VOLUME_GROUP_TYPE)
ENGINE_FINDER(volume_qos, KIND_VOLUME_QOS)
ENGINE_FINDER(volume_transfer, KIND_VOLUME_TRANSFER)
ENGINE_FINDER(volume_type, KIND_VOLUME_TYPE)
ENGINE_FINDER(vpc_endpoint, KIND_VPC_ENDPOINT)
ENGINE_FINDER(endpoint_service, KIND_ENDPOINT_SERVICE)
ENGINE_FINDER(zone, KIND_ZONE)

/* Finds one of the account's groups by id, or, with bits = 0, by name: in that router, otherwise among the
 * account's groups without a router (ERR_CONFLICT: the name is ambiguous). ERR_INVALID: the group belongs to
 * another router; groups without a router are valid everywhere. Never finds another account's group, even for
 * an administrator. */
RESULT engine_find_group_in(struct ctx *c, const struct tables *t, uuid account, uuid router,
			    const struct ref *ref, const struct security_group **ret_group);
/* Fails with ERR_NOT_FOUND of that kind, in the common words. */
RESULT engine_fail_not_found(struct ctx *c, enum kind kind, const struct ref *ref);
/* Fails like engine_fail_not_found(), naming a row that existed once by its id. */
RESULT engine_fail_gone(struct ctx *c, enum kind kind, uuid id);
/* A face's words for kinds and its format of ids, for messages (ctx.kind_words). */
struct kind_words {
	const char *of[KIND_COUNT]; /* NULL: the engine's own word: "VPC", "security group", … */
	/* The face shows deleted rows of the kind until they are forgotten: a change that names one gets
	 * ERR_STATE instead of ERR_NOT_FOUND, from which clients would conclude that the row is completely
	 * gone. */
	bool lingers[KIND_COUNT];
	struct str (*write_id)(struct arena *a, enum kind kind, uuid id);
	/* Writes a row's name from tables, for a face whose ids are names; NULL: uses write_id. */
	struct str (*write_row)(struct arena *a, const struct tables *t, enum kind kind, uuid id);
	bool has_scopes; /* locks are scopes of Azure Resource Manager */
};
const char *engine_kind_words(const struct ctx *c, enum kind kind);
/* An id as the caller knows it, in the context's arena. */
struct str engine_id_to_text(const struct ctx *c, enum kind kind, uuid id);
