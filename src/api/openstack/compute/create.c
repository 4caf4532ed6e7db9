/* SPDX-License-Identifier: Apache-2.0
 * POST /servers: converts networks, block devices and hints into the ports, disks and group of a launch. As
 * in Nova, a server that fits on no host is accepted and goes to ERROR. Source: Compute API reference,
 * "Create server". */
#include "api/core/guest_password.h"
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/instance.h"
#include "engine/region/aggregate.h"
#include "model/image.h"
#include "model/instance_type.h"
#include "model/zone.h"

/* Nova dropped device tags for some microversions: for interfaces from 2.37, for disks from 2.33, both
 * until 2.42. */
enum { NETWORK_TAGS_FIRST = 32, NETWORK_TAGS_LAST = 36, TAGS_SINCE = 42, DEVICE_TAG_MAX = 60 };
enum { NETWORKS_MAX = 64, DISKS_MAX = 25, GROUPS_MAX = 16 };
static const int64_t MIB = INT64_C(1) << 20, GIB = INT64_C(1) << 30;

/* ---- block devices ---- */

struct os_block_device {
	struct str source, destination, device, bus, type, volume_type, tag, format;
	struct str virtual_name; /* the first form has this and the next two members */
	struct ref volume, snapshot;
	struct ref id;
	int64_t size, boot_index;
	enum choice goes;
};
#define P(wire, member, ...) OS_BODY(struct os_block_device, wire, member, __VA_ARGS__)
static const struct param block_rows[] = {
	P("source_type", source, .words = "image|snapshot|volume|blank", .absent = "image",
	  .doc = "Source of the disk."),
	P("destination_type", destination, .words = "local|volume",
	  .doc = "volume: a volume, also for an image; local with a blank source: an ephemeral or swap "
		 "disk."),
	P("uuid", id, .flags = NULLABLE, .kind = KIND_IMAGE, .doc = "Id of the source."),
	P("volume_size", size, .flags = NULLABLE, .min = 0, .max = 16384,
	  .doc = "Size in GiB; of a swap disk in MiB."),
	P("boot_index", boot_index, .flags = NULLABLE, .min = -1, .max = 100, .absent = "-1",
	  .doc = "Boot index; 0 is the root disk."),
	P("delete_on_termination", goes, .doc = "Whether the volume is deleted with the server."),
	P("device_name", device, .flags = NULLABLE, .max = 255, .doc = "Device name."),
	P("disk_bus", bus, .flags = NULLABLE, .doc = "Accepted; the bus is the one that the image sets."),
	P("device_type", type, .flags = NULLABLE, .words = "disk", .doc = "Device type; disk only."),
	P("guest_format", format, .flags = NULLABLE, .max = 255,
	  .doc = "swap: the local blank disk is a swap disk. No other format is possible."),
	OS_UNBUILT("no_device", .only = "false"),
	P("tag", tag, .since = 32, .until = 32, .min = 1, .max = 60,
	  .doc = "Device role tag that the guest sees."),
	P("tag", tag, .since = TAGS_SINCE, .min = 1, .max = 60,
	  .doc = "Device role tag that the guest sees."),
	P("volume_type", volume_type, .flags = NULLABLE, .since = 67, .max = 255,
	  .doc = "Type of the new volume."),
};
#undef P
static const struct params block_params = OS_PARAMS(struct os_block_device, block_rows);

/* The first form of block devices, which libraries still send: a volume, a snapshot, or the name of a
 * local disk. */
