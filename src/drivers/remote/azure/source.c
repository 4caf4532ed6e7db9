/* SPDX-License-Identifier: Apache-2.0
 * Reads disks of virtual machines, for migrations from Azure. A round is an incremental snapshot of each managed disk, which
 * is read whole, as a fixed VHD, by an address with a limited life (beginGetAccess). Snapshots are named after the migration, the
 * round and the disk. Source: REST reference of Microsoft.Compute, disks and snapshots 2022-07-02, virtual machines
 * 2022-08-01. */
#include <inttypes.h>

#include "base/clock.h"
#include "drivers/remote/azure/request.h"

#define DISK_VERSION "?api-version=2022-07-02"
#define PREFIX "dari-in-"
#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
enum { PAGES_MAX = 50, SIZE_MAX_GIB = 65536, ACCESS_WAIT_S = 600, LOOK_MS = 500, OBSTACLES_MAX = 16 };

/* Disks and snapshots are called GROUP:NAME, in lower case, as ids come back in any case. */
static struct str ref_of(struct ctx *c, const struct remote *r, struct str id, const char *type)
{
	struct str all = azure_lower(c, id), group = STR_NONE;
	struct str head = azure_lower(
		c, str_print(c->arena, "/subscriptions/%" STR_FMT "/resourcegroups/", STR_ARG(r->project)));
	struct str middle = str_print(c->arena, "/providers/microsoft.compute/%s/", type);
	if (!str_starts_with(all, head))
		return STR_NONE;
	struct str rest = str_slice(all, head.n, all.n);
	size_t slash = str_find_char(rest, '/', 0);
	group = str_slice(rest, 0, slash);
	rest = str_slice(rest, slash, rest.n);
	if (!group.n || !str_starts_with(rest, middle) || rest.n == middle.n)
		return STR_NONE;
	struct str ref = str_print(c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(group),
				   STR_ARG(str_slice(rest, middle.n, rest.n)));
	return draft_is_id(ref) ? ref : STR_NONE;
}

static struct str url_of(struct ctx *c, const struct remote *r, const char *type, struct str ref,
			 const char *behind)
{
	size_t colon = str_find_char(ref, ':', 0);
	struct str path = str_print(
		c->arena,
		"/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT
		"/providers/Microsoft.Compute/%s/%" STR_FMT "%s" DISK_VERSION,
		STR_ARG(r->project), STR_ARG(str_encode_url(c->arena, str_slice(ref, 0, colon), false)), type,
		STR_ARG(str_encode_url(c->arena, str_slice(ref, colon + 1, ref.n), false)), behind);
	return azure_url_of(c, r, path);
}

/* ---- snapshots ---- */

static struct str name_of(struct ctx *c, const struct remote_round *round, int64_t disk)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, PREFIX "%s-%" PRId64 "-%" PRId64, uuid_write(round->migration, id),
			 round->round, disk);
}

/* False: the snapshot is none of the round. */
static bool read_name(struct str name, const struct remote_round *round, struct remote_point *ret_point)
{
	char id[UUID_TEXT_SIZE];
	struct str mine = str_from(uuid_write(round->migration, id)), rest = STR_NONE, number = STR_NONE;
	size_t start = sizeof PREFIX - 1, end = start + mine.n;
	if (!str_starts_with(name, STR(PREFIX)) || name.n <= end + 1 || name.p[end] != '-' ||
	    !str_equal(str_slice(name, start, end), mine))
		return false;
	rest = str_slice(name, end + 1, name.n);
	return str_split_next(&rest, '-', &number) &&
	       result_is_ok(str_parse_int(number, &ret_point->round)) &&
	       result_is_ok(str_parse_int(rest, &ret_point->number)) &&
	       (!round->round || ret_point->round == round->round);
}

static RESULT take_snapshot(struct ctx *c, const struct remote *r, const json_t *each,
			    const struct remote_round *round, struct remote_points *points)
{
	struct remote_point point = {.id = ref_of(c, r, remote_json_text(c, each, "id"), "snapshots")};
	struct str state = remote_json_text(c, each, "properties/provisioningState");
	if (!point.id.n || !read_name(azure_lower(c, remote_json_text(c, each, "name")), round, &point))
		return OK;
	point.is_complete = str_equal_nocase(state, STR("Succeeded"));
	point.has_failed = str_equal_nocase(state, STR("Failed")) || str_equal_nocase(state, STR("Canceled"));
	point.waits = str_equal_nocase(state, STR("Deleting")) || str_equal_nocase(state, STR("Creating"));
	if (points->count == REMOTE_POINTS_MAX)
		return ctx_fail(c, ERR_IO, "The answer is not usable: it has too many snapshots.");
	points->at[points->count++] = point;
	return OK;
}

