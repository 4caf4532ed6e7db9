/* SPDX-License-Identifier: Apache-2.0
 * Service catalog. The region's own entries are not stored: they are derived from the URL by which the
 * client found the server. Entries added by an administrator (catalog_entries.c) follow them. */
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/catalog_entries.h"
#include "store/catalog_entry.h"

static const struct entry {
	enum os_service service;
	const char *type, *name;
} entries[] = {
	{OS_IDENTITY, "identity", "keystone"},
	{OS_COMPUTE, "compute", "nova"},
	{OS_IMAGE, "image", "glance"},
	{OS_NETWORK, "network", "neutron"},
	{OS_VOLUME, "block-storage", "cinder"},
	{OS_VOLUME, "volumev3", "cinderv3"},
	{OS_PLACEMENT, "placement", "placement"},
	{OS_LOAD_BALANCER, "load-balancer", "octavia"},
	{OS_KEY_MANAGER, "key-manager", "barbican"},
	{OS_ALARMING, "alarming", "aodh"},
	{OS_METRIC, "metric", "gnocchi"},
};
static const char *const interfaces[] = {"public", "internal", "admin"};

enum { ENTRIES = sizeof entries / sizeof entries[0], INTERFACES = sizeof interfaces / sizeof interfaces[0] };

/* Derives an id that is the same in every region and at every start. */
static uuid entry_id(struct os_call *e, const struct entry *entry, const char *interface)
{
	return uuid_v5(DOMAIN_DEFAULT, str_print(e->c->arena, "%s %s", entry->type, interface));
}

/* Writes the members of an endpoint that the catalog and the list of endpoints share. */
static void write_endpoint(struct os_call *e, struct json_writer *w, const struct entry *entry,
			   const char *interface)
{
	os_write_hex(w, "id", entry_id(e, entry, interface));
	json_write_z(w, "interface", interface);
	json_write_text(w, "region", e->config->region);
	json_write_text(w, "region_id", e->config->region);
	json_write_text(w, "url", os_service_url(e, entry->service));
}

static bool own_fits(struct os_call *e, const struct os_endpoint_filter *filter, const struct entry *entry,
		     const char *interface)
{
	return os_endpoint_fits(filter, entry_id(e, entry, interface), entry_id(e, entry, ""),
				str_from(interface), e->config->region);
}

static bool has_own_that_fits(struct os_call *e, const struct os_endpoint_filter *filter,
			      const struct entry *entry)
{
	size_t k = 0;
	while (k < INTERFACES && !own_fits(e, filter, entry, interfaces[k]))
		k++;
	return k < INTERFACES;
}

static bool any_fits(struct os_call *e, const struct os_endpoint_filter *filter)
{
	const struct tables *t = os_tables(e);
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++)
		if (has_own_that_fits(e, filter, entry))
			return true;
	const struct catalog_entry *added = catalog_entry_first(t);
	while (added && !os_added_endpoint_fits(filter, added))
		added = catalog_entry_next(t, added);
	return added != NULL;
}

static void write_entry(struct os_call *e, struct json_writer *w, const struct entry *entry, uuid account,
			const struct os_endpoint_filter *filter)
{
	json_write_open(w, NULL);
	os_write_hex(w, "id", entry_id(e, entry, ""));
	json_write_z(w, "type", entry->type);
	json_write_z(w, "name", entry->name);
	json_write_open_list(w, "endpoints");
	for (size_t k = 0; k < INTERFACES; k++) {
		if (!own_fits(e, filter, entry, interfaces[k]))
			continue;
		json_write_open(w, NULL);
		write_endpoint(e, w, entry, interfaces[k]);
		json_write_close(w);
	}
	os_write_added_endpoints(e, w, entry_id(e, entry, ""), account, filter);
	json_write_close_list(w);
	json_write_close(w);
}

/* Writes the catalog of a project. A project with associated endpoints sees only these. If it has none, or
 * none of them exists, it sees all, which is Keystone's default. */
