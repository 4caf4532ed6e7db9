/* SPDX-License-Identifier: Apache-2.0
 * Version discovery, which clients read before they have a token. Each service has its own form. */
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"

#define UPDATED "2022-10-05T00:00:00Z" /* time of the release that introduced these versions */

static void write_links(struct os_call *e, struct json_writer *w, const char *path)
{
	json_write_open_list(w, "links");
	os_write_link(w, "self", str_print(e->c->arena, "%" STR_FMT "%s", STR_ARG(e->base_url), path));
	json_write_close_list(w);
}

static void write_media_types(struct json_writer *w, const char *base, const char *type)
{
	json_write_open_list(w, "media-types");
	json_write_open(w, NULL);
	json_write_z(w, "base", base);
	json_write_z(w, "type", type);
	json_write_close(w);
	json_write_close_list(w);
}

static void write_version_of(struct os_call *e, struct json_writer *w, const char *id, const char *status,
			     const char *updated, const char *path)
{
	json_write_z(w, "id", id);
	json_write_z(w, "status", status);
	json_write_z(w, "updated", updated);
	write_links(e, w, path);
}

/* Writes the members of one version. */
static void write_version(struct os_call *e, struct json_writer *w, const char *id, const char *status,
			  const char *path)
{
	write_version_of(e, w, id, status, UPDATED, path);
}

/* ---- identity ---- */

static void write_identity(struct os_call *e, struct json_writer *w)
{
	write_version(e, w, "v3.14", "stable", "/identity/v3/");
	write_media_types(w, "application/json", "application/vnd.openstack.identity-v3+json");
}

static RESULT identity_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open(w, "versions");
	json_write_open_list(w, "values");
	json_write_open(w, NULL);
	write_identity(e, w);
	json_write_close(w);
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

static RESULT identity_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_identity(e, w);
	return OK;
}

/* ---- compute, volume and placement: with microversions ---- */

static void write_microversions(struct os_call *e, struct json_writer *w, const char *max_name)
{
	const struct os_service_info *info = os_service_info(e->service);
	json_write_text(w, max_name, str_print(e->c->arena, "%d.%d", info->major, info->minor_max));
	json_write_text(w, "min_version",
			str_print(e->c->arena, "%d.%d", info->major, e->service == OS_COMPUTE ? 1 : 0));
}

/* Describes 2.1 without microversions, for clients older than 2015. */
static RESULT compute_legacy_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_version_of(e, w, "v2.0", "SUPPORTED", "2011-01-21T11:33:21Z", "/compute/v2/");
	json_write_z(w, "version", "");
	json_write_z(w, "min_version", "");
	write_media_types(w, "application/json", "application/vnd.openstack.compute+json;version=2");
	return OK;
}

static RESULT compute_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_version(e, w, "v2.1", "CURRENT", "/compute/v2.1/");
	write_microversions(e, w, "version");
	write_media_types(w, "application/json", "application/vnd.openstack.compute+json;version=2.1");
	return OK;
}

static RESULT volume_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_version(e, w, "v3.0", "CURRENT", "/volume/v3/");
	write_microversions(e, w, "version");
	write_media_types(w, "application/json", "application/vnd.openstack.volume+json;version=3");
	return OK;
}

static RESULT placement_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_version(e, w, "v1.0", "CURRENT", "/placement/");
	write_microversions(e, w, "max_version");
	return OK;
}

static RESULT write_one_of_list(struct os_call *e, struct json_writer *w,
				RESULT (*write)(struct os_call *e, const void *args, struct json_writer *w))
{
	json_write_open_list(w, "versions");
	json_write_open(w, NULL);
	TRY(write(e, NULL, w));
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT compute_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	json_write_open_list(w, "versions");
	json_write_open(w, NULL);
	TRY(compute_legacy_version(e, args, w));
	json_write_close(w);
	json_write_open(w, NULL);
	TRY(compute_version(e, args, w));
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT volume_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return write_one_of_list(e, w, volume_version);
}

static RESULT placement_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return write_one_of_list(e, w, placement_version);
}

/* ---- load balancers ---- */

/* Clients look for the version that brought a feature. */
static RESULT load_balancer_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	enum { MINOR_LAST = 14 }; /* availability zones */
	(void) args;
	json_write_open_list(w, "versions");
	for (int k = 0; k <= MINOR_LAST; k++) {
		json_write_open(w, NULL);
		write_version(e, w, str_print(e->c->arena, "v2.%d%c", k, 0).p,
			      k == MINOR_LAST ? "CURRENT" : "SUPPORTED", "/load-balancer/v2");
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- key manager ---- */

static void write_key_manager_version(struct os_call *e, struct json_writer *w)
{
	struct str url = os_service_url(e, OS_KEY_MANAGER);
	json_write_z(w, "id", "v1");
	json_write_z(w, "status", "stable");
	json_write_z(w, "updated", "2015-04-28T00:00:00Z");
	json_write_open_list(w, "links");
	os_write_link(w, "self", str_print(e->c->arena, "%" STR_FMT "/v1/", STR_ARG(url)));
	json_write_close_list(w);
	json_write_open_list(w, "media-types");
	json_write_open(w, NULL);
	json_write_z(w, "base", "application/json");
	json_write_z(w, "type", "application/vnd.openstack.key-manager-v1+json");
	json_write_close(w);
	json_write_close_list(w);
}

/* "stable" tells clients that there are no microversions. */
static RESULT key_manager_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "values");
	json_write_open(w, NULL);
	write_key_manager_version(e, w);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT key_manager_version(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_key_manager_version(e, w);
	return OK;
}

