/* SPDX-License-Identifier: Apache-2.0
 * Resolves names to rows that the caller may see. */
#include "engine/resolve.h"
#include "engine/remote/provider_share.h"

#include "engine/internal.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/network_grant.h"
#include "engine/network/object_grant_internal.h"
#include "engine/network/routing/peering.h"
#include "engine/region/offered.h"
#include "model/address_group.h"
#include "model/address_scope.h"
#include "model/image.h"
#include "model/metadef_namespace.h"
#include "model/peering.h"
#include "model/qos_rule.h"
#include "model/snapshot.h"
#include "model/subnet.h"
#include "model/subnet_pool.h"
#include "store/account.h"
#include "store/address.h"
#include "store/alarm.h"
#include "store/backup_plan.h"
#include "store/backup_vault.h"
#include "store/cluster.h"
#include "store/dashboard.h"
#include "store/domain.h"
#include "store/event_rule.h"
#include "store/external_network.h"
#include "store/host.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"
#include "store/instance_type.h"
#include "store/key_pair.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"
#include "store/machine_policy.h"
#include "store/provider.h"
#include "store/qos_policy.h"
#include "store/queue.h"
#include "store/role.h"
#include "store/scaling_group.h"
#include "store/security_group.h"
#include "store/server_group.h"
#include "store/signup_template.h"
#include "store/storage_pool.h"
#include "store/topic.h"
#include "store/user.h"
#include "store/user_group.h"
#include "store/volume.h"
#include "store/volume_group_type.h"
#include "store/volume_type.h"
#include "store/webhook.h"
#include "store/zone.h"

uuid engine_get_account(const struct ctx *c)
{
	return c->who ? c->who->account : UUID_NONE;
}

uuid engine_get_owner(enum kind kind, const struct row *row)
{
	if (kind == KIND_ACCOUNT)
		return row->id;
	const struct kind_info *k = &model_kinds[kind];
	return k->account_offset ? *(const uuid *) (const void *) ((const char *) row + k->account_offset)
				 : UUID_NONE;
}

static bool has_owner(enum kind kind)
{
	return model_kinds[kind].account_offset || kind == KIND_ACCOUNT;
}

static bool stays_visible(enum kind kind)
{
	return kind == KIND_INSTANCE || kind == KIND_NAT_GATEWAY || kind == KIND_PEERING ||
	       kind == KIND_TRANSIT_GATEWAY || kind == KIND_TRANSIT_ATTACHMENT;
}

/* Live or not. */
static bool is_callers(const struct ctx *c, enum kind kind, const struct row *row)
{
	if (identity_is_admin(c->who) || !has_owner(kind))
		return true;
	if (kind == KIND_USER && uuid_equal(row->id, c->who->user))
		return true;
	return !uuid_is_none(c->who->account) && uuid_equal(engine_get_owner(kind, row), c->who->account);
}

bool engine_is_own(const struct ctx *c, enum kind kind, const struct row *row)
{
	if (engine_is_hidden(kind, row))
		return false;
	if (kind == KIND_PEERING && !engine_is_peering_shown(peering_of(row), engine_get_account(c)))
		return false;
	if (!row_is_live(row) && !stays_visible(kind))
		return false;
	return is_callers(c, kind, row);
}

static bool may_launch(const struct image *image, uuid account)
{
	bool may = image->is_public || image->is_community || uuid_is_none(image->account);
	for (size_t n = 0; n < image->launchers.count && !may; n++)
		may = uuid_equal(image->launchers.at[n], account);
	return may;
}

/* The operator's snapshots are available to everybody. */
static bool may_restore(const struct snapshot *snapshot, uuid account)
{
	return uuid_is_none(snapshot->account) || snapshot->is_public ||
	       uuids_have(&snapshot->restorers, account);
}

static bool is_shared(enum kind kind, const struct row *row, uuid account)
{
	if (kind == KIND_SUBNET_POOL)
		return subnet_pool_of(row)->is_shared ||
		       object_grant_covers(&subnet_pool_of(row)->users, account);
	if (kind == KIND_QOS_POLICY)
		return object_grant_covers(&qos_policy_of(row)->users, account);
	if (kind == KIND_ADDRESS_SCOPE)
		return object_grant_covers(&address_scope_of(row)->users, account);
	if (kind == KIND_ADDRESS_GROUP)
		return object_grant_covers(&address_group_of(row)->users, account);
	if (kind == KIND_METADEF_NAMESPACE)
		return metadef_namespace_of(row)->is_public;
	if (kind == KIND_SNAPSHOT)
		return may_restore(snapshot_of(row), account);
	return kind == KIND_IMAGE && may_launch(image_of(row), account);
}

static bool is_asked_for(const struct peering *peering, uuid account)
{
	return uuid_equal(peering->peer_account, account) && engine_is_peering_shown(peering, account);
}

static bool may_use(const struct ctx *c, const struct instance_type *type)
{
	return (type->is_public || identity_is_admin(c->who) || uuids_have(&type->users, c->who->account)) &&
	       engine_is_offered(c, &type->domains);
}

