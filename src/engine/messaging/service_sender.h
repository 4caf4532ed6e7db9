/* SPDX-License-Identifier: Apache-2.0
 * Services that put messages into queues and topics for one of their own resources: SNS for a topic, EventBridge for a rule,
 * CloudWatch for an alarm, Auto Scaling for a group. The policy of the queue or topic must admit the service, as in AWS. The policy
 * language is auth/'s, so auth/guard/guard_resource.c decides; the store passes its judge to operations. */
#pragma once

#include "engine/operation.h"

struct service_sender {
	const char *service; /* "sns.amazonaws.com" */
	struct str source;   /* ARN of the resource: aws:SourceArn */
	uuid account;        /* owner of the resource: aws:SourceAccount */
	/* The service calls with the key aws:SourceOwner, which the standard policy of topics asks for. */
	bool is_owner_known;
	/* The service acts by a role in its account, whose own policy allows it to send: there the policy of a queue or topic can
	 * only deny. The ARN; empty: the service calls as itself. */
	struct str role;
};

struct service_judge {
	RESULT(*admit)
	(struct service_judge *j, struct ctx *c, const struct tables *t, enum kind kind,
	 const struct row *row, const struct service_sender *sender, bool *ret_is_admitted);
};
/* Sets the judge of the store's operations; NULL: none. The judge outlives the store. */
void engine_set_service_judge(struct store *store, struct service_judge *judge);

/* True if the policy of a queue or topic admits the sender. Without a judge nothing evaluates policies: then the senders of the owner's
 * account are admitted. ERR_NO_MEMORY. */
RESULT engine_admit_service(struct op *op, enum kind kind, const struct row *row,
			    const struct service_sender *sender, bool *ret_is_admitted);
