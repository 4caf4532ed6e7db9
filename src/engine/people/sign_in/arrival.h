/* SPDX-License-Identifier: Apache-2.0
 * Groups of an identity provider or directory, and the groups of a domain that follow them. An administrator sets the rules, and
 * gives roles to the domain's groups; a provider grants no role itself. */
#pragma once

#include "base/str.h"

enum {
	ARRIVAL_RULES_MAX = 64,
	ARRIVAL_RULE_MAX = 200,  /* characters */
	ARRIVAL_CLAIM_MAX = 255, /* characters of a claim's or attribute's name */
	ARRIVAL_NAMES = 3,       /* name candidates for a new user */
};

/* Splits a rule. Without "=" the group of the domain has the name of the provider's. */
void arrival_read_rule(struct str rule, struct str *ret_theirs, struct str *ret_ours);

struct arrival_groups {
	struct strs rules; /* "GROUP", or "GROUP = GROUP OF THE DOMAIN" */
	struct strs said;  /* groups of the person, as the provider says */
	bool ignores_case; /* as LDAP compares names */
};