bool engine_may_list_people(const struct ctx *c)
{
	const struct identity *who = c->who;
	bool is_above = who && (who->scope == IDENTITY_DOMAIN || who->scope == IDENTITY_SYSTEM);
	return identity_is_admin(who) || (is_above && identity_has(who, RIGHT_READER));
}

bool engine_may_see_people(const struct ctx *c, uuid domain)
{
	return engine_may_list_people(c) && (identity_is_admin(c->who) || c->who->scope != IDENTITY_DOMAIN ||
					     uuid_equal(domain, c->who->domain));
}

/* Everybody may see their own domain. */
static bool may_see_people_of(const struct ctx *c, enum kind kind, const struct row *row)
{
	uuid domain = kind == KIND_ACCOUNT      ? account_of(row)->domain
		      : kind == KIND_USER       ? user_of(row)->domain
		      : kind == KIND_USER_GROUP ? user_group_of(row)->domain
						: row->id;
	return (kind == KIND_DOMAIN && c->who && uuid_equal(domain, c->who->domain)) ||
	       engine_may_see_people(c, domain);
}

bool engine_is_account_open(const struct tables *t, const struct account *account)
{
	const struct domain *domain = account ? domain_find(t, account->domain) : NULL;
	return account && row_is_live(&account->row) && account->enabled && domain && domain->enabled;
}

bool engine_is_user_open(const struct tables *t, const struct user *user)
{
	if (!user || !row_is_live(&user->row) || !user->enabled)
		return false;
	if (!uuid_is_none(user->account))
		return engine_is_account_open(t, account_find(t, user->account));
	const struct domain *domain = domain_find(t, user->domain);
	return domain && domain->enabled;
}

bool engine_may_see(const struct ctx *c, enum kind kind, const struct row *row)
{
	if (kind == KIND_INSTANCE_TYPE && !may_use(c, instance_type_of(row)))
		return false;
	bool is_domains = kind == KIND_USER_GROUP && uuid_is_none(user_group_of(row)->account);
	if (kind == KIND_DOMAIN || is_domains)
		return row_is_live(row) && may_see_people_of(c, kind, row);
	if (engine_is_own(c, kind, row))
		return true;
	if (kind == KIND_PEERING)
		return is_asked_for(peering_of(row), engine_get_account(c));
	if (!row_is_live(row))
		return false;
	if (kind == KIND_ACCOUNT || kind == KIND_USER)
		return may_see_people_of(c, kind, row);
	return is_shared(kind, row, c->who->account);
}

size_t engine_tags_offset(const struct ctx *c, enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	if (engine_is_own(c, kind, row))
		return k->tags_offset;
	return k->peer_tags_offset && engine_may_see(c, kind, row) ? k->peer_tags_offset : 0;
}

bool engine_may_use(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row)
{
	if (engine_may_see(c, kind, row))
		return true;
	const struct qos_policy *policy =
		kind == KIND_QOS_RULE ? qos_policy_find(t, qos_rule_of(row)->policy) : NULL;
	if (policy)
		return engine_may_see(c, KIND_QOS_POLICY, &policy->row);
	if (engine_is_shared_elsewhere(c, t, kind, row))
		return true;
	if (!row_is_live(row) || (kind != KIND_NETWORK && kind != KIND_SUBNET))
		return false;
	uuid network = kind == KIND_NETWORK ? row->id : subnet_of(row)->network;
	return engine_is_network_granted(t, network, engine_get_account(c));
}

/* ---- by name ---- */

typedef const struct row *find_named(const struct tables *t, uuid account, struct str name);

#define ROW_OR_NULL(found) ((found) ? &(found)->row : NULL)
#define NAMED(type)                                                                                          \
	static const struct row *find_named_##type(const struct tables *t, uuid account, struct str name)    \
	{                                                                                                    \
		(void) account;                                                                              \
		const struct type *found = type##_find_by_name(t, name);                                     \
		return ROW_OR_NULL(found);                                                                   \
	}
#define NAMED_IN_ACCOUNT(type)                                                                               \
	static const struct row *find_named_##type(const struct tables *t, uuid account, struct str name)    \
	{                                                                                                    \
		const struct type *found = type##_find_by_account(t, account, name);                         \
		return ROW_OR_NULL(found);                                                                   \
	}
NAMED(domain)
NAMED(host)
NAMED(storage_pool)
NAMED(external_network)
NAMED(volume_type)
NAMED(volume_group_type)
NAMED_IN_ACCOUNT(key_pair)
NAMED_IN_ACCOUNT(iam_role)
NAMED_IN_ACCOUNT(instance_profile)
NAMED_IN_ACCOUNT(launch_template)
NAMED_IN_ACCOUNT(launch_configuration)
NAMED_IN_ACCOUNT(scaling_group)
NAMED_IN_ACCOUNT(alarm)
NAMED_IN_ACCOUNT(dashboard)
NAMED_IN_ACCOUNT(queue)
NAMED_IN_ACCOUNT(topic)
NAMED_IN_ACCOUNT(event_rule)
NAMED_IN_ACCOUNT(cluster)

