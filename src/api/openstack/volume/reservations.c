/* SPDX-License-Identifier: Apache-2.0
 * Reservations, attaching and detaching of volumes, and Cinder's attachments. A volume attaches only to
 * servers of this cloud: nothing is exported to other hosts, so connectors are refused. The first
 * attachment of a volume has the volume's id; further attachments of a multiattach volume have ids of their
 * own. Source: Block Storage API reference, "Volume actions", "Attachments". */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "base/uuid_asked.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_reservation.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

/* ---- holds ---- */

struct os_volume_reservation {
	struct volume_reserving wish;
};
static const struct param reservation_params[] = {OS_VOLUME_PATH(struct os_volume_reservation, wish.volume)};

/* ---- attach, detach ---- */

struct os_volume_attach {
	struct volume_attaching wish;
	struct str mode;
};
#define P(wire, member, ...) OS_BODY(struct os_volume_attach, wire, member, __VA_ARGS__)
static const struct param attach_params[] = {
	OS_VOLUME_PATH(struct os_volume_attach, wish.volume),
	P("instance_uuid", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The server."),
	P("mountpoint", wish.device, .flags = REQUIRED, .max = 255,
	  .doc = "Device of the volume, such as /dev/vdc."),
	P("mode", mode, .words = "rw",
	  .doc = "Access mode; rw only. A read-only volume is marked with os-update_readonly_flag."),
	OS_UNBUILT("host_name", .doc = "Not possible: volumes are not exported to other hosts."),
};
#undef P

static RESULT prepare_attach(struct os_call *e, void *args)
{
	(void) e;
	((struct os_volume_attach *) args)->wish.is_promised = true;
	((struct os_volume_attach *) args)->wish.crosses_zones = true;
	return OK;
}

struct os_volume_detach {
	struct volume_detaching wish;
	struct ref attachment;
};
static const struct param detach_params[] = {
	OS_VOLUME_PATH(struct os_volume_detach, wish.volume),
	OS_BODY(struct os_volume_detach, "attachment_id", attachment, .flags = NULLABLE, .kind = KIND_VOLUME,
		.doc = "Attachment to remove; required if the volume has several."),
};

/* Checks that the named attachment belongs to the volume and puts it into the wish. Nothing to do if none
 * is named. */
static RESULT take_attachment(struct os_call *e, const struct ref *attachment, struct volume_detaching *wish)
{
	struct volume_list list;
	const struct volume *volume = NULL;
	if (attachment->kind == KIND_NONE)
		return OK;
	TRY(engine_find_own_volume(e->c, os_tables(e), &wish->volume, &volume));
	TRY(engine_list_attachments(e->c->arena, os_tables(e), volume, &list));
	wish->attachment = attachment->prefix;
	for (size_t k = 0; k < list.count; k++)
		if (uuid_equal(engine_attachment_id(list.at[k]), attachment->prefix))
			return OK;
	bool is_its = list.count == 0 && uuid_equal(attachment->prefix, volume->row.id);
	return is_its ? OK : engine_fail_not_found(e->c, KIND_VOLUME, attachment);
}

static RESULT prepare_detach(struct os_call *e, void *args)
{
	struct os_volume_detach *a = args;
	return take_attachment(e, &a->attachment, &a->wish);
}

/* Detaching a volume that is not attached succeeds, as in Cinder. */
static RESULT detach(struct op *op, void *wish)
{
	struct os_volume_detach *a = wish;
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &a->wish.volume, &volume));
	bool is_free = volume->reservation == VOLUME_RESERVATION_NONE &&
		       model_derive_attachment(volume->instance, volume->seen_instance) == ATTACHMENT_NONE;
	return is_free ? engine_permit(op, "volume.detach", KIND_VOLUME, &volume->row)
		       : engine_detach_volume(op, &a->wish);
}

/* ---- for administrators ---- */

