/* SPDX-License-Identifier: Apache-2.0
 * Settings of one instance that users change: type, user data, protections, metadata options, and those of
 * its only port and its volumes. Called by: api/ec2/compute/instance_attributes.c. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type_internal.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/people/user_limit.h"
#include "engine/quota_internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/dedicated_host.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/key_pair.h"
#include "store/port.h"
#include "store/volume.h"

enum { WORDS_MAX = 255 };

RESULT instance_check_sizes(struct op *op, struct str user_data, int64_t hop_limit)
{
	if (user_data.n > INSTANCE_USER_DATA_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_INSTANCE, "User data is limited to %d bytes",
				     INSTANCE_USER_DATA_MAX);
	if (hop_limit < 0 || hop_limit > 64)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_INSTANCE,
				     "The metadata hop limit is between 1 and 64.");
	return OK;
}

RESULT instance_check_words(struct op *op, struct str name, struct str description)
{
	if (name.n > WORDS_MAX || !str_is_line(name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, STR("name"),
				   "An instance's name has up to %d characters, on one line.", WORDS_MAX);
	if (description.n > WORDS_MAX || !str_is_xml_text(description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, STR("description"),
				   "A description has up to %d characters.", WORDS_MAX);
	return OK;
}

/* True if a setting reaches the guest only at its start. */
static bool needs_stop(const struct instance_settings *wish)
{
	return ref_is_given(&wish->type) || ref_is_given(&wish->key_pair) || wish->set_user_data ||
	       wish->admin_password.n || wish->ebs_optimized != CHOICE_DEFAULT;
}

static RESULT check_state(struct op *op, const struct instance_settings *wish,
			  const struct instance *instance)
{
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT
				   "' is not in a state from which it can be modified.",
				   STR_ARG(wish->instance.text));
	if (!needs_stop(wish) || model_derive_instance_state(instance) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
			   "The instance '%" STR_FMT "' is not in the 'stopped' state.",
			   STR_ARG(wish->instance.text));
}

/* ---- type ---- */

RESULT instance_find_offered_type(struct op *op, const struct ref *ref, const struct instance_type **ret_type)
{
	const struct instance_type *type = NULL;
	TRY(engine_find_instance_type(op->ctx, op->head, ref, &type));
	if (!type->enabled)
		return engine_fail_not_found(op->ctx, KIND_INSTANCE_TYPE, ref);
	*ret_type = type;
	return OK;
}

static RESULT check_type(struct op *op, struct str field, const struct instance *instance,
			 const struct instance_type *type)
{
	const struct instance_type *before = instance_type_find(op->head, instance->type);
	if (before && before->arch != type->arch)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, field,
				   "The architecture '%s' of the specified instance type does not match the "
				   "architecture '%s' of the instance.",
				   instance_type_arch_words[type->arch],
				   instance_type_arch_words[before->arch]);
	return OK;
}

RESULT instance_change_type(struct op *op, const struct instance_type *type, struct str field,
			    struct instance *next)
{
	TRY(check_type(op, field, next, type));
	TRY(offered_check_zone(op, KIND_INSTANCE_TYPE, type->name, &type->zones, next->zone, field));
	const struct placement_need more = {
		.vcpus = type->vcpus - next->vcpus, .memory = type->memory - next->memory, .type = type};
	if (more.vcpus > 0)
		TRY(quota_check(op, next->account, QUOTA_VCPUS, more.vcpus));
	if (more.memory > 0)
		TRY(quota_check(op, next->account, QUOTA_MEMORY, more.memory));
	TRY(user_limit_check(op, next->account, next->made_by,
			     &(struct user_figures){.vcpus = more.vcpus, .memory = more.memory}));
	const struct host *host = host_find(op->head, next->host);
	enum placement_reason reason = host ? placement_check_room(host, &more) : PLACEMENT_FITS;
	if (host && reason == PLACEMENT_FITS)
		reason = placement_check_aggregates(op->head, &more, host);
	if (reason != PLACEMENT_FITS)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_INSTANCE, field,
				   "There is no room for type %" STR_FMT ": its host, '%" STR_FMT
				   "', would %s.",
				   STR_ARG(type->name), STR_ARG(host->name), placement_reason_words(reason));
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, next->host);
	if (dedicated)
		TRY(dedicated_host_check_type(op, dedicated, type, field));
	TRY(instance_meter_allocation(op, next, 0));
	next->type = type->row.id;
	next->capacity_reservation = UUID_NONE; /* its units are for instances of the old type */
	next->vcpus = type->vcpus;
	next->memory = type->memory;
	return instance_meter_allocation(op, next, 1);
}

