/* SPDX-License-Identifier: Apache-2.0
 * Generates docs/limits.md: quotas per kind (engine/limits.def), maximum row sizes (schema/), other limits,
 * and how long work may occupy which thread. */
#include "daemon/limits_page.h"

#include <inttypes.h>

#include "api/console/relay.h"
#include "api/core/response_cache.h"
#include "api/ec2/core/item_cache.h"
#include "api/metadata/dns.h"
#include "auth/key/last_used.h"
#include "auth/sign_in/password.h"
#include "auth/sign_in/session.h"
#include "auth/token/issuers.h"
#include "auth/token/ticket.h"
#include "engine/instance/connect_key.h"
#include "engine/instance/instance.h"
#include "engine/limits.h"

/* ---- quotas ---- */

struct quota_row {
	enum kind kind;
	const char *name, *words, *source;
	int64_t standard;
};

static const struct quota_row quotas[] = {
#define QUOTA(ID, figure, KIND, words, standard, source) {KIND_##KIND, #figure, words, source, standard},
#define EACH QUOTA
#include "engine/limits.def"
};
static const struct quota_row kept[] = {
#define KEPT(ID, figure, standard, why) {KIND_NONE, #figure, NULL, why, standard},
#include "engine/limits.def"
};

static void write_quotas(struct buf *out)
{
	buf_add_str(
		out,
		STR("## Quotas\n\nThe account's row keeps them; an administrator changes them with the quota "
		    "sets of Nova, Cinder and Neutron, and -1 is\nnone. This is what a new account gets.\n\n"
		    "| of an account | at most | whose number |\n| --- | --- | --- |\n"));
	for (size_t n = 0; n < sizeof quotas / sizeof *quotas; n++)
		buf_print(out, "| %s | %" PRId64 " | %s |\n", quotas[n].words, quotas[n].standard,
			  quotas[n].source);
	buf_add_str(out, STR("\nThese are kept and shown, too, and nothing is held to them.\n\n| kept | at "
			     "first | why "
			     "|\n| --- | --- | --- |\n"));
	for (size_t n = 0; n < sizeof kept / sizeof *kept; n++)
		buf_print(out, "| %s | %" PRId64 " | %s |\n", kept[n].name, kept[n].standard, kept[n].source);
}

static void write_limits(struct buf *out)
{
	buf_add_str(out, STR("\n## Limits\n\nThe same for everybody. `dari limit set NAME NUMBER` says "
			     "another number for "
			     "the region.\n\n| kind | of one | at most | name | whose number |\n| --- | --- "
			     "| --- | --- "
			     "| --- |\n"));
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++) {
		const struct limit_info *info = &engine_limits[limit];
		buf_print(out, "| %s | %s | %" PRId64 " | `%s` | %s |\n", model_kinds[info->kind].name,
			  info->owner ? model_kinds[info->owner].name : "region", info->most, info->name,
			  info->source);
	}
}

static void write_words(struct buf *out)
{
	buf_add_str(out, STR("\n## What bounds the rest\n\n| kind | |\n| --- | --- |\n"));
	for (size_t n = 0; n < engine_limit_word_count; n++)
		if (!engine_limit_words[n].is_operators)
			buf_print(out, "| %s | %s |\n", model_kinds[engine_limit_words[n].kind].name,
				  engine_limit_words[n].words);
	buf_add_str(out, STR("\nNo account makes these:"));
	const char *before = " ";
	for (size_t n = 0; n < engine_limit_word_count; n++) {
		if (!engine_limit_words[n].is_operators)
			continue;
		buf_print(out, "%s%s (%s)", before, model_kinds[engine_limit_words[n].kind].name,
			  engine_limit_words[n].words);
		before = ", ";
	}
	buf_add_str(out, STR(".\n"));
}

/* ---- sizes ---- */

static void write_sizes(struct buf *out)
{
	buf_add_str(
		out,
		STR("\n## How large a row may be\n\nEach text and list has its own largest size in `schema/` "
		    "(`dari`'s reference of resources shows them); the store refuses what\nexceeds it. These "
		    "are "
		    "the bytes of a row in memory whose fields are all full: its 50 tags alone may be 90 "
		    "KiB.\n\n"
		    "| kind | bytes |\n| --- | --- |\n"));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		buf_print(out, "| %s | %zu |\n", model_kinds[kind].name, model_kinds[kind].row_max);
}

/* ---- other limits ---- */

static const struct {
	const char *what;
	int64_t number; /* 0: see the words */
	const char *words;
} others[] = {
	{"connections", 0,
	 "`limits.connections` in all, `limits.connections_per_address` of one address, "
	 "`limits.connections_per_account` of one account; the last twentieth is for administrators"},
	{"requests", 0,
	 "`limits.reads_per_second`, `limits.writes_per_second` of an account, `limits.strangers_per_second` "
	 "of an address; a parked request keeps its connection, and so counts as one"},
	{"a request's body", 0,
	 "1 MiB, and 4 MiB in SQS, where it is no image's data; its headers 32 KiB; its parameters 2,000 in "
	 "EC2 and IAM; a "
	 "body in JSON is 16 deep at most"},
	{"tokens and sessions", 0, "sealed or signed texts: the region keeps nothing of them"},
	{"characters of a session's token", SESSION_TOKEN_MAX, "longer ones are not made"},
	{"console tickets", 0, "signed texts that live for ten minutes: the region keeps nothing of them"},
	{"open consoles", 0, "`consoles.open` in all, `consoles.open_per_account` of an account"},
	{"public keys of EC2 Instance Connect", CONNECT_KEYS_MAX, "in all, for a minute"},
	{"of one account's", CONNECT_SHARE, "one more is refused (ThrottlingException)"},
	{"passwords that wait to be hashed", PASSWORDS_WAITING_MAX, "in all"},
	{"of one asker's", PASSWORDS_WAITING_OF_ONE, "one more is told to come again"},
	{"fetches of an issuer's keys that wait", ISSUERS_WAITING_MAX, "in all"},
	{"issuers whose keys are kept", ISSUERS_KEPT, "the oldest go"},
	{"last uses that are not written down yet", LAST_USED_MAX, "the oldest are lost"},
	{"bytes of an answer that is cached", RESPONSE_SIZE_MAX,
	 "32 MiB in each face, 8 MiB of an account; the least recently used go"},
	{"bytes of an item that is cached for EC2's lists", EC2_ITEM_CACHED_MAX,
	 "144 MiB in all; the oldest go"},
	{"resolvers that names are forwarded to", DNS_UPSTREAMS_MAX,
	 "4,096 names on their way in all, 64 of one guest; 256 connections, 16 of one guest"},
	{"instances of one launch", INSTANCE_LAUNCH_MAX, "and the quota"},
	{"the history of a resource", 0,
	 "lines in the database, not in memory: one or a few for each change, so the limits of requests "
	 "bound how fast it grows. Nothing removes them"},
	{"usage records", 0, "the same"},
};