RESULT os_write_catalog(struct os_call *e, struct json_writer *w, uuid account)
{
	struct os_endpoint_filter filter;
	TRY(os_read_endpoint_filter(e, account, &filter));
	if (filter.count && !any_fits(e, &filter))
		filter.count = 0;
	json_write_open_list(w, "catalog");
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++)
		if (!filter.count || has_own_that_fits(e, &filter, entry) ||
		    os_has_added_endpoints(e, entry_id(e, entry, ""), &filter))
			write_entry(e, w, entry, account, &filter);
	os_write_added_services(e, w, account, &filter);
	json_write_close_list(w);
	return OK;
}

static RESULT show_catalog(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(os_write_catalog(e, w, e->c->who->account));
	os_write_list_links(e, w);
	return OK;
}

/* ---- services ---- */

static void write_service(struct os_call *e, struct json_writer *w, const struct entry *entry)
{
	uuid id = entry_id(e, entry, "");
	os_write_hex(w, "id", id);
	json_write_z(w, "type", entry->type);
	json_write_z(w, "name", entry->name);
	json_write_z(w, "description", "");
	json_write_bool(w, "enabled", true);
	os_write_self(e, w, "services", id);
}

static bool asks_for(struct os_call *e, const char *name, struct str value)
{
	struct str asked = pairs_find(&e->request.query, name);
	return !asked.p || str_equal(asked, value);
}

static RESULT list_services(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "services");
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++) {
		if (!asks_for(e, "type", str_from(entry->type)) ||
		    !asks_for(e, "name", str_from(entry->name)))
			continue;
		json_write_open(w, NULL);
		write_service(e, w, entry);
		json_write_close(w);
	}
	os_write_catalog_entries(e, w, CATALOG_ENTRY_WHAT_SERVICE);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

struct target {
	struct str id;
};
#define TARGET(name) OS_PATH(struct target, name, id, .max = 255, .doc = "Id of the resource.")
static const struct param service_params[] = {TARGET("service_id")};
static const struct param endpoint_params[] = {TARGET("endpoint_id")};
static const struct param region_params[] = {TARGET("region_id")};

static bool is_id(struct os_call *e, struct str text, uuid id)
{
	return str_equal(text, str_encode_hex(e->c->arena, id.b, sizeof id.b));
}

static RESULT show_service(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct target *a = args;
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++)
		if (is_id(e, a->id, entry_id(e, entry, ""))) {
			write_service(e, w, entry);
			return OK;
		}
	return os_show_catalog_entry(e, CATALOG_ENTRY_WHAT_SERVICE, a->id, w);
}

bool os_is_own_service(struct os_call *e, struct str id)
{
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++)
		if (is_id(e, id, entry_id(e, entry, "")))
			return true;
	return false;
}

struct str os_get_own_type(struct os_call *e, uuid service)
{
	for (const struct entry *entry = entries; entry < entries + ENTRIES; entry++)
		if (uuid_equal(service, entry_id(e, entry, "")))
			return str_from(entry->service == OS_VOLUME ? "block-storage" : entry->type);
	return STR_NONE;
}

bool os_is_own_endpoint(struct os_call *e, struct str id)
{
	for (size_t k = 0; k < (size_t) ENTRIES * INTERFACES; k++)
		if (is_id(e, id, entry_id(e, &entries[k / INTERFACES], interfaces[k % INTERFACES])))
			return true;
	return false;
}

/* ---- endpoints ---- */

static void write_whole_endpoint(struct os_call *e, struct json_writer *w, const struct entry *entry,
				 const char *interface)
{
	write_endpoint(e, w, entry, interface);
	os_write_hex(w, "service_id", entry_id(e, entry, ""));
	json_write_bool(w, "enabled", true);
	os_write_self(e, w, "endpoints", entry_id(e, entry, interface));
}

void os_write_fitting_endpoints(struct os_call *e, struct json_writer *w,
				const struct os_endpoint_filter *filter)
{
	const struct tables *t = os_tables(e);
	for (size_t k = 0; filter->count && k < (size_t) ENTRIES * INTERFACES; k++) {
		const struct entry *entry = &entries[k / INTERFACES];
		const char *interface = interfaces[k % INTERFACES];
		if (!own_fits(e, filter, entry, interface))
			continue;
		json_write_open(w, NULL);
		write_whole_endpoint(e, w, entry, interface);
		json_write_close(w);
	}
	for (const struct catalog_entry *added = filter->count ? catalog_entry_first(t) : NULL; added;
	     added = catalog_entry_next(t, added)) {
		if (!os_added_endpoint_fits(filter, added))
			continue;
		json_write_open(w, NULL);
		os_write_catalog_entry(e, w, added);
		json_write_close(w);
	}
}

