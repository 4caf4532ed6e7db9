/* SPDX-License-Identifier: Apache-2.0
 * Operator actions: hosts and their maintenance, fencing and evacuation; settings and limits of the region.
 */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "base/crypto.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/limits.h"
#include "engine/region/fence.h"
#include "engine/region/host.h"
#include "engine/region/host_forget.h"
#include "engine/region/region.h"
#include "model/host.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* ---- hosts ---- */

#define H(name, member, ...) PARAM(struct host_wish, name, member, __VA_ARGS__)
static const struct param add_params[] = {
	H("name", name, .min = 1, .max = 255, .flags = REQUIRED,
	  .doc = "Name; unique, and also the Open vSwitch system-id of the host."),
	H("uri", uri, .max = 1024,
	  .doc = "libvirt URI; absent: qemu+tls://NAME/system. Another scheme, or parameters, are accepted "
		 "only on the server's own machine."),
	H("zone", zone, .kind = KIND_ZONE, .doc = "Availability Zone of the host; absent: the first."),
	H("address", address, .max = 255,
	  .doc = "Address for live migrations from other hosts; absent: the host in the URI."),
	H("pool_path", pool_path, .max = 1024,
	  .doc = "Directory for disks; absent: /var/lib/libvirt/images."),
	H("cpu", cpu, .max = 64, .doc = "CPU of guests, as in a change of a host; absent: region."),
	H("overcommit_percent", overcommit_percent, .min = 10, .max = 10000, .absent = "400",
	  .doc = "Memory reserved for the host itself, in bytes; absent: 1 GiB."),
	H("reserved_memory", reserved_memory, .min = -1, .max = INT64_C(1) << 40, .absent = "-1",
	  .doc = "Bytes kept for the machine itself; absent: 1 GiB."),
};

/* Accepts only plain qemu+tls URIs from remote callers. Other libvirt URIs can name programs for libvirt
 * to run on this machine. */
static RESULT prepare_add(struct native_call *e, void *args)
{
	struct str uri = ((const struct host_wish *) args)->uri;
	if (e->c->who->is_operator || !uri.n ||
	    (str_starts_with(uri, STR("qemu+tls://")) && str_find_char(uri, '?', 0) == uri.n))
		return OK;
	return ctx_fail_field(
		e->c, ERR_DENIED, STR("uri"),
		"From elsewhere uri is as qemu+tls://HOST/system: others are added on the server's "
		"own machine.");
}

static const struct param host_params[] = {
	PARAM(struct host_settings, "enabled", enabled,
	      .doc = "Allows new instances on the host (scheduling)."),
	PARAM(struct host_settings, "reason", reason, .max = 255, .doc = "Reason for disabling the host."),
	PARAM(struct host_settings, "forced_down", forced_down,
	      .doc = "Treats the host as offline even if it answers."),
	PARAM(struct host_settings, "cpu", cpu, .min = 1, .max = 64,
	      .doc = "CPU of guests that start there: region for the features common to all such hosts; host "
		     "for all features of this host; or a model's name."),
	PARAM(struct host_settings, "move_rate", move_rate, .min = 0, .max = 1000000,
	      .given = offsetof(struct host_settings, set_move_rate) + 1,
	      .doc = "Bandwidth limit of each live migration from the host, in MiB/s; 0: unlimited."),
};

struct remove_args {
	struct host_target wish;
	struct str name;
	bool keeps_note;
};
static const struct param remove_params[] = {
	PARAM(struct remove_args, "keeps_note", keeps_note,
	      .doc = "Keeps the ssh address for renewals, so that the set-up of the machine can still be "
		     "undone."),
};

/* Copies the host's name, because the answer is written after its row is gone. */
static RESULT keep_name(struct native_call *e, const struct ref *host, struct str *ret_name)
{
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_HOST, host, &row));
	*ret_name = str_copy(e->c->arena, host_of(row)->name);
	return ret_name->p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_removal(struct native_call *e, void *args)
{
	struct remove_args *a = args;
	return keep_name(e, &a->wish.host, &a->name);
}

static void drop_note(struct native_call *e, struct str name)
{
	const struct native_commands *daemon = e->config->commands;
	if (daemon)
		daemon->forget_host(daemon->self, e->c, name);
}

static RESULT answer_removal(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct remove_args *a = args;
	if (!a->keeps_note)
		drop_note(e, a->name);
	return native_answer_change(e, w);
}

/* ---- what leaves them ---- */

static const struct param drain_params[] = {
	PARAM(struct host_draining, "reason", reason, .max = 255, .doc = "Reason for draining the host."),
};
static const struct param evacuate_params[] = {
	PARAM(struct host_evacuation, "rebuilds", rebuilds,
	      .doc = "Rebuilds from their images root disks that exist only on that host."),
};

