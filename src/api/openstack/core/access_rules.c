/* SPDX-License-Identifier: Apache-2.0
 * Describes a call for the access rules of application credentials, which allow only listed requests.
 * Keystone's middleware enforces them in every service and answers violations with 401. */
#include "api/openstack/core/face.h"
#include "api/openstack/core/services.h"

/* Service types of the catalog. */
static const char *const types[OS_SERVICE_COUNT] = {
	[OS_IDENTITY] = "identity",
	[OS_COMPUTE] = "compute",
	[OS_IMAGE] = "image",
	[OS_NETWORK] = "network",
	[OS_VOLUME] = "block-storage|volumev3",
	[OS_PLACEMENT] = "placement",
	[OS_LOAD_BALANCER] = "load-balancer",
	[OS_KEY_MANAGER] = "key-manager",
	[OS_ALARMING] = "alarming",
	[OS_METRIC] = "metric",
};

/* Validating a token is always allowed, regardless of access rules. */
static bool asks_for_a_token(const struct os_call *e)
{
	return e->service == OS_IDENTITY && e->call->method == HTTP_GET &&
	       str_ends_with(e->call->path, STR("/v3/auth/tokens"));
}

/* Access rules contain the service's own path ("/v2.1/servers"). Here all services share one port, so
 * clients also know the path with the service's prefix; both forms match. */
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
