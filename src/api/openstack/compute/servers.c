/* SPDX-License-Identifier: Apache-2.0
 * Servers: gathering and writing them; list, show, delete, start, stop and reboot. Source: Compute API
 * reference, microversions 2.1 to 2.93. */
#include "api/openstack/compute/servers.h"

#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/instance/host_name.h"
#include "engine/instance/instance.h"
#include "engine/region/aggregate.h"
#include "engine/region/host.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/instance.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/image.h"
#include "store/instance_type.h"
#include "store/network.h"
#include "store/port.h"
#include "store/secondary_ip.h"
#include "store/security_group.h"
#include "store/server_group.h"
#include "store/subnet.h"
#include "store/volume.h"

/* ---- names ---- */

struct str os_server_name(struct arena *a, const struct instance *instance)
{
	struct str name = os_name_of(instance->name, instance->tags);
	return name.n ? name : id_to_ec2(a, KIND_INSTANCE, instance->row.id);
}

struct str os_network_label(struct os_call *e, uuid network)
{
	const struct tables *t = os_tables(e);
	const struct network *n = network_find(t, network);
	const struct subnet *s = subnet_first_by_network(t, network);
	if (n && n->name.n)
		return n->name;
	if (!s)
		return uuid_to_str(e->c->arena, network);
	struct str name = os_name_of(s->name, s->tags);
	return name.n ? name : id_to_ec2(e->c->arena, KIND_SUBNET, s->row.id);
}

/* ---- states ---- */

/* Nova's status and task_state, written "STATUS" or "STATUS/task". */
struct words {
	struct str status, task;
};

static bool is_waiting_for_host(const struct tables *t, const struct instance *i)
{
	return uuid_is_none(i->host) && condition_find_by_subject(t, i->row.id, STR("NoHost"));
}

/* State of a server that is starting, for the first time or again. */
static struct words pending_words(const struct tables *t, const struct instance *i)
{
	if (is_waiting_for_host(t, i))
		return (struct words){.status = STR("ERROR")};
	if (i->seen_gen == 0)
		return (struct words){STR("BUILD"), STR("spawning")};
	return i->seen_saved ? (struct words){STR("SUSPENDED"), STR("resuming")}
			     : (struct words){STR("SHUTOFF"), STR("powering-on")};
}

static struct words running_words(const struct instance *i)
{
	if (i->wanted_boots > i->seen_boots)
		return i->reboot_since_us ? (struct words){STR("REBOOT"), STR("rebooting")}
					  : (struct words){STR("HARD_REBOOT"), STR("rebooting_hard")};
	return (struct words){STR("ACTIVE"), i->wanted_pause ? STR("pausing") : STR_NONE};
}

static bool has_ended(const struct row *row)
{
	return model_derive_instance_state(instance_of(row)) == INSTANCE_TERMINATED;
}

/* Takes the words of the state's table, then corrects the task where the state alone does not determine
 * it. */
static struct words state_words(const struct instance *i, enum instance_state state)
{
	struct words words = {.task = str_from(model_instance_states[state].nova)};
	(void) str_split_next(&words.task, '/', &words.status);
	if (state == INSTANCE_SHELVED)
		words.task = STR("shelving_offloading"); /* the image is already complete */
	if (state == INSTANCE_STOPPING && i->destroyed_us)
		words.task = STR("soft-deleting");
	if (state == INSTANCE_PAUSED && !i->wanted_pause)
		words.task = STR("unpausing");
	return words;
}

bool os_waits_for_resize(const struct instance *instance)
{
	enum instance_state state = model_derive_instance_state(instance);
	return model_is_resized(instance) && model_derive_instance_task(instance) == INSTANCE_TASK_NONE &&
	       (state == INSTANCE_RUNNING || state == INSTANCE_STOPPED);
}

