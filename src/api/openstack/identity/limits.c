/* SPDX-License-Identifier: Apache-2.0
 * Keystone's unified limits: none are registered, because each service has limits of its own. Source:
 * Identity API reference, "Unified limits". */
#include "api/openstack/identity/identity.h"

static RESULT list_none(struct os_call *e, const char *items, struct json_writer *w)
{
	json_write_open_list(w, items);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT list_registered(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list_none(e, "registered_limits", w);
}

static RESULT list_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list_none(e, "limits", w);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v3/registered_limits", .permit = "identity:list_registered_limits", .args = OS_NO_PARAMS,
	 .answer = list_registered, .doc = "Lists registered limits. There are none."},
	{HTTP_GET, "/v3/limits", .permit = "identity:list_limits", .args = OS_NO_PARAMS,
	 .answer = list_limits, .doc = "Lists limits. There are none."},
};
const struct os_actions os_identity_limit_actions = OS_ACTIONS(OS_IDENTITY, actions);