struct os_forced_detach {
	struct volume_detaching wish;
	struct ref attachment;
	struct str connector;
	struct volume_marking mark;
};
static const struct param forced_detach_params[] = {
	OS_VOLUME_PATH(struct os_forced_detach, wish.volume),
	OS_BODY(struct os_forced_detach, "attachment_id", attachment, .flags = NULLABLE, .kind = KIND_VOLUME,
		.doc = "Attachment to remove; required if the volume has several."),
	{.wire = "connector",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct os_forced_detach, connector),
	 .flags = NULLABLE,
	 .doc = "Accepted and ignored; only Cinder drivers use it."},
};

static RESULT prepare_forced_detach(struct os_call *e, void *args)
{
	struct os_forced_detach *a = args;
	a->mark.volume = a->wish.volume;
	return take_attachment(e, &a->attachment, &a->wish);
}

/* Removes the reservation, then detaches: both or nothing. */
static RESULT force_detach(struct op *op, void *wish)
{
	struct os_forced_detach *a = wish;
	TRY(engine_mark_volume(op, &a->mark));
	return engine_detach_volume(op, &a->wish);
}

struct os_volume_reset {
	struct volume_marking wish;
	struct str status, attach_status;
};
static const struct param reset_params[] = {
	OS_VOLUME_PATH(struct os_volume_reset, wish.volume),
	OS_BODY(struct os_volume_reset, "status", status, .flags = NULLABLE,
		.doc = "New status. The status of an attached volume cannot be changed."),
	OS_BODY(struct os_volume_reset, "attach_status", attach_status, .flags = NULLABLE,
		.words = "attached|detached",
		.doc = "New attachment status, except for an attachment that exists."),
	OS_UNBUILT("migration_status", .only = "none"),
};

static RESULT fail_derived(struct os_call *e, const char *field, const char *what)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "The status follows from what is there: it can be reset to '%s' alone.", what);
}

/* Statuses that an administrator may set; all others are derived from the volume's state. */
static bool find_reservation(struct str status, enum volume_reservation *ret_reservation)
{
	static const enum volume_reservation reservations[] = {
		VOLUME_RESERVATION_CREATING,       VOLUME_RESERVATION_DELETING,    VOLUME_RESERVATION_ERROR,
		VOLUME_RESERVATION_ERROR_DELETING, VOLUME_RESERVATION_MAINTENANCE, VOLUME_RESERVATION_IN_USE,
		VOLUME_RESERVATION_ATTACHING,      VOLUME_RESERVATION_DETACHING,
	};
	for (size_t k = 0; k < sizeof reservations / sizeof reservations[0]; k++)
		if (str_is(status, volume_reservation_words[reservations[k]])) {
			*ret_reservation = reservations[k];
			return true;
		}
	return false;
}

/* Accepts the derived status, which removes a reservation, or one of the reservations. */
static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_volume_reset *a = args;
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(e->c, os_tables(e), &a->wish.volume, &volume));
	bool is_attached =
		model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE;
	const char *status = os_volume_bare_status(os_tables(e), volume);
	if (!a->status.n && !a->attach_status.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("status"), "Must specify 'status'.");
	if (a->status.n && !str_is(a->status, status) && !find_reservation(a->status, &a->wish.reservation))
		return fail_derived(e, "status", status);
	if (a->attach_status.n && str_is(a->attach_status, "attached") != is_attached)
		return fail_derived(e, "attach_status", is_attached ? "attached" : "detached");
	return OK;
}

struct os_snapshot_reset {
	struct snapshot_reserving wish;
	struct str status;
};
static const struct param snapshot_reset_params[] = {
	OS_SNAPSHOT_PATH(struct os_snapshot_reset, wish.snapshot),
	OS_BODY(struct os_snapshot_reset, "status", status, .flags = REQUIRED, .doc = "New status."),
};

