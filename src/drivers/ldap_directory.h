/* SPDX-License-Identifier: Apache-2.0
 * Client of an LDAP directory, Active Directory included. A bind proves a person's password; searches read the person and the groups
 * that have the person as a member. Sources: RFC 4511 (protocol), 4513 (binds, StartTLS), 4515 (filters), 4530 (entryUUID); Microsoft's MS-ADTS 3.1.1
 * (sAMAccountName, objectGUID). Calls block for as long as timeout_us each; any thread that may wait. */
#pragma once

#include "base/ctx.h"

enum { LDAP_GROUPS_MAX = 256, LDAP_TEXT_MAX = 1024 };

/* Strings stay the caller's. */
struct ldap_directory {
	/* ldaps://HOST[:PORT], ldap://HOST[:PORT], ldapi://PATH; several, separated by blanks */
	struct str url;
	bool uses_start_tls;               /* on ldap:// */
	struct str authority;              /* path of the CA's PEM file; empty: the system's */
	struct str bind_name;              /* DN of the account that searches; empty: an anonymous one */
	struct str bind_password;          /* its password */
	struct str user_base, user_filter; /* {name} stands for the name that was typed */
	struct str name_attribute, id_attribute, mail_attribute;
	struct str group_base;   /* empty: no groups are read */
	struct str group_filter; /* {dn} and {name} stand for the person's */
	struct str group_name_attribute;
	int64_t timeout_us; /* of connecting, and of each answer */
};

struct ldap_person {
	struct str dn, id, name, mail; /* id: text; a binary id of 16 bytes is written as a UUID */
	struct strs groups;            /* their names, LDAP_GROUPS_MAX at most */
};

/* Fills *ret_person in c's arena. ERR_UNAUTHENTICATED: no such person, several, or not their password; an empty password is never
 * sent, because servers take it for an anonymous bind (RFC 4513, 5.1.2). ERR_IO, with the server's words: it can't be reached, refuses
 * the searching account, or answers anything else. */
RESULT ldap_directory_prove(struct ctx *c, const struct ldap_directory *d, struct str name,
			    struct str password, struct ldap_person *ret_person);
/* Looks for people by the ids that they had, over one connection. ret_people[k].id is empty where the directory has nobody with ids[k]
 * whom d->user_filter admits, under whatever name. ERR_IO as above: then nothing is known of anybody. */
RESULT ldap_directory_find(struct ctx *c, const struct ldap_directory *d, const struct str *ids, size_t count,
			   struct ldap_person *ret_people);
/* Binds as the searching account and looks for the bases: what `dari doctor` asks. ERR_IO. */
RESULT ldap_directory_check(struct ctx *c, const struct ldap_directory *d);
/* Writes the filter with the values in the place of {dn} and {name}, escaped; pure. p NULL: out of memory. */
struct str ldap_write_filter(struct arena *a, struct str filter, struct str name, struct str dn);
/* Writes the filter that admits the person of that id under any name: {name} becomes "*". Active Directory's objectGUID is compared as
 * 16 bytes, every other attribute as text; pure. p NULL: out of memory. */
struct str ldap_write_id_filter(struct arena *a, struct str filter, struct str attribute, struct str id);
