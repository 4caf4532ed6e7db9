/* SPDX-License-Identifier: Apache-2.0
 * Server actions other than power: pause, suspend, lock, resize, rebuild, images, security groups, console
 * output. Nova documents the states from which each action is allowed; `only_from` passes them to the
 * operation, which checks them inside the change. Source: Compute API reference, "Servers - run an action". */
#include "api/core/guest_password.h"
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "api/openstack/image/images.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_interface.h"
#include "engine/storage/image/image.h"
#include "model/instance.h"

#define IN(state) (1U << INSTANCE_##state)
/* ---- those without parameters, and lock ---- */

struct os_plain_action {
	struct instances_wish wish;
	struct ref server;
};
static const struct param plain_params[] = {OS_SERVER(struct os_plain_action, server)};
static const struct param lock_params[] = {
	OS_SERVER(struct os_plain_action, server),
	OS_BODY(struct os_plain_action, "locked_reason", wish.reason, .since = 73, .min = 1, .max = 255,
		.doc = "Reason for the lock."),
};

static uint32_t states_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t from;
	} rows[] = {
		{"pause", IN(RUNNING)},    {"unpause", IN(PAUSED)},    {"suspend", IN(RUNNING)},
		{"resume", IN(SUSPENDED)}, {"restore", IN(DESTROYED)},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (strcmp(rows[k].name, name) == 0)
			return rows[k].from;
	return 0;
}

static RESULT prepare_plain(struct os_call *e, void *args)
{
	struct os_plain_action *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	a->wish.instances = (struct refs){&a->server, 1};
	a->wish.only_from = states_of(os_action_of(e)->verb);
	if (a->wish.only_from)
		TRY(os_check_stays(e, &a->server, instance));
	return OK;
}

/* Restores servers that a CloudStack call destroyed. Nova's own deletion is deferred only if the operator
 * configures it (reclaim_instance_interval), which is not supported here. A restored server is started. */
static RESULT prepare_restore(struct os_call *e, void *args)
{
	struct os_plain_action *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	a->wish.starts = true;
	if (model_derive_instance_state(instance) == INSTANCE_DESTROYED)
		return prepare_plain(e, args);
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot 'restore' instance %" STR_FMT " while it is in vm_state %" STR_FMT,
			     STR_ARG(a->server.text), STR_ARG(os_server_vm_state(os_tables(e), instance)));
}

/* ---- resize ---- */

struct os_resize {
	struct instance_resizing wish;
};
static const struct param resize_params[] = {
	OS_SERVER(struct os_resize, wish.instance),
	OS_BODY(struct os_resize, "flavorRef", wish.type, .flags = REQUIRED | BY_NAME,
		.kind = KIND_INSTANCE_TYPE, .doc = "New flavor."),
	OS_BODY(struct os_resize, "OS-DCF:diskConfig", wish.disk_auto, .yes = "AUTO", .no = "MANUAL",
		.doc = "Stored and shown only; the guest grows its root file system itself."),
};
struct os_target {
	struct instance_target wish;
};
static const struct param target_params[] = {OS_SERVER(struct os_target, wish.instance)};

static RESULT prepare_resize(struct os_call *e, void *args)
{
	struct os_resize *a = args;
	const struct instance *instance = NULL;
	return os_find_server(e, &a->wish.instance, &instance);
}

static RESULT prepare_target(struct os_call *e, void *args)
{
	struct os_target *a = args;
	const struct instance *instance = NULL;
	return os_find_server(e, &a->wish.instance, &instance);
}

/* ---- rebuild ---- */

static const struct param file_rows[] = {
	OS_BODY(struct guest_file, "path", path, .flags = REQUIRED, .max = OS_FILE_TEXT_MAX,
		.doc = "Path of the file in the guest."),
	OS_BODY(struct guest_file, "contents", contents, .flags = REQUIRED | BASE64, .max = OS_FILE_TEXT_MAX,
		.doc = "Content of the file, base64."),
};
const struct params os_file_params = OS_PARAMS(struct guest_file, file_rows);

