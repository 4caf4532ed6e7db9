/* SPDX-License-Identifier: Apache-2.0
 * The face as a whole: its life, and what it tells the server. */
#include "api/openstack/core/face.h"

#include "api/openstack/core/errors.h"
#include "auth/password.h"
#include "base/heap.h"

enum { BODY_CAP_SIZE = 1024 * 1024 };

const struct http_face openstack_http_face = {.name = "openstack",
					      .handle = api_handle_call,
					      .reject = os_reject,
					      .body_cap_size = BODY_CAP_SIZE,
					      .begin = api_begin_call};

RESULT openstack_new(struct ctx *c, const struct openstack_config *config, struct openstack_face **ret_face)
{
	struct openstack_face *face = heap_new(struct openstack_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->region = heap_copy_z(str_to_z(c->arena, config->region));
	face->endpoint = heap_copy_z(str_to_z(c->arena, config->endpoint));
	face->core = (struct api_face){.protocol = &os_protocol,
				       .http = &openstack_http_face,
				       .store = config->store,
				       .guards = config->guards,
				       .limits = config->limits,
				       .reconciler = config->reconciler,
				       .lane = passwords_lane(config->passwords),
				       .cache = response_cache_new()};
	if (!face->region || !face->endpoint || !face->core.cache) {
		openstack_free(face);
		return ctx_no_memory(c);
	}
	face->config.region = str_from(face->region);
	face->config.endpoint = str_from(face->endpoint);
	os_sum_routes(face);
	*ret_face = face;
	return OK;
}

void openstack_free(struct openstack_face *face)
{
	if (!face)
		return;
	heap_free(face->region);
	heap_free(face->endpoint);
	response_cache_free(face->core.cache);
	heap_free(face);
}
