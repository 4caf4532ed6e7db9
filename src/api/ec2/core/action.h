/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: what an action of EC2 is, and what a call of one carries, beyond what every face's has
 * (api/core/action.h).
 *
 *   prepare           what a table cannot say: turns words of EC2 into the operation's wish. On an
 *                     HTTP thread, where decoding, digests and key generation belong. It holds no
 *                     rule of the cloud: those are the engine's
 *   answer            writes the answer's members, on an HTTP thread; may read a view's tables, where others may have
 *                     changed what a change made: rows of the kind that it `returns` are found as it left
 *                     them (ec2_find_returned). An action with
 *                     a list instead describes the rows of one kind (list.h); with neither, the
 *                     answer is <return>true</return>
 *   state_in_answer   of a change that EC2 takes a moment for, and we do not: the state that the answer of the
 *                     call shows (ec2_state_in_answer()). What is described from then on is in the next one
 * How to add an action: HACKING.md. */
#pragma once

#include "api/core/dispatch.h"
#include "api/ec2/core/ec2.h"
#include "api/ec2/core/gathered_answer.h"
#include "api/query/request.h"
#include "auth/key/sigv4.h"
#include "base/clock.h"
#include "base/vec.h"
#include "base/xml.h"
#include "engine/resolve.h"
#include "http/server.h"
#include "reconcile/reconcile.h"

struct attributes;
struct ec2_call;
struct ec2_listing;
struct ec2_item_cache;
struct filter;

struct filters {
	const struct filter *at;
	size_t count;
	const struct attributes *attributes; /* whose rows have filters, too; NULL: none */
};

/* Parameters for the source of a VPC's blocks in CreateVpc and AssociateVpcCidrBlock. T: a struct with an ipv6_block_wish and the
 * border group. */
#define EC2_BLOCK_ORIGINS(T, ipv6, border_group)                                                             \
	PARAM(T, "AmazonProvidedIpv6CidrBlock", ipv6.is_wanted,                                              \
	      .doc = "Requests an IPv6 block: a /56 from the region's pool."),                               \
		PARAM(T, "Ipv6Pool", ipv6.pool, .kind = KIND_EXTERNAL_NETWORK, .prefix = EC2_IPV6_POOL,      \
		      .doc = "IPv6 pool to allocate the block from."),                                       \
		PARAM(T, "Ipv6CidrBlock", ipv6.block, .flags = IPV6,                                         \
		      .doc = "The /56 block to allocate from Ipv6Pool."),                                    \
		PARAM(T, "Ipv6CidrBlockNetworkBorderGroup", border_group, .max = 255,                        \
		      .doc = "Name of the region."),                                                         \
		NOT_BUILT("Ipv4IpamPoolId"), NOT_BUILT("Ipv4NetmaskLength"), NOT_BUILT("Ipv6IpamPoolId"),    \
		NOT_BUILT("Ipv6NetmaskLength")

enum ec2_action_flag {
	EC2_OF_STS = API_OF_FACE, /* an action of the Security Token Service */
};

/* Actions that say some failures in other words than the rest (api_error.parts); a bit each. */
enum ec2_part {
	EC2_OF_INTERFACES = 1 << 0,
	EC2_OF_NEW_NAT_GATEWAYS = 1 << 1,
};

struct ec2_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct ec2_call *e, void *args);
	RESULT (*answer)(struct ec2_call *e, const void *args, struct xml *x);
	const struct ec2_listing *list;
	/* Without an answer: shows the row whose id is in the args at `shown`, as the change left it (EC2_SHOWS). */
	const struct ec2_listing *shows;
	size_t shown;
	const char *element;             /* around the shown row; NULL: none */
	const struct ec2_listing *items; /* without a list: items that `answer` writes, for the dump */
	struct filters filters;          /* with neither: for the dump */
	const char *state_in_answer;
	enum ec2_part part; /* 0: none */
	/* EC2_TAGS(): type of resource whose tags the core takes from the parameters after prepare; NULL: prepare takes them. */
	const char *tag_type;
	uint16_t tag_specs, tags;
	/* EC2_DIGEST(): offset + 1 of the text that the core sets to the digest of the parameters before prepare; 0: none. */
	uint16_t digest;
};

/* T: has the members tag_specs, wish.tags. */
#define EC2_TAGS(T, type)                                                                                    \
	.tag_type = (type), .tag_specs = offsetof(T, tag_specs), .tags = offsetof(T, wish.tags)
/* T: has wish.digest, by which the engine tells a repeated call from another one with the same token. */
#define EC2_DIGEST(T) .digest = offsetof(T, wish.digest) + 1
/* The row whose id is that member, within an element of that name (NULL: none around). */
#define EC2_SHOWS(listing, T, member, name)                                                                  \
	.shows = &(listing), .shown = offsetof(T, member) + 0 * sizeof(((T *) 0)->member.b), .element = (name)