static RESULT find(struct ctx *c, struct remote *r, const struct remote_round *round,
		   struct remote_points *ret_points)
{
	struct str url = azure_url_in(c, r, "/providers/Microsoft.Compute/snapshots" DISK_VERSION);
	*ret_points =
		(struct remote_points){arena_new_array(c->arena, struct remote_point, REMOTE_POINTS_MAX), 0};
	if (!ret_points->at)
		return ctx_no_memory(c);
	for (int page = 0; page < PAGES_MAX; page++) {
		AUTO_ANSWER answer = {0};
		TRY(azure_ask(c, r, "GET", url, STR_NONE, &answer));
		const json_t *list = json_object_get(answer.root, "value");
		if (!json_is_array(list))
			return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of snapshots.");
		for (size_t k = 0; k < json_array_size(list); k++)
			TRY(take_snapshot(c, r, json_array_get(list, k), round, ret_points));
		TRY(azure_next_of(c, r, answer.root, "", &url));
		if (!url.n)
			return OK;
	}
	return ctx_fail(c, ERR_IO, "The answer is not usable: the list of snapshots does not end.");
}

static void end_access(struct ctx *c, struct remote *r, struct str snapshot)
{
	AUTO_ANSWER answer = {0};
	struct problem kept = c->problem;
	IGNORE(azure_ask(c, r, "POST", url_of(c, r, "snapshots", snapshot, "/endGetAccess"), STR_NONE,
			 &answer));
	c->problem = kept; /* an access that stays ends by itself */
}

/* A snapshot with an open access cannot be deleted: a killed process leaves one. */
static RESULT thaw(struct ctx *c, struct remote *r, struct str point)
{
	AUTO_ANSWER answer = {0};
	end_access(c, r, point);
	struct result result =
		azure_ask(c, r, "DELETE", url_of(c, r, "snapshots", point, ""), STR_NONE, &answer);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return OK;
}

static RESULT write_snapshot(struct ctx *c, struct str location, struct str disk, struct str *ret_body)
{
	struct remote_body b;
	struct json_writer *w = &b.json;
	remote_body_begin(&b);
	json_write_open(w, NULL);
	json_write_text(w, "location", location);
	json_write_open(w, "properties");
	json_write_bool(w, "incremental", true);
	json_write_open(w, "creationData");
	json_write_z(w, "createOption", "Copy");
	json_write_text(w, "sourceResourceId", disk);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
	return remote_body_end(c, &b, ret_body);
}

/* The snapshot is made in the disk's resource group, by a name that a repeated request has, too. */
static RESULT freeze_disk(struct ctx *c, struct remote *r, const struct remote_freezing *wish,
			  const struct cloud_migration_disk *d)
{
	AUTO_ANSWER disk = {0};
	AUTO_ANSWER answer = {0};
	struct str body = STR_NONE, group = str_slice(d->volume, 0, str_find_char(d->volume, ':', 0));
	struct str snapshot = str_print(c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(group),
					STR_ARG(name_of(c, &wish->round, d->number)));
	TRY(azure_ask(c, r, "GET", url_of(c, r, "disks", d->volume, ""), STR_NONE, &disk));
	TRY(write_snapshot(c, remote_json_text(c, disk.root, "location"),
			   remote_json_text(c, disk.root, "id"), &body));
	return azure_ask(c, r, "PUT", url_of(c, r, "snapshots", snapshot, ""), body, &answer);
}

static RESULT freeze(struct ctx *c, struct remote *r, const struct remote_freezing *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++) {
		bool is_there = false;
		for (size_t n = 0; n < wish->found.count; n++)
			is_there |= wish->found.at[n].number == wish->disks[k].number;
		if (!is_there)
			TRY(freeze_disk(c, r, wish, &wish->disks[k]));
	}
	return OK;
}

/* ---- reading ---- */

