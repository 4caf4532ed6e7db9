/* SPDX-License-Identifier: Apache-2.0
 * Reads disks of servers, for migrations from OpenStack. Glance gives whole images only. Nova makes an image of the root disk
 * if the server boots from an image. For each volume Cinder makes a snapshot, a volume of the snapshot, and an image of that
 * volume. Names have the migration, the round and the disk, so that a repeated step finds what is there, and the end deletes
 * it. Sources: Compute API reference, Block Storage API v3 and Image API v2. */
#include <inttypes.h>

#include "drivers/remote/openstack/answer.h"
#include "drivers/remote/openstack/request.h"
#include "drivers/remote/openstack/resources.h"
#include "drivers/remote/openstack/sink.h"

enum { PAGE_SIZE = 500, PAGES_MAX = 20, NICS_MAX = 64, GROUPS_MAX = 32, SIZE_MAX_GIB = 65536 };
#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
#define PREFIX "dari-in-"
#define PROBE "00000000-0000-0000-0000-000000000000"

static RESULT bad(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_IO, "The answer is not usable: %s.", what);
}

static struct str path_to(struct ctx *c, const char *kind, struct str id, const char *behind)
{
	return str_print(c->arena, "/%s/%" STR_FMT "%s", kind, STR_ARG(str_encode_url(c->arena, id, false)),
			 behind);
}

/* ---- the points ---- */

/* Services and lists of the parts of a point, the image first: each part needs the one behind it. */
enum part { PART_IMAGE, PART_VOLUME, PART_SNAPSHOT, PARTS };
static const struct {
	int service;
	const char *kind, *list, *pages;
	const char *mark; /* before the id of a part that is no image */
	const char *ready, *failed;
} parts[PARTS] = {
	{REMOTE_SERVICE_IMAGE, "v2/images", "images", "/v2/images?", "", "active", "killed|deactivated"},
	{REMOTE_SERVICE_VOLUME, "volumes", "volumes", "/volumes/detail?", "volume/", "available", "error"},
	{REMOTE_SERVICE_VOLUME, "snapshots", "snapshots", "/snapshots/detail?", "snapshot/", "available",
	 "error"},
};

static struct str name_of(struct ctx *c, const struct remote_round *round, int64_t disk)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, PREFIX "%s-%" PRId64 "-%" PRId64, uuid_write(round->migration, id),
			 round->round, disk);
}

/* False: the name is no part's of the round. */
static bool read_name(struct str name, const struct remote_round *round, int64_t *ret_round,
		      int64_t *ret_disk)
{
	char id[UUID_TEXT_SIZE];
	struct str mine = str_from(uuid_write(round->migration, id)), rest = name, number = STR_NONE;
	size_t start = sizeof PREFIX - 1;
	if (!str_starts_with(name, STR(PREFIX)) || name.n < start + mine.n + 1 ||
	    !str_equal(str_slice(name, start, start + mine.n), mine) || name.p[start + mine.n] != '-')
		return false;
	rest = str_slice(name, start + mine.n + 1, name.n);
	return str_split_next(&rest, '-', &number) && result_is_ok(str_parse_int(number, ret_round)) &&
	       result_is_ok(str_parse_int(rest, ret_disk)) && (!round->round || *ret_round == round->round);
}

static bool has_word(const char *words, struct str status)
{
	struct str rest = str_from(words), word = STR_NONE;
	while (str_split_next(&rest, '|', &word))
		if (str_starts_with(status, word))
			return true;
	return false;
}

