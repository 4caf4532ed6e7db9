/* SPDX-License-Identifier: Apache-2.0
 * Quotas of volumes per project, the default quota class, availability zones and extensions. */
#include <inttypes.h>
#include <jansson.h>

#include "api/openstack/core/extensions.h"
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/people/account/account.h"
#include "engine/quota.h"
#include "engine/storage/volume_type/volume_type_limit.h"
#include "store/account.h"
#include "store/volume_type.h"
#include "store/zone.h"

/* -1 means unlimited, in bytes and in GiB. */
static int64_t gib_of(int64_t bytes)
{
	return bytes < 0 ? -1 : bytes / OS_VOLUME_GIB;
}

static int64_t bytes_of(int64_t gib)
{
	return gib < 0 ? -1 : gib * OS_VOLUME_GIB;
}

#define OS_QUOTA_MAX (INT64_C(1) << 32)

struct figure {
	const char *name;
	int64_t limit, used;
};
enum { FIGURES = 7 };

static void take_figures(const struct account *a, struct figure figures[static FIGURES])
{
	struct account_usage used;
	engine_get_usage(a, &used);
	figures[0] = (struct figure){"volumes", a->limit_volumes, used.volumes};
	figures[1] = (struct figure){"gigabytes", gib_of(a->limit_volume_bytes), os_gib(used.volume_bytes)};
	figures[2] = (struct figure){"snapshots", a->limit_snapshots, used.snapshots};
	figures[3] = (struct figure){"per_volume_gigabytes", gib_of(a->limit_volume_size), 0};
	figures[4] = (struct figure){"backups", a->limit_backups, used.backups};
	figures[5] =
		(struct figure){"backup_gigabytes", gib_of(a->limit_backup_bytes), os_gib(used.backup_bytes)};
	figures[6] = (struct figure){"groups", a->limit_volume_groups, used.volume_groups};
}

static RESULT show_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	struct figure f[FIGURES] = {0};
	const struct account *account = account_find(os_tables(e), e->c->who->account);
	(void) args;
	if (account)
		take_figures(account, f);
	json_write_open_list(w, "rate");
	json_write_close_list(w);
	json_write_open(w, "absolute");
	json_write_int(w, "maxTotalVolumes", f[0].limit);
	json_write_int(w, "maxTotalSnapshots", f[2].limit);
	json_write_int(w, "maxTotalVolumeGigabytes", f[1].limit);
	json_write_int(w, "maxTotalBackups", f[4].limit);
	json_write_int(w, "maxTotalBackupGigabytes", f[5].limit);
	json_write_int(w, "totalVolumesUsed", f[0].used);
	json_write_int(w, "totalGigabytesUsed", f[1].used);
	json_write_int(w, "totalSnapshotsUsed", f[2].used);
	json_write_int(w, "totalBackupsUsed", f[4].used);
	json_write_int(w, "totalBackupGigabytesUsed", f[5].used);
	json_write_close(w);
	return OK;
}

/* ---- quotas ---- */

struct os_volume_quota {
	struct account_limits wish;
	int64_t volumes, gigabytes, snapshots, groups, each, backups, backup_gigabytes;
	bool has_volumes, has_gigabytes, has_snapshots, has_groups, has_each, has_backups,
		has_backup_gigabytes;
	bool usage;
	struct str class, tenant;
	struct str others; /* JSON: limits of single volume types */
};
#define TARGET                                                                                               \
	OS_PATH(struct os_volume_quota, "target_project", wish.account, .kind = KIND_ACCOUNT,                \
		.doc = "The project.")