#define P(wire, member, ...) OS_BODY(struct os_block_device, wire, member, __VA_ARGS__)
static const struct param old_block_rows[] = {
	P("virtual_name", virtual_name, .max = 255, .doc = "swap or ephemeral0: a local disk."),
	P("volume_id", volume, .kind = KIND_VOLUME, .doc = "The volume."),
	P("snapshot_id", snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot that a new volume is created from."),
	P("volume_size", size, .min = 1, .max = 16384, .doc = "Size in GiB; of a swap disk in MiB."),
	P("device_name", device, .min = 1, .max = 255, .doc = "Device name."),
	P("delete_on_termination", goes, .doc = "Whether the volume is deleted with the server."),
	OS_UNBUILT("no_device", .only = "false"),
	OS_UNBUILT("connection_info"),
};
#undef P
static const struct params old_block_params = OS_PARAMS(struct os_block_device, old_block_rows);

/* ---- the rest ---- */

struct os_group_name {
	struct str name;
};
static const struct param group_rows[] = {
	OS_BODY(struct os_group_name, "name", name, .min = 1, .max = 255,
		.doc = "Security group by name or id."),
};
static const struct params group_params = OS_PARAMS(struct os_group_name, group_rows);

struct os_new_server {
	struct str name, description, networks;
	enum choice disk_auto;
	struct ref image, flavor, key, zone;
	struct str host, hypervisor;
	struct tags metadata;
	struct strs tags;
	struct str user_data, access_ip4, access_ip6, password;
	int64_t min_count, max_count;
	bool returns_reservation, config_drive;
	struct {
		const struct os_group_name *at;
		size_t count;
	} groups;
	struct {
		const struct os_block_device *at;
		size_t count;
	} disks, old_disks;
	struct guest_files files;
};
#define P(wire, member, ...) OS_BODY(struct os_new_server, wire, member, __VA_ARGS__)
static const struct param server_rows[] = {
	P("name", name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name."),
	P("description", description, .flags = NULLABLE, .since = 19, .max = 255,
	  .doc = "Description: free text."),
	P("imageRef", image, .flags = NULLABLE | ID_OR_EMPTY, .kind = KIND_IMAGE,
	  .doc = "Image to boot from; empty: the block device with boot index 0 is the root disk."),
	P("flavorRef", flavor, .flags = REQUIRED | BY_NAME, .kind = KIND_INSTANCE_TYPE, .doc = "Flavor."),
	OS_BODY_JSON(struct os_new_server, "networks", networks,
		     .doc = "\"auto\", \"none\", or a list of networks and ports."),
	P("key_name", key, .flags = NULLABLE | BY_NAME, .kind = KIND_KEY_PAIR,
	  .doc = "Key pair by name whose public key the guest receives."),
	P("metadata", metadata, .doc = "Metadata, stored as tags."),
	P("user_data", user_data, .flags = NULLABLE | BASE64, .max = INSTANCE_USER_DATA_MAX,
	  .doc = "User data, base64, up to 65,535 characters."),
	P("availability_zone", zone, .flags = NULLABLE | BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability zone. Administrators may name a host, as in zone:host."),
	P("min_count", min_count, .min = 1, .max = INSTANCE_LAUNCH_MAX, .doc = "Minimum number of servers."),
	P("max_count", max_count, .min = 1, .max = INSTANCE_LAUNCH_MAX,
	  .doc = "Maximum number of servers. As many as the quota allows are created."),
	P("return_reservation_id", returns_reservation,
	  .doc = "Makes the answer contain only the reservation id."),
	P("OS-DCF:diskConfig", disk_auto, .yes = "AUTO", .no = "MANUAL",
	  .doc = "Stored and shown only; the guest grows its root file system itself."),
	OS_BODY_LIST(struct os_new_server, "security_groups", groups, group_params, .max = GROUPS_MAX,
		     .doc = "Security groups of new ports; absent: the default one."),
	OS_BODY_LIST(struct os_new_server, "block_device_mapping_v2", disks, block_params, .max = DISKS_MAX,
		     .doc = "Disks that override or extend those of the image."),
	P("config_drive", config_drive, .flags = NULLABLE,
	  .doc = "Whether a config drive with the instance metadata is attached."),
	P("accessIPv4", access_ip4, .max = IP_TEXT_SIZE, .doc = "IPv4 address shown for access."),
	P("accessIPv6", access_ip6, .max = IP_TEXT_SIZE,
	  .doc = "IPv6 address shown for access; empty: none."),
	P("adminPass", password, .min = 1, .max = OS_PASSWORD_MAX,
	  .doc = "Administrator password, which the config drive passes to the guest; absent: a generated "
		 "one."),
	OS_BODY_LIST(struct os_new_server, "personality", files, os_file_params, .until = 56,
		     .max = OS_FILES_MAX, .doc = "Files that the config drive passes to the guest."),
	OS_BODY_LIST(struct os_new_server, "block_device_mapping", old_disks, old_block_params,
		     .max = DISKS_MAX,
		     .doc = "Disks in the older format. Without an image the first one is the root disk."),
	P("tags", tags, .since = 52, .doc = "Tags of the server."),
	OS_UNBUILT("trusted_image_certificates", .since = 63),
	P("host", host, .since = 74, .min = 1, .max = 255,
	  .doc = "Host that the server must run on; for administrators."),
	P("hypervisor_hostname", hypervisor, .since = 74, .min = 1, .max = 255,
	  .doc = "Host that the server must run on, by hypervisor name; for administrators."),
	OS_UNBUILT("hostname", .since = 90),
};
#undef P
static const struct params server_params = OS_PARAMS(struct os_new_server, server_rows);

struct os_hints {
	struct ref group;
	struct strs near, apart;
};
static const struct param hint_rows[] = {
	OS_BODY(struct os_hints, "group", group, .kind = KIND_SERVER_GROUP, .doc = "Server group."),
	OS_BODY(struct os_hints, "same_host", near, .flags = ONE_OR_LIST,
		.doc = "Servers. The new one is placed on a host of one of them."),
	OS_BODY(struct os_hints, "different_host", apart, .flags = ONE_OR_LIST,
		.doc = "Servers. The new one is placed on a host without any of them."),
	OS_UNBUILT("query"),
	OS_UNBUILT("target_cell"),
	OS_UNBUILT("build_near_host_ip"),
	OS_UNBUILT("cidr"),
};
static const struct params hint_params = OS_PARAMS(struct os_hints, hint_rows);

struct os_create_server {
	struct instance_launch launch;
	struct os_new_server server;
	struct os_hints hints, old_hints;
};
static const struct param create_params[] = {
	OS_BODY_OBJECT(struct os_create_server, "server", server, server_params, .flags = REQUIRED,
		       .doc = "The server."),
	OS_BODY_OBJECT(struct os_create_server, "os:scheduler_hints", hints, hint_params,
		       .doc = "Scheduler hints for the placement."),
	OS_BODY_OBJECT(struct os_create_server, "OS-SCH-HNT:scheduler_hints", old_hints, hint_params,
		       .doc = "Scheduler hints, by their older name."),
};

/* ---- disks ---- */

static RESULT fail_mapping(struct os_call *e, const char *field, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Block Device Mapping is Invalid: %s.",
			      why);
}

/* Translates an entry as Nova's block_device.from_legacy_mapping() does. */
static RESULT translate_old_disk(struct os_call *e, struct os_block_device *b)
{
	bool is_swap = str_is(b->virtual_name, "swap");
	bool is_local = is_swap || str_starts_with(b->virtual_name, STR("ephemeral"));
	b->boot_index = -1;
	b->source = is_local ? STR("blank") : b->snapshot.kind ? STR("snapshot") : STR("volume");
	b->destination = is_local ? STR("local") : STR("volume");
	if (is_swap)
		b->format = STR("swap");
	if (!is_local)
		b->id = b->snapshot.kind ? b->snapshot : b->volume;
	if (b->device.n && !str_starts_with(b->device, STR("/dev/")))
		b->device = str_print(e->c->arena, "/dev/%" STR_FMT, STR_ARG(b->device));
	return is_local || b->id.kind ? OK
				      : fail_mapping(e, "block_device_mapping", "Unrecognized legacy format");
}

/* Replaces `disks` by the translated disks of the first form. */
static RESULT take_old_disks(struct os_call *e, struct os_new_server *s)
{
	size_t count = s->old_disks.count;
	bool has_root = s->image.kind != KIND_NONE;
	if (!count)
		return OK;
	if (s->disks.count)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("block_device_mapping"),
			"Using different block_device_mapping syntaxes is not allowed in the same "
			"request.");
	struct os_block_device *disks = arena_new_array(e->c->arena, struct os_block_device, count);
	if (!disks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		disks[k] = s->old_disks.at[k];
		TRY(translate_old_disk(e, &disks[k]));
		if (!has_root && !str_is(disks[k].source, "blank")) {
			disks[k].boot_index = 0;
			has_root = true;
		}
	}
	s->disks.at = disks;
	s->disks.count = count;
	return OK;
}

static struct str root_name(struct os_call *e, const struct ref *image)
{
	const struct row *row = NULL;
	if (!result_is_ok(engine_find(e->c, os_tables(e), KIND_IMAGE, image, &row))) {
		ctx_clear_problem(e->c); /* the launch repeats the search and reports the failure */
		return INSTANCE_ROOT_DEVICE;
	}
	struct str name = image_of(row)->root_device;
	return name.n ? name : INSTANCE_ROOT_DEVICE;
}

static struct ref source_of(const struct os_block_device *b, enum kind kind)
{
	struct ref ref = b->id;
	ref.kind = ref.kind == KIND_NONE ? KIND_NONE : kind;
	ref.field = STR("block_device_mapping_v2");
	return ref;
}

/* Sets the disk's source. A root disk of an image becomes the launch's image, possibly with another size;
 * every other disk is independent. */
static RESULT take_source(struct os_call *e, const struct os_block_device *b, bool is_root,
			  struct instance_launch *launch, struct disk_wish *disk)
{
	bool is_blank = str_is(b->source, "blank");
	if (str_is(b->destination, "local") && !str_is(b->source, "image"))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("block_device_mapping_v2"),
			"Block Device Mapping is Invalid: a local disk is an image's, or blank and no "
			"root disk.");
	if (is_blank != (b->id.kind == KIND_NONE))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("block_device_mapping_v2"),
			"Block Device Mapping is Invalid: a disk has a uuid, unless it is blank.");
	if (str_is(b->source, "volume"))
		TRY(os_check_shared_volume(e, &b->id));
	if (str_is(b->source, "volume"))
		disk->existing = source_of(b, KIND_VOLUME);
	else if (str_is(b->source, "snapshot"))
		disk->snapshot = source_of(b, KIND_SNAPSHOT);
	else if (!is_blank && is_root)
		launch->image = source_of(b, KIND_IMAGE);
	else if (!is_blank)
		disk->image = source_of(b, KIND_IMAGE);
	return OK;
}