static RESULT take_part(struct ctx *c, const json_t *each, enum part part, const struct remote_round *round,
			struct remote_points *points)
{
	struct remote_point point = {.is_step = part != PART_IMAGE};
	struct str id = remote_json_text(c, each, "id"), status = remote_json_text(c, each, "status");
	if (!read_name(remote_json_text(c, each, "name"), round, &point.round, &point.number) ||
	    !draft_is_id(id) || str_is(status, "deleted"))
		return OK;
	point.id = str_print(c->arena, "%s%" STR_FMT, parts[part].mark, STR_ARG(id));
	point.is_complete = str_is(status, parts[part].ready);
	point.has_failed = has_word(parts[part].failed, status) && !str_is(status, "error_deleting");
	point.waits = str_is(status, "deleting") || str_is(status, "pending_delete") ||
		      str_is(status, "uploading") || str_is(status, "creating");
	for (size_t k = 0; part == PART_SNAPSHOT && k < points->count; k++)
		point.waits |= points->at[k].round == point.round && points->at[k].is_step &&
			       points->at[k].number == point.number &&
			       str_starts_with(points->at[k].id, STR("volume/"));
	if (points->count == REMOTE_POINTS_MAX)
		return bad(c, "it has too many parts of the migration");
	points->at[points->count++] = point;
	return OK;
}

static RESULT list_parts(struct ctx *c, struct remote *r, enum part part, const struct remote_round *round,
			 struct remote_points *points)
{
	struct str marker = STR_NONE;
	for (int page = 0; page < PAGES_MAX; page++) {
		AUTO_ANSWER answer = {0};
		struct str path = str_print(c->arena, "%slimit=%d%s%" STR_FMT, parts[part].pages, PAGE_SIZE,
					    marker.n ? "&marker=" : "", STR_ARG(marker));
		TRY(openstack_ask(c, r, parts[part].service, "GET", path, STR_NONE, &answer));
		const json_t *list = json_object_get(answer.root, parts[part].list);
		size_t count = json_array_size(list);
		if (!json_is_array(list))
			return bad(c, "it is no list");
		for (size_t k = 0; k < count; k++)
			TRY(take_part(c, json_array_get(list, k), part, round, points));
		if (!count || !openstack_has_next(c, answer.root, parts[part].list))
			return OK;
		marker = str_encode_url(c->arena, remote_json_text(c, json_array_get(list, count - 1), "id"),
					false);
	}
	return bad(c, "the list does not end");
}

static RESULT find(struct ctx *c, struct remote *r, const struct remote_round *round,
		   struct remote_points *ret_points)
{
	*ret_points =
		(struct remote_points){arena_new_array(c->arena, struct remote_point, REMOTE_POINTS_MAX), 0};
	if (!ret_points->at)
		return ctx_no_memory(c);
	for (int part = 0; part < PARTS; part++)
		TRY(list_parts(c, r, (enum part) part, round, ret_points));
	return OK;
}

static RESULT thaw(struct ctx *c, struct remote *r, struct str point)
{
	AUTO_ANSWER answer = {0};
	size_t part = PARTS - 1;
	while (!str_starts_with(point, str_from(parts[part].mark))) /* an image's mark is empty */
		part--;
	struct str id = str_slice(point, strlen(parts[part].mark), point.n);
	struct result result = openstack_ask(c, r, parts[part].service, "DELETE",
					     path_to(c, parts[part].kind, id, ""), STR_NONE, &answer);
	if (answer.status == 404) {
		ctx_clear_problem(c);
		return OK;
	}
	/* Cinder refuses while the volume is being made or read, and Glance while a clone needs the image. */
	if (answer.status != 400 && answer.status != 409)
		return result;
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_AGAIN, "%" STR_FMT " cannot be deleted there yet: %" STR_FMT, STR_ARG(point),
			STR_ARG(why));
}

static const struct remote_point_ops source_point_ops = {.find = find, .thaw = thaw};

/* ---- freezing ---- */

static const struct remote_point *part_of(const struct remote_freezing *wish, int64_t disk, enum part part)
{
	for (size_t k = 0; k < wish->found.count; k++) {
		const struct remote_point *p = &wish->found.at[k];
		bool is_kind =
			part == PART_IMAGE ? !p->is_step : str_starts_with(p->id, str_from(parts[part].mark));
		if (is_kind && p->number == disk)
			return p;
	}
	return NULL;
}

