/* SPDX-License-Identifier: Apache-2.0
 * listUsageRecords: one record per resource, size and UTC day, computed from the usage records that each
 * change of a level leaves. The current day counts what was used so far. Not built: templates, rules,
 * traffic. Source: UsageServiceImpl, UsageTypes and ApiResponseHelper's createUsageResponse.
 */
#include "api/cloudstack/compute/compute.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "base/vec.h"
#include "engine/billing/billing.h"
#include "engine/instance/instance.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/address.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/snapshot.h"
#include "store/sql.h"
#include "store/volume.h"
#include "store/volume_type.h"

enum { RECORDS_MAX = 50000 };
#define DAY (24 * HOUR)

enum { RUNNING = 1, ALLOCATED = 2, ADDRESS = 3, VOLUME = 6, SNAPSHOT = 9 };
static const struct usage_type {
	int number;
	const char *name, *text;
	enum kind kind;
	const char *meter; /* prefix of its meters */
} types[] = {
	{RUNNING, "RUNNING_VM", "Running Vm Usage", KIND_INSTANCE, "instance:"},
	{ALLOCATED, "ALLOCATED_VM", "Allocated Vm Usage", KIND_INSTANCE, INSTANCE_ALLOCATION_METER},
	{ADDRESS, "IP_ADDRESS", "IP Address Usage", KIND_ADDRESS, "address:"},
	{VOLUME, "VOLUME", "Volume Usage", KIND_VOLUME, "volume:"},
	{SNAPSHOT, "SNAPSHOT", "Snapshot Usage", KIND_SNAPSHOT, "snapshot"},
	{RUNNING, "RUNNING_VM", "Running Vm Usage", KIND_INSTANCE, "spot:"}, /* no type of its own */
};
enum { METERS = sizeof types / sizeof *types, TYPES = METERS - 1 };

/* ---- what is asked ---- */

struct list_usage {
	struct cs_list_args list;
	struct str start, end, usage;
	struct ref project, account;
	int64_t type;
	enum choice has_tags;
	/* results: whole days */
	int64_t from_us, until_us;
	uuid resource; /* none: any */
};
#define P(wire, member, ...) PARAM(struct list_usage, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_PAGE_PARAMS(struct list_usage),
	P("startdate", start, .flags = REQUIRED, .doc = "First day, such as 2024-01-02."),
	P("enddate", end, .flags = REQUIRED, .doc = "Last day, which is included."),
	P("account", list.account, .doc = "Account; needs domainid."),
	P("domainid", list.domain, .kind = KIND_DOMAIN, .doc = "Domain of the accounts."),
	P("accountid", account, .kind = KIND_ACCOUNT, .doc = "Account by id."),
	CS_PROJECT_PARAM(struct list_usage, project),
	P("isrecursive", list.is_recursive, .doc = "Includes subdomains."),
	P("type", type, .min = 1, .max = 99, .doc = "Usage type, as in listUsageTypes."),
	P("usageid", usage, .doc = "Resource by id; needs type."),
	P("includetags", has_tags, .doc = "Includes tags of the resources."),
	NOT_BUILT("oldformat", .only = "false"),
};
#undef P

static RESULT prepare(struct cs_call *e, void *args)
{
	struct list_usage *a = args;
	int64_t end_us = 0;
	TRY(cs_read_date(e, a->start, "startdate", CS_FROM, &a->from_us));
	TRY(cs_read_date(e, a->end, "enddate", CS_UNTIL, &end_us));
	if (a->from_us > end_us)
		return cs_fail(e, "startdate",
			       "Incorrect Date Range. Start date: %" STR_FMT " is after end date:%" STR_FMT,
			       STR_ARG(a->start), STR_ARG(a->end));
	if (ref_is_given(&a->project) && ref_is_given(&a->account))
		return cs_fail(e, "projectid", "Projectid and accountId can't be specified together");
	if (a->usage.n && !a->type)
		return cs_fail(e, "usageid", "Usageid must be specified together with usageType");
	if (a->usage.n && !result_is_ok(uuid_parse_asked(a->usage, &a->resource)))
		return cs_fail_id(e, KIND_NONE, "usageid", a->usage);
	a->from_us = (a->from_us + DAY - 1) / DAY * DAY;
	a->until_us = end_us / DAY * DAY;
	return OK;
}

/* ---- what was had ---- */