static struct words status_words(const struct tables *t, const struct instance *i)
{
	static const struct words tasks[] = {
		[INSTANCE_TASK_RESIZE] = {STR("RESIZE"), STR("resize_migrating")},
		[INSTANCE_TASK_REVERT] = {STR("REVERT_RESIZE"), STR("resize_reverting")},
		[INSTANCE_TASK_REBUILD] = {STR("REBUILD"), STR("rebuilding")},
		[INSTANCE_TASK_RESCUE] = {STR("ACTIVE"), STR("rescuing")},
		[INSTANCE_TASK_UNRESCUE] = {STR("RESCUE"), STR("unrescuing")},
		[INSTANCE_TASK_SHELVE] = {STR("ACTIVE"), STR("shelving")},
		[INSTANCE_TASK_UNSHELVE] = {STR("SHELVED_OFFLOADED"), STR("unshelving")},
	};
	enum instance_state state = model_derive_instance_state(i);
	enum instance_task task = model_derive_instance_task(i);
	if (i->error_override && row_is_live(&i->row))
		return (struct words){.status = STR("ERROR")};
	if (!uuid_is_none(i->target) && state == INSTANCE_RUNNING)
		return (struct words){STR("MIGRATING"), STR("migrating")};
	if (task != INSTANCE_TASK_NONE)
		return tasks[task];
	if (os_waits_for_resize(i))
		return (struct words){.status = STR("VERIFY_RESIZE")};
	if (state == INSTANCE_PENDING)
		return pending_words(t, i);
	if (state == INSTANCE_RUNNING)
		return running_words(i);
	return state_words(i, state);
}

static const char *vm_state(struct str status)
{
	static const char *const states[][2] = {
		{"BUILD", "building"},
		{"SHUTOFF", "stopped"},
		{"ERROR", "error"},
		{"PAUSED", "paused"},
		{"SUSPENDED", "suspended"},
		{"VERIFY_RESIZE", "resized"},
		{"REVERT_RESIZE", "resized"},
		{"DELETED", "deleted"},
		{"RESCUE", "rescued"},
		{"SHELVED", "shelved"},
		{"SOFT_DELETED", "soft-delete"},
		{"SHELVED_OFFLOADED", "shelved_offloaded"},
	};
	for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
		if (str_is(status, states[k][0]))
			return states[k][1];
	return "active";
}

struct str os_server_vm_state(const struct tables *t, const struct instance *instance)
{
	return str_from(vm_state(status_words(t, instance).status));
}

enum { POWER_NONE = 0, POWER_RUNNING = 1, POWER_PAUSED = 3, POWER_SHUTDOWN = 4 };

static int power_state(const struct instance *i)
{
	if (i->seen_power == INSTANCE_SEEN_POWER_ON)
		return i->seen_paused ? POWER_PAUSED : POWER_RUNNING;
	return i->seen_power == INSTANCE_SEEN_POWER_OFF ? POWER_SHUTDOWN : POWER_NONE;
}

/* ---- gathering ---- */

static struct ip find_floating(const struct tables *t, uuid port, struct ip private_ip)
{
	for (const struct address *a = address_first_by_port(t, port); a; a = address_next_by_port(t, a))
		if (row_is_live(&a->row) && ip_equal(a->private_ip, private_ip))
			return a->ip;
	return (struct ip){0};
}

static bool add_address(struct os_call *e, struct os_server_network *n, const struct port *p, struct ip ip)
{
	struct os_server_address address = {ip, find_floating(os_tables(e), p->row.id, ip), p->mac};
	return VEC_PUSH(e->c->arena, &n->addresses, address);
}

static struct os_server_network *find_network(struct os_call *e, struct os_server *s, uuid network)
{
	struct str name = os_network_label(e, network);
	for (size_t k = 0; k < s->networks.count; k++)
		if (str_equal(s->networks.at[k].name, name))
			return &s->networks.at[k];
	struct os_server_network n = {.name = name};
	return VEC_PUSH(e->c->arena, &s->networks, n) ? &s->networks.at[s->networks.count - 1] : NULL;
}

static bool add_groups(struct os_call *e, struct os_server *s, const struct port *p)
{
	for (size_t k = 0; k < p->groups.count; k++) {
		const struct security_group *group = security_group_find(os_tables(e), p->groups.at[k]);
		bool is_there = !group;
		struct str name = group ? os_group_name(e->c->arena, group) : STR_NONE;
		for (size_t n = 0; n < s->groups.count && !is_there; n++)
			is_there = str_equal(s->groups.at[n], name);
		if (!is_there && !VEC_PUSH(e->c->arena, &s->groups, name))
			return false;
	}
	return true;
}

static bool add_port(struct os_call *e, struct os_server *s, const struct port *p)
{
	const struct tables *t = os_tables(e);
	struct os_server_network *n = find_network(e, s, p->network);
	if (!n || !add_groups(e, s, p) || (!ip_is_none(p->ip) && !add_address(e, n, p, p->ip)))
		return false;
	for (const struct secondary_ip *ip = secondary_ip_first_by_port(t, p->row.id); ip;
	     ip = secondary_ip_next_by_port(t, ip))
		if (row_is_live(&ip->row) && !add_address(e, n, p, ip->ip))
			return false;
	return true;
}