/* Only the region's roles: a domain's are named by id. */
static const struct row *resolve_named_role(const struct tables *t, uuid account, struct str name)
{
	const struct role *found = role_find_by_domain(t, UUID_NONE, name);
	(void) account;
	return ROW_OR_NULL(found);
}

/* NAME is in the default domain, DOMAIN/NAME in another one; names may contain a slash. */
typedef const struct row *find_in_domain(const struct tables *t, uuid domain, struct str name);

static const struct row *find_across(const struct tables *t, struct str name, find_in_domain *find)
{
	const struct row *row = find(t, DOMAIN_DEFAULT, name);
	size_t slash = str_find_char(name, '/', 0);
	if (row || slash == name.n)
		return row;
	const struct domain *domain = domain_find_by_name(t, str_slice(name, 0, slash));
	return domain ? find(t, domain->row.id, str_slice(name, slash + 1, name.n)) : NULL;
}

static const struct row *account_in_domain(const struct tables *t, uuid domain, struct str name)
{
	const struct account *found = account_find_by_domain(t, domain, name);
	return ROW_OR_NULL(found);
}

static const struct row *user_in_domain(const struct tables *t, uuid domain, struct str name)
{
	const struct user *found = user_find_by_owner(t, UUID_NONE, domain, name);
	return ROW_OR_NULL(found);
}

static const struct row *group_in_domain(const struct tables *t, uuid domain, struct str name)
{
	const struct user_group *found = user_group_find_by_owner(t, UUID_NONE, domain, name);
	return ROW_OR_NULL(found);
}

static const struct row *find_named_account(const struct tables *t, uuid account, struct str name)
{
	const struct account *numbered = account_find_by_number(t, name);
	(void) account;
	return numbered ? &numbered->row : find_across(t, name, account_in_domain);
}

/* The account's own user, else a domain's. */
static const struct row *find_named_user(const struct tables *t, uuid account, struct str name)
{
	const struct user *own =
		uuid_is_none(account) ? NULL : user_find_by_owner(t, account, UUID_NONE, name);
	return own ? &own->row : find_across(t, name, user_in_domain);
}

static const struct row *find_named_user_group(const struct tables *t, uuid account, struct str name)
{
	const struct user_group *own =
		uuid_is_none(account) ? NULL : user_group_find_by_owner(t, account, UUID_NONE, name);
	return own ? &own->row : find_across(t, name, group_in_domain);
}

/* Names and flavor ids share one namespace. */
static const struct row *find_named_instance_type(const struct tables *t, uuid account, struct str name)
{
	(void) account;
	const struct instance_type *type = instance_type_find_by_name(t, name);
	if (!type)
		type = instance_type_find_by_flavor_id(t, name);
	return ROW_OR_NULL(type);
}

static const struct row *find_named_webhook(const struct tables *t, uuid account, struct str name)
{
	(void) account;
	const struct webhook *hook = webhook_find_by_name(t, name);
	return ROW_OR_NULL(hook);
}

static const struct row *find_named_signup_template(const struct tables *t, uuid account, struct str name)
{
	(void) account;
	const struct signup_template *template = signup_template_find_by_name(t, name);
	return ROW_OR_NULL(template);
}

static const struct row *find_named_zone(const struct tables *t, uuid account, struct str name)
{
	(void) account;
	const struct zone *zone = zone_find_by_name(t, name);
	for (const struct zone *z = zone_first(t); !zone && z; z = zone_next(t, z))
		if (row_is_live(&z->row) && str_equal(z->short_id, name))
			zone = z;
	return ROW_OR_NULL(zone);
}

static const struct row *find_named_address(const struct tables *t, uuid account, struct str name)
{
	struct ip ip;
	if (!result_is_ok(ip_parse(name, &ip)))
		return NULL;
	const struct address *a = address_first_by_account(t, account);
	for (; a; a = address_next_by_account(t, a))
		if (row_is_live(&a->row) && ip_equal(a->ip, ip))
			return &a->row;
	return NULL;
}

static const struct row *find_named_group(const struct tables *t, uuid account, struct str name)
{
	const struct account *owner = account_find(t, account);
	if (!owner || uuid_is_none(owner->default_router))
		return NULL;
	const struct security_group *group = security_group_find_by_router(t, owner->default_router, name);
	return ROW_OR_NULL(group);
}

/* The first of several with that name: EC2 creates no duplicates. */
static const struct row *find_named_server_group(const struct tables *t, uuid account, struct str name)
{
	const struct server_group *group = server_group_find_by_name(t, account, name);
	return ROW_OR_NULL(group);
}

static const struct row *find_named_provider(const struct tables *t, uuid account, struct str name)
{
	const struct provider *provider = provider_find_by_account(t, account, name);
	return ROW_OR_NULL(provider);
}

