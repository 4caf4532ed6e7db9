/* SPDX-License-Identifier: Apache-2.0
 * Credential reports: rows only. */
#include "engine/people/credential/credential_report.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "store/credential_report.h"

RESULT engine_put_credential_report(struct op *op, struct credential_report_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "policy.generate_report", KIND_NONE, NULL));
	const struct credential_report *before = credential_report_first_by_account(op->head, account);
	wish->is_new = wish->report.n && (!before || op->now_us - before->made_us >= CREDENTIAL_REPORT_US);
	if (!wish->is_new)
		return OK;
	struct credential_report next = {.row.id = engine_new_id(op, KIND_CREDENTIAL_REPORT),
					 .account = account};
	if (before)
		next = *before;
	next.made_us = op->now_us;
	next.report = wish->report;
	next.row.gen++;
	return credential_report_put(op, &next);
}