static struct ip primary_ip(const struct tables *t, uuid instance)
{
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && p->device_index == 0)
			return p->ip;
	return (struct ip){0};
}

/* Name that the guest learns from its metadata; Nova shows it to everybody since 2.90. */
static bool shows_host_name(const struct os_call *e)
{
	enum { SINCE = 3, FOR_ALL_SINCE = 90 };
	return e->request.version >= (os_is_admin(e) ? SINCE : FOR_ALL_SINCE);
}

static const void *gather_server(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct os_server *s = arena_new_object(e->c->arena, struct os_server);
	if (!s)
		return NULL;
	s->instance = instance_of(row);
	s->type = instance_type_find(t, s->instance->type);
	s->image = image_find(t, s->instance->image);
	s->zone_name = engine_get_zone_name_of_instance(t, s->instance);
	s->host = host_find(t, s->instance->host);
	s->group = server_group_find(t, s->instance->server_group);
	if (is_waiting_for_host(t, s->instance))
		s->fault = condition_find_by_subject(t, row->id, STR("NoHost"));
	struct words words = status_words(t, s->instance);
	if (!words.task.n && engine_is_being_imaged(t, row->id))
		words.task = STR("image_uploading");
	s->status = words.status;
	s->task = words.task;
	for (const struct port *p = port_first_by_instance(t, row->id); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && !add_port(e, s, p))
			return NULL;
	if (shows_host_name(e))
		s->host_name = engine_make_host_name(e->c->arena, s->instance, primary_ip(t, row->id));
	struct volume_list disks;
	if (!result_is_ok(engine_list_disks(e->c->arena, t, row->id, true, &disks)))
		return NULL;
	for (size_t k = 0; k < disks.count; k++)
		if ((disks.at[k]->device_slot > 0 || s->instance->root_is_volume) &&
		    !uuid_equal(disks.at[k]->row.id, s->instance->rescue_disk) &&
		    !VEC_PUSH(e->c->arena, &s->volumes, disks.at[k]))
			return NULL;
	return s;
}

/* ---- writing ---- */

/* Up to 2.74 the answer to a change has fewer members than a GET. */
static bool is_whole(const struct os_call *e)
{
	return os_action_of(e)->method == HTTP_GET || e->request.version >= 75;
}

static void write_address(const struct os_call *e, struct json_writer *w, const struct os_server_address *a,
			  struct ip ip, const char *type)
{
	json_write_open(w, NULL);
	os_write_ip(w, "addr", ip);
	json_write_int(w, "version", ip.family == IP_V6 ? 6 : 4);
	if (is_whole(e)) {
		json_write_z(w, "OS-EXT-IPS:type", type);
		os_write_mac(w, "OS-EXT-IPS-MAC:mac_addr", a->mac);
	}
	json_write_close(w);
}

static void write_addresses(const struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	json_write_open(w, "addresses");
	for (size_t k = 0; k < s->networks.count; k++) {
		const struct os_server_network *n = &s->networks.at[k];
		json_write_key(w, n->name);
		json_write_open_list(w, NULL);
		for (size_t m = 0; m < n->addresses.count; m++) {
			const struct os_server_address *a = &n->addresses.at[m];
			write_address(e, w, a, a->ip, "fixed");
			if (!ip_is_none(a->floating))
				write_address(e, w, a, a->floating, "floating");
		}
		json_write_close_list(w);
	}
	json_write_close(w);
}

static void write_image(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	if (s->instance->root_is_volume) {
		json_write_z(w, "image", "");
		return;
	}
	struct str id = uuid_to_str(e->c->arena, s->instance->image);
	json_write_open(w, "image");
	json_write_text(w, "id", id);
	json_write_open_list(w, "links");
	os_write_link(w, "bookmark",
		      str_print(e->c->arena, "%" STR_FMT "/compute/images/%" STR_FMT, STR_ARG(e->base_url),
				STR_ARG(id)));
	json_write_close_list(w);
	json_write_close(w);
}

