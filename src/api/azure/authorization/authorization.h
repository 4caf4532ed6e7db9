/* SPDX-License-Identifier: Apache-2.0
 * Private to authorization/: the scopes of roles, assignments and locks. Each call has four rows in its table, one
 * for each depth of a scope: subscription, resource group, resource, and part of a resource. */
#pragma once

#include "api/azure/core/action.h"
#include "engine/people/policy/arm_rights.h"

/* Scope of a call: its path before "/providers/Microsoft.Authorization". */
struct az_scope {
	struct arm_place place;
	struct str text; /* "/subscriptions/…/resourceGroups/rg1", unchanged from the path */
};
/* ERR_NOT_FOUND: there is no such group or resource. */
RESULT az_find_scope(struct az_call *e, struct az_scope *ret_scope);
/* True if a list at the scope includes an assignment or lock at `place`: one that applies at the scope, or, if with_below, one below
 * the scope. */
bool az_concerns_scope(const struct az_scope *scope, const struct arm_place *place, bool with_below);

/* The path's variable as a UUID. ERR_INVALID, with that code. */
RESULT az_path_id(struct az_call *e, const char *variable, const struct api_error *error, uuid *ret_id);
/* "/subscriptions/…/providers/Microsoft.Authorization/roleDefinitions/{id}": the id; none: it is not such. */
uuid az_read_definition_id(struct str text);
struct str az_write_definition_id(struct az_call *e, uuid id);

#define AZ_AUTHORIZATION "/providers/Microsoft.Authorization"
#define AZ_AT_RESOURCE AZ_GROUP "/providers/{resourceProviderNamespace}/{resourceType}/{resourceName}"
#define AZ_AT_PART AZ_AT_RESOURCE "/{partType}/{partName}"
/* A row of the table at each depth. */
#define AZ_AT_EACH(ROW, rest)                                                                                \
	ROW(AZ_SUBSCRIPTION AZ_AUTHORIZATION rest), ROW(AZ_GROUP AZ_AUTHORIZATION rest),                     \
		ROW(AZ_AT_RESOURCE AZ_AUTHORIZATION rest), ROW(AZ_AT_PART AZ_AUTHORIZATION rest)
