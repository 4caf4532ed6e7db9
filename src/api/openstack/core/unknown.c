/* SPDX-License-Identifier: Apache-2.0
 * Refuses names that no parameter reads. An ignored filter would return every row, and a script that
 * deletes what a list returns would delete every row. A name is ignored only where the table below cites
 * the source that proves that the service ignores it. */
#include "api/openstack/core/unknown.h"

#include <limits.h>

#include "api/openstack/core/services.h"

static const struct unknown_rules {
	const char *member; /* message for an unknown body member */
	const char *query;  /* message for an unknown query name; NULL: queries are not checked */
	int since;          /* first microversion that checks queries */
	bool admins;        /* checks administrators' queries in earlier microversions, too */
	bool lists_only;    /* checks only lists */
	const char *paging; /* names that lists read besides filters: "a|b" */
	const char *any;    /* names that every action reads */
	/* Source that proves where names are ignored; NULL: they never are. */
	const char *source;
} rules[OS_SERVICE_COUNT] = {
	[OS_IDENTITY] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.source = "keystone/*/schema.py: *_request_query have additionalProperties True",
		},
	[OS_COMPUTE] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.query = "Additional properties are not allowed ('{name}' was unexpected)",
			.since = 75,
			.paging = "limit|marker|sort_key|sort_dir|all_tenants|all_projects|offset",
			.source = "nova/api/openstack/compute/schemas/: queries have additionalProperties "
				  "True before 2.75",
		},
	[OS_IMAGE] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.source = "glance/api/v2/images.py: another name is a property that images are to "
				  "have; other controllers read no query",
		},
	[OS_NETWORK] =
		{
			.member = "Unrecognized attribute(s) '{name}'",
			.query = "['{name}'] is invalid attribute for filtering",
			.paging = "limit|marker|sort_key|sort_dir|page_reverse",
			.any = "fields",
			.source =
				"neutron/pecan_wsgi/hooks/query_parameters.py: reads the query of GET alone",
		},
	[OS_VOLUME] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.query = "Invalid filters {name} are found in query options.",
			.since = 31,
			.admins = true, /* Cinder matches nothing for them */
			.lists_only = true,
			.paging = "limit|marker|offset|sort|sort_key|sort_dir|all_tenants",
			.source = "cinder/api/api_utils.py: remove_invalid_filter_options() before 3.31; "
				  "cinder/api/v3/: show() and delete() read no filters",
		},
	[OS_PLACEMENT] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.query = "Invalid query string parameters: Additional properties are not allowed "
				 "('{name}' was unexpected)",
		},
	[OS_LOAD_BALANCER] =
		{
			.member = "Unknown attribute ('{name}' was unexpected)",
			.query = "One or more arguments are either duplicate or invalid: '{name}'",
			.paging = "limit|marker|sort|sort_key|sort_dir|page_reverse",
			.any = "fields",
		},
	[OS_KEY_MANAGER] =
		{
			.member = "Additional properties are not allowed ('{name}' was unexpected)",
			.query = "The query parameter '{name}' is not known.",
		},
	[OS_ALARMING] =
		{
			.member = "Unknown attribute: {name}",
			.query = "Unknown argument: \"{name}\"",
		},
	[OS_METRIC] =
		{
			.member = "Invalid input: extra keys not allowed @ data['{name}']",
			.source =
				"gnocchi/rest/api.py: controllers pass over arguments that they do not name",
		},
};

const char *os_unknown_member_words(enum os_service service)
{
	return rules[service].member;
}

static RESULT fail(struct os_call *e, const char *words, struct str name)
{
	const char *gap = strstr(words, "{name}");
	name = str_slice(name, 0, 128);
	return ctx_fail_field(e->c, ERR_UNKNOWN, name, "%.*s%" STR_FMT "%s", (int) (gap - words), words,
			      STR_ARG(name), gap + strlen("{name}"));
}

RESULT os_fail_unknown_member(struct os_call *e, struct str name)
{
	return fail(e, rules[e->service].member, name);
}

static bool has_word(const char *words, struct str name)
{
	struct str rest = str_from(words), word;
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, name))
			return true;
	return false;
}

/* Returns the first microversion that refuses unknown names; INT_MAX: never. */
static int checked_since(enum os_service service, const struct os_action *a, const struct os_listing *list)
{
	const struct unknown_rules *r = &rules[service];
	bool is_list = list || a->flags & OS_FILTERS;
	if (!r->query || (list && list->passes) || (!is_list && r->lists_only))
		return INT_MAX;
	if (service == OS_NETWORK && a->method != HTTP_GET)
		return INT_MAX;
	return list && list->unknown_since ? list->unknown_since : r->since;
}

static bool is_checked(const struct os_call *e, const struct os_listing *list)
{
	int since = checked_since(e->service, os_action_of(e), list);
	return e->request.version >= since ||
	       (since != INT_MAX && rules[e->service].admins && os_is_admin(e));
}

void os_dump_unknown(struct json_writer *w, enum os_service service, const struct os_action *action)
{
	int since = checked_since(service, action, action->list);
	json_write_open(w, "unknown_query");
	if (since == INT_MAX)
		json_write_null(w, "since");
	else
		json_write_int(w, "since", since);
	json_write_z(w, "source",
		     action->list && action->list->passes ? action->list->passes : rules[service].source);
	json_write_close(w);
}

static bool find_filter(const struct os_call *e, const struct os_listing *list, struct str name,
			struct os_filter *ret_filter)
{
	for (size_t k = 0; k < list->filters.count; k++)
		if (str_is(name, list->filters.at[k].name) &&
		    e->request.version >= list->filters.at[k].since) {
			*ret_filter = list->filters.at[k];
			return true;
		}
	return os_make_filter(list, name, e->request.version, ret_filter);
}

bool os_list_reads(const struct os_call *e, const struct os_listing *list, struct str name)
{
	struct os_filter filter;
	bool is_filter = find_filter(e, list, name, &filter);
	bool is_hidden = is_filter && filter.is_admins && e->service == OS_VOLUME && !os_is_admin(e);
	bool counts = list->flags & OS_COUNTS && e->request.version >= OS_COUNTS_SINCE;
	return (is_filter && !is_hidden) || has_word(list->members, name) ||
	       (counts && str_is(name, "with_count"));
}

RESULT os_check_list_name(struct os_call *e, const struct os_listing *list, struct str name)
{
	const struct unknown_rules *r = &rules[e->service];
	if (!is_checked(e, list) || has_word(r->any, name) || has_word(r->paging, name) ||
	    has_word(list->others, name) || os_list_reads(e, list, name))
		return OK;
	return fail(e, r->query, name);
}

static bool has_row(const struct os_call *e, struct str name)
{
	const struct params *table = &os_action_of(e)->args;
	int version = e->request.version;
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		if (p->place == IN_QUERY && has_word(p->wire, name) && (!p->since || version >= p->since) &&
		    (!p->until || version <= p->until))
			return true;
	}
	return false;
}

RESULT os_check_query_names(struct os_call *e)
{
	const struct unknown_rules *r = &rules[e->service];
	const struct pairs *query = &e->request.query;
	if (os_action_of(e)->list || !is_checked(e, NULL))
		return OK;
	for (size_t k = 0; k < query->count; k++)
		if (!has_word(r->any, query->at[k].name) && !has_row(e, query->at[k].name))
			return fail(e, r->query, query->at[k].name);
	return OK;
}