static RESULT take_disk(struct os_call *e, struct os_create_server *a, const struct os_block_device *b,
			bool is_root, struct disk_wish *disk)
{
	bool is_local = str_is(b->source, "image") && str_is(b->destination, "local");
	*disk = (struct disk_wish){
		.device = b->device,
		.size = b->size * GIB,
		.type = b->volume_type,
		.tag = b->tag,
		/* Nova keeps volumes unless delete_on_termination is set */
		.delete_on_termination = is_local || b->goes == CHOICE_YES ? CHOICE_YES : CHOICE_NO,
		.field = STR("block_device_mapping_v2"),
	};
	TRY(os_check_device_tag(e, b->tag));
	TRY(take_source(e, b, is_root, &a->launch, disk));
	if (is_root)
		a->launch.root_is_volume = !is_local;
	if (is_root)
		disk->device = a->launch.image.kind ? root_name(e, &a->launch.image) : STR("/dev/vda");
	return OK;
}

static bool is_local_blank(const struct os_block_device *b)
{
	return str_is(b->source, "blank") && str_is(b->destination, "local") && b->boot_index != 0;
}

static RESULT take_local_disk(struct os_call *e, const struct os_block_device *b,
			      struct local_disk_wish *ret_disk)
{
	bool is_swap = str_is(b->format, "swap");
	if (b->id.kind != KIND_NONE)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("block_device_mapping_v2"),
			"Block Device Mapping is Invalid: a disk has a uuid, unless it is blank.");
	*ret_disk = (struct local_disk_wish){.is_swap = is_swap,
					     .size = b->size * (is_swap ? MIB : GIB),
					     .device = b->device,
					     .field = STR("block_device_mapping_v2")};
	return OK;
}

