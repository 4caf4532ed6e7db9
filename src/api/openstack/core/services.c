/* SPDX-License-Identifier: Apache-2.0
 * Paths and microversions of the services, and the request and answer headers that depend on them. */
#include "api/openstack/core/services.h"

#include <stdio.h>

static const struct os_service_info services[OS_SERVICE_COUNT] = {
	[OS_IDENTITY] = {"identity", "/identity", "/v3", NULL, 0, 0},
	[OS_COMPUTE] = {"compute", "/compute", "/v2.1", "compute", 2, 93},
	[OS_IMAGE] = {"image", "/image", "/v2", NULL, 0, 0},
	[OS_NETWORK] = {"network", "/network", "/v2.0", NULL, 0, 0},
	[OS_VOLUME] = {"block-storage", "/volume", "/v3", "volume", 3, 70},
	[OS_PLACEMENT] = {"placement", "/placement", "", "placement", 1, 39},
	[OS_LOAD_BALANCER] = {"load-balancer", "/load-balancer", "/v2", NULL, 0, 0},
	[OS_KEY_MANAGER] = {"key-manager", "/key-manager", "/v1", NULL, 0, 0},
	[OS_ALARMING] = {"alarming", "/alarming", "/v2", NULL, 0, 0},
	[OS_METRIC] = {"metric", "/metric", "/v1", NULL, 0, 0},
};

const struct os_service_info *os_service_info(enum os_service service)
{
	return &services[service];
}

/* True if the path is the prefix or continues below it. */
static bool is_under(struct str path, const char *prefix)
{
	size_t n = strlen(prefix);
	return str_starts_with(path, str_from(prefix)) && (path.n == n || path.p[n] == '/');
}

bool os_service_of_path(struct str path, enum os_service *ret_service, struct str *ret_rest)
{
	for (enum os_service s = 0; s < OS_SERVICE_COUNT; s++) {
		if (!is_under(path, services[s].prefix))
			continue;
		*ret_service = s;
		*ret_rest = str_slice(path, strlen(services[s].prefix), path.n);
		return true;
	}
	if (!is_under(path, "/v3")) /* clients configured with only host and port request tokens at /v3 */
		return false;
	*ret_service = OS_IDENTITY;
	*ret_rest = path;
	return true;
}

bool openstack_has_path(struct str path)
{
	enum os_service service;
	struct str rest;
	return os_service_of_path(path, &service, &rest);
}

struct str os_service_url(const struct os_call *e, enum os_service service)
{
	return str_print(e->c->arena, "%" STR_FMT "%s%s", STR_ARG(e->base_url), services[service].prefix,
			 service == OS_IMAGE || service == OS_NETWORK || service == OS_LOAD_BALANCER ||
					 service == OS_KEY_MANAGER || service == OS_ALARMING ||
					 service == OS_METRIC
				 ? ""
				 : services[service].version_path);
}

/* ---- microversions ---- */

static RESULT fail_version(struct os_call *e, struct str asked)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("OpenStack-API-Version"),
			      "API Version String %" STR_FMT " is of invalid format. Must be of format "
			      "MajorNum.MinorNum.",
			      STR_ARG(str_slice(asked, 0, 64)));
}

/* Extracts "2.79" from "compute 2.79" in a header that may name several services; empty: this service is
 * not named. */
static struct str find_asked(const struct os_call *e, const struct os_service_info *info)
{
	struct str header = call_header(e->call, "OpenStack-API-Version"), part;
	while (str_split_next(&header, ',', &part)) {
		struct str type = STR_NONE, rest = str_trim(part);
		if (str_split_next(&rest, ' ', &type) && str_is(type, info->microversion_type))
			return str_trim(rest);
	}
	return e->service == OS_COMPUTE ? str_trim(call_header(e->call, "X-OpenStack-Nova-API-Version"))
					: STR_NONE;
}

RESULT os_read_version(struct os_call *e)
{
	const struct os_service_info *info = &services[e->service];
	if (!info->microversion_type)
		return OK;
	e->request.version = e->service == OS_COMPUTE ? 1 : 0;
	struct str asked = find_asked(e, info), rest = asked, major_text = STR_NONE;
	int64_t major = 0, minor = 0;
	if (str_is_empty(asked) || e->is_legacy)
		return OK;
	if (str_is(asked, "latest")) {
		e->request.version = info->minor_max;
		return OK;
	}
	if (!str_split_next(&rest, '.', &major_text) || !result_is_ok(str_parse_int(major_text, &major)) ||
	    !result_is_ok(str_parse_int(rest, &minor)) || minor < 0 || (rest.n > 1 && rest.p[0] == '0'))
		return fail_version(e, asked);
	if (major != info->major || minor > info->minor_max || minor < e->request.version)
		return ctx_fail_field(e->c, ERR_RANGE, STR("OpenStack-API-Version"),
				      "Version %" STR_FMT
				      " is not supported by the API. Minimum is %d.%d and maximum is %d.%d.",
				      STR_ARG(str_slice(asked, 0, 64)), info->major, e->request.version,
				      info->major, info->minor_max);
	e->request.version = (int) minor;
	return OK;
}

void os_set_headers(struct os_call *e)
{
	const struct os_service_info *info = &services[e->service];
	if (e->has_headers)
		return;
	e->has_headers = true;
	struct str id = str_print(e->c->arena, "req-%" STR_FMT, STR_ARG(e->c->request_id));
	call_set_answer_header(e->call, "x-openstack-request-id", id);
	if (e->service == OS_COMPUTE)
		call_set_answer_header(e->call, "x-compute-request-id", id);
	if (!info->microversion_type || e->is_legacy)
		return;
	struct str version = str_print(e->c->arena, "%d.%d", info->major, e->request.version);
	call_set_answer_header(
		e->call, "OpenStack-API-Version",
		str_print(e->c->arena, "%s %" STR_FMT, info->microversion_type, STR_ARG(version)));
	if (e->service == OS_COMPUTE)
		call_set_answer_header(e->call, "X-OpenStack-Nova-API-Version", version);
	call_set_answer_header(e->call, "Vary",
			       e->service == OS_COMPUTE
				       ? STR("OpenStack-API-Version, X-OpenStack-Nova-API-Version")
				       : STR("OpenStack-API-Version"));
}
