/* SPDX-License-Identifier: Apache-2.0
 * Values of condition keys: of the call, of the caller, and of a row that an operation has found or will
 * create. One table row per key. Source: Service Authorization Reference, "Actions, resources, and condition
 * keys for Amazon EC2"; IAM User Guide, "AWS global condition context keys". */
#include <inttypes.h>

#include "auth/guard/guard_endpoint.h"
#include "auth/guard/guard_internal.h"
#include "auth/sign_in/session.h"
#include "base/clock.h"
#include "engine/alarm/alarm.h"
#include "engine/alarm/dashboard.h"
#include "engine/backup/backup_vault.h"
#include "engine/balancing/balancing.h"
#include "engine/events/events.h"
#include "engine/instance/profile_association.h"
#include "engine/messaging/messaging.h"
#include "engine/people/credential/acm_certificate.h"
#include "engine/resolve.h"
#include "engine/scaling/scaling.h"
#include "engine/storage/snapshot/lifecycle_policy.h"
#include "model/address.h"
#include "model/dedicated_host.h"
#include "model/gateway.h"
#include "model/iam_name.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/instance_profile.h"
#include "model/key_pair.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/peering.h"
#include "model/permission.h"
#include "model/port.h"
#include "model/remote_machine.h"
#include "model/route_table.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/server_certificate.h"
#include "model/snapshot.h"
#include "model/spot_fleet_id.h"
#include "model/subnet.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"
#include "model/transit_route_table.h"
#include "model/volume.h"
#include "store/account.h"
#include "store/provider.h"

const char *const guard_explained_keys[] = {
	"aws:sourceip",    "aws:securetransport", "aws:username", "aws:principalarn", "aws:requestedregion",
	"aws:currenttime", "ec2:instancetype",    "ec2:vpc",      "ec2:subnet",       "ec2:availabilityzone",
	"ec2:volumesize",  "ec2:volumetype",      "ec2:owner",    "ec2:createaction", 0};

/* ---- ARNs ---- */

static const struct guard_arn_form arn_forms[] = {
	{KIND_INSTANCE, "instance", false, false},
	{KIND_VOLUME, "volume", false, false},
	{KIND_SNAPSHOT, "snapshot", true, false},
	{KIND_IMAGE, "image", true, false},
	{KIND_IMPORT_SNAPSHOT_TASK, "import-snapshot-task", false, false},
	{KIND_IMPORT_IMAGE_TASK, "import-image-task", false, false},
	{KIND_EXPORT_IMAGE_TASK, "export-image-task", false, false},
	{KIND_ROUTER, "vpc", false, false},
	{KIND_DHCP_OPTIONS, "dhcp-options", false, false},
	{KIND_SUBNET, "subnet", false, false},
	{KIND_SUBNET_RESERVATION, "subnet-cidr-reservation", false, false},
	{KIND_PORT, "network-interface", false, false},
	{KIND_SECURITY_GROUP, "security-group", false, false},
	{KIND_SECURITY_GROUP_RULE, "security-group-rule", false, false},
	{KIND_GATEWAY, "internet-gateway", false, false},
	{KIND_EGRESS_GATEWAY, "egress-only-internet-gateway", false, false},
	{KIND_ROUTE_TABLE, "route-table", false, false},
	{KIND_NETWORK_ACL, "network-acl", false, false},
	{KIND_NAT_GATEWAY, "natgateway", false, false},
	{KIND_PEERING, "vpc-peering-connection", false, false},
	{KIND_PEERING_SIDE, "vpc-peering-connection", false, false},
	{KIND_VPC_ENDPOINT, "vpc-endpoint", false, false},
	{KIND_ENDPOINT_SERVICE, "vpc-endpoint-service", false, false},
	{KIND_FLOW_LOG, "vpc-flow-log", false, false},
	{KIND_TRANSIT_GATEWAY, "transit-gateway", false, false},
	{KIND_TRANSIT_ATTACHMENT, "transit-gateway-attachment", false, false},
	{KIND_TRANSIT_ROUTE_TABLE, "transit-gateway-route-table", false, false},
	{KIND_TRANSIT_ROUTE, "transit-gateway-route-table", false, false},
	{KIND_CUSTOMER_GATEWAY, "customer-gateway", false, false},
	{KIND_VPN_GATEWAY, "vpn-gateway", false, false},
	{KIND_VPN_CONNECTION, "vpn-connection", false, false},
	{KIND_ADDRESS, "elastic-ip", false, false},
	{KIND_ADDRESS_PREFIX, "ipv4pool-ec2", false, false},
	{KIND_KEY_PAIR, "key-pair", false, true},
	{KIND_SERVER_GROUP, "placement-group", false, true},
	{KIND_LAUNCH_TEMPLATE, "launch-template", false, false},
	{KIND_ADDRESS_GROUP, "prefix-list", false, false},
	{KIND_SUBNET_POOL, "ipam-pool", false, false},
	{KIND_DEDICATED_HOST, "dedicated-host", false, false},
	{KIND_CAPACITY_RESERVATION, "capacity-reservation", false, false},
	{KIND_FLEET, "fleet", false, false},
	{KIND_SPOT_REQUEST, "spot-instances-request", false, false},
};

