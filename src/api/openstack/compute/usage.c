/* SPDX-License-Identifier: Apache-2.0
 * Usage per project: what servers occupied, and for how long. Computed from the usage records that
 * launches, resizes and terminations write, through any API; each size of a resized server is one
 * allocation. The calls open their own short views, so that none is held while SQL is read. Source: Compute
 * API reference, "Usage reports (os-simple-tenant-usage)". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/billing/billing.h"
#include "engine/instance/instance.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/sql.h"

enum {
	SINCE_PAGES = 40,  /* first microversion with pages */
	PAGE_MAX = 1000,   /* servers per page */
	USAGES_MAX = 50000 /* allocations of one project within the requested time */
};

/* ---- reading the request ---- */

struct os_usage {
	struct str project, start, end, marker;
	int64_t limit;
	bool detailed;
	/* computed: */
	int64_t start_us, end_us, until_us; /* until: the end, or now if that is earlier */
};
#define TIMES                                                                                                \
	OS_QUERY(struct os_usage, "start", start, .max = 64, .doc = "Start of the interval; absent: now."),  \
		OS_QUERY(struct os_usage, "end", end, .max = 64, .doc = "End of the interval; absent: now.")
#define PAGES                                                                                                \
	OS_QUERY(struct os_usage, "limit", limit, .since = SINCE_PAGES, .min = 0, .max = INT32_MAX,          \
		 .doc = "Maximum number of servers in one page."),                                           \
		OS_QUERY(struct os_usage, "marker", marker, .since = SINCE_PAGES, .max = 64,                 \
			 .doc = "Last server of the previous page.")
static const struct param list_params[] = {
	TIMES,
	PAGES,
	OS_QUERY(struct os_usage, "detailed", detailed, .doc = "1: includes the usage of each server."),
};
static const struct param one_params[] = {
	OS_PATH(struct os_usage, "project_id", project, .doc = "Project."),
	TIMES,
	PAGES,
};

static RESULT read_time(struct os_call *e, struct str text, const char *field, int64_t *ret_us)
{
	return str_is_empty(text) ? OK : os_parse_time(e->c, text, field, ret_us);
}

static RESULT read_window(struct os_call *e, struct os_usage *a)
{
	a->start_us = a->end_us = clock_now_us();
	TRY(read_time(e, a->start, "start", &a->start_us));
	TRY(read_time(e, a->end, "end", &a->end_us));
	int64_t now_us = clock_now_us();
	a->until_us = a->end_us < now_us ? a->end_us : now_us;
	if (a->start_us <= a->end_us)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("start"),
			      "Invalid start time. The start time cannot occur after the end time.");
}

static RESULT prepare_usage(struct os_call *e, void *args)
{
	struct os_usage *a = args;
	struct ref project = {0};
	bool is_own = str_is_empty(a->project) || (os_parse_id(a->project, KIND_ACCOUNT, &project) &&
						   uuid_equal(project.prefix, e->c->who->account));
	if (!is_own && !os_is_admin(e))
		return ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.",
				e->action->permit);
	return read_window(e, a);
}

/* ---- what was held ---- */

struct allocation {
	uuid server;
	struct instance_allocation what;
	struct str meter;         /* meter of the open allocation */
	int64_t start_us, end_us; /* end 0: still open */
	struct str name, state;
	double hours; /* within the requested time */
};

struct project_usage {
	struct os_call *e;
	const struct os_usage *asked;
	uuid project;
	VEC(struct allocation) allocation;
	struct allocation open; /* the latest allocation without an end; server none: none is open */
	double hours, disk, memory, vcpus;
};

static RESULT keep(struct project_usage *u, int64_t end_us)
{
	struct allocation allocation = u->open;
	u->open = (struct allocation){0};
	allocation.end_us = end_us;
	int64_t from = allocation.start_us > u->asked->start_us ? allocation.start_us : u->asked->start_us;
	int64_t to = end_us && end_us < u->asked->until_us ? end_us : u->asked->until_us;
	if (uuid_is_none(allocation.server) || to < from)
		return OK;
	allocation.hours = (double) (to - from) / (double) HOUR;
	if (u->allocation.count >= USAGES_MAX)
		return ctx_fail(u->e->c, ERR_TOO_LARGE,
				"There are too many servers: ask for a shorter time.");
	return VEC_PUSH(u->e->c->arena, &u->allocation, allocation) ? OK : ctx_no_memory(u->e->c);
}