static const struct row *find_named_backup_vault(const struct tables *t, uuid account, struct str name)
{
	const struct backup_vault *vault = backup_vault_find_by_name(t, account, name);
	return ROW_OR_NULL(vault);
}

static const struct row *find_named_backup_plan(const struct tables *t, uuid account, struct str name)
{
	const struct backup_plan *plan = backup_plan_find_by_name(t, account, name);
	return ROW_OR_NULL(plan);
}

static const struct row *find_named_machine_policy(const struct tables *t, uuid account, struct str name)
{
	const struct machine_policy *policy = machine_policy_find_by_account(t, account, name);
	return ROW_OR_NULL(policy);
}

static find_named *const named[KIND_COUNT] = {
	[KIND_MACHINE_POLICY] = find_named_machine_policy,
	[KIND_BACKUP_PLAN] = find_named_backup_plan,
	[KIND_BACKUP_VAULT] = find_named_backup_vault,
	[KIND_PROVIDER] = find_named_provider,
	[KIND_ACCOUNT] = find_named_account,
	[KIND_HOST] = find_named_host,
	[KIND_WEBHOOK] = find_named_webhook,
	[KIND_SIGNUP_TEMPLATE] = find_named_signup_template,
	[KIND_STORAGE_POOL] = find_named_storage_pool,
	[KIND_ZONE] = find_named_zone,
	[KIND_INSTANCE_TYPE] = find_named_instance_type,
	[KIND_EXTERNAL_NETWORK] = find_named_external_network,
	[KIND_KEY_PAIR] = find_named_key_pair,
	[KIND_IAM_ROLE] = find_named_iam_role,
	[KIND_INSTANCE_PROFILE] = find_named_instance_profile,
	[KIND_LAUNCH_TEMPLATE] = find_named_launch_template,
	[KIND_LAUNCH_CONFIGURATION] = find_named_launch_configuration,
	[KIND_SCALING_GROUP] = find_named_scaling_group,
	[KIND_ALARM] = find_named_alarm,
	[KIND_DASHBOARD] = find_named_dashboard,
	[KIND_QUEUE] = find_named_queue,
	[KIND_TOPIC] = find_named_topic,
	[KIND_EVENT_RULE] = find_named_event_rule,
	[KIND_CLUSTER] = find_named_cluster,
	[KIND_DOMAIN] = find_named_domain,
	[KIND_VOLUME_TYPE] = find_named_volume_type,
	[KIND_VOLUME_GROUP_TYPE] = find_named_volume_group_type,
	[KIND_USER] = find_named_user,
	[KIND_USER_GROUP] = find_named_user_group,
	[KIND_ROLE] = resolve_named_role,
	[KIND_ADDRESS] = find_named_address,
	[KIND_SECURITY_GROUP] = find_named_group,
	[KIND_SERVER_GROUP] = find_named_server_group,
};

/* ---- by any ref ---- */