struct os_rebuild {
	struct instance_rebuilding wish;
	struct str access_ip4, access_ip6, password;
	bool preserve;
};
#define P(wire, member, ...) OS_BODY(struct os_rebuild, wire, member, __VA_ARGS__)
#define GIVEN(member) .given = offsetof(struct os_rebuild, wish.member) + 1
static const struct param rebuild_params[] = {
	OS_SERVER(struct os_rebuild, wish.instance),
	P("imageRef", wish.image, .flags = REQUIRED, .kind = KIND_IMAGE,
	  .doc = "Image that the server is rebuilt from."),
	P("name", wish.name, .min = 1, .max = 255, GIVEN(set_name), .doc = "New name."),
	P("description", wish.description, .flags = NULLABLE, .since = 19, .max = 255, GIVEN(set_description),
	  .doc = "Description: free text."),
	P("metadata", wish.tags, GIVEN(set_tags), .doc = "Metadata that replaces the present metadata."),
	P("key_name", wish.key_pair, .flags = NULLABLE | BY_NAME, .since = 54, .kind = KIND_KEY_PAIR,
	  GIVEN(set_key), .doc = "Key pair by name whose public key the guest receives; null: none."),
	P("user_data", wish.user_data, .flags = NULLABLE | BASE64, .since = 57, .max = INSTANCE_USER_DATA_MAX,
	  GIVEN(set_user_data), .doc = "User data, base64, up to 65,535 characters."),
	P("OS-DCF:diskConfig", wish.disk_auto, .yes = "AUTO", .no = "MANUAL",
	  .doc = "Stored and shown only; the guest grows its root file system itself."),
	P("preserve_ephemeral", preserve,
	  .doc = "Accepted and ignored; ephemeral disks are always recreated."),
	P("accessIPv4", access_ip4, .max = IP_TEXT_SIZE, GIVEN(set_access_ip4),
	  .doc = "IPv4 address shown for access; empty: none."),
	P("accessIPv6", access_ip6, .max = IP_TEXT_SIZE, GIVEN(set_access_ip6),
	  .doc = "IPv6 address shown for access; empty: none."),
	P("adminPass", password, .min = 1, .max = OS_PASSWORD_MAX,
	  .doc = "Administrator password, which the config drive passes to the guest; absent: a generated "
		 "one."),
	OS_BODY_LIST(struct os_rebuild, "personality", wish.files, os_file_params, .until = 56,
		     .max = OS_FILES_MAX,
		     .doc = "Files that the config drive passes to the guest; absent: none."),
	OS_UNBUILT("trusted_image_certificates", .since = 63),
	OS_UNBUILT("hostname", .since = 90),
};
#undef GIVEN
#undef P

static RESULT prepare_rebuild(struct os_call *e, void *args)
{
	struct os_rebuild *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	if (a->wish.set_name)
		TRY(os_check_name(e, a->wish.name, "name", OS_NAME_PLAIN));
	TRY(os_check_metadata_keys(e, a->wish.tags, "metadata"));
	a->wish.keeps_volume = e->request.version < 93;
	TRY(os_read_access_ip(e, a->access_ip4, "accessIPv4", &a->wish.access_ip4));
	TRY(os_read_access_ip(e, a->access_ip6, "accessIPv6", &a->wish.access_ip6));
	TRY(api_draw_guest_password(&e->core, &a->password));
	bool has_drive = instance->config_drive || a->wish.files.count;
	return has_drive ? api_seal_guest_password(&e->core, instance->account, a->password,
						   &a->wish.admin_password)
			 : OK;
}

