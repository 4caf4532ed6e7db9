/* SPDX-License-Identifier: Apache-2.0
 * Events of instances, volumes, snapshots and spot requests: publishes what a change of their rows means. Called by: engine_follow().
 * Sources: Amazon EC2 User Guide, "Monitor Amazon EC2 with EventBridge" and "Spot Instance interruption notices"; Amazon EBS User
 * Guide, "Amazon EventBridge events for Amazon EBS". */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/events/events_internal.h"
#include "engine/region/region.h"
#include "store/alarm.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/spot_request.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/zone.h"

enum { DETAIL_CAP = 8192 };

/* ---- writing ---- */

static struct str id_of(struct op *op, enum kind kind, uuid id)
{
	return id_to_ec2(op->ctx->arena, kind, id);
}

struct str event_write_ec2_arn(struct op *op, uuid account_id, const char *type, enum kind kind, uuid id)
{
	struct str number = engine_account_number(op->head, account_id);
	return str_print(op->ctx->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":%s/%" STR_FMT,
			 STR_ARG(engine_get_region_name(op->head)), STR_ARG(number), type,
			 STR_ARG(id_of(op, kind, id)));
}

/* Members of a detail that are texts, of each two: name and value. */
static RESULT publish(struct op *op, struct event_wish *wish, struct str arn, const struct str *members,
		      size_t count)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, DETAIL_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	for (size_t k = 0; k + 1 < count; k += 2) {
		json_write_key(&j, members[k]);
		json_write_text(&j, NULL, members[k + 1]);
	}
	json_write_close(&j);
	struct result result = json_write_end(&j);
	wish->detail = result_is_ok(result) ? str_copy(op->ctx->arena, buf_str(&out)) : STR_NONE;
	wish->resources = (struct strs){&arn, 1};
	buf_done(&out);
	return wish->detail.p && arn.p ? event_publish(op, wish) : ctx_no_memory(op->ctx);
}
#define PUBLISH(op, wish, arn, members) publish(op, wish, arn, members, sizeof(members) / sizeof *(members))

/* ---- instances ---- */

static RESULT follow_instance(struct op *op, const struct instance *before, const struct instance *after)
{
	const char *was = before ? model_instance_states[model_derive_instance_state(before)].ec2 : NULL;
	const char *is = model_instance_states[model_derive_instance_state(after)].ec2;
	if (was && str_is(str_from(was), is))
		return OK;
	struct event_wish wish = {.account = after->account,
				  .source = "aws.ec2",
				  .type = "EC2 Instance State-change Notification"};
	const struct str members[] = {STR("instance-id"), id_of(op, KIND_INSTANCE, after->row.id),
				      STR("state"), str_from(is)};
	return PUBLISH(op, &wish,
		       event_write_ec2_arn(op, wish.account, "instance", KIND_INSTANCE, after->row.id),
		       members);
}

/* ---- volumes ---- */

static RESULT tell_volume(struct op *op, const struct volume *v, const char *what, const char *result)
{
	struct event_wish wish = {
		.account = v->account, .source = "aws.ec2", .type = "EBS Volume Notification"};
	const struct str members[] = {STR("result"),     str_from(result),   STR("cause"),
				      STR_NONE,          STR("event"),       str_from(what),
				      STR("request-id"), op->ctx->request_id};
	return PUBLISH(op, &wish, event_write_ec2_arn(op, wish.account, "volume", KIND_VOLUME, v->row.id),
		       members);
}

/* AWS documents the events of attachments that fail alone. Unverified: the results of those that succeed. */
static RESULT follow_attachment(struct op *op, const struct volume *v, enum attachment was,
				enum attachment is)
{
	if (is == ATTACHMENT_ATTACHED && was != ATTACHMENT_ATTACHED)
		return tell_volume(op, v, "attachVolume", "attached");
	bool has_left = is == ATTACHMENT_NONE && (was == ATTACHMENT_DETACHING || was == ATTACHMENT_ATTACHED);
	return has_left ? tell_volume(op, v, "detachVolume", "detached") : OK;
}

static RESULT follow_volume(struct op *op, const struct volume *before, const struct volume *after)
{
	if (!before || before->local != VOLUME_LOCAL_NO || before->is_medium)
		return OK;
	enum volume_state was = model_derive_volume_state(before);
	enum volume_state is = after ? model_derive_volume_state(after) : VOLUME_DELETED;
	if (is == VOLUME_DELETED)
		return was != VOLUME_DELETED ? tell_volume(op, before, "deleteVolume", "deleted") : OK;
	if (was == VOLUME_CREATING && is == VOLUME_ERROR)
		return tell_volume(op, after, "createVolume", "failed");
	if (was == VOLUME_CREATING && (is == VOLUME_AVAILABLE || is == VOLUME_IN_USE))
		TRY(tell_volume(op, after, "createVolume", "available"));
	if (after->modified_us != before->modified_us)
		TRY(tell_volume(op, after, "modifyVolume", "optimizing"));
	return follow_attachment(op, after, model_derive_attachment(before->instance, before->seen_instance),
				 model_derive_attachment(after->instance, after->seen_instance));
}