/* ---- port and volumes ---- */

static RESULT change_port(struct op *op, const struct instance_settings *wish)
{
	if (wish->groups.count == 0 && wish->source_dest_check == CHOICE_DEFAULT)
		return OK;
	struct port_settings settings = {.instance = wish->instance,
					 .groups = wish->groups,
					 .source_dest_check = wish->source_dest_check};
	return engine_update_port(op, &settings);
}

static RESULT find_volume(struct op *op, uuid instance, const struct volume_fate *fate,
			  const struct volume **ret_volume)
{
	const struct volume *named = NULL, *v = NULL;
	struct volume_list disks;
	if (ref_is_given(&fate->volume))
		TRY(engine_find_own_volume(op->ctx, op->head, &fate->volume, &named));
	TRY(engine_list_disks(op->ctx->arena, op->head, instance, false, &disks));
	for (size_t k = 0; k < disks.count && !v; k++)
		v = str_equal(disks.at[k]->device, fate->device) ? disks.at[k] : NULL;
	if (!v || (named && !uuid_equal(named->row.id, v->row.id)))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME, fate->field,
				   "No device is currently mapped at %" STR_FMT, STR_ARG(fate->device));
	*ret_volume = v;
	return OK;
}

static RESULT change_volume(struct op *op, uuid instance, const struct volume_fate *fate)
{
	const struct volume *volume = NULL;
	TRY(find_volume(op, instance, fate, &volume));
	const struct volume *row = volume_find(op->head, volume->row.id);
	TRY(engine_permit(op, "volume.update", KIND_VOLUME, &row->row));
	TRY(volume_set_fate(op, volume, fate->delete_on_termination));
	return engine_log_event(op, KIND_VOLUME, &volume->row, "changed",
				fate->delete_on_termination ? "It goes with its instance."
							    : "It outlives its instance.");
}

/* ---- all settings ---- */

static void change_flags(const struct instance_settings *wish, struct instance *next)
{
	if (wish->set_name)
		next->name = wish->name;
	if (wish->set_description)
		next->description = wish->description;
	choice_apply(wish->protect_terminate, &next->protect_terminate);
	choice_apply(wish->protect_stop, &next->protect_stop);
	choice_apply(wish->shutdown_terminates, &next->shutdown_terminates);
	choice_apply(wish->ebs_optimized, &next->ebs_optimized);
	choice_apply(wish->disk_auto, &next->disk_auto);
	choice_apply(wish->metadata_enabled, &next->metadata_enabled);
	choice_apply(wish->metadata_tokens_required, &next->metadata_tokens_required);
	choice_apply(wish->metadata_tags, &next->metadata_tags);
	choice_apply(wish->metadata_ipv6, &next->metadata_ipv6);
	if (wish->recovers != CHOICE_DEFAULT)
		next->recovery =
			wish->recovers == CHOICE_YES ? INSTANCE_RECOVERY_DEFAULT : INSTANCE_RECOVERY_DISABLED;
	if (wish->metadata_hop_limit)
		next->metadata_hop_limit = wish->metadata_hop_limit;
	if (wish->set_access_ip4)
		next->access_ip4 = wish->access_ip4;
	if (wish->set_access_ip6)
		next->access_ip6 = wish->access_ip6;
	if (wish->set_user_data)
		next->user_data = wish->user_data;
}

