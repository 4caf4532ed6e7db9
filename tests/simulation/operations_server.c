/* SPDX-License-Identifier: Apache-2.0
 * Nova's server actions other than power: pause, suspend, rescue, rebuild, shelve, resize. Whether an action
 * is allowed is certain while the server is at rest; during a transition either answer is right. */
#include <stdio.h>

#include "simulation.h"

bool server_is_at_rest(const struct request *x, const struct thing *t)
{
	return t->is_at_rest && !t->may_vary && !model_may_be_off(t) && !x->s->hosts_shaken;
}

bool server_is_alone(const struct request *x, const struct thing *t)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		const struct request *other = &x->s->clients[k];
		for (size_t n = 0; n < other->ref_count && other != x && other->is_open; n++)
			if (other->refs[n] == t)
				return false;
	}
	return true;
}

void server_move(struct thing *t)
{
	t->is_at_rest = false;
}

/* Its shelving image is deleted, and the snapshot created for that. */
static void end_shelving(struct simulation *s, struct thing *t)
{
	struct model *m = &s->model;
	struct thing *image = t->shelved_image;
	t->shelved_image = NULL;
	t->is_shelved = false;
	if (!image || image->life == GONE)
		return;
	model_end_image(m, image);
}

void server_turn_on(struct simulation *s, struct thing *t)
{
	if (t->is_shelved)
		end_shelving(s, t);
	t->wanted_on = true;
	t->was_saved = t->was_saved || t->is_saved;
	t->seen_stopped = t->is_paused = t->is_saved = false;
	t->is_drained = s->is_draining; /* if no other host has room it starts on one with a maintenance */
	server_move(t);
}

void server_start(struct simulation *s, struct thing *t)
{
	if (!t->wanted_on)
		server_turn_on(s, t);
	else if (model_may_be_off(t))
		t->was_paused = t->is_paused;
}

void server_end(struct simulation *s, struct thing *t)
{
	end_shelving(s, t);
	model_end(&s->model, t, ENDING);
}

/* ---- common checks ---- */

/* Judges whether the action is allowed now, if nothing is under way. */
static void judge_state(const struct request *x, bool fits, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	bool is_sure = server_is_at_rest(x, t);
	if (model_may_have_ended(t))
		refuse_or_doubt(v, t->life == ENDING, "409");
	if (!is_sure || !fits)
		refuse_or_doubt(v, is_sure, "409");
}

static bool is_running(const struct thing *t)
{
	return t->wanted_on && !t->is_paused && !t->is_rescued;
}

static bool is_stopped(const struct thing *t)
{
	return !t->wanted_on && !t->is_saved && !t->is_shelved;
}

/* An action with several steps begins only if nothing else is under way. */
static bool is_settled(const struct thing *t)
{
	return (is_running(t) || is_stopped(t)) && !t->is_resized && !t->is_rescued;
}

static void begin(struct thing *t)
{
	t->is_moved = true;
	server_move(t);
}

#define DRAW_PLAIN(word, action)                                                                             \
	static bool draw_##word(struct request *x)                                                           \
	{                                                                                                    \
		request_add(x, action, "null");                                                              \
		return true;                                                                                 \
	}
DRAW_PLAIN(pause, "pause")
DRAW_PLAIN(unpause, "unpause")
DRAW_PLAIN(suspend, "suspend")
DRAW_PLAIN(resume, "resume")
DRAW_PLAIN(confirm, "confirmResize")
DRAW_PLAIN(revert, "revertResize")
DRAW_PLAIN(shelve, "shelve")
DRAW_PLAIN(unshelve, "unshelve")

/* ---- pause and suspend ---- */

/* Nova pauses and suspends in the vm_state "active" alone. */
static bool is_active(const struct thing *t)
{
	return is_running(t) && !t->is_resized;
}

static void judge_pause(const struct request *x, struct verdict *v)
{
	judge_state(x, is_active(x->refs[0]), v);
}

static void apply_pause(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_paused = true;
	begin(x->refs[0]);
}

static void judge_unpause(const struct request *x, struct verdict *v)
{
	judge_state(x, x->refs[0]->wanted_on && x->refs[0]->is_paused, v);
}

static void apply_unpause(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_paused = false;
	begin(x->refs[0]);
}

static void judge_suspend(const struct request *x, struct verdict *v)
{
	judge_state(x, is_active(x->refs[0]), v);
	if (x->refs[0]->may_not_stop)
		refuse(v, "409");
}

