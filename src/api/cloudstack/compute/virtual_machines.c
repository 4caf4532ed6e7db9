/* SPDX-License-Identifier: Apache-2.0
 * listVirtualMachines, and the members of a virtual machine.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/compute/os_types.h"
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/network/network.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/instance/instance.h"
#include "engine/network/address/address.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "engine/scaling/scaling.h"
#include "model/security_group.h"
#include "model/server_group.h"
#include "model/state.h"
#include "model/states.h"
#include "model/zone.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/user.h"

struct list_machines {
	struct cs_list_args list;
	struct ref zone, template, iso, offering, project, group, host, user, network, scaling;
	struct str state, key_name, hypervisor;
	struct strs details;
};
#define P(wire, member, ...) PARAM(struct list_machines, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_machines, KIND_INSTANCE),
	CS_NAME_PARAM(struct list_machines),
	CS_IDS_PARAM(struct list_machines, KIND_INSTANCE),
	CS_OWNER_PARAMS(struct list_machines),
	CS_PROJECT_PARAM(struct list_machines, project),
	CS_TAGS_PARAM(struct list_machines),
	P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(instance, zone),
	  .doc = "Zone of the virtual machine."),
	P("templateid", template, .kind = KIND_IMAGE, .fits = FITS(instance, image),
	  .doc = "Template of the virtual machine."),
	P("isoid", iso, .kind = KIND_IMAGE, .doc = "ISO attached to the virtual machine."),
	P("serviceofferingid", offering, .kind = KIND_INSTANCE_TYPE, .fits = FITS(instance, type),
	  .doc = "Service offering."),
	P("affinitygroupid", group, .kind = KIND_SERVER_GROUP, .fits = FITS(instance, server_group),
	  .doc = "Affinity group of the virtual machine."),
	P("userid", user, .kind = KIND_USER, .fits = FITS(instance, made_by),
	  .doc = "User who created the virtual machine."),
	P("hostid", host, .kind = KIND_HOST, .fits = FITS(instance, host),
	  .doc = "Host of the virtual machine; for administrators."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Network of a NIC."),
	P("autoscalevmgroupid", scaling, .kind = KIND_SCALING_GROUP,
	  .doc = "AutoScale group of the virtual machine."),
	P("state", state, .doc = "State. Present: any but Destroyed."),
	P("keypair", key_name, .fits = FITS(instance, key_name),
	  .doc = "SSH key pair of the virtual machine."),
	P("hypervisor", hypervisor, .doc = "Hypervisor; only KVM."),
	P("details", details, .doc = "Ignored: all details are shown."),
	NOT_BUILT("arch|backupofferingid|clusterid|extensionid|forvirtualnetwork|groupid|"
		  "haenable|podid|securitygroupid|storageid|userdataid|vpcid|isvnf|leased|gpuenabled|"
		  "displayvm"),
	NOT_BUILT("accumulate|showicon|userdata|retrieveonlyresourcecount", .only = "false"),
};

/* ---- what no field says ---- */

/* Name of the machine, else its Name tag, else its id. */
struct str cs_machine_name(struct api_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	const struct tag *tag = tags_find(i->tags, STR("Name"));
	if (i->name.n)
		return i->name;
	return tag && tag->value.n ? tag->value : uuid_to_str(e->c->arena, row->id);
}

struct str cs_machine_display_name(struct api_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	return i->description.n ? i->description : cs_machine_name(e, row);
}

void cs_write_machine(struct api_call *e, struct json_writer *w, const char *name,
		      const struct instance *instance)
{
	if (!instance)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, instance->row.id));
	json_write_text(w, "virtualmachinename", cs_machine_name(e, &instance->row));
	json_write_text(w, "virtualmachinedisplayname", cs_machine_display_name(e, &instance->row));
}

