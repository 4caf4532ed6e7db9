/* SPDX-License-Identifier: Apache-2.0
 * Requests by an application credential with access rules: only what a rule names is let in. Keystone's middleware does
 * this in every service, and answers as to whom it does not know. */
#include "api/openstack/core/face.h"
#include "api/openstack/core/services.h"
#include "engine/people/access_rule.h"
#include "store/application_credential.h"

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
RESULT os_check_access_rules(struct os_call *e, const struct identity *who)
{
	enum os_service service;
	struct str method = e->call->method_name, whole = e->call->path, rest = whole;
	if (uuid_is_none(who->application_credential) || asks_for_a_token(e))
		return OK;
	(void) os_service_of_path(whole, &service, &rest);
	AUTO_VIEW v;
	view_open(e->config->store, &v);
	const struct application_credential *a =
		application_credential_find(v.tables, who->application_credential);
	bool may = a && (engine_rules_allow(v.tables, a, types[e->service], method, rest) ||
			 engine_rules_allow(v.tables, a, types[e->service], method, whole));
	view_end_read(&v);
	return may ? OK
		   : ctx_fail(e->c, ERR_UNAUTHENTICATED,
			      "The request you have made requires authentication.");
}