static const char *const words[KIND_COUNT] = {
	[KIND_NONE] = "resource",
	[KIND_ACCOUNT] = "account",
	[KIND_DOMAIN] = "domain",
	[KIND_CATALOG_ENTRY] = "catalogue entry",
	[KIND_REGISTERED_LIMIT] = "registered limit",
	[KIND_PROJECT_LIMIT] = "limit",
	[KIND_USER] = "user",
	[KIND_USER_GROUP] = "group",
	[KIND_GROUP_MEMBER] = "group member",
	[KIND_ROLE] = "role",
	[KIND_PROJECT_ROLE] = "project role",
	[KIND_ROLE_ASSIGNMENT] = "role assignment",
	[KIND_APPLICATION_CREDENTIAL] = "application credential",
	[KIND_TRUST] = "trust",
	[KIND_ACCESS_RULE] = "access rule",
	[KIND_CREDENTIAL] = "credential",
	[KIND_SECOND_FACTOR] = "second factor",
	[KIND_MFA_DEVICE] = "MFA device",
	[KIND_PUBLIC_CREDENTIAL] = "uploaded credential",
	[KIND_SERVER_CERTIFICATE] = "server certificate",
	[KIND_SECRET] = "secret",
	[KIND_SECRET_CONTAINER] = "container",
	[KIND_CREDENTIAL_REPORT] = "credential report",
	[KIND_TOKEN_REVOCATION] = "token revocation",
	[KIND_ACCESS_KEY] = "access key",
	[KIND_IAM_ROLE] = "role",
	[KIND_INSTANCE_PROFILE] = "instance profile",
	[KIND_OIDC_PROVIDER] = "OpenID Connect provider",
	[KIND_SAML_PROVIDER] = "SAML provider",
	[KIND_POLICY] = "policy",
	[KIND_POLICY_VERSION] = "policy version",
	[KIND_POLICY_ATTACHMENT] = "policy attachment",
	[KIND_ARM_ROLE] = "role definition",
	[KIND_ARM_ASSIGNMENT] = "role assignment",
	[KIND_ANNOTATION] = "annotation",
	[KIND_DOMAIN_LIMIT] = "limits of a domain",
	[KIND_ARM_LOCK] = "lock",
	[KIND_ZONE] = "availability zone",
	[KIND_HOST] = "host",
	[KIND_STORAGE_POOL] = "storage pool",
	[KIND_POOL_HOST] = "host of a storage pool",
	[KIND_FENCE] = "fence",
	[KIND_REGION_AUDIT] = "audit",
	[KIND_AUDIT_DIFFERENCE] = "finding of an audit",
	[KIND_DEDICATED_HOST] = "dedicated host",
	[KIND_CAPACITY_RESERVATION] = "capacityReservation ID",
	[KIND_FLEET] = "fleet ID",
	[KIND_LAUNCH_CONFIGURATION] = "launch configuration",
	[KIND_SCALING_GROUP] = "Auto Scaling group",
	[KIND_AUTOSCALE_CONDITION] = "AutoScale condition",
	[KIND_AUTOSCALE_POLICY] = "AutoScale policy",
	[KIND_AUTOSCALE_PROFILE] = "AutoScale profile",
	[KIND_AUTOSCALE_SETTING] = "autoscale setting",
	[KIND_SCALING_MEMBER] = "instance of an Auto Scaling group",
	[KIND_SCALING_ACTIVITY] = "scaling activity",
	[KIND_SCALING_HOOK] = "lifecycle hook",
	[KIND_SCALING_POLICY] = "scaling policy",
	[KIND_SCALING_SCHEDULE] = "scheduled action",
	[KIND_METRIC] = "metric",
	[KIND_ALARM] = "alarm",
	[KIND_DASHBOARD] = "dashboard",
	[KIND_ALARM_DELIVERY] = "request of an alarm",
	[KIND_ALARM_EVENT] = "event of an alarm",
	[KIND_QUEUE] = "queue",
	[KIND_QUEUE_MESSAGE] = "message",
	[KIND_TOPIC] = "topic",
	[KIND_TOPIC_SUBSCRIPTION] = "subscription",
	[KIND_TOPIC_DELIVERY] = "delivery",
	[KIND_EVENT_RULE] = "rule",
	[KIND_EVENT_TARGET] = "target of a rule",
	[KIND_BUS_EVENT] = "event of the event bus",
	[KIND_EVENT_DELIVERY] = "delivery of an event",
	[KIND_SPOT_REQUEST] = "spot instance request ID",
	[KIND_AGGREGATE] = "aggregate",
	[KIND_INSTANCE_TYPE] = "instance type",
	[KIND_IMAGE] = "image",
	[KIND_IMAGE_DEVICE] = "image device",
	[KIND_METADEF_NAMESPACE] = "metadata definition namespace",
	[KIND_METADEF_ITEM] = "metadata definition",
	[KIND_KEY_PAIR] = "key pair",
	[KIND_EXTERNAL_NETWORK] = "external network",
	[KIND_ADDRESS_RANGE] = "address range",
	[KIND_DHCP_OPTIONS] = "dhcpOptions",
	[KIND_ROUTER] = "VPC",
	[KIND_GATEWAY] = "internet gateway",
	[KIND_EGRESS_GATEWAY] = "egress-only internet gateway",
	[KIND_NETWORK] = "network",
	[KIND_NETWORK_OFFERING] = "network offering",
	[KIND_NETWORK_GRANT] = "grant of a network",
	[KIND_ADDRESS_GROUP] = "prefix list",
	[KIND_SUBNET] = "subnet",
	[KIND_SUBNET_POOL] = "subnet pool",
	[KIND_TRUNK] = "trunk",
	[KIND_QOS_POLICY] = "QoS policy",
	[KIND_ADDRESS_SCOPE] = "address scope",
	[KIND_QOS_RULE] = "QoS rule",
	[KIND_SUBNET_RESERVATION] = "subnet CIDR reservation",
	[KIND_ROUTE_TABLE] = "route table",
	[KIND_ROUTE] = "route",
	[KIND_NAT_GATEWAY] = "NAT gateway",
	[KIND_PEERING] = "vpcPeeringConnection ID",
	[KIND_VPC_ENDPOINT] = "Vpc Endpoint Id",
	[KIND_ENDPOINT_SERVICE] = "vpcEndpointService ID",
	[KIND_FLOW_LOG] = "flowLog ID",
	[KIND_TRANSIT_GATEWAY] = "transit gateway",
	[KIND_TRANSIT_ATTACHMENT] = "transit gateway attachment",
	[KIND_TRANSIT_ROUTE_TABLE] = "transit gateway route table",
	[KIND_TRANSIT_ROUTE] = "route of a transit gateway",
	[KIND_CUSTOMER_GATEWAY] = "customerGateway ID",
	[KIND_VPN_GATEWAY] = "vpnGateway ID",
	[KIND_VPN_CONNECTION] = "vpnConnection ID",
	[KIND_VPN_TUNNEL] = "VPN tunnel",
	[KIND_VPN_ROUTE] = "route of a VPN connection",
	[KIND_IKE_POLICY] = "IKE policy",
	[KIND_IPSEC_POLICY] = "IPsec policy",
	[KIND_VPN_ENDPOINT_GROUP] = "endpoint group",
	[KIND_VPN_SERVICE] = "VPN service",
	[KIND_IMPORT_SNAPSHOT_TASK] = "import task",
	[KIND_IMPORT_IMAGE_TASK] = "import task",
	[KIND_EXPORT_IMAGE_TASK] = "export task",
	[KIND_NETWORK_ACL] = "network ACL",
	[KIND_NETWORK_ACL_ENTRY] = "network ACL entry",
	[KIND_SECURITY_GROUP] = "security group",
	[KIND_SECURITY_GROUP_RULE] = "security group rule",
	[KIND_SECURITY_GROUP_ASSOCIATION] = "association",
	[KIND_PORT] = "network interface",
	[KIND_SECONDARY_IP] = "secondary address",
	[KIND_PORT_PREFIX] = "prefix",
	[KIND_ADDRESS] = "address",
	[KIND_ADDRESS_PREFIX] = "block of public addresses",
	[KIND_PORT_FORWARDING] = "port forwarding",
	[KIND_LOAD_BALANCER] = "load balancer",
	[KIND_LOAD_BALANCER_MEMBER] = "member",
	[KIND_ELASTIC_LOAD_BALANCER] = "load balancer",
	[KIND_LISTENER] = "listener",
	[KIND_LISTENER_RULE] = "rule",
	[KIND_L7_RULE] = "L7 rule",
	[KIND_RULE_TARGET_GROUP] = "target group of a rule",
	[KIND_PROXY] = "proxy",
	[KIND_TARGET_GROUP] = "target group",
	[KIND_TARGET] = "target",
	[KIND_FIREWALL_RULE] = "firewall rule",
	[KIND_PORT_POLICY] = "network security group",
	[KIND_PORT_POLICY_RULE] = "security rule",
	[KIND_PORT_SET] = "application security group",
	[KIND_SOURCE_NAT] = "NAT gateway",
	[KIND_ROUTE_PLAN] = "route table",
	[KIND_ROUTE_PLAN_ENTRY] = "route",
	[KIND_PEERING_SIDE] = "virtual network peering",
	[KIND_BALANCER_SET] = "load balancer",
	[KIND_BALANCER_POOL_MEMBER] = "member of a backend pool",
	[KIND_SERVER_GROUP] = "placement group",
	[KIND_LAUNCH_TEMPLATE] = "launch template",
	[KIND_LAUNCH_TEMPLATE_VERSION] = "launch template version",
	[KIND_SNAPSHOT] = "snapshot",
	[KIND_BACKUP] = "backup",
	[KIND_BACKUP_PLAN] = "backup plan",
	[KIND_BACKUP_RULE] = "backup rule",
	[KIND_BACKUP_SELECTION] = "backup selection",
	[KIND_BACKUP_VAULT] = "backup vault",
	[KIND_MACHINE_BACKUP] = "machine backup",
	[KIND_VOLUME_TYPE] = "volume type",
	[KIND_VOLUME] = "volume",
	[KIND_VOLUME_QOS] = "QoS specs",
	[KIND_USER_DATA] = "user data",
	[KIND_RESOURCE_GROUP] = "resource group",
	[KIND_VOLUME_GROUP_TYPE] = "group type",
	[KIND_VOLUME_GROUP] = "group of volumes",
	[KIND_INSTANCE_SNAPSHOT] = "instance snapshot",
	[KIND_SNAPSHOT_POLICY] = "snapshot policy",
	[KIND_VOLUME_GROUP_SNAPSHOT] = "snapshot of a group",
	[KIND_VOLUME_ATTACHMENT] = "attachment",
	[KIND_VOLUME_TRANSFER] = "transfer",
	[KIND_INSTANCE] = "instance",
	[KIND_INSTANCE_EVENT] = "instance event",
	[KIND_PROFILE_ASSOCIATION] = "association",
	[KIND_CONDITION] = "condition",
	[KIND_CLIENT_TOKEN] = "client token",
	[KIND_DESK] = "desk",
	[KIND_SUPPORT_TICKET] = "ticket",
	[KIND_TICKET_MESSAGE] = "message",
	[KIND_TICKET_ATTACHMENT] = "attachment",
	[KIND_TICKET_LINK] = "link of a ticket",
	[KIND_TICKET_SENDING] = "sending of a ticket",
	[KIND_SETTING] = "setting",
	[KIND_PRODUCT] = "product",
	[KIND_ENTITLEMENT] = "entitlement",
	[KIND_SUBSCRIPTION_SERVER] = "subscription server",
	[KIND_WEBHOOK] = "webhook",
	[KIND_WEBHOOK_DELIVERY] = "delivery",
	[KIND_SIGNUP_TEMPLATE] = "template of sign-ups",
	[KIND_SIGNUP] = "sign-up",
	[KIND_PROVIDER] = "provider",
	[KIND_REMOTE_MACHINE] = "remote machine",
	[KIND_REMOTE_RESOURCE] = "remote resource",
	[KIND_MACHINE_POLICY] = "machine policy",
	[KIND_CLUSTER] = "cluster",
	[KIND_POLICY_FINDING] = "finding",
	[KIND_CLOUD_MIGRATION] = "migration",
	[KIND_CLOUD_MIGRATION_DISK] = "disk of a migration",
};

