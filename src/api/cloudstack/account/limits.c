/* SPDX-License-Identifier: Apache-2.0
 * Resource limits and counts of accounts and domains, which every face enforces. Counts are
 * always exact, so updateResourceCount only reports them. Source: API reference, "Limit", 4.18; numbers and
 * names of types: Resource.ResourceType.
 */
#include "api/cloudstack/account/limits.h"

#include "api/cloudstack/account/people.h"
#include "engine/people/account/account.h"
#include "engine/people/account/domain_limit.h"
#include "engine/quota.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"

enum { MIB = 20, GIB = 30, TYPES = 12 };

static const struct limit_type {
	const char *name;
	size_t limit, wish,
		count; /* offsets + 1 in an account's row, a wish and the usage; 0: not limited, not counted */
	size_t domain; /* the same in struct domain_limits */
	unsigned shift;
} types[TYPES] = {
#define LIMITED(word, figure, unit)                                                                          \
	{                                                                                                    \
		(word), offsetof(struct account, limit_##figure) + 1,                                        \
			offsetof(struct account_limits, figure) + 1,                                         \
			offsetof(struct account_usage, figure) + 1,                                          \
			offsetof(struct domain_limits, figure) + 1, (unit)                                   \
	}
	LIMITED("user_vm", instances, 0),
	LIMITED("public_ip", addresses, 0),
	LIMITED("volume", volumes, 0),
	LIMITED("snapshot", snapshots, 0),
	LIMITED("template", images, 0),
	{.name = "project"},
	LIMITED("network", networks, 0),
	LIMITED("vpc", routers, 0),
	LIMITED("cpu", vcpus, 0),
	LIMITED("memory", memory, MIB),
	LIMITED("primary_storage", volume_bytes, GIB),
	{.name = "secondary_storage"},
#undef LIMITED
};

static int64_t read_figure(const void *base, size_t at, unsigned shift)
{
	int64_t figure = at ? *(const int64_t *) (const void *) ((const char *) base + at - 1) : -1;
	return figure < 0 ? -1 : figure >> shift;
}

int64_t cs_read_limit(const struct account *account, size_t type)
{
	return read_figure(account, types[type].limit, types[type].shift);
}

void cs_set_limit(struct account_limits *limits, size_t type, int64_t max)
{
	*(int64_t *) (void *) ((char *) limits + types[type].wish - 1) =
		max < 0 ? -1 : max << types[type].shift;
}

bool cs_is_limited(size_t type)
{
	return type < TYPES && types[type].limit;
}

struct limit_args {
	struct cs_list_args list;
	struct account_limits limits;
	struct domain_limits domain_limits;
	bool is_of_domain; /* the limit holds for all accounts of the domain together */
	struct ref project;
	struct str type_name;
	int64_t type, max;
	bool has_type, has_max;
};
#define P(wire, member, ...) PARAM(struct limit_args, wire, member, __VA_ARGS__)
#define TYPE_PARAM(how)                                                                                      \
	P("resourcetype", type, .min = 0, .max = TYPES - 1,                                                  \
	  .given = offsetof(struct limit_args, has_type) + 1, .flags = (how),                                \
	  .doc = "Resource type. 0: VMs; 1: public IPs; 2: volumes; 3: snapshots; 4: templates; 5: "         \
		 "projects; 6: networks; 7: VPCs; 8: CPUs; 9: memory in MiB; 10: primary storage in GiB; "   \
		 "11: secondary storage in GiB.")
#define WHOSE                                                                                                \
	P("account", list.account, .doc = "Account; needs domainid."),                                       \
		P("projectid", project, .kind = KIND_ACCOUNT, .doc = "Project.")
#define DOMAIN(how)                                                                                          \
	P("domainid", list.domain, .kind = KIND_DOMAIN, .flags = (how),                                      \
	  .doc = "Domain of the account; without an account, the domain itself.")

/* ---- objects ---- */

static bool is_asked_for(const struct limit_args *a, size_t type)
{
	return (!a->has_type || a->type == (int64_t) type) &&
	       (!a->type_name.n || str_is(a->type_name, types[type].name));
}

/* account NULL: writes the domain. */
static void open_object(struct cs_call *e, struct json_writer *w, const char *name,
			const struct account *account, uuid domain, size_t type)
{
	char number[8];
	bool is_project = ref_is_given(&((const struct limit_args *) e->args)->project);
	json_write_open(w, name);
	if (account && is_project) {
		json_write_text(w, "projectid", uuid_to_str(e->c->arena, account->row.id));
		json_write_text(w, "project", account->name);
	} else if (account) {
		json_write_text(w, "account", account->name);
	}
	cs_write_domain(&e->core, w, account ? account->domain : domain);
	snprintf(number, sizeof number, "%zu", type);
	json_write_z(w, "resourcetype", number);
	json_write_z(w, "resourcetypename", types[type].name);
}

static int64_t read_domain_limit(const struct domain_limit *row, size_t type)
{
	struct domain_limits limits;
	engine_read_domain_limits(row, &limits);
	return read_figure(&limits, types[type].domain, types[type].shift);
}

/* limits: the domain's row; NULL: the domain has none, or the object shows an account. */
static void write_limit(struct cs_call *e, struct json_writer *w, const char *name,
			const struct account *account, uuid domain, const struct domain_limit *limits,
			size_t type)
{
	open_object(e, w, name, account, domain, type);
	json_write_int(w, "max", account ? cs_read_limit(account, type) : read_domain_limit(limits, type));
	json_write_close(w);
}

static size_t count_asked_for(const struct limit_args *a)
{
	size_t count = 0;
	for (size_t type = 0; type < TYPES; type++)
		count += is_asked_for(a, type);
	return count;
}

/* ---- listResourceLimits ---- */

static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct limit_args),
	WHOSE,
	DOMAIN(0),
	TYPE_PARAM(0),
	P("resourcetypename", type_name, .doc = "Resource type by name, such as user_vm."),
	P("listall", list.lists_all, .doc = "Ignored."),
	P("isrecursive", list.is_recursive, .doc = "Ignored."),
	NOT_BUILT("id|tag"),
};