struct record {
	const struct usage_type *type;
	uuid account, id;
	struct str meter;
	int64_t level, day, us; /* day: days since 1970 */
};
struct reading {
	struct cs_call *e;
	const struct list_usage *asked;
	const struct usage_type *type;
	uuid account;
	struct record open; /* level 0: none */
	int64_t since_us, now_us;
	VEC(struct record) records;
};

/* Adds time to the record. Records of a resource are adjacent and by day, so the record of that day and
 * size is near the end. */
static RESULT add(struct reading *r, int64_t day, int64_t us)
{
	struct record next = r->open;
	for (size_t k = r->records.count; k-- > 0;) {
		struct record *had = &r->records.at[k];
		if (had->type != next.type || !uuid_equal(had->id, next.id) || had->day != day)
			break;
		/* CloudStack does not distinguish used and unused addresses */
		bool is_alike = next.type->number == ADDRESS || str_equal(had->meter, next.meter);
		if (had->level != next.level || !is_alike)
			continue;
		had->us += us;
		return OK;
	}
	next.day = day;
	next.us = us;
	if (r->records.count >= RECORDS_MAX)
		return cs_fail(r->e, "startdate", "There are more than %d records: ask for a shorter time",
			       RECORDS_MAX);
	return VEC_PUSH(r->e->c->arena, &r->records, next) ? OK : ctx_no_memory(r->e->c);
}

/* Closes the open record. */
static RESULT end_open(struct reading *r, int64_t at_us)
{
	const struct list_usage *a = r->asked;
	int64_t from = r->since_us > a->from_us ? r->since_us : a->from_us;
	int64_t until = at_us < a->until_us ? at_us : a->until_us;
	for (int64_t at = from; r->open.level > 0 && at < until;) {
		int64_t day = at / DAY, next = (day + 1) * DAY < until ? (day + 1) * DAY : until;
		TRY(add(r, day, next - at));
		at = next;
	}
	r->open.level = 0;
	return OK;
}

static RESULT take(void *arg, const struct usage *usage)
{
	struct reading *r = arg;
	bool is_same = uuid_equal(r->open.id, usage->id);
	bool is_other_meter = is_same && r->open.level > 0 && !str_equal(r->open.meter, usage->meter);
	if (!uuid_is_none(r->asked->resource) && !uuid_equal(r->asked->resource, usage->id))
		return OK;
	if (is_other_meter && usage->level == 0) /* the old meter ends after the new one has begun */
		return OK;
	TRY(end_open(r, is_same ? usage->at_us : r->now_us));
	r->open = (struct record){.type = r->type,
				  .account = r->account,
				  .id = usage->id,
				  .meter = str_copy(r->e->c->arena, usage->meter),
				  .level = usage->level};
	r->since_us = usage->at_us;
	return r->open.meter.p ? OK : ctx_no_memory(r->e->c);
}

static RESULT read_account(struct reading *r, uuid account)
{
	r->account = account;
	for (size_t k = 0; k < METERS; k++) {
		const struct usage_query query = {.kind = types[k].kind,
						  .account = account,
						  .meter = str_from(types[k].meter),
						  .before_us = r->asked->until_us};
		if (r->asked->type && r->asked->type != types[k].number)
			continue;
		r->type = &types[k];
		r->open = (struct record){.level = 0};
		TRY(billing_read_levels(r->e->c, r->e->config->store, &query, take, r));
		TRY(end_open(r, r->now_us));
	}
	return OK;
}

/* The named account, else all of the domain, else all. */
static RESULT find_accounts(struct cs_call *e, const struct list_usage *a, struct uuids *ret_accounts)
{
	const struct tables *t = cs_tables(e);
	VEC(uuid) found = {0};
	bool is_root =
		uuid_equal(a->list.domain.prefix, DOMAIN_DEFAULT) && a->list.is_recursive == CHOICE_YES;
	bool is_one = a->list.account.n || ref_is_given(&a->project);
	for (const struct account *account = account_first(t); account; account = account_next(t, account)) {
		uuid id = account->row.id;
		bool is_of = is_one ? uuid_equal(id, e->c->who->account)
				    : !ref_is_given(&a->list.domain) || is_root ||
					      uuid_equal(account->domain, a->list.domain.prefix);
		if (is_of && (!ref_is_given(&a->account) || uuid_equal(id, a->account.prefix)) &&
		    !VEC_PUSH(e->c->arena, &found, id))
			return ctx_no_memory(e->c);
	}
	*ret_accounts = (struct uuids){found.at, found.count};
	return OK;
}

/* ---- writing ---- */