static RESULT change_key(struct op *op, const struct instance_settings *wish, struct instance *next)
{
	const struct key_pair *key = NULL;
	if (!ref_is_given(&wish->key_pair))
		return OK;
	TRY(engine_find_own_key_pair(op->ctx, op->head, &wish->key_pair, &key));
	TRY(engine_check_key_is_there(op, key, wish->key_pair.field));
	next->key_name = key->name;
	next->public_key = key->public_key;
	next->guest_password = STR_NONE;
	return OK;
}

RESULT engine_update_instance(struct op *op, struct instance_settings *wish)
{
	const struct instance *instance = NULL;
	const struct instance_type *type = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	if (ref_is_given(&wish->type))
		TRY(instance_find_offered_type(op, &wish->type, &type));
	TRY(check_state(op, wish, instance));
	TRY(instance_check_sizes(op, wish->user_data, wish->metadata_hop_limit));
	TRY(instance_check_words(op, wish->name, wish->description));
	TRY(engine_permit(op, "instance.update", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	struct instance next = *instance;
	change_flags(wish, &next);
	TRY(change_key(op, wish, &next));
	if (wish->admin_password.n)
		next.admin_password = wish->admin_password;
	if (type && !wish->beyond_type)
		TRY(port_check_count(op, type, port_count_of_instance(op->head, next.row.id),
				     wish->type.field));
	if (type) {
		TRY(instance_change_type(op, type, wish->type.field, &next));
		TRY(local_disks_fit(op, instance, type, false, wish->type.field));
	}
	TRY(change_port(op, wish));
	for (size_t k = 0; k < wish->volume_count; k++)
		TRY(change_volume(op, next.row.id, &wish->volumes[k]));
	if (row_equal(&model_kinds[KIND_INSTANCE], &instance->row, &next.row))
		return OK;
	uuid type_before = instance->type;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(instance_type_forget_unused(op, type_before));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "changed", "Its settings were changed.");
}

/* ---- DNS names ---- */

static RESULT check_names(struct op *op, const struct instance_names_wish *wish,
			  const struct instance *instance)
{
	const struct port *primary = port_first_of_instance(op->head, instance->row.id);
	bool is_ipv6 = primary && primary->ip.family == IP_V6;
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT
				   "' is not in a state from which it can be modified.",
				   STR_ARG(wish->instance.text));
	if (is_ipv6 && wish->named_by_id == CHOICE_NO)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT
				   "' has no IPv4 address: its host name is made of its id.",
				   STR_ARG(wish->instance.text));
	if (choice_or(wish->named_by_id, instance->named_by_id) == instance->named_by_id ||
	    model_derive_instance_state(instance) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
			   "The instance '%" STR_FMT "' is not in the 'stopped' state.",
			   STR_ARG(wish->instance.text));
}

/* Copies the kind of host name to the primary port, which shows it. The row is put even if nothing in it
 * changes, so that cached answers about the port are invalidated. */
static RESULT name_primary(struct op *op, const struct instance *instance)
{
	const struct port *primary = port_first_of_instance(op->head, instance->row.id);
	if (!primary || primary->device_index != 0)
		return OK;
	struct port next = *primary;
	next.is_named_by_id = instance->named_by_id;
	return port_put(op, &next);
}

