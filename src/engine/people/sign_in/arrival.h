/* SPDX-License-Identifier: Apache-2.0
 * Groups of an identity provider or directory, and the groups of a domain that follow them. An administrator sets the rules, and
 * gives roles to the domain's groups; a provider grants no role itself. */
#pragma once

#include "base/str.h"

enum {
	ARRIVAL_RULES_MAX = 64,
	ARRIVAL_RULE_MAX = 255,  /* characters */
	ARRIVAL_CLAIM_MAX = 255, /* characters of a claim's or attribute's name */
};

struct arrival_groups {
	struct strs rules; /* "GROUP", or "GROUP = GROUP OF THE DOMAIN" */
	struct strs said;  /* groups of the person, as the provider says */
	bool ignores_case; /* as LDAP compares names */
};