/* Asks for the address until it is there. The Location of the operation must be on the same server, since the token goes to it. */
static RESULT wait_for_access(struct ctx *c, struct remote *r, struct remote_download *download,
			      struct str *ret_url)
{
	const struct str wish = STR("{\"access\":\"Read\",\"durationInSeconds\":86400}");
	int64_t until_us = clock_now_us() + ACCESS_WAIT_S * SECOND;
	struct str url = url_of(c, r, "snapshots", download->point, "/beginGetAccess"),
		   base = azure_url_of(c, r, STR("/"));
	bool is_first = true;
	while (clock_now_us() < until_us && download->goes_on(download->arg)) {
		AUTO_ANSWER answer = {0};
		TRY(azure_ask_location(c, r, is_first ? "POST" : "GET", url, is_first ? wish : STR_NONE,
				       &answer));
		*ret_url = remote_json_text(c, answer.root, "accessSAS");
		if (ret_url->n)
			return OK;
		if (is_first && !str_starts_with(answer.header, base))
			return ctx_fail(c, ERR_IO,
					"The answer is not usable: it has no operation on the same server.");
		url = is_first ? answer.header : url;
		is_first = false;
		clock_sleep_us(LOOK_MS * MILLISECOND);
	}
	return ctx_fail(c, ERR_AGAIN, "The access to the snapshot is not granted in time.");
}

static RESULT fetch(struct ctx *c, struct remote *r, struct remote_download *download)
{
	const struct remote_body_taker taker = {download->add, download->goes_on, download->arg};
	struct remote_request request = {
		.method = "GET", .taker = &taker, .headers = {"x-ms-version: 2020-10-02", "Accept: */*"}};
	struct remote_answer http = {0};
	download->format = STR("vhd");
	TRY(wait_for_access(c, r, download, &request.url));
	struct result result = remote_send(c, r, &request, &http);
	buf_done(&http.body);
	end_access(c, r, download->point);
	TRY(result);
	return http.status == 200 ? OK
				  : ctx_fail(c, ERR_AGAIN, "The snapshot's address answers with status %d.",
					     http.status);
}

/* ---- the machine ---- */

struct obstacles {
	struct str at[OBSTACLES_MAX];
	size_t count;
};

static void refuse(struct obstacles *o, struct str text)
{
	if (o->count < OBSTACLES_MAX)
		o->at[o->count++] = text;
}

static RESULT keep(struct ctx *c, const struct obstacles *o, struct strs *ret_texts)
{
	struct str *at = arena_new_array(c->arena, struct str, o->count + 1);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < o->count; k++)
		at[k] = o->at[k];
	*ret_texts = (struct strs){at, o->count};
	return OK;
}

static int64_t number_at(struct ctx *c, const json_t *root, const char *path, int64_t most)
{
	int64_t number = 0;
	bool is_one = result_is_ok(str_parse_int(remote_json_text(c, root, path), &number));
	return is_one && number > 0 && number <= most ? number : 0;
}

static bool is_deleted_along(struct ctx *c, const json_t *disk)
{
	return str_equal_nocase(remote_json_text(c, disk, "deleteOption"), STR("Delete"));
}

static RESULT take_disk(struct ctx *c, struct remote *r, const json_t *said, struct remote_layout *layout,
			struct obstacles *refusals)
{
	AUTO_ANSWER answer = {0};
	struct str ref = ref_of(c, r, remote_json_text(c, said, "managedDisk/id"), "disks");
	struct str name = str_cut(remote_json_text(c, said, "name"), DRAFT_WORD_MAX);
	if (!ref.n) {
		refuse(refusals,
		       str_print(c->arena, "disk %" STR_FMT ": it is no managed disk. Convert it to one.",
				 STR_ARG(name)));
		return OK;
	}
	if (layout->disk_count == REMOTE_DISKS_MAX)
		return ctx_fail(c, ERR_INVALID, "disks: the machine has more than %d disks.",
				REMOTE_DISKS_MAX);
	TRY(azure_ask(c, r, "GET", url_of(c, r, "disks", ref, ""), STR_NONE, &answer));
	const json_t *disk = json_object_get(answer.root, "properties");
	struct cloud_migration_disk *d = &layout->disks[layout->disk_count];
	*d = (struct cloud_migration_disk){
		.number = (int64_t) layout->disk_count,
		.volume = ref,
		.device = str_print(c->arena, "/dev/sd%c", (int) ('a' + layout->disk_count)),
		.size = number_at(c, disk, "diskSizeBytes", SIZE_MAX_GIB * GIB),
		.is_shared = number_at(c, disk, "maxShares", INT32_MAX) > 1,
		.is_encrypted = json_is_true(remote_json_at(disk, "encryptionSettingsCollection/enabled")),
		.goes_along = is_deleted_along(c, said)};
	if (!d->size)
		d->size = number_at(c, disk, "diskSizeGB", SIZE_MAX_GIB) * GIB;
	if (!layout->disk_count && str_is(remote_json_text(c, disk, "hyperVGeneration"), "V2"))
		layout->machine.boot_mode = STR("uefi");
	layout->disk_count++;
	return d->size ? OK : ctx_fail(c, ERR_IO, "The answer is not usable: a disk has no size.");
}

