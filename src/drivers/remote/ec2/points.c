/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of a machine's disks. Two tags name the migration and the round. Some clouds ignore filters, so that the tags
 * of each snapshot are compared: a snapshot without them is a stranger's, and must not be deleted. Source: EC2 API
 * Reference, CreateSnapshots, DescribeSnapshots and DeleteSnapshot. */
#include <inttypes.h>

#include "drivers/remote/draft.h"
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/request.h"

#define MIGRATION_TAG "dari:migration"
#define ROUND_TAG "dari:round"
enum { POINTS_PAGE = 1000, POINT_PAGES_MAX = 10, SIZE_MAX_GIB = 65536 };
#define GIB (INT64_C(1) << 30)

RESULT ec2_freeze(struct ctx *c, struct remote *r, const struct remote_freezing *wish)
{
	struct ec2_form f;
	struct ec2_answer answer;
	struct str migration = uuid_to_str(c->arena, wish->round.migration);
	struct str number = str_print(c->arena, "%" PRId64, wish->round.round);
	ec2_form_begin(&f, c, "CreateSnapshots", EC2_VERSION);
	ec2_form_add(&f, "InstanceSpecification.InstanceId", wish->round.ref);
	ec2_form_add(&f, "Description",
		     str_print(c->arena, "Migration %" STR_FMT ", round %" STR_FMT, STR_ARG(migration),
			       STR_ARG(number)));
	ec2_form_add(&f, "TagSpecification.1.ResourceType", STR("snapshot"));
	ec2_form_add(&f, "TagSpecification.1.Tag.1.Key", STR(MIGRATION_TAG));
	ec2_form_add(&f, "TagSpecification.1.Tag.1.Value", migration);
	ec2_form_add(&f, "TagSpecification.1.Tag.2.Key", STR(ROUND_TAG));
	ec2_form_add(&f, "TagSpecification.1.Tag.2.Value", number);
	return ec2_call(&f, r, "ec2", &answer);
}

enum { POINT_ID, POINT_VOLUME, POINT_STATUS, POINT_SIZE, POINT_MIGRATION, POINT_ROUND };

/* False: the snapshot does not belong to the round. */
static bool read_point(const struct ec2_item *item, struct str migration, int64_t round,
		       struct remote_point *ret_point)
{
	int64_t gib = 0;
	*ret_point = (struct remote_point){.id = item->at[POINT_ID],
					   .volume = item->at[POINT_VOLUME],
					   .is_complete = str_is(item->at[POINT_STATUS], "completed"),
					   .has_failed = str_is(item->at[POINT_STATUS], "error")};
	bool is_whole = draft_is_id(ret_point->id) && draft_is_id(ret_point->volume) &&
			result_is_ok(str_parse_int(item->at[POINT_SIZE], &gib)) && gib > 0 &&
			gib <= SIZE_MAX_GIB &&
			result_is_ok(str_parse_int(item->at[POINT_ROUND], &ret_point->round));
	ret_point->size = gib * GIB;
	return is_whole && str_equal(item->at[POINT_MIGRATION], migration) &&
	       (!round || ret_point->round == round);
}

static RESULT add_points(struct ctx *c, const struct ec2_items *list, const struct remote_round *round,
			 struct remote_points *points)
{
	struct str migration = uuid_to_str(c->arena, round->migration);
	for (size_t k = 0; k < list->count; k++) {
		struct remote_point point;
		if (!read_point(&list->at[k], migration, round->round, &point))
			continue;
		if (points->count == REMOTE_POINTS_MAX)
			return ctx_fail(c, ERR_IO, "The answer is not usable: it has too many snapshots.");
		points->at[points->count++] = point;
	}
	return OK;
}

RESULT ec2_find_points(struct ctx *c, struct remote *r, const struct remote_round *round,
		       struct remote_points *ret_points)
{
	struct str next = STR_NONE;
	*ret_points =
		(struct remote_points){arena_new_array(c->arena, struct remote_point, REMOTE_POINTS_MAX), 0};
	if (!ret_points->at)
		return ctx_no_memory(c);
	for (int page = 0; page < POINT_PAGES_MAX; page++) {
		struct ec2_form f;
		struct ec2_items list = {.path = "snapshotSet/item",
					 .fields = {"snapshotId", "volumeId", "status", "volumeSize",
						    "tag:" MIGRATION_TAG, "tag:" ROUND_TAG},
					 .most = 2 * POINTS_PAGE};
		ec2_form_begin(&f, c, "DescribeSnapshots", EC2_VERSION);
		ec2_form_add(&f, "Owner.1", STR("self"));
		ec2_form_add(&f, "MaxResults", str_print(c->arena, "%d", POINTS_PAGE));
		ec2_form_add(&f, "Filter.1.Name", STR("tag:" MIGRATION_TAG));
		ec2_form_add(&f, "Filter.1.Value.1", uuid_to_str(c->arena, round->migration));
		if (next.n)
			ec2_form_add(&f, "NextToken", next);
		TRY(ec2_call_items(&f, r, "DescribeSnapshotsResponse", &list, 1));
		TRY(add_points(c, &list, round, ret_points));
		if (!list.next.n)
			return OK;
		next = list.next;
	}
	return ctx_fail(c, ERR_IO, "The answer is not usable: the list of snapshots does not end.");
}

RESULT ec2_thaw(struct ctx *c, struct remote *r, struct str point)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, "DeleteSnapshot", EC2_VERSION);
	ec2_form_add(&f, "SnapshotId", point);
	struct result result = ec2_call(&f, r, "ec2", &answer);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return OK;
}