/* Reads ephemeral and swap disks, and counts them together with those that the flavor adds. */
static RESULT take_local_disks(struct os_call *e, struct os_create_server *a, size_t *ret_count)
{
	const struct os_new_server *s = &a->server;
	struct local_disk_wish *disks =
		arena_new_array(e->c->arena, struct local_disk_wish, s->disks.count + 1);
	const struct row *type = NULL;
	size_t count = 0, swaps = 0;
	if (!disks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < s->disks.count; k++) {
		const struct os_block_device *b = &s->disks.at[k];
		if (b->format.n && !(str_is(b->format, "swap") && is_local_blank(b)))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("guest_format"),
					      "The format %" STR_FMT " of a disk is not supported here.",
					      STR_ARG(b->format));
		if (!is_local_blank(b))
			continue;
		TRY(take_local_disk(e, b, &disks[count]));
		swaps += disks[count++].is_swap;
	}
	a->launch.local_disks = disks;
	a->launch.local_disk_count = *ret_count = count;
	if (!result_is_ok(engine_find(e->c, os_tables(e), KIND_INSTANCE_TYPE, &s->flavor, &type))) {
		ctx_clear_problem(e->c); /* the launch repeats the search and reports the failure */
		return OK;
	}
	*ret_count += (count == swaps && instance_type_of(type)->ephemeral_disk) +
		      (swaps == 0 && instance_type_of(type)->swap_disk);
	return OK;
}

