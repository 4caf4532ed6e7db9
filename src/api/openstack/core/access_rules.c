/* SPDX-License-Identifier: Apache-2.0
 * Requests by an application credential with access rules: only what a rule names is let in. Keystone's middleware does
 * this in every service, and answers as to whom it does not know. */
#include "api/openstack/core/face.h"
#include "api/openstack/core/services.h"

/* As the catalogue names the services. */
static const char *const types[OS_SERVICE_COUNT] = {
	[OS_IDENTITY] = "identity",
	[OS_COMPUTE] = "compute",
	[OS_IMAGE] = "image",
	[OS_NETWORK] = "network",
	[OS_VOLUME] = "block-storage|volumev3",
	[OS_PLACEMENT] = "placement",
};

/* What a token is worth may always be asked. */
static bool asks_for_a_token(const struct os_call *e)
{
	return e->service == OS_IDENTITY && e->call->method == HTTP_GET &&
	       str_ends_with(e->call->path, STR("/v3/auth/tokens"));
}

/* A rule's path is the service's own ("/v2.1/servers"); where all services are behind one port clients know them with
 * the prefix, which is taken for the same. */
struct token_use os_describe_use(const struct os_call *e)
{
	enum os_service service;
	struct str whole = e->call->path, rest = whole;
	(void) os_service_of_path(whole, &service, &rest);
	return (struct token_use){.service = types[e->service],
				  .method = e->call->method_name,
				  .paths = {rest, whole},
				  .is_no_call = asks_for_a_token(e)};
}
