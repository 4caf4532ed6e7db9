/* SPDX-License-Identifier: Apache-2.0
 * deployVirtualMachine: launches one instance. If no host has room, the job fails with the message of the
 * instance's condition. Source: API reference, "deployVirtualMachine", 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/network/network.h"
#include "api/core/guest_password.h"
#include "engine/instance/instance.h"
#include "engine/instance/user_data.h"
#include "engine/network/guest_network.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/image.h"
#include "model/zone.h"
#include "store/account.h"
#include "store/host.h"
#include "store/volume_type.h"

enum { NETWORKS_MAX = 8, GROUPS_MAX = 16, DISKS_MAX = 2 };
static const int64_t GIB = INT64_C(1) << 30;

struct network_ip {
	struct ref network;
	struct ip ip;
};
static const struct param network_ip_rows[] = {
	PARAM(struct network_ip, "networkid", network, .kind = KIND_NETWORK, .flags = REQUIRED,
	      .doc = "Network of the NIC."),
	PARAM(struct network_ip, "ip", ip, .doc = "IP address of the NIC."),
};
static const struct params network_ip_params = PARAMS(struct network_ip, network_ip_rows);

struct deploy_args {
	struct instance_launch launch;
	struct launch_port *ports; /* ports of the launch */
	uuid machine;
	struct cs_owner owner;
	struct ref group, disk_offering, user_data, host, cluster, pod;
	struct refs networks, groups, affinity;
	struct strs group_names, key_pairs, affinity_names;
	struct str name, display_name, hypervisor;
	struct ip ip;
	struct tags details;
	int64_t root_size, size;
	enum choice starts;
	struct {
		const struct network_ip *at;
		size_t count;
	} network_ips;
};
#define P(wire, member, ...) PARAM(struct deploy_args, wire, member, __VA_ARGS__)
static const struct param params[] = {
	P("serviceofferingid", launch.type, .kind = KIND_INSTANCE_TYPE, .flags = REQUIRED,
	  .doc = "Service offering."),
	P("templateid", launch.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "Template or ISO."),
	P("zoneid", launch.zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Zone."),
	CS_FOR_PARAMS(struct deploy_args, owner),
	P("name", name, .doc = "Name, also the host name of the guest."),
	P("displayname", display_name, .doc = "Display name."),
	P("networkids", networks, .kind = KIND_NETWORK, .max = NETWORKS_MAX,
	  .doc = "Networks of the NICs; the first is the default."),
	PARAM_LIST(struct deploy_args, "iptonetworklist", network_ips, network_ip_params, .max = NETWORKS_MAX,
		   .doc = "Networks of the NICs with IP addresses."),
	P("ipaddress", ip, .doc = "IP address of the first NIC."),
	P("securitygroupids", groups, .kind = KIND_SECURITY_GROUP, .max = GROUPS_MAX,
	  .doc = "Security groups; empty: the default one."),
	P("securitygroupnames", group_names, .max = GROUPS_MAX, .doc = "Security groups by name."),
	P("keypair", launch.key_pair, .flags = BY_NAME, .kind = KIND_KEY_PAIR,
	  .doc = "SSH key pair for the guest."),
	P("keypairs", key_pairs, .doc = "SSH key pair, as a list of one."),
	P("userdata", launch.user_data, .flags = BASE64, .max = USER_DATA_MAX,
	  .doc = "User data in base64, up to 32 KiB."),
	P("userdataid", user_data, .kind = KIND_USER_DATA,
	  .doc = "Registered user data, instead of the text."),
	P("affinitygroupids", affinity, .kind = KIND_SERVER_GROUP, .doc = "Affinity groups; one at most."),
	P("affinitygroupnames", affinity_names, .doc = "Affinity groups by name."),
	P("diskofferingid", disk_offering, .kind = KIND_VOLUME_TYPE, .doc = "Disk offering of a data disk."),
	P("size", size, .min = 1, .max = 16384, .doc = "Size of the data disk in GiB."),
	P("rootdisksize", root_size, .min = 1, .max = 16384, .doc = "Size of the root disk in GiB."),
	P("details", details, .doc = "Details: rootdisksize, and licence with the value byos."),
	P("startvm", starts, .doc = "false: the virtual machine is created stopped."),
	P("hypervisor", hypervisor, .doc = "Hypervisor; only KVM."),
	P("hostid", host, .kind = KIND_HOST,
	  .doc = "Host, for administrators; the machine starts there or not at all."),
	P("clusterid", cluster, .kind = KIND_ZONE, .doc = "Cluster, for administrators."),
	P("podid", pod, .kind = KIND_ZONE, .doc = "Pod, for administrators."),
	NOT_BUILT(
		"bootmode|boottype|customid|datadiskofferinglist|"
		"datadisksdetails|deploymentplanner|dhcpoptionsnetworklist|externaldetails|extraconfig|group|"
		"iodriverpolicy|ip6address|keyboard|leaseduration|leaseexpiryaction|macaddress|"
		"nicmultiqueuenumber|nicnetworklist|overridediskofferingid|password|properties|"
		"snapshotid|userdatadetails|volumeid"),
	NOT_BUILT("bootintosetup|copyimagetags|dynamicscalingenabled|iothreadsenabled|"
		  "nicpackedvirtqueuesenabled",
		  .only = "false"),
	NOT_BUILT("displayvm", .only = "true"),
};
#undef P

/* ---- networks ---- */

RESULT cs_choose_security_groups(struct cs_call *e, const struct strs *names, struct refs *groups)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, names->count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	if (groups->count && names->count)
		return cs_fail(
			e, "securitygroupids",
			"securitygroupids parameter is mutually exclusive with securitygroupnames parameter");
	for (size_t k = 0; k < names->count; k++)
		refs[k] = (struct ref){.kind = KIND_SECURITY_GROUP,
				       .text = names->at[k],
				       .field = STR("securitygroupnames")};
	if (names->count)
		*groups = (struct refs){refs, names->count};
	return OK;
}