/* {"WRAP": {members, "name": NAME}} */
static RESULT write_request(struct ctx *c, const char *wrap, const char *name_member, struct str name,
			    const struct tags members, int64_t gib, bool forces, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_open(w, wrap);
	json_write_text(w, name_member, name);
	for (size_t k = 0; k < members.count; k++) {
		json_write_key(w, members.at[k].key);
		json_write_text(w, NULL, members.at[k].value);
	}
	if (gib)
		json_write_int(w, "size", gib);
	if (forces)
		json_write_bool(w, "force", true);
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(c, &b, ret_body);
}

#define MEMBERS(...)                                                                                         \
	(struct tags)                                                                                        \
	{                                                                                                    \
		(const struct tag[]){__VA_ARGS__},                                                           \
			sizeof((const struct tag[]){__VA_ARGS__}) / sizeof(struct tag)                       \
	}

/* An image of the volume. qcow2 leaves zeros out. */
static RESULT make_image(struct ctx *c, struct remote *r, const struct remote_point *volume, struct str name)
{
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE, id = str_slice(volume->id, strlen(parts[PART_VOLUME].mark), volume->id.n);
	TRY(write_request(c, "os-volume_upload_image", "image_name", name,
			  MEMBERS({STR("disk_format"), STR("qcow2")}, {STR("container_format"), STR("bare")}),
			  0, false, &body));
	return openstack_ask(c, r, REMOTE_SERVICE_VOLUME, "POST", path_to(c, "volumes", id, "/action"), body,
			     &answer);
}

static RESULT make_volume(struct ctx *c, struct remote *r, const struct remote_point *snapshot,
			  struct str name, int64_t size)
{
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE,
		   id = str_slice(snapshot->id, strlen(parts[PART_SNAPSHOT].mark), snapshot->id.n);
	TRY(write_request(c, "volume", "name", name, MEMBERS({STR("snapshot_id"), id}),
			  (size + GIB - 1) / GIB, false, &body));
	return openstack_ask(c, r, REMOTE_SERVICE_VOLUME, "POST", STR("/volumes"), body, &answer);
}

/* The volume is attached, so that Cinder has to be told. */
static RESULT make_snapshot(struct ctx *c, struct remote *r, struct str volume, struct str name)
{
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE;
	TRY(write_request(c, "snapshot", "name", name, MEMBERS({STR("volume_id"), volume}), 0, true, &body));
	return openstack_ask(c, r, REMOTE_SERVICE_VOLUME, "POST", STR("/snapshots"), body, &answer);
}

static RESULT capture_root(struct ctx *c, struct remote *r, struct str server, struct str name)
{
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE;
	TRY(write_request(c, "createImage", "name", name, (struct tags){0}, 0, false, &body));
	return openstack_ask(c, r, OPENSTACK_NOVA, "POST", path_to(c, "servers", server, "/action"), body,
			     &answer);
}

static RESULT fail_part(struct ctx *c, const struct remote_point *p)
{
	return ctx_fail(c, ERR_INVALID, "%" STR_FMT " failed there.", STR_ARG(p->id));
}

/* Makes the next part of the disk's point, unless the cloud is busy with one. */
static RESULT freeze_disk(struct ctx *c, struct remote *r, const struct remote_freezing *wish,
			  const struct cloud_migration_disk *d)
{
	struct str name = name_of(c, &wish->round, d->number);
	const struct remote_point *image = part_of(wish, d->number, PART_IMAGE),
				  *volume = part_of(wish, d->number, PART_VOLUME),
				  *snapshot = part_of(wish, d->number, PART_SNAPSHOT);
	if (image)
		return image->has_failed ? fail_part(c, image) : OK;
	if (str_equal(d->volume, wish->round.ref))
		return capture_root(c, r, wish->round.ref, name);
	if (volume)
		return volume->has_failed    ? fail_part(c, volume)
		       : volume->is_complete ? make_image(c, r, volume, name)
					     : OK;
	if (snapshot)
		return snapshot->has_failed    ? fail_part(c, snapshot)
		       : snapshot->is_complete ? make_volume(c, r, snapshot, name, d->size)
					       : OK;
	return make_snapshot(c, r, d->volume, name);
}

