/* SPDX-License-Identifier: Apache-2.0
 * Answers of Keystone and Nova. Sources: Identity API v3 and Compute API reference, microversions 2.1 and 2.47. */
#include "drivers/remote/openstack/answer.h"

#include "base/clock.h"
#include "drivers/remote/openstack/resources.h"
#include "model/remote_machine.h"

enum { ROLES_MAX = 64, CATALOG_MAX = 256, MINOR_MAX = 999 };
#define LIFE_USUAL_US HOUR

/* ---- sign-in ---- */

static bool has_only_reader(const json_t *roles)
{
	for (size_t k = 0; k < json_array_size(roles) && k < ROLES_MAX; k++) {
		const char *name = json_string_value(remote_json_at(json_array_get(roles, k), "name"));
		if (name && !str_is(str_from(name), "reader"))
			return false;
	}
	return json_array_size(roles) > 0;
}

static struct str url_in(struct ctx *c, const json_t *service, struct str region)
{
	const json_t *endpoints = remote_json_at(service, "endpoints");
	for (size_t k = 0; k < json_array_size(endpoints) && k < CATALOG_MAX; k++) {
		const json_t *e = json_array_get(endpoints, k);
		if (str_is(remote_json_text(c, e, "interface"), "public") &&
		    (str_equal(remote_json_text(c, e, "region_id"), region) ||
		     str_equal(remote_json_text(c, e, "region"), region)))
			return remote_json_text(c, e, "url");
	}
	return STR_NONE;
}

/* URL of the service of that type in the region; empty: none. */
static struct str find_service(struct ctx *c, const json_t *catalog, struct str region, const char *type)
{
	struct str url = STR_NONE;
	for (size_t k = 0; k < json_array_size(catalog) && k < CATALOG_MAX && !url.n; k++) {
		const json_t *service = json_array_get(catalog, k);
		if (str_is(remote_json_text(c, service, "type"), type))
			url = url_in(c, service, region);
	}
	return url;
}

/* Types of the service types authority, and the older names that clouds still have. */
static const char *const service_types[REMOTE_SERVICES][2] = {
	[REMOTE_SERVICE_IMAGE] = {"image", NULL},
	[REMOTE_SERVICE_NETWORK] = {"network", NULL},
	[REMOTE_SERVICE_VOLUME] = {"volumev3", "block-storage"},
	[REMOTE_SERVICE_METRIC] = {"metric", NULL},
	[REMOTE_SERVICE_ORCHESTRATION] = {"orchestration", NULL},
};

static void find_others(struct ctx *c, const json_t *catalog, struct str region,
			struct str ret_urls[static REMOTE_SERVICES])
{
	for (size_t k = 0; k < REMOTE_SERVICES; k++) {
		ret_urls[k] = find_service(c, catalog, region, service_types[k][0]);
		if (!ret_urls[k].n && service_types[k][1])
			ret_urls[k] = find_service(c, catalog, region, service_types[k][1]);
	}
}

RESULT openstack_read_token(struct ctx *c, const json_t *root, struct str region,
			    struct openstack_token *ret_token)
{
	const json_t *token = remote_json_at(root, "token");
	int64_t issued_us = 0, expires_us = 0;
	IGNORE(clock_parse(remote_json_text(c, token, "issued_at"), &issued_us));
	IGNORE(clock_parse(remote_json_text(c, token, "expires_at"), &expires_us));
	*ret_token = (struct openstack_token){
		.project = remote_json_text(c, token, "project/id"),
		.compute = find_service(c, remote_json_at(token, "catalog"), region, "compute"),
		.is_reader = has_only_reader(remote_json_at(token, "roles"))};
	find_others(c, remote_json_at(token, "catalog"), region, ret_token->others);
	bool says_life = issued_us > 0 && expires_us > issued_us;
	ret_token->life_us = says_life ? expires_us - issued_us : LIFE_USUAL_US;
	if (!draft_is_id(ret_token->project))
		return ctx_fail(c, ERR_IO, "The sign-in names no project.");
	return ret_token->compute.n
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "The cloud has no compute service in region %" STR_FMT ".",
				  STR_ARG(region));
}

int openstack_read_minor(struct ctx *c, const json_t *root)
{
	struct str text = remote_json_text(c, root, "version/version");
	int64_t minor = 0;
	bool is_minor = str_starts_with(text, STR("2.")) &&
			result_is_ok(str_parse_int(str_slice(text, 2, text.n), &minor)) && minor >= 1 &&
			minor <= MINOR_MAX;
	return is_minor ? (int) minor : 1;
}

/* ---- machines ---- */

static const struct {
	const char *status;
	enum remote_machine_power power;
} powers[] = {{"ACTIVE", REMOTE_MACHINE_POWER_RUNNING},
	      {"BUILD", REMOTE_MACHINE_POWER_PENDING},
	      {"DELETED", REMOTE_MACHINE_POWER_TERMINATED},
	      {"HARD_REBOOT", REMOTE_MACHINE_POWER_RUNNING},
	      {"MIGRATING", REMOTE_MACHINE_POWER_RUNNING},
	      {"PASSWORD", REMOTE_MACHINE_POWER_RUNNING},
	      {"PAUSED", REMOTE_MACHINE_POWER_STOPPED},
	      {"REBOOT", REMOTE_MACHINE_POWER_RUNNING},
	      {"RESCUE", REMOTE_MACHINE_POWER_RUNNING},
	      {"SHELVED", REMOTE_MACHINE_POWER_STOPPED},
	      {"SHELVED_OFFLOADED", REMOTE_MACHINE_POWER_STOPPED},
	      {"SHUTOFF", REMOTE_MACHINE_POWER_STOPPED},
	      {"SOFT_DELETED", REMOTE_MACHINE_POWER_TERMINATED},
	      {"SUSPENDED", REMOTE_MACHINE_POWER_STOPPED}};