/* The action's name, and its name in policies. */
#define EC2_ACTION(word) .name = (word), .permit = "ec2:" word
#define STS_ACTION(word) .name = (word), .permit = "sts:" word

/* A call of an action; in the call's arena. */
struct ec2_call {
	API_CALL_BASE;
	struct ec2_item_cache *item_cache; /* the face's */
	bool is_launch;                    /* the answer shows instances as the call launched them */
	bool is_sts;                       /* answers and failures are in STS's format */
	struct str version;                /* API version of the request */
	struct str owner;                  /* the caller's account number */
	struct str domain, public_domain;  /* domains of host names; set when the view is opened */
	/* Cached items (list.h): the last commit of rows that several items share; the items that the answer holds, and the size of
	 * their texts; the items' positions in a long answer. */
	uint64_t shared_commit;
	VEC(struct ec2_cached_item *) cached;
	size_t cached_size;
	VEC(struct ec2_fragment) fragments;
};

API_DEFINE_FACE(ec2)

/* True if the call changes rows. Cached items are written without an action: only answers of reads are cached. */
static inline bool ec2_is_change(const struct ec2_call *e)
{
	return e->action && e->action->flags & API_WRITES;
}

/* The state, or the one that the action's answer shows instead. */
static inline const char *ec2_state_in_answer(const struct ec2_call *e, const char *state)
{
	const char *shown = e->action ? ec2_action_of(e)->state_in_answer : NULL;
	return shown ? shown : state;
}

/* ---- what every Describe action has, at the beginning of its args ---- */

struct ec2_filter {
	struct str name;
	struct strs values;
};

struct ec2_filters {
	const struct ec2_filter *at;
	size_t count;
};

struct ec2_query {
	struct refs ids, names; /* given one by one: what is absent is an error */
	struct ec2_filters filters;
	int64_t max_results; /* 0: not said */
	struct str next_token;
};

extern const struct params ec2_filter_params;
extern const struct params ec2_tag_params;      /* struct tag */
extern const struct params ec2_tag_spec_params; /* struct ec2_tag_spec */

/* Rows for the parameters of a struct that begins with a struct ec2_query `query`. */
#define QUERY_FILTERS(T)                                                                                     \
	PARAM_LIST(T, "Filter", query.filters, ec2_filter_params, .max = 200,                                \
		   .doc = "Filters. A resource must match all of them, each by any of its values.")
#define QUERY_IDS(T, wire, row_kind, words) PARAM(T, wire, query.ids, .kind = (row_kind), .doc = (words))
#define QUERY_NAMES(T, wire, row_kind, words)                                                                \
	PARAM(T, wire, query.names, .flags = BY_NAME, .kind = (row_kind), .doc = (words))
#define QUERY_PAGES(T, least, most)                                                                          \
	PARAM(T, "MaxResults", query.max_results, .min = (least), .max = (most),                             \
	      .doc = "Maximum number of results in one page."),                                              \
		PARAM(T, "NextToken", query.next_token, .min = 1,                                            \
		      .doc = "Token of the next page, from the previous answer.")

/* No resource here is managed by another service of Amazon's, so both values mean the same. */
#define NO_MANAGED_RESOURCES NOT_BUILT("IncludeManagedResources", .only = "true|false")

/* For a parameter that names an attribute. */
#define UNKNOWN_ATTRIBUTE .says = "Value ({value}) for parameter {parameter} is invalid. Unknown attribute."

/* Tags for what an action makes: TagSpecification.N. */
struct ec2_tag_spec {
	struct str resource_type;
	struct tags tags;
};

struct ec2_tag_specs {
	const struct ec2_tag_spec *at;
	size_t count;
};

#define TAG_SPECIFICATIONS(T, member)                                                                        \
	PARAM_LIST(T, "TagSpecification", member, ec2_tag_spec_params, .max = 20,                            \
		   .doc = "Tags of the new resource, by resource type.")

/* The tags for one type of resource. ERR_INVALID when another type than those of `types`
 * ("instance|volume") is named. */
RESULT ec2_take_tags(struct ec2_call *e, const struct ec2_tag_specs *specs, const char *type,
		     const char *types, struct tags *ret_tags);

/* ---- all arrays of actions, for ec2.c ---- */

#define GROUP(name) extern const struct api_actions ec2_##name##_actions;
#include "api/ec2/core/action_groups.def"
#undef GROUP

extern const struct api_groups ec2_action_groups;
/* Fills out with all actions, sorted by name. */
size_t ec2_sum_actions(const struct ec2_action **out, size_t max);