struct guard_arn_form guard_find_arn_form(enum kind kind)
{
	for (size_t k = 0; k < sizeof arn_forms / sizeof arn_forms[0]; k++)
		if (arn_forms[k].kind == kind)
			return arn_forms[k];
	return (struct guard_arn_form){.kind = kind, .type = model_kinds[kind].name};
}

static struct str account_number(const struct tables *t, uuid account, const struct identity *who)
{
	const struct account *row = NULL;
	if (who && uuid_equal(account, who->account))
		return who->account_number;
	row = uuid_is_none(account) ? NULL : account_find(t, account);
	return row ? row->number : STR_NONE;
}

static struct str name_of(enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (k->fields[n].type == FIELD_TEXT && strcmp(k->fields[n].name, "name") == 0)
			return *(const struct str *) (const void *) ((const char *) row +
								     k->fields[n].offset);
	return STR_NONE;
}

static struct str id_of(struct arena *a, enum kind kind, const struct row *row, bool is_named)
{
	if (is_named)
		return name_of(kind, row);
	return *model_kinds[kind].ec2_prefix ? id_to_ec2(a, kind, row->id) : uuid_to_str(a, row->id);
}

static struct str ec2_arn(const struct guard_subject *s, struct arena *a, enum kind kind, uuid owner,
			  struct str id)
{
	struct guard_arn_form form = guard_find_arn_form(kind);
	struct str account =
		form.has_no_account ? STR_NONE : account_number(s->tables, owner, s->state->call->ctx.who);
	const struct row *row = s->row ? s->row : s->planned;
	bool is_spot_fleet = kind == KIND_FLEET && row && id_is_spot_fleet(row->id);
	return str_print(a, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":%s/%" STR_FMT, STR_ARG(s->state->region),
			 STR_ARG(account), is_spot_fleet ? "spot-fleet-request" : form.type, STR_ARG(id));
}

/* "arn:aws:dari:REGION:ACCOUNT:remote/PROVIDER", and for a machine there "…/machine/i-0abc": the names that people
 * know, so that a policy can say "everything of this provider". */
static struct str remote_arn(const struct guard_subject *s, struct arena *a, uuid owner)
{
	const struct row *row = s->row ? s->row : s->planned;
	const struct remote_machine *m = s->kind == KIND_REMOTE_MACHINE ? remote_machine_of(row) : NULL;
	const struct provider *p = m ? provider_find(s->tables, m->provider) : NULL;
	struct str name = m ? (p ? p->name : STR_NONE) : row ? provider_of(row)->name : STR("*");
	if (row) /* a planned machine belongs to the owner of a provider that is shared */
		owner = engine_get_owner(s->kind, row);
	struct str account = account_number(s->tables, owner, s->state->call->ctx.who);
	return str_print(a, "arn:aws:dari:%" STR_FMT ":%" STR_FMT ":remote/%" STR_FMT "%s%" STR_FMT,
			 STR_ARG(s->state->region), STR_ARG(account), STR_ARG(name),
			 s->kind == KIND_REMOTE_MACHINE ? "/machine/" : "",
			 STR_ARG(m                                ? m->ref
				 : s->kind == KIND_REMOTE_MACHINE ? STR("*")
								  : STR_NONE));
}

static bool is_named_kind(enum kind kind)
{
	return guard_find_arn_form(kind).is_named;
}

/* Vaults, plans and recovery points of AWS Backup. */
static bool is_backup_kind(enum kind kind)
{
	return kind == KIND_BACKUP_VAULT || kind == KIND_BACKUP_PLAN || kind == KIND_MACHINE_BACKUP ||
	       kind == KIND_BACKUP;
}

/* ARNs of ELBv2, EC2 Auto Scaling, CloudWatch, EventBridge, DLM, SQS and SNS. A planned row has its id and name already. */
static struct str other_arn(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	const struct row *row = s->row ? s->row : s->planned;
	uuid owner = s->row ? engine_get_owner(s->kind, s->row) : who->account;
	struct str number = account_number(s->tables, owner, who);
	if (s->kind == KIND_ALARM)
		return engine_write_alarm_arn(a, s->state->region, number, row);
	if (s->kind == KIND_SNAPSHOT_POLICY)
		return engine_write_lifecycle_arn(a, s->state->region, number,
						  row ? id_to_prefixed(a, "policy", row->id) : STR("*"));
	if (is_backup_kind(s->kind))
		return engine_write_backup_arn(a, s->state->region, number, s->kind, row);
	if (engine_is_event_kind(s->kind))
		return engine_write_event_arn(s->tables, a, s->state->region, number, s->kind, row);
	if (s->kind == KIND_DASHBOARD)
		return engine_write_dashboard_arn(a, number, row);
	if (engine_is_messaging_kind(s->kind))
		return engine_write_messaging_arn(s->tables, a, s->state->region, number, s->kind, row);
	return engine_is_scaling_kind(s->kind)
		       ? engine_write_scaling_arn(s->tables, a, s->state->region, number, s->kind, row)
		       : engine_write_balancing_arn(s->tables, a, s->state->region, number, s->kind, row);
}