/* Writes for each instance its target host, or why it stays. */
static void tell_moves(struct json_writer *w, const struct drained_instance *at, size_t count)
{
	json_write_open_list(w, "instances");
	for (size_t k = 0; k < count; k++) {
		json_write_open(w, NULL);
		json_write_uuid(w, "instance", at[k].instance);
		if (at[k].why.n)
			json_write_text(w, "problem", at[k].why);
		else
			json_write_uuid(w, "target", at[k].target);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void tell_drain(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct host_draining *wish = args;
	(void) e;
	tell_moves(w, wish->instances, wish->instance_count);
}

static void tell_evacuation(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct host_evacuation *wish = args;
	(void) e;
	tell_moves(w, wish->instances, wish->instance_count);
}

/* ---- maintenance ---- */

struct maintenance_args {
	struct maintenance_wish wish;
	struct str kind;
};
static const struct param maintenance_params[] = {
	PARAM(struct maintenance_args, "begins_us", wish.from_us, .flags = REQUIRED, .min = 0,
	      .max = INT64_MAX, .doc = "Start, in microseconds UTC; 0: now."),
	PARAM(struct maintenance_args, "deadline_us", wish.deadline_us, .min = 0, .max = INT64_MAX,
	      .doc = "Latest time to which owners may postpone the stop of their instances, in microseconds "
		     "UTC; 0: not at all."),
	PARAM(struct maintenance_args, "ends_us", wish.end_us, .min = 0, .max = INT64_MAX,
	      .doc = "End, in microseconds UTC; 0: until it is ended explicitly."),
	PARAM(struct maintenance_args, "kind", kind, .absent = "reboot", .words = "reboot|stop|move",
	      .doc = "Action for instances of the host."),
	PARAM(struct maintenance_args, "reason", wish.reason, .max = 255,
	      .doc = "Reason, shown to the instances' owners."),
};

static RESULT prepare_maintenance(struct native_call *e, void *args)
{
	struct maintenance_args *a = args;
	(void) e;
	a->wish.kind =
		(enum host_maintenance_kind) native_place_of_word(host_maintenance_kind_words, a->kind);
	return OK;
}

/* ---- hosts that are dead ---- */

struct device_args {
	struct fence_device_wish wish;
	struct str secret;
};
#define D(name, member, ...) PARAM(struct device_args, name, member, __VA_ARGS__)
static const struct param device_params[] = {
	D("command", wish.command, .max = 1024,
	  .doc = "Absolute path of a fence agent on the server's machine. Accepted only from that machine."),
	D("options", wish.options, .max = 50,
	  .doc = "Further options of the fence command: {\"ipaddr\": \"192.0.2.7\"}."),
	D("secret", secret, .max = 4096,
	  .doc = "Secret options, as lines NAME=VALUE. Stored encrypted; never shown again."),
	D("addresses", wish.addresses, .max = 64,
	  .doc = "Addresses from which guests of the host reach Ceph, which blocks them; instead of a "
		 "command."),
	D("after_s", wish.after_s, .min = -1, .max = FENCE_AFTER_S_MAX,
	  .doc = "Seconds without contact after which the host is fenced automatically; -1: never; absent: "
		 "the setting hosts.fence_after_s, or 120."),
};

/* Checks that each line is NAME=VALUE: lines are passed to the fence agent unchanged. */
static RESULT check_secret(struct native_call *e, struct str secret)
{
	struct str rest = secret, line;
	while (str_split_next(&rest, '\n', &line))
		if (str_find_char(line, '=', 0) == line.n || str_starts_with(line, STR("action=")))
			return ctx_fail_field(e->c, ERR_INVALID, STR("secret"),
					      "Each line of the secret is NAME=VALUE, such as passwd=….");
	return OK;
}

static RESULT prepare_device(struct native_call *e, void *args)
{
	struct device_args *a = args;
	const struct row *row = NULL;
	struct str secret = str_trim(a->secret);
	if ((a->wish.command.n > 0) + (a->wish.addresses.count > 0) != 1)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("command"),
				      "Either command or addresses say how it is turned off.");
	if (a->wish.command.n && !e->c->who->is_operator)
		return ctx_fail_field(e->c, ERR_DENIED, STR("command"),
				      "A program of the server's machine is named on that machine alone.");
	if (a->wish.after_s > 0 && a->wish.after_s < FENCE_AFTER_S_MIN)
		return ctx_fail_field(e->c, ERR_RANGE, STR("after_s"), "after_s must be %d to %d.",
				      FENCE_AFTER_S_MIN, FENCE_AFTER_S_MAX);
	TRY(check_secret(e, secret));
	TRY(native_find_row(e, KIND_HOST, &a->wish.host, &row));
	if (!secret.n)
		return OK;
	secret = str_print(e->c->arena, "%" STR_FMT "\n", STR_ARG(secret));
	TRY(key_seal(e->c, e->config->master_key, row->id, secret, &a->wish.secret));
	crypto_wipe((void *) secret.p, secret.n);
	return OK;
}

static const struct param fence_params[] = {
	PARAM(struct fence_asking, "reason", reason, .max = 255,
	      .doc = "Reason, for the history of the host."),
};

struct vouch_args {
	struct fence_word wish;
	bool has_seen_it_off;
};
static const struct param vouch_params[] = {
	PARAM(struct vouch_args, "i_have_seen_it_off", has_seen_it_off,
	      .doc = "true: confirms that no guest runs on the host and that it stays off for now."),
	PARAM(struct vouch_args, "by", wish.who, .max = 255,
	      .doc = "Person who confirmed it, for the history."),
};

static RESULT prepare_vouch(struct native_call *e, void *args)
{
	struct vouch_args *a = args;
	if (!a->has_seen_it_off)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("i_have_seen_it_off"),
			"Its guests are started elsewhere on your word: if it runs on, they run twice "
			"and their disks are destroyed. Say --i-have-seen-it-off once you have.");
	if (!a->wish.who.n)
		a->wish.who = audit_write_from(e->call);
	return OK;
}