/* Orders the root disk first, then local disks, then others; names the unnamed ones as the guest will see
 * them. */
static RESULT take_disks(struct os_call *e, struct os_create_server *a)
{
	const struct os_new_server *s = &a->server;
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, s->disks.count + 1);
	size_t count = 0, local = 0;
	if (!disks)
		return ctx_no_memory(e->c);
	TRY(take_local_disks(e, a, &local));
	char letter = (char) ('b' + local);
	for (int pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < s->disks.count; k++) {
			const struct os_block_device *b = &s->disks.at[k];
			bool is_root = b->boot_index == 0;
			if (is_root != (pass == 0) || is_local_blank(b))
				continue;
			if (is_root && count)
				return ctx_fail_field(
					e->c, ERR_INVALID, STR("block_device_mapping_v2"),
					"Block Device Mapping is Invalid: Boot sequence for the "
					"instance and image/block device mapping combination is "
					"not valid.");
			TRY(take_disk(e, a, b, is_root, &disks[count]));
			if (str_is_empty(disks[count].device))
				disks[count].device = str_print(e->c->arena, "/dev/vd%c", letter++);
			count++;
		}
	a->launch.disks = disks;
	a->launch.disk_count = count;
	return OK;
}

static bool has_root(const struct os_create_server *a)
{
	bool has = a->launch.image.kind != KIND_NONE;
	for (size_t k = 0; k < a->server.disks.count && !has; k++)
		has = a->server.disks.at[k].boot_index == 0;
	return has;
}

/* ---- networks ---- */

static RESULT fail_networks(struct os_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("networks"),
			      "Invalid input for field/attribute networks: %s", why);
}

static struct str text_of(struct arena *a, const json_t *value)
{
	return json_is_string(value) ? str_copy(a, str_from(json_string_value(value))) : STR_NONE;
}

static RESULT take_device_tag(struct os_call *e, const json_t *value, struct str *ret_tag)
{
	int version = e->request.version;
	bool has_it =
		version >= TAGS_SINCE || (version >= NETWORK_TAGS_FIRST && version <= NETWORK_TAGS_LAST);
	struct str tag = text_of(e->c->arena, value);
	if (!value)
		return OK;
	if (!has_it)
		return fail_networks(e, "Additional properties are not allowed ('tag' was unexpected)");
	if (tag.n == 0 || params_count_characters(tag) > DEVICE_TAG_MAX)
		return fail_networks(e, "a tag has 1 to 60 characters");
	*ret_tag = tag;
	return os_check_device_tag(e, tag);
}