const char *engine_kind_words(const struct ctx *c, enum kind kind)
{
	return c->kind_words && c->kind_words->of[kind] ? c->kind_words->of[kind] : words[kind];
}

struct str engine_id_to_text(const struct ctx *c, enum kind kind, uuid id)
{
	return c->kind_words ? c->kind_words->write_id(c->arena, kind, id) : id_to_text(c->arena, kind, id);
}

RESULT engine_fail_not_found(struct ctx *c, enum kind kind, const struct ref *ref)
{
	return engine_fail_about(c, ref,
				 ctx_fail_kind(c, ERR_NOT_FOUND, (int) kind,
					       "The %s '%" STR_FMT "' does not exist",
					       engine_kind_words(c, kind), STR_ARG(ref->text)));
}

RESULT engine_fail_gone(struct ctx *c, enum kind kind, uuid id)
{
	const struct ref ref = {.text = engine_id_to_text(c, kind, id)};
	return engine_fail_not_found(c, kind, &ref);
}

static const struct row *look_up(const struct ctx *c, const struct tables *t, enum kind kind,
				 const struct ref *ref)
{
	if (ref->kind != kind)
		return NULL;
	if (ref->bits == 0)
		return named[kind] ? named[kind](t, engine_get_account(c), ref->text) : NULL;
	const struct row *row = ref->bits >= 128 ? tables_find(t, kind, ref->prefix)
						 : tables_find_prefix(t, kind, ref->prefix, ref->bits);
	bool may_be_name = kind == KIND_INSTANCE_TYPE; /* a flavor's id may be any text, also a UUID */
	return row || !may_be_name ? row : named[kind](t, engine_get_account(c), ref->text);
}