#define P(wire, member)                                                                                      \
	OS_BODY(struct os_volume_quota, wire, member, .min = -1, .max = OS_QUOTA_MAX,                        \
		.given = offsetof(struct os_volume_quota, has_##member) + 1, .doc = "Quota; -1: unlimited.")
#define LIMITS                                                                                               \
	P("volumes", volumes), P("gigabytes", gigabytes), P("snapshots", snapshots), P("groups", groups),    \
		P("per_volume_gigabytes", each), P("backups", backups),                                      \
		P("backup_gigabytes", backup_gigabytes)
static const struct param target_params[] = {TARGET};
static const struct param show_params[] = {
	TARGET,
	OS_QUERY(struct os_volume_quota, "usage", usage, .doc = "Whether the answer contains the usage."),
};
static const struct param set_params[] = {
	TARGET,
	LIMITS,
	OS_BODY(struct os_volume_quota, "tenant_id", tenant,
		.doc = "Accepted and ignored; the path names the project."),
	OS_UNBUILT("skip_validation", .only = "True|true|False|false"),
};

static void write_figure(struct json_writer *w, struct str name, const struct figure *f, bool with_usage)
{
	if (!with_usage) {
		json_write_key(w, name);
		json_write_int(w, NULL, f->limit);
		return;
	}
	json_write_key(w, name);
	json_write_open(w, NULL);
	json_write_int(w, "limit", f->limit);
	json_write_int(w, "in_use", f->used);
	json_write_int(w, "reserved", 0);
	json_write_close(w);
}

/* ---- of single volume types ---- */

enum type_figure { TYPE_VOLUMES, TYPE_GIGABYTES, TYPE_SNAPSHOTS, TYPE_FIGURES };
static const struct str type_prefixes[TYPE_FIGURES] = {
	[TYPE_VOLUMES] = {"volumes_", 8},
	[TYPE_GIGABYTES] = {"gigabytes_", 10},
	[TYPE_SNAPSHOTS] = {"snapshots_", 10},
};

/* Writes the limits of each volume type; account none: the defaults. */
static void write_type_figures(struct os_call *e, struct json_writer *w, uuid account, bool with_usage)
{
	const struct tables *t = os_tables(e);
	for (const struct volume_type *type = volume_type_first(t); type; type = volume_type_next(t, type)) {
		struct volume_type_figures limits, used = {0};
		engine_read_type_limits(t, account, type->row.id, &limits);
		if (with_usage)
			engine_count_type_usage(t, account, type->name, &used);
		const struct figure figures[TYPE_FIGURES] = {
			[TYPE_VOLUMES] = {NULL, limits.volumes, used.volumes},
			[TYPE_GIGABYTES] = {NULL, gib_of(limits.bytes), os_gib(used.bytes)},
			[TYPE_SNAPSHOTS] = {NULL, limits.snapshots, used.snapshots},
		};
		for (size_t k = 0; k < TYPE_FIGURES; k++)
			write_figure(w,
				     str_print(e->c->arena, "%" STR_FMT "%" STR_FMT,
					       STR_ARG(type_prefixes[k]), STR_ARG(type->name)),
				     &figures[k], with_usage);
	}
}

static void write_figures(struct os_call *e, struct json_writer *w, const struct figure *figures,
			  uuid account, bool with_usage)
{
	for (size_t k = 0; k < FIGURES; k++)
		write_figure(w, str_from(figures[k].name), &figures[k], with_usage);
	write_type_figures(e, w, account, with_usage);
}

static RESULT fail_key(struct os_call *e, struct str key)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("quota_set"), "Bad key(s) in quota set: %" STR_FMT,
			      STR_ARG(str_slice(key, 0, 255)));
}

static RESULT find_type_key(struct os_call *e, struct str key, size_t *ret_figure, uuid *ret_type)
{
	size_t k = 0;
	while (k < TYPE_FIGURES && !str_starts_with(key, type_prefixes[k]))
		k++;
	const struct volume_type *type =
		k < TYPE_FIGURES
			? volume_type_find_by_name(os_tables(e), str_slice(key, type_prefixes[k].n, key.n))
			: NULL;
	if (!type)
		return fail_key(e, key);
	*ret_figure = k;
	*ret_type = type->row.id;
	return OK;
}

/* Reads a number, or the text of one, as Cinder does. */
static RESULT read_number(struct os_call *e, const char *key, const json_t *value, int64_t *ret_number)
{
	bool is_number = json_is_integer(value);
	int64_t number = is_number ? json_integer_value(value) : 0;
	if (json_is_string(value))
		is_number = result_is_ok(str_parse_int(str_from(json_string_value(value)), &number));
	if (!is_number || number < -1 || number > OS_QUOTA_MAX)
		return ctx_fail_field(
			e->c, ERR_INVALID, str_copy(e->c->arena, str_from(key)),
			"Invalid input for field/attribute %s. It is a number from -1 to %" PRId64 ".", key,
			OS_QUOTA_MAX);
	*ret_number = number;
	return OK;
}