static void apply_suspend(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->wanted_on = t->is_paused = false;
	t->is_saved = true;
	begin(t);
}

static void judge_resume(const struct request *x, struct verdict *v)
{
	judge_state(x, !x->refs[0]->wanted_on && x->refs[0]->is_saved, v);
}

static void apply_resume(struct request *x, struct str answer)
{
	(void) answer;
	server_turn_on(x->s, x->refs[0]);
	begin(x->refs[0]);
}

/* ---- resize: between two types of equal size, so that there is always room ---- */

static bool draw_resize(struct request *x)
{
	x->flag = random_below(4) != 0;
	request_add(x, "resize", "{\"flavorRef\": \"%s\"}", x->flag ? "t3a.micro" : "t3.micro");
	return true;
}

static void judge_resize(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	judge_state(x, is_settled(t), v);
	if (t->is_other_size == x->flag)
		refuse(v, "400");
	if (t->is_hosted && x->flag) /* a dedicated host has one family */
		doubt(v, "400");
}

static void apply_resize(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->is_resized = true;
	t->was_paused = t->is_paused;
	t->is_other_size = x->flag;
	begin(t);
}

static void judge_resized(const struct request *x, struct verdict *v)
{
	judge_state(x, x->refs[0]->is_resized, v);
	if (!x->refs[0]->is_resized)
		refuse(v, "409");
}

static void apply_confirm(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_resized = false;
	begin(x->refs[0]);
}

static void apply_revert(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->is_resized = false;
	t->is_other_size = !t->is_other_size;
	begin(t);
}

/* ---- rebuild and rescue: disks from an image ---- */

/* EC2's listing shows which of its volumes is new. */
static void learn_disk(struct request *x, struct thing *volume)
{
	struct str set = answer_at(request_get_answer(x->s, x->account, "Action=DescribeVolumes"),
				   "volumeSet"),
		   item;
	while (answer_next_item(&set, &item)) {
		struct str id = answer_at(item, "volumeId"),
			   device = answer_at(item, "attachmentSet/item/device");
		bool is_known = !model_is_id(answer_at(item, "attachmentSet/item/instanceId"), volume->of) ||
				str_is(device, "/dev/xvda") == volume->is_spare;
		EACH (&x->s->model, t, KIND_VOLUME)
			is_known = is_known || model_is_id(id, t);
		if (is_known)
			continue;
		model_name(volume, id);
		if (volume->is_spare)
			snprintf(volume->name, sizeof volume->name, "%" STR_FMT, STR_ARG(device));
		return;
	}
}

static void add_disk(struct request *x, bool is_spare)
{
	struct thing *t = model_add(&x->s->model, KIND_VOLUME, x->account, x->refs[0], STR_NONE);
	t->is_spare = is_spare;
	t->gibibytes = IMAGE_GIBIBYTES;
	learn_disk(x, t);
}

/* From the operator's image. The replaced disk must be known, to distinguish it from the new one. */
static bool draw_rebuild(struct request *x)
{
	char id[UUID_TEXT_SIZE];
	const struct thing *root = model_root(&x->s->model, x->refs[0]);
	request_add(x, "imageRef", "\"%s\"", uuid_write(x->s->region.cloud->image, id));
	return root && root->id[0] && server_is_alone(x, x->refs[0]);
}

static void judge_disk(const struct request *x, struct verdict *v)
{
	judge_state(x, is_settled(x->refs[0]), v);
	if (!x->s->hosts_shaken)
		return;
	doubt(v, "409");
	doubt(v, "400"); /* its host may have to prove again that it sees the new disk's pool */
}

static void judge_rebuild(const struct request *x, struct verdict *v)
{
	const struct thing *root = model_root(&x->s->model, x->refs[0]);
	judge_disk(x, v);
	EACH (&x->s->model, t, KIND_SNAPSHOT)
		if (root && t->to == root && !t->is_complete)
			doubt(v, "409");
}

static void apply_rebuild(struct request *x, struct str answer)
{
	struct thing *root = model_root(&x->s->model, x->refs[0]);
	(void) answer;
	model_end(&x->s->model, root, ENDING);
	add_disk(x, false);
	begin(x->refs[0]);
}

