/* SPDX-License-Identifier: Apache-2.0
 * Placement, read-only: every host is a resource provider of processors, memory and disk, and every server
 * a consumer. Answers are derived from rows; clients cannot claim resources. Source: Placement API
 * reference. */
#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "engine/engine.h"
#include "store/host.h"
#include "store/instance.h"

static const int64_t MIB = INT64_C(1) << 20, GIB = INT64_C(1) << 30;

enum { CLASSES = 3 };
static const char *const class_names[CLASSES] = {"VCPU", "MEMORY_MB", "DISK_GB"};

/* ---- providers ---- */

static void write_link(struct os_call *e, struct json_writer *w, const char *rel, struct str id,
		       const char *below)
{
	os_write_link(
		w, rel,
		str_print(e->c->arena, "/placement/resource_providers/%" STR_FMT "%s", STR_ARG(id), below));
}

static void write_provider(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct host *h = item;
	struct str id = uuid_to_str(e->c->arena, h->row.id);
	int version = e->request.version;
	json_write_text(w, "uuid", id);
	json_write_text(w, "name", h->name);
	json_write_int(w, "generation", (int64_t) h->row.gen);
	if (version >= 14) {
		json_write_null(w, "parent_provider_uuid");
		json_write_text(w, "root_provider_uuid", id);
	}
	json_write_open_list(w, "links");
	write_link(e, w, "self", id, "");
	write_link(e, w, "inventories", id, "/inventories");
	write_link(e, w, "usages", id, "/usages");
	if (version >= 6)
		write_link(e, w, "traits", id, "/traits");
	json_write_close_list(w);
}

static const struct os_filter provider_filters[] = {
	{"name", "name"},
	{"uuid", .is_id = true},
};
static const struct os_listing providers = {.kind = KIND_HOST,
					    .items = "resource_providers",
					    .filters = OS_FILTERS(provider_filters),
					    .flags = OS_ADMIN_SEES_ALL,
					    .write = write_provider};

struct os_provider_target {
	struct ref provider;
};
static const struct param provider_params[] = {
	OS_PATH(struct os_provider_target, "uuid", provider, .kind = KIND_HOST,
		.doc = "Id of the resource provider, which is that of the host."),
};

/* ---- what they have ---- */

struct amount {
	int64_t total, reserved, used;
	double ratio;
};

static void read_amounts(const struct host *h, struct amount amounts[static CLASSES])
{
	struct host_usage use = {0};
	engine_read_host_use(h, &use);
	amounts[0] = (struct amount){h->seen_cpus, 0, use.vcpus, (double) h->overcommit_percent / 100};
	amounts[1] = (struct amount){h->seen_memory / MIB, h->reserved_memory / MIB, use.memory / MIB, 1};
	amounts[2] = (struct amount){h->seen_disk / GIB, 0, (use.disk + GIB - 1) / GIB, 1};
}

static void write_inventory(struct json_writer *w, const char *name, const struct amount *a)
{
	json_write_open(w, name);
	json_write_int(w, "total", a->total);
	json_write_int(w, "reserved", a->reserved);
	json_write_int(w, "min_unit", 1);
	json_write_int(w, "max_unit", a->total);
	json_write_int(w, "step_size", 1);
	json_write_real(w, "allocation_ratio", a->ratio);
	json_write_close(w);
}

/* Finds the provider that the path names. */
static RESULT find_provider(struct os_call *e, const void *args, const struct host **ret_host)
{
	const struct os_provider_target *a = args;
	return engine_find_host(e->c, os_tables(e), &a->provider, ret_host);
}

static RESULT show_inventories(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *h = NULL;
	struct amount amounts[CLASSES];
	TRY(find_provider(e, args, &h));
	read_amounts(h, amounts);
	json_write_int(w, "resource_provider_generation", (int64_t) h->row.gen);
	json_write_open(w, "inventories");
	for (int k = 0; k < CLASSES; k++)
		if (amounts[k].total > 0) /* a host that never connected has no inventory */
			write_inventory(w, class_names[k], &amounts[k]);
	json_write_close(w);
	return OK;
}