static RESULT take_disks(struct ctx *c, struct remote *r, const json_t *vm, struct remote_layout *layout,
			 struct obstacles *refusals)
{
	const json_t *os = remote_json_at(vm, "properties/storageProfile/osDisk");
	const json_t *more = remote_json_at(vm, "properties/storageProfile/dataDisks");
	if (remote_json_text(c, os, "diffDiskSettings/option").n)
		refuse(refusals, STR("disks: the disk of the operating system is ephemeral, so no snapshot "
				     "covers it. Install "
				     "the machine anew."));
	else
		TRY(take_disk(c, r, os, layout, refusals));
	for (size_t k = 0; k < json_array_size(more); k++)
		TRY(take_disk(c, r, json_array_get(more, k), layout, refusals));
	layout->machine.root_device = layout->disk_count ? layout->disks[0].device : STR_NONE;
	return OK;
}

static RESULT take_size(struct ctx *c, struct remote *r, const json_t *vm, struct cloud_migration *m)
{
	AUTO_ANSWER answer = {0};
	struct str location = remote_json_text(c, vm, "location");
	struct str path = str_print(c->arena,
				    "/providers/Microsoft.Compute/locations/%" STR_FMT
				    "/vmSizes?" AZURE_COMPUTE_VERSION,
				    STR_ARG(str_encode_url(c->arena, location, false)));
	draft_put_text(&m->source_type, remote_json_text(c, vm, "properties/hardwareProfile/vmSize"),
		       DRAFT_WORD_MAX);
	TRY(azure_ask(c, r, "GET", azure_url_in(c, r, str_to_z(c->arena, path)), STR_NONE, &answer));
	const json_t *sizes = json_object_get(answer.root, "value");
	for (size_t k = 0; k < json_array_size(sizes); k++) {
		const json_t *each = json_array_get(sizes, k);
		if (!str_equal_nocase(remote_json_text(c, each, "name"), m->source_type))
			continue;
		m->vcpus = number_at(c, each, "numberOfCores", 65535);
		m->memory = number_at(c, each, "memoryInMB", 1 << 26) * MIB;
	}
	return m->vcpus && m->memory
		       ? OK
		       : ctx_fail(c, ERR_IO,
				  "The answer is not usable: it does not describe the machine's size.");
}

static RESULT judge(struct ctx *c, const json_t *vm, struct cloud_migration *m, struct obstacles *refusals)
{
	struct str product = remote_json_text(c, vm, "plan/product");
	struct str *codes = arena_new_array(c->arena, struct str, 1);
	if (!codes)
		return ctx_no_memory(c);
	draft_put_text(&m->scaling_group, remote_json_text(c, vm, "properties/virtualMachineScaleSet/id"),
		       DRAFT_ID_MAX);
	draft_put_text(&codes[0], product, DRAFT_WORD_MAX);
	m->product_codes = (struct strs){codes, codes[0].n ? 1 : 0};
	m->arch = STR("x86_64");
	m->lacks_virtio = true; /* nothing tells which drivers the guest's initial file system has */
	m->nics =
		(int64_t) json_array_size(remote_json_at(vm, "properties/networkProfile/networkInterfaces"));
	if (json_is_true(remote_json_at(vm, "properties/securityProfile/uefiSettings/secureBootEnabled")))
		refuse(refusals, STR("secure_boot: UEFI variables do not move, and without them the boot "
				     "loader would not be "
				     "trusted. Turn secure boot off."));
	if (json_is_true(remote_json_at(vm, "properties/securityProfile/uefiSettings/vTpmEnabled")))
		refuse(refusals, STR("vtpm: the state of the virtual TPM does not move. Suspend what is "
				     "sealed to it, and turn it "
				     "off."));
	if (str_equal_nocase(remote_json_text(c, vm, "properties/securityProfile/securityType"),
			     STR("ConfidentialVM")))
		refuse(refusals, STR("security_type: the disks of a confidential machine cannot be read. "
				     "Install the machine anew."));
	return OK;
}

