/* SPDX-License-Identifier: Apache-2.0
 * The table of AWS's managed policies, as rows. */
#include "engine/people/policy/aws_policy.h"

#include "base/clock.h"
#include "engine/operation.h"
#include "model/policy.h"
#include "model/policy_version.h"

/* The number is in the id's first half, from which IAM's ids are derived. */
#define ID(number, version)                                                                                  \
	{                                                                                                    \
		{                                                                                            \
			'a', 'w', 's', number, 'p', 'o', 0x4c, 'i', 0x83, 'y', 0, 0, 0, 0, 0, version        \
		}                                                                                            \
	}
#define TEXT(literal)                                                                                        \
	{                                                                                                    \
		literal, sizeof(literal) - 1                                                                 \
	}
/* The preprocessor passes JSON through unchanged. */
#define ALLOW(...)                                                                                           \
	{                                                                                                    \
		"Effect" : "Allow", "Action" : [__VA_ARGS__], "Resource" : "*"                               \
	}
#define WRITE(...) #__VA_ARGS__
#define DOCUMENT(...) "{\"Version\": \"2012-10-17\", \"Statement\": [" WRITE(__VA_ARGS__) "]}"

/* The date of AWS's first managed policies: 2015-02-06. */
#define SINCE_US (INT64_C(1423180800) * SECOND)

struct aws_policy {
	struct policy policy; /* must be first */
	struct policy_version version;
};

static const struct aws_policy policies[] = {
#define AWS_POLICY(number_, path_, name_, description_, ...)                                                 \
	{.policy = {.row = {.id = ID(number_, 0), .gen = 1, .created_us = SINCE_US, .updated_us = SINCE_US}, \
		    .name = TEXT(name_),                                                                     \
		    .path = TEXT(path_),                                                                     \
		    .description = TEXT(description_),                                                       \
		    .default_version = 1,                                                                    \
		    .last_version = 1},                                                                      \
	 .version = {                                                                                        \
		 .row = {.id = ID(number_, 1), .gen = 1, .created_us = SINCE_US, .updated_us = SINCE_US},    \
		 .policy = ID(number_, 0),                                                                   \
		 .number = 1,                                                                                \
		 .document = TEXT(DOCUMENT(__VA_ARGS__))}},
#include "engine/people/policy/aws_policies.def"
#undef AWS_POLICY
};

enum { POLICY_COUNT = sizeof policies / sizeof policies[0] };

const struct policy *aws_policy_at(size_t n)
{
	return n < POLICY_COUNT ? &policies[n].policy : NULL;
}

const struct policy *aws_policy_find(uuid id)
{
	for (size_t k = 0; k < POLICY_COUNT; k++)
		if (uuid_equal(policies[k].policy.row.id, id))
			return &policies[k].policy;
	return NULL;
}

const struct policy *aws_policy_find_path(struct str path)
{
	for (size_t k = 0; k < POLICY_COUNT; k++) {
		const struct policy *p = &policies[k].policy;
		if (str_starts_with(path, p->path) && str_equal(str_slice(path, p->path.n, path.n), p->name))
			return p;
	}
	return NULL;
}

const struct policy_version *aws_policy_version(const struct policy *p)
{
	return &((const struct aws_policy *) (const void *) p)->version;
}