/* A service's own permissions are decided on its ARNs, and Dari's about rows of the same kinds on ARNs as of EC2: policies that
 * were written for one of them keep their meaning. */
static bool is_by_service(enum kind kind, int permission)
{
	struct str action =
		permission == PERMISSION_NONE ? STR_NONE : str_from(model_permissions[permission].action);
	return kind == KIND_SNAPSHOT_POLICY ? str_starts_with(action, STR("dlm:"))
					    : is_backup_kind(kind) && str_starts_with(action, STR("backup:"));
}

static bool is_other_kind(enum kind kind)
{
	return kind == KIND_ALARM || kind == KIND_DASHBOARD || engine_is_messaging_kind(kind) ||
	       engine_is_event_kind(kind) || engine_is_balancing_kind(kind) || engine_is_scaling_kind(kind);
}

static const struct row *row_of(const struct guard_subject *s)
{
	return s->row ? s->row : s->planned;
}

/* Certificates of IAM and of ACM have one kind. */
static bool is_of_acm(const struct guard_subject *s)
{
	const struct row *row = s->kind == KIND_SERVER_CERTIFICATE ? row_of(s) : NULL;
	return row && server_certificate_of(row)->service == SERVER_CERTIFICATE_SERVICE_ACM;
}

struct str guard_write_arn(const struct guard_subject *s, struct arena *a, int permission)
{
	const struct identity *who = s->state->call->ctx.who;
	if (!s->tables || s->kind == KIND_NONE)
		return STR("*");
	if (is_other_kind(s->kind) || is_by_service(s->kind, permission))
		return other_arn(s, a);
	if (s->absent.n)
		return ec2_arn(s, a, s->kind, who->account, s->absent);
	if (is_of_acm(s))
		return engine_write_acm_arn(
			a, s->state->region,
			account_number(s->tables, engine_get_owner(s->kind, row_of(s)), who), row_of(s));
	if (iam_is_kind(s->kind))
		return iam_arn_to_text(a,
				       uuid_is_none(s->account) ? who->account_number
								: account_number(s->tables, s->account, who),
				       s->kind, s->row ? s->row : s->planned);
	uuid owner = s->row ? engine_get_owner(s->kind, s->row) : who->account;
	if (s->kind == KIND_PROVIDER || s->kind == KIND_REMOTE_MACHINE)
		return remote_arn(s, a, owner);
	struct str id = s->row ? id_of(a, s->kind, s->row, is_named_kind(s->kind)) : STR("*");
	return ec2_arn(s, a, s->kind, owner, id);
}

struct str guard_write_policy_principal(const struct identity *who, struct arena *a)
{
	bool is_of_role = !uuid_is_none(who->iam_role);
	struct str path = is_of_role ? who->session->role_path : who->user_path;
	if (who->is_owner)
		return str_print(a, "arn:aws:iam::%" STR_FMT ":root", STR_ARG(who->account_number));
	return str_print(a, "arn:aws:iam::%" STR_FMT ":%s%" STR_FMT "%" STR_FMT, STR_ARG(who->account_number),
			 is_of_role ? "role" : "user", STR_ARG(path.n ? path : STR("/")),
			 STR_ARG(is_of_role ? who->session->role_name : who->user_name));
}

static struct str federated_arn(const struct identity *who, struct arena *a)
{
	return str_print(a, "arn:aws:sts::%" STR_FMT ":federated-user/%" STR_FMT,
			 STR_ARG(who->account_number), STR_ARG(who->session->name));
}

struct str guard_write_principal(const struct identity *who, struct arena *a)
{
	if (session_is_federated(who->session))
		return federated_arn(who, a);
	if (uuid_is_none(who->iam_role) ||
	    !who->session->name.n) /* work that runs later knows no session name */
		return guard_write_policy_principal(who, a);
	return str_print(a, "arn:aws:sts::%" STR_FMT ":assumed-role/%" STR_FMT "/%" STR_FMT,
			 STR_ARG(who->account_number), STR_ARG(who->session->role_name),
			 STR_ARG(who->session->name));
}

/* ---- of rows ---- */

