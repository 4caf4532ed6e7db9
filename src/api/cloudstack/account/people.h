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
enum { CS_RULE_SIZE_MAX = 255 };

/* ---- rules that a command changes (account/rule_lists.c) ---- */

/* A rule as a command gives it. */
struct cs_said_rule {
	struct str rule, permission, description;
};
/* A role's rules, as its row keeps them. */
struct cs_rules {
	struct str at[CS_RULES_MAX];
	size_t count;
};
/* ERR_INVALID: not a rule. */
RESULT cs_read_said_rule(struct cs_call *e, const struct cs_said_rule *said, struct cs_rule *ret_rule);
/* Checks the parameters ruleorder, the one named `rule` and permission: an order, or a rule with its permission. */
RESULT cs_check_rule_change(struct cs_call *e, const struct strs *order, struct str rule,
			    struct str permission);
/* Number of the rule with that id; the count if there is none. */
size_t cs_find_rule(const struct cs_rules *rules, uuid role, struct str id);
RESULT cs_check_rule_count(struct ctx *c, size_t count);
/* Adds a rule that cs_read_said_rule() has accepted. ERR_INVALID: there is one about the command. */
RESULT cs_add_rule(struct ctx *c, struct cs_rules *rules, uuid role, const struct cs_said_rule *said,
		   uuid *ret_id);
/* Changes the rule's permission. ERR_INVALID: there is no such rule. */
RESULT cs_change_rule(struct ctx *c, struct cs_rules *rules, uuid role, struct str id, struct str permission);
/* Puts the rules into another order, which names each of them once. ERR_INVALID. */
RESULT cs_order_rules(struct ctx *c, struct cs_rules *rules, uuid role, const struct strs *order);
/* False: there is no such rule. */
bool cs_drop_rule(struct cs_rules *rules, uuid role, struct str id);

/* ---- roles ---- */

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
/* Gives that role to the users of the account, instead of the roles that they have there (user_moves.c). */
RESULT cs_change_account_role(struct op *op, uuid account, uuid role);
/* firstname, lastname, timezone of a user. */
void cs_write_names(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
/* "ROOT/acme" */
struct str cs_domain_path(struct arena *a, const struct tables *t, const struct domain *domain);
/* Visits the users of the account, until false is returned. */
void cs_each_person(const struct tables *t, uuid account, bool (*visit)(void *arg, const struct user *user),
		    void *arg);
/* Ids of the projects that the account manages, with commas; empty: none. ERR_NO_MEMORY. */
RESULT cs_list_managed(struct ctx *c, const struct tables *t, uuid account, struct str *ret_ids);
/* prepare of a list with a domain: ERR_NOT_FOUND, the domain does not exist. */
RESULT cs_check_listed_domain(struct cs_call *e, void *args);
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