static RESULT take_networks(struct cs_call *e, struct deploy_args *a)
{
	size_t ids = a->networks.count, pairs = a->network_ips.count, count = ids ? ids : pairs;
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, count + 1);
	if (!ports)
		return ctx_no_memory(e->c);
	if (ids && pairs)
		return cs_fail(
			e, "iptonetworklist",
			"NetworkIds and ipAddress can't be specified along with ipToNetworkMap parameter");
	for (size_t k = 0; k < count || k == 0; k++) {
		ports[k] = (struct launch_port){.groups = a->groups,
						.by_firewall_alone = true,
						.may_lack_ip = true,
						.device_index = (int64_t) k};
		if (k < count)
			ports[k].network = ids ? a->networks.at[k] : a->network_ips.at[k].network;
		if (pairs)
			ports[k].ips.primary = a->network_ips.at[k].ip;
		ports[k].field = STR("networkids");
	}
	if (!ip_is_none(a->ip))
		ports[0].ips.primary = a->ip;
	a->launch.ports = a->ports = ports;
	a->launch.port_count = count ? count : 1;
	a->launch.any_network = count == 0;
	return OK;
}

/* ---- disks ---- */

static RESULT take_details(struct cs_call *e, struct deploy_args *a)
{
	for (size_t k = 0; k < a->details.count; k++) {
		const struct tag *detail = &a->details.at[k];
		bool is_size = str_equal_nocase(detail->key, STR("rootdisksize"));
		if (str_equal_nocase(detail->key, STR(CS_LICENCE_DETAIL))) {
			TRY(engine_read_licences(e->c, detail->value, &a->launch.licences));
			continue;
		}
		if (!is_size || !result_is_ok(str_parse_int(detail->value, &a->root_size)))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("details"),
					      "The detail %" STR_FMT " is not supported",
					      STR_ARG(detail->key));
	}
	return OK;
}

/* A copy: a launch that is read for a group outlives the view. */
static struct str root_device_of(struct cs_call *e, const struct image *image)
{
	return image->root_device.n ? str_copy(e->c->arena, image->root_device) : INSTANCE_ROOT_DEVICE;
}

/* Boots from the ISO, with a blank root disk of the offering's size. */
static RESULT take_iso(struct cs_call *e, struct deploy_args *a, const struct image *image,
		       struct disk_wish *disks)
{
	const struct volume_type *type = NULL;
	int64_t size = a->root_size ? a->root_size : a->size;
	if (!a->hypervisor.n)
		return cs_fail(e, "hypervisor",
			       "hypervisor parameter is needed to deploy VM or the hypervisor parameter "
			       "value passed is invalid");
	if (!ref_is_given(&a->disk_offering))
		return cs_fail(
			e, "diskofferingid",
			"Installing from ISO requires a disk offering to be specified for the root disk.");
	TRY(engine_find_volume_type(e->c, cs_tables(e), &a->disk_offering, &type));
	TRY(cs_choose_size(e, type, &size));
	disks[0] = (struct disk_wish){.device = root_device_of(e, image),
				      .size = size * GIB,
				      .type = str_copy(e->c->arena, type->name),
				      .field = STR("diskofferingid")};
	a->launch.from_medium = true;
	a->launch.disks = disks;
	a->launch.disk_count = 1;
	return OK;
}

/* Finds a disk offering with a storage pool for the root disk, if the service offering asks for a pool; otherwise leaves
 * *ret_type. A disk offering of a fixed size does not fit, since the image decides about the size. */
