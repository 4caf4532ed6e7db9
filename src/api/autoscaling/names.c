/* SPDX-License-Identifier: Apache-2.0
 * Names, ARNs and pages of EC2 Auto Scaling. */
#include "api/autoscaling/internal.h"
#include "engine/balancing/classic.h"
#include "engine/resolve.h"
#include "store/elastic_load_balancer.h"
#include "store/target_group.h"

static struct ref ref_to_group(const struct scaling_group *group, struct str name, const char *field)
{
	return (struct ref){.kind = KIND_SCALING_GROUP,
			    .prefix = group ? group->row.id : UUID_NONE,
			    .bits = 8 * sizeof(uuid),
			    .text = name,
			    .field = str_from(field)};
}

RESULT autoscaling_find_group(struct autoscaling_call *e, struct str name, const char *field,
			      struct ref *ret_ref)
{
	const struct scaling_group *group =
		scaling_group_find_by_account(autoscaling_tables(e), e->c->who->account, name);
	*ret_ref = ref_to_group(group, name, field);
	if (group)
		return OK;
	e->c->problem.kind = KIND_SCALING_GROUP;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field), "AutoScalingGroup name not found - null");
}

RESULT autoscaling_find_group_row(struct autoscaling_call *e, struct str name,
				  const struct scaling_group **ret_group)
{
	struct ref ref;
	TRY(autoscaling_find_group(e, name, "AutoScalingGroupName", &ref));
	return engine_find_own_scaling_group(e->c, autoscaling_tables(e), &ref, ret_group);
}

RESULT autoscaling_find_targets(struct autoscaling_call *e, struct strs arns, const char *field,
				struct refs *ret_refs)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, arns.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < arns.count; k++) {
		const struct row *row = engine_find_balancing_arn(
			autoscaling_tables(e), e->c, e->config->region, KIND_TARGET_GROUP, arns.at[k]);
		if (!row)
			return ctx_fail_field(
				e->c, ERR_NOT_FOUND, str_from(field),
				"Provided Target Groups may not be valid. Please ensure they exist and "
				"try again. ('%" STR_FMT "')",
				STR_ARG(arns.at[k]));
		at[k] = ref_by_id(KIND_TARGET_GROUP, row->id);
		at[k].text = arns.at[k];
		at[k].field = str_from(field);
	}
	*ret_refs = (struct refs){at, arns.count};
	return OK;
}

RESULT autoscaling_find_balancers(struct autoscaling_call *e, struct strs names, const char *field,
				  struct refs *ret_refs)
{
	const struct tables *t = autoscaling_tables(e);
	struct ref *at = arena_new_array(e->c->arena, struct ref, names.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < names.count; k++) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find_by_account(t, e->c->who->account, names.at[k]);
		const struct target_group *g = b ? engine_get_classic_group(t, b->row.id) : NULL;
		if (!g)
			return ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field),
					      "Provided Load Balancers may not be valid. Please ensure they "
					      "exist and try again. ('%" STR_FMT "')",
					      STR_ARG(names.at[k]));
		at[k] = ref_by_id(KIND_TARGET_GROUP, g->row.id);
		at[k].text = names.at[k];
		at[k].field = str_from(field);
	}
	*ret_refs = (struct refs){at, names.count};
	return OK;
}

RESULT autoscaling_check_name(struct autoscaling_call *e, struct str name, const char *field)
{
	if (str_is_line(name) && !str_contains(name, STR(":")) && !str_contains(name, STR("/")))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "%s '%" STR_FMT "' must be one line without ':' and '/'.", field,
			      STR_ARG(name));
}

struct str autoscaling_arn(struct autoscaling_call *e, enum kind kind, const struct row *row)
{
	return engine_write_scaling_arn(autoscaling_tables(e), e->c->arena, e->config->region,
					e->c->who->account_number, kind, row);
}

struct str autoscaling_target_arn(struct autoscaling_call *e, uuid target_group)
{
	const struct tables *t = autoscaling_tables(e);
	const struct target_group *g = target_group_find(t, target_group);
	return g && uuid_is_none(g->elastic_load_balancer)
		       ? engine_write_balancing_arn(t, e->c->arena, e->config->region,
						    e->c->who->account_number, KIND_TARGET_GROUP, &g->row)
		       : STR_NONE;
}

struct str autoscaling_balancer_name(struct autoscaling_call *e, uuid target_group)
{
	const struct tables *t = autoscaling_tables(e);
	const struct target_group *g = target_group_find(t, target_group);
	const struct elastic_load_balancer *b =
		g && !uuid_is_none(g->elastic_load_balancer)
			? elastic_load_balancer_find(t, g->elastic_load_balancer)
			: NULL;
	return b ? b->name : STR_NONE;
}

RESULT autoscaling_open_page(struct autoscaling_call *e, const struct query_pages *asked,
			     struct query_page *ret_page)
{
	return query_open_page(e->c, asked, AUTOSCALING_RECORDS, "NextToken", ret_page);
}

void autoscaling_close_page(struct autoscaling_call *e, struct xml *x, const struct query_page *page)
{
	query_close_page(e->c, x, "NextToken", page);
}

RESULT autoscaling_refuse(struct autoscaling_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field), "%s: %s", field, words);
}

void autoscaling_write_texts(struct xml *x, const char *name, const struct strs *texts)
{
	xml_open(x, name);
	for (size_t k = 0; k < texts->count; k++)
		xml_text(x, "member", texts->at[k]);
	xml_close(x, name);
}

void autoscaling_write_words(struct xml *x, const char *list, const char *member, const char *words)
{
	struct str rest = str_from(words), word;
	xml_open(x, list);
	while (str_split_next(&rest, '|', &word)) {
		if (!member) {
			xml_text(x, "member", word);
			continue;
		}
		xml_open(x, "member");
		xml_text(x, member, word);
		xml_close(x, "member");
	}
	xml_close(x, list);
}