static struct str id_text(struct cs_call *e, uuid id)
{
	return uuid_to_str(e->c->arena, id);
}

/* Hours such as "24" or "0.5"; up to six decimals. */
static struct str write_hours(struct arena *a, int64_t us)
{
	const int64_t millionth = HOUR / 1000000;
	int64_t millionths = (us + millionth / 2) / millionth;
	struct str text = str_print(a, "%lld.%06lld", (long long) (millionths / 1000000),
				    (long long) (millionths % 1000000));
	while (text.n && text.p[text.n - 1] == '0')
		text.n--;
	text.n -= text.n && text.p[text.n - 1] == '.';
	return text;
}

/* Formats " for NAME (ID)" from what is known. */
static struct str named(struct cs_call *e, const char *before, struct str name, uuid id)
{
	return name.n ? str_print(e->c->arena, "%s%" STR_FMT " (%" STR_FMT ")", before, STR_ARG(name),
				  STR_ARG(id_text(e, id)))
		      : STR_NONE;
}

/* Meter without its prefix; for an allocation, its type. */
static struct str size_of(const struct record *r)
{
	struct instance_allocation allocation;
	if (r->type->number == ALLOCATED)
		return engine_parse_allocation(r->meter, &allocation) ? allocation.type : STR_NONE;
	return str_slice(r->meter, strlen(r->type->meter), r->meter.n);
}

static void write_machine(struct cs_call *e, struct json_writer *w, const struct record *r)
{
	const struct tables *t = cs_tables(e);
	const struct instance *i = instance_find(t, r->id);
	const struct image *image = i ? image_find(t, i->image) : NULL;
	const struct instance_type *type = instance_type_find_by_name(t, size_of(r));
	struct instance_allocation held = {.vcpus = type ? type->vcpus : 0,
					   .memory_mib = type ? type->memory >> 20 : 0};
	struct str name = i ? cs_machine_name(&e->core, &i->row) : STR_NONE;
	if (r->type->number == ALLOCATED)
		(void) engine_parse_allocation(r->meter, &held);
	json_write_text(w, "virtualmachineid", id_text(e, r->id));
	if (i) {
		json_write_text(w, "zoneid", id_text(e, i->zone));
		json_write_text(w, "name", name);
	}
	if (image)
		json_write_text(w, "templateid", id_text(e, image->row.id));
	if (type)
		json_write_text(w, "offeringid", id_text(e, type->row.id));
	json_write_z(w, "type", "KVM");
	if (held.vcpus) {
		json_write_int(w, "cpunumber", held.vcpus);
		json_write_int(w, "memory", held.memory_mib);
	}
	struct str offering =
		named(e, " using service offering ", size_of(r), type ? type->row.id : UUID_NONE);
	struct str template = image ? named(e, " and template ", image->name, image->row.id) : STR_NONE;
	json_write_text(w, "description",
			str_print(e->c->arena, "%s VM usage%" STR_FMT "%" STR_FMT "%" STR_FMT,
				  r->type->number == RUNNING ? "Running" : "Allocated",
				  STR_ARG(named(e, " for ", name, r->id)),
				  STR_ARG(type ? offering : STR_NONE), STR_ARG(template)));
}

static void write_address(struct cs_call *e, struct json_writer *w, const struct record *r)
{
	const struct address *a = address_find(cs_tables(e), r->id);
	char text[IP_TEXT_SIZE];
	json_write_bool(w, "issourcenat", false);
	json_write_bool(w, "issystem", false);
	json_write_text(w, "description",
			a ? str_print(e->c->arena, "IPAddress: %s", ip_write(a->ip, text))
			  : STR("IPAddress"));
}

static void write_volume(struct cs_call *e, struct json_writer *w, const struct record *r)
{
	const struct tables *t = cs_tables(e);
	const struct volume *v = volume_find(t, r->id);
	const struct volume_type *type = volume_type_find_by_name(t, size_of(r));
	struct str offering = type ? named(e, " with disk offering ", type->name, type->row.id) : STR_NONE;
	json_write_int(w, "size", r->level);
	if (v)
		json_write_text(w, "zoneid", id_text(e, v->zone));
	if (type)
		json_write_text(w, "offeringid", id_text(e, type->row.id));
	json_write_text(w, "description",
			str_print(e->c->arena, "Volume usage%" STR_FMT "%" STR_FMT " and size %lld",
				  STR_ARG(v ? named(e, " for ", v->name, r->id) : STR_NONE),
				  STR_ARG(offering), (long long) r->level));
}

