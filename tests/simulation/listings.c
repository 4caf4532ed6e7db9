/* SPDX-License-Identifier: Apache-2.0
 * Compares the accounts' view through each face with the model: one row for each kind, ordered so that
 * earlier kinds identify the things of later ones. A thing with an unknown id is recognised by its
 * attributes. */
#include <stdio.h>

#include "base/buf.h"
#include "simulation.h"

static const struct listings *const tables[] = {&ec2_listings, &openstack_listings, &cloudstack_listings,
						&azure_listings, &operator_listings};
enum { TABLES = sizeof tables / sizeof *tables };
#define EACH_LISTING(list)                                                                                   \
	for (size_t t_ = 0; t_ < TABLES; t_++)                                                               \
		for (const struct listing *list = tables[t_]->at; list < tables[t_]->at + tables[t_]->count; \
		     list++)

static bool is_of_openstack(const struct listing *list)
{
	return strchr(list->action, ' ') != NULL;
}

struct str listings_not_found(enum kind kind, bool of_openstack)
{
	EACH_LISTING(list)
	if (list->kind == kind && is_of_openstack(list) == of_openstack && list->not_found)
		return str_from(list->not_found);
	return kind == KIND_SECURITY_GROUP ? STR("404 SecurityGroupNotFound") : STR("");
}

/* True if the list is for that account, or for the administrator. */
static bool is_for(const struct listing *list, unsigned account)
{
	return list->is_operators == (account == ADMIN);
}

static const char *replace(struct arena *a, const char *form, const char *place, struct str value)
{
	const char *at = strstr(form, place);
	return at ? str_print(a, "%.*s%" STR_FMT "%s", (int) (at - form), form, STR_ARG(value),
			      at + strlen(place))
			       .p
		  : form;
}

/* The list's path with the user's id for {user}, and the account's for {subscription}. */
static const char *form_of(struct simulation *s, const struct listing *list, unsigned account)
{
	struct arena *a = s->region.cloud->arena;
	const struct identity *who = &s->region.users[account].who;
	const char *form =
		replace(a, list->action, "{user}", str_encode_hex(a, who->user.b, sizeof who->user.b));
	return replace(a, form, "{subscription}", uuid_to_str(a, who->account));
}

/* ---- tags ---- */

static const char *differ_tags(const struct thing *t, struct str set)
{
	struct str item;
	size_t shown = 0;
	for (; answer_next_item(&set, &item); shown++) {
		size_t k = 0;
		while (k < t->tag_count && !str_is(answer_at(item, "key"), t->tags[k].key))
			k++;
		if (k == t->tag_count || !str_is(answer_at(item, "value"), t->tags[k].value))
			return "a tag";
	}
	return shown == t->tag_count ? NULL : "the number of tags";
}

/* ---- one listing of one account ---- */

/* True if EC2 may still show the thing: for an hour or two after its end. */
static bool stays_visible(const struct thing *t)
{
	return t->kind == KIND_INSTANCE || t->kind == KIND_NAT_GATEWAY || t->kind == KIND_PEERING;
}

/* The model's thing with that id; if several have unknown ids, the first one that matches. */
static struct thing *recognise(const struct look *l, const struct listing *list, struct str item)
{
	struct str id = answer_at(item, list->id);
	EACH (&l->s->model, t, list->kind)
		if (t->account == l->account && (list->is ? list->is(l, t, item) : model_is_id(id, t)))
			return t;
	EACH (&l->s->model, t, list->kind)
		if (!list->is && t->account == l->account && !t->id[0] && !list->differ(l, t, item)) {
			model_name(t, id);
			return t;
		}
	return NULL;
}

static size_t compare_item(const struct look *l, const struct listing *list, struct str item)
{
	struct thing *t = recognise(l, list, item);
	if (!t)
		blame(l->s, "account %d, %s: what is this: %" STR_FMT, (int) l->account, list->action,
		      STR_ARG(item));
	const char *words = list->differ(l, t, item);
	if (!words && t->life == LIVE && !is_of_openstack(list))
		words = differ_tags(t, answer_at(item, "tagSet"));
	if (!words && l->is_settled && t->life == ENDING && (is_of_openstack(list) || !stays_visible(t)))
		words = "that it is still there";
	if (words)
		blame(l->s, "account %d, %s: %s: not as expected is %s: %" STR_FMT, (int) l->account,
		      list->action, t->id, words, STR_ARG(item));
	return t->life == LIVE && (!list->shows || list->shows(&l->s->model, t));
}

static size_t compare_set(const struct look *l, const struct listing *list, struct str set)
{
	struct str item;
	size_t live = 0;
	while (answer_next_item(&set, &item)) {
		if (list->inner) {
			struct str inner = answer_at(item, list->inner), one;
			while (answer_next_item(&inner, &one))
				live += compare_item(l, list, one);
		} else if (!list->passes || !list->passes(l, item)) {
			live += compare_item(l, list, item);
		}
	}
	return live;
}

static void compare_listing(const struct look *l, const struct listing *list)
{
	struct str body = request_get_answer(l->s, l->account, form_of(l->s, list, l->account));
	size_t shown = compare_set(l, list, answer_at(body, list->set)), known = 0;
	EACH (&l->s->model, t, list->kind)
		if (t->account == l->account) {
			known += t->life == LIVE && (!list->shows || list->shows(&l->s->model, t));
			if (l->is_settled && t->life == ENDING && !stays_visible(t))
				t->life = GONE;
		}
	if (shown != known)
		blame(l->s, "account %d, %s: %zu are shown of %zu: %" STR_FMT, (int) l->account, list->action,
		      shown, known, STR_ARG(body));
}

void listings_compare(struct simulation *s, bool is_settled)
{
	tell(s, "look");
	EACH (&s->model, t, KIND_SECONDARY_IP)
		if (is_settled && (t->life == ENDING || t->of->life != LIVE))
			t->life = GONE;
	for (unsigned account = 0; account <= ADMIN; account++)
		EACH_LISTING(list)
		{
			struct look l = {s, account, is_settled};
			if (is_for(list, account))
				compare_listing(&l, list);
		}
}

struct str listings_read(struct simulation *s)
{
	struct buf b;
	buf_init(&b, 64 << 20);
	for (unsigned account = 0; account <= ADMIN; account++)
		EACH_LISTING(list)
		{
			if (!is_for(list, account))
				continue;
			buf_add_str(&b, request_get_answer(s, account, form_of(s, list, account)));
			buf_add_char(&b, '\n');
		}
	struct str text = str_copy(s->region.cloud->arena, buf_str(&b));
	buf_done(&b);
	return text;
}