/* Since 2.47 the flavor's properties; before, its id and link. */
static void write_flavor(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	struct str name = s->type ? s->type->name : STR_NONE, id = s->type ? s->type->flavor_id : STR_NONE;
	json_write_open(w, "flavor");
	if (e->request.version < 47) {
		json_write_text(w, "id", id);
		json_write_open_list(w, "links");
		os_write_link(w, "bookmark",
			      str_print(e->c->arena, "%" STR_FMT "/compute/flavors/%" STR_FMT,
					STR_ARG(e->base_url), STR_ARG(id)));
		json_write_close_list(w);
	} else {
		json_write_int(w, "vcpus", s->instance->vcpus);
		json_write_int(w, "ram", s->instance->memory / (1024 * 1024));
		json_write_int(w, "disk", s->type ? s->type->root_disk >> 30 : 0);
		json_write_int(w, "ephemeral", s->type ? s->type->ephemeral_disk >> 30 : 0);
		json_write_int(w, "swap", s->type ? s->type->swap_disk >> 20 : 0);
		json_write_text(w, "original_name", name);
		os_write_tags(w, "extra_specs", s->type ? s->type->extra_specs : (struct tags){0});
	}
	json_write_close(w);
}

static void write_groups(struct json_writer *w, const struct os_server *s)
{
	if (!s->groups.count)
		return;
	json_write_open_list(w, "security_groups");
	for (size_t k = 0; k < s->groups.count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "name", s->groups.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_volumes(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	json_write_open_list(w, "os-extended-volumes:volumes_attached");
	for (size_t k = 0; k < s->volumes.count; k++) {
		json_write_open(w, NULL);
		os_write_id(w, "id", s->volumes.at[k]->row.id);
		if (e->request.version >= 3)
			json_write_bool(w, "delete_on_termination", s->volumes.at[k]->delete_on_termination);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Members for administrators, including the host's name. */
static void write_admin(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	if (!os_is_admin(e))
		return;
	struct str host = s->host ? s->host->name : STR_NONE;
	json_write_text_or_null(w, "OS-EXT-SRV-ATTR:host", host);
	json_write_text_or_null(w, "OS-EXT-SRV-ATTR:hypervisor_hostname", host);
	os_write_id(w, "OS-EXT-SRV-ATTR:instance_name", s->instance->row.id);
	if (e->request.version < 3)
		return;
	json_write_text(w, "OS-EXT-SRV-ATTR:reservation_id",
			id_to_prefixed(e->c->arena, "r", s->instance->reservation));
	json_write_int(w, "OS-EXT-SRV-ATTR:launch_index", s->instance->launch_index);
	json_write_text(w, "OS-EXT-SRV-ATTR:root_device_name", s->instance->root_device);
	json_write_null(w, "OS-EXT-SRV-ATTR:kernel_id");
	json_write_null(w, "OS-EXT-SRV-ATTR:ramdisk_id");
	if (os_action_of(e)->method == HTTP_POST) /* the answer to a rebuild has user_data without the
	                                           * prefix */
		return;
	if (s->instance->user_data.n)
		os_audit(e);
	json_write_text_or_null(w, "OS-EXT-SRV-ATTR:user_data",
				str_encode_base64(e->c->arena, s->instance->user_data));
}

/* Writes an opaque id that differs per host and project, so that it reveals nothing but whether two
 * servers of the project share a host. */
static void write_host_id(struct os_call *e, struct json_writer *w, const struct instance *i)
{
	if (uuid_is_none(i->host))
		json_write_z(w, "hostId", "");
	else
		os_write_hex(w, "hostId", uuid_v5(i->account, uuid_to_str(e->c->arena, i->host)));
}

static void write_states(const struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	const struct instance *i = s->instance;
	struct words words = {s->status, s->task};
	json_write_text(w, "status", words.status);
	if (is_whole(e)) {
		json_write_text_or_null(w, "OS-EXT-STS:task_state", words.task);
		json_write_z(w, "OS-EXT-STS:vm_state", vm_state(words.status));
		json_write_int(w, "OS-EXT-STS:power_state", power_state(i));
	}
	if (str_is(words.status, "ACTIVE") || str_is(words.status, "BUILD") ||
	    str_is(words.status, "REBUILD") || str_is(words.status, "RESIZE"))
		json_write_int(w, "progress", 0);
}

static void write_access_ip(struct json_writer *w, const char *key, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	json_write_z(w, key, ip_is_none(ip) ? "" : ip_write(ip, text));
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct instance *i = item;
	os_write_id(w, "id", i->row.id);
	json_write_text(w, "name", os_server_name(e->c->arena, i));
	os_write_compute_links(e, w, "servers", uuid_to_str(e->c->arena, i->row.id));
}

/* Explains why the server is in ERROR. */
static void write_fault(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	if (!s->fault)
		return;
	json_write_open(w, "fault");
	json_write_int(w, "code", 500);
	os_write_time(w, "created", s->fault->row.created_us);
	json_write_text(
		w, "message",
		str_print(e->c->arena, "No valid host was found. %" STR_FMT, STR_ARG(s->fault->message)));
	json_write_close(w);
}

/* Members added by microversions, in their order. */
static void write_newer(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	const struct instance *i = s->instance;
	int version = e->request.version;
	if (version >= 9)
		json_write_bool(w, "locked", i->locked != INSTANCE_LOCKED_NO);
	if (version >= 16 && os_is_admin(e) && is_whole(e))
		json_write_z(w, "host_status",
			     !s->host                                         ? ""
			     : s->host->seen_state == HOST_SEEN_STATE_DOWN    ? "DOWN"
			     : s->host->seen_state == HOST_SEEN_STATE_UNKNOWN ? "UNKNOWN"
			     : engine_is_host_open(s->host)                   ? "UP"
									      : "MAINTENANCE");
	if (version >= 19)
		json_write_text_or_null(w, "description", i->description);
	if (version >= 26)
		os_write_server_tags(w, "tags", i->tags);
	if (version >= 63)
		json_write_null(w, "trusted_image_certificates");
	if (version >= 71) {
		json_write_open_list(w, "server_groups");
		if (s->group)
			os_write_id(w, NULL, s->group->row.id);
		json_write_close_list(w);
	}
	if (version >= 73)
		json_write_text_or_null(w, "locked_reason", i->locked_reason);
}

/* Members that were extensions originally. */
static void write_extended(struct os_call *e, struct json_writer *w, const struct os_server *s)
{
	const struct instance *i = s->instance;
	json_write_text(w, "OS-EXT-AZ:availability_zone", s->zone_name);
	json_write_z(w, "config_drive", i->config_drive ? "True" : "");
	json_write_text_or_null(w, "key_name", i->key_name);
	os_write_time_us(w, "OS-SRV-USG:launched_at", i->launched_us);
	os_write_time_us(w, "OS-SRV-USG:terminated_at", has_ended(&i->row) ? i->stopped_us : 0);
	write_volumes(e, w, s);
	write_groups(w, s);
}

static void write_server(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_server *s = item;
	const struct instance *i = s->instance;
	write_brief(e, w, i);
	write_states(e, w, s);
	os_write_hex(w, "tenant_id", i->account);
	os_write_maker(w, i->made_by, i->account);
	os_write_metadata(w, "metadata", i->tags);
	write_host_id(e, w, i);
	write_image(e, w, s);
	write_flavor(e, w, s);
	os_write_time(w, "created", i->row.created_us);
	os_write_time(w, "updated", i->row.updated_us);
	write_addresses(e, w, s);
	write_access_ip(w, "accessIPv4", i->access_ip4);
	write_access_ip(w, "accessIPv6", i->access_ip6);
	json_write_z(w, "OS-DCF:diskConfig", i->disk_auto ? "AUTO" : "MANUAL");
	if (is_whole(e))
		write_extended(e, w, s);
	write_fault(e, w, s);
	write_newer(e, w, s);
	if (is_whole(e)) {
		if (shows_host_name(e))
			json_write_text(w, "OS-EXT-SRV-ATTR:hostname", s->host_name);
		write_admin(e, w, s);
	}
}

/* ---- lists ---- */

static struct str asked(const struct os_call *e, const char *name)
{
	return pairs_find(&e->request.query, name);
}

/* True if Nova's lists omit the server: terminated, or restorable. */
static bool is_deleted(const struct row *row)
{
	return has_ended(row) || model_derive_instance_state(instance_of(row)) == INSTANCE_DESTROYED;
}

/* Lists omit deleted servers unless the query has changes-since, or an administrator asks for deleted
 * ones. EC2 shows terminated instances for a while. */
static bool is_there(struct os_call *e, const struct row *row)
{
	bool is_shown = asked(e, "changes-since").p || (os_is_admin(e) && asked(e, "deleted").p);
	const struct os_action *a = os_action_of(e);
	bool is_one = a->answer || a->shows.listing;
	return is_shown || !(is_one ? has_ended(row) : is_deleted(row));
}

static bool fits_deleted(struct os_call *e, const struct row *row, struct str value)
{
	bool is_wanted = str_equal_nocase(value, STR("true")) || str_is(value, "1");
	(void) e;
	return is_deleted(row) == is_wanted;
}

/* check_times() has validated the value. */
static bool fits_since(struct os_call *e, const struct row *row, struct str value)
{
	int64_t time_us = 0;
	(void) e;
	return os_read_time(value, &time_us) && row->updated_us >= time_us;
}

static bool fits_before(struct os_call *e, const struct row *row, struct str value)
{
	int64_t time_us = 0;
	if (e->request.version < 66)
		return true;
	int64_t updated_us = row->updated_us - row->updated_us % SECOND; /* to the second, as the server is
	                                                                  * shown */
	return os_read_time(value, &time_us) && updated_us <= time_us;
}

static RESULT check_times(struct os_call *e, void *args)
{
	static const char *const names[] = {"changes-since", "changes-before"};
	int64_t times_us[2] = {INT64_MIN, INT64_MAX};
	(void) args;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str text = asked(e, names[k]);
		if (!text.p || (k == 1 && e->request.version < 66) || os_read_time(text, &times_us[k]))
			continue;
		return ctx_fail_field(e->c, ERR_INVALID, str_from(names[k]),
				      "Invalid input for query parameters %s. Value: %" STR_FMT
				      ". It is not a time.",
				      names[k], STR_ARG(str_slice(text, 0, 64)));
	}
	if (times_us[0] > times_us[1])
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("changes-since"),
			"The value of changes-since must be less than or equal to changes-before.");
	return OK;
}

static struct str name_of(struct os_call *e, const struct row *row)
{
	return os_server_name(e->c->arena, instance_of(row));
}

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	return os_pattern_fits(e, value, name_of(e, row));
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal_nocase(status_words(os_tables(e), instance_of(row)).status, value);
}

static bool fits_flavor(struct os_call *e, const struct row *row, struct str value)
{
	const struct instance_type *type = instance_type_find(os_tables(e), instance_of(row)->type);
	return type && str_equal(type->flavor_id, value);
}

static bool is_like(struct os_call *e, struct ip ip, enum ip_family family, struct str pattern)
{
	char text[IP_TEXT_SIZE];
	return ip.family == family && os_pattern_fits(e, pattern, str_from(ip_write(ip, text)));
}

static bool has_address_like(struct os_call *e, uuid server, enum ip_family family, struct str pattern)
{
	const struct tables *t = os_tables(e);
	for (const struct port *p = port_first_by_instance(t, server); p; p = port_next_by_instance(t, p)) {
		if (row_is_live(&p->row) && is_like(e, p->ip, family, pattern))
			return true;
		for (const struct secondary_ip *ip = secondary_ip_first_by_port(t, p->row.id); ip;
		     ip = secondary_ip_next_by_port(t, ip))
			if (row_is_live(&p->row) && row_is_live(&ip->row) &&
			    is_like(e, ip->ip, family, pattern))
				return true;
	}
	return false;
}

static bool fits_ip(struct os_call *e, const struct row *row, struct str value)
{
	return has_address_like(e, row->id, IP_V4, value);
}

static bool fits_ip6(struct os_call *e, const struct row *row, struct str value)
{
	return has_address_like(e, row->id, IP_V6, value);
}

static bool fits_vm_state(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(os_server_vm_state(os_tables(e), instance_of(row)), value);
}

static bool fits_task_state(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(status_words(os_tables(e), instance_of(row)).task, value);
}

static bool fits_power_state(struct os_call *e, const struct row *row, struct str value)
{
	int64_t state = 0;
	(void) e;
	return result_is_ok(str_parse_int(value, &state)) && state == power_state(instance_of(row));
}

static bool fits_config_drive(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, instance_of(row)->config_drive ? "True" : "");
}