static RESULT freeze(struct ctx *c, struct remote *r, const struct remote_freezing *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++)
		TRY(freeze_disk(c, r, wish, &wish->disks[k]));
	return OK;
}

/* ---- reading ---- */

static RESULT fetch(struct ctx *c, struct remote *r, struct remote_download *download)
{
	AUTO_ANSWER answer = {0};
	struct remote_body_taker taker = {download->add, download->goes_on, download->arg};
	struct result result = openstack_ask(c, r, REMOTE_SERVICE_IMAGE, "GET",
					     path_to(c, "v2/images", download->point, ""), STR_NONE, &answer);
	if (answer.status == 404) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_NOT_FOUND, "The image %" STR_FMT " is gone there.",
				STR_ARG(download->point));
	}
	TRY(result);
	struct str format = remote_json_text(c, answer.root, "disk_format");
	struct str digest = remote_json_text(c, answer.root, "os_hash_algo");
	download->format = str_is(format, "vpc") ? STR("vhd") : format;
	download->digest = str_is(digest, "sha512") || str_is(digest, "sha256")
				   ? remote_json_text(c, answer.root, "os_hash_value")
				   : STR_NONE;
	bool is_known = str_is(format, "qcow2") || str_is(format, "raw") || str_is(format, "vmdk") ||
			str_is(format, "vhd") || str_is(format, "vpc") || str_is(format, "vhdx");
	if (!is_known)
		return ctx_fail(c, ERR_INVALID,
				"The disk's image has the format %" STR_FMT ", which cannot be read.",
				STR_ARG(format));
	return openstack_download(c, r, path_to(c, "v2/images", download->point, "/file"), &taker);
}

/* ---- the server ---- */

static RESULT judge_server(struct ctx *c, const json_t *server, struct cloud_migration *m)
{
	struct str status = remote_json_text(c, server, "status");
	struct str *at = arena_new_array(c->arena, struct str, 2);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(c);
	if (!str_is(status, "ACTIVE") && !str_is(status, "SHUTOFF"))
		at[count++] =
			str_print(c->arena,
				  "status: the server is %" STR_FMT
				  ", and only ACTIVE and SHUTOFF servers are moved. Resume, unshelve or "
				  "confirm it, and plan again.",
				  STR_ARG(str_cut(status, DRAFT_WORD_MAX)));
	if (json_is_true(json_object_get(server, "locked")))
		at[count++] = STR("locked: the server is locked. Unlock it, and plan again.");
	m->source_refusals = (struct strs){at, count};
	return OK;
}

static int64_t number_at(struct ctx *c, const json_t *root, const char *path, int64_t most)
{
	int64_t number = 0;
	bool is_one = result_is_ok(str_parse_int(remote_json_text(c, root, path), &number));
	return is_one && number > 0 && number <= most ? number : 0;
}

