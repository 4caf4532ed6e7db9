/* SPDX-License-Identifier: Apache-2.0
 * Domains: those that Keystone has, too. The default domain is the root, and the others are below it. */
#include "api/cloudstack/account/people.h"
#include "engine/people/domain.h"
#include "engine/resolve.h"

struct str cs_domain_path(struct arena *a, const struct domain *domain)
{
	bool is_root = uuid_equal(domain->row.id, DOMAIN_DEFAULT);
	return is_root ? STR("ROOT") : str_print(a, "ROOT/%" STR_FMT, STR_ARG(domain->name));
}

void cs_write_domain(struct api_call *e, struct json_writer *w, uuid id)
{
	const struct domain *domain = domain_find(api_tables(e), id);
	if (!domain)
		return;
	json_write_text(w, "domainid", uuid_to_str(e->c->arena, id));
	json_write_text(w, "domain", cs_domain_name(domain));
}

/* ---- listDomains ---- */

struct list_domains {
	struct cs_list_args list;
	int64_t level;
	struct strs details;
	bool has_level;
};
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_domains, KIND_DOMAIN),
	CS_NAME_PARAM(struct list_domains),
	PARAM(struct list_domains, "listall", list.lists_all, .doc = "Makes no difference."),
	PARAM(struct list_domains, "level", level, .min = 0, .max = INT32_MAX,
	      .given = offsetof(struct list_domains, has_level) + 1, .doc = "0: the root; 1: all others."),
	PARAM(struct list_domains, "details", details, .doc = "all, resource or min; all are shown."),
	NOT_BUILT("tag"),
	NOT_BUILT("showicon", .only = "false"),
};

static bool is_root(const struct row *row)
{
	return uuid_equal(row->id, DOMAIN_DEFAULT);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_domains *a = args;
	(void) e;
	return !a->has_level || a->level == !is_root(row);
}

static struct str get_path(struct api_call *e, const struct row *row)
{
	return cs_domain_path(e->c->arena, domain_of(row));
}

static void write_place(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	json_write_int(w, name, !is_root(row));
	json_write_bool(w, "haschild", is_root(row) && tables_count(api_tables(e), KIND_DOMAIN) > 1);
	if (is_root(row))
		return;
	json_write_text(w, "parentdomainid", uuid_to_str(e->c->arena, DOMAIN_DEFAULT));
	json_write_z(w, "parentdomainname", "ROOT");
}

static const struct member members[] = {
	MEMBER(struct domain, "id", row.id),
	MEMBER_TEXT("name", cs_get_domain_name),
	MEMBER_WRITTEN("level", write_place, .also = "haschild|parentdomainid|parentdomainname"),
	MEMBER_TEXT("path", get_path),
	MEMBER(struct domain, "state", enabled, .yes = "Active", .no = "Inactive"),
	MEMBER_AS(struct domain, TIME, "created", row.created_us),
};
const struct api_listing cs_domains = CS_LISTING(
	KIND_DOMAIN, "domain", members, .get_name = cs_get_domain_name, .is_all = true, .matches = matches);

static const struct cs_action actions[] = {
	{CS_ACTION("listDomains", "organizations:DescribeOrganization"),
	 .args = PARAMS(struct list_domains, params), .listing = &cs_domains, .doc = "Domains."},
};
const struct api_actions cs_domain_actions = API_ACTIONS(actions);