struct forget_args {
	struct host_forgetting wish;
	struct str name;
};

static RESULT prepare_forgetting(struct native_call *e, void *args)
{
	struct forget_args *a = args;
	return keep_name(e, &a->wish.host, &a->name);
}

static void tell_lost_one(struct json_writer *w, const struct tables *t, const struct lost_thing *lost)
{
	const struct volume *v = lost->kind == KIND_VOLUME ? volume_find(t, lost->id) : NULL;
	const struct instance *i = lost->kind == KIND_INSTANCE ? instance_find(t, lost->id) : NULL;
	const struct snapshot *s = lost->kind == KIND_SNAPSHOT ? snapshot_find(t, lost->id) : NULL;
	const struct account *owner = account_find(t, v   ? v->account
						      : i ? i->account
						      : s ? s->account
							  : UUID_NONE);
	json_write_open(w, NULL);
	json_write_z(w, "kind", model_kinds[lost->kind].name);
	json_write_uuid(w, "id", lost->id);
	if (owner)
		json_write_text(w, "account", owner->name);
	if (v)
		json_write_int(w, "size", v->size);
	json_write_close(w);
}

static void tell_lost(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct forget_args *a = args;
	json_write_open_list(w, "lost");
	for (size_t k = 0; k < a->wish.lost.count; k++)
		tell_lost_one(w, native_tables(e), &a->wish.lost.at[k]);
	json_write_close_list(w);
}

static RESULT answer_forgetting(struct native_call *e, const void *args, struct json_writer *w)
{
	drop_note(e, ((const struct forget_args *) args)->name);
	return native_answer_change(e, w);
}

/* ---- settings ---- */