static RESULT prepare_snapshot_reset(struct os_call *e, void *args)
{
	struct os_snapshot_reset *a = args;
	const struct snapshot *snapshot = NULL;
	TRY(engine_find_own_snapshot(e->c, os_tables(e), &a->wish.snapshot, &snapshot));
	const char *status = model_snapshot_states[model_derive_snapshot_state(snapshot)].cinder;
	if (str_is(a->status, status))
		return OK;
	for (enum snapshot_reservation reservation = SNAPSHOT_RESERVATION_CREATING;
	     reservation <= SNAPSHOT_RESERVATION_ERROR_DELETING; reservation++)
		if (str_is(a->status, snapshot_reservation_words[reservation]))
			a->wish.to = reservation;
	return a->wish.to != SNAPSHOT_RESERVATION_NONE ? OK : fail_derived(e, "status", status);
}

struct os_snapshot_update {
	struct snapshot_reserving wish;
	struct str status, progress;
};
static const struct param snapshot_update_params[] = {
	OS_SNAPSHOT_PATH(struct os_snapshot_update, wish.snapshot),
	OS_BODY(struct os_snapshot_update, "status", status, .flags = REQUIRED,
		.doc = "New status: available or error while it is creating, error_deleting while it is "
		       "deleting."),
	OS_BODY(struct os_snapshot_update, "progress", progress, .flags = NULLABLE,
		.doc = "Progress, such as 80%."),
};

/* Cinder's drivers report progress by this call, only for snapshots being created or deleted. */
static RESULT check_step(struct os_call *e, const struct os_snapshot_update *a, const char *now)
{
	bool is_making = strcmp(now, "creating") == 0, is_going = strcmp(now, "deleting") == 0;
	bool fits = is_making ? str_is(a->status, "creating") || str_is(a->status, "available") ||
					str_is(a->status, "error")
			      : str_is(a->status, "deleting") || str_is(a->status, "error_deleting");
	if (!is_making && !is_going)
		return ctx_fail_field(e->c, ERR_INVALID, STR("status"),
				      "Snapshot status %s not allowed for update_snapshot_status", now);
	return fits ? OK
		    : ctx_fail_field(e->c, ERR_INVALID, STR("status"),
				     "Provided snapshot status %" STR_FMT
				     " not allowed for snapshot with status %s.",
				     STR_ARG(a->status), now);
}

static RESULT read_progress(struct os_call *e, struct os_snapshot_update *a)
{
	bool is_percent = str_ends_with(a->progress, STR("%"));
	struct str number = str_slice(a->progress, 0, a->progress.n - is_percent);
	int64_t percent = 0;
	if (a->progress.n && (str_parse_int(number, &percent).code || percent < 0 || percent > 100))
		return ctx_fail_field(e->c, ERR_INVALID, STR("progress"),
				      "Invalid input for field/attribute progress. Value: %" STR_FMT ".",
				      STR_ARG(str_slice(a->progress, 0, 64)));
	a->wish.progress = a->progress;
	return OK;
}

static RESULT prepare_snapshot_update(struct os_call *e, void *args)
{
	struct os_snapshot_update *a = args;
	const struct snapshot *snapshot = NULL;
	TRY(engine_find_own_snapshot(e->c, os_tables(e), &a->wish.snapshot, &snapshot));
	TRY(check_step(e, a, os_snapshot_status(snapshot)));
	TRY(read_progress(e, a));
	const char *real = model_snapshot_states[model_derive_snapshot_state(snapshot)].cinder;
	for (enum snapshot_reservation reservation = SNAPSHOT_RESERVATION_CREATING;
	     reservation <= SNAPSHOT_RESERVATION_ERROR_DELETING; reservation++)
		if (str_is(a->status, snapshot_reservation_words[reservation]) && !str_is(a->status, real))
			a->wish.to = reservation;
	return a->wish.to != SNAPSHOT_RESERVATION_NONE || str_is(a->status, real)
		       ? OK
		       : fail_derived(e, "status", real);
}