static void write_snapshot(struct cs_call *e, struct json_writer *w, const struct record *r)
{
	const struct snapshot *s = snapshot_find(cs_tables(e), r->id);
	json_write_int(w, "size", r->level);
	json_write_text(w, "description",
			str_print(e->c->arena, "Snapshot usage%" STR_FMT " with size %lld",
				  STR_ARG(s ? named(e, " for ", s->name, r->id) : STR_NONE),
				  (long long) r->level));
}

static void write_record(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct record *r = item;
	const struct tables *t = cs_tables(e);
	const struct row *account = tables_find(t, KIND_ACCOUNT, r->account),
			 *row = tables_find(t, r->type->kind, r->id);
	struct str hours = write_hours(e->c->arena, r->us);
	if (account && !cs_is_project(t, r->account))
		json_write_text(w, "accountid", id_text(e, r->account));
	if (account)
		cs_write_owner(&e->core, w, NULL, account);
	json_write_text(w, "usage", str_print(e->c->arena, "%" STR_FMT " Hrs", STR_ARG(hours)));
	json_write_int(w, "usagetype", r->type->number);
	json_write_text(w, "rawusage", hours);
	json_write_text(w, "usageid", id_text(e, r->id));
	(r->type->kind == KIND_INSTANCE  ? write_machine
	 : r->type->kind == KIND_ADDRESS ? write_address
	 : r->type->kind == KIND_VOLUME  ? write_volume
					 : write_snapshot)(e, w, r);
	cs_write_time(w, "startdate", r->day * DAY);
	cs_write_time(w, "enddate", (r->day + 1) * DAY - SECOND);
	if (row && ((const struct list_usage *) e->args)->has_tags == CHOICE_YES)
		cs_write_tags(&e->core, w, "tags", row);
}

/* Orders by day. Records of a day stay in the order in which they were read: qsort() alone would shuffle them, and pages would
 * repeat some and skip others. */
static int compare(const void *left, const void *right)
{
	const struct record *a = *(const struct record *const *) left,
			    *b = *(const struct record *const *) right;
	return a->day != b->day ? (a->day > b->day) - (a->day < b->day) : (a > b) - (a < b);
}

/* Closes the view before SQL is read. */
static RESULT list_usage(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_usage *a = args;
	struct reading r = {.e = e, .asked = a, .now_us = clock_now_us()};
	struct uuids accounts = {0};
	TRY(find_accounts(e, a, &accounts));
	view_close(&e->view);
	for (size_t k = 0; k < accounts.count; k++)
		TRY(read_account(&r, accounts.at[k]));
	const void **items = arena_new_array(e->c->arena, const void *, r.records.count + 1);
	if (!items)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < r.records.count; k++)
		items[k] = &r.records.at[k];
	qsort(items, r.records.count, sizeof *items, compare);
	return cs_write_items(e, w, &a->list, "usagerecord", items, r.records.count, write_record);
}

/* ---- listUsageTypes ---- */

/* 4.18 has a number and a text; later versions add a name and call the number "id". */
static RESULT list_types(struct cs_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_int(w, "count", TYPES);
	json_write_open_list(w, "usagetype");
	for (size_t k = 0; k < TYPES; k++) {
		json_write_open(w, NULL);
		json_write_int(w, "usagetypeid", types[k].number);
		json_write_int(w, "id", types[k].number);
		json_write_z(w, "name", types[k].name);
		json_write_z(w, "description", types[k].text);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define OPERATORS "ec2:DescribeAccountUsage"
static const struct cs_action actions[] = {
	{CS_ACTION("listUsageRecords", OPERATORS), .flags = CS_ADMIN | CS_OF_ACCOUNT | API_CHANGES_BY_TIME,
	 .args = PARAMS(struct list_usage, params), .prepare = prepare, .answer = list_usage,
	 .says = "account|accountid|projectid|project|domainid|domain|zoneid|description|usage|usagetype|"
		 "rawusage|"
		 "virtualmachineid|name|offeringid|templateid|usageid|type|size|cpunumber|memory|startdate|"
		 "enddate|issourcenat|issystem|tags",
	 .doc = "Lists usage records, by resource and day."},
	{CS_ACTION("listUsageTypes", OPERATORS), .flags = CS_ADMIN, .answer = list_types,
	 .says = "usagetypeid|id|name|description", .doc = "Lists usage types."},
};
const struct api_actions cs_usage_actions = API_ACTIONS(actions);