static RESULT list_endpoints(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "endpoints");
	for (size_t k = 0; k < (size_t) ENTRIES * INTERFACES; k++) {
		const struct entry *entry = &entries[k / INTERFACES];
		const char *interface = interfaces[k % INTERFACES];
		uuid service = entry_id(e, entry, "");
		if (!asks_for(e, "interface", str_from(interface)) ||
		    !asks_for(e, "region_id", e->config->region) ||
		    !asks_for(e, "service_id", str_encode_hex(e->c->arena, service.b, sizeof service.b)))
			continue;
		json_write_open(w, NULL);
		write_whole_endpoint(e, w, entry, interface);
		json_write_close(w);
	}
	os_write_catalog_entries(e, w, CATALOG_ENTRY_WHAT_ENDPOINT);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_endpoint(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct target *a = args;
	for (size_t k = 0; k < (size_t) ENTRIES * INTERFACES; k++) {
		const struct entry *entry = &entries[k / INTERFACES];
		const char *interface = interfaces[k % INTERFACES];
		if (is_id(e, a->id, entry_id(e, entry, interface))) {
			write_whole_endpoint(e, w, entry, interface);
			return OK;
		}
	}
	return os_show_catalog_entry(e, CATALOG_ENTRY_WHAT_ENDPOINT, a->id, w);
}

/* ---- the region ---- */

static void write_region(struct os_call *e, struct json_writer *w)
{
	json_write_text(w, "id", e->config->region);
	json_write_z(w, "description", "");
	json_write_null(w, "parent_region_id");
	json_write_open(w, "links");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/regions/%" STR_FMT,
				  STR_ARG(os_service_url(e, OS_IDENTITY)), STR_ARG(e->config->region)));
	json_write_close(w);
}

static RESULT list_regions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "regions");
	if (!pairs_find(&e->request.query, "parent_region_id").p) {
		json_write_open(w, NULL);
		write_region(e, w);
		json_write_close(w);
	}
	os_write_catalog_entries(e, w, CATALOG_ENTRY_WHAT_REGION);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_region(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct target *a = args;
	if (!str_equal(a->id, e->config->region))
		return os_show_catalog_entry(e, CATALOG_ENTRY_WHAT_REGION, a->id, w);
	write_region(e, w);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v3/auth/catalog", .permit = "identity:get_auth_catalog", .args = OS_NO_PARAMS,
	 .answer = show_catalog, .doc = "Shows the service catalog of the token."},
	{HTTP_GET, "/v3/services", .permit = "identity:list_services", .args = OS_NO_PARAMS,
	 .answer = list_services, .doc = "Lists services."},
	{HTTP_GET, "/v3/services/{service_id}", .permit = "identity:get_service",
	 .args = OS_PARAMS(struct target, service_params), .item = "service", .answer = show_service,
	 .doc = "Shows one service."},
	{HTTP_GET, "/v3/endpoints", .permit = "identity:list_endpoints", .args = OS_NO_PARAMS,
	 .answer = list_endpoints, .doc = "Lists endpoints."},
	{HTTP_GET, "/v3/endpoints/{endpoint_id}", .permit = "identity:get_endpoint",
	 .args = OS_PARAMS(struct target, endpoint_params), .item = "endpoint", .answer = show_endpoint,
	 .doc = "Shows one endpoint."},
	{HTTP_GET, "/v3/regions", .permit = "identity:list_regions", .args = OS_NO_PARAMS,
	 .answer = list_regions, .doc = "Lists regions: this region, and those that administrators added."},
	{HTTP_GET, "/v3/regions/{region_id}", .permit = "identity:get_region",
	 .args = OS_PARAMS(struct target, region_params), .item = "region", .answer = show_region,
	 .doc = "Shows one region."},
};
const struct os_actions os_catalog_actions = OS_ACTIONS(OS_IDENTITY, actions);