struct os_volume_forced {
	struct volume_target wish;
};
static const struct param forced_params[] = {OS_VOLUME_PATH(struct os_volume_forced, wish.volume)};

static RESULT prepare_forced(struct os_call *e, void *args)
{
	(void) e;
	((struct os_volume_forced *) args)->wish.force = true;
	((struct os_volume_forced *) args)->wish.snapshots = VOLUME_SNAPSHOTS_FORBID;
	return OK;
}

struct os_snapshot_forced {
	struct snapshot_target wish;
};
static const struct param snapshot_forced_params[] = {
	OS_SNAPSHOT_PATH(struct os_snapshot_forced, wish.snapshot)};

static RESULT prepare_snapshot_forced(struct os_call *e, void *args)
{
	(void) e;
	((struct os_snapshot_forced *) args)->wish.force = true;
	((struct os_snapshot_forced *) args)->wish.leaves_to_images = true;
	return OK;
}

/* ---- attachments ---- */

/* Converts the first attachment, which the volume's own row stores, into the form of further attachments.
 * Also covers a reservation. */
static struct volume_attachment first_attachment(const struct volume *v)
{
	struct volume_attachment first = {.row = v->row,
					  .account = v->account,
					  .volume = v->row.id,
					  .instance = v->instance,
					  .seen_instance = v->seen_instance,
					  .device = v->device,
					  .attached_us = v->attached_us};
	first.row.id = engine_attachment_id(v);
	first.row.kind = KIND_VOLUME_ATTACHMENT;
	return first;
}

static enum attachment state_of(const struct volume_attachment *f)
{
	return model_derive_attachment(f->instance, f->seen_instance);
}

static bool has_first(const struct volume *v)
{
	return row_is_live(&v->row) &&
	       (model_derive_attachment(v->instance, v->seen_instance) != ATTACHMENT_NONE ||
		v->reservation == VOLUME_RESERVATION_RESERVED);
}

