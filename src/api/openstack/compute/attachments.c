/* SPDX-License-Identifier: Apache-2.0
 * Volume attachments of a server. Source: Compute API reference, "Servers with volume attachments". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/instance.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/instance.h"
#include "store/volume.h"

#define SERVER(T, member) OS_PATH(T, "server_id", member, .kind = KIND_INSTANCE, .doc = "The server.")

/* ---- writing ---- */

/* Writes an attachment. `v` is the volume in the form of this attachment, also while it is being detached.
 * bdm_uuid, Nova's id of its own row, is derived from volume and server. */
static void write_attachment(struct os_call *e, struct json_writer *w, const struct volume *v)
{
	uuid server = engine_volume_holder(v);
	if (e->request.version < 89)
		os_write_id(w, "id", v->row.id);
	json_write_text(w, "device", v->device);
	os_write_id(w, "serverId", server);
	os_write_id(w, "volumeId", v->row.id);
	if (e->request.version >= 70)
		json_write_text_or_null(w, "tag", v->device_tag);
	if (e->request.version >= 79)
		json_write_bool(w, "delete_on_termination", v->delete_on_termination);
	if (e->request.version < 89)
		return;
	os_write_id(w, "attachment_id", engine_attachment_id(v));
	os_write_id(w, "bdm_uuid", uuid_v5(v->row.id, uuid_to_str(e->c->arena, server)));
}

/* ---- list and show ---- */

struct os_attachment_target {
	struct volume_detaching wish;
};
static const struct param list_params[] = {SERVER(struct os_attachment_target, wish.instance)};
static const struct param one_params[] = {
	SERVER(struct os_attachment_target, wish.instance),
	OS_PATH(struct os_attachment_target, "volume_id", wish.volume, .kind = KIND_VOLUME,
		.doc = "The volume."),
};

static RESULT list_attachments(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_attachment_target *a = args;
	const struct instance *instance = NULL;
	struct volume_list disks;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	TRY(engine_list_disks(e->c->arena, os_tables(e), instance->row.id, true, &disks));
	json_write_open_list(w, "volumeAttachments");
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		bool is_image = v->device_slot == 0 && !instance->root_is_volume;
		if (is_image || uuid_equal(v->row.id, instance->rescue_disk))
			continue;
		json_write_open(w, NULL);
		write_attachment(e, w, v);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* Finds the attachment, also while it is being detached: clients poll until Nova no longer knows it. */
static RESULT find_there(struct os_call *e, const struct os_attachment_target *a,
			 const struct volume **ret_volume)
{
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(e->c, os_tables(e), &a->wish.volume, &volume));
	TRY(engine_find_attachment(e->c->arena, os_tables(e), volume, instance->row.id, ret_volume));
	return *ret_volume ? OK : engine_fail_not_found(e->c, KIND_VOLUME, &a->wish.volume);
}

static RESULT find_attached(struct os_call *e, const struct os_attachment_target *a,
			    const struct volume **ret_volume)
{
	TRY(find_there(e, a, ret_volume));
	return uuid_is_none((*ret_volume)->instance)
		       ? engine_fail_not_found(e->c, KIND_VOLUME, &a->wish.volume)
		       : OK;
}

static RESULT show_attachment(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume *volume = NULL;
	TRY(find_there(e, args, &volume));
	write_attachment(e, w, volume);
	return OK;
}

/* As in Nova, a rescued server's volumes can be neither attached nor detached: its disks have moved for
 * the rescue. */
static RESULT check_no_rescue(struct os_call *e, const struct ref *server, const char *done)
{
	const struct instance *instance = NULL;
	TRY(os_find_server(e, server, &instance));
	if (uuid_is_none(instance->rescue_disk))
		return OK;
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot '%s' instance %" STR_FMT " while it is in vm_state rescued", done,
			     STR_ARG(server->text));
}

static RESULT prepare_detach(struct os_call *e, void *args)
{
	const struct os_attachment_target *a = args;
	const struct volume *volume = NULL;
	TRY(find_attached(e, a, &volume));
	return check_no_rescue(e, &a->wish.instance, "detach_volume");
}

/* ---- change ---- */

enum {
	UPDATES = 85
}; /* first microversion in which PUT also updates the attachment; before, it only
                        * swaps volumes */