static RESULT take_type_limits(struct os_call *e, json_t *object, struct account_limits *wish)
{
	struct volume_type_limit_wish *types =
		arena_new_array(e->c->arena, struct volume_type_limit_wish, json_object_size(object));
	const char *key;
	json_t *value;
	if (!types)
		return ctx_no_memory(e->c);
	wish->types = types;
	json_object_foreach (object, key, value) {
		struct volume_type_limit_wish *type = &types[wish->type_count++];
		int64_t number = 0;
		size_t figure = 0;
		type->limits = (struct volume_type_figures){ACCOUNT_LIMIT_KEEP, ACCOUNT_LIMIT_KEEP,
							    ACCOUNT_LIMIT_KEEP};
		TRY(find_type_key(e, str_from(key), &figure, &type->type));
		TRY(read_number(e, key, value, &number));
		if (figure == TYPE_VOLUMES)
			type->limits.volumes = number;
		else if (figure == TYPE_GIGABYTES)
			type->limits.bytes = bytes_of(number);
		else
			type->limits.snapshots = number;
	}
	return OK;
}

static RESULT read_type_limits(struct os_call *e, struct os_volume_quota *a)
{
	if (str_is_empty(a->others))
		return OK;
	json_t *object = json_loadb(a->others.p, a->others.n, 0, NULL);
	struct result result = object ? take_type_limits(e, object, &a->wish) : ctx_no_memory(e->c);
	json_decref(object);
	return result;
}

/* ---- quotas of a project ---- */

static RESULT show_quota(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_volume_quota *a = args;
	const struct row *account = NULL;
	struct figure figures[FIGURES];
	TRY(os_find(e, KIND_ACCOUNT, &a->wish.account, &account));
	take_figures(account_of(account), figures);
	if (os_action_of(e)->method == HTTP_GET)
		os_write_hex(w, "id", account->id);
	write_figures(e, w, figures, account->id, a->usage);
	return OK;
}

static RESULT show_defaults(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_volume_quota *a = args;
	const struct account *account = NULL;
	struct account fresh = {0};
	struct figure figures[FIGURES];
	TRY(engine_find_account(e->c, os_tables(e), &a->wish.account, &account));
	engine_get_default_limits(os_tables(e), &fresh);
	take_figures(&fresh, figures);
	os_write_hex(w, "id", account->row.id);
	write_figures(e, w, figures, UUID_NONE, false);
	return OK;
}

static RESULT prepare_set(struct os_call *e, void *args)
{
	struct os_volume_quota *a = args;
	a->wish = account_limits_all(a->wish.account, ACCOUNT_LIMIT_KEEP);
	if (a->has_volumes)
		a->wish.volumes = a->volumes;
	if (a->has_gigabytes)
		a->wish.volume_bytes = bytes_of(a->gigabytes);
	if (a->has_each)
		a->wish.volume_size = bytes_of(a->each);
	if (a->has_backups)
		a->wish.backups = a->backups;
	if (a->has_backup_gigabytes)
		a->wish.backup_bytes = bytes_of(a->backup_gigabytes);
	if (a->has_snapshots)
		a->wish.snapshots = a->snapshots;
	if (a->has_groups)
		a->wish.volume_groups = a->groups;
	return read_type_limits(e, a);
}

/* Resets only Block Storage's limits; Compute and Network keep theirs. */
static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_volume_quota *a = args;
	struct account standard = {0};
	engine_get_default_limits(os_tables(e), &standard);
	a->wish = account_limits_all(a->wish.account, ACCOUNT_LIMIT_KEEP);
	a->wish.volumes = standard.limit_volumes;
	a->wish.volume_bytes = standard.limit_volume_bytes;
	a->wish.snapshots = standard.limit_snapshots;
	a->wish.volume_groups = standard.limit_volume_groups;
	a->wish.volume_size = standard.limit_volume_size;
	a->wish.backups = standard.limit_backups;
	a->wish.backup_bytes = standard.limit_backup_bytes;
	a->wish.forgets_types = true;
	return OK;
}

/* ---- the class of all projects: what new ones get ---- */

#define CLASS OS_PATH(struct os_volume_quota, "class", class, .doc = "Quota class; only default exists.")
static const struct param class_params[] = {CLASS};
static const struct param set_class_params[] = {CLASS, LIMITS};
#undef P

static RESULT check_class(struct os_call *e, const struct os_volume_quota *a)
{
	return str_is(a->class, "default") ? OK
					   : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SETTING,
							   "Quota class %" STR_FMT " could not be found.",
							   STR_ARG(str_slice(a->class, 0, 64)));
}