/* Finds the domain if the request names only that and the caller sees it. */
static RESULT check_domain(struct cs_call *e, const struct limit_args *a)
{
	const struct ref *ref = &a->list.domain;
	const struct domain *domain = ref_is_given(ref) ? domain_find(cs_tables(e), ref->prefix) : NULL;
	if (ref_is_given(ref) && !(domain && engine_may_see(e->c, KIND_DOMAIN, &domain->row)) &&
	    !a->list.account.n)
		return cs_fail_id(e, KIND_DOMAIN, "domainid", ref->text);
	return OK;
}

static const struct account *find_account(struct cs_call *e, const struct limit_args *a)
{
	bool is_of_domain = ref_is_given(&a->list.domain) && !a->list.account.n;
	return is_of_domain ? NULL : account_find(cs_tables(e), e->c->who->account);
}

static RESULT list_limits(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct limit_args *a = args;
	const struct account *account = find_account(e, a);
	struct api_list_wish page = {.limit = 0};
	size_t count = count_asked_for(a), at = 0;
	const struct domain_limit *limits =
		account ? NULL : domain_limit_find_by_domain(cs_tables(e), a->list.domain.prefix);
	TRY(check_domain(e, a));
	TRY(cs_read_page(e, &a->list, &page));
	if (!count)
		return OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, "resourcelimit");
	for (size_t type = 0; type < TYPES; type++) {
		if (!is_asked_for(a, type))
			continue;
		if (at >= page.offset && (!page.limit || at < page.offset + page.limit))
			write_limit(e, w, NULL, account, a->list.domain.prefix, limits, type);
		at++;
	}
	json_write_close_list(w);
	return OK;
}

/* ---- updateResourceLimit ---- */

static const struct param update_params[] = {
	WHOSE,
	DOMAIN(0),
	TYPE_PARAM(REQUIRED),
	P("max", max, .min = -1, .max = INT32_MAX, .given = offsetof(struct limit_args, has_max) + 1,
	  .doc = "Limit; -1 or absent: no limit."),
	NOT_BUILT("tag"),
};

static int64_t to_figure(const struct limit_args *a, size_t type)
{
	return a->has_max && a->max >= 0 ? a->max << types[type].shift : -1;
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct limit_args *a = args;
	const struct account *account = account_find(cs_tables(e), e->c->who->account);
	if (!cs_is_limited((size_t) a->type))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("resourcetype"),
				      "A limit of the resource type %s is not supported",
				      types[a->type].name);
	a->is_of_domain = ref_is_given(&a->list.domain) && !a->list.account.n && !ref_is_given(&a->project);
	if (!account && !a->is_of_domain)
		return cs_fail_id(e, KIND_ACCOUNT, "account", a->list.account);
	if (a->is_of_domain) {
		a->domain_limits = domain_limits_all(a->list.domain, ACCOUNT_LIMIT_KEEP);
		*(int64_t *) (void *) ((char *) &a->domain_limits + types[a->type].domain - 1) =
			to_figure(a, (size_t) a->type);
		e->returns = KIND_DOMAIN_LIMIT;
		return OK;
	}
	a->limits = account_limits_all((struct ref){.kind = KIND_ACCOUNT,
						    .prefix = account->row.id,
						    .bits = 8 * sizeof(uuid),
						    .text = account->name},
				       ACCOUNT_LIMIT_KEEP);
	cs_set_limit(&a->limits, (size_t) a->type, a->has_max ? a->max : -1);
	return OK;
}