enum row_form {
	FORM_TEXT,
	FORM_INT,
	FORM_BOOL,
	FORM_TENANCY,
	FORM_REQUIRED, /* "required" or "optional" */
	FORM_ENABLED,  /* "enabled" or "disabled" */
	FORM_MARKET,   /* "spot" with a spot request, else "on-demand" */
	FORM_GIB,      /* bytes, written in GiB */
	FORM_ID,       /* id of the referenced row */
	FORM_ARN,
	FORM_NAME,
	FORM_SELF, /* the row's own id */
	FORM_IP,
	FORM_OWNER, /* account number */
};

struct row_key {
	const char *key;
	enum kind kind;
	enum row_form form;
	size_t offset;
	enum kind ref; /* kind of the referenced row */
};

#define OF(key, KIND, row, form, member, ref)                                                                \
	{                                                                                                    \
		key, KIND_##KIND, FORM_##form, offsetof(struct row, member), KIND_##ref                      \
	}
#define IN_VPC(KIND, row)                                                                                    \
	OF("ec2:vpc", KIND, row, ARN, router, ROUTER), OF("ec2:vpcid", KIND, row, ID, router, ROUTER)
#define OWNED(KIND, row) OF("ec2:owner", KIND, row, OWNER, account, ACCOUNT)

static const struct row_key row_keys[] = {
	IN_VPC(INSTANCE, instance),
	OF("ec2:instanceid", INSTANCE, instance, SELF, row, NONE),
	OF("ec2:instancetype", INSTANCE, instance, NAME, type, INSTANCE_TYPE),
	OF("ec2:instancemarkettype", INSTANCE, instance, MARKET, spot_request, NONE),
	OF("ec2:imageid", INSTANCE, instance, ID, image, IMAGE),
	OF("ec2:subnet", INSTANCE, instance, ARN, subnet, SUBNET),
	OF("ec2:subnetid", INSTANCE, instance, ID, subnet, SUBNET),
	OF("ec2:availabilityzone", INSTANCE, instance, NAME, zone, ZONE),
	OF("ec2:placementgroup", INSTANCE, instance, ARN, server_group, SERVER_GROUP),
	OF("ec2:tenancy", INSTANCE, instance, TENANCY, tenancy, NONE),
	OF("ec2:keypairname", INSTANCE, instance, TEXT, key_name, NONE),
	OF("ec2:ebsoptimized", INSTANCE, instance, BOOL, ebs_optimized, NONE),
	OF("ec2:metadatahttptokens", INSTANCE, instance, REQUIRED, metadata_tokens_required, NONE),
	OF("ec2:metadatahttpendpoint", INSTANCE, instance, ENABLED, metadata_enabled, NONE),
	OF("ec2:metadatahttpputresponsehoplimit", INSTANCE, instance, INT, metadata_hop_limit, NONE),
	OF("ec2:volumeid", VOLUME, volume, SELF, row, NONE),
	OF("ec2:volumesize", VOLUME, volume, GIB, size, NONE),
	OF("ec2:volumetype", VOLUME, volume, TEXT, type, NONE),
	OF("ec2:encrypted", VOLUME, volume, BOOL, is_encrypted, NONE),
	OF("ec2:volumeiops", VOLUME, volume, INT, iops, NONE),
	OF("ec2:volumethroughput", VOLUME, volume, INT, throughput, NONE),
	OF("ec2:availabilityzone", VOLUME, volume, NAME, zone, ZONE),
	OF("ec2:parentsnapshot", VOLUME, volume, ARN, snapshot, SNAPSHOT),
	OF("ec2:snapshotid", SNAPSHOT, snapshot, SELF, row, NONE),
	OF("ec2:parentvolume", SNAPSHOT, snapshot, ARN, volume, VOLUME),
	OF("ec2:encrypted", SNAPSHOT, snapshot, BOOL, is_encrypted, NONE),
	OF("ec2:volumesize", SNAPSHOT, snapshot, GIB, volume_size, NONE),
	OWNED(SNAPSHOT, snapshot),
	OF("ec2:imageid", IMAGE, image, SELF, row, NONE),
	OF("ec2:public", IMAGE, image, BOOL, is_public, NONE),
	OWNED(IMAGE, image),
	OF("ec2:vpcid", ROUTER, router, SELF, row, NONE),
	OF("ec2:tenancy", ROUTER, router, TENANCY, tenancy, NONE),
	IN_VPC(SUBNET, subnet),
	OF("ec2:subnetid", SUBNET, subnet, SELF, row, NONE),
	OF("ec2:availabilityzone", SUBNET, subnet, NAME, zone, ZONE),
	IN_VPC(PORT, port),
	OF("ec2:networkinterfaceid", PORT, port, SELF, row, NONE),
	OF("ec2:subnet", PORT, port, ARN, subnet, SUBNET),
	OF("ec2:subnetid", PORT, port, ID, subnet, SUBNET),
	OF("ec2:associatepublicipaddress", PORT, port, BOOL, wants_public_ip, NONE),
	OF("ec2:permission", PORT, port, TEXT, device_owner, NONE),
	IN_VPC(SECURITY_GROUP, security_group),
	OF("ec2:securitygroupid", SECURITY_GROUP, security_group, SELF, row, NONE),
	IN_VPC(ROUTE_TABLE, route_table),
	OF("ec2:routetableid", ROUTE_TABLE, route_table, SELF, row, NONE),
	IN_VPC(NETWORK_ACL, network_acl),
	OF("ec2:networkaclid", NETWORK_ACL, network_acl, SELF, row, NONE),
	OF("ec2:internetgatewayid", GATEWAY, gateway, SELF, row, NONE),
	OF("ec2:natgatewayid", NAT_GATEWAY, nat_gateway, SELF, row, NONE),
	IN_VPC(NAT_GATEWAY, nat_gateway),
	OF("ec2:vpcpeeringconnectionid", PEERING, peering, SELF, row, NONE),
	OF("ec2:requestervpc", PEERING, peering, ARN, router, ROUTER),
	OF("ec2:acceptervpc", PEERING, peering, ARN, peer_router, ROUTER),
	OF("ec2:transitgatewayid", TRANSIT_GATEWAY, transit_gateway, SELF, row, NONE),
	OF("ec2:transitgatewayattachmentid", TRANSIT_ATTACHMENT, transit_attachment, SELF, row, NONE),
	OF("ec2:transitgatewayroutetableid", TRANSIT_ROUTE_TABLE, transit_route_table, SELF, row, NONE),
	OF("ec2:availabilityzone", DEDICATED_HOST, dedicated_host, NAME, zone, ZONE),
	OF("ec2:instancetype", DEDICATED_HOST, dedicated_host, TEXT, type, NONE),
	OF("ec2:allocationid", ADDRESS, address, SELF, row, NONE),
	OF("ec2:publicipaddress", ADDRESS, address, IP, ip, NONE),
	OF("ec2:keypairname", KEY_PAIR, key_pair, TEXT, name, NONE),
};