static RESULT choose_root_type(struct cs_call *e, const struct deploy_args *a, struct str *ret_type)
{
	const struct instance_type *offering = NULL;
	const struct volume_type *type = volume_type_first(cs_tables(e));
	TRY(engine_find_instance_type(e->c, cs_tables(e), &a->launch.type, &offering));
	if (!cs_wants_shared(offering))
		return OK;
	for (; type; type = volume_type_next(cs_tables(e), type))
		if (!uuid_is_none(type->pool) && !cs_offering_size(type) &&
		    engine_may_use_volume_type(e->c, type)) {
			*ret_type = str_copy(e->c->arena, type->name);
			return OK;
		}
	return ctx_fail_field(
		e->c, ERR_CAPACITY, a->launch.type.field,
		"The root disk is to lie in shared storage, and no disk offering of any size has "
		"a storage pool");
}

static RESULT take_disks(struct cs_call *e, struct deploy_args *a)
{
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, DISKS_MAX);
	const struct image *image = NULL;
	const struct volume_type *type = NULL;
	struct str root_type = STR_NONE;
	size_t count = 0;
	if (!disks)
		return ctx_no_memory(e->c);
	TRY(engine_find_image(e->c, cs_tables(e), &a->launch.image, &image));
	if (engine_is_iso(image))
		return take_iso(e, a, image, disks);
	TRY(choose_root_type(e, a, &root_type));
	if (a->root_size || root_type.n)
		disks[count++] = (struct disk_wish){.device = root_device_of(e, image),
						    .size = a->root_size * GIB,
						    .type = root_type,
						    .field = STR("rootdisksize")};
	if (ref_is_given(&a->disk_offering)) {
		TRY(engine_find_volume_type(e->c, cs_tables(e), &a->disk_offering, &type));
		TRY(cs_choose_size(e, type, &a->size));
		disks[count++] = (struct disk_wish){.device = STR("/dev/xvdb"),
						    .size = a->size * GIB,
						    .type = str_copy(e->c->arena, type->name),
						    .delete_on_termination = CHOICE_NO,
						    .field = STR("diskofferingid")};
	}
	a->launch.disks = disks;
	a->launch.disk_count = count;
	return OK;
}

/* ---- where it runs ---- */

/* Only administrators choose a host, a cluster or a pod. A zone has one pod with one cluster (region/hosts.c), so cluster and
 * pod can only name the zone itself. A host overrides both. Source: UserVmManagerImpl.getDestinationHost() and
 * getDestinationCluster(), 4.19. */
static RESULT take_place(struct cs_call *e, struct deploy_args *a)
{
	const struct ref *places[] = {&a->pod, &a->cluster, &a->host};
	const struct host *host = NULL;
	for (size_t k = 0; k < sizeof places / sizeof *places; k++)
		if (ref_is_given(places[k]) && !identity_is_admin(e->c->who))
			return ctx_fail_field(e->c, ERR_DENIED, places[k]->field,
					      "Parameter %" STR_FMT
					      " can only be specified by a Root Admin, permission denied",
					      STR_ARG(places[k]->field));
	if (ref_is_given(&a->host)) {
		host = host_find(cs_tables(e), a->host.prefix);
		if (!host)
			return cs_fail_id(e, KIND_HOST, "hostid", a->host.text);
		a->launch.host = str_copy(e->c->arena, host->name);
		a->launch.accept_unplaced =
			false; /* the choice is not stored, so a later attempt would ignore it */
		return OK;
	}
	for (size_t k = 0; k < 2; k++)
		if (ref_is_given(places[k]) && !uuid_equal(places[k]->prefix, a->launch.zone.prefix))
			return cs_fail_id(e, KIND_ZONE, k ? "clusterid" : "podid", places[k]->text);
	return OK;
}

/* ---- its password ---- */

static RESULT draw_password(struct cs_call *e, struct deploy_args *a)
{
	const struct image *image = NULL;
	struct str password = STR_NONE;
	TRY(engine_find_image(e->c, cs_tables(e), &a->launch.image, &image));
	if (!cs_takes_password(image))
		return OK;
	cs_audit(e);
	TRY(api_draw_guest_password(&e->core, &password));
	TRY(api_seal_guest_password(&e->core, e->c->who->account, password, &e->secret));
	a->launch.admin_password = e->secret;
	return OK;
}

/* ---- the whole ---- */

