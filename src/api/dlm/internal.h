/* SPDX-License-Identifier: Apache-2.0
 * Private to api/dlm/: ids, and details of policies. */
#pragma once

#include "api/dlm/dlm.h"
#include "api/query/rest_json.h"
#include "engine/storage/snapshot/lifecycle_policy.h"

#define DLM_ACTION(word) .name = (word), .permit = "dlm:" word

extern const struct api_actions dlm_policy_actions, dlm_tag_actions;

/* Fails with ERR_INVALID, which becomes an InvalidRequestException. */
#define DLM_FAIL(e, field, ...) ctx_fail_field((e)->c, ERR_INVALID, STR(field), __VA_ARGS__)

/* ---- policies.c ---- */

/* A policy by its id, "policy-0123456789abcdef0". ERR_NOT_FOUND. */
RESULT dlm_find_policy(struct rest_json_call *e, struct str id, const char *field, struct ref *ret_ref);
struct str dlm_write_id(struct rest_json_call *e, uuid id);
struct str dlm_write_arn(struct rest_json_call *e, struct str id);

/* ---- details.c ---- */

struct dlm_details {
	struct str policy_type;
	struct strs resource_types, locations;
	struct dlm_tags {
		struct tag *at;
		size_t count;
	} targets;
	struct {
		struct dlm_schedule *at;
		size_t count;
	} schedules;
	struct {
		bool excludes_root;
	} parameters;
};
extern const struct params dlm_details_params;
/* Checks the details of a policy and fills the wanted fields of its row. */
RESULT dlm_read_details(struct rest_json_call *e, const struct dlm_details *details,
			struct snapshot_policy *ret_row);
void dlm_write_details(struct rest_json_call *e, struct json_writer *w, const struct snapshot_policy *policy);