struct os_exchange {
	struct instance_settings wish;
	struct volume_fate fate;
	struct os_attachment_target of;
	struct volume_swapping swap;
	struct ref other;
	bool is_other;
	enum choice goes;
	struct str device, tag, server, id, attachment, bdm;
};
#define P(wire, member, ...) OS_BODY(struct os_exchange, wire, member, __VA_ARGS__)
static const struct param exchange_params[] = {
	SERVER(struct os_exchange, of.wish.instance),
	OS_PATH(struct os_exchange, "volume_id", of.wish.volume, .kind = KIND_VOLUME, .doc = "The volume."),
	P("volumeId", other, .flags = REQUIRED, .kind = KIND_VOLUME,
	  .doc = "The same volume. Administrators may name another volume, which takes over content and "
		 "place while the server runs."),
	P("delete_on_termination", goes, .since = UPDATES,
	  .doc = "Whether the volume is deleted with the server."),
	P("device", device, .since = UPDATES, .max = 255, .doc = "Present device. Cannot be changed."),
	P("serverId", server, .since = UPDATES, .max = 255, .doc = "Present server. Cannot be changed."),
	P("tag", tag, .since = UPDATES, .flags = NULLABLE, .max = 60,
	  .doc = "Present tag. Cannot be changed."),
	P("id", id, .since = UPDATES, .max = 255, .doc = "Present id. Cannot be changed."),
	P("attachment_id", attachment, .since = 89, .max = 255, .doc = "Present value. Cannot be changed."),
	P("bdm_uuid", bdm, .since = 89, .max = 255, .doc = "Present value. Cannot be changed."),
};
#undef P

static RESULT check_same(struct os_call *e, const char *member, struct str said, struct str now)
{
	return !said.p || str_equal(said, now) ? OK
					       : ctx_fail_field(e->c, ERR_INVALID, str_from(member),
								"The %s property is not mutable", member);
}

/* Prepares the changes that accompany a swap or stand alone. */
static RESULT prepare_update(struct os_call *e, struct os_exchange *a)
{
	const struct volume *volume = NULL;
	TRY(find_attached(e, &a->of, &volume));
	TRY(check_same(e, "id", a->id, uuid_to_str(e->c->arena, volume->row.id)));
	TRY(check_same(e, "serverId", a->server, uuid_to_str(e->c->arena, engine_volume_holder(volume))));
	TRY(check_same(e, "device", a->device, volume->device));
	TRY(check_same(e, "tag", a->tag, volume->device_tag));
	a->wish.instance = a->of.wish.instance;
	if (a->goes == CHOICE_DEFAULT)
		return OK;
	a->fate = (struct volume_fate){.volume = a->of.wish.volume,
				       .device = volume->device,
				       .delete_on_termination = a->goes == CHOICE_YES};
	a->wish.volumes = &a->fate;
	a->wish.volume_count = 1;
	return OK;
}

/* Checks the states from which Nova swaps volumes. */
static RESULT check_runs(struct os_call *e, const struct os_exchange *a, const struct instance *instance)
{
	struct str state = os_server_vm_state(os_tables(e), instance);
	return str_is(state, "active") || str_is(state, "paused") || str_is(state, "resized")
		       ? OK
		       : ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
				       "Cannot 'swap_volume' instance %" STR_FMT
				       " while it is in vm_state %" STR_FMT,
				       STR_ARG(a->of.wish.instance.text), STR_ARG(state));
}

/* As in Nova, a missing new volume is a bad body (400), a missing old one a bad path (404). */
static RESULT prepare_swap(struct os_call *e, struct os_exchange *a, const struct instance *instance)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(e->c, os_tables(e), &a->of.wish.volume, &volume));
	if (!result_is_ok(engine_find_own_volume(e->c, os_tables(e), &a->other, &volume))) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, STR("volumeId"),
				      "Volume %" STR_FMT " could not be found.", STR_ARG(a->other.text));
	}
	a->swap = (struct volume_swapping){a->of.wish.instance, a->of.wish.volume, a->other};
	return check_runs(e, a, instance);
}

static RESULT prepare_exchange(struct os_call *e, void *args)
{
	struct os_exchange *a = args;
	const struct instance *instance = NULL;
	bool updates = e->request.version >= UPDATES;
	TRY(os_find_server(e, &a->of.wish.instance, &instance));
	a->is_other = !updates || !str_equal(a->other.text, a->of.wish.volume.text);
	if (a->is_other)
		TRY(os_check_admin(e, "os_compute_api:os-volumes-attachments:swap"));
	if (updates)
		TRY(prepare_update(e, a));
	return a->is_other ? prepare_swap(e, a, instance) : OK;
}