static RESULT take_launch(struct cs_call *e, struct deploy_args *a)
{
	struct instance_launch *launch = &a->launch;
	if (a->hypervisor.n && !str_equal_nocase(a->hypervisor, STR("KVM")))
		return cs_fail(e, "hypervisor",
			       "Hypervisor passed to the deployVm call, is different from the "
			       "hypervisor type of the template");
	if (a->key_pairs.count > 1)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("keypairs"),
				      "A virtual machine has one key pair at most");
	TRY(cs_choose_group(e, &a->affinity, &a->affinity_names, &launch->server_group));
	if (a->key_pairs.count)
		launch->key_pair = (struct ref){
			.kind = KIND_KEY_PAIR, .text = a->key_pairs.at[0], .field = STR("keypairs")};
	launch->name = a->name.n ? a->name : a->display_name;
	launch->description = a->display_name;
	launch->min_count = launch->max_count = 1;
	launch->personality_choice = CHOICE_YES;
	launch->personality = INSTANCE_PERSONALITY_CLOUDSTACK;
	launch->accept_unplaced = launch->recovers_by_type = true;
	launch->stays_off = a->starts == CHOICE_NO;
	launch->beyond_type = true; /* CloudStack's offerings do not limit NICs */
	launch->has_cdrom = true;   /* every CloudStack machine has a CD-ROM drive */
	TRY(cs_choose_user_data(e, &a->user_data, &launch->user_data));
	TRY(cs_check_offered(e, &launch->type, launch->zone.prefix));
	TRY(cs_check_offered(e, &a->disk_offering, launch->zone.prefix));
	TRY(take_place(e, a));
	TRY(take_details(e, a));
	TRY(take_disks(e, a));
	TRY(cs_choose_security_groups(e, &a->group_names, &a->groups));
	return take_networks(e, a);
}

static RESULT prepare(struct cs_call *e, void *args)
{
	struct deploy_args *a = args;
	TRY(take_launch(e, a));
	return draw_password(e, a);
}

static const struct params deploy_params = PARAMS(struct deploy_args, params);

RESULT cs_read_deployment(struct cs_call *e, const struct pairs *pairs, struct instance_launch *ret_launch)
{
	struct deploy_args *a = arena_new_object(e->c->arena, struct deploy_args);
	const struct params_request request = {.dialect = &cs_dialect,
					       .body = document_of_pairs(pairs, CS_PAIRS_FORM)};
	if (!a)
		return ctx_no_memory(e->c);
	*a = (struct deploy_args){0};
	TRY(params_fill(e->c, &deploy_params, &request, a));
	TRY(take_launch(e, a));
	*ret_launch = a->launch;
	return OK;
}

/* Creates a network of DefaultIsolatedNetworkOfferingWithSourceNatService, which CloudStack uses for an
 * account's first network. */
static RESULT make_network(struct op *op, const struct account *owner, struct deploy_args *a)
{
	struct guest_network_wish wish = {
		.zone = a->launch.zone,
		.name = str_print(op->ctx->arena, "%" STR_FMT "-network", STR_ARG(owner->name)),
		.block = {.base = {.b = {10, 1, 1, 0}, .family = IP_V4}, .bits = 24},
		.gateway_ip = {.b = {10, 1, 1, 1}, .family = IP_V4},
		.has_router = true};
	wish.description = wish.name;
	TRY(engine_permit_beside(op, "network.create"));
	TRY(engine_create_guest_network(op, &wish));
	a->ports[0].network = cs_ref_of(op->ctx, KIND_NETWORK, wish.network, "networkids");
	return OK;
}

/* Chooses the account's only isolated network in the zone, or creates one. An account with a default VPC
 * (EC2) launches there. Source: UserVmManagerImpl.getDefaultNetwork(), 4.18. */
static RESULT choose_network(struct op *op, struct deploy_args *a)
{
	const struct zone *zone = NULL;
	const struct account *owner = account_find(op->head, engine_get_account(op->ctx));
	if (!owner || !uuid_is_none(owner->default_router))
		return OK;
	TRY(engine_find_zone(op->ctx, op->head, &a->launch.zone, &zone));
	struct cs_isolated networks = cs_find_isolated(op->head, owner->row.id, zone->row.id, false);
	a->launch.any_network = false;
	if (networks.count + networks.tiers > 1)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("networkids"),
				      "More than 1 default Isolated networks are found for account %" STR_FMT
				      "; please specify networkIds",
				      STR_ARG(owner->name));
	if (!networks.count && !networks.tiers)
		return make_network(op, owner, a);
	a->ports[0].network = cs_ref_of(op->ctx, KIND_NETWORK, networks.network, "networkids");
	return OK;
}

static RESULT deploy(struct op *op, void *args)
{
	struct deploy_args *a = args;
	if (a->launch.any_network)
		TRY(choose_network(op, a));
	TRY(engine_create_instances(op, &a->launch));
	a->machine = a->launch.made.at[0];
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("deployVirtualMachine", "ec2:RunInstances"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES, .args = PARAMS(struct deploy_args, params),
	 .prepare = prepare, .operation = deploy, CS_SUBJECT(struct deploy_args, machine),
	 .shows = &cs_machines, CS_JOB(SETTLED), .doc = "Creates and starts a virtual machine."},
};
const struct api_actions cs_deploy_actions = API_ACTIONS(actions);