static bool draw_rescue(struct request *x)
{
	char id[UUID_TEXT_SIZE];
	request_add(x, "rescue", "{\"rescue_image_ref\": \"%s\"}", uuid_write(x->s->region.cloud->image, id));
	return server_is_alone(x, x->refs[0]);
}

static void apply_rescue(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	server_start(x->s, t);
	t->is_rescued = true;
	add_disk(x, true);
	begin(t);
}

static bool draw_unrescue(struct request *x)
{
	request_add(x, "unrescue", "null");
	return server_is_alone(x, x->refs[0]);
}

static void judge_unrescue(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	judge_state(x, t->is_rescued && !t->is_paused && !t->is_saved && !t->is_shelved, v);
	if (!t->is_rescued)
		refuse(v, "409");
}

static void apply_unrescue(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	EACH (&x->s->model, volume, KIND_VOLUME)
		if (volume->of == t && volume->is_spare && volume->life == LIVE)
			model_end(&x->s->model, volume, ENDING);
	t->is_rescued = false;
	begin(t);
}

/* ---- shelve ---- */

static void judge_shelve(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	bool may = (t->wanted_on || !t->is_shelved) && !t->is_resized && !t->is_rescued;
	judge_state(x, may, v);
	if (t->may_not_stop)
		refuse_or_doubt(v, t->wanted_on && !model_may_be_off(t), "409");
	EACH (&x->s->model, snapshot, KIND_SNAPSHOT)
		if (snapshot->to && snapshot->to->of == t && !snapshot->is_complete)
			doubt(v, "413"); /* too many at once */
	if (!t->is_at_rest)
		doubt(v, "400"); /* its disk is being created */
}

static void apply_shelve(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0], *root = model_root(&x->s->model, t), *snapshot, *device;
	struct model *m = &x->s->model;
	(void) answer;
	t->wanted_on = t->is_paused = t->is_saved = false;
	t->is_shelved = true;
	t->shelved_image = model_add(m, KIND_IMAGE, x->account, NULL, STR_NONE);
	snprintf(t->shelved_image->name, sizeof t->shelved_image->name, "%s-shelved",
		 t->server[0] ? t->server : t->id);
	snapshot = model_add(m, KIND_SNAPSHOT, x->account, NULL, STR_NONE);
	snapshot->to = root;
	snapshot->encryption = root->encryption;
	snapshot->is_bound = true;
	device = model_add(m, KIND_IMAGE_DEVICE, x->account, t->shelved_image, STR_NONE);
	device->to = snapshot;
	device->gibibytes = root->gibibytes;
	begin(t);
}

static void judge_unshelve(const struct request *x, struct verdict *v)
{
	judge_state(x, x->refs[0]->is_shelved, v);
	if (!x->refs[0]->is_shelved)
		refuse(v, "409");
}

static void apply_unshelve(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	server_turn_on(x->s, t);
	t->may_lack_host = t->may_lack_host || x->s->hosts_shaken || x->s->hosts_divided;
	begin(t);
}

#define ACTION "POST /compute/v2.1/servers/{server_id}/action"
#define SERVER                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"server_id", KIND_INSTANCE                                                           \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{ACTION, 2, SERVER, NULL, draw_pause, judge_pause, apply_pause},
	{ACTION, 2, SERVER, NULL, draw_unpause, judge_unpause, apply_unpause},
	{ACTION, 2, SERVER, NULL, draw_suspend, judge_suspend, apply_suspend},
	{ACTION, 2, SERVER, NULL, draw_resume, judge_resume, apply_resume},
	{ACTION, 2, SERVER, NULL, draw_resize, judge_resize, apply_resize},
	{ACTION, 1, SERVER, NULL, draw_confirm, judge_resized, apply_confirm},
	{ACTION, 1, SERVER, NULL, draw_revert, judge_resized, apply_revert},
	{ACTION, 2, SERVER, "rebuild", draw_rebuild, judge_rebuild, apply_rebuild},
	{ACTION, 2, SERVER, NULL, draw_rescue, judge_disk, apply_rescue},
	{ACTION, 2, SERVER, NULL, draw_unrescue, judge_unrescue, apply_unrescue},
	{ACTION, 2, SERVER, NULL, draw_shelve, judge_shelve, apply_shelve},
	{ACTION, 3, SERVER, NULL, draw_unshelve, judge_unshelve, apply_unshelve},
};
const struct operations server_operations = {rows, sizeof rows / sizeof *rows};