RESULT engine_update_instance_names(struct op *op, struct instance_names_wish *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(check_names(op, wish, instance));
	TRY(engine_permit(op, "instance.update_names", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	struct instance next = *instance;
	choice_apply(wish->named_by_id, &next.named_by_id);
	choice_apply(wish->id_name_has_a, &next.id_name_has_a);
	choice_apply(wish->id_name_has_aaaa, &next.id_name_has_aaaa);
	if (row_equal(&model_kinds[KIND_INSTANCE], &instance->row, &next.row))
		return OK;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(name_primary(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "changed",
				next.named_by_id ? "Its host name is made of its id."
						 : "Its host name is made of its address.");
}

/* ---- CPU credits ---- */

static RESULT check_credits(struct op *op, const struct credit_change *change,
			    const struct instance *instance)
{
	const struct instance_type *type = instance_type_find(op->head, instance->type);
	enum instance_state state = model_derive_instance_state(instance);
	if (!row_is_live(&instance->row) || state == INSTANCE_TERMINATED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, change->instance.field,
				   "The instance '%" STR_FMT "' is %s", STR_ARG(change->instance.text),
				   model_instance_states[state].name);
	if (!type || !type->burstable)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_INSTANCE, change->instance.field,
				   "The instance '%" STR_FMT "' is not of a burstable type",
				   STR_ARG(change->instance.text));
	return OK;
}

static RESULT change_credits(struct op *op, const struct credit_change *change)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &change->instance, "instance.update_credits", &instance));
	TRY(instance_check_changeable(op, instance, change->instance.field));
	TRY(check_credits(op, change, instance));
	if (instance->unlimited_credits == change->unlimited)
		return OK;
	struct instance next = *instance;
	next.unlimited_credits = change->unlimited;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "changed",
				next.unlimited_credits ? "Its credits are unlimited."
						       : "Its credits are standard.");
}

RESULT engine_change_credits(struct op *op, struct credit_wish *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		struct credit_change *change = &wish->changes[k];
		struct result result = change_credits(op, change);
		bool is_its = result.code == ERR_NOT_FOUND || result.code == ERR_STATE ||
			      result.code == ERR_UNSUPPORTED;
		if (!result_is_ok(result) && !is_its)
			return result;
		change->err = result.code;
		change->message = is_its ? op->ctx->problem.message : STR_NONE;
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

/* ---- status and passwords ---- */

RESULT engine_report_instances(struct op *op, struct instance_status_report *wish)
{
	for (size_t k = 0; k < wish->instances.count; k++) {
		const struct ref *ref = &wish->instances.at[k];
		const struct instance *instance = NULL;
		TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
		TRY(engine_permit(op, "instance.report_status", KIND_INSTANCE, &instance->row));
		if (model_derive_instance_state(instance) != INSTANCE_RUNNING)
			return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
					   "The instance '%" STR_FMT "' is not running", STR_ARG(ref->text));
		TRY(engine_log_event(op, KIND_INSTANCE, &instance->row, "status reported",
				     wish->is_impaired ? "As impaired by its user: %" STR_FMT "."
						       : "As well by its user: %" STR_FMT ".",
				     STR_ARG(wish->words)));
	}
	return OK;
}

RESULT engine_mark_instance(struct op *op, struct instance_marking *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.reset_state", &instance));
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is being deleted.",
				   STR_ARG(wish->instance.text));
	struct instance next = *instance;
	next.error_override = wish->is_broken;
	if (!wish->is_broken) {
		next.row.gen++;
		TRY(condition_clear_all(op, instance->row.id));
	}
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "marked",
				wish->is_broken ? "As broken by an operator." : "As well by an operator.");
}

RESULT engine_report_guest_password(struct op *op, struct guest_password_report *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	if (!instance || !row_is_live(&instance->row))
		return engine_fail_gone(op->ctx, KIND_INSTANCE, wish->instance);
	if (wish->password.n == 0 || wish->password.n > INSTANCE_GUEST_PASSWORD_MAX ||
	    !str_is_xml_text(wish->password))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_INSTANCE,
				     "A password is a text of 1 to %d bytes.", INSTANCE_GUEST_PASSWORD_MAX);
	if (instance->guest_password.n)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_INSTANCE, "It has told its password already.");
	struct instance next = *instance;
	next.guest_password = wish->password;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "password told", "By its guest, encrypted.");
}

RESULT engine_clear_guest_password(struct op *op, struct instance_target *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.clear_password", &instance));
	if (str_is_empty(instance->guest_password))
		return OK;
	struct instance next = *instance;
	next.guest_password = STR_NONE;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "password cleared",
				"What its guest told is gone.");
}

RESULT engine_take_admin_password(struct op *op, struct guest_password_taking *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	if (!instance || !row_is_live(&instance->row) || str_is_empty(instance->admin_password))
		return OK;
	struct instance next = *instance;
	next.admin_password = STR_NONE;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "password taken", "By its guest.");
}