static bool fits_host(struct os_call *e, const struct row *row, struct str value)
{
	const struct host *host = host_find(os_tables(e), instance_of(row)->host);
	return host && str_equal(host->name, value);
}

static bool fits_locked(struct os_call *e, const struct row *row, struct str value)
{
	return os_is_truth(e, instance_of(row)->locked != INSTANCE_LOCKED_NO, value);
}

static bool fits_zone(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(engine_get_zone_name_of_instance(os_tables(e), instance_of(row)), value);
}

/* Matches the reservation id as shown: "r-" and 17 digits. */
static bool fits_reservation(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(value, id_to_prefixed(e->c->arena, "r", instance_of(row)->reservation));
}

static bool fits_image(struct os_call *e, const struct row *row, struct str value)
{
	const struct instance *i = instance_of(row);
	return !i->root_is_volume && str_equal(value, uuid_to_str(e->c->arena, i->image));
}

static const struct os_filter server_filters[] = {
	{"name", .is_name = true, .is_pattern = true, .fits = fits_name},
	{"status", .fits = fits_status},
	{"uuid", .is_id = true},
	{"image", "image", .fits = fits_image},
	{"flavor", "type", .fits = fits_flavor},
	{"display_name", .is_name = true, .is_pattern = true, .fits = fits_name},
	{"ip", .fits = fits_ip},
	{"ip6", .fits = fits_ip6},
	{"vm_state", .fits = fits_vm_state},
	{"task_state", .fits = fits_task_state},
	{"power_state", .fits = fits_power_state},
	{"config_drive", .fits = fits_config_drive},
	{"host", "host", .is_admins = true, .fits = fits_host},
	{"node", "host", .is_admins = true, .fits = fits_host},
	{"deleted", .is_admins = true, .fits = fits_deleted},
	{"changes-since", .fits = fits_since},
	{"changes-before", .fits = fits_before},
	{"user_id", "made_by"},
	{"locked", .since = 73, .is_truth = true, .fits = fits_locked},
	{"description", "description", .is_pattern = true},
	{"launch_index", "launch_index"},
	{"availability_zone", .fits = fits_zone},
	{"key_name", "key_name"},
	{"reservation_id", .fits = fits_reservation,
	 .access_paths = {{KIND_INSTANCE, INSTANCE_INDEX_RESERVATION, "r"}}},
	{"tags", .tags = OS_ALL_TAGS, .fits = os_has_all_tags},
	{"tags-any", .tags = OS_ANY_TAG, .fits = os_has_any_tag},
	{"not-tags", .fits = os_lacks_some_tag},
	{"not-tags-any", .fits = os_lacks_all_tags},
	{"project_id", "account"},
	{"tenant_id", "account"},
};
static const struct os_sort_key server_sort_keys[] = {
	{"display_name", .text = name_of},
	{"name", .text = name_of},
	{"host", "host"},
	{"image_ref", "image"},
	{"key_name", "key_name"},
	{"launch_index", "launch_index"},
	{"launched_at", "launched_us"},
	{"project_id", "account"},
	{"vm_state", "wanted_power"},
	{"power_state", "seen_power"},
};
/* Names that Nova's queries accept and that have no effect here; in Nova they have none for callers who
 * are not administrators. */
