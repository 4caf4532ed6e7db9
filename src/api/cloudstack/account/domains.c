/* SPDX-License-Identifier: Apache-2.0
 * Domains, shared with Keystone. The default domain is the root; all others are its children.
 */
#include "api/cloudstack/account/people.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/people/domain.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"

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

/* False: the domain has no limits of its own. */
static bool read_limits(struct api_call *e, uuid domain, struct account *ret_limits)
{
	const struct domain_limit *l = domain_limit_find_by_domain(api_tables(e), domain);
	if (l)
		*ret_limits = (struct account){.limit_instances = l->limit_instances,
					       .limit_vcpus = l->limit_vcpus,
					       .limit_memory = l->limit_memory,
					       .limit_volumes = l->limit_volumes,
					       .limit_volume_bytes = l->limit_volume_bytes,
					       .limit_snapshots = l->limit_snapshots,
					       .limit_images = l->limit_images,
					       .limit_addresses = l->limit_addresses,
					       .limit_routers = l->limit_routers,
					       .limit_networks = l->limit_networks};
	return l;
}

/* Writes the domain's limits, and the sums of all its accounts. */
static void write_figures(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct account_usage sum = {0};
	struct account limits = {0};
	bool is_limited = read_limits(e, row->id, &limits);
	(void) name;
	for (const struct account *a = account_first_by_domain(api_tables(e), row->id); a;
	     a = account_next_by_domain(api_tables(e), a)) {
		const struct account_usage *u = account_usage(a);
		if (!row_is_live(&a->row))
			continue;
		sum.instances += u->instances, sum.vcpus += u->vcpus, sum.memory += u->memory;
		sum.volumes += u->volumes, sum.volume_bytes += u->volume_bytes;
		sum.snapshots += u->snapshots, sum.images += u->images;
		sum.addresses += u->addresses, sum.networks += u->networks, sum.routers += u->routers;
	}
	cs_write_usage(e, w, is_limited ? &limits : NULL, &sum);
}

static const struct member members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct domain, "id", row.id),
	MEMBER_TEXT("name", cs_get_domain_name),
	MEMBER_WRITTEN("level", write_place, .also = "haschild|parentdomainid|parentdomainname"),
	MEMBER_TEXT("path", get_path),
	MEMBER(struct domain, "state", enabled, .yes = "Active", .no = "Inactive"),
	MEMBER_AS(struct domain, TIME, "created", row.created_us),
	MEMBER_WRITTEN("vmlimit", write_figures, .also = CS_FIGURES),
};
const struct api_listing cs_domains = CS_LISTING(
	KIND_DOMAIN, "domain", members, .get_name = cs_get_domain_name, .is_all = true, .matches = matches);

/* ---- listDomainChildren ---- */

struct list_children {
	struct cs_list_args list;
	struct ref parent;
};
static const struct param children_params[] = {
	CS_PAGE_PARAMS(struct list_children),
	CS_NAME_PARAM(struct list_children),
	PARAM(struct list_children, "id", parent, .kind = KIND_DOMAIN,
	      .doc = "Below this one; absent: the root."),
	PARAM(struct list_children, "isrecursive", list.is_recursive,
	      .doc = "Makes no difference: nothing is below those below the root."),
	PARAM(struct list_children, "listall", list.lists_all, .doc = "Makes no difference."),
	NOT_BUILT("showicon", .only = "false"),
};

static bool is_child(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_children *a = args;
	(void) e;
	return !is_root(row) && (!ref_is_given(&a->parent) || uuid_equal(a->parent.prefix, DOMAIN_DEFAULT));
}

static const struct api_listing children = CS_LISTING(
	KIND_DOMAIN, "domain", members, .get_name = cs_get_domain_name, .is_all = true, .matches = is_child);

static const struct cs_action actions[] = {
	{CS_ACTION("listDomainChildren", "organizations:DescribeOrganization"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_children, children_params), .listing = &children,
	 .doc = "Domains below another."},
	{CS_ACTION("listDomains", "organizations:DescribeOrganization"),
	 .args = PARAMS(struct list_domains, params), .listing = &cs_domains, .doc = "Domains."},
};
const struct api_actions cs_domain_actions = API_ACTIONS(actions);
