/* SPDX-License-Identifier: Apache-2.0
 * Time of a decision by IAM policies: 50 statements all match the action, and only the last, which has a condition,
 * matches the resource. Takes the best of many rounds, to exclude other work on the machine.
 *
 *     policy
 *
 * Prints policy_us, and policy_compile_us for the document. */
#include <stdio.h>

#include "auth/policy/policy.h"
#include "base/buf.h"
#include "base/clock.h"

enum { STATEMENTS = 50, ROUNDS = 500, DECISIONS = 100, COMPILE_ROUNDS = 200 };

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	static const struct str type = {"t3.micro", 8};
	(void) q;
	if (!str_is(key, "ec2:instancetype"))
		return POLICY_ABSENT;
	*ret_values = (struct strs){&type, 1};
	return POLICY_PRESENT;
}

static void write_document(struct buf *b)
{
	buf_print(b, "{\"Version\":\"2012-10-17\",\"Statement\":[");
	for (int k = 1; k < STATEMENTS; k++)
		buf_print(b,
			  "{\"Effect\":\"%s\",\"Action\":[\"ec2:%s*\",\"ec2:RunInstances\"],"
			  "\"Resource\":\"arn:aws:ec2:*:*:volume/vol-%d*\","
			  "\"Condition\":{\"StringEquals\":{\"ec2:ResourceTag/team\":\"team%d\"}}},",
			  k % 2 ? "Allow" : "Deny", k % 3 ? "Describe" : "Start", k, k);
	buf_print(b, "{\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"arn:aws:ec2:*:*:instance/*\","
		     "\"Condition\":{\"StringLike\":{\"ec2:InstanceType\":[\"m5.*\",\"t3.*\"]}}}]}");
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int main(void)
{
	struct ctx c;
	struct buf document;
	const struct policy_code *p = NULL;
	struct arena *compiled = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP),
		     *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	buf_init(&document, BUF_ANSWER_CAP);
	write_document(&document);
	ctx_init(&c, compiled);
	int64_t best_us = INT64_MAX;
	for (int k = 0; k < COMPILE_ROUNDS; k++) {
		arena_reset(compiled);
		int64_t start_us = clock_now_us();
		if (!result_is_ok(policy_compile(&c, buf_str(&document), POLICY_OF_IDENTITY, &p)))
			return 1;
		best_us = least(best_us, clock_now_us() - start_us);
	}
	double compile_us = (double) best_us;
	const struct policy_set set = {.identity = &p, .identity_count = 1};
	struct policy_question q = {.action = STR("ec2:RunInstances"),
				    .permission = permission_find_action(STR("ec2:RunInstances")),
				    .resource = STR("arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
				    .find = find_key,
				    .arena = arena};
	int64_t allowed = 0;
	best_us = INT64_MAX;
	for (int k = 0; k < ROUNDS; k++) {
		int64_t start_us = clock_now_us();
		for (int n = 0; n < DECISIONS; n++) {
			struct policy_decision d;
			policy_decide(&set, &q, &d);
			allowed += d.effect == POLICY_ALLOWS;
		}
		best_us = least(best_us, clock_now_us() - start_us);
	}
	double us = (double) best_us / DECISIONS;
	buf_done(&document);
	arena_free(compiled);
	arena_free(arena);
	if (allowed != ROUNDS * DECISIONS)
		return 1;
	(void) printf("policy_us=%.3f\npolicy_compile_us=%.1f\n", us, compile_us);
	return 0;
}
