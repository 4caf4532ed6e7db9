/* SPDX-License-Identifier: Apache-2.0
 * Domains, shared with Keystone, whose list is flat. The default domain is the root; all others are below it.
 */
#include "api/cloudstack/account/people.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/people/account/domain.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"

struct str cs_domain_path(struct arena *a, const struct tables *t, const struct domain *domain)
{
	struct str path = STR_NONE;
	for (; domain; domain = domain_find(t, engine_get_parent(domain)))
		path = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(cs_domain_name(domain)),
				 path.n ? "/" : "", STR_ARG(path));
	return path;
}

static int64_t find_level(const struct tables *t, const struct domain *domain)
{
	int64_t level = 0;
	while ((domain = domain_find(t, engine_get_parent(domain))))
		level++;
	return level;
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
	PARAM(struct list_domains, "listall", list.lists_all, .doc = "Ignored."),
	PARAM(struct list_domains, "level", level, .min = 0, .max = INT32_MAX,
	      .given = offsetof(struct list_domains, has_level) + 1,
	      .doc = "Level of the domain: 0 is the root."),
	PARAM(struct list_domains, "details", details,
	      .doc = "all, resource or min, which shows no limits; absent: all."),
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
	return !a->has_level || a->level == find_level(api_tables(e), domain_of(row));
}

static struct str get_path(struct api_call *e, const struct row *row)
{
	return cs_domain_path(e->c->arena, api_tables(e), domain_of(row));
}

/* The domains right below this one have it as their parent; those below the root have none. */
static const struct domain *first_child(const struct tables *t, const struct row *row)
{
	const struct domain *child = domain_first_by_parent(t, is_root(row) ? UUID_NONE : row->id);
	while (child && is_root(&child->row))
		child = domain_next_by_parent(t, child);
	return child;
}

static void write_place(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct domain *parent = domain_find(t, engine_get_parent(domain_of(row)));
	json_write_int(w, name, find_level(t, domain_of(row)));
	json_write_bool(w, "haschild", first_child(t, row));
	if (!parent)
		return;
	json_write_text(w, "parentdomainid", uuid_to_str(e->c->arena, parent->row.id));
	json_write_text(w, "parentdomainname", cs_domain_name(parent));
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

static void add_usage(struct api_call *e, uuid domain, struct account_usage *ret_sum)
{
	struct account_usage sum = *ret_sum;
	for (const struct account *a = account_first_by_domain(api_tables(e), domain); a;
	     a = account_next_by_domain(api_tables(e), a)) {
		const struct account_usage *u = account_usage(a);
		if (!row_is_live(&a->row))
			continue;
		sum.instances += u->instances, sum.vcpus += u->vcpus, sum.memory += u->memory;
		sum.volumes += u->volumes, sum.volume_bytes += u->volume_bytes;
		sum.snapshots += u->snapshots, sum.images += u->images;
		sum.disk_bytes += u->disk_bytes;
		sum.addresses += u->addresses, sum.networks += u->networks, sum.routers += u->routers;
	}
	*ret_sum = sum;
	const struct domain *below = domain_first_by_parent(api_tables(e), domain);
	for (; below && !uuid_is_none(below->parent); below = domain_next_by_parent(api_tables(e), below))
		add_usage(e, below->row.id, ret_sum);
}

/* Counts the projects in the domain and in the domains below it. The root domain counts its own alone. */
static int64_t count_projects(const struct tables *t, uuid domain)
{
	int64_t count = 0;
	for (const struct account *a = account_first_by_domain(t, domain); a;
	     a = account_next_by_domain(t, a))
		count += row_is_live(&a->row) && cs_is_project(t, a->row.id);
	const struct domain *below = domain_first_by_parent(t, domain);
	for (; below && !uuid_is_none(below->parent); below = domain_next_by_parent(t, below))
		count += count_projects(t, below->row.id);
	return count;
}

#define CS_UNLIMITED                                                                                         \
	"|projectlimit|projecttotal|projectavailable|secondarystoragelimit|secondarystoragetotal|"           \
	"secondarystorageavailable"
/* No limit is about projects, and none of a domain's about secondary storage, whose figure is that of all its files. */
static void write_unlimited(struct json_writer *w, int64_t projects, int64_t bytes)
{
	enum { GIB = 30 };
	json_write_z(w, "projectlimit", "Unlimited");
	json_write_int(w, "projecttotal", projects);
	json_write_z(w, "projectavailable", "Unlimited");
	json_write_z(w, "secondarystoragelimit", "Unlimited");
	json_write_int(w, "secondarystoragetotal", bytes >> GIB);
	json_write_z(w, "secondarystorageavailable", "Unlimited");
}

/* Writes the domain's limits, and what its accounts and those of the domains below it use together. The root's figures
 * count its own accounts alone, since nothing limits all accounts. */
static void write_figures(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct account_usage sum = {0};
	struct account limits = {0};
	bool is_limited = read_limits(e, row->id, &limits);
	(void) name;
	if (!cs_shows_figures(e))
		return;
	add_usage(e, row->id, &sum);
	write_unlimited(w, count_projects(api_tables(e), row->id), sum.disk_bytes);
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
	MEMBER_WRITTEN("vmlimit", write_figures, .also = CS_FIGURES CS_UNLIMITED),
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
	      .doc = "Parent domain; absent: the root."),
	PARAM(struct list_children, "isrecursive", list.is_recursive, .doc = "Includes all subdomains."),
	PARAM(struct list_children, "listall", list.lists_all, .doc = "Ignored."),
	NOT_BUILT("showicon", .only = "false"),
};

static bool is_child(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_children *a = args;
	uuid above = ref_is_given(&a->parent) ? a->parent.prefix : DOMAIN_DEFAULT;
	if (uuid_equal(row->id, above))
		return false;
	return a->list.is_recursive == CHOICE_YES ? engine_is_domain_within(api_tables(e), row->id, above)
						  : uuid_equal(engine_get_parent(domain_of(row)), above);
}

static const struct api_listing children = CS_LISTING(
	KIND_DOMAIN, "domain", members, .get_name = cs_get_domain_name, .is_all = true, .matches = is_child);

static const struct cs_action actions[] = {
	{CS_ACTION("listDomainChildren", "organizations:DescribeOrganization"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_children, children_params), .listing = &children,
	 .doc = "Lists the subdomains of a domain."},
	{CS_ACTION("listDomains", "organizations:DescribeOrganization"),
	 .args = PARAMS(struct list_domains, params), .listing = &cs_domains, .doc = "Lists domains."},
};
const struct api_actions cs_domain_actions = API_ACTIONS(actions);
