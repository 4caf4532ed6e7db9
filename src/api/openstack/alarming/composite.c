/* SPDX-License-Identifier: Apache-2.0
 * Composite rules: {"or": [RULE, {"and": [RULE, RULE]}]}. Source: aodh.api.controllers.v2.alarm_rules.composite. */
#include "api/openstack/alarming/alarming.h"
#include "base/buf.h"

enum { DEPTH_MAX = 8, TEXT_CAP = 65536, BODY_MAX = 16384 };

struct reading {
	struct os_call *e;
	struct alarm *parts;
	size_t count;
	struct buf rule;      /* (ALARM("#1") AND ALARM("#2")) */
	struct json_writer j; /* the rule as answers show it */
};

static RESULT fail(struct os_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("composite_rule"), "%s", why);
}

/* The rule's members, after its type, are those of an alarm of that type. */
static RESULT read_part(struct reading *r, const json_t *node)
{
	static const struct {
		const char *type;
		const struct params *params;
		size_t rule, has;
	} types[] = {{"gnocchi_resources_threshold", &aodh_resource_params,
		      offsetof(struct aodh_rules, resource), offsetof(struct aodh_rules, has_resource)},
		     {"gnocchi_aggregation_by_resources_threshold", &aodh_resources_params,
		      offsetof(struct aodh_rules, resources), offsetof(struct aodh_rules, has_resources)},
		     {"gnocchi_aggregation_by_metrics_threshold", &aodh_metrics_params,
		      offsetof(struct aodh_rules, metrics), offsetof(struct aodh_rules, has_metrics)}};
	const char *type = json_string_value(json_object_get(node, "type"));
	struct aodh_rules rules = {0};
	size_t k = 0;
	if (!type)
		return fail(r->e, "type must be set in every rule");
	while (k < sizeof types / sizeof *types && strcmp(type, types[k].type))
		k++;
	if (k == sizeof types / sizeof *types)
		return ctx_fail_field(r->e->c, ERR_INVALID, STR("composite_rule"),
				      "Unsupported sub-rule type :%" STR_FMT
				      " in composite rule, should be one of: "
				      "['gnocchi_aggregation_by_metrics_threshold', "
				      "'gnocchi_aggregation_by_resources_threshold', "
				      "'gnocchi_resources_threshold']",
				      STR_ARG(str_cut(str_from(type), 64)));
	if (r->count == AODH_PARTS_MAX)
		return fail(r->e, "A composite rule has up to 20 threshold rules.");
	json_t *members = json_copy((json_t *) (uintptr_t) node);
	(void) json_object_del(members, "type");
	struct os_request request = {.body = members, .unknown = r->e->request.unknown};
	struct result result =
		os_params_read(r->e->c, types[k].params, &request, (char *) &rules + types[k].rule);
	json_decref(members);
	TRY(result);
	*(bool *) ((char *) &rules + types[k].has) = true;
	struct alarm *part = &r->parts[r->count++];
	TRY(os_aodh_read_rule(r->e, str_copy(r->e->c->arena, str_from(type)), &rules, part));
	/* The type stands within the rule here. */
	part->body = str_print(r->e->c->arena, "{\"type\":\"%s\",%" STR_FMT, types[k].type,
			       STR_ARG(str_slice(part->body, 1, part->body.n)));
	json_write_raw(&r->j, NULL, part->body);
	buf_print(&r->rule, "ALARM(\"#%zu\")", r->count);
	return OK;
}

static RESULT read_node(struct reading *r, const json_t *node, int depth)
{
	size_t k;
	json_t *one;
	const json_t *all = json_object_get(node, "and"), *any = json_object_get(node, "or");
	const json_t *list = all ? all : any;
	if (!json_is_object(node) || depth > DEPTH_MAX)
		return fail(r->e,
			    "Invalid input composite rule: it should be a dict with an \"and\" or \"or\" as "
			    "key, and the value of dict should be a list of basic threshold rules or sub "
			    "composite rules, can be nested.");
	if (!list || json_object_size(node) != 1)
		return json_object_size(node) == 1 && !json_object_get(node, "type")
			       ? fail(r->e, "Threshold rules should be combined with \"and\" or \"or\"")
			       : read_part(r, node);
	if (!json_is_array(list) || !json_array_size(list))
		return read_node(r, NULL, depth);
	json_write_open(&r->j, NULL);
	json_write_open_list(&r->j, all ? "and" : "or");
	buf_add_char(&r->rule, '(');
	json_array_foreach (list, k, one) {
		if (k)
			buf_print(&r->rule, all ? " AND " : " OR ");
		TRY(read_node(r, one, depth + 1));
	}
	buf_add_char(&r->rule, ')');
	json_write_close_list(&r->j);
	json_write_close(&r->j);
	return OK;
}

RESULT os_aodh_read_composite(struct os_call *e, struct str text, struct aodh_alarm_wish *wish)
{
	struct reading r = {.e = e};
	struct buf body;
	r.parts = arena_new_array(e->c->arena, struct alarm, AODH_PARTS_MAX);
	if (!r.parts)
		return ctx_no_memory(e->c);
	if (!text.n || str_is(text, "null"))
		return fail(e, "composite_rule must be set for composite type alarm");
	json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	buf_init(&r.rule, TEXT_CAP);
	buf_init(&body, TEXT_CAP);
	json_write_begin(&r.j, &body);
	struct result result = read_node(&r, root, 1);
	wish->row.is_composite = true;
	wish->row.form = ALARM_FORM_COMPOSITE;
	wish->row.rule = str_copy(e->c->arena, buf_str(&r.rule));
	wish->row.body = str_copy(e->c->arena, buf_str(&body));
	wish->parts = r.parts;
	wish->part_count = r.count;
	buf_done(&r.rule);
	buf_done(&body);
	json_decref(root);
	TRY(result);
	return wish->row.body.n <= BODY_MAX ? OK : fail(e, "The composite rule is too long.");
}