#define SERVER_OTHERS                                                                                        \
	"access_ip_v4|access_ip_v6|auto_disk_config|created_at|display_description|hostname|kernel_id|"      \
	"launched_at|locked_by|ramdisk_id|root_device_name|terminated_at|soft_deleted|image_ref"
#define SERVERS(write_them, gather_them)                                                                     \
	{                                                                                                    \
		.kind = KIND_INSTANCE, .items = "servers", .links = "servers_links",                         \
		.others = SERVER_OTHERS, .filters = OS_FILTERS(server_filters),                              \
		.sort_keys = {server_sort_keys, sizeof server_sort_keys / sizeof server_sort_keys[0]},       \
		.flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST, .page_max = 1000, .shows = is_there,             \
		.gather = (gather_them), .write = (write_them),                                              \
	}
static const struct os_listing server_briefs = SERVERS(write_brief, NULL);
const struct os_listing os_server_details = SERVERS(write_server, gather_server);

/* ---- one server ---- */

struct os_server_target {
	struct ref server;
};
static const struct param show_params[] = {
	OS_PATH(struct os_server_target, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server."),
};

/* ---- power ---- */

struct os_power {
	struct instances_wish wish;
	struct ref server;
	struct str type;
};
#define SERVER OS_PATH(struct os_power, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server.")
static const struct param power_params[] = {SERVER};
static const struct param reboot_params[] = {
	SERVER,
	OS_BODY(struct os_power, "type", type, .flags = REQUIRED, .words = "SOFT|HARD|soft|hard",
		.doc = "SOFT asks the guest to reboot; HARD does not."),
};

/* Returns the states from which Nova allows the action; 0: all. */
static uint32_t states_of(const char *name, bool is_hard)
{
	if (strcmp(name, "reboot") == 0)
		return 1U << INSTANCE_RUNNING |
		       (is_hard ? 1U << INSTANCE_STOPPED | 1U << INSTANCE_PAUSED | 1U << INSTANCE_SUSPENDED |
					  1U << INSTANCE_ERROR
				: 0);
	if (strcmp(name, "os-start") == 0)
		return 1U << INSTANCE_STOPPED | 1U << INSTANCE_PENDING;
	if (strcmp(name, "os-stop") == 0)
		return 1U << INSTANCE_RUNNING | 1U << INSTANCE_PENDING | 1U << INSTANCE_STOPPING |
		       1U << INSTANCE_SHUTTING_DOWN;
	return 0;
}

static RESULT find_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance)
{
	*ret_instance = instance_of(api_find_in_change(&e->change, KIND_INSTANCE, ref->prefix));
	return *ret_instance ? OK : engine_find_own_instance(e->c, os_tables(e), ref, ret_instance);
}