/* Reads {"uuid": network} or {"port": port}, with "fixed_ip". */
static RESULT take_network(struct os_call *e, const json_t *item, const struct refs *groups,
			   struct launch_port *port)
{
	struct arena *a = e->c->arena;
	struct str network = text_of(a, json_object_get(item, "uuid"));
	struct str id = text_of(a, json_object_get(item, "port")),
		   ip = text_of(a, json_object_get(item, "fixed_ip"));
	if (!json_is_object(item))
		return fail_networks(e, "each is an object");
	TRY(take_device_tag(e, json_object_get(item, "tag"), &port->tag));
	if (id.n) {
		if (!os_parse_id(id, KIND_PORT, &port->port))
			return fail_networks(e, "a port's id is a UUID");
		port->port.field = STR("networks");
		return OK;
	}
	if (!os_parse_id(network, KIND_NETWORK, &port->network))
		return fail_networks(e, "each names a network or a port");
	port->network.field = STR("networks");
	port->groups = *groups;
	if (ip.n && !result_is_ok(ip_parse(ip, &port->ips.primary)))
		return fail_networks(e, "fixed_ip is no address");
	return OK;
}

static RESULT take_list(struct os_call *e, const json_t *list, const struct refs *groups,
			struct instance_launch *launch)
{
	size_t count = json_array_size(list);
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, count + 1);
	if (!ports)
		return ctx_no_memory(e->c);
	if (count > NETWORKS_MAX)
		return fail_networks(e, "there are too many");
	for (size_t k = 0; k < count; k++) {
		ports[k] = (struct launch_port){.device_index = (int64_t) k, .field = STR("networks")};
		TRY(take_network(e, json_array_get(list, k), groups, &ports[k]));
	}
	launch->ports = ports;
	launch->port_count = count;
	return OK;
}

/* Requests one port on a network that the engine chooses. */
static RESULT take_any(struct os_call *e, const struct refs *groups, bool needs_one,
		       struct instance_launch *launch)
{
	struct launch_port *port = arena_new_object(e->c->arena, struct launch_port);
	if (!port)
		return ctx_no_memory(e->c);
	*port = (struct launch_port){.groups = *groups, .field = STR("networks")};
	launch->ports = port;
	launch->port_count = 1;
	launch->any_network = true;
	launch->needs_network = needs_one;
	return OK;
}

static RESULT read_networks(struct os_call *e, const json_t *value, const struct refs *groups,
			    struct instance_launch *launch)
{
	const char *word = json_string_value(value);
	if (word && strcmp(word, "none") == 0 && e->request.version >= 37) {
		launch->no_ports = true;
		return OK;
	}
	if (word && strcmp(word, "auto") == 0 && e->request.version >= 37)
		return take_any(e, groups, true, launch);
	if (!json_is_array(value))
		return fail_networks(e, "it is \"auto\", \"none\" or a list");
	return json_array_size(value) ? take_list(e, value, groups, launch)
				      : take_any(e, groups, false, launch);
}

static RESULT take_networks(struct os_call *e, struct os_create_server *a, const struct refs *groups)
{
	json_error_t error;
	struct str text = a->server.networks;
	if (!text.n && e->request.version >= 37)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("networks"),
			"Invalid input for field/attribute server. 'networks' is a required property");
	if (!text.n)
		return take_any(e, groups, false, &a->launch);
	json_t *value = json_loadb(text.p, text.n, JSON_DECODE_ANY, &error);
	struct result result = read_networks(e, value, groups, &a->launch);
	json_decref(value);
	return result;
}

static RESULT take_groups(struct os_call *e, const struct os_new_server *s, struct refs *ret_groups)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, s->groups.count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < s->groups.count; k++) {
		struct str name = s->groups.at[k].name;
		if (!os_parse_id(name, KIND_SECURITY_GROUP, &refs[k]))
			refs[k] = (struct ref){.kind = KIND_SECURITY_GROUP, .text = name};
		refs[k].field = STR("security_groups");
	}
	*ret_groups = (struct refs){refs, s->groups.count};
	return OK;
}