static RESULT take_record(void *arg, const struct usage *record)
{
	struct project_usage *u = arg;
	struct allocation allocation = {.server = record->id, .start_us = record->at_us};
	bool is_open = uuid_equal(u->open.server, record->id) && str_equal(u->open.meter, record->meter);
	if (record->level == 0)
		return is_open ? keep(u, record->at_us) : OK;
	TRY(keep(u, 0)); /* the previous allocation has not ended */
	allocation.meter = str_copy(u->e->c->arena, record->meter);
	if (!allocation.meter.p)
		return ctx_no_memory(u->e->c);
	if (engine_parse_allocation(allocation.meter, &allocation.what))
		u->open = allocation;
	return OK;
}

static RESULT read_project(struct os_call *e, const struct os_usage *asked, uuid project,
			   struct project_usage *ret_usage)
{
	const struct usage_query query = {.kind = KIND_INSTANCE,
					  .account = project,
					  .meter = STR(INSTANCE_ALLOCATION_METER),
					  .before_us = asked->end_us + 1};
	*ret_usage = (struct project_usage){.e = e, .asked = asked, .project = project};
	TRY(billing_read_levels(e->c, e->config->store, &query, take_record, ret_usage));
	return keep(ret_usage, 0);
}

static void sum_up(struct project_usage *u)
{
	for (size_t k = 0; k < u->allocation.count; k++) {
		const struct allocation *h = &u->allocation.at[k];
		u->hours += h->hours;
		u->disk += h->hours * (double) h->what.disk_gib;
		u->memory += h->hours * (double) h->what.memory_mib;
		u->vcpus += h->hours * (double) h->what.vcpus;
	}
}

/* ---- pages: by server ---- */

struct page {
	bool has_limit, is_behind; /* behind: the marker was passed */
	uuid marker, last;
	int64_t left;
	bool has_more;
};

static RESULT fail_no_marker(struct os_call *e, struct str marker)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("marker"), "Marker %" STR_FMT " could not be found.",
			      STR_ARG(str_slice(marker, 0, 64)));
}

static RESULT begin_page(struct os_call *e, const struct os_usage *a, struct page *ret_page)
{
	struct ref marker = {0};
	*ret_page = (struct page){.has_limit = e->request.version >= SINCE_PAGES,
				  .is_behind = true,
				  .left = a->limit && a->limit < PAGE_MAX ? a->limit : PAGE_MAX};
	if (str_is_empty(a->marker) || !ret_page->has_limit)
		return OK;
	if (!os_parse_id(a->marker, KIND_INSTANCE, &marker))
		return fail_no_marker(e, a->marker);
	ret_page->marker = marker.prefix;
	ret_page->is_behind = false;
	return OK;
}

/* Reduces the allocations to those on the page. All allocations of one server stay together. */
static void cut(struct page *page, struct project_usage *u)
{
	size_t kept = 0;
	for (size_t k = 0; k < u->allocation.count && page->has_limit; k++) {
		struct allocation *h = &u->allocation.at[k];
		bool is_marker = uuid_equal(h->server, page->marker);
		bool is_new = !uuid_equal(h->server, page->last);
		if (!page->is_behind || is_marker) {
			page->is_behind = page->is_behind || is_marker;
			continue;
		}
		page->has_more = page->has_more || (is_new && page->left == 0);
		if (page->has_more)
			continue;
		page->left -= is_new;
		page->last = h->server;
		u->allocation.at[kept++] = *h;
	}
	if (page->has_limit)
		u->allocation.count = kept;
}

/* Refuses a marker that no server of the report has. Source: Nova's SimpleTenantUsageController. */
static RESULT check_marker(struct os_call *e, const struct os_usage *a, const struct page *page)
{
	return page->is_behind ? OK : fail_no_marker(e, a->marker);
}

static void write_next(struct os_call *e, struct json_writer *w, const char *key, const struct page *page)
{
	struct buf query;
	char id[UUID_TEXT_SIZE];
	if (!page->has_more)
		return;
	buf_init(&query, 8192);
	for (size_t k = 0; k < e->request.query.count; k++) {
		const struct pair *p = &e->request.query.at[k];
		if (!str_is(p->name, "marker"))
			buf_print(&query, "%" STR_FMT "=%" STR_FMT "&", STR_ARG(p->name),
				  STR_ARG(str_encode_url(e->c->arena, p->value, false)));
	}
	buf_print(&query, "marker=%s", uuid_write(page->last, id));
	json_write_open_list(w, key);
	os_write_link(w, "next",
		      str_print(e->c->arena, "%" STR_FMT "/compute%" STR_FMT "?%" STR_FMT,
				STR_ARG(e->base_url), STR_ARG(e->path), STR_ARG(buf_str(&query))));
	json_write_close_list(w);
	buf_done(&query);
}

/* ---- writing ---- */