static RESULT set_limits(struct op *op, void *args)
{
	struct limit_args *a = args;
	return a->is_of_domain ? engine_set_domain_limits(op, &a->domain_limits)
			       : engine_set_limits(op, &a->limits);
}

static RESULT show_limit(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct limit_args *a = args;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->is_of_domain ? a->domain_limits.limit : a->limits.account.prefix, &row));
	write_limit(e, w, "resourcelimit", a->is_of_domain ? NULL : account_of(row), a->list.domain.prefix,
		    a->is_of_domain ? domain_limit_of(row) : NULL, (size_t) a->type);
	return OK;
}

/* ---- updateResourceCount ---- */

static const struct param count_params[] = {
	WHOSE,
	DOMAIN(REQUIRED),
	TYPE_PARAM(0),
	NOT_BUILT("tag"),
};
#undef P

static void add_counts(const struct account *account, int64_t sums[TYPES])
{
	struct account_usage usage;
	engine_get_usage(account, &usage);
	for (size_t type = 0; type < TYPES; type++)
		if (types[type].count)
			sums[type] += *(const int64_t *) (const void *) ((const char *) &usage +
									 types[type].count - 1);
}

/* Sums the counts of the account, or of all accounts of the domain. */
static void sum_counts(const struct tables *t, const struct account *account, uuid domain,
		       int64_t ret_sums[TYPES])
{
	memset(ret_sums, 0, TYPES * sizeof *ret_sums);
	if (account)
		add_counts(account, ret_sums);
	const struct account *a = account ? NULL : account_first_by_domain(t, domain);
	for (; a; a = account_next_by_domain(t, a))
		if (row_is_live(&a->row))
			add_counts(a, ret_sums);
}

static RESULT tell_counts(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct limit_args *a = args;
	bool is_of_account = a->list.account.n || ref_is_given(&a->project);
	uuid domain = a->list.domain.prefix;
	const struct account *account = is_of_account ? account_find(cs_tables(e), e->c->who->account) : NULL;
	int64_t sums[TYPES];
	TRY(check_domain(e, a));
	sum_counts(cs_tables(e), account, domain, sums);
	json_write_int(w, "count", (int64_t) count_asked_for(a));
	json_write_open_list(w, "resourcecount");
	for (size_t type = 0; type < TYPES; type++) {
		if (!is_asked_for(a, type))
			continue;
		open_object(e, w, NULL, account, domain, type);
		json_write_int(w, "resourcecount", sums[type] >> types[type].shift);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define OBJECT "account|projectid|project|domainid|domain|resourcetype|resourcetypename|"
static const struct cs_action actions[] = {
	{CS_ACTION("listResourceLimits", "ec2:DescribeAccountAttributes"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct limit_args, list_params), .answer = list_limits, .says = OBJECT "max",
	 .doc = "Lists the resource limits of an account, or of all accounts of a domain together."},
	{CS_ACTION("updateResourceLimit", "ec2:ModifyAccountLimits"),
	 .flags = API_WRITES | CS_ADMIN | CS_OF_ACCOUNT | CS_OF_DOMAIN,
	 .args = PARAMS(struct limit_args, update_params), .prepare = prepare_update, .operation = set_limits,
	 .returns = KIND_ACCOUNT, .answer = show_limit, .says = OBJECT "max",
	 .doc = "Changes a resource limit of an account, or of all accounts of a domain together."},
	{CS_ACTION("updateResourceCount", "ec2:DescribeAccountAttributes"), .flags = CS_ADMIN | CS_OF_ACCOUNT,
	 .args = PARAMS(struct limit_args, count_params), .answer = tell_counts,
	 .says = OBJECT "resourcecount",
	 .doc = "Returns the number of resources of each kind of an account or a domain."},
};
const struct api_actions cs_limit_actions = API_ACTIONS(actions);