static RESULT show_class(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_volume_quota *a = args;
	struct account fresh = {0};
	struct figure figures[FIGURES];
	TRY(check_class(e, a));
	engine_get_default_limits(os_tables(e), &fresh);
	take_figures(&fresh, figures);
	if (os_action_of(e)->method == HTTP_GET)
		json_write_text(w, "id", a->class);
	write_figures(e, w, figures, UUID_NONE, false);
	return OK;
}

static RESULT prepare_class(struct os_call *e, void *args)
{
	TRY(check_class(e, args));
	return prepare_set(e, args);
}

/* ---- zones, extensions ---- */

static RESULT list_zones(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "availabilityZoneInfo");
	for (const struct zone *z = zone_first(os_tables(e)); z; z = zone_next(os_tables(e), z)) {
		if (!row_is_live(&z->row))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "zoneName", z->name);
		json_write_open(w, "zoneState");
		json_write_bool(w, "available", z->enabled);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct os_extension extension_rows[] = {
	{"os-extended-snapshot-attributes", "ExtendedSnapshotAttributes"},
	{"os-hosts", "Hosts"},
	{"os-snapshot-actions", "SnapshotActions"},
	{"os-quota-sets", "Quotas"},
	{"os-types-extra-specs", "TypesExtraSpecs"},
	{"os-availability-zone", "AvailabilityZones"},
	{"os-volume-type-access", "VolumeTypeAccess"},
	{"os-volume-actions", "VolumeActions"},
};

static RESULT list_extensions(struct os_call *e, const void *args, struct json_writer *w)
{
	static const struct os_extensions extensions = {
		OS_EXTENSIONS(extension_rows),
		.updated = "2022-10-05T00:00:00Z",
	};
	(void) e;
	(void) args;
	return os_list_extensions(&extensions, w);
}

#define QUOTA_PARAMS(rows)                                                                                   \
	OS_PARAMS(struct os_volume_quota, rows, .members = offsetof(struct os_volume_quota, others) + 1)
#define CLASSES "/v3/{project_id}/os-quota-class-sets/{class}"
#define QUOTA "/v3/{project_id}/os-quota-sets/{target_project}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v3/{project_id}/limits", .permit = "limits_extension:used_limits", .item = "limits",
	 .answer = show_limits, .doc = "Shows the limits and the usage of the project."},
	{HTTP_GET, QUOTA, .permit = "volume_extension:quotas:show",
	 .args = OS_PARAMS(struct os_volume_quota, show_params), .item = "quota_set", .answer = show_quota,
	 .doc = "Shows the quotas of a project."},
	{HTTP_GET, QUOTA "/defaults", .permit = "volume_extension:quotas:show",
	 .args = OS_PARAMS(struct os_volume_quota, target_params), .item = "quota_set",
	 .answer = show_defaults, .doc = "Shows the default quotas."},
	{HTTP_PUT, QUOTA, .permit = "volume_extension:quotas:update", .flags = API_WRITES | OS_ADMIN,
	 .args = QUOTA_PARAMS(set_params), .wrap = "quota_set", .item = "quota_set", .prepare = prepare_set,
	 .operation = engine_set_limits_run, .answer = show_quota, .returns = KIND_ACCOUNT,
	 .doc = "Changes the quotas of a project."},
	{HTTP_DELETE, QUOTA, .permit = "volume_extension:quotas:delete", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_volume_quota, target_params), .prepare = prepare_reset,
	 .operation = engine_set_limits_run, .doc = "Resets the quotas of a project to the defaults."},
	{HTTP_GET, CLASSES, .permit = "volume_extension:quota_classes", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_volume_quota, class_params), .item = "quota_class_set",
	 .answer = show_class, .doc = "Shows the quotas of new projects."},
	{HTTP_PUT, CLASSES, .permit = "volume_extension:quota_classes", .flags = API_WRITES | OS_ADMIN,
	 .args = QUOTA_PARAMS(set_class_params), .wrap = "quota_class_set", .item = "quota_class_set",
	 .prepare = prepare_class, .operation = engine_set_default_limits_run, .answer = show_class,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes the quotas of new projects."},
	{HTTP_GET, "/v3/{project_id}/os-availability-zone", .permit = "volume:availability_zone_list",
	 .answer = list_zones, .doc = "Lists the availability zones."},
	{HTTP_GET, "/v3/{project_id}/extensions", .permit = "volume:extensions", .answer = list_extensions,
	 .doc = "Lists the API extensions."},
};
const struct os_actions os_volume_limit_actions = OS_ACTIONS(OS_VOLUME, actions);