RESULT os_find_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance)
{
	TRY(find_server(e, ref, ret_instance));
	return model_derive_instance_state(*ret_instance) == INSTANCE_TERMINATED
		       ? engine_fail_not_found(e->c, KIND_INSTANCE, ref)
		       : os_check_unresized(e, ref, *ret_instance);
}

RESULT os_check_stays(struct os_call *e, const struct ref *ref, const struct instance *instance)
{
	const char *verb = os_action_of(e)->verb;
	if (uuid_is_none(instance->target) || !verb)
		return OK;
	if (strcmp(verb, "os-start") == 0 || strcmp(verb, "os-stop") == 0)
		verb += strlen("os-"); /* Nova's messages use the names without "os-" */
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot '%s' instance %" STR_FMT " while it is in task_state migrating", verb,
			     STR_ARG(ref->text));
}

RESULT os_read_access_ip(struct os_call *e, struct str text, const char *field, struct ip *ret_ip)
{
	int family = str_is(str_from(field), "accessIPv4") ? IP_V4 : IP_V6;
	struct ip ip = {0};
	if (text.n && (!result_is_ok(ip_parse(text, &ip)) || ip.family != family))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "Invalid input for field/attribute %s. Value: %" STR_FMT
				      ". It is not such an address.",
				      field, STR_ARG(str_slice(text, 0, 64)));
	*ret_ip = ip;
	return OK;
}