static RESULT show_usages(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *h = NULL;
	struct amount amounts[CLASSES];
	TRY(find_provider(e, args, &h));
	read_amounts(h, amounts);
	json_write_int(w, "resource_provider_generation", (int64_t) h->row.gen);
	json_write_open(w, "usages");
	for (int k = 0; k < CLASSES; k++)
		json_write_int(w, class_names[k], amounts[k].used);
	json_write_close(w);
	return OK;
}

/* Hosts have no traits; they differ by zone and capacity only. */
static RESULT show_traits(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct host *h = NULL;
	TRY(find_provider(e, args, &h));
	json_write_int(w, "resource_provider_generation", (int64_t) h->row.gen);
	json_write_open_list(w, "traits");
	json_write_close_list(w);
	return OK;
}

static RESULT list_traits(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "traits");
	json_write_close_list(w);
	return OK;
}

static RESULT list_classes(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "resource_classes");
	for (int k = 0; k < CLASSES; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "name", class_names[k]);
		json_write_open_list(w, "links");
		os_write_link(w, "self",
			      str_print(e->c->arena, "/placement/resource_classes/%s", class_names[k]));
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- consumers ---- */

struct os_consumer {
	struct ref server;
};
static const struct param consumer_params[] = {
	OS_PATH(struct os_consumer, "consumer_uuid", server, .kind = KIND_INSTANCE,
		.doc = "Id of the consumer, which is that of the server."),
};

/* As in Placement, an unknown consumer has no allocations and is not an error. */
static RESULT show_allocations(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_consumer *a = args;
	const struct instance *i = instance_find(os_tables(e), a->server.prefix);
	const struct host *h = i && row_is_live(&i->row) ? host_find(os_tables(e), i->host) : NULL;
	json_write_open(w, "allocations");
	if (h) {
		json_write_key(w, uuid_to_str(e->c->arena, h->row.id));
		json_write_open(w, NULL);
		json_write_int(w, "generation", (int64_t) h->row.gen);
		json_write_open(w, "resources");
		json_write_int(w, "VCPU", i->vcpus);
		json_write_int(w, "MEMORY_MB", i->memory / MIB);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close(w);
	if (h && e->request.version >= 12) {
		os_write_hex(w, "project_id", i->account);
		os_write_maker(w, i->made_by, i->account);
	}
	return OK;
}

#define READ(where, policy, from, ...)                                                                       \
	{                                                                                                    \
		.method = HTTP_GET, .path = (where), .permit = "placement:" policy, .flags = OS_ADMIN,       \
		.since = (from), __VA_ARGS__                                                                 \
	}
#define OF_PROVIDER .args = OS_PARAMS(struct os_provider_target, provider_params)
static const struct os_action actions[] = {
	READ("/resource_providers", "resource_providers:list", 0, .list = &providers,
	     .doc = "Lists the hosts as resource providers."),
	READ("/resource_providers/{uuid}", "resource_providers:show", 0, OF_PROVIDER,
	     OS_SHOWS(providers, struct os_provider_target, provider), .doc = "Shows one resource provider."),
	READ("/resource_providers/{uuid}/inventories", "resource_providers:inventories:list", 0, OF_PROVIDER,
	     .answer = show_inventories, .doc = "Shows the inventories of a resource provider."),
	READ("/resource_providers/{uuid}/usages", "resource_providers:usages", 0, OF_PROVIDER,
	     .answer = show_usages, .doc = "Shows the usage of a resource provider."),
	READ("/resource_providers/{uuid}/traits", "resource_providers:traits:list", 6, OF_PROVIDER,
	     .answer = show_traits, .doc = "Lists the traits of a resource provider. There are none."),
	READ("/resource_classes", "resource_classes:list", 2, .answer = list_classes,
	     .doc = "Lists the resource classes."),
	READ("/traits", "traits:list", 6, .answer = list_traits, .doc = "Lists traits. There are none."),
	READ("/allocations/{consumer_uuid}", "allocations:list", 0,
	     .args = OS_PARAMS(struct os_consumer, consumer_params), .answer = show_allocations,
	     .doc = "Shows the allocations of a server."),
};
const struct os_actions os_placement_provider_actions = OS_ACTIONS(OS_PLACEMENT, actions);