static RESULT take_tags(struct ctx *c, const json_t *vm, struct cloud_migration *m)
{
	const char *key = NULL;
	json_t *value = NULL;
	struct remote_machines none = {0};
	struct machine_draft *d = arena_new_object(c->arena, struct machine_draft);
	if (!d)
		return ctx_no_memory(c);
	*d = (struct machine_draft){.machine.ref = STR("tags")};
	json_object_foreach (json_object_get(vm, "tags"), key, value)
		if (json_is_string(value) && !str_starts_with(str_from(key), STR("hidden-")))
			draft_add_tag(d, str_copy(c->arena, str_from(key)),
				      str_copy(c->arena, str_from(json_string_value(value))));
	TRY(draft_end(c, d, &none));
	m->source_tags = none.at[0].remote_tags;
	return OK;
}

static RESULT take_address(struct ctx *c, struct remote *r, const json_t *vm, struct cloud_migration *m)
{
	struct azure_addresses *addresses = arena_new_object(c->arena, struct azure_addresses);
	char text[IP_TEXT_SIZE];
	if (!addresses)
		return ctx_no_memory(c);
	*addresses = (struct azure_addresses){0};
	TRY(azure_ask_addresses(c, r, vm, addresses));
	if (addresses->private_ips.count)
		m->source_ip = str_copy(c->arena, str_from(ip_write(addresses->private_ips.at[0], text)));
	return OK;
}

static RESULT find_lacks(struct ctx *c, struct remote *r, struct strs *ret_lacks)
{
	static const char *const rights[] = {"Microsoft.Compute/disks/read",
					     "Microsoft.Compute/snapshots/read",
					     "Microsoft.Compute/snapshots/write",
					     "Microsoft.Compute/snapshots/delete",
					     "Microsoft.Compute/snapshots/beginGetAccess/action",
					     "Microsoft.Compute/snapshots/endGetAccess/action",
					     "Microsoft.Compute/virtualMachines/start/action",
					     "Microsoft.Compute/virtualMachines/deallocate/action"};
	struct remote_identity identity = {0};
	TRY(azure_find_lacks(c, r, rights, sizeof rights / sizeof rights[0], &identity));
	*ret_lacks = identity.lacks;
	return OK;
}

static RESULT describe(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout)
{
	AUTO_ANSWER answer = {0};
	struct obstacles *refusals = arena_new_object(c->arena, struct obstacles);
	struct str path = azure_path_of_ref(c, ref, r->project);
	struct cloud_migration *m = &ret_layout->machine;
	if (!refusals)
		return ctx_no_memory(c);
	*refusals = (struct obstacles){0};
	*ret_layout = (struct remote_layout){.machine = {.ref = ref, .copies_whole = true}};
	if (!path.n)
		return ctx_fail(c, ERR_NOT_FOUND, "The cloud has no machine %" STR_FMT ".", STR_ARG(ref));
	TRY(azure_ask(
		c, r, "GET",
		azure_url_of(c, r, str_print(c->arena, "%" STR_FMT "?" AZURE_COMPUTE_VERSION, STR_ARG(path))),
		STR_NONE, &answer));
	draft_put_text(&m->name, remote_json_text(c, answer.root, "name"), DRAFT_ID_MAX);
	TRY(judge(c, answer.root, m, refusals));
	TRY(take_tags(c, answer.root, m));
	TRY(take_size(c, r, answer.root, m));
	TRY(take_address(c, r, answer.root, m));
	TRY(take_disks(c, r, answer.root, ret_layout, refusals));
	TRY(keep(c, refusals, &m->source_refusals));
	return find_lacks(c, r, &ret_layout->lacks);
}

static const struct remote_point_ops point_ops = {.find = find, .thaw = thaw};

const struct remote_source_ops azure_source_ops = {.points = &point_ops,
						   .freezes_in_steps = true,
						   .describe = describe,
						   .freeze = freeze,
						   .fetch = fetch};