/* ---- the whole ---- */

RESULT os_take_server_zone(struct os_call *e, struct ref *zone, struct str *ret_name)
{
	const struct zone *row = NULL;
	*ret_name = STR_NONE;
	if (zone->kind == KIND_NONE)
		return OK;
	if (engine_is_zone_of_aggregates(os_tables(e), zone->text)) {
		*ret_name = zone->text;
		*zone = (struct ref){0};
		return OK;
	}
	if (!result_is_ok(engine_find_zone(e->c, os_tables(e), zone, &row)) || !row->enabled) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, STR("availability_zone"),
				      "The requested availability zone is not available");
	}
	*ret_name = row->name;
	return OK;
}

/* Splits "zone:host", the administrators' form before 2.74. Text after another colon is the hypervisor. */
static RESULT split_zone(struct os_call *e, struct os_new_server *s, struct str *ret_host)
{
	struct str text = s->zone.text;
	size_t colon = s->zone.kind == KIND_NONE ? text.n : str_find_char(text, ':', 0);
	if (colon >= text.n)
		return OK;
	TRY(os_check_admin(e, "os_compute_api:servers:create:forced_host"));
	struct str rest = str_slice(text, colon + 1, text.n);
	size_t end = str_find_char(rest, ':', 0);
	*ret_host = str_slice(rest, 0, end);
	if (str_is_empty(*ret_host) && end < rest.n)
		*ret_host = str_slice(rest, end + 1, rest.n);
	s->zone.text = str_slice(text, 0, colon);
	if (colon == 0)
		s->zone = (struct ref){0};
	return OK;
}

/* Host and hypervisor have the same name here. */
static RESULT take_host(struct os_call *e, struct os_create_server *a)
{
	struct os_new_server *s = &a->server;
	struct str forced = STR_NONE, asked = s->host.n ? s->host : s->hypervisor;
	TRY(split_zone(e, s, &forced));
	if (asked.n)
		TRY(os_check_admin(e, "compute:servers:create:requested_destination"));
	if (asked.n && forced.n)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("host"),
			"One mechanism with host and/or hypervisor_hostname and another mechanism "
			"with zone:host:node are mutually exclusive.");
	if (s->host.n && s->hypervisor.n && !str_equal(s->host, s->hypervisor))
		return ctx_fail_field(e->c, ERR_INVALID, STR("hypervisor_hostname"),
				      "Compute host %" STR_FMT " could not be found.",
				      STR_ARG(s->hypervisor));
	a->launch.host = forced.n ? forced : asked;
	a->launch.accept_unplaced =
		str_is_empty(a->launch.host); /* a requested host is not stored, so a later retry could not
		                               * honour it */
	a->launch.zone = s->zone;
	return OK;
}

/* Metadata and words both become tags. */
static RESULT take_tags(struct os_call *e, const struct os_new_server *s, struct licences_wish *ret_licences,
			struct tags *ret_tags)
{
	struct tags words;
	TRY(os_read_server_tags(e, s->tags, &words));
	struct tag *tags = arena_new_array(e->c->arena, struct tag, words.count + s->metadata.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < s->metadata.count; k++) {
		tags[count++] = s->metadata.at[k];
		if (str_is(s->metadata.at[k].key, "dari:licence")) /* same meaning as the image's property */
			TRY(engine_read_licences(e->c, s->metadata.at[k].value, ret_licences));
	}
	for (size_t k = 0; k < words.count; k++)
		tags[count++] = words.at[k];
	*ret_tags = (struct tags){tags, count};
	return OK;
}