/* Before microversion 2.47 servers name their flavor alone. */
static RESULT take_flavor(struct ctx *c, struct remote *r, const json_t *server, struct remote_layout *layout,
			  int64_t *ret_root_gib)
{
	AUTO_ANSWER answer = {0};
	const json_t *flavor = json_object_get(server, "flavor");
	struct cloud_migration *m = &layout->machine;
	struct str id = remote_json_text(c, flavor, "id");
	if (id.n) {
		TRY(openstack_ask(c, r, OPENSTACK_NOVA, "GET", path_to(c, "flavors", id, ""), STR_NONE,
				  &answer));
		flavor = json_object_get(answer.root, "flavor");
	}
	draft_put_text(&m->source_type, remote_json_text(c, flavor, id.n ? "name" : "original_name"),
		       DRAFT_WORD_MAX);
	m->vcpus = number_at(c, flavor, "vcpus", 65535);
	m->memory = number_at(c, flavor, "ram", 1 << 26) * MIB;
	*ret_root_gib = number_at(c, flavor, "disk", SIZE_MAX_GIB);
	m->has_local = number_at(c, flavor, "OS-FLV-EXT-DATA:ephemeral", INT32_MAX) ||
		       number_at(c, flavor, "ephemeral", INT32_MAX) ||
		       number_at(c, flavor, "swap", INT32_MAX);
	return m->vcpus && m->memory ? OK : bad(c, "it does not describe the server's flavor");
}

static RESULT take_texts(struct ctx *c, const json_t *server, struct cloud_migration *m)
{
	const json_t *groups = json_object_get(server, "security_groups");
	struct str *at = arena_new_array(c->arena, struct str, GROUPS_MAX);
	if (!at)
		return ctx_no_memory(c);
	draft_put_text(&m->name, remote_json_text(c, server, "name"), DRAFT_ID_MAX);
	if (!m->name.n)
		m->name = m->ref;
	draft_put_text(&m->source_key, remote_json_text(c, server, "key_name"), DRAFT_ID_MAX);
	for (size_t k = 0; k < json_array_size(groups) && m->source_groups.count < GROUPS_MAX; k++) {
		struct str name = STR_NONE;
		draft_put_text(&name, remote_json_text(c, json_array_get(groups, k), "name"), 64);
		if (name.n)
			at[m->source_groups.count++] = name;
	}
	m->source_groups.at = at;
	return OK;
}

static RESULT take_metadata(struct ctx *c, const json_t *server, struct cloud_migration *m)
{
	const char *key = NULL;
	json_t *value = NULL;
	struct remote_machines none = {0};
	struct machine_draft *d = arena_new_object(c->arena, struct machine_draft);
	if (!d)
		return ctx_no_memory(c);
	*d = (struct machine_draft){.machine.ref = STR("tags")};
	json_object_foreach (json_object_get(server, "metadata"), key, value)
		if (json_is_string(value))
			draft_add_tag(d, str_copy(c->arena, str_from(key)),
				      str_copy(c->arena, str_from(json_string_value(value))));
	TRY(draft_end(c, d, &none));
	m->source_tags = none.at[0].remote_tags;
	return OK;
}

/* Network interfaces are ports of Neutron. */
static RESULT take_ports(struct ctx *c, struct remote *r, struct cloud_migration *m)
{
	AUTO_ANSWER answer = {0};
	struct str path = str_print(c->arena, "/v2.0/ports?limit=%d&device_id=%" STR_FMT, NICS_MAX,
				    STR_ARG(str_encode_url(c->arena, m->ref, false)));
	TRY(openstack_ask(c, r, REMOTE_SERVICE_NETWORK, "GET", path, STR_NONE, &answer));
	const json_t *ports = json_object_get(answer.root, "ports");
	if (!json_is_array(ports))
		return bad(c, "it is no list of ports");
	for (size_t k = 0; k < json_array_size(ports); k++) {
		const json_t *port = json_array_get(ports, k);
		if (!str_equal(remote_json_text(c, port, "device_id"), m->ref))
			continue;
		if (!m->nics++) {
			draft_put_text(&m->source_subnet, remote_json_text(c, port, "fixed_ips/0/subnet_id"),
				       DRAFT_ID_MAX);
			draft_put_text(&m->source_ip, remote_json_text(c, port, "fixed_ips/0/ip_address"),
				       DRAFT_WORD_MAX);
		}
	}
	return OK;
}

/* ---- disks ---- */