/* A machine that no host has room for is in state Error, as after a failed deployment. */
struct str cs_machine_state(struct api_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	if (row_is_live(row) && uuid_is_none(i->host) && !i->destroyed_us &&
	    condition_find_by_subject(api_tables(e), row->id, STR("NoHost")))
		return STR("Error");
	if (!uuid_is_none(i->target) && model_derive_instance_state(i) == INSTANCE_RUNNING)
		return STR("Migrating");
	return str_from(model_instance_states[model_derive_instance_state(i)].cloudstack);
}

static bool has_port_in(struct api_call *e, const struct row *row, uuid network)
{
	const struct port *p = port_first_by_instance(api_tables(e), row->id);
	while (p && !(row_is_live(&p->row) && uuid_equal(p->network, network)))
		p = port_next_by_instance(api_tables(e), p);
	return p;
}

static bool is_scaled_by(struct api_call *e, const struct row *row, uuid group)
{
	const struct scaling_member *m = engine_find_scaling_member(api_tables(e), row->id);
	return m && uuid_equal(m->scaling_group, group);
}

/* Groups of EC2 are not shown: CloudStack has no command for them. */
static void write_scaling(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct scaling_member *m = engine_find_scaling_member(api_tables(e), row->id);
	const struct scaling_group *g = m ? scaling_group_find(api_tables(e), m->scaling_group) : NULL;
	if (!g || uuid_is_none(g->profile))
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, g->row.id));
	json_write_text(w, "autoscalevmgroupname", g->name);
}

static bool has_iso(struct api_call *e, const struct row *row, uuid iso)
{
	return uuid_equal(engine_get_medium(api_tables(e), row->id), iso);
}

/* Hides destroyed machines from users, unless the configuration shows them. */
static bool fits_state(struct api_call *e, const struct list_machines *a, const struct row *row)
{
	bool wants_present = str_is(a->state, "Present");
	if (a->state.n && !wants_present && !str_equal(a->state, cs_machine_state(e, row)))
		return false;
	if (model_derive_instance_state(instance_of(row)) != INSTANCE_DESTROYED)
		return true;
	return !wants_present && (identity_is_admin(e->c->who) ||
				  cs_read_setting(e, SETTING_USERS_SEE_DESTROYED, 0, e->c->who->account));
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_machines *a = args;
	if (ref_is_given(&a->host) && !identity_is_admin(e->c->who))
		return false;
	return (!a->hypervisor.n || str_equal_nocase(a->hypervisor, STR("KVM"))) &&
	       (!ref_is_given(&a->iso) || has_iso(e, row, a->iso.prefix)) &&
	       (!ref_is_given(&a->scaling) || is_scaled_by(e, row, a->scaling.prefix)) &&
	       (!ref_is_given(&a->network) || has_port_in(e, row, a->network.prefix)) &&
	       fits_state(e, a, row);
}

/* Writes the host, for administrators only. */
static void write_ha(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_bool(w, name, instance_of(row)->recovery == INSTANCE_RECOVERY_DEFAULT);
}

/* Source: ControlState.getControlState(). */
static const char *control_state_of(const struct host *h)
{
	if (h->forced_down || h->seen_state == HOST_SEEN_STATE_DOWN)
		return "Offline";
	if (h->seen_state != HOST_SEEN_STATE_UP)
		return "Unknown";
	return h->maintenance_us ? "Maintenance" : h->enabled ? "Enabled" : "Disabled";
}

static void write_host(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct host *host = host_find(api_tables(e), instance_of(row)->host);
	if (!host || !identity_is_admin(e->c->who))
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, host->row.id));
	json_write_text(w, "hostname", host->name);
	json_write_z(w, "hostcontrolstate", control_state_of(host));
	json_write_text(w, "instancename", uuid_to_str(e->c->arena, row->id));
}

static void write_user(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct user *user = user_find(api_tables(e), instance_of(row)->made_by);
	if (!user)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, user->row.id));
	json_write_text(w, "username", user->name);
}