/* Writes a reference to another row. */
static struct str write_ref(const struct guard_subject *s, struct arena *a, const struct row_key *k, uuid id)
{
	const struct row *row = uuid_is_none(id) ? NULL : tables_find(s->tables, k->ref, id);
	if (!row)
		return STR_NONE;
	if (k->form == FORM_NAME)
		return name_of(k->ref, row);
	if (k->form == FORM_ID)
		return id_of(a, k->ref, row, false);
	return ec2_arn(s, a, k->ref, engine_get_owner(k->ref, row),
		       id_of(a, k->ref, row, is_named_kind(k->ref)));
}

static struct str write_field(const struct guard_subject *s, struct arena *a, const struct row_key *k,
			      const struct row *row)
{
	const void *at = (const char *) row + k->offset;
	switch (k->form) {
	case FORM_TEXT:
		return *(const struct str *) at;
	case FORM_INT:
		return str_print(a, "%" PRId64, *(const int64_t *) at);
	case FORM_GIB:
		return str_print(a, "%" PRId64, *(const int64_t *) at >> 30);
	case FORM_BOOL:
		return *(const bool *) at ? STR("true") : STR("false");
	case FORM_TENANCY:
		/* the enum of a router's tenancy is a prefix of this one */
		return str_from(instance_tenancy_words[*(const enum instance_tenancy *) at]);
	case FORM_REQUIRED:
		return *(const bool *) at ? STR("required") : STR("optional");
	case FORM_ENABLED:
		return *(const bool *) at ? STR("enabled") : STR("disabled");
	case FORM_MARKET:
		return uuid_is_none(*(const uuid *) at) ? STR("on-demand") : STR("spot");
	case FORM_ID:
	case FORM_ARN:
	case FORM_NAME:
		return write_ref(s, a, k, *(const uuid *) at);
	case FORM_SELF:
		return row == s->planned ? STR_NONE : id_of(a, k->kind, row, false);
	case FORM_IP:
		return ip_to_str(a, *(const struct ip *) at);
	case FORM_OWNER:
		return uuid_is_none(*(const uuid *) at)
			       ? STR("amazon")
			       : account_number(s->tables, *(const uuid *) at, s->state->call->ctx.who);
	}
	return STR_NONE;
}

static enum policy_known give(struct arena *a, struct str value, struct strs *ret_values)
{
	struct str *at = arena_new_object(a, struct str);
	if (!value.p || !at)
		return POLICY_ABSENT;
	*at = value;
	*ret_values = (struct strs){at, 1};
	return POLICY_PRESENT;
}