/* Properties of the image that the root disk was made of. */
static void take_properties(struct ctx *c, const json_t *from, struct cloud_migration *m)
{
	if (str_is(remote_json_text(c, from, "hw_firmware_type"), "uefi"))
		m->boot_mode = STR("uefi");
	static const char *const names[] = {"hw_architecture", "architecture"};
	for (size_t k = 0; k < sizeof names / sizeof names[0] && !m->arch.n; k++)
		draft_put_text(&m->arch, remote_json_text(c, from, names[k]), DRAFT_WORD_MAX);
	if (str_is(m->arch, "amd64") || str_is(m->arch, "x64"))
		m->arch = STR("x86_64");
}

/* The root disk of a server that boots from an image: its id is the server's. The image may be gone. */
static RESULT take_image_root(struct ctx *c, struct remote *r, struct str image, int64_t gib,
			      struct remote_layout *layout)
{
	AUTO_ANSWER answer = {0};
	struct str path = path_to(c, "v2/images", image, "");
	struct result result = openstack_ask(c, r, REMOTE_SERVICE_IMAGE, "GET", path, STR_NONE, &answer);
	if (answer.status == 404 || answer.status == 403)
		ctx_clear_problem(c);
	else
		TRY(result);
	take_properties(c, answer.root, &layout->machine);
	int64_t size = gib * GIB, said = number_at(c, answer.root, "virtual_size", SIZE_MAX_GIB * GIB);
	if (!size) /* the flavor leaves the size to the image */
		size = (said + GIB - 1) / GIB * GIB;
	if (!size)
		return ctx_fail(
			c, ERR_INVALID,
			"disks: neither the flavor nor the image says how large the root disk is. Resize the "
			"server to a flavor with a disk.");
	layout->disks[layout->disk_count++] = (struct cloud_migration_disk){
		.volume = layout->machine.ref, .device = STR("/dev/vda"), .size = size, .goes_along = true};
	return OK;
}

static struct str device_at(struct ctx *c, const json_t *volume, struct str server)
{
	const json_t *list = json_object_get(volume, "attachments");
	struct str device = STR_NONE;
	for (size_t k = 0; k < json_array_size(list); k++)
		if (str_equal(remote_json_text(c, json_array_get(list, k), "server_id"), server))
			draft_put_text(&device, remote_json_text(c, json_array_get(list, k), "device"),
				       DRAFT_WORD_MAX);
	return device;
}

static RESULT take_volume(struct ctx *c, struct remote *r, const json_t *attached,
			  struct remote_layout *layout, bool *ret_is_bootable)
{
	AUTO_ANSWER answer = {0};
	struct str id = remote_json_text(c, attached, "id");
	if (!draft_is_id(id) || layout->disk_count == REMOTE_DISKS_MAX)
		return bad(c, "a volume has no proper id, or there are too many");
	TRY(openstack_ask(c, r, REMOTE_SERVICE_VOLUME, "GET", path_to(c, "volumes", id, ""), STR_NONE,
			  &answer));
	const json_t *volume = json_object_get(answer.root, "volume");
	struct cloud_migration_disk *d = &layout->disks[layout->disk_count];
	*d = (struct cloud_migration_disk){
		.volume = id,
		.device = device_at(c, volume, layout->machine.ref),
		.size = number_at(c, volume, "size", SIZE_MAX_GIB) * GIB,
		.is_encrypted = json_is_true(json_object_get(volume, "encrypted")),
		.is_shared = json_is_true(json_object_get(volume, "multiattach")),
		.goes_along = json_is_true(json_object_get(attached, "delete_on_termination"))};
	*ret_is_bootable = str_is(remote_json_text(c, volume, "bootable"), "true");
	if (*ret_is_bootable && (!layout->disk_count || !layout->machine.boot_mode.n))
		take_properties(c, json_object_get(volume, "volume_image_metadata"), &layout->machine);
	if (!d->size)
		return bad(c, "a volume has no size");
	if (!d->device.n)
		d->device = str_print(c->arena, "/dev/vd%c", (int) ('a' + layout->disk_count));
	layout->disk_count++;
	return OK;
}

