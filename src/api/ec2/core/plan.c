/* SPDX-License-Identifier: Apache-2.0
 * Turns EC2 filters into query plans: the spelling of ids and owners in EC2, and the index terms of each
 * filter. */
#include "api/ec2/core/plan.h"

#include "api/core/list.h"
#include "api/ec2/core/write.h"
#include "model/image_catalogue.h"
#include "model/term.h"
#include "store/account.h"
#include "store/instance_type.h"

/* ---- how EC2 spells values ---- */

static bool read_id(struct str value, enum kind kind, const char *prefix, struct ref *ret_ref)
{
	return result_is_ok(prefix ? id_parse_prefixed(value, prefix, ret_ref)
				   : id_parse_ec2(value, kind, ret_ref));
}

/* Finds the address in a name such as "ip-10-0-0-5.ec2.internal". */
static enum list_reading read_ip_name(struct str value, struct ip *ret_ip)
{
	char text[IP_TEXT_SIZE];
	size_t from = str_find_char(value, '-', 0), n = 0;
	if (result_is_ok(ip_parse(value, ret_ip)))
		return LIST_READ;
	while (++from < value.n && value.p[from] != '.' && n < sizeof text)
		text[n++] = value.p[from] == '-' ? '.' : value.p[from];
	return result_is_ok(ip_parse((struct str){text, n}, ret_ip)) ? LIST_READ : LIST_READ_OTHER;
}

static enum list_reading read_value(const struct tables *t, const struct field *field, struct str value,
				    void *ret_at)
{
	if (field->type == FIELD_IP)
		return read_ip_name(value, ret_at);
	if (field->type != FIELD_UUID || field->ref != KIND_INSTANCE_TYPE)
		return LIST_READ_OTHER;
	const struct instance_type *type = instance_type_find_by_name(t, value);
	*(uuid *) ret_at = type ? type->row.id : UUID_NONE;
	return type ? LIST_READ : LIST_READ_ABSENT;
}

const struct list_spelling ec2_spelling = {read_id, read_value};

/* ---- owners ---- */

/* Finds the account that a word names; false: none. */
static bool read_owner(const struct list *l, struct str word, uuid *ret_account)
{
	const struct tables *t = l->query->tables;
	*ret_account = l->owners[0];
	if (str_is(word, "self"))
		return true;
	*ret_account = UUID_NONE;
	if (str_is(word, "amazon") || str_equal(word, ec2_owner_number(t, UUID_NONE)) ||
	    image_vendor_is_account(word))
		return true; /* images of vendors belong to the operator */
	const struct account *account = account_find_by_number(t, word);
	if (account)
		*ret_account = account->row.id;
	return account;
}

static RESULT add_owners(struct list_plan *p, struct strs words)
{
	uuid account;
	for (size_t k = 0; k < words.count; k++)
		if (read_owner(p->list, words.at[k], &account))
			TRY(list_add_account(p, account));
	return OK;
}

/* ---- filters ---- */

static RESULT add_states(struct list_plan *p, const struct filter_run *run)
{
	for (unsigned state = 0; state < model_kinds[p->kind].state_count; state++)
		if (run->filter->in_state(run, state))
			TRY(list_add_state(p, state));
	p->is_of_owners = true;
	return OK;
}

/* Callers do not see the tags of other accounts' rows. */
static RESULT add_tags(struct list_plan *p, const struct filter_run *run)
{
	uuid owner = p->list->owners[0];
	if (run->what == FILTER_TAG && !run->is_plain)
		return list_add_term(p, term_of_tag_key(owner, run->tag_key));
	for (size_t k = 0; k < run->patterns.count; k++)
		TRY(list_add_term(p, run->what == FILTER_TAG
					     ? term_of_tag(owner, run->tag_key, run->patterns.at[k])
					     : term_of_tag_key(owner, run->patterns.at[k])));
	return OK;
}

/* True if it seeks rows without a value, by the text that stands for none: no index leads to them. */
static bool seeks_none(const struct filter_run *run)
{
	const struct attribute *a = run->filter->found.attribute;
	for (size_t k = 0; a && a->none && k < run->patterns.count; k++)
		if (str_is(run->patterns.at[k], a->none))
			return true;
	return false;
}

static RESULT add_paths(struct list_plan *p, const struct filter_run *run, bool *ret_is_plan)
{
	const struct filter *f = run->filter;
	const struct access_path own = {.kind = p->kind, .index = f->index};
	bool is_compared = !f->get || run->field;
	*ret_is_plan = false;
	if (seeks_none(run))
		return OK;
	if (f->is_id || f->index)
		return list_add_values(p, &own, run->patterns, is_compared, ret_is_plan);
	*ret_is_plan = f->access_paths[0].kind != KIND_NONE;
	for (size_t k = 0; *ret_is_plan && k < ACCESS_PATHS_MAX && f->access_paths[k].kind != KIND_NONE; k++)
		TRY(list_add_values(p, &f->access_paths[k], run->patterns, !f->get, ret_is_plan));
	return OK;
}

static bool is_of_groups(const struct filter_run *run)
{
	return run->field && run->field->offset == model_kinds[run->kind].groups_offset;
}

/* Rows without an account have no terms that a caller could ask for. */
static RESULT add_filter(struct list_plan *p, const struct filter_run *run, bool *ret_is_plan)
{
	bool has_owners = p->list->account_index;
	*ret_is_plan = true;
	if (run->what != FILTER_ROW) {
		*ret_is_plan = has_owners &&
			       (run->what == FILTER_TAG || (run->what == FILTER_TAG_KEY && run->is_plain));
		return *ret_is_plan ? add_tags(p, run) : OK;
	}
	if (run->is_plain && run->filter->is_owner)
		return add_owners(p, run->patterns);
	if (run->is_plain && is_of_groups(run))
		return list_add_groups(p, run->patterns);
	if (run->filter->in_state && has_owners)
		return add_states(p, run);
	*ret_is_plan = run->is_plain;
	return run->is_plain ? add_paths(p, run, ret_is_plan) : OK;
}

static RESULT plan_filter(struct list *l, const struct filter_run *run)
{
	const struct filter_join *joined = run->what == FILTER_ROW ? run->filter->joined : NULL;
	struct filter_run other = *run;
	struct list_plan p;
	bool is_plan = false;
	if (joined && !filter_become(run, joined->kind, joined->filters, run->filter->joined_filter, &other))
		return OK;
	TRY(list_begin_plan(l, joined ? joined->kind : l->query->kind, joined ? &joined->join : NULL, &p));
	TRY(add_filter(&p, &other, &is_plan));
	return is_plan ? list_end_plan(&p) : OK;
}

RESULT ec2_plan_list(struct ec2_call *e, const struct ec2_listing *list, const struct filter_runs *runs,
		     struct query *q)
{
	struct list l = {
		.query = q,
		.spelling = &ec2_spelling,
		.owners = {engine_get_account(e->c), UUID_NONE},
		.owner_count = list->has_operators ? 2 : 1,
		.account_index = list_account_index(list->kind),
		.other_account_index = list->other_account_index,
		.public_index = list->public_index,
	};
	const struct strs *owners = list->owners ? list->owners(e->args) : NULL;
	struct list_plan p;
	for (size_t k = 0; k < runs->count; k++)
		TRY(plan_filter(&l, &runs->at[k]));
	if (owners && owners->count) {
		TRY(list_begin_plan(&l, list->kind, NULL, &p));
		TRY(add_owners(&p, *owners));
		TRY(list_end_plan(&p));
	}
	return list_plan_all(&l);
}
