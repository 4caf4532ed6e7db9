/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/account/. A CloudStack user belongs to one account. For a user of a domain that is the
 * default account, else the first account on which the user has a role. */
#pragma once

#include "api/cloudstack/core/action.h"

struct user;
struct role;
struct domain;
struct account;
struct account_usage;

/* NULL: the user belongs to none. */
const struct account *cs_account_of(const struct tables *t, const struct user *user);
/* False for an account's owner without a key: CloudStack has no such user. */
bool cs_is_person(const struct tables *t, const struct user *user);
/* The highest standard role that anybody has on the account; it is the account's role. */
const struct role *cs_role_of(const struct tables *t, uuid account);
/* CloudStack's numbers of account types: 0 a user, 1 a root administrator, 2 a domain's. */
int cs_account_type(const struct role *role);
/* Name and type of a role: "Root Admin", "Admin". */
struct str cs_role_name(const struct role *role);
const char *cs_role_type(const struct role *role);
struct api_entries;
struct cs_rule;
enum { CS_RULE_SIZE_MAX = 255 };
/* Id of a role's rule about the command. */
uuid cs_rule_id(uuid role, struct str command);
/* Lists the role's rules, or, if the row has none, rules equivalent to the role. Returns their number. */
size_t cs_list_rules(struct arena *a, const struct tables *t, const struct api_entries *commands,
		     const struct role *role, struct str ret_lines[static CS_RULES_MAX]);
/* Writes the rule as an object. */
void cs_write_role_rule(struct cs_call *e, struct json_writer *w, const char *name, const struct role *role,
			const struct cs_rule *rule);
/* Extra attribute of a role: the type that it was created with. */
#define CS_ROLE_TYPE "cloudstack_type"
/* roleid, rolename, roletype and accounttype; domainid, domain. */
void cs_write_role(struct api_call *e, struct json_writer *w, uuid account);
void cs_write_domain(struct api_call *e, struct json_writer *w, uuid domain);
/* firstname, lastname, timezone of a user. */
void cs_write_names(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* "ROOT/acme" */
struct str cs_domain_path(struct arena *a, const struct tables *t, const struct domain *domain);
/* Visits the users of the account, until false is returned. */
void cs_each_person(const struct tables *t, uuid account, bool (*visit)(void *arg, const struct user *user),
		    void *arg);
/* Ids of the projects that the account manages, with commas; empty: none. ERR_NO_MEMORY. */
RESULT cs_list_managed(struct ctx *c, const struct tables *t, uuid account, struct str *ret_ids);
/* Writes limits (NULL: there are none) and usage. */
void cs_write_usage(struct api_call *e, struct json_writer *w, const struct account *limits,
		    const struct account_usage *u);
/* True if the list's "details" include figures. */
bool cs_shows_figures(struct api_call *e);
/* Writes an account's figures, as a member. */
void cs_write_figures(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
#define CS_FIGURES                                                                                           \
	"vmtotal|vmavailable|iplimit|iptotal|ipavailable|volumelimit|volumetotal|volumeavailable|"           \
	"snapshotlimit|snapshottotal|snapshotavailable|templatelimit|templatetotal|templateavailable|"       \
	"networklimit|networktotal|networkavailable|vpclimit|vpctotal|vpcavailable|cpulimit|cputotal|"       \
	"cpuavailable|memorylimit|memorytotal|memoryavailable|primarystoragelimit|primarystoragetotal|"      \
	"primarystorageavailable"
/* Listings that lists and changes show. */
extern const struct api_listing cs_users, cs_accounts, cs_domains, cs_roles;