static RESULT follow_further(struct op *op, const struct volume_attachment *before,
			     const struct volume_attachment *after)
{
	const struct volume_attachment *a = after ? after : before;
	const struct volume *v = volume_find(op->head, a->volume);
	if (!v)
		return OK;
	return follow_attachment(
		op, v,
		before ? model_derive_attachment(before->instance, before->seen_instance) : ATTACHMENT_NONE,
		after ? model_derive_attachment(after->instance, after->seen_instance) : ATTACHMENT_NONE);
}

/* ---- snapshots ---- */

/* EBS writes ARNs of snapshots without an account. Copies and imports have no volume, and send no event. */
static RESULT follow_snapshot(struct op *op, const struct snapshot *before, const struct snapshot *after)
{
	char start[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE];
	if (!before || uuid_is_none(after->volume) || after->is_bound)
		return OK;
	enum snapshot_state was = model_derive_snapshot_state(before),
			    is = model_derive_snapshot_state(after);
	if (was == is || (is != SNAPSHOT_COMPLETED && is != SNAPSHOT_ERROR))
		return OK;
	struct event_wish wish = {
		.account = after->account, .source = "aws.ec2", .type = "EBS Snapshot Notification"};
	struct str region = engine_get_region_name(op->head);
	struct arena *a = op->ctx->arena;
	struct str arn = str_print(a, "arn:aws:ec2::%" STR_FMT ":snapshot/%" STR_FMT, STR_ARG(region),
				   STR_ARG(id_of(op, KIND_SNAPSHOT, after->row.id)));
	struct str source = str_print(a, "arn:aws:ec2::%" STR_FMT ":volume/%" STR_FMT, STR_ARG(region),
				      STR_ARG(id_of(op, KIND_VOLUME, after->volume)));
	const struct str members[] = {
		STR("event"),       STR("createSnapshot"),
		STR("result"),      str_from(is == SNAPSHOT_ERROR ? "failed" : "succeeded"),
		STR("cause"),       str_cut(after->problem, 1024),
		STR("request-id"),  op->ctx->request_id,
		STR("snapshot_id"), arn,
		STR("source"),      source,
		STR("startTime"),   str_from(clock_write_s(after->row.created_us, start)),
		STR("endTime"),     str_from(clock_write_s(op->now_us, end))};
	return PUBLISH(op, &wish, arn, members);
}

/* ---- spot requests ---- */

/* The ARN has the zone in the region's place and no account, as in EC2's example. */
static RESULT follow_spot(struct op *op, const struct spot_request *before, const struct spot_request *after)
{
	const struct instance *i = instance_find(op->head, after->instance);
	const struct zone *zone = i ? zone_find(op->head, i->zone) : NULL;
	if (!before || before->interrupt_us || !after->interrupt_us || !zone)
		return OK;
	struct event_wish wish = {.account = after->account,
				  .source = "aws.ec2",
				  .type = "EC2 Spot Instance Interruption Warning"};
	struct str id = id_of(op, KIND_INSTANCE, i->row.id);
	const struct str members[] = {STR("instance-id"), id, STR("instance-action"),
				      str_from(after->stops ? "stop" : "terminate")};
	return PUBLISH(op, &wish,
		       str_print(op->ctx->arena, "arn:aws:ec2:%" STR_FMT ":instance/%" STR_FMT,
				 STR_ARG(zone->name), STR_ARG(id)),
		       members);
}

/* ---- any row ---- */

static bool is_told(enum kind kind)
{
	return kind == KIND_INSTANCE || kind == KIND_VOLUME || kind == KIND_VOLUME_ATTACHMENT ||
	       kind == KIND_SNAPSHOT || kind == KIND_SPOT_REQUEST || kind == KIND_ALARM;
}

/* Rows that stay: after is there. */
static RESULT follow_present(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	if (kind == KIND_INSTANCE)
		return follow_instance(op, instance_of(before), instance_of(after));
	if (kind == KIND_SNAPSHOT)
		return follow_snapshot(op, snapshot_of(before), snapshot_of(after));
	if (kind == KIND_ALARM)
		return before ? alarm_publish_turn(op, alarm_of(before), alarm_of(after)) : OK;
	return follow_spot(op, spot_request_of(before), spot_request_of(after));
}

RESULT event_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	if (!is_told(kind) || !event_has_rules(op->head, engine_get_owner(kind, after ? after : before)))
		return OK;
	if (kind == KIND_VOLUME)
		return follow_volume(op, volume_of(before), volume_of(after));
	if (kind == KIND_VOLUME_ATTACHMENT)
		return follow_further(op, volume_attachment_of(before), volume_attachment_of(after));
	return after ? follow_present(op, kind, before, after) : OK;
}