static enum policy_known find_row_key(const struct guard_subject *s, struct arena *a, struct str key,
				      struct strs *ret_values)
{
	const struct row *row = s->row ? s->row : s->planned;
	for (size_t k = 0; row && k < sizeof row_keys / sizeof row_keys[0]; k++)
		if (row_keys[k].kind == s->kind && str_is(key, row_keys[k].key))
			return give(a, write_field(s, a, &row_keys[k], row), ret_values);
	return POLICY_ABSENT;
}

/* ---- instance profiles ---- */

static struct str write_profile(const struct guard_subject *s, struct arena *a,
				const struct instance_profile *profile)
{
	return profile ? iam_arn_to_text(a,
					 account_number(s->tables, profile->account, s->state->call->ctx.who),
					 KIND_INSTANCE_PROFILE, &profile->row)
		       : STR_NONE;
}

/* Instance profile of an instance: the present one or, for a new instance, its first one; and the one that
 * replaces it. */
static enum policy_known find_profile_key(const struct guard_subject *s, struct arena *a, struct str key,
					  struct strs *ret_values)
{
	const struct instance_profile *next = s->state->guard.profile;
	bool is_new = str_is(key, "ec2:newinstanceprofile");
	if (s->kind != KIND_INSTANCE || !(s->row || s->planned) ||
	    !(is_new || str_is(key, "ec2:instanceprofile")))
		return POLICY_ABSENT;
	if (is_new || !s->row)
		return give(a, is_new && !s->row ? STR_NONE : write_profile(s, a, next), ret_values);
	return give(a, write_profile(s, a, engine_find_profile_of(s->tables, s->row->id)), ret_values);
}

/* Instance that a role is passed to. */
static struct str passed_to_resource(const struct guard_subject *s, struct arena *a)
{
	const struct instance *instance = s->state->guard.instance;
	uuid owner = instance ? instance->account : s->state->call->ctx.who->account;
	if (!s->passed_to.n || !s->state->guard.profile)
		return STR_NONE;
	return ec2_arn(s, a, KIND_INSTANCE, owner,
		       instance ? id_to_ec2(a, KIND_INSTANCE, instance->row.id) : STR("*"));
}

/* ---- tags ---- */

/* If both sides have tags on a row, the caller's are meant. */
static struct tags tags_of(const struct guard_subject *s, const struct row *row)
{
	const struct kind_info *k = &model_kinds[s->kind];
	size_t offset = row ? k->tags_offset : 0;
	if (row && k->peer_tags_offset && row == s->row)
		offset = engine_tags_offset(&s->state->call->ctx, s->kind, row);
	return offset ? *(const struct tags *) (const void *) ((const char *) row + offset)
		      : (struct tags){0};
}

static enum policy_known find_tag(struct arena *a, struct tags tags, struct str key, struct strs *ret_values)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal_nocase(tags.at[k].key, key)) /* tag keys in condition keys ignore case, as
							    * condition keys do */
			return give(a, tags.at[k].value.p ? tags.at[k].value : STR(""), ret_values);
	return POLICY_ABSENT;
}

static enum policy_known list_tag_keys(struct arena *a, struct tags tags, struct strs *ret_values)
{
	struct str *at = arena_new_array(a, struct str, tags.count + 1);
	if (!at || !tags.count)
		return POLICY_ABSENT;
	for (size_t k = 0; k < tags.count; k++)
		at[k] = tags.at[k].key;
	*ret_values = (struct strs){at, tags.count};
	return POLICY_PRESENT;
}

/* Tags of a new resource are in the planned row; the face finds other tags in the request. */
static enum policy_known find_request_tags(const struct guard_subject *s, struct arena *a, struct str key,
					   struct strs *ret_values)
{
	const struct guard_request *r = &s->state->request;
	struct tags tags = tags_of(s, s->planned);
	enum policy_known known = POLICY_ABSENT;
	if (!s->tables && s->state->is_open)
		return POLICY_NOT_YET;
	if (str_is(key, "aws:tagkeys"))
		known = list_tag_keys(a, tags, ret_values);
	else
		known = find_tag(a, tags, str_slice(key, str_find_char(key, '/', 0) + 1, key.n), ret_values);
	if (known == POLICY_ABSENT && !s->planned && r->find)
		known = r->find(r->arg, key, ret_values);
	return known == POLICY_ABSENT && !s->planned && s->state->is_later ? POLICY_NOT_YET : known;
}

/* ---- of the call ---- */