/* Writes members that answers show since the microversion in which rebuild may change them. */
static void write_told(struct os_call *e, struct json_writer *w, const struct instance *instance)
{
	int version = e->request.version;
	if (version >= 54 && version < 75)
		json_write_text_or_null(w, "key_name", instance->key_name);
	if (version >= 57)
		json_write_text_or_null(w, "user_data", str_encode_base64(e->c->arena, instance->user_data));
}

static RESULT show_rebuilt(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_rebuild *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	TRY(os_write_found(e, &os_server_details, &a->wish.instance, w));
	json_write_text(w, "adminPass", a->password);
	write_told(e, w, instance);
	return OK;
}

/* ---- an image of it ---- */

struct os_create_image {
	struct image_capture wish;
};
static const struct param image_params[] = {
	OS_SERVER(struct os_create_image, wish.instance),
	OS_BODY(struct os_create_image, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name of the image."),
	OS_BODY(struct os_create_image, "metadata", wish.properties, .doc = "Properties of the image."),
};

/* Nova captures a running guest without stopping it, one capture at a time. */
static RESULT prepare_capture(struct os_call *e, struct image_capture *wish)
{
	const struct instance *instance = NULL;
	TRY(os_check_name(e, wish->name, "name", OS_NAME_PLAIN));
	TRY(os_check_metadata_keys(e, wish->properties, "metadata"));
	for (size_t k = 0; k < wish->properties.count; k++)
		if (os_image_is_machine_word(wish->properties.at[k].key))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("metadata"),
					      "Invalid input for metadata: '%" STR_FMT
					      "' follows from the server.",
					      STR_ARG(wish->properties.at[k].key));
	wish->no_reboot = true;
	wish->may_share_name = true;
	wish->alone_as = os_action_of(e)->verb;
	TRY(os_find_server(e, &wish->instance, &instance));
	/* As in Nova: an image-backed server yields an image with data, a volume-backed server snapshots
	 * of all its volumes. */
	wish->only_root = !instance->root_is_volume;
	return OK;
}

static RESULT prepare_image(struct os_call *e, void *args)
{
	return prepare_capture(e, &((struct os_create_image *) args)->wish);
}

/* Up to 2.44 the image's id is in the Location header, since 2.45 in the body. */
static RESULT show_captured(struct os_call *e, const struct image_capture *wish, struct json_writer *w)
{
	struct str id = uuid_to_str(e->c->arena, wish->image);
	if (e->request.version >= 45) {
		json_write_text(w, "image_id", id);
		return OK;
	}
	e->has_no_body = true;
	call_set_answer_header(e->call, "Location",
			       str_print(e->c->arena, "%" STR_FMT "/image/v2/images/%" STR_FMT,
					 STR_ARG(e->base_url), STR_ARG(id)));
	return OK;
}

static RESULT show_image(struct os_call *e, const void *args, struct json_writer *w)
{
	return show_captured(e, &((const struct os_create_image *) args)->wish, w);
}

/* ---- a backup ---- */