static void write_others(struct buf *out)
{
	buf_add_str(out, STR("\n## What is no row\n\n| what | at most | |\n| --- | --- | --- |\n"));
	for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
		buf_print(out, "| %s | ", others[n].what);
		if (others[n].number)
			buf_print(out, "%" PRId64, others[n].number);
		buf_print(out, " | %s |\n", others[n].words);
	}
}

/* ---- times ---- */

static const struct {
	const char *thread, *work, *bound;
} threads[] = {
	{"HTTP pool", "one request: parse, look, render",
	 "the sizes of requests above; lists have pages of 1,000 items, and what is not paged walks one "
	 "account's rows, which the quotas bound"},
	{"passwords", "one hash",
	 "its cost is set (`identity.password_memory_kib`, `identity.password_passes`); a password has 4,096 "
	 "bytes at most"},
	{"committer", "one change: memory only", "the rows that it touches: see below"},
	{"committer", "one commit", "4,096 changes in one SQL transaction"},
	{"hosts, pool, network", "one step of one resource",
	 "each driver's call has a time limit; one that hangs keeps its own thread, and there are so many of "
	 "them"},
	{"http-accept", "one connection",
	 "it only accepts; every connection has a time until which its request has to be there"},
	{"consoles", "what a console has to carry", "64 KiB each way at a time; then it is not read from"},
	{"issuers", "one fetch", "64 KiB and a time limit"},
	{"uses", "one change", "4,096 rows"},
	{"metadata, dns", "one question", "4,096 bytes and the zone of one VPC"},
	{"control", "one `dari` command", "the operator's; 32 at a time"},
};

/* Changes that affect more than a few rows. */
static const struct {
	const char *change, *bound;
} changes[] = {
	{"RunInstances",
	 "1,000 instances with 26 volumes and 16 interfaces each, and never more than the quotas"},
	{"AuthorizeSecurityGroup…, a group's deletion",
	 "the group's 1,000 rules, and 100 that were revoked lately; each new rule is compared with those "
	 "there are"},
	{"DeleteVpc, DeleteRouter",
	 "200 network ACLs of 40 entries, 200 peerings, the route tables, and the default group's rules"},
	{"DeleteTransitGateway", "20 route tables of 500 routes"},
	{"SetExtraRoutes", "100 routes"},
	{"CreateUser, CreateGroup, CreateRole, CreatePolicy",
	 "the account's 5,000, 300, 1,000 or 1,500 names are compared, for IAM's names differ in letter case "
	 "alone"},
	{"CreateAccount", "16 subnets of the default VPC"},
	{"deleting an account",
	 "an administrator's. Only what costs nothing goes along: 5,000 users with 100 keys, 100 credentials "
	 "and 100 groups each, 1,000 roles, 1,500 policies, 5,000 key pairs, 5,000 templates. Instances, "
	 "volumes, networks, images have to be gone before"},
	{"deleting a domain",
	 "an administrator's. Its accounts have to be gone before; its users and groups go along"},
	{"sweeps of client tokens, ended tokens, old instances", "so many rows at a time, and again"},
	{"a host that is added, or leaves", "the operator's: the instances of that host"},
};

static void write_times(struct buf *out)
{
	buf_add_str(out,
		    STR("\n## How long, on which thread\n\n| thread | one piece of work | what bounds it |\n"
			"| --- | --- | --- |\n"));
	for (size_t n = 0; n < sizeof threads / sizeof *threads; n++)
		buf_print(out, "| %s | %s | %s |\n", threads[n].thread, threads[n].work, threads[n].bound);
	buf_add_str(out, STR("\nChanges that touch many rows, while all others wait for them:\n\n| change | "
			     "what bounds it |\n"
			     "| --- | --- |\n"));
	for (size_t n = 0; n < sizeof changes / sizeof *changes; n++)
		buf_print(out, "| %s | %s |\n", changes[n].change, changes[n].bound);
}

void limits_page_write(struct buf *out)
{
	buf_add_str(out, STR("# Limits\n\nMade by `dari dump limits`; a test holds this page to it. What one "
			     "account may make "
			     "of each kind, how many bytes a row may\nhold, and how long anything may take: "
			     "so that no "
			     "stranger fills the memory that all share, or keeps the others waiting.\nOne "
			     "more than there "
			     "may be is refused with the face's own code (`KeyPairLimitExceeded`, "
			     "`LimitExceeded`, 403, 409, "
			     "413).\n\n"));
	write_quotas(out);
	write_limits(out);
	write_words(out);
	write_others(out);
	write_sizes(out);
	write_times(out);
}