static const struct param setting_params[] = {
	PARAM(struct setting_wish, "name", name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name of the setting."),
	PARAM(struct setting_wish, "value", value, .max = 4096, .flags = REQUIRED,
	      .doc = "Value; empty: the default."),
};

/* ---- limits of the region ---- */

static RESULT answer_limits(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "items");
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++) {
		json_write_open(w, NULL);
		json_write_z(w, "name", engine_limits[limit].name);
		json_write_int(w, "limit", engine_get_limit(native_tables(e), limit));
		json_write_int(w, "usual", engine_limits[limit].most);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct param limit_params[] = {
	PARAM(struct limit_wish, "name", name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name of the limit, as in GET /limits."),
	PARAM(struct limit_wish, "limit", most, .max = 20, .flags = OR_NUMBER,
	      .doc = "New limit; -1: unlimited; absent: the default."),
};

#define OPERATE(verb, path, ...) ADMIN_CHANGE(verb, path, "ec2:ModifyHypervisor", HOST, __VA_ARGS__)
#define FENCE(verb, path, returned, ...)                                                                     \
	CHANGE_ROW(verb, path, "ec2:FenceHypervisor", HOST, returned, NATIVE_ADMIN, __VA_ARGS__)
static const struct native_action actions[] = {
	ADMIN_CREATE("/hosts", "ec2:ModifyHypervisor", HOST, .args = PARAMS(struct host_wish, add_params),
		     .prepare = prepare_add, .operation = engine_add_host_run,
		     .doc = "Adds a machine that is already set up as a host. Use dari host add root@… to "
			    "set one up."),
	OPERATE(PATCH, "/hosts/{id}", .args = PARAMS(struct host_settings, host_params),
		.target = NATIVE_AT(host_settings, host), .operation = engine_update_host_run,
		.doc = "Enables or disables a host for new instances, marks it as down, or changes the CPU "
		       "of its guests."),
	OPERATE(POST, "/hosts/{id}/drain", .args = PARAMS(struct host_draining, drain_params),
		.target = NATIVE_AT(host_draining, host), .operation = engine_drain_host_run,
		.tell = tell_drain, .doc = "Drains a host: disables it and live-migrates its instances."),
	OPERATE(POST, "/hosts/{id}/maintenance", .args = PARAMS(struct maintenance_args, maintenance_params),
		.target = NATIVE_AT(maintenance_args, wish.host), .prepare = prepare_maintenance,
		.operation = engine_plan_maintenance_run, .doc = "Plans a maintenance."),
	OPERATE(POST, "/hosts/{id}/end-maintenance", .args = {.size = sizeof(struct maintenance_target)},
		.target = NATIVE_AT(maintenance_target, host), .operation = engine_end_maintenance_run,
		.doc = "Ends or cancels a maintenance."),
	OPERATE(DELETE, "/hosts/{id}", .args = PARAMS(struct remove_args, remove_params),
		.target = NATIVE_AT(remove_args, wish.host), .prepare = prepare_removal,
		.operation = engine_remove_host_run, .answer = answer_removal,
		.doc = "Removes a host without instances and volumes from the region."),
	FENCE(PUT, "/hosts/{id}/fence-device", KIND_HOST, .args = PARAMS(struct device_args, device_params),
	      .target = NATIVE_AT(device_args, wish.host), .prepare = prepare_device,
	      .operation = engine_set_fence_device_run, .doc = "Sets how a host is fenced when it fails."),
	FENCE(DELETE, "/hosts/{id}/fence-device", KIND_HOST,
	      .args = {.size = sizeof(struct fence_device_wish)},
	      .target = NATIVE_AT(fence_device_wish, host), .operation = engine_set_fence_device_run,
	      .doc = "Removes the fence device of a host."),
	FENCE(POST, "/hosts/{id}/fence", KIND_FENCE, .args = PARAMS(struct fence_asking, fence_params),
	      .target = NATIVE_AT(fence_asking, host), .operation = engine_ask_fence_run,
	      .doc = "Fences a host that does not answer."),
	FENCE(POST, "/hosts/{id}/vouch", KIND_FENCE, .args = PARAMS(struct vouch_args, vouch_params),
	      .target = NATIVE_AT(vouch_args, wish.host), .prepare = prepare_vouch,
	      .operation = engine_vouch_fence_run,
	      .doc = "Accepts the caller's confirmation that a host is off, so that its instances may be "
		     "started elsewhere."),
	OPERATE(POST, "/hosts/{id}/evacuate", .args = PARAMS(struct host_evacuation, evacuate_params),
		.target = NATIVE_AT(host_evacuation, host), .operation = engine_evacuate_host_run,
		.tell = tell_evacuation,
		.doc = "Evacuates a host that is off. Returns the instances that have to wait, with the "
		       "reasons."),
	FENCE(POST, "/hosts/{id}/forget", KIND_HOST, .args = {.size = sizeof(struct forget_args)},
	      .target = NATIVE_AT(forget_args, wish.host), .prepare = prepare_forgetting,
	      .operation = engine_forget_host_run, .tell = tell_lost, .answer = answer_forgetting,
	      .doc = "Forgets a host that never returns, with the disks that exist only there. Returns "
		     "them."),
	{.method = HTTP_PUT,
	 .path = "/settings",
	 .permit = "ec2:ModifyHypervisor",
	 .flags = API_WRITES | NATIVE_ADMIN,
	 .returns = KIND_SETTING,
	 .args = PARAMS(struct setting_wish, setting_params),
	 .operation = engine_put_setting_run,
	 .doc = "Changes a setting of the region."},
	{HTTP_GET, "/limits", .name = "ListLimits", .permit = "ec2:DescribeHypervisors",
	 .flags = NATIVE_ADMIN | NATIVE_UNSCOPED, .answer = answer_limits,
	 .doc = "Lists the configurable limits of the region."},
	{.method = HTTP_PUT,
	 .path = "/limits",
	 .permit = "ec2:ModifyHypervisor",
	 .flags = API_WRITES | NATIVE_ADMIN,
	 .returns = KIND_SETTING,
	 .args = PARAMS(struct limit_wish, limit_params),
	 .operation = engine_set_limit_run,
	 .doc = "Changes a limit of the region, or resets it to the default."},
};
const struct api_actions native_operate_actions = API_ACTIONS(actions);
