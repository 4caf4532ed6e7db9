/* SPDX-License-Identifier: Apache-2.0
 * Glance's images: created without data, tagged, given a visibility, shared with projects that accept them or
 * not. EC2 shows all of the account's, and can launch shared ones. */
#include <stdio.h>

#include "simulation.h"

/* ---- creation and deletion ---- */

static const char *draw_visibility(struct request *x)
{
	x->flag = random_below(3) == 0;
	return x->flag ? "private" : "shared";
}

static bool draw_image(struct request *x)
{
	snprintf(x->name, sizeof x->name, "glance%d", (int) random_below(4));
	request_add(x, "name", "\"%s\"", x->name);
	request_add(x, "visibility", "\"%s\"", draw_visibility(x));
	return true;
}

static void apply_image(struct request *x, struct str answer)
{
	struct thing *t = model_add(&x->s->model, KIND_IMAGE, x->account, NULL, answer_at(answer, "id"));
	snprintf(t->name, sizeof t->name, "%s", x->name);
	t->is_empty = true;
	t->is_private = x->flag;
}

static void apply_delete(struct request *x, struct str answer)
{
	(void) answer;
	model_end_image(&x->s->model, x->refs[0]);
}

/* ---- patches: conditional on the image as it was read, otherwise there is a conflict ---- */

static bool draw_patch(struct request *x)
{
	const char *word = draw_visibility(x);
	x->size = (size_t) snprintf(x->text, sizeof x->text,
				    "[{\"op\": \"replace\", \"path\": \"/visibility\", \"value\": \"%s\"}]",
				    word);
	return true;
}

static void judge_patch(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "409");
}

static void apply_patch(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	t->is_private = x->flag;
	if (t->is_private)
		t->members = t->accepted = 0;
}

static bool draw_label(struct request *x)
{
	x->count = (int64_t) random_below(3);
	size_t n = strlen(x->path);
	snprintf(x->path + n, sizeof x->path - n, "%d", (int) x->count);
	return true;
}

static void judge_label(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "409");
}

static void apply_label(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->labels |= 1u << x->count;
}

static void judge_unlabel(const struct request *x, struct verdict *v)
{
	doubt(v, "409");
	if (!(x->refs[0]->labels >> x->count & 1))
		refuse(v, "404");
}

static void apply_unlabel(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->labels &= ~(1u << x->count);
}

/* ---- members ---- */

static const char *project_of(const struct request *x, unsigned account, char *text)
{
	uuid id = x->s->region.users[account].who.account;
	for (size_t k = 0; k < sizeof id.b; k++)
		snprintf(text + 2 * k, 3, "%02x", id.b[k]);
	return text;
}

static bool draw_member(struct request *x)
{
	char text[2 * sizeof(uuid) + 1];
	x->count = (int64_t) random_below(ACCOUNTS);
	request_add(x, "member", "\"%s\"", project_of(x, (unsigned) x->count, text));
	return x->count != x->account;
}

static bool is_member(const struct request *x)
{
	return x->refs[0]->members >> x->count & 1;
}

static void judge_member(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->is_private)
		refuse(v, "403");
	EACH (&x->s->model, t, KIND_IMAGE_DEVICE)
		if (t->of == x->refs[0] && t->to->encryption != PLAIN)
			refuse_or_doubt(v, t->to->encryption == ENCRYPTED, "403");
	if (is_member(x))
		refuse(v, "409");
	doubt(v, "409");
}

static void apply_member(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->members |= 1u << x->count;
	x->refs[0]->accepted &= ~(1u << x->count);
}

static bool draw_unmember(struct request *x)
{
	size_t n = strlen(x->path);
	char text[2 * sizeof(uuid) + 1];
	x->count = (int64_t) random_below(ACCOUNTS);
	snprintf(x->path + n, sizeof x->path - n, "%s", project_of(x, (unsigned) x->count, text));
	return true;
}

static void judge_unmember(const struct request *x, struct verdict *v)
{
	if (!is_member(x))
		refuse(v, "404");
}

static void apply_unmember(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->members &= ~(1u << x->count);
	x->refs[0]->accepted &= ~(1u << x->count);
}

/* A project's own answer to another project's offer. */
static bool draw_answer(struct request *x)
{
	size_t n;
	char text[2 * sizeof(uuid) + 1];
	struct thing *picked = NULL;
	uint64_t count = 0;
	EACH (&x->s->model, t, KIND_IMAGE)
		if (t->account != x->account && t->id[0] && random_below(++count) == 0)
			picked = t;
	if (!picked)
		return false;
	request_name(x, "image_id", picked);
	n = strlen(x->path);
	x->count = x->account;
	snprintf(x->path + n, sizeof x->path - n, "%s", project_of(x, x->account, text));
	x->flag = random_below(2) == 0;
	request_add(x, "status", "\"%s\"", x->flag ? "accepted" : "rejected");
	return true;
}

static void apply_answer(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->accepted &= ~(1u << x->count);
	x->refs[0]->accepted |= (unsigned) x->flag << x->count;
}

#define IMAGES "/image/v2/images"
#define ONE IMAGES "/{image_id}"
#define IMAGE                                                                                                \
	{                                                                                                    \
		{                                                                                            \
			"image_id", KIND_IMAGE                                                               \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"POST " IMAGES, 3, {}, NULL, draw_image, NULL, apply_image},
	{"PATCH " ONE, 2, IMAGE, NULL, draw_patch, judge_patch, apply_patch},
	{"DELETE " ONE, 2, IMAGE, NULL, NULL, NULL, apply_delete},
	{"PUT " ONE "/tags/l", 2, IMAGE, NULL, draw_label, judge_label, apply_label},
	{"DELETE " ONE "/tags/l", 1, IMAGE, NULL, draw_label, judge_unlabel, apply_unlabel},
	{"POST " ONE "/members", 3, IMAGE, NULL, draw_member, judge_member, apply_member},
	{"DELETE " ONE "/members/", 1, IMAGE, NULL, draw_unmember, judge_unmember, apply_unmember},
	{"PUT " ONE "/members/", 2, {}, NULL, draw_answer, NULL, apply_answer, true},
};
const struct operations glance_operations = {rows, sizeof rows / sizeof *rows};