/* Writes the public address of the first NIC. */
static void write_public_ip(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct port *p = port_first_by_instance(api_tables(e), row->id);
	const struct address *a = p ? engine_find_address_for(api_tables(e), p->row.id, p->ip) : NULL;
	if (!a)
		return;
	json_write_z(w, name, ip_write(a->ip, text));
	json_write_text(w, "publicipid", uuid_to_str(e->c->arena, a->row.id));
}

static void write_os_type(struct api_call *e, struct json_writer *w, const char *name,
			  const struct row *image)
{
	const struct cs_os_type *type = cs_os_type_of(image_of(image));
	struct str id = cs_os_type_id(e->c->arena, type);
	json_write_text(w, name, id);
	json_write_text(w, "guestosid", id);
	json_write_z(w, "osdisplayname", type->name);
}

/* Writes the ISO in the CD-ROM drive. */
static void write_iso(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct image *iso = image_find(api_tables(e), engine_get_medium(api_tables(e), row->id));
	if (!iso)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, iso->row.id));
	json_write_text(w, "isoname", iso->name);
	json_write_text(w, "isodisplaytext", iso->description.n ? iso->description : iso->name);
}

static void write_details(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct tag details[CS_DETAILS_MAX];
	cs_write_details(w, name, details, cs_details_of_machine(e->c->arena, instance_of(row), details));
}

static struct str get_boot_type(struct api_call *e, const struct row *row)
{
	enum instance_boot_mode mode = instance_of(row)->boot_mode;
	(void) e;
	return mode == INSTANCE_BOOT_MODE_UEFI || mode == INSTANCE_BOOT_MODE_UEFI_PREFERRED ? STR("UEFI")
											    : STR("BIOS");
}

/* ---- members ---- */

static const struct member group_members[] = {
	MEMBER(struct security_group, "id", row.id),
	MEMBER(struct security_group, "name", name),
};
static const struct members group = MEMBERS(group_members);