static RESULT exchange(struct op *op, void *args)
{
	struct os_exchange *a = args;
	if (!a->is_other || a->wish.volume_count)
		TRY(engine_update_instance(op, &a->wish));
	return a->is_other ? engine_swap_volume(op, &a->swap) : OK;
}

/* ---- attach ---- */

RESULT os_check_shared_volume(struct os_call *e, const struct ref *ref)
{
	const struct volume *volume = volume_find(os_tables(e), ref->prefix);
	return !volume || !volume->is_shared || e->request.version >= 60
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("volumeId"),
					"Multiattach volumes are only supported starting with compute API "
					"version 2.60.");
}

struct os_attach {
	struct volume_attaching wish;
};
static const struct param attach_params[] = {
	SERVER(struct os_attach, wish.instance),
	OS_BODY(struct os_attach, "volumeId", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME,
		.doc = "The volume."),
	OS_BODY(struct os_attach, "device", wish.device, .flags = NULLABLE, .max = 255,
		.doc = "Device name; absent: the next free one."),
	OS_BODY(struct os_attach, "tag", wish.tag, .since = 49, .min = 1, .max = 60,
		.doc = "Device role tag that the guest sees."),
	OS_BODY(struct os_attach, "delete_on_termination", wish.delete_on_termination, .since = 79,
		.doc = "Whether the volume is deleted with the server."),
};

static RESULT prepare_attach(struct os_call *e, void *args)
{
	struct os_attach *a = args;
	const struct instance *instance = NULL;
	a->wish.crosses_zones = true;
	TRY(os_check_device_tag(e, a->wish.tag));
	TRY(os_find_server(e, &a->wish.instance, &instance));
	TRY(check_no_rescue(e, &a->wish.instance, "attach_volume"));
	return os_check_shared_volume(e, &a->wish.volume);
}

static RESULT show_attached(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_attach *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.attached_volume, &row));
	struct volume attached = *volume_of(row); /* shows this attachment of a multiattach volume */
	attached.instance = a->wish.to;
	attached.device = a->wish.device;
	attached.attachment = a->wish.attachment;
	attached.device_tag = a->wish.tag;
	attached.delete_on_termination = a->wish.delete_on_termination;
	write_attachment(e, w, &attached);
	return OK;
}

#define ATTACHMENTS "/v2.1/servers/{server_id}/os-volume_attachments"
#define TARGET(rows) OS_PARAMS(struct os_attachment_target, rows)
static const struct os_action actions[] = {
	{HTTP_GET, ATTACHMENTS, .permit = "os_compute_api:os-volumes-attachments:index",
	 .args = TARGET(list_params), .answer = list_attachments,
	 .doc = "Lists the volumes attached to a server."},
	{HTTP_GET, ATTACHMENTS "/{volume_id}", .permit = "os_compute_api:os-volumes-attachments:show",
	 .args = TARGET(one_params), .item = "volumeAttachment", .answer = show_attachment,
	 .doc = "Shows one volume attachment of a server."},
	{HTTP_POST, ATTACHMENTS, .permit = "os_compute_api:os-volumes-attachments:create",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_attach, attach_params), .wrap = "volumeAttachment",
	 .item = "volumeAttachment", .prepare = prepare_attach, .operation = engine_attach_volume_run,
	 .answer = show_attached, .returns = KIND_VOLUME, .doc = "Attaches a volume."},
	{HTTP_PUT, ATTACHMENTS "/{volume_id}", .permit = "os_compute_api:os-volumes-attachments:update",
	 .flags = API_WRITES, .status = 202, .args = OS_PARAMS(struct os_exchange, exchange_params),
	 .wrap = "volumeAttachment", .prepare = prepare_exchange, .operation = exchange,
	 .doc = "Changes whether a volume is deleted with its server, or swaps the volume."},
	{HTTP_DELETE, ATTACHMENTS "/{volume_id}", .permit = "os_compute_api:os-volumes-attachments:delete",
	 .flags = API_WRITES, .status = 202, .args = TARGET(one_params), .prepare = prepare_detach,
	 .operation = engine_detach_volume_run, .doc = "Detaches a volume."},
};
const struct os_actions os_server_attachment_actions = OS_ACTIONS(OS_COMPUTE, actions);