static struct str source_ip(const struct guard_subject *s, struct arena *a)
{
	struct ip ip = s->state->call->peer;
	return ip_is_none(ip) ? STR_NONE : ip_to_str(a, ip);
}
static struct str secure_transport(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return s->state->call->is_tls ? STR("true") : STR("false");
}
static struct str current_time(const struct guard_subject *s, struct arena *a)
{
	char text[CLOCK_TEXT_SIZE];
	(void) s;
	return str_copy(a, str_from(clock_write_s(clock_now_us(), text)));
}
static struct str epoch_time(const struct guard_subject *s, struct arena *a)
{
	(void) s;
	return str_print(a, "%" PRId64, clock_now_us() / SECOND);
}
static struct str user_agent(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return call_header(s->state->call, "User-Agent");
}
static struct str referer(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return call_header(s->state->call, "Referer");
}
static struct str user_name(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	(void) a;
	return session_is_federated(who->session) ? STR_NONE : who->user_name;
}
static struct str user_id(const struct guard_subject *s, struct arena *a)
{
	return iam_caller_id(a, s->state->call->ctx.who);
}
static struct str principal_arn(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	return session_is_federated(who->session) ? federated_arn(who, a)
						  : guard_write_policy_principal(who, a);
}
static struct str principal_account(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return s->state->call->ctx.who->account_number;
}
static struct str principal_type(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	(void) a;
	return who->is_owner                        ? STR("Account")
	       : session_is_federated(who->session) ? STR("FederatedUser")
	       : uuid_is_none(who->iam_role)        ? STR("User")
						    : STR("AssumedRole");
}
static struct str token_issue_time(const struct guard_subject *s, struct arena *a)
{
	const struct session *session = s->state->call->ctx.who->session;
	char text[CLOCK_TEXT_SIZE];
	return session ? str_copy(a, str_from(clock_write_s(session->issued_us, text))) : STR_NONE;
}
/* IAM sets the key for temporary credentials alone, so an access key has none. A console session counts as temporary. A
 * role's session gets "false", whatever it was assumed with (IAM User Guide, "Secure API access with MFA"). */
static struct str factor_present(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	(void) a;
	return who->factor_us                              ? STR("true")
	       : who->session || who->proof > PROOF_BY_KEY ? STR("false")
							   : STR_NONE;
}
static struct str factor_age(const struct guard_subject *s, struct arena *a)
{
	int64_t shown_us = s->state->call->ctx.who->factor_us;
	return shown_us ? str_print(a, "%" PRId64, (clock_now_us() - shown_us) / SECOND) : STR_NONE;
}
static struct str region(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return s->state->region;
}
static struct str never(const struct guard_subject *s, struct arena *a)
{
	(void) s;
	(void) a;
	return STR("false");
}
/* For a session of an instance's guest. */
static struct str source_instance(const struct guard_subject *s, struct arena *a)
{
	const struct identity *who = s->state->call->ctx.who;
	if (!who->session || uuid_is_none(who->session->instance))
		return STR_NONE;
	return str_print(a, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":instance/%" STR_FMT,
			 STR_ARG(s->state->region), STR_ARG(who->account_number),
			 STR_ARG(id_to_ec2(a, KIND_INSTANCE, who->session->instance)));
}
static struct str source_vpc(const struct guard_subject *s, struct arena *a)
{
	const struct session *session = s->state->call->ctx.who->session;
	return session && !uuid_is_none(session->router) ? id_to_ec2(a, KIND_ROUTER, session->router)
							 : STR_NONE;
}
static struct str source_endpoint(const struct guard_subject *s, struct arena *a)
{
	const struct guard_endpoint *of = guard_get_endpoint(s->state->call);
	return of && !uuid_is_none(of->endpoint) ? id_to_ec2(a, KIND_VPC_ENDPOINT, of->endpoint) : STR_NONE;
}
static struct str source_endpoint_vpc(const struct guard_subject *s, struct arena *a)
{
	const struct guard_endpoint *of = guard_get_endpoint(s->state->call);
	return of && !uuid_is_none(of->router) ? id_to_ec2(a, KIND_ROUTER, of->router) : STR_NONE;
}
static struct str source_endpoint_ip(const struct guard_subject *s, struct arena *a)
{
	const struct guard_endpoint *of = guard_get_endpoint(s->state->call);
	return of && !ip_is_none(of->guest) ? ip_to_str(a, of->guest) : STR_NONE;
}
static struct str passed_to(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return s->passed_to;
}
static struct str create_action(const struct guard_subject *s, struct arena *a)
{
	(void) a;
	return s->create_action;
}

/* Keys of the request or its session are not known to work that runs later; keys of the caller are, except that a
 * role's session has no name then. */
enum key_source { OF_REQUEST, OF_CALLER };

struct call_key {
	const char *key;
	struct str (*write)(const struct guard_subject *s, struct arena *a);
	enum key_source source;
};