static RESULT add_firsts(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	bool all = os_is_admin(e);
	uuid account = e->c->who->account;
	const struct volume *v = all ? volume_first(t) : volume_first_by_account(t, account);
	for (; v; v = all ? volume_next(t, v) : volume_next_by_account(t, v)) {
		if (!has_first(v) || !os_wants(ret_rows, engine_attachment_id(v)))
			continue;
		struct volume_attachment *row = arena_new_object(e->c->arena, struct volume_attachment);
		if (!row)
			return ctx_no_memory(e->c);
		*row = first_attachment(v);
		if (!VEC_PUSH(e->c->arena, &ret_rows->rows, &row->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static uuid server_of(const struct tables *t, const struct volume_attachment *f)
{
	const struct volume *v = volume_find(t, f->volume);
	return !uuid_is_none(f->instance)        ? f->instance
	       : !uuid_is_none(f->seen_instance) ? f->seen_instance
	       : v                               ? v->reserved_for
						 : UUID_NONE;
}

static const char *attachment_status(enum attachment state)
{
	static const char *const words[] = {[ATTACHMENT_NONE] = "reserved",
					    [ATTACHMENT_ATTACHING] = "attaching",
					    [ATTACHMENT_ATTACHED] = "attached",
					    [ATTACHMENT_DETACHING] = "detaching"};
	return words[state];
}

struct attachment_item {
	const struct volume_attachment *row;
	uuid server;
	bool is_readonly;
};

static void fill_item(const struct tables *t, const struct volume_attachment *f, struct attachment_item *item)
{
	const struct volume *v = volume_find(t, f->volume);
	*item = (struct attachment_item){f, server_of(t, f), v && v->is_readonly};
}

static const void *gather_attachment(struct os_call *e, const struct row *row)
{
	struct attachment_item *item = arena_new_object(e->c->arena, struct attachment_item);
	if (item)
		fill_item(os_tables(e), volume_attachment_of(row), item);
	return item;
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct attachment_item *i = item;
	(void) e;
	os_write_id(w, "id", i->row->row.id);
	json_write_z(w, "status", attachment_status(state_of(i->row)));
	os_write_id(w, "instance", i->server);
	os_write_id(w, "volume_id", i->row->volume);
}

static void write_attachment(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct attachment_item *i = item;
	write_brief(e, w, item);
	os_write_time_us(w, "attached_at", i->row->attached_us);
	json_write_null(w, "detached_at");
	json_write_z(w, "attach_mode", i->is_readonly ? "ro" : "rw");
	json_write_open(w, "connection_info");
	json_write_close(w);
}

static bool fits_server(struct os_call *e, const struct row *row, struct str value)
{
	uuid id = UUID_NONE;
	return result_is_ok(uuid_parse_asked(value, &id)) &&
	       uuid_equal(id, server_of(os_tables(e), volume_attachment_of(row)));
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, attachment_status(state_of(volume_attachment_of(row))));
}

static const struct os_filter attachment_filters[] = {{"volume_id", "volume"},
						      {"instance_id", .fits = fits_server},
						      {"status", .fits = fits_status},
						      {"attach_status", .fits = fits_status}};
#define ATTACHMENTS(write_them)                                                                              \
	{                                                                                                    \
		.kind = KIND_VOLUME_ATTACHMENT, .items = "attachments", .links = "attachments_links",        \
		.filters = OS_FILTERS(attachment_filters), .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST,       \
		.page_max = 1000, .add = add_firsts, .gather = gather_attachment, .write = (write_them),     \
	}
static const struct os_listing attachment_briefs = ATTACHMENTS(write_brief);
const struct os_listing os_attachment_details = ATTACHMENTS(write_attachment);

#define ATTACHMENT_PATH(T, member)                                                                           \
	OS_PATH(T, "attachment_id", member, .kind = KIND_VOLUME,                                             \
		.doc = "The attachment, named by the volume's id.")

struct os_attachment {
	struct volume_reserving wish;
	struct ref attachment;
	struct volume_list all; /* all attachments of its volume */
};
static const struct param attachment_params[] = {ATTACHMENT_PATH(struct os_attachment, attachment)};

/* Finds the volume of an attachment id. */
static RESULT find_attachment(struct os_call *e, const struct ref *ref, struct ref *ret_volume)
{
	const struct tables *t = os_tables(e);
	const struct volume *v = volume_find(t, ref->prefix);
	const struct volume_attachment *further = volume_attachment_find(t, ref->prefix);
	if (v && (!has_first(v) || !uuid_is_none(v->attachment)))
		v = NULL;
	if (!v)
		v = further ? volume_find(t, further->volume) : volume_first_by_attachment(t, ref->prefix);
	if (!v || !engine_may_see(e->c, KIND_VOLUME, &v->row))
		return engine_fail_not_found(e->c, KIND_VOLUME_ATTACHMENT, ref);
	*ret_volume = *ref;
	ret_volume->prefix = v->row.id;
	ret_volume->text = uuid_to_str(e->c->arena, v->row.id);
	return OK;
}

static RESULT show_attachment(struct os_call *e, const void *args, struct json_writer *w)
{
	struct ref ref = ((const struct os_attachment *) args)->attachment, volume;
	TRY(find_attachment(e, &ref, &volume));
	ref.kind = KIND_VOLUME_ATTACHMENT;
	return os_write_found(e, &os_attachment_details, &ref, w);
}

struct os_attachment_create {
	struct volume_reserving wish;
};
#define P(wire, member, ...) OS_BODY(struct os_attachment_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("volume_uuid", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("instance_uuid", wish.instance, .flags = NULLABLE, .kind = KIND_INSTANCE,
	  .doc = "Server that the volume is reserved for."),
	OS_UNBUILT("connector", .only = "{}",
		   .doc = "Not possible: volumes are not exported to other hosts."),
	OS_UNBUILT("mode", .since = 54, .only = "rw"),
};
#undef P

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_attachment_create *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.volume.prefix, &row));
	const struct volume *v = volume_of(row);
	const struct volume_attachment first = first_attachment(v);
	const struct attachment_item item = {&first, v->reserved_for, v->is_readonly};
	write_attachment(e, w, &item);
	return OK;
}