/* ---- alarming and metrics ---- */

static void write_simple_version(struct os_call *e, struct json_writer *w, enum os_service service)
{
	const struct os_service_info *info = os_service_info(service);
	struct str url = os_service_url(e, service);
	json_write_open(w, NULL);
	json_write_z(w, "id", service == OS_METRIC ? "v1.0" : "v2");
	json_write_z(w, "status", service == OS_METRIC ? "CURRENT" : "stable");
	json_write_open_list(w, "links");
	os_write_link(w, "self", str_print(e->c->arena, "%" STR_FMT "%s/", STR_ARG(url), info->version_path));
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT alarming_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open(w, "versions");
	json_write_open_list(w, "values");
	write_simple_version(e, w, OS_ALARMING);
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

/* build: the release whose API this is. */
static RESULT metric_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_z(w, "build", "4.6.0");
	json_write_open_list(w, "versions");
	write_simple_version(e, w, OS_METRIC);
	json_write_close_list(w);
	return OK;
}

/* ---- image and network: without ---- */

static RESULT image_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	/* versions whose features are implemented; clients search for these ids */
	static const char *const ids[] = {"v2.9", "v2.7", "v2.6", "v2.5", "v2.4",
					  "v2.3", "v2.2", "v2.1", "v2.0"};
	(void) args;
	json_write_open_list(w, "versions");
	for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++) {
		json_write_open(w, NULL);
		write_version(e, w, ids[k], k == 0 ? "CURRENT" : "SUPPORTED", "/image/v2/");
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT network_versions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "versions");
	json_write_open(w, NULL);
	write_version(e, w, "v2.0", "CURRENT", "/network/v2.0/");
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT network_resources(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const names[][2] = {
		{"network", "networks"},
		{"subnet", "subnets"},
		{"port", "ports"},
		{"router", "routers"},
		{"floatingip", "floatingips"},
		{"security_group", "security-groups"},
		{"security_group_rule", "security-group-rules"},
	};
	(void) args;
	json_write_open_list(w, "resources");
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "name", names[k][0]);
		json_write_z(w, "collection", names[k][1]);
		write_links(e, w,
			    str_to_z(e->c->arena, str_print(e->c->arena, "/network/v2.0/%s", names[k][1])));
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define VERSIONS(where, code, in, write)                                                                     \
	{                                                                                                    \
		.method = HTTP_GET, .path = (where), .permit = "versions", .flags = API_OPEN,                \
		.status = (code), .item = (in), .answer = (write), .doc = "Lists the API versions."          \
	}
static const struct os_action identity_actions[] = {
	VERSIONS("/", 300, NULL, identity_versions),
	VERSIONS("/v3", 200, "version", identity_version),
};
const struct os_actions os_identity_version_actions = OS_ACTIONS(OS_IDENTITY, identity_actions);
static const struct os_action compute_actions[] = {
	VERSIONS("/", 200, NULL, compute_versions),
	VERSIONS("/v2", 200, "version", compute_legacy_version),
	VERSIONS("/v2.1", 200, "version", compute_version),
};
const struct os_actions os_compute_version_actions = OS_ACTIONS(OS_COMPUTE, compute_actions);
static const struct os_action image_actions[] = {
	VERSIONS("/", 300, NULL, image_versions),
	VERSIONS("/versions", 200, NULL, image_versions),
};
const struct os_actions os_image_version_actions = OS_ACTIONS(OS_IMAGE, image_actions);
static const struct os_action network_actions[] = {
	VERSIONS("/", 200, NULL, network_versions),
	VERSIONS("/v2.0", 200, NULL, network_resources),
};
const struct os_actions os_network_version_actions = OS_ACTIONS(OS_NETWORK, network_actions);
static const struct os_action volume_actions[] = {
	VERSIONS("/", 300, NULL, volume_versions),
	VERSIONS("/v3", 200, NULL, volume_versions),
};
const struct os_actions os_volume_version_actions = OS_ACTIONS(OS_VOLUME, volume_actions);
static const struct os_action alarming_actions[] = {
	VERSIONS("/", 200, NULL, alarming_versions),
};
const struct os_actions os_alarming_version_actions = OS_ACTIONS(OS_ALARMING, alarming_actions);
static const struct os_action metric_actions[] = {
	VERSIONS("/", 200, NULL, metric_versions),
};
const struct os_actions os_metric_version_actions = OS_ACTIONS(OS_METRIC, metric_actions);
static const struct os_action key_manager_actions[] = {
	VERSIONS("/", 300, "versions", key_manager_versions),
	VERSIONS("/v1", 200, "version", key_manager_version),
};
const struct os_actions os_key_manager_version_actions = OS_ACTIONS(OS_KEY_MANAGER, key_manager_actions);
static const struct os_action load_balancer_actions[] = {
	VERSIONS("/", 200, NULL, load_balancer_versions),
	VERSIONS("/v2", 200, NULL, load_balancer_versions),
};
const struct os_actions os_load_balancer_version_actions =
	OS_ACTIONS(OS_LOAD_BALANCER, load_balancer_actions);
static const struct os_action placement_actions[] = {
	VERSIONS("/", 200, NULL, placement_versions),
};
const struct os_actions os_placement_version_actions = OS_ACTIONS(OS_PLACEMENT, placement_actions);