static void write_affinity(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct row *found =
		tables_find(api_tables(e), KIND_SERVER_GROUP, instance_of(row)->server_group);
	json_write_open_list(w, name);
	if (found) {
		json_write_open(w, NULL);
		json_write_text(w, "id", uuid_to_str(e->c->arena, found->id));
		json_write_text(w, "name", server_group_of(found)->name);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct instance, "id", row.id),
	MEMBER_TEXT("name", cs_machine_name),
	MEMBER_TEXT("displayname", cs_machine_display_name),
	CS_OWNER_MEMBERS(instance),
	MEMBER_WRITTEN("userid", write_user, .also = "username"),
	MEMBER_AS(struct instance, TIME, "created", row.created_us),
	MEMBER_AS(struct instance, TIME, "lastupdated", row.updated_us),
	MEMBER_TEXT("state", cs_machine_state),
	MEMBER_WRITTEN("haenable", write_ha),
	MEMBER(struct instance, "zoneid", zone),
	MEMBER(struct zone, "zonename", name, .path = {JOIN_ONE(KIND_ZONE, instance, zone)}),
	MEMBER_WRITTEN("hostid", write_host, .also = "hostname|hostcontrolstate|instancename"),
	MEMBER(struct instance, "templateid", image),
	MEMBER(struct image, "templatename", name, .path = {JOIN_ONE(KIND_IMAGE, instance, image)}),
	MEMBER(struct image, "templatedisplaytext", description,
	       .path = {JOIN_ONE(KIND_IMAGE, instance, image)}, .instead = FITS(image, name)),
	MEMBER_WRITTEN("ostypeid", write_os_type, .path = {JOIN_ONE(KIND_IMAGE, instance, image)},
		       .also = "guestosid|osdisplayname"),
	MEMBER_WRITTEN("isoid", write_iso, .also = "isoname|isodisplaytext"),
	MEMBER_FIXED("arch", "\"x86_64\""),
	MEMBER_TEXT("boottype", get_boot_type),
	MEMBER(struct instance, "bootmode", secure_boot, .yes = "SECURE", .no = "LEGACY"),
	MEMBER_WRITTEN("passwordenabled", cs_write_takes_password,
		       .path = {JOIN_ONE(KIND_IMAGE, instance, image)}),
	MEMBER(struct instance, "serviceofferingid", type),
	MEMBER_TEXT_OF("serviceofferingname", cs_service_name, JOIN_ONE(KIND_INSTANCE_TYPE, instance, type)),
	MEMBER(struct instance, "cpunumber", vcpus),
	MEMBER_WRITTEN("cpuspeed", cs_write_cpu_speed,
		       .path = {JOIN_ONE(KIND_INSTANCE_TYPE, instance, type)}),
	MEMBER(struct instance, "memory", memory, .shift = 20),
	MEMBER_FIXED("rootdeviceid", "0"),
	MEMBER_FIXED("rootdevicetype", "\"ROOT\""),
	/* groups of the first interface: in CloudStack all interfaces share them */
	MEMBER_REFS(struct port, "securitygroup", group, KIND_SECURITY_GROUP, groups,
		    .path = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE)}),
	MEMBER_EACH("nic", cs_nic, KIND_PORT, PORT_INDEX_INSTANCE),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER(struct instance, "keypair", key_name, .is_optional = true),
	MEMBER(struct instance, "keypairs", key_name, .is_optional = true),
	MEMBER_WRITTEN("publicip", write_public_ip, .also = "publicipid"),
	MEMBER_WRITTEN("jobid", cs_write_pending_job, .also = "jobstatus"),
	MEMBER_WRITTEN("affinitygroup", write_affinity),
	MEMBER_WRITTEN("autoscalevmgroupid", write_scaling, .also = "autoscalevmgroupname"),
	MEMBER_WRITTEN("details", write_details),
	MEMBER_FIXED("displayvm", "true"),
	MEMBER_FIXED("isdynamicallyscalable", "false"),
	MEMBER(struct instance, "deleteprotection", protect_terminate),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};

/* Figures of the machine in CloudStack's units. Figures that only the host knows are left out. */
static struct str get_cpu_total(struct api_call *e, const struct row *row)
{
	return str_print(e->c->arena, "%lld.00 Ghz", (long long) instance_of(row)->vcpus);
}

static struct str get_memory_total(struct api_call *e, const struct row *row)
{
	double gib = (double) instance_of(row)->memory / (double) (INT64_C(1) << 30);
	return str_print(e->c->arena, "%.2f GB", gib);
}

static const struct members of_machine = MEMBERS(members);
static const struct member metrics_members[] = {
	MEMBER_ALL(of_machine),
	MEMBER(struct port, "ipaddress", ip, .path = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE)}),
	MEMBER_TEXT("cputotal", get_cpu_total),
	MEMBER_TEXT("memorytotal", get_memory_total),
};
static const struct api_listing metrics =
	CS_LISTING(KIND_INSTANCE, "virtualmachine", metrics_members, .name = offsetof(struct instance, name),
		   .get_name = cs_machine_name, .matches = matches);

const struct api_listing cs_machines =
	CS_LISTING(KIND_INSTANCE, "virtualmachine", members, .name = offsetof(struct instance, name),
		   .get_name = cs_machine_name, .matches = matches);
static const struct cs_action actions[] = {
	{CS_ACTION("listVirtualMachines", "ec2:DescribeInstances"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_machines, params), .listing = &cs_machines,
	 .doc = "Lists virtual machines."},
	{CS_ACTION("listVirtualMachinesMetrics", "ec2:DescribeInstances"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_machines, params), .listing = &metrics,
	 .doc = "Lists virtual machines with size metrics."},
};
const struct api_actions cs_machine_actions = API_ACTIONS(actions);