RESULT engine_check_found(struct ctx *c, const struct tables *t, enum kind kind, const struct row *row)
{
	TRY(engine_check_guarded(c));
	return c->guard ? c->guard->check_found(c->guard, c, t, kind, row) : OK;
}

static uuid default_router_of(const struct ctx *c, const struct tables *t)
{
	const struct account *account = account_find(t, engine_get_account(c));
	return account ? account->default_router : UUID_NONE;
}

/* A group's name is unique within a router, which the message names. EC2's words for its default VPC; those
 * for other VPCs are a guess. */
static RESULT fail_absent(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			  uuid router)
{
	if (kind != KIND_SECURITY_GROUP || ref->bits > 0 || ref->kind != kind || uuid_is_none(router))
		return engine_fail_not_found(c, kind, ref);
	bool is_default = uuid_equal(default_router_of(c, t), router);
	return engine_fail_about(c, ref,
				 ctx_fail_kind(c, ERR_NOT_FOUND, KIND_SECURITY_GROUP,
					       "The %s '%" STR_FMT "' does not exist in %s%s '%" STR_FMT "'",
					       engine_kind_words(c, kind), STR_ARG(ref->text),
					       is_default ? "default " : "",
					       engine_kind_words(c, KIND_ROUTER),
					       STR_ARG(engine_id_to_text(c, KIND_ROUTER, router))));
}

/* ERR_IN_USE for a row being deleted, if the caller's face shows it until it is forgotten. */
static RESULT check_lingering(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref)
{
	const struct row *row =
		c->kind_words && c->kind_words->lingers[kind] ? look_up(c, t, kind, ref) : NULL;
	if (!row || !engine_may_see_ended(c, kind, row) || !engine_is_lingering(t, kind, row))
		return OK;
	return engine_fail_about(c, ref,
				 ctx_fail_kind(c, ERR_IN_USE, kind, "The %s '%" STR_FMT "' is being deleted.",
					       engine_kind_words(c, kind), STR_ARG(ref->text)));
}

/* Returns the row that the call named, after asking the guard; row NULL: the caller may see none. */
static RESULT take(struct ctx *c, const struct tables *t, const struct ref *ref, enum kind kind,
		   const struct row *row, const struct row **ret_row)
{
	TRY(engine_check_guarded(c));
	if (!row) {
		if (c->guard && ref->kind == kind)
			TRY(c->guard->check_absent(c->guard, c, t, ref));
		TRY(check_lingering(c, t, kind, ref));
		return fail_absent(c, t, kind, ref, default_router_of(c, t));
	}
	TRY(engine_check_found(c, t, kind, row));
	*ret_row = row;
	return OK;
}

RESULT engine_look_up(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		      const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	return take(c, t, ref, kind, row_is_live(row) ? row : NULL, ret_row);
}