/* The task under way says more than the status, which changes at its end. */
static const struct {
	const char *task;
	enum remote_machine_power power;
} tasks[] = {{"deleting", REMOTE_MACHINE_POWER_TERMINATING},
	     {"powering-off", REMOTE_MACHINE_POWER_STOPPING},
	     {"powering-on", REMOTE_MACHINE_POWER_PENDING},
	     {"soft-deleting", REMOTE_MACHINE_POWER_TERMINATING}};

static enum remote_machine_power power_of(struct str status, struct str task)
{
	for (size_t k = 0; k < sizeof tasks / sizeof tasks[0]; k++)
		if (str_is(task, tasks[k].task))
			return tasks[k].power;
	for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++)
		if (str_is(status, powers[k].status))
			return powers[k].power;
	return REMOTE_MACHINE_POWER_UNKNOWN;
}

static const struct remote_place places[] = {
	PLACE("id", PLACE_TEXT, machine.ref, DRAFT_ID_MAX),
	PLACE("name", PLACE_TEXT, machine.name, DRAFT_ID_MAX),
	PLACE("status", PLACE_TEXT, machine.raw_state, DRAFT_WORD_MAX),
	PLACE("flavor/id", PLACE_TEXT, machine.type, DRAFT_WORD_MAX),
	PLACE("flavor/original_name", PLACE_TEXT, machine.type, DRAFT_WORD_MAX),
	PLACE("flavor/vcpus", PLACE_INT, machine.vcpus, 65536),
	PLACE("image/id", PLACE_TEXT, machine.image, DRAFT_ID_MAX),
	PLACE("key_name", PLACE_TEXT, machine.key_name, DRAFT_ID_MAX),
	PLACE("OS-EXT-AZ:availability_zone", PLACE_TEXT, machine.zone, DRAFT_WORD_MAX),
	PLACE("created", PLACE_TIME, machine.launched_us, 0),
	PLACE("OS-SRV-USG:launched_at", PLACE_TIME, machine.launched_us, 0),
};

static void read_addresses(struct ctx *c, const json_t *networks, struct machine_draft *d)
{
	const char *name = NULL;
	json_t *list = NULL;
	json_object_foreach ((json_t *) networks, name, list) {
		if (!d->machine.network.n)
			draft_put_text(&d->machine.network, str_copy(c->arena, str_from(name)), DRAFT_ID_MAX);
		for (size_t k = 0; k < json_array_size(list) && k < DRAFT_IPS_MAX; k++) {
			const json_t *each = json_array_get(list, k);
			bool is_public = str_is(remote_json_text(c, each, "OS-EXT-IPS:type"), "floating");
			draft_add_ip(is_public ? &d->public_ips : &d->private_ips,
				     remote_json_text(c, each, "addr"));
		}
	}
}

static void read_metadata(struct ctx *c, const json_t *metadata, struct machine_draft *d)
{
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach ((json_t *) metadata, key, value)
		if (json_is_string(value))
			draft_add_tag(d, str_copy(c->arena, str_from(key)),
				      str_copy(c->arena, str_from(json_string_value(value))));
}

static void read_ids(struct ctx *c, const json_t *list, const char *member, struct draft_ids *ids,
		     size_t most)
{
	for (size_t k = 0; k < json_array_size(list) && k < DRAFT_LIST_MAX; k++)
		draft_add_id(ids, remote_json_text(c, json_array_get(list, k), member), most);
}

static RESULT read_server(struct ctx *c, const json_t *server, struct remote_machines *list)
{
	struct machine_draft d = {0};
	remote_read_places(c, server, places, sizeof places / sizeof places[0], &d);
	d.machine.power = power_of(d.machine.raw_state, remote_json_text(c, server, "OS-EXT-STS:task_state"));
	read_addresses(c, remote_json_at(server, "addresses"), &d);
	read_metadata(c, remote_json_at(server, "metadata"), &d);
	read_ids(c, remote_json_at(server, "security_groups"), "name", &d.groups, 32);
	read_ids(c, remote_json_at(server, "os-extended-volumes:volumes_attached"), "id", &d.volumes,
		 DRAFT_LIST_MAX);
	return draft_end(c, &d, list);
}

RESULT openstack_read_servers(struct ctx *c, const json_t *root, struct remote_page *ret_page)
{
	const json_t *servers = remote_json_at(root, "servers");
	struct remote_machines list = {0};
	if (!json_is_array(servers))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of servers.");
	for (size_t k = 0; k < json_array_size(servers); k++)
		TRY(read_server(c, json_array_get(servers, k), &list));
	bool has_more = list.count && openstack_has_next(c, root, "servers");
	*ret_page =
		(struct remote_page){list.at, list.count, has_more ? list.at[list.count - 1].ref : STR_NONE};
	return OK;
}

RESULT openstack_read_server(struct ctx *c, const json_t *root, struct remote_machine *ret_machine)
{
	const json_t *server = remote_json_at(root, "server");
	struct remote_machines list = {0};
	if (!json_is_object(server))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no server.");
	TRY(read_server(c, server, &list));
	*ret_machine = list.at[0];
	return OK;
}
