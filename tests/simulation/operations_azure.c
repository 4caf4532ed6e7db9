/* SPDX-License-Identifier: Apache-2.0
 * Azure's resource groups, tags, disks, snapshots and images. A PUT creates or changes the resource in its
 * path. */
#include <stdio.h>

#include "simulation.h"

static struct str row_of(struct str answer)
{
	return answer_at(answer, "properties/uniqueId");
}

/* ---- groups ---- */

static struct thing *find_group(const struct request *x)
{
	EACH (&x->s->model, t, KIND_RESOURCE_GROUP)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_group(struct request *x)
{
	char rest[80];
	snprintf(x->name, sizeof x->name, "g%d", (int) random_below(3));
	snprintf(rest, sizeof rest, "/resourceGroups/%s", x->name);
	snprintf(x->path, sizeof x->path, "%" STR_FMT,
		 STR_ARG(azure_line(x->s, x->account, "PUT", rest, "2021-04-01")));
	azure_say(x, "{" AZURE_LOCATION);
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

/* A group that is being deleted may already be gone. */
static void judge_group(const struct request *x, struct verdict *v)
{
	const struct thing *t = find_group(x);
	if (t && t->life == ENDING)
		doubt(v, "ResourceGroupBeingDeleted");
}

/* The tags of a PUT replace all tags. */
static void apply_group(struct request *x, struct str answer)
{
	struct thing *t = find_group(x);
	(void) answer;
	if (t && t->life == ENDING) {
		t->life = GONE;
		t = NULL;
	}
	if (!t) {
		t = model_add(&x->s->model, KIND_RESOURCE_GROUP, x->account, NULL, str_from(x->name));
		snprintf(t->name, sizeof t->name, "%s", x->name);
	}
	t->tag_count = 0;
	request_apply_tag(x, t);
}

static bool is_empty(const struct request *x, const struct thing *group)
{
	for (size_t k = 0; k < x->s->model.count; k++)
		if (x->s->model.things[k].area == group && x->s->model.things[k].life != GONE)
			return false;
	return true;
}

/* Only empty groups: an errand deletes groups with resources. */
static bool draw_delete_group(struct request *x)
{
	for (size_t k = 0; k < CLIENTS; k++)
		if (x->s->clients[k].is_open && x->s->clients[k].area == x->refs[0])
			return false;
	return is_empty(x, x->refs[0]);
}

static void apply_delete_group(struct request *x, struct str answer)
{
	(void) answer;
	if (x->refs[0]->life == LIVE)
		x->refs[0]->life = ENDING;
}

/* ---- tags ---- */

static bool draw_tags(struct request *x)
{
	static const enum kind kinds[] = {KIND_RESOURCE_GROUP, KIND_ROUTER, KIND_INSTANCE, KIND_ADDRESS,
					  KIND_VOLUME,         KIND_PORT,   KIND_SNAPSHOT, KIND_IMAGE};
	const struct thing *t = request_ref(x, NULL, kinds[random_below(sizeof kinds / sizeof *kinds)]);
	if (!t)
		return false;
	snprintf(x->path, sizeof x->path,
		 "PATCH %" STR_FMT "/providers/Microsoft.Resources/tags/default?api-version=2021-04-01",
		 STR_ARG(azure_id(x->s, t)));
	x->flag = random_below(2) == 0;
	snprintf(x->tag.key, sizeof x->tag.key, "k%d", (int) random_below(4));
	snprintf(x->tag.value, sizeof x->tag.value, "v%d", (int) random_below(100));
	azure_say(x, "{\"operation\": \"%s\", \"properties\": {\"tags\": {\"%s\": \"%s\"}}}",
		  x->flag ? "Merge" : "Replace", x->tag.key, x->tag.value);
	return true;
}

static void apply_tags(struct request *x, struct str answer)
{
	(void) answer;
	if (!x->flag)
		x->refs[0]->tag_count = 0;
	request_apply_tag(x, x->refs[0]);
}

/* ---- disks ---- */

static bool draw_disk(struct request *x)
{
	if (!azure_draw_target(x, KIND_VOLUME, "d"))
		return false;
	struct thing *snapshot =
		!x->target && random_below(3) == 0 ? request_ref(x, NULL, KIND_SNAPSHOT) : NULL;
	x->count = snapshot ? 0 : 1 + (int64_t) random_below(5);
	azure_say(x, "{" AZURE_LOCATION ", \"properties\": {");
	if (snapshot)
		azure_say(x,
			  "\"creationData\": {\"createOption\": \"Copy\", \"sourceResourceId\": \"%" STR_FMT
			  "\"}",
			  STR_ARG(azure_id(x->s, snapshot)));
	else if (!x->target)
		azure_say(x, "\"creationData\": {\"createOption\": \"Empty\"}, ");
	if (!snapshot)
		azure_say(x, "\"diskSizeGB\": %d", (int) x->count);
	azure_say(x, "}");
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

/* Setting the present size is no change. */
static void judge_disk(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->target, *snapshot = t ? NULL : request_find_ref(x, KIND_SNAPSHOT);
	if (x->s->hosts_shaken)
		doubt(v, "AllocationFailed");
	if (snapshot)
		image_judge_completed(x, snapshot, v);
	if (!t || (t->gibibytes == x->count && t->life == LIVE))
		return;
	if (x->count < t->gibibytes || !t->gibibytes)
		refuse_or_doubt(v, t->gibibytes, "OperationNotAllowed");
	doubt(v, "OperationNotAllowed"); /* it is being created */
	doubt(v, "Conflict");            /* an earlier modification is under way */
}

static void apply_disk(struct request *x, struct str answer)
{
	struct thing *t = x->target, *snapshot = t ? NULL : request_find_ref(x, KIND_SNAPSHOT);
	if (t) {
		t->gibibytes = x->count;
	} else {
		t = model_add(&x->s->model, KIND_VOLUME, x->account, NULL, row_of(answer));
		t->gibibytes = snapshot ? snapshot->gibibytes : x->count;
		if (snapshot)
			t->encryption = model_encryption_of(snapshot);
		azure_take_name(x, t);
	}
	azure_apply_tags(x, t);
}

/* ---- snapshots ---- */

static bool draw_snapshot(struct request *x)
{
	if (!azure_draw_target(x, KIND_SNAPSHOT, "s"))
		return false;
	const struct thing *source = NULL;
	if (!x->target && !(source = request_ref(x, NULL, random_below(3) ? KIND_VOLUME : KIND_SNAPSHOT)))
		return false;
	azure_say(x, "{" AZURE_LOCATION);
	if (source)
		azure_say(x,
			  ", \"properties\": {\"creationData\": {\"createOption\": \"Copy\", "
			  "\"sourceResourceId\": \"%" STR_FMT "\"}}",
			  STR_ARG(azure_id(x->s, source)));
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

static void judge_snapshot(const struct request *x, struct verdict *v)
{
	const struct thing *source = x->target ? NULL : x->refs[0];
	if (source && source->kind == KIND_VOLUME)
		image_judge_cut(x, source, v);
	else if (source)
		image_judge_completed(x, source, v);
}

static void apply_snapshot(struct request *x, struct str answer)
{
	struct thing *t = x->target, *source = t ? NULL : x->refs[0];
	if (!t) {
		bool is_copy = source->kind == KIND_SNAPSHOT;
		t = image_add_snapshot(x, is_copy ? NULL : source, row_of(answer));
		if (is_copy) {
			t->gibibytes = source->gibibytes;
			t->encryption = model_encryption_of(source);
		}
		azure_take_name(x, t);
	}
	azure_apply_tags(x, t);
}

/* ---- images ---- */

static bool draw_image(struct request *x)
{
	if (!azure_draw_target(x, KIND_IMAGE, "image"))
		return false;
	const struct thing *snapshot = NULL;
	if (!x->target && !(snapshot = request_ref(x, NULL, KIND_SNAPSHOT)))
		return false;
	azure_say(x, "{" AZURE_LOCATION);
	if (snapshot)
		azure_say(x,
			  ", \"properties\": {\"storageProfile\": {\"osDisk\": {\"osType\": \"Linux\", "
			  "\"osState\": \"Generalized\", \"snapshot\": {\"id\": \"%" STR_FMT "\"}}}}",
			  STR_ARG(azure_id(x->s, snapshot)));
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

static void judge_image(const struct request *x, struct verdict *v)
{
	if (!x->target)
		image_judge_completed(x, x->refs[0], v);
}

/* EC2's listing finds the row by its name, which is unique in the account. */
static void apply_image(struct request *x, struct str answer)
{
	struct thing *t = x->target;
	(void) answer;
	if (!t) {
		t = model_add(&x->s->model, KIND_IMAGE, x->account, NULL, STR_NONE);
		snprintf(t->name, sizeof t->name, "%s", x->arm);
		image_add_device(x, t, "", x->refs[0], x->refs[0]->gibibytes);
		azure_take_name(x, t);
	}
	azure_apply_tags(x, t);
}

static void apply_delete_image(struct request *x, struct str answer)
{
	(void) answer;
	model_end_image(&x->s->model, x->refs[0]);
}

#define ON(kind)                                                                                             \
	{                                                                                                    \
		{                                                                                            \
			"", kind                                                                             \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"PUT resourceGroups", 3, {}, NULL, draw_group, judge_group, apply_group},
	{"DELETE resourceGroups", 1, ON(KIND_RESOURCE_GROUP), NULL, draw_delete_group, NULL,
	 apply_delete_group},
	{"PATCH tags", 2, {}, NULL, draw_tags, NULL, apply_tags},
	{"PUT disks", 4, {}, NULL, draw_disk, judge_disk, apply_disk},
	{"PUT disks", 2, ON(KIND_VOLUME), NULL, azure_draw_back},
	{"DELETE disks", 2, ON(KIND_VOLUME), NULL, NULL, attach_judge_delete_volume, attach_apply_ending},
	{"PUT snapshots", 3, {}, NULL, draw_snapshot, judge_snapshot, apply_snapshot},
	{"PUT snapshots", 1, ON(KIND_SNAPSHOT), NULL, azure_draw_back},
	{"DELETE snapshots", 2, ON(KIND_SNAPSHOT), NULL, NULL, image_judge_delete_snapshot,
	 request_apply_end},
	{"PUT images", 2, {}, NULL, draw_image, judge_image, apply_image},
	{"PUT images", 1, ON(KIND_IMAGE), NULL, azure_draw_back},
	{"DELETE images", 2, ON(KIND_IMAGE), NULL, NULL, NULL, apply_delete_image},
};
const struct operations azure_operations = {rows, sizeof rows / sizeof *rows};