RESULT engine_look_up_foreign(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			      const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	TRY(engine_check_guarded(c));
	if (!row_is_live(row))
		return engine_fail_not_found(c, kind, ref);
	*ret_row = row;
	return OK;
}

bool engine_is_lingering(const struct tables *t, enum kind kind, const struct row *row)
{
	bool is_kept =
		kind == KIND_SNAPSHOT && (snapshot_of(row)->is_bound || volume_first_by_snapshot(t, row->id));
	return !row_is_live(row) && !is_kept;
}

bool engine_has_gone(const struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref)
{
	const struct row *row = look_up(c, t, kind, ref);
	return row && !row_is_live(row) &&
	       (is_callers(c, kind, row) || is_shared(kind, row, engine_get_account(c)));
}

RESULT engine_find(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		   const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	bool may = row && (engine_may_see(c, kind, row) || engine_is_shared_elsewhere(c, t, kind, row));
	return take(c, t, ref, kind, may ? row : NULL, ret_row);
}

bool engine_may_see_ended(const struct ctx *c, enum kind kind, const struct row *row)
{
	return !row_is_live(row) && !engine_is_hidden(kind, row) && is_callers(c, kind, row);
}

RESULT engine_find_listed(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			  const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	bool may = row && (engine_may_see(c, kind, row) || engine_may_see_ended(c, kind, row));
	return take(c, t, ref, kind, may ? row : NULL, ret_row);
}

RESULT engine_find_own(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
		       const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	return take(c, t, ref, kind, row && engine_is_own(c, kind, row) ? row : NULL, ret_row);
}

RESULT engine_find_usable(struct ctx *c, const struct tables *t, enum kind kind, const struct ref *ref,
			  const struct row **ret_row)
{
	const struct row *row = look_up(c, t, kind, ref);
	return take(c, t, ref, kind, row && engine_may_use(c, t, kind, row) ? row : NULL, ret_row);
}

RESULT engine_name_absent(struct ctx *c, const struct tables *t, const struct refs *refs, struct result found)
{
	struct str all = STR_NONE;
	if (found.code != ERR_NOT_FOUND)
		return found;
	for (size_t n = 0; n < refs->count; n++) {
		const struct ref *ref = &refs->at[n];
		const struct row *row = look_up(c, t, ref->kind, ref);
		if ((int) ref->kind == c->problem.kind && !(row && engine_may_see(c, ref->kind, row)))
			all = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), all.n ? ", " : "",
					STR_ARG(ref->text));
	}
	if (all.n)
		c->problem.subject = all;
	return found;
}

/* A group without a router: its name may be ambiguous. */
static RESULT find_alone_group(struct ctx *c, const struct tables *t, uuid account, const struct ref *ref,
			       const struct security_group **ret_group)
{
	const struct security_group *g = security_group_first_by_name(t, account), *found = NULL;
	for (; g; g = security_group_next_by_name(t, g)) {
		if (!row_is_live(&g->row) || !uuid_is_none(g->router) || !str_equal(g->name, ref->text))
			continue;
		if (found)
			return engine_fail_with(c, ref->field,
						ctx_fail_kind(c, ERR_CONFLICT, KIND_SECURITY_GROUP,
							      "Multiple security groups found matching "
							      "'%" STR_FMT
							      "'. Use an ID to be more specific.",
							      STR_ARG(ref->text)));
		found = g;
	}
	*ret_group = found;
	return OK;
}

/* Prefers the router's own group, whose name is unique there. */
static RESULT find_group_named(struct ctx *c, const struct tables *t, uuid account, uuid router,
			       const struct ref *ref, const struct security_group **ret_group)
{
	const struct security_group *group =
		uuid_is_none(router) ? NULL : security_group_find_by_router(t, router, ref->text);
	if (!group || !uuid_equal(group->account, account))
		return find_alone_group(c, t, account, ref, ret_group);
	*ret_group = group;
	return OK;
}

RESULT engine_find_group_in(struct ctx *c, const struct tables *t, uuid account, uuid router,
			    const struct ref *ref, const struct security_group **ret_group)
{
	const struct security_group *group = NULL;
	if (ref->kind == KIND_SECURITY_GROUP && ref->bits == 0)
		TRY(find_group_named(c, t, account, router, ref, &group));
	else
		TRY(engine_find_own_security_group(c, t, ref, &group));
	if (!group || !engine_is_own(c, KIND_SECURITY_GROUP, &group->row) ||
	    !uuid_equal(group->account, account))
		return fail_absent(c, t, KIND_SECURITY_GROUP, ref, router);
	if (!engine_is_group_in(t, group, router))
		return engine_fail_with(c, ref->field,
					ctx_fail_kind(c, ERR_INVALID, KIND_SECURITY_GROUP,
						      "The %s '%" STR_FMT "' belongs to another %s",
						      engine_kind_words(c, KIND_SECURITY_GROUP),
						      STR_ARG(ref->text), engine_kind_words(c, KIND_ROUTER)));
	*ret_group = group;
	return engine_check_found(c, t, KIND_SECURITY_GROUP, &group->row);
}