/* Fills in the servers' names; servers whose row is purged are named by their id. */
static void name_servers(struct os_call *e, struct project_usage *u)
{
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	const struct tables *t = view.tables;
	for (size_t k = 0; k < u->allocation.count; k++) {
		struct allocation *h = &u->allocation.at[k];
		const struct instance *i = instance_find(t, h->server);
		h->name = i ? str_copy(e->c->arena, os_server_name(e->c->arena, i))
			    : id_to_ec2(e->c->arena, KIND_INSTANCE, h->server);
		h->state = h->end_us ? STR("terminated") : STR("active");
		if (i && !h->end_us)
			h->state = os_server_vm_state(t, i);
	}
}

static void write_allocation(struct os_call *e, struct json_writer *w, const struct project_usage *u,
			     const struct allocation *h)
{
	int64_t until = h->end_us ? h->end_us : u->asked->until_us;
	json_write_open(w, NULL);
	os_write_id(w, "instance_id", h->server);
	json_write_text(w, "name", h->name);
	os_write_hex(w, "tenant_id", u->project);
	json_write_text(w, "flavor", h->what.type);
	json_write_int(w, "vcpus", h->what.vcpus);
	json_write_int(w, "memory_mb", h->what.memory_mib);
	json_write_int(w, "local_gb", h->what.disk_gib);
	os_write_time_us(w, "started_at", h->start_us);
	os_write_time_us(w, "ended_at", h->end_us);
	json_write_text(w, "state", h->state);
	json_write_int(w, "uptime", until > h->start_us ? (until - h->start_us) / SECOND : 0);
	json_write_real(w, "hours", h->hours);
	json_write_close(w);
	(void) e;
}

static void write_project(struct os_call *e, struct json_writer *w, struct project_usage *u, bool detailed)
{
	sum_up(u);
	os_write_hex(w, "tenant_id", u->project);
	os_write_time_us(w, "start", u->asked->start_us);
	os_write_time_us(w, "stop", u->asked->end_us);
	json_write_real(w, "total_hours", u->hours);
	json_write_real(w, "total_local_gb_usage", u->disk);
	json_write_real(w, "total_memory_mb_usage", u->memory);
	json_write_real(w, "total_vcpus_usage", u->vcpus);
	if (!detailed)
		return;
	name_servers(e, u);
	json_write_open_list(w, "server_usages");
	for (size_t k = 0; k < u->allocation.count; k++)
		write_allocation(e, w, u, &u->allocation.at[k]);
	json_write_close_list(w);
}

/* Finds the existing projects. Deleted projects have no usage report. */
static RESULT find_projects(struct os_call *e, struct uuids *ret_projects)
{
	VEC(uuid) found = {0};
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	for (const struct account *a = account_first(view.tables); a; a = account_next(view.tables, a))
		if (row_is_live(&a->row) && !VEC_PUSH(e->c->arena, &found, a->row.id))
			return ctx_no_memory(e->c);
	*ret_projects = (struct uuids){found.at, found.count};
	return OK;
}

static RESULT list_usage(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_usage *a = args;
	struct uuids projects = {0};
	struct page page = {0};
	TRY(find_projects(e, &projects));
	TRY(begin_page(e, a, &page));
	json_write_open_list(w, "tenant_usages");
	for (size_t k = 0; k < projects.count && !page.has_more; k++) {
		struct project_usage usage;
		TRY(read_project(e, a, projects.at[k], &usage));
		cut(&page, &usage);
		if (usage.allocation.count == 0)
			continue;
		json_write_open(w, NULL);
		write_project(e, w, &usage, a->detailed);
		json_write_close(w);
	}
	json_write_close_list(w);
	write_next(e, w, "tenant_usages_links", &page);
	return check_marker(e, a, &page);
}

static RESULT show_usage(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_usage *a = args;
	struct project_usage usage = {0};
	struct page page = {0};
	struct ref project = {0};
	bool is_known = os_parse_id(a->project, KIND_ACCOUNT, &project);
	TRY(begin_page(e, a, &page));
	if (is_known)
		TRY(read_project(e, a, project.prefix, &usage));
	cut(&page, &usage);
	TRY(check_marker(e, a, &page));
	json_write_open(w, "tenant_usage");
	if (usage.allocation.count)
		write_project(e, w, &usage, true);
	json_write_close(w);
	write_next(e, w, "tenant_usage_links", &page);
	return OK;
}

#define ALL "/v2.1/os-simple-tenant-usage"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "os_compute_api:os-simple-tenant-usage:list", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_usage, list_params), .prepare = prepare_usage, .answer = list_usage,
	 .doc = "Lists the usage of all projects in an interval."},
	{HTTP_GET, ALL "/{project_id}", .permit = "os_compute_api:os-simple-tenant-usage:show",
	 .args = OS_PARAMS(struct os_usage, one_params), .prepare = prepare_usage, .answer = show_usage,
	 .doc = "Shows the usage of one project in an interval, with each server."},
};
const struct os_actions os_compute_usage_actions = OS_ACTIONS(OS_COMPUTE, actions);