RESULT os_find_live_server(struct os_call *e, const struct ref *ref, const struct instance **ret_instance)
{
	TRY(find_server(e, ref, ret_instance));
	return row_is_live(&(*ret_instance)->row) ? OK : engine_fail_not_found(e->c, KIND_INSTANCE, ref);
}

static RESULT prepare_power(struct os_call *e, void *args)
{
	struct os_power *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	TRY(os_check_stays(e, &a->server, instance));
	a->wish.instances = (struct refs){&a->server, 1};
	a->wish.force = str_equal_nocase(a->type, STR("HARD"));
	a->wish.only_from = os_action_of(e)->verb ? states_of(os_action_of(e)->verb, a->wish.force) : 0;
	return OK;
}

#define POWER(word, rows, run, words)                                                                        \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v2.1/servers/{server_id}/action", .verb = (word),             \
		.permit = "os_compute_api:servers:" word, .flags = API_WRITES, .status = 202,                \
		.args = OS_PARAMS(struct os_power, rows), .prepare = prepare_power, .operation = (run),      \
		.doc = (words),                                                                              \
	}
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/servers", .permit = "os_compute_api:servers:index", .prepare = check_times,
	 .list = &server_briefs, .doc = "Lists the servers of the project with id and name."},
	{HTTP_GET, "/v2.1/servers/detail", .permit = "os_compute_api:servers:detail", .prepare = check_times,
	 .list = &os_server_details, .doc = "Lists the servers of the project with details."},
	{HTTP_GET, "/v2.1/servers/{server_id}", .permit = "os_compute_api:servers:show",
	 .args = OS_PARAMS(struct os_server_target, show_params), .item = "server",
	 OS_SHOWS(os_server_details, struct os_server_target, server), .doc = "Shows one server."},
	{HTTP_DELETE, "/v2.1/servers/{server_id}", .permit = "os_compute_api:servers:delete",
	 .flags = API_WRITES, .status = 204, .args = OS_PARAMS(struct os_power, power_params),
	 .prepare = prepare_power, .operation = engine_terminate_instances_run,
	 .doc = "Deletes a server, with the disks that are deleted with it."},
	POWER("os-start", power_params, engine_start_instances_run, "Starts a server."),
	POWER("os-stop", power_params, engine_stop_instances_run, "Stops a server. Its disks stay."),
	POWER("reboot", reboot_params, engine_reboot_instances_run, "Reboots a server."),
};
const struct os_actions os_server_actions = OS_ACTIONS(OS_COMPUTE, actions);