struct os_complete {
	struct volume_attaching wish;
	struct ref attachment;
};
static const struct param complete_params[] = {ATTACHMENT_PATH(struct os_complete, attachment)};

static RESULT prepare_complete(struct os_call *e, void *args)
{
	struct os_complete *a = args;
	return find_attachment(e, &a->attachment, &a->wish.volume);
}

static RESULT prepare_end(struct os_call *e, void *args)
{
	struct os_attachment *a = args;
	const struct volume *volume = NULL;
	a->wish.attachment = a->attachment.prefix;
	TRY(find_attachment(e, &a->attachment, &a->wish.volume));
	TRY(engine_find_own_volume(e->c, os_tables(e), &a->wish.volume, &volume));
	return engine_list_attachments(e->c->arena, os_tables(e), volume, &a->all);
}

/* Writes the remaining attachments of the volume, as they were before the call. */
static RESULT show_ended(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_attachment *a = args;
	json_write_open_list(w, "attachments");
	for (size_t k = 0; k < a->all.count; k++) {
		const struct volume_attachment other = first_attachment(a->all.at[k]);
		const struct attachment_item item = {&other, engine_volume_holder(a->all.at[k]), false};
		if (uuid_equal(other.row.id, a->attachment.prefix))
			continue;
		json_write_open(w, NULL);
		write_brief(e, w, &item);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define POLICY "volume_extension:volume_actions:"
#define VOLUME_ACTION(word, policy, T, rows, more_flags, prepare_it, run, ...)                               \
	{                                                                                                    \
		HTTP_POST, "/v3/{project_id}/volumes/{volume_id}/action",                                    \
			.verb = (word), .permit = (policy), .flags = API_WRITES | (more_flags),              \
			.status = 202, .args = OS_PARAMS(T, rows), .prepare = (prepare_it),                  \
			.operation = (run), __VA_ARGS__                                                      \
	}
#define RESERVATION_ACTION(word, policy, run, ...)                                                           \
	VOLUME_ACTION(word, policy, struct os_volume_reservation, reservation_params, 0, NULL, run,          \
		      __VA_ARGS__)
#define SNAPSHOT_ACTION(word, policy, T, rows, ...)                                                          \
	{                                                                                                    \
		HTTP_POST, "/v3/{project_id}/snapshots/{snapshot_id}/action",                                \
			.verb = (word), .permit = (policy), .flags = API_WRITES | OS_ADMIN, .status = 202,   \
			.args = OS_PARAMS(T, rows), __VA_ARGS__                                              \
	}
#define ALL "/v3/{project_id}/attachments"
static const struct os_action actions[] = {
	RESERVATION_ACTION("os-reserve", POLICY "reserve", engine_begin_attaching_volume_run,
			   .doc = "Reserves a volume for a pending attachment."),
	RESERVATION_ACTION("os-unreserve", POLICY "unreserve", engine_cancel_attaching_volume_run,
			   .doc = "Cancels the reservation of a volume."),
	RESERVATION_ACTION("os-begin_detaching", POLICY "begin_detaching", engine_begin_detaching_volume_run,
			   .doc = "Marks a volume as being detached."),
	RESERVATION_ACTION("os-roll_detaching", POLICY "roll_detaching", engine_cancel_detaching_volume_run,
			   .doc = "Cancels a pending detachment."),
	VOLUME_ACTION("os-attach", POLICY "attach", struct os_volume_attach, attach_params, 0, prepare_attach,
		      engine_attach_volume_run, .doc = "Attaches a volume to a server."),
	VOLUME_ACTION("os-detach", POLICY "detach", struct os_volume_detach, detach_params, 0, prepare_detach,
		      detach, .doc = "Detaches a volume."),
	VOLUME_ACTION("os-reset_status", "volume_extension:volume_admin_actions:reset_status",
		      struct os_volume_reset, reset_params, OS_ADMIN, prepare_reset, engine_mark_volume_run,
		      .doc = "Resets the status: error stops the use of the volume, available releases it."),
	VOLUME_ACTION("os-force_detach", "volume_extension:volume_admin_actions:force_detach",
		      struct os_forced_detach, forced_detach_params, OS_ADMIN, prepare_forced_detach,
		      force_detach, .doc = "Detaches a volume in any state."),
	VOLUME_ACTION("os-force_delete", "volume_extension:volume_admin_actions:force_delete",
		      struct os_volume_forced, forced_params, OS_ADMIN, prepare_forced,
		      engine_delete_volume_run,
		      .doc = "Deletes a volume, even if it is reserved or offered."),
	SNAPSHOT_ACTION(
		"os-reset_status", "volume_extension:snapshot_admin_actions:reset_status",
		struct os_snapshot_reset, snapshot_reset_params, .prepare = prepare_snapshot_reset,
		.operation = engine_reserve_snapshot_run,
		.doc = "Resets the status: error stops the use of the snapshot, available releases it."),
	{HTTP_POST, "/v3/{project_id}/snapshots/{snapshot_id}/action", .verb = "os-update_snapshot_status",
	 .permit = "snapshot_extension:snapshot_actions:update_snapshot_status", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_snapshot_update, snapshot_update_params),
	 .prepare = prepare_snapshot_update, .operation = engine_reserve_snapshot_run,
	 .doc = "Reports the progress of a creation or deletion that an administrator has started by a "
		"status reset."},
	SNAPSHOT_ACTION("os-force_delete", "volume_extension:snapshot_admin_actions:force_delete",
			struct os_snapshot_forced, snapshot_forced_params, .prepare = prepare_snapshot_forced,
			.operation = engine_delete_snapshot_run, .doc = "Deletes a snapshot in any status."),
	{HTTP_GET, ALL, .since = 27, .permit = "volume:attachment_list", .list = &attachment_briefs,
	 .doc = "Lists the attachments of the project's volumes."},
	{HTTP_GET, ALL "/detail", .since = 27, .permit = "volume:attachment_list",
	 .list = &os_attachment_details,
	 .doc = "Lists the attachments of the project's volumes with details."},
	{HTTP_POST, ALL, .since = 27, .permit = "volume:attachment_create", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_attachment_create, create_params), .wrap = "attachment",
	 .item = "attachment", .operation = engine_reserve_volume_run, .answer = show_created,
	 .returns = KIND_VOLUME, .doc = "Reserves a volume for a server."},
	{HTTP_GET, ALL "/{attachment_id}", .since = 27, .permit = "volume:attachment_show",
	 .args = OS_PARAMS(struct os_attachment, attachment_params), .item = "attachment",
	 .answer = show_attachment, .doc = "Shows one attachment."},
	{HTTP_DELETE, ALL "/{attachment_id}", .since = 27, .permit = "volume:attachment_delete",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_attachment, attachment_params),
	 .prepare = prepare_end, .operation = engine_end_volume_attachment_run, .answer = show_ended,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Detaches a volume, or cancels its reservation."},
	{HTTP_POST, ALL "/{attachment_id}/action", .verb = "os-complete", .since = 44,
	 .permit = "volume:attachment_complete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_complete, complete_params), .prepare = prepare_complete,
	 .operation = engine_attach_reserved_volume_run,
	 .doc = "Attaches a volume to the server that it is reserved for."},
};
const struct os_actions os_volume_reservation_actions = OS_ACTIONS(OS_VOLUME, actions);