/* Without an image the first bootable volume is the root disk, by the names of devices. */
static RESULT take_disks(struct ctx *c, struct remote *r, const json_t *server, int64_t root_gib,
			 struct remote_layout *layout)
{
	const json_t *list = json_object_get(server, "os-extended-volumes:volumes_attached");
	struct str image = remote_json_text(c, server, "image/id");
	size_t root = REMOTE_DISKS_MAX;
	if (image.n)
		TRY(take_image_root(c, r, image, root_gib, layout));
	for (size_t k = 0; k < json_array_size(list); k++) {
		size_t at = layout->disk_count;
		bool is_bootable = false;
		TRY(take_volume(c, r, json_array_get(list, k), layout, &is_bootable));
		bool is_first = root == REMOTE_DISKS_MAX ||
				str_compare(layout->disks[at].device, layout->disks[root].device) < 0;
		if (!image.n && is_bootable && is_first)
			root = at;
	}
	if (root < layout->disk_count) {
		struct cloud_migration_disk first = layout->disks[root];
		layout->disks[root] = layout->disks[0];
		layout->disks[0] = first;
	}
	for (size_t k = 0; k < layout->disk_count; k++)
		layout->disks[k].number = (int64_t) k;
	layout->machine.root_device = layout->disk_count ? layout->disks[0].device : STR_NONE;
	return OK;
}

/* ---- rights ---- */

static RESULT try_rights(struct ctx *c, struct remote *r, struct strs *ret_lacks)
{
	struct remote_identity identity = {0};
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_IMAGE, "GET", STR("/v2/images?limit=1"), STR_NONE,
				"image:get_images", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_IMAGE, "GET", STR("/v2/images/" PROBE "/file"), STR_NONE,
				"image:download_image", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_VOLUME, "GET", STR("/volumes/detail?limit=1"), STR_NONE,
				"volume:get_all", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_VOLUME, "GET", STR("/snapshots/detail?limit=1"),
				STR_NONE, "volume:get_all_snapshots", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_VOLUME, "POST", STR("/snapshots"),
				STR("{\"snapshot\":{\"volume_id\":\"" PROBE "\",\"force\":true}}"),
				"volume:create_snapshot", &identity));
	TRY(openstack_try_right(c, r, REMOTE_SERVICE_VOLUME, "POST", STR("/volumes"),
				STR("{\"volume\":{\"snapshot_id\":\"" PROBE "\",\"size\":1}}"),
				"volume:create", &identity));
	*ret_lacks = identity.lacks;
	return OK;
}

static RESULT describe(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout)
{
	AUTO_ANSWER answer = {0};
	int64_t root_gib = 0;
	*ret_layout = (struct remote_layout){.machine = {.ref = ref, .copies_whole = true}};
	TRY(openstack_ask(c, r, OPENSTACK_NOVA, "GET", path_to(c, "servers", ref, ""), STR_NONE, &answer));
	const json_t *server = json_object_get(answer.root, "server");
	if (!str_equal(remote_json_text(c, server, "id"), ref))
		return bad(c, "it is about another machine");
	TRY(judge_server(c, server, &ret_layout->machine));
	TRY(take_texts(c, server, &ret_layout->machine));
	TRY(take_metadata(c, server, &ret_layout->machine));
	TRY(take_flavor(c, r, server, ret_layout, &root_gib));
	TRY(take_ports(c, r, &ret_layout->machine));
	TRY(take_disks(c, r, server, root_gib, ret_layout));
	return try_rights(c, r, &ret_layout->lacks);
}

const struct remote_source_ops openstack_source_ops = {.points = &source_point_ops,
						       .freezes_in_steps = true,
						       .describe = describe,
						       .freeze = freeze,
						       .fetch = fetch};