static const struct call_key call_keys[] = {
	{"aws:sourceip", source_ip, OF_REQUEST},
	{"aws:securetransport", secure_transport, OF_REQUEST},
	{"aws:currenttime", current_time, OF_CALLER},
	{"aws:epochtime", epoch_time, OF_CALLER},
	{"aws:useragent", user_agent, OF_REQUEST},
	{"aws:referer", referer, OF_REQUEST},
	{"aws:username", user_name, OF_CALLER},
	{"aws:userid", user_id, OF_CALLER},
	{"aws:principalarn", principal_arn, OF_CALLER},
	{"aws:principalaccount", principal_account, OF_CALLER},
	{"aws:principaltype", principal_type, OF_CALLER},
	{"aws:tokenissuetime", token_issue_time, OF_REQUEST},
	{"aws:multifactorauthpresent", factor_present, OF_REQUEST},
	{"aws:multifactorauthage", factor_age, OF_REQUEST},
	{"aws:requestedregion", region, OF_CALLER},
	{"ec2:region", region, OF_CALLER},
	{"aws:principalisawsservice", never, OF_CALLER},
	{"aws:viaawsservice", never, OF_CALLER},
	{"ec2:createaction", create_action, OF_CALLER},
	{"iam:passedtoservice", passed_to, OF_CALLER},
	{"iam:associatedresourcearn", passed_to_resource, OF_CALLER},
	{"ec2:sourceinstancearn", source_instance, OF_REQUEST},
	{"aws:ec2instancesourcevpc", source_vpc, OF_REQUEST},
	{"aws:sourcevpce", source_endpoint, OF_REQUEST},
	{"aws:sourcevpc", source_endpoint_vpc, OF_REQUEST},
	{"aws:vpcsourceip", source_endpoint_ip, OF_REQUEST},
};

/* ---- all of them ---- */

static bool is_tag_key(struct str key, const char *family)
{
	return str_starts_with(key, str_from(family));
}

/* Keys of the resource; unknown until an operation has found it. */
static enum policy_known find_resource_key(const struct guard_subject *s, struct arena *a, struct str key,
					   struct strs *ret_values)
{
	const struct guard_request *r = &s->state->request;
	if (!s->tables && s->state->is_open)
		return POLICY_NOT_YET;
	if (is_tag_key(key, "aws:resourcetag/") || is_tag_key(key, "ec2:resourcetag/"))
		return find_tag(a, tags_of(s, s->row), str_slice(key, str_find_char(key, '/', 0) + 1, key.n),
				ret_values);
	if (str_is(key, "aws:resourceaccount") && s->row)
		return give(
			a,
			account_number(s->tables, engine_get_owner(s->kind, s->row), s->state->call->ctx.who),
			ret_values);
	enum policy_known known = find_row_key(s, a, key, ret_values);
	if (known == POLICY_ABSENT)
		known = find_profile_key(s, a, key, ret_values);
	return known == POLICY_ABSENT && r->find ? r->find(r->arg, key, ret_values) : known;
}

static const struct call_key *find_call_key(struct str key)
{
	for (size_t k = 0; k < sizeof call_keys / sizeof call_keys[0]; k++)
		if (str_is(key, call_keys[k].key))
			return &call_keys[k];
	return NULL;
}

static enum policy_known write_call_key(const struct guard_subject *s, struct arena *a,
					const struct call_key *key, struct strs *ret_values)
{
	bool is_role = !uuid_is_none(s->state->call->ctx.who->iam_role);
	if (s->state->is_later && (key->source == OF_REQUEST || (is_role && key->write == user_id)))
		return POLICY_NOT_YET;
	struct str value = key->write(s, a);
	return value.n ? give(a, value, ret_values) : POLICY_ABSENT;
}

/* Tags of the caller; those of a session are not known later. */
static enum policy_known find_principal_tag(const struct guard_subject *s, struct arena *a, struct str key,
					    struct strs *ret_values)
{
	const struct identity *who = s->state->call->ctx.who;
	if (s->state->is_later && who->session)
		return POLICY_NOT_YET;
	return find_tag(a, who->tags, str_slice(key, str_find_char(key, '/', 0) + 1, key.n), ret_values);
}

enum policy_known guard_find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	const struct guard_subject *s = q->request;
	const struct guard_request *r = &s->state->request;
	const struct call_key *of_call = find_call_key(key);
	if (str_starts_with(key, STR("aws:multifactorauth")) && r->find &&
	    r->find(r->arg, key, ret_values) == POLICY_PRESENT)
		return POLICY_PRESENT; /* AssumeRole: what this request shows decides */
	if (of_call)
		return write_call_key(s, q->arena, of_call, ret_values);
	if (str_is(key, "aws:tagkeys") || is_tag_key(key, "aws:requesttag/"))
		return find_request_tags(s, q->arena, key, ret_values);
	if (is_tag_key(key, "aws:principaltag/"))
		return find_principal_tag(s, q->arena, key, ret_values);
	if (str_starts_with(key, STR("ec2:")) || str_starts_with(key, STR("aws:resource")))
		return find_resource_key(s, q->arena, key, ret_values);
	if (r->find && (str_starts_with(key, STR("sts:")) || str_starts_with(key, STR("iam:"))))
		return r->find(r->arg, key, ret_values);
	return s->state->is_later ? POLICY_NOT_YET : POLICY_ABSENT;
}