struct os_create_backup {
	struct image_backing_up wish;
};
#define P(wire, member, ...) OS_BODY(struct os_create_backup, wire, member, __VA_ARGS__)
static const struct param backup_params[] = {
	OS_SERVER(struct os_create_backup, wish.capture.instance),
	P("name", wish.capture.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name of the image."),
	P("backup_type", wish.type, .flags = REQUIRED, .max = 255,
	  .doc = "Backup type: daily, weekly, or any other word."),
	P("rotation", wish.rotation, .flags = REQUIRED, .max = INT32_MAX,
	  .doc = "Number of backups of the type to keep; 0: none."),
	P("metadata", wish.capture.properties, .doc = "Properties of the image."),
};
#undef P

static RESULT prepare_backup(struct os_call *e, void *args)
{
	struct os_create_backup *a = args;
	struct tags given = a->wish.capture.properties;
	struct tag *all = arena_new_array(e->c->arena, struct tag, given.count + 3);
	size_t count = 0;
	if (!all)
		return ctx_no_memory(e->c);
	TRY(prepare_capture(e, &a->wish.capture));
	for (size_t k = 0; k < given.count; k++)
		if (!str_is(given.at[k].key, "image_type") && !str_is(given.at[k].key, "backup_type") &&
		    !str_is(given.at[k].key, "instance_uuid"))
			all[count++] = given.at[k];
	all[count++] = (struct tag){STR("image_type"), STR("backup")};
	all[count++] = (struct tag){STR("backup_type"), a->wish.type};
	all[count++] =
		(struct tag){STR("instance_uuid"), uuid_to_str(e->c->arena, a->wish.capture.instance.prefix)};
	a->wish.capture.properties = (struct tags){all, count};
	return OK;
}

/* A rotation of 0 keeps no image, so the answer is empty. */
static RESULT show_backup(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_create_backup *a = args;
	if (a->wish.rotation)
		return show_captured(e, &a->wish.capture, w);
	e->has_no_body = true;
	return OK;
}

/* ---- security groups ---- */

struct os_group_action {
	struct instance_group_change wish;
	struct str name;
};
static const struct param group_params[] = {
	OS_SERVER(struct os_group_action, wish.instance),
	OS_BODY(struct os_group_action, "name", name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Security group by name or id."),
};

static RESULT prepare_group(struct os_call *e, void *args)
{
	struct os_group_action *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	if (!os_parse_id(a->name, KIND_SECURITY_GROUP, &a->wish.group))
		a->wish.group = (struct ref){.kind = KIND_SECURITY_GROUP, .text = a->name};
	a->wish.group.field = STR("name");
	a->wish.remove = strcmp(os_action_of(e)->verb, "removeSecurityGroup") == 0;
	return OK;
}

/* ---- the console ---- */

enum { CONSOLE_MAX_SIZE = 64 * 1024 };

struct os_console {
	struct ref server;
	int64_t length; /* lines; 0: all lines */
	bool has_length;
	/* results of look_at_console(): */
	uuid id;
	struct str text;
	int64_t at_us;
};
static const struct param console_params[] = {
	OS_SERVER(struct os_console, server),
	OS_BODY(struct os_console, "length", length, .flags = NULL_ABSENT, .min = -1, .max = 1000000,
		.given = offsetof(struct os_console, has_length) + 1,
		.doc = "Number of lines, counted from the end."),
};

static RESULT prepare_console(struct os_call *e, void *args)
{
	struct os_console *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->server, &instance));
	a->id = instance->row.id;
	if (instance->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. */
static RESULT look_at_console(struct observation *o, const struct compute_driver *driver,
			      struct compute_host *h)
{
	struct os_console *a = o->arg;
	return driver->read_console(h, o->ctx, a->id, CONSOLE_MAX_SIZE, &a->text, &a->at_us);
}

static struct str last_lines(struct str text, int64_t count)
{
	size_t from = text.n;
	if (from && text.p[from - 1] == '\n')
		from--;
	for (; from > 0; from--)
		if (text.p[from - 1] == '\n' && --count == 0)
			break;
	return str_slice(text, from, text.n);
}

static RESULT show_console(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_console *a = args;
	(void) e;
	json_write_text(w, "output",
			a->has_length && a->length > 0    ? last_lines(a->text, a->length)
			: a->has_length && a->length == 0 ? STR_NONE
							  : a->text);
	return OK;
}

#define PLAIN(word, policy, rows, run, words)                                                                \
	OS_SERVER_ACTION(word, policy, struct os_plain_action, rows, .prepare = prepare_plain,               \
			 .operation = (run), .doc = (words))

static const struct os_action actions[] = {
	PLAIN("pause", "os-pause-server:pause", plain_params, engine_pause_instances_run,
	      "Pauses a server: its processors stop."),
	PLAIN("unpause", "os-pause-server:unpause", plain_params, engine_unpause_instances_run,
	      "Resumes a paused server."),
	PLAIN("suspend", "os-suspend-server:suspend", plain_params, engine_suspend_instances_run,
	      "Suspends a server: stops it and saves its memory."),
	PLAIN("resume", "os-suspend-server:resume", plain_params, engine_start_instances_run,
	      "Resumes a suspended server."),
	PLAIN("lock", "os-lock-server:lock", lock_params, engine_lock_instances_run,
	      "Locks a server against every change."),
	PLAIN("unlock", "os-lock-server:unlock", plain_params, engine_unlock_instances_run,
	      "Unlocks a server."),
	PLAIN("forceDelete", "os-deferred-delete:force", plain_params, engine_terminate_instances_run,
	      "Deletes a server, like DELETE."),
	OS_SERVER_ACTION("resize", "servers:resize", struct os_resize, resize_params,
			 .prepare = prepare_resize, .operation = engine_resize_instance_run,
			 .doc = "Resizes a server to another flavor. The resize has to be confirmed."),
	OS_SERVER_ACTION("revertResize", "servers:revert_resize", struct os_target, target_params,
			 .prepare = prepare_target, .operation = engine_revert_resize_run,
			 .doc = "Reverts a resize: the server gets its former flavor back."),
	{.method = HTTP_POST,
	 .path = "/v2.1/servers/{server_id}/action",
	 .verb = "confirmResize",
	 .permit = "os_compute_api:servers:confirm_resize",
	 .flags = API_WRITES,
	 .status = 204,
	 .args = OS_PARAMS(struct os_target, target_params),
	 .prepare = prepare_target,
	 .operation = engine_confirm_resize_run,
	 .doc = "Confirms a resize."},
	OS_SERVER_ACTION("rebuild", "servers:rebuild", struct os_rebuild, rebuild_params,
			 .prepare = prepare_rebuild, .operation = engine_rebuild_instance_run,
			 .item = "server", .answer = show_rebuilt, .returns = KIND_INSTANCE,
			 .doc = "Rebuilds a server with a new root disk from an image."),
	OS_SERVER_ACTION("createImage", "servers:create_image", struct os_create_image, image_params,
			 .prepare = prepare_image, .operation = engine_capture_image_run,
			 .answer = show_image, .returns = API_RETURNS_NOTHING_STORED,
			 .doc = "Creates an image of the disks of a server."),
	OS_SERVER_ACTION("createBackup", "os-create-backup", struct os_create_backup, backup_params,
			 .prepare = prepare_backup, .operation = engine_back_up_instance_run,
			 .answer = show_backup, .returns = API_RETURNS_NOTHING_STORED,
			 .doc = "Creates an image of the disks of a server, and deletes the oldest backups "
				"of its type."),
	OS_SERVER_ACTION("restore", "os-deferred-delete:restore", struct os_plain_action, plain_params,
			 .prepare = prepare_restore, .operation = engine_recover_instances_run,
			 .doc = "Restores a soft-deleted server."),
	OS_SERVER_ACTION("addSecurityGroup", "os-security-groups:add", struct os_group_action, group_params,
			 .prepare = prepare_group, .operation = engine_change_instance_groups_run,
			 .doc = "Adds a security group to all ports of a server."),
	OS_SERVER_ACTION("removeSecurityGroup", "os-security-groups:remove", struct os_group_action,
			 group_params, .prepare = prepare_group,
			 .operation = engine_change_instance_groups_run,
			 .doc = "Removes a security group from all ports of a server."),
	{.method = HTTP_POST,
	 .path = "/v2.1/servers/{server_id}/action",
	 .verb = "os-getConsoleOutput",
	 .permit = "os_compute_api:os-console-output",
	 .args = OS_PARAMS(struct os_console, console_params),
	 .prepare = prepare_console,
	 .look = look_at_console,
	 .answer = show_console,
	 .doc = "Returns the newest lines of a server's serial console."},
};
const struct os_actions os_server_action_actions = OS_ACTIONS(OS_COMPUTE, actions);
