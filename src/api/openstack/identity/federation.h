/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/identity/: identity providers by which people of a domain sign in, as Keystone's federation names them. */
#pragma once

#include "api/openstack/core/action.h"

struct oidc_provider;
struct saml_provider;

/* An identity provider: one of the two members is set; both NULL: not found. The call's view owns the rows. */
struct os_idp {
	const struct oidc_provider *oidc;
	const struct saml_provider *saml;
};
/* By the row's id, or by the name on the sign-in page if no other provider has it. */
void os_find_idp(struct os_call *e, struct str id, struct os_idp *ret_idp);
/* Fails with ERR_NOT_FOUND, in Keystone's words. */
RESULT os_fail_idp(struct os_call *e, struct str id);