static RESULT take_hints(struct os_call *e, const struct strs *texts, const char *field,
			 struct refs *ret_refs)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, texts->count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t n = 0; n < texts->count; n++) {
		if (!os_parse_id(texts->at[n], KIND_INSTANCE, &refs[n]))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					      "Invalid input for field/attribute %s. Value: %" STR_FMT
					      ". It is no UUID.",
					      field, STR_ARG(str_slice(texts->at[n], 0, 64)));
		refs[n].field = str_from(field);
	}
	*ret_refs = (struct refs){refs, texts->count};
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_server *a = args;
	const struct os_hints *old = &a->old_hints;
	const struct os_new_server *s = &a->server;
	struct refs groups;
	a->launch = (struct instance_launch){
		.image = s->image,
		.type = s->flavor,
		.name = s->name,
		.description = s->description,
		.key_pair = s->key,
		.server_group = a->hints.group.kind ? a->hints.group : a->old_hints.group,
		.user_data = s->user_data,
		.min_count = s->min_count ? s->min_count : 1,
		.max_count = s->max_count   ? s->max_count
			     : s->min_count ? s->min_count
					    : 1,
		.personality_choice = CHOICE_YES,
		.personality = INSTANCE_PERSONALITY_OPENSTACK,
		.config_drive = s->config_drive || s->files.count,
		.files = s->files,
		.disk_auto = s->disk_auto == CHOICE_YES,
		.accept_unplaced = true,
		.beyond_type = true, /* Nova's flavors do not limit the number of interfaces */
	};
	TRY(os_check_name(e, s->name, "name", OS_NAME_PLAIN));
	TRY(os_check_metadata_keys(e, s->metadata, "metadata"));
	TRY(take_old_disks(e, &a->server));
	TRY(take_hints(e, a->hints.near.count ? &a->hints.near : &old->near, "same_host", &a->launch.near));
	TRY(take_hints(e, a->hints.apart.count ? &a->hints.apart : &old->apart, "different_host",
		       &a->launch.apart));
	if (a->launch.max_count < a->launch.min_count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("min_count"), "min_count must be <= max_count");
	TRY(take_tags(e, s, &a->launch.licences, &a->launch.instance_tags));
	TRY(os_read_access_ip(e, s->access_ip4, "accessIPv4", &a->launch.access_ip4));
	TRY(os_read_access_ip(e, s->access_ip6, "accessIPv6", &a->launch.access_ip6));
	TRY(api_draw_guest_password(&e->core, &a->server.password));
	if (a->launch.config_drive)
		TRY(api_seal_guest_password(&e->core, e->c->who->account, s->password,
					    &a->launch.admin_password));
	TRY(take_host(e, a));
	TRY(os_take_server_zone(e, &a->launch.zone, &a->launch.zone_name));
	TRY(take_disks(e, a));
	if (!has_root(a))
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("imageRef"),
			"Invalid imageRef provided: neither it nor a block device of boot_index 0 "
			"says what it starts from.");
	TRY(take_groups(e, s, &groups));
	return take_networks(e, a, &groups);
}

static void write_groups(struct json_writer *w, const struct os_new_server *s)
{
	json_write_open_list(w, "security_groups");
	for (size_t k = 0; k < s->groups.count || k == 0; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "name", s->groups.count ? s->groups.at[k].name : STR("default"));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_create_server *a = args;
	struct str id = uuid_to_str(e->c->arena, a->launch.made.at[0]);
	if (a->server.returns_reservation) {
		json_write_text(w, "reservation_id", id_to_prefixed(e->c->arena, "r", a->launch.reservation));
		return OK;
	}
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "%" STR_FMT "/compute/%s/servers/%" STR_FMT,
					 STR_ARG(e->base_url), e->is_legacy ? "v2" : "v2.1", STR_ARG(id)));
	json_write_open(w, "server");
	json_write_text(w, "id", id);
	os_write_compute_links(e, w, "servers", id);
	json_write_z(w, "OS-DCF:diskConfig", a->launch.disk_auto ? "AUTO" : "MANUAL");
	json_write_text(w, "adminPass", a->server.password);
	write_groups(w, &a->server);
	json_write_close(w);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_POST, "/v2.1/servers", .permit = "os_compute_api:servers:create", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_create_server, create_params), .prepare = prepare_create,
	 .operation = engine_create_instances_run, .answer = show_created,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Creates and starts servers."},
};
const struct os_actions os_server_create_actions = OS_ACTIONS(OS_COMPUTE, actions);
